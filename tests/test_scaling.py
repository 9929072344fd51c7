"""Numbers of any size, and columns with long tails, are learned and drawn."""

import numpy as np
import pytest
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import iqr

from vaesampler import VAEOversampler
from vaesampler._encoding.scaling import FAR, compress, expand


@given(st.lists(st.floats(-1e15, 1e15), min_size=1))
def test_expanding_undoes_compressing(numbers):
    numbers = np.array(numbers)
    assert_allclose(expand(compress(numbers.copy())), numbers, rtol=1e-9)


@given(st.lists(st.floats(-1e30, 1e30), min_size=1))
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


@pytest.mark.parametrize("outlier", [1e4, 999_999_999.0, 1e12, -1e15])
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
