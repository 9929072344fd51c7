"""What the slots of an encoded row hold, of several columns of each kind beside each other."""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from vaesampler._encoding import look_up
from vaesampler._encoding.bounds import Support
from vaesampler._encoding.encoder import TableEncoder, read_cells
from vaesampler._encoding.look_up import LookUpTable
from vaesampler._table.columns import MOST_LEVELS_APART
from vaesampler._table.containers import Container

N_ROWS = 160
SIZES = ["XS", "S", "M", "L", "XL"]
COLOURS = ["red", "green", "blue"]
seeds = st.integers(0, 30)


def make_frame(seed):
    """Return columns of every kind in a random order, the order of one-hot groups kept."""
    rng = np.random.default_rng(seed)

    def holed(values, share=0.2):
        return pd.Series(values).where(rng.random(N_ROWS) >= share)

    def spiked(values, *spikes):
        which = rng.choice(len(spikes) + 1, N_ROWS, p=[0.4, *[0.6 / len(spikes)] * len(spikes)])
        return np.choose(which, [values, *(np.full(N_ROWS, spike) for spike in spikes)])

    def ordered(levels):
        return pd.Categorical(rng.choice(levels, N_ROWS), levels, ordered=True)

    def one_hot(levels):
        return pd.get_dummies(pd.Series(rng.permutation(np.resize(levels, N_ROWS))))

    numbers = [rng.normal(size=N_ROWS) for _ in range(8)]
    parts = [
        pd.Series(numbers[0]),
        pd.Series(np.exp(numbers[1])),
        pd.Series(1e300 * numbers[6]),
        pd.Series(rng.permutation(900)[:N_ROWS] * 50 + 3),
        pd.Series(spiked(numbers[2], 0.0)),
        pd.Series(spiked(numbers[7], 0.0, 1.0)),
        holed(spiked(numbers[3], -1.5, 0.25)),
        holed(numbers[4]),
        holed(spiked(numbers[5].round(2), 9.99)),
        pd.Series(rng.integers(0, 6, N_ROWS) / 2),
        holed(rng.integers(0, 5, N_ROWS) * 1.0),
        pd.Series(np.full(N_ROWS, 7.5)),
        holed(np.full(N_ROWS, 3.5)),
        pd.Series(np.full(N_ROWS, np.nan)),
        pd.Series(rng.choice(["no", "yes"], N_ROWS, p=[0.7, 0.3])),
        pd.Series(rng.choice(["off", "on"], N_ROWS, p=[0.2, 0.8])),
        holed(rng.choice(["low", "high"], N_ROWS)),
        pd.Series(rng.choice(COLOURS, N_ROWS)),
        holed(rng.choice([*COLOURS[:2], "none", "any"], N_ROWS)),
        pd.Series(rng.integers(0, 90, N_ROWS).astype(str)),
        holed(rng.integers(0, 90, N_ROWS).astype(str)),
        pd.Series(ordered(SIZES)),
        pd.Series(ordered(SIZES[1:])),
        holed(ordered(SIZES[:4])),
        one_hot(SIZES),
        one_hot(COLOURS),
    ]
    order = rng.permutation(len(parts))
    return pd.concat(
        [
            pd.DataFrame(parts[index]).rename(columns=lambda name, i=index: f"{i} {name}")
            for index in order
        ],
        axis=1,
    )


class Encoded:
    """A table, its cells and encoded rows, and the support of a class of it."""

    def __init__(self, seed, share_of_class=1.0):
        rng = np.random.default_rng(seed + 1)
        self.schema, table = read_cells(Container.of(make_frame(seed)))
        self.encoder = TableEncoder.of(self.schema)
        self.cells = table.take(np.arange(N_ROWS))
        self.rows = self.encoder.encode(self.cells)
        self.of_class = np.flatnonzero(rng.random(N_ROWS) < share_of_class)
        self.support = Support.of(self.schema, table, self.of_class)

    def block(self, name):
        """Return the block of a class name, its slots of the rows, and its columns."""
        for block, slots in self.encoder._blocks():
            if type(block).__name__ == name:
                return block, self.rows[:, slots], self.cells[:, block.column_indices]
        raise AssertionError(name)

    def drawn(self, size, seed, n_rows=300):
        rng = np.random.default_rng(seed)
        width = self.encoder.layout.width
        drawn = size * rng.normal(size=(n_rows, width)).astype(np.float32)
        return drawn, self.encoder.decode(drawn, self.support, rng)


