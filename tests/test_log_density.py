"""How likely rows are: against densities that are known, and laws of all densities."""

import numpy as np
import pandas as pd
import pytest
from conftest import make_table, quick
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal

from vaesampler import VAEOversampler


def fitted(X, others, **parameters):
    """Return a sampler whose class 1 has the rows X, and whose class 0 has at least as many."""
    table = pd.concat([pd.DataFrame(X), pd.DataFrame(others)], ignore_index=True)
    y = np.repeat([1, 0], [len(pd.DataFrame(X)), len(pd.DataFrame(others))])
    return VAEOversampler(random_state=0, **parameters).fit(table, y)


def scores(sampler, rows, n_draws=100):
    return sampler.log_density(1, pd.DataFrame(rows), n_draws=n_draws, random_state=0)


def test_the_density_of_a_correlated_normal_distribution_is_found():
    rng = np.random.default_rng(0)
    normal = multivariate_normal([3, -2], [[1, 0.8], [0.8, 1]])
    X, others, X_test = (normal.rvs(n, random_state=rng) for n in (1_000, 1_001, 500))
    errors = scores(fitted(X, others), X_test) - normal.logpdf(X_test)
    assert np.abs(errors).mean() < 0.25  # a normal distribution without correlation: .4
    assert abs(errors.mean()) < 0.15


