"""Numbers of any size, and columns with long tails, are learned and drawn."""

import warnings

import numpy as np
import pytest
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtri
from scipy.stats import iqr
from threadpoolctl import threadpool_limits

from vaesampler import VAEOversampler
from vaesampler._encoding.look_up import LookUpTable
from vaesampler._table.normal_scores import NormalScores

LARGEST = np.finfo(np.float64).max
# Numbers of all sizes, each as likely as the others.
numbers_of_any_size = st.builds(
    lambda sign, exponent: sign * 10.0**exponent, st.floats(-1, 1), st.floats(-5, 308)
)


columns_of_any_size = st.lists(
    numbers_of_any_size | st.floats(-1e-300, 1e-300) | st.floats(-10, 10) | st.integers(-3, 3),
    min_size=1,
).map(lambda numbers: np.array(numbers, dtype=np.float64))


def values_of(scores, normal_scores):
    table = LookUpTable.of(
        np.array([normal_scores.lowest]),
        np.array([normal_scores.highest]),
        normal_scores.quantiles[None],
    )
    return table.at(scores.astype(np.float32)[:, None])[:, 0] / normal_scores.unit


@given(columns_of_any_size)
def test_normal_scores_are_finite_ascending_and_warn_of_nothing(numbers):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        normal_scores = NormalScores.of(numbers)
        found = normal_scores.of_values(np.sort(numbers))
        beyond = normal_scores.of_values(np.array([-LARGEST, LARGEST]))
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()
    assert beyond[0] <= found[0] <= found[-1] <= beyond[1] < np.inf


@given(columns_of_any_size, st.lists(st.floats(-50, 50), min_size=1))
def test_every_score_is_that_of_a_value_within_the_range(numbers, scores):
    normal_scores = NormalScores.of(numbers)
    found = values_of(np.array(scores), normal_scores)
    # A unit loses the last bits of values far below the largest one.
    slack = 1e-12 * np.abs(numbers).max()
    assert (found >= numbers.min() - slack).all()
    assert (found <= numbers.max() + slack).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_rows", [2, 10, 300, 20_000])
@pytest.mark.parametrize(
    "make",
    [
        lambda z: z,
        np.exp,
        lambda z: np.exp(4 * z),
        lambda z: z**3,
        np.tanh,
        lambda z: 1e300 * z,
        lambda z: 1e-300 * z,
    ],
)
def test_normal_scores_are_standardized_and_undone(make, n_rows, seed):
    numbers = np.sort(make(np.random.default_rng(seed).normal(size=n_rows)))
    normal_scores = NormalScores.of(numbers)
    scores = normal_scores.of_values(numbers)
    assert abs(scores.mean()) < 0.01
    assert scores.std() == pytest.approx(1, abs=0.02)
    found = values_of(scores, normal_scores)
    # Scores are single precision: an error of a thousandth of the distance to the next value.
    gaps = np.diff(numbers)
    allowed = 1e-3 * (np.append(gaps, 0) + np.insert(gaps, 0, 0) + np.abs(numbers))
    assert (np.abs(found - numbers) <= allowed + 1e-7 * np.abs(numbers).max()).all()


def test_equal_values_have_the_score_of_their_mean_rank():
    numbers = np.repeat([1.0, 2.0, 7.0], [10, 60, 30])
    found = NormalScores.of(numbers).of_values(np.array([1.0, 2.0, 7.0]))
    expected = ndtri(np.array([0.05, 0.4, 0.85]))
    expected /= np.sqrt(expected**2 @ [0.1, 0.6, 0.3])
    assert_allclose(found, expected, atol=0.02)


def of_cauchy(rng, n_rows):
    return rng.standard_cauchy((n_rows, 8))


def of_long_lognormal(rng, n_rows):
    return rng.lognormal(sigma=4, size=(n_rows, 8))


def nearly_always_zero(rng, n_rows):
    X = rng.normal(size=(n_rows, 20))
    X[:, :10][rng.random((n_rows, 10)) < 0.997] = 0
    return X


@pytest.mark.parametrize("make", [of_cauchy, of_long_lognormal, nearly_always_zero])
@pytest.mark.parametrize("seed", range(2))
def test_the_defaults_learn_columns_with_long_tails(make, seed):
    X = make(np.random.default_rng(seed), 3_000)
    y = np.where(np.arange(3_000) < 150, "rare", "common")
    drawn = VAEOversampler(random_state=seed).fit(X, y).sample("rare", 500)
    assert np.isfinite(drawn).all()
    assert (drawn >= X.min(axis=0)).all()
    assert (drawn <= X.max(axis=0)).all()
    of_class = X[y == "rare"]
    low, middle, high = np.quantile(of_class, [0.1, 0.5, 0.9], axis=0)
    assert (np.abs(np.median(drawn, axis=0) - middle) <= high - low).all()


@pytest.mark.parametrize("outlier", [1e4, 999_999_999.0, 1e12, -1e15, 1e300])
@pytest.mark.parametrize("is_rare", [False, True])
def test_one_number_of_another_size_hides_none_of_the_others(outlier, is_rare):
    X, y = make_table({0: 500, 1: 60})
    place = np.flatnonzero(y == is_rare)[0]
    usual = iqr(X[y == 1, 0])
    X[place, 0] = outlier
    drawn = quick(max_iter=250, pretrain_iter=150).fit(X, y).sample(1, 500)[:, 0]
    near = drawn[np.abs(drawn) < 100]
    assert len(near) >= 400
    assert len(np.unique(near)) > 300
    assert 0.5 * usual < iqr(near) < 2 * usual


