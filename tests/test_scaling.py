"""Numbers of any size, and columns with long tails, are learned and drawn."""

import warnings

import numpy as np
import pytest
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import iqr

from vaesampler import VAEOversampler
from vaesampler._encoding.scaling import FAR, VERY_FAR, compress, expand

LARGEST = np.finfo(np.float64).max
# Numbers of all sizes, each as likely as the others.
numbers_of_any_size = st.builds(
    lambda sign, exponent: sign * 10.0**exponent, st.floats(-1, 1), st.floats(-5, 308)
)


@given(st.lists(st.floats(-1e15, 1e15) | numbers_of_any_size, min_size=1))
def test_expanding_undoes_compressing(numbers):
    numbers = np.array(numbers)
    assert_allclose(expand(compress(numbers.copy())), numbers, rtol=1e-9)


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1))
def test_expanding_undoes_compressing_in_single_precision(numbers):
    numbers = np.array(numbers, dtype=np.float32)
    found = expand(compress(numbers.copy()))
    assert found.dtype == np.float32
    assert_allclose(found, numbers, rtol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whatever_is_compressed_or_expanded_is_finite(dtype):
    numbers = np.array([np.inf, -np.inf, np.finfo(dtype).max, 1e30, 12], dtype=dtype)
    compressed = compress(numbers.copy())
    assert np.abs(compressed).max() < VERY_FAR + 7
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(expand(compressed)).all()
        assert np.isfinite(expand(numbers)).all()


@given(st.lists(st.floats(-1e30, 1e30) | numbers_of_any_size, min_size=1))
def test_compressing_keeps_the_order_and_what_is_near(numbers):
    numbers = np.sort(numbers)
    compressed = compress(numbers.copy())
    assert (np.diff(compressed) >= 0).all()
    near = np.abs(numbers) <= FAR
    assert_array_equal(compressed[near], numbers[near])


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