encoded = lru_cache(maxsize=64)(Encoded)


def starts_of(widths):
    return np.cumsum([0, *widths[:-1]])


@given(seed=seeds)
def test_scores_are_standardized_and_flags_are_one_at_missing_cells_and_spikes(seed):
    block, rows, cells = encoded(seed).block("NumericBlock")
    n_columns = len(block.columns)
    missing = [i for i in range(n_columns) if np.isnan(cells[:, i]).any()]
    # A column of nothing but missing cells is constant.
    missing = [i for i in missing if not np.isnan(cells[:, i]).all()]
    spikes = [
        (i, spike)
        for i, column in enumerate(block.columns)
        for spike in getattr(column, "spikes", ())
    ]
    expected = np.column_stack(
        [
            *(np.isnan(cells[:, i]) for i in missing),
            *(cells[:, i] == spike for i, spike in spikes),
        ]
    )
    assert len(spikes) >= 4
    assert_array_equal(rows[:, n_columns:], expected)
    flagged = [*missing, *(i for i, _ in spikes)]
    for index, column in enumerate(block.columns):
        assert (rows[np.isnan(cells[:, index]), index] == 0).all()
        is_free = ~expected[:, [flag == index for flag in flagged]].any(axis=1)
        values = rows[is_free & ~np.isnan(cells[:, index]), index]
        if column.kind == "constant":
            assert (rows[:, index] == 0).all()
        else:
            assert abs(values.mean()) < 0.05
            assert values.std() == pytest.approx(1, abs=0.05)


@given(seed=seeds)
def test_levels_of_discrete_columns_are_encoded_as_their_cells(seed):
    block, rows, cells = encoded(seed).block("NumericBlock")
    found = block.levels_by_slot()
    assert set(found) == {i for i, one in enumerate(block.columns) if one.kind == "discrete"}
    for index, levels in found.items():
        is_level = ~np.isnan(cells[:, index]) & ~np.isin(
            cells[:, index], block.columns[index].spikes
        )
        assert_array_equal(levels.astype(np.float32), np.unique(rows[is_level, index]))


@given(seed=seeds)
def test_a_flag_silences_the_value_of_its_column_and_the_columns_later_flags(seed):
    block, _, cells = encoded(seed).block("NumericBlock")
    n_columns = len(block.columns)
    flagged = [i for i in range(n_columns) if 0 < np.isnan(cells[:, i]).sum() < N_ROWS]
    flagged += [
        i for i, column in enumerate(block.columns) for _ in getattr(column, "spikes", ())
    ]
    expected = {(flag, index) for flag, index in enumerate(flagged)} | {
        (flag, n_columns + later)
        for flag, index in enumerate(flagged)
        for later, other in enumerate(flagged)
        if later > flag and other == index
    }
    assert block.n_flags == len(flagged)
    assert len(block.silenced) == len(expected)
    assert set(block.silenced) == expected


@given(seed=seeds)
def test_of_the_flags_of_a_column_the_first_that_is_one_decides(seed):
    table = encoded(seed)
    block, rows, cells = table.block("NumericBlock")
    n_columns = len(block.columns)
    drawn = rows.copy()
    drawn[:, n_columns:] = 1
    decoded = block.decode(drawn, table.support, np.random.default_rng(seed))
    for index, column in enumerate(block.columns):
        if np.isnan(cells[:, index]).any():
            assert np.isnan(decoded[:, index]).all()
        elif getattr(column, "spikes", ()):
            assert (decoded[:, index] == column.spikes[0]).all()


@given(seed=seeds, slot=st.sampled_from([-3.0, 0.0, 0.3, 0.49, 0.5, 0.51, 0.9, 1.2]))
def test_flags_and_binary_slots_are_one_above_one_half(seed, slot):
    table = encoded(seed)
    for name in ("NumericBlock", "OrdinalBlock", "BinaryBlock"):
        block, rows, _ = table.block(name)
        is_flag = np.isin(rows, [0, 1]).all(axis=0) | (name == "BinaryBlock")
        assert is_flag.any()
        drawn, ones = rows.copy(), rows.copy()
        drawn[:, is_flag], ones[:, is_flag] = slot, np.float32(slot) > 0.5
        rng = np.random.default_rng(seed)
        decoded, expected = (block.decode(one, table.support, rng) for one in (drawn, ones))
        assert_array_equal(decoded, expected)


