"""What every critic must do: judge rows alone, and alike for equal seeds."""

import numpy as np
import pandas as pd
import pytest
from conftest import make_table, quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.metrics import roc_auc_score

from vaesampler import (
    Candidates,
    Critic,
    FittedCritic,
    ForestCritic,
    NeighborCritic,
    Verdict,
)
from vaesampler._encoding.rows import DenseRows
from vaesampler._rejection.choice import CRITICS
from vaesampler._rejection.forest import FittedForestCritic
from vaesampler._rejection.neighbors import FittedNeighborCritic
from vaesampler._runtime.seeds import Seeds


class CertainCritic(Critic, FittedCritic):
    """A user's own: every candidate is of the class, and none is a copy."""

    def __init__(self, log_probability=0.0):
        self.log_probability = log_probability

    def fit(self, own_rows, other_rows, random):
        assert own_rows.take(np.arange(2)).shape == (2, own_rows.width)
        assert len(other_rows) > 0
        random.numpy().random()
        return self

    def judge(self, candidates):
        n_rows = len(candidates.encoded)
        return Verdict(np.full(n_rows, self.log_probability), np.zeros(n_rows, dtype=bool))


class HalfCritic(CertainCritic):
    """Only candidates with a high value in the first slot are of the class."""

    def judge(self, candidates):
        is_high = candidates.encoded[:, 0] > np.median(candidates.encoded[:, 0])
        return super().judge(candidates)._replace(log_probability=np.where(is_high, 0, -1e3))


EVERY_CRITIC = {**CRITICS, "of a user": CertainCritic()}


def two_clouds(seed, n_own=60, n_others=200):
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(n_own, 3)).astype(np.float32)
    others = rng.normal([6, 0, 0], size=(n_others, 3)).astype(np.float32)
    return own, others


@pytest.mark.parametrize("name", EVERY_CRITIC)
@given(seed=st.integers(0, 100))
def test_a_critic_judges_each_candidate_and_changes_none(name, seed):
    own, others = two_clouds(seed)
    before = own.copy(), others.copy()
    stream = Seeds(seed).stream("critic")
    rng = np.random.default_rng(seed)
    rows = rng.normal(3, 5, size=(50, 3)).astype(np.float32)
    candidates = Candidates(rows, rng.integers(-1, len(own), 50))
    copy = Candidates(*(part.copy() for part in candidates))
    verdicts = [
        EVERY_CRITIC[name].fit(DenseRows(own), DenseRows(others), stream).judge(candidates)
        for _ in range(2)
    ]
    for log_probability, is_copy in verdicts:
        assert log_probability.shape == is_copy.shape == (50,)
        assert (log_probability <= 0).all()
        assert np.isfinite(log_probability).all()
        assert is_copy.dtype == bool
    for one, again in zip(*verdicts, strict=True):
        assert_array_equal(one, again)
    for now, then in zip((own, others, *candidates), (*before, *copy), strict=True):
        assert_array_equal(now, then)


@pytest.mark.parametrize("name", CRITICS)
@given(seed=st.integers(0, 100))
def test_a_critic_knows_the_class_from_the_others_and_copies_from_new_rows(name, seed):
    own, others = two_clouds(seed)
    critic = CRITICS[name].fit(DenseRows(own), DenseRows(others), Seeds(seed).stream("critic"))
    sources = np.arange(len(own))
    here = critic.judge(Candidates(own + np.float32(1e-6), sources))
    there = critic.judge(Candidates(others, np.full(len(others), -1)))
    assert np.median(here.log_probability) > np.median(there.log_probability) + 0.5
    assert here.is_copy.all()
    assert not there.is_copy.any()


def test_a_name_stands_for_the_critic_with_its_defaults(table):
    for name, critic in CRITICS.items():
        by_name = quick(critic=name).fit_resample(*table)[0]
        assert_array_equal(by_name, quick(critic=critic).fit_resample(*table)[0])


def test_the_neighbours_of_a_critic_are_those_that_were_asked_for():
    X, y = make_table({0: 60, 1: 20})
    X -= 0.7 * X[y == 1].mean(axis=0) * (y == 1)[:, None]  # the classes overlap
    few, many = (
        quick(critic=NeighborCritic(n_neighbors=n), max_iter=100).fit_resample(X, y)[0]
        for n in (1, 40)
    )
    assert not np.array_equal(few, many)