def test_the_density_of_a_mixture_is_found_roughly():
    rng = np.random.default_rng(0)
    parts = [multivariate_normal([0, 0], [1, 0.25]), multivariate_normal([6, 4], [0.5, 2])]

    def draw(n_rows):
        return np.concatenate([part.rvs(n_rows // 2, random_state=rng) for part in parts])

    X, others, X_test = draw(1_000), draw(1_002), draw(500)
    expected = np.logaddexp(*(part.logpdf(X_test) for part in parts)) - np.log(2)
    found = scores(fitted(X, others), X_test)
    assert np.abs(found - expected).mean() < 0.8  # one normal distribution: 1.15


def test_the_probabilities_of_categories_are_found():
    rng = np.random.default_rng(0)
    shares = np.array([0.5, 0.3, 0.15, 0.05])

    def draw(n_rows):
        first = rng.choice(list("abcd"), n_rows, p=shares)
        return {"u": first, "v": np.where(rng.random(n_rows) < 0.8, first, "a")}

    pairs = {"u": list("abcdabcd"), "v": list("abcdaaaa")}
    found = np.exp(scores(fitted(draw(1_000), draw(1_001)), pairs))
    expected = np.concatenate([shares * [1, 0.8, 0.8, 0.8], shares * [1, 0.2, 0.2, 0.2]])
    assert_allclose(found, expected, atol=0.08)
    errors = np.abs(np.log(found) - np.log(expected))[[0, 1, 2, 3, 5, 6, 7]]
    assert expected[[0, 1, 2, 3, 5, 6, 7]] @ errors < 0.35  # mean over rows


@pytest.mark.parametrize(
    "values",
    [
        np.array(["a", "b", "c", None], dtype=object),
        np.array(["a", "b"], dtype=object),
        np.array(["a", "b", None], dtype=object),
        np.arange(9.0),
        np.array([1.0, 2.0, 5.0, np.nan]),
        np.array([f"level {index:03}" for index in range(70)], dtype=object),
        pd.Categorical(["low", "middle", "high"], ["low", "middle", "high"], ordered=True),
        pd.Categorical(
            ["low", "middle", "high", None], ["low", "middle", "high"], ordered=True
        ),
    ],
    ids=lambda values: f"{len(values)} of {values.dtype}",
)
def test_the_probabilities_of_all_levels_sum_to_1(values):
    rng = np.random.default_rng(0)
    chosen, others = (values[rng.integers(len(values), size=n)] for n in (400, 401))
    sampler = fitted({"level": chosen}, {"level": others}, max_iter=15)
    probabilities = np.exp(scores(sampler, {"level": values}, n_draws=500))
    assert_allclose(probabilities.sum(), 1, atol=0.02)


@pytest.mark.parametrize("share_of_spike", [0, 0.4])
@pytest.mark.parametrize("share_missing", [0, 0.3])
def test_the_density_integrates_to_1_minus_what_is_missing_or_a_spike(
    share_of_spike, share_missing
):
    rng = np.random.default_rng(0)
    values = rng.normal(5, 2, size=4_001)
    values[rng.random(4_001) < share_of_spike] = 5.0
    values[rng.random(4_001) < share_missing] = np.nan
    sampler = fitted({"value": values[:2_000]}, {"value": values[2_000:]}, max_iter=50)
    grid = np.linspace(-10, 20, 6_001)
    grid = grid[grid != 5]
    density = np.exp(scores(sampler, {"value": grid}))
    integral = np.trapezoid(density, grid)
    if share_of_spike:
        integral += np.exp(scores(sampler, {"value": [5.0]}))[0]
    if share_missing:
        integral += np.exp(scores(sampler, {"value": [np.nan]}))[0]
    assert_allclose(integral, 1, atol=0.05)


@pytest.mark.parametrize("factor", [2.0**-40, 8.0])
def test_in_another_unit_the_density_is_another_by_the_unit(factor):
    X, y = make_table()
    before, after = (quick().fit(one, y) for one in (X, factor * X))
    found = after.log_density(1, factor * X, random_state=0)
    expected = before.log_density(1, X, random_state=0) - X.shape[1] * np.log(factor)
    assert_allclose(found, expected)


def test_the_score_of_a_row_depends_on_no_other_row(table):
    X, y = table
    sampler = quick().fit(X, y)
    together = sampler.log_density(1, X, random_state=0)
    alone = [sampler.log_density(1, X[[index]], random_state=0) for index in range(5)]
    assert_allclose(np.concatenate(alone), together[:5], rtol=1e-5)
    assert_array_equal(sampler.log_density(1, X, random_state=0), together)


def test_blocks_change_nothing(table, monkeypatch):
    X, y = table
    sampler = quick().fit(X, y)
    expected = sampler.log_density(1, X, random_state=0)
    monkeypatch.setattr("vaesampler._generation.density.MOST_SLOTS_BY_BLOCK", 35)
    assert_allclose(sampler.log_density(1, X, random_state=0), expected, rtol=1e-5)


def test_more_draws_raise_the_bound():
    X, y = make_table({0: 90, 1: 60})
    X[:, 1:] = X[:, :1] ** 2
    sampler = VAEOversampler(random_state=0).fit(X, y)
    means = [
        np.mean([sampler.log_density(1, X, n_draws=n_draws) for _ in range(30)])
        for n_draws in (1, 5, 100)
    ]
    assert means[0] < means[1] < means[2]


def test_rows_of_the_class_are_likelier_than_others():
    X, y = make_table({0: 200, 1: 60, 2: 40})
    sampler = VAEOversampler(random_state=0).fit(X, y)
    for label in (1, 2):
        found = sampler.log_density(label, X, random_state=0)
        assert np.median(found[y == label]) > np.quantile(found[y != label], 0.95)


def test_rows_far_away_have_a_finite_score(table):
    X, y = table
    sampler = quick().fit(X, y)
    assert np.isfinite(sampler.log_density(1, X * 1e12, random_state=0)).all()


def test_constant_columns_are_certain(table):
    X, y = table
    with_constant = np.column_stack([X, np.full(len(X), 7.0)])
    grid = np.linspace(-20, 30, 4_001)
    sampler = quick().fit(with_constant[:, [0, 5]], y)
    rows = np.column_stack([grid, np.full(len(grid), 7.0)])
    density = np.exp(sampler.log_density(1, rows, random_state=0))
    assert_allclose(np.trapezoid(density, grid), 1, atol=0.1)


def test_loaded_samplers_give_the_same_scores(table, tmp_path):
    X, y = table
    sampler = quick(latent_sampling="prior", rejection_strength=0).fit(X, y)
    sampler.save(tmp_path / "file", include_rows=False)
    loaded = VAEOversampler.load(tmp_path / "file")
    expected = sampler.log_density(2, X, random_state=0)
    assert_array_equal(loaded.log_density(2, X, random_state=0), expected)


@pytest.mark.parametrize("n_draws", [0, -1, 2.5, "many"])
def test_numbers_of_draws_are_checked(table, n_draws):
    sampler = quick().fit(*table)
    with pytest.raises(ValueError, match="n_draws must be a whole number of at least 1"):
        sampler.log_density(1, table[0], n_draws=n_draws)