@given(seed=seeds)
def test_binary_slots_are_standardized_and_ordinal_ones_are_logits_of_ridits(seed):
    table = encoded(seed)
    block, rows, _ = table.block("BinaryBlock")
    assert rows.shape[1] == len(block.columns) == 2
    assert_allclose(rows.mean(axis=0), 0, atol=1e-5)
    assert_allclose(rows.std(axis=0), 1, atol=1e-5)
    block, rows, cells = table.block("OrdinalBlock")
    start = 0
    for index, column in enumerate(block.columns):
        is_observed = ~np.isnan(cells[:, index])
        levels = cells[is_observed, index].astype(int)
        shares = np.bincount(levels) / len(levels)
        ridits = np.cumsum(shares) - shares / 2
        expected = np.log(ridits / (1 - ridits))[levels]
        expected = (expected - expected.mean()) / expected.std()
        assert_allclose(rows[is_observed, start], expected, atol=1e-5)
        assert (rows[~is_observed, start] == 0).all()
        if column.has_missing:
            assert_array_equal(rows[:, start + 1], ~is_observed)
        start += 1 + column.has_missing
    assert start == rows.shape[1] == block.width


@given(seed=seeds)
def test_one_slot_of_each_category_is_one_the_last_for_missing_cells(seed):
    table = encoded(seed)
    block, rows, cells = table.block("CategoricalBlock")
    expected = []
    for index, column in enumerate(block.columns):
        n_apart = min(len(column.levels), MOST_LEVELS_APART)
        slots = np.minimum(cells[:, index], n_apart - 1)
        slots[np.isnan(slots)] = n_apart
        expected.append(np.eye(n_apart + column.has_missing)[slots.astype(int)])
    assert_array_equal(rows, np.hstack(expected))
    _, rows, cells = table.block("OneHotBlock")
    assert_array_equal(rows, cells)


@given(seed=seeds)
def test_decoding_what_was_encoded_gives_the_cells_except_of_levels_that_share_a_slot(seed):
    table = encoded(seed)
    decoded = table.encoder.decode(table.rows, table.support, np.random.default_rng(seed))
    is_shared = np.zeros_like(decoded, dtype=bool)
    for index, column in enumerate(table.schema.columns):
        if column.kind == "categorical":
            is_shared[:, index] = table.cells[:, index] >= MOST_LEVELS_APART - 1
    assert is_shared.any()
    size = np.fmax.reduce(np.abs(table.cells), axis=0, initial=1)
    found, expected = decoded / size, table.cells / size
    assert_allclose(found[~is_shared], expected[~is_shared], rtol=1e-5, atol=1e-5)
    assert (decoded[is_shared] >= MOST_LEVELS_APART - 1).all()


@given(seed=seeds, size=st.sampled_from([0.3, 1.0, 10.0]))
def test_drawn_cells_are_within_the_range_of_their_class(seed, size):
    table = encoded(seed, share_of_class=0.15)
    _, decoded = table.drawn(size, seed)
    own = table.cells[table.of_class]
    for index, column in enumerate(table.schema.columns):
        found = decoded[:, index]
        found = found[~np.isnan(found)]
        if column.kind == "categorical":
            is_rare = found >= MOST_LEVELS_APART - 1
            if (own[:, index] >= MOST_LEVELS_APART - 1).any():
                assert np.isin(found[is_rare], own[:, index]).all()
        elif column.has_levels and column.kind != "constant":
            assert (found >= np.nanmin(own[:, index])).all()
            assert (found <= np.nanmax(own[:, index])).all()
        elif column.kind in ("discrete", "constant"):
            assert np.isin(found, table.cells[:, index]).all()
        else:
            is_new = ~np.isin(found, column.spikes)
            assert (found[is_new] >= table.support.bounds.lowest[index]).all()
            assert (found[is_new] <= table.support.bounds.highest[index]).all()
            if column.grid.decimals is not None:
                assert_array_equal(found, np.round(found, column.grid.decimals))
            if index in table.schema.grids_with_steps:
                assert_array_equal(found % 50, 3)


