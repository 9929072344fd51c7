"""How strictly drawn rows are rejected, given the verdict of a critic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from vaesampler._encoding.rows import DenseRows
from vaesampler._rejection.critic import Candidates, Verdict
from vaesampler._rejection.neighbors import NeighborCritic
from vaesampler._rejection.rule import keep, rejection_power, thin_copies
from vaesampler._runtime.seeds import Seeds


def share_kept(verdict, power, n_draws, seed=0):
    """Return how often each candidate is kept."""
    rng = np.random.default_rng(seed)
    kept = np.concatenate([keep(verdict, power, rng) for _ in range(n_draws)])
    return np.bincount(kept, minlength=len(verdict.is_copy)) / n_draws


@given(seed=st.integers(0, 1000), power=st.sampled_from([0.0, 0.5, 1.0, 4.0]))
def test_a_row_is_kept_as_often_as_the_power_of_its_probability_says(seed, power):
    rng = np.random.default_rng(seed)
    log_levels = -rng.exponential(size=7)
    level = rng.integers(7, size=70_000)
    verdict = Verdict(log_levels[level], np.zeros(len(level), dtype=bool))
    kept = keep(verdict, power, rng)
    shares = np.bincount(level[kept], minlength=7) / np.bincount(level)
    probability = np.exp(log_levels)
    expected = np.minimum(1, probability / np.median(probability[level])) ** power
    assert_allclose(shares, expected, atol=0.03)


@given(
    seed=st.integers(0, 1000),
    n_rows=st.integers(1, 300),
    share_of_copies=st.sampled_from([0.0, 0.02, 0.1, 0.5, 0.95]),
)
def test_copies_are_three_in_a_hundred_of_the_kept_rows_unless_there_are_fewer(
    seed, n_rows, share_of_copies
):
    rng = np.random.default_rng(seed)
    log_chance = -rng.exponential(size=n_rows)
    is_copy = rng.random(n_rows) < share_of_copies
    chance, thinned = np.exp(log_chance), np.exp(thin_copies(log_chance, is_copy))
    assert_array_equal(thinned[~is_copy], chance[~is_copy])
    if chance[is_copy].sum() <= 0.03 * chance.sum():
        assert_array_equal(thinned, chance)
    elif not is_copy.all():
        assert thinned[is_copy].sum() == pytest.approx(0.03 * thinned.sum())
        assert_allclose(
            thinned[is_copy] / chance[is_copy], thinned.sum() * 0.03 / chance[is_copy].sum()
        )


@pytest.mark.parametrize("share_of_copies", [0.2, 0.6])
def test_copies_are_thinned_out_among_the_rows_that_are_kept(share_of_copies):
    is_copy = np.arange(50_000) < share_of_copies * 50_000
    kept = keep(Verdict(np.zeros(50_000), is_copy), 2.0, np.random.default_rng(0))
    assert is_copy[kept].mean() == pytest.approx(0.03, abs=0.005)
    assert_array_equal(kept[~is_copy[kept]], np.flatnonzero(~is_copy))


@pytest.mark.parametrize("n_candidates", range(1, 30))
def test_of_nothing_but_copies_a_quarter_is_kept_in_the_order_of_the_candidates(n_candidates):
    every = np.ones(n_candidates, dtype=bool)
    kept = keep(Verdict(np.zeros(n_candidates), every), 1.0, np.random.default_rng(0))
    assert len(kept) == math.ceil(n_candidates / 4)
    assert_array_equal(kept, np.unique(kept))
    assert np.isin(kept, np.arange(n_candidates)).all()


def test_the_quarter_is_drawn_with_probabilities_as_weights():
    log_probability = np.array([-2.0, -1.0, -4.0, -3.0])
    verdict = Verdict(log_probability, np.ones(4, dtype=bool))
    weights = np.exp(np.minimum(log_probability - np.median(log_probability), 0))
    shares = share_kept(verdict, 1.0, n_draws=5_000)
    assert_allclose(shares, weights / weights.sum(), atol=0.03)


def test_no_copy_displaces_a_row_that_is_kept_for_certain():
    verdict = Verdict(np.zeros(4), np.array([True, True, False, True]))
    assert share_kept(verdict, 1.0, n_draws=1_000)[2] == 1


@given(seed=st.integers(0, 1000), n_rows=st.integers(20, 60), strength=st.floats(0.1, 10.0))
def test_near_copies_are_thinned_out_to_a_few_in_a_hundred(seed, n_rows, strength):
    rng = np.random.default_rng(seed)
    own, other = rng.normal(size=(n_rows, 4)), rng.normal(size=(n_rows, 4))
    critic = NeighborCritic().fit(DenseRows(own), DenseRows(other), Seeds(seed).stream())
    candidates = np.concatenate([own + 1e-6, 8 + rng.normal(size=(n_rows, 4))])
    sources = np.tile(np.arange(n_rows), 2)
    verdict = critic.judge(Candidates(candidates, sources))
    chance = np.exp(thin_copies(strength * verdict.log_probability, verdict.is_copy))
    assert ((chance > 0) & (chance <= 1)).all()
    assert chance[:n_rows].sum() <= 0.031 * chance.sum()


@given(
    seed=st.integers(0, 1000),
    n_candidates=st.integers(1, 300),
    spread=st.sampled_from([0.0, 1.0, 1e3, 1e30]),
    share_of_copies=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_a_quarter_is_kept_however_improbable_and_no_row_twice(
    seed, n_candidates, spread, share_of_copies
):
    rng = np.random.default_rng(seed)
    log_probability = -spread * rng.exponential(size=n_candidates)
    is_copy = rng.random(n_candidates) < share_of_copies
    kept = keep(Verdict(log_probability, is_copy), 3.0, rng)
    assert len(kept) >= n_candidates / 4
    assert len(set(kept.tolist())) == len(kept)


@given(
    seed=st.integers(0, 1000),
    n_candidates=st.integers(1, 300),
    spread=st.sampled_from([0.0, 1.0, 1e3, 1e30]),
    strength=st.floats(0, 1e6),
)
def test_the_more_probable_half_is_kept_at_any_power(seed, n_candidates, spread, strength):
    rng = np.random.default_rng(seed)
    log_probability = -spread * rng.exponential(size=n_candidates)
    kept = keep(Verdict(log_probability, np.zeros(n_candidates, dtype=bool)), strength, rng)
    assert np.isin(np.flatnonzero(log_probability >= np.median(log_probability)), kept).all()


@given(
    strength=st.floats(0.1, 100),
    n_rows=st.integers(2, 10**6),
    n_columns=st.integers(0, 5000),
)
def test_rows_raise_the_power_of_the_probability_and_columns_lower_it(
    strength, n_rows, n_columns
):
    found = rejection_power(strength, n_rows, n_columns)
    assert 0 < found <= strength
    assert found <= rejection_power(strength, n_rows + 1, n_columns)
    assert found > rejection_power(strength, n_rows, n_columns + 1)
    if n_columns > 0:
        at_half = rejection_power(strength, 5 * n_columns, 2 * n_columns)
        assert at_half == pytest.approx(strength / 2)


def test_of_improbable_rows_none_is_kept_where_others_suffice():
    rng = np.random.default_rng(0)
    log_probability = np.repeat([-1.0, -60.0], [600, 400])
    verdict = Verdict(log_probability, np.zeros(1000, dtype=bool))
    assert_array_equal(keep(verdict, 1.0, rng), np.arange(600))
