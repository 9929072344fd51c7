"""A class is learned scaled by itself, and drawn as narrow or as wide as it is."""

import numpy as np
import pytest
import torch
from conftest import quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from vaesampler import VAEOversampler
from vaesampler._encoding.class_scaling import ClassScaling, ScaledRows
from vaesampler._encoding.layout import Layout, Part
from vaesampler._encoding.rows import DenseRows, SelectedRows
from vaesampler._training.shrinkage import ShrunkNormal

LAYOUT = Layout(3, 2, (Part("bernoulli", (1,)),), silenced=((0, 1), (1, 1), (1, 3)))


def make_rows(seed, n_rows=40, deviation=1.0):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n_rows, 3)) * deviation + rng.normal(size=3)
    others = rng.integers(0, 2, (n_rows, 3))
    return np.hstack([numbers, others]).astype(np.float32)


def is_silenced(rows):
    return np.column_stack([np.zeros(len(rows)), rows[:, 3] + rows[:, 4], np.zeros(len(rows))])


@given(seed=st.integers(0, 1000), deviation=st.sampled_from([1e-4, 0.1, 1.0, 30.0]))
def test_rows_are_restored_from_their_scaling_but_for_numbers_that_do_not_count(
    seed, deviation
):
    rows = make_rows(seed, deviation=deviation)
    scaling = ClassScaling.fit([DenseRows(rows)], LAYOUT)
    standardized = scaling.standardize(rows)
    restored = scaling.restore(standardized)
    counts = is_silenced(rows) == 0
    assert_allclose(restored[:, :3][counts], rows[:, :3][counts], rtol=1e-4, atol=1e-5)
    assert (standardized[:, :3][~counts] == 0).all()
    for changed in (standardized, restored):
        assert_array_equal(changed[:, 3:], rows[:, 3:])


@given(seed=st.integers(0, 1000), deviation=st.sampled_from([1e-3, 0.1, 1.0, 30.0]))
def test_numbers_that_count_have_mean_zero_and_a_deviation_near_one(seed, deviation):
    rows = make_rows(seed, n_rows=400, deviation=deviation)
    standardized = ClassScaling.fit([DenseRows(rows)], LAYOUT).standardize(rows)
    for slot, counts in enumerate((is_silenced(rows) == 0).T):
        numbers = standardized[counts, slot]
        assert abs(numbers.mean()) < 0.01
        assert 0.8 < numbers.std() < 1.2


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_a_column_that_does_not_vary_keeps_the_scaling_of_the_table(n_rows):
    rows = np.repeat(make_rows(0, 1), n_rows, axis=0)
    scaling = ClassScaling.fit([DenseRows(rows)], LAYOUT)
    assert_array_equal(scaling.deviation, 1)
    assert (scaling.standardize(rows)[:, :3] == 0).all()


def test_the_fewer_rows_the_more_a_class_is_taken_to_vary_as_the_table_does():
    found = [
        np.mean(
            [
                ClassScaling.fit([DenseRows(make_rows(seed, n, 0.01))], LAYOUT).deviation[0, 0]
                for seed in range(20)
            ]
        )
        for n in (3, 10, 300)
    ]
    assert found[0] > 2 * found[1] > 2 * found[2]


@given(seed=st.integers(0, 1000))
def test_rows_of_several_classes_are_each_in_the_scaling_of_their_own(seed):
    one, other = make_rows(seed), make_rows(seed + 1, deviation=5.0)
    scaling = ClassScaling.fit([DenseRows(one), DenseRows(other)], LAYOUT)
    expected = np.vstack([scaling.of(0).standardize(one), scaling.of(1).standardize(other)])
    together, classes = DenseRows(np.vstack([one, other])), np.repeat([0, 1], len(one))
    numbers = np.random.default_rng(seed).permutation(len(together))
    for rows in (together, SelectedRows(together, np.arange(len(together)))):
        standardized = ScaledRows.of(rows, scaling, classes)
        assert len(standardized) == len(together)
        assert_array_equal(standardized.take(numbers), expected[numbers])
        assert_array_equal(
            standardized.subset(numbers).take(np.arange(5)), expected[numbers[:5]]
        )


@pytest.mark.parametrize("seed", range(3))
def test_a_class_that_is_narrow_in_a_column_with_a_long_tail_is_drawn_narrow(seed):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.exp(rng.normal(0, 2, 400)), rng.normal(size=400)])
    y = np.arange(400) < 40
    X[y, 0] = rng.normal(1, 0.01, 40)  # a thousandth of the table's deviation
    drawn = VAEOversampler(random_state=seed).fit(X, y).sample(True, 500, random_state=0)
    assert 0.5 < drawn[:, 0].std() / X[y, 0].std() < 1.5
    low, high = drawn[:, 0].min(), drawn[:, 0].max()
    assert np.isin(drawn[:, 0], (low, high)).mean() < 0.1  # and does not pile up at the ends


def test_scaling_a_column_of_one_class_scales_what_is_drawn_of_it():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = np.arange(200) < 50
    stretched = X.copy()
    stretched[y, 0] *= 0.2
    ways = [
        quick(max_iter=150, rejection_strength=0)
        .fit(table, y)
        .sample(True, 800, random_state=0)
        for table in (X, stretched)
    ]
    assert_allclose(ways[1][:, 0].std() / ways[0][:, 0].std(), 0.2, rtol=0.15)


# The shape that classes have on average


@given(seed=st.integers(0, 1000), n_rows=st.integers(3, 60))
def test_many_rows_vary_as_they_do_whatever_the_classes_do_on_average(seed, n_rows):
    generator = torch.Generator().manual_seed(seed)

    def draw(n, correlation):
        one = torch.randn(n, 1, generator=generator)
        rows = torch.cat([one, torch.randn(n, 3, generator=generator)], dim=1)
        rows[:, 1] = correlation * one[:, 0] + (1 - correlation**2) ** 0.5 * rows[:, 1]
        return rows - rows.mean(dim=0)

    pooled = ShrunkNormal.fit(draw(3000, 0.9))
    found = ShrunkNormal.fit(draw(n_rows, 0.0), pooled).draw(4000, generator)
    alone = ShrunkNormal.fit(draw(n_rows, 0.0)).draw(4000, generator)
    assert found.shape == alone.shape == (4000, 4)
    assert torch.isfinite(found).all()
    many = ShrunkNormal.fit(draw(3000, 0.0), pooled).draw(4000, generator)
    assert abs(float(torch.corrcoef(many.T)[0, 1])) < 0.1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_rows", [3, 6, 12])
def test_correlations_that_classes_share_are_told_better_with_those_of_all(n_rows, seed):
    generator = torch.Generator().manual_seed(seed)

    def draw(n):
        common = torch.randn(n, 1, generator=generator)
        rows = common + 0.5 * torch.randn(n, 20, generator=generator)
        return rows - rows.mean(dim=0)

    def error(shape):
        drawn = shape.draw(4000, generator)
        off_diagonal = ~torch.eye(20, dtype=torch.bool)
        return float((torch.corrcoef(drawn.T) - 0.8)[off_diagonal].square().mean())

    pooled, rows = ShrunkNormal.fit(draw(1000)), draw(n_rows)
    assert error(ShrunkNormal.fit(rows, pooled)) < error(ShrunkNormal.fit(rows))