@given(seed=seeds)
def test_the_largest_slot_decides_unless_the_class_has_no_such_column(seed):
    table = encoded(seed, share_of_class=0.04)
    block, _, cells = table.block("OneHotBlock")
    is_own = cells[table.of_class].any(axis=0)
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(400, block.width)).astype(np.float32)
    decoded = block.decode(drawn, table.support, rng)
    for start, width in zip(starts_of(block.part.widths), block.part.widths, strict=True):
        group = slice(start, start + width)
        assert_array_equal(decoded[:, group].sum(axis=1), 1)
        best, chosen = drawn[:, group].argmax(axis=1), decoded[:, group].argmax(axis=1)
        assert is_own[group][chosen].all()
        keeps = is_own[group][best]
        assert_array_equal(chosen[keeps], best[keeps])
        assert set(chosen[~keeps]) == (
            set(np.flatnonzero(is_own[group])) if (~keeps).any() else set()
        )


@given(seed=seeds)
def test_rare_levels_are_drawn_as_often_as_in_the_class(seed):
    table = encoded(seed, share_of_class=0.5)
    block, _, cells = table.block("CategoricalBlock")
    own, start = cells[table.of_class], 0
    for index, width in enumerate(block.part.widths):
        column = block.columns[index]
        if len(column.levels) > MOST_LEVELS_APART:
            slot = start + MOST_LEVELS_APART - 1
            drawn = np.zeros((20_000, block.width), dtype=np.float32)
            drawn[:, slot] = 1
            decoded = block.decode(drawn, table.support, np.random.default_rng(seed))[:, index]
            rare = own[own[:, index] >= MOST_LEVELS_APART - 1, index].astype(int)
            n_levels = len(column.levels)
            expected = np.bincount(rare, minlength=n_levels) / len(rare)
            found = np.bincount(decoded.astype(int), minlength=n_levels) / 20_000
            assert_allclose(found, expected, atol=0.02)
        start += width


@given(seed=seeds, size=st.sampled_from([0.2, 0.6]))
def test_drawn_rows_are_encoded_as_their_cells_are_up_to_rounding(seed, size):
    table = encoded(seed)
    drawn, decoded = table.drawn(size, seed)
    expected = table.encoder.encode(decoded)
    found = table.encoder.encode_drawn(drawn, decoded)
    layout = table.encoder.layout
    assert_array_equal(found[:, layout.discrete], expected[:, layout.discrete])
    block, _, _ = table.block("NumericBlock")
    for index, column in enumerate(block.columns):
        here = decoded[:, block.column_indices[index]]
        if column.kind == "constant":
            assert_array_equal(found[:, index], expected[:, index])
            continue
        is_copy = np.isnan(here) | np.isin(here, column.spikes)
        assert_array_equal(found[is_copy, index], expected[is_copy, index])
        assert_array_equal(found[~is_copy, index], drawn[~is_copy, index])
        if column.kind == "continuous":
            low, high = (
                bound[block.column_indices[index]]
                for bound in (table.support.bounds.lowest, table.support.bounds.highest)
            )
            inside = ~is_copy & (here > low) & (here < high)
            assert np.abs(found - expected)[inside, index].max(initial=0) < 0.2


@pytest.mark.parametrize("cells_at_once", [1, 7, 32_768])
@given(
    seed=seeds,
    n_rows=st.integers(0, 40),
    n_columns=st.integers(0, 6),
    n_points=st.integers(2, 30),
)
def test_a_look_up_table_is_linear_between_its_points_and_constant_beyond(
    cells_at_once, seed, n_rows, n_columns, n_points
):
    rng = np.random.default_rng(seed)
    lowest = rng.normal(size=n_columns)
    highest = lowest + rng.exponential(size=n_columns) * rng.integers(0, 2, n_columns)
    values = rng.normal(size=(n_columns, n_points))
    values[highest == lowest] = values[highest == lowest, :1]
    arguments = rng.normal(scale=2, size=(n_rows, n_columns)).astype(np.float32)
    arguments[::5] = lowest
    arguments[1::5] = highest
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(look_up, "CELLS_AT_ONCE", cells_at_once)
        found = LookUpTable.of(lowest, highest, values).at(arguments)
    for index in range(n_columns):
        points = np.linspace(lowest[index], highest[index], n_points)
        expected = np.interp(arguments[:, index].astype(float), points, values[index])
        assert_allclose(found[:, index], expected, atol=1e-4)