def table_with(huge, dtype, seed):
    """Return a rare class of 50 rows, one of them with a huge cell unless it is None."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(50, 10, 400), rng.normal(size=400)]).astype(dtype)
    if huge is not None:
        X[8, 0] = huge
    return X, np.arange(400) % 8 == 0


@pytest.mark.parametrize(
    ("huge", "dtype"),
    [
        *((sign * size, np.float64) for sign in (1, -1) for size in (1e20, 1e38, 1e100, 1e300)),
        *((sign * LARGEST, np.float64) for sign in (1, -1)),
        *((sign * 3.4e38, np.float32) for sign in (1, -1)),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_one_huge_cell_leaves_the_quantiles_of_the_others_and_is_drawn_no_more_often(
    huge, dtype, seed
):
    quantiles = []
    for cell in (None, huge):
        X, y = table_with(cell, dtype, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            sampler = VAEOversampler(rejection_strength=0, random_state=seed).fit(X, y)
            drawn = sampler.sample(True, 500)[:, 0].astype(np.float64)
        quantiles.append(np.quantile(drawn, [0.05, 0.25, 0.5, 0.75, 0.95]))
    # The deviation is 10.
    assert (np.abs(quantiles[1] - quantiles[0]) < [30, 12, 5, 12, 30]).all()
    assert (np.abs(drawn) > abs(huge) / 10).mean() <= 2 / y.sum()
    assert (np.abs(drawn) > 1_000).mean() <= 2 / y.sum()


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: rng.uniform(-1, 1, 120) * LARGEST,
        lambda rng: rng.uniform(0.9, 1, 120) * -LARGEST,
        lambda rng: np.where(rng.random(120) < 0.5, 1, -1) * rng.uniform(0.9, 1, 120) * LARGEST,
        lambda rng: rng.choice([-LARGEST, 0, 1e308, LARGEST], 120),
        lambda rng: np.where(rng.random(120) < 0.4, LARGEST, rng.normal(size=120)),
    ],
    ids=["uniform", "at one end", "at both ends", "discrete", "spike"],
)
@pytest.mark.parametrize("seed", range(3))
def test_numbers_near_the_ends_of_float64_are_drawn_as_others_are(make, seed):
    X, y = make_table({0: 90, 1: 30}, seed=seed)
    X[:, 0] = make(np.random.default_rng(seed))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = quick(random_state=seed).fit(X, y).sample(1, 100, random_state=0)
    assert np.isfinite(found).all()
    assert (found >= X.min(axis=0)).all()
    assert (found <= X.max(axis=0)).all()
    if np.abs(X[:, 0]).min() > 1e200:
        scale = 2.0**-900
        X[:, 0] *= scale
        expected = quick(random_state=seed).fit(X, y).sample(1, 100, random_state=0)
        found[:, 0] *= scale
        assert_allclose(found, expected)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-20, 1e20, 1e160, 1e300])
def test_rows_do_not_depend_on_the_size_of_the_numbers(scale):
    X, y = make_table()
    scale = 2.0 ** round(np.log2(scale))
    expected = quick().fit(X, y).sample(1, 50, random_state=0)
    X[:, 0] *= scale
    found = quick().fit(X, y).sample(1, 50, random_state=0)
    found[:, 0] /= scale
    assert_allclose(found, expected)


def test_the_smallest_integers_are_drawn_within_range():
    X, y = make_table()
    lowest = int(np.iinfo(np.int64).min)
    X = (10 * X).astype(np.int64)
    X[:, 1] = np.array([lowest + 2**53 * number for number in range(len(X))], np.int64)
    drawn = quick().fit(X, y).sample(1, 50)
    assert (drawn >= X.min(axis=0)).all()
    assert (drawn <= X.max(axis=0)).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_value_that_a_tenth_of_the_rows_share_is_drawn_as_often_as_in_the_class(seed):
    rng = np.random.default_rng(seed)
    y = np.arange(1_200) % 6 == 0
    is_zero = rng.random(1_200) < np.where(y, 0.3, 0.06)
    amounts = np.where(is_zero, 0, rng.lognormal(3, 1, 1_200))
    X = np.column_stack([amounts, rng.normal(size=1_200)])
    sampler = quick(max_iter=150, rejection_strength=0)
    drawn = sampler.fit(X, y).sample(True, 2_000)
    assert (drawn[:, 0] == 0).mean() == pytest.approx((X[y, 0] == 0).mean(), abs=0.06)


@pytest.mark.parametrize("n_rows", [10_000, 19_999, 200_000])
def test_scores_do_not_depend_on_the_number_of_blas_threads(n_rows):
    sample = np.random.default_rng(n_rows).lognormal(size=n_rows)
    with threadpool_limits(1, user_api="blas"):
        expected = NormalScores.of(sample)
    with threadpool_limits(4, user_api="blas"):
        found = NormalScores.of(sample)
    assert_array_equal(found.quantiles, expected.quantiles)
    assert (found.lowest, found.highest) == (expected.lowest, expected.highest)
