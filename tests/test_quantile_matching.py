"""Each column is drawn about as real rows are spread: levels, and numbers without them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from vaesampler import VAEOversampler
from vaesampler._encoding.layout import Layout
from vaesampler._generation.quantile_matching import N_ROWS_FOR_DRAWN, QuantileMatching

ONE_COLUMN = Layout(n_normal=1)


def match(levels, real, drawn):
    return QuantileMatching.fit({0: levels}, real[:, None], drawn[:, None], ONE_COLUMN)


@st.composite
def levels_and_numbers(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = np.sort(rng.normal(size=draw(st.integers(2, 30))))
    shares = rng.dirichlet(np.full(len(levels), 0.5))
    real = rng.choice(levels, draw(st.integers(1, 400)), p=shares)
    drawn = rng.normal(draw(st.floats(-2, 2)), draw(st.floats(0.1, 3)), size=400)
    return levels, real, drawn


@given(levels_and_numbers())
def test_only_levels_come_out_and_a_greater_number_never_gets_a_lesser_level(case):
    levels, real, drawn = case
    snapped = match(levels, real, drawn).apply(np.sort(drawn)[:, None])[:, 0]
    assert np.isin(snapped, levels).all()
    assert (np.diff(snapped) >= 0).all()


@given(levels_and_numbers())
def test_a_level_is_drawn_as_often_as_real_rows_have_it_the_more_so_the_more_they_are(case):
    levels, real, drawn = case
    weight = len(real) / (len(real) + N_ROWS_FOR_DRAWN)
    nearest = levels[np.abs(drawn[:, None] - levels).argmin(axis=1)]
    snapped = match(levels, real, drawn).apply(drawn[:, None].copy())[:, 0]
    for level in levels:
        expected = weight * (real == level).mean() + (1 - weight) * (nearest == level).mean()
        assert (snapped == level).mean() == pytest.approx(expected, abs=2 / len(drawn) + 1e-9)


def test_without_real_rows_each_number_goes_to_its_nearest_level():
    levels = np.array([0.0, 1.0, 3.0])
    snapped = match(levels, np.empty(0), np.zeros(5)).apply(
        np.array([[-9.0], [0.6], [2.1], [9]])
    )
    assert snapped[:, 0].tolist() == [0, 1, 3, 3]


def test_numbers_that_a_flag_speaks_for_are_not_counted():
    layout = Layout(n_normal=1, n_flags=1, silenced=((0, 0),))
    levels = np.array([0.0, 1.0])
    drawn = np.column_stack([np.linspace(-1, 2, 300), np.zeros(300)])
    real = np.repeat([[0.0, 0.0], [1.0, 0.0]], [60, 60], axis=0)
    silent = np.repeat([[0.0, 1.0]], 900, axis=0)
    alone = QuantileMatching.fit({0: levels}, real, drawn, layout)
    beside = QuantileMatching.fit({0: levels}, np.concatenate([real, silent]), drawn, layout)
    assert alone.edges[0] == beside.edges[0]


@example(seed=0, n_real=618, spread=0.5, power=3.0)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_real=st.integers(1, 2000),
    spread=st.floats(0.2, 3),
    power=st.floats(0.5, 3),
)
def test_numbers_are_spread_as_the_real_ones_the_more_so_the_more_they_are(
    seed, n_real, spread, power
):
    rng = np.random.default_rng(seed)
    real, drawn = (
        np.sort(np.sign(one) * np.abs(one) ** power)
        for one in (rng.normal(size=n_real), rng.normal(1, spread, size=1000))
    )
    found = QuantileMatching.fit({}, real[:, None], drawn[:, None], ONE_COLUMN)
    moved = found.apply(drawn[:, None].copy())[:, 0]
    assert (np.diff(moved) >= -1e-9).all()
    weight = n_real / (n_real + N_ROWS_FOR_DRAWN)
    shares = np.arange(1, 8) / 8  # between them, numbers are moved linearly
    of_real, of_drawn, of_moved = (np.quantile(one, shares) for one in (real, drawn, moved))
    expected = weight * of_real + (1 - weight) * of_drawn
    assert_allclose(of_moved, expected, atol=0.05 * np.ptp(np.concatenate([real, drawn])))


def test_without_real_rows_numbers_stay_where_they_are():
    numbers = np.array([[-1.0], [2.0]])
    found = QuantileMatching.fit({}, np.empty((0, 1)), numbers, ONE_COLUMN)
    assert_array_equal(found.apply(numbers.copy()), numbers)


def frame_of_levels(seed, n_rows=600):
    """Return a scale whose ends are frequent, and measures that were mostly rounded."""
    rng = np.random.default_rng(seed)
    rounded = rng.normal(4, 1, size=n_rows).round(1)
    is_rounded = rng.random(n_rows) < 0.6
    return pd.DataFrame(
        {
            "scale": rng.choice(np.arange(1, 6), n_rows, p=[0.4, 0.05, 0.05, 0.1, 0.4]),
            "measure": np.where(is_rounded, rounded.round(0), rounded),
            "amount": rng.lognormal(size=n_rows),
        }
    ), np.where(np.arange(n_rows) % 5 < 2, "rare", "common")


@pytest.mark.parametrize("share_missing", [0, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_every_level_of_a_discrete_column_is_drawn_at_about_its_share(seed, share_missing):
    X, y = frame_of_levels(seed)
    X["measure"] = X["measure"].mask(np.random.default_rng(9).random(len(X)) < share_missing)
    sampler = VAEOversampler(rejection_strength=0, random_state=seed).fit(X, y)
    rows, real = sampler.sample("rare", 3000), X[y == "rare"]
    for name in ("scale", "measure"):
        assert "discrete" in {
            column.kind for column in sampler.schema_.columns if column.name == name
        }
        shares = [one[name].value_counts(normalize=True) for one in (rows, real)]
        assert shares[0].sub(shares[1], fill_value=0).abs().max() < 0.06