@pytest.mark.parametrize(
    ("critic", "parameter"), [(NeighborCritic, "n_neighbors"), (ForestCritic, "n_estimators")]
)
@pytest.mark.parametrize("value", [0, -1, 2.5, "5"])
def test_numbers_of_neighbours_and_of_trees_out_of_range_are_refused(critic, parameter, value):
    with pytest.raises(ValueError, match=f"{parameter} must be .* found {value!r}"):
        critic(value)


def bits_with_odd_sums(n_rows, seed):
    """Return bits, and whether the sum of the first two of six is odd."""
    bits = np.random.default_rng(seed).integers(2, size=(n_rows, 6)).astype(np.float32)
    return bits, bits[:, :2].sum(axis=1) % 2 == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_forest_knows_a_class_that_is_a_rule_about_two_columns(seed):
    rows, is_own = bits_with_odd_sums(400, seed)
    sides = DenseRows(rows[is_own][:40]), DenseRows(rows[~is_own])
    new_rows, keeps_rule = bits_with_odd_sums(300, seed + 100)
    verdict = (
        ForestCritic()
        .fit(*sides, Seeds(seed).stream("critic"))
        .judge(Candidates(new_rows, np.full(300, -1)))
    )
    assert roc_auc_score(keeps_rule, verdict.log_probability) > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_a_row_does_not_vouch_for_the_candidates_drawn_around_it(seed):
    rng = np.random.default_rng(seed)
    own, others = (rng.normal(size=(n_rows, 3)).astype(np.float32) for n_rows in (40, 200))
    critic = ForestCritic().fit(DenseRows(own), DenseRows(others), Seeds(seed).stream())
    sources = np.arange(len(own))
    without, with_it = (
        critic.judge(Candidates(own, vouching)).log_probability
        for vouching in (sources, np.full(len(own), -1))
    )
    assert (without <= with_it).mean() > 0.9
    assert np.median(without) < np.median(with_it) - 0.5


RNG = np.random.default_rng(0)
NUMBERS, BITS = RNG.normal(size=(200, 4)), RNG.integers(2, size=(200, 4))
TEXT = pd.DataFrame({"plan": RNG.choice(["basic", "plus", "free"], 200), "sum": NUMBERS[:, 0]})


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (NUMBERS, FittedNeighborCritic),
        (np.hstack([NUMBERS, BITS[:, :3]]), FittedNeighborCritic),
        (np.hstack([NUMBERS, BITS]), FittedForestCritic),
        (pd.DataFrame(BITS.astype(str)), FittedForestCritic),
        (TEXT, FittedForestCritic),
    ],
    ids=["numbers", "mostly numbers", "half of few levels", "binary text", "a category"],
)
def test_a_forest_judges_by_default_where_distances_say_little(X, expected):
    sampler = quick().fit(X, np.repeat([0, 1], [150, 50]))
    assert isinstance(sampler._generators[1].critic, expected)


@pytest.mark.parametrize("log_probability", [0.0, -1.0])
def test_where_all_candidates_are_as_probable_all_are_kept(table, log_probability):
    every = quick(rejection_strength=0).fit(*table).sample(1, 200, random_state=0)
    certain = quick(critic=CertainCritic(log_probability)).fit(*table)
    assert_array_equal(certain.sample(1, 200, random_state=0), every)


def test_a_users_own_critic_decides_which_rows_are_kept(table):
    every = quick(rejection_strength=0).fit(*table).sample(1, 500, random_state=0)
    chosen = quick(critic=HalfCritic()).fit(*table).sample(1, 200, random_state=0)
    assert (chosen[:, None] == every).all(axis=2).any(axis=1).all()
    assert chosen[:, 0].min() >= np.quantile(every[:, 0], 0.4)


@pytest.mark.parametrize("critic", ["magic", NeighborCritic, 3, None])
def test_what_is_no_critic_is_refused(critic, table):
    with pytest.raises(ValueError, match=r"'critic' parameter must be .*neighbors.*found"):
        quick(critic=critic).fit(*table)
