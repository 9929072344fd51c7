"""`infer_column`: infer the kind of a column from its cells."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells, as_array, as_objects, item
from vaesampler._table.columns import (
    BinaryColumn,
    CategoricalColumn,
    Column,
    ConstantColumn,
    ContinuousColumn,
    DiscreteColumn,
    IntegerColumn,
    LevelColumn,
    NumericColumn,
    OrdinalColumn,
)
from vaesampler._table.grid import Grid, ascending_positions
from vaesampler._table.normal_scores import NormalScores
from vaesampler._table.notations import Notation, Times
from vaesampler._table.wording import count

# Spikes, repetitions and quantiles are estimated from about this many evenly spaced rows.
N_ROWS_SAMPLED = 10_000
# Columns with at most this many distinct values have no spikes: they are rating scales.
LONGEST_SCALE = 20
# A spike is a value with at least this share and this number of the rows, and with at least
# this many times the median count of a value. Where few values repeat, a smaller share is one:
# drawn values hardly ever hit it by chance.
LEAST_SPIKE_SHARE = 0.2
LEAST_SPIKE_SHARE_IF_FEW_REPEAT = 0.05
LEAST_SPIKE_ROWS = 10
LEAST_SPIKE_RATIO = 5
MOST_SPIKES = 3
# Integers between these may be dates, written as YYYYMMDD.
FIRST_DATE, LAST_DATE = 19_000_101, 21_001_231


def infer_column(
    name: str,
    cells: Cells,
    *,
    is_categorical: bool,
    order: Sequence[object] | None = None,
) -> Column:
    """Infer the kind of a column from its cells.

    `order` is the ascending list of levels of an ordinal column, as they are in `cells.values`,
    and None for other columns.

    Raises
    ------
    ValueError
        If the cells are objects and `is_categorical` is False, or if `order` lacks a level.
    """
    if order is not None:
        return _ordinal(name, cells, order)
    if is_categorical:
        return _categorical(name, cells)
    if not cells.are_numbers:
        raise ValueError(
            f"Column {name!r} holds text or other objects, but columns that are not in "
            "`categorical_features` must hold numbers. Add it, or set "
            "`categorical_features='auto'`."
        )
    return _numeric(name, cells)


def _categorical(name: str, cells: Cells) -> LevelColumn:
    rows = np.flatnonzero(~cells.is_missing).tolist()
    n_missing = len(cells.values) - len(rows)
    observed = cells.values[rows].tolist()
    counts = Counter(observed)
    first_rows = cells.first_rows
    order = sorted(counts, key=lambda level: (-counts[level], first_rows[level]))
    levels = as_objects(order)
    reason = "named in categorical_features"
    if cells.is_categorical:
        reason = "text, categories or truth values"
    kind: type[LevelColumn] = CategoricalColumn
    share_of_second = 0.0
    if len(levels) + (n_missing > 0) <= 1:
        kind = ConstantColumn
    elif len(levels) == 2:
        kind = BinaryColumn
        share_of_second = counts[levels[-1]] / len(observed)
    return kind(
        name=name,
        reason=f"{reason}, {count(len(levels), 'level')}{_note_missing(n_missing)}",
        levels=levels,
        first_rows=np.array([first_rows[level] for level in order], dtype=np.intp),
        first_missing_row=cells.first_missing_row,
        range_off_spikes=_range_of_indices(levels),
        notation=cells.notation,
        are_categories=True,
        share_of_second=share_of_second,
    )


def _ordinal(name: str, cells: Cells, order: Sequence[object]) -> LevelColumn:
    column = _categorical(name, replace(cells, is_categorical=True))
    counts = Counter(cells.observed.tolist())
    unknown = sorted(counts.keys() - set(order), key=repr)
    if unknown:
        raise ValueError(
            f"The order of column {name!r} must name all of its levels; it lacks "
            f"{cells.shown(unknown)}. Add them to its entry in `ordinal_features`."
        )
    if len(column.levels) <= 2:  # which need no order
        return column
    first_rows = dict(zip(column.levels.tolist(), column.first_rows.tolist(), strict=True))
    seen = [level for level in order if level in counts]
    levels = as_objects(seen)
    note = _note_missing(cells.n_missing)
    text = repr if cells.notation is None else cells.notation.text
    return OrdinalColumn(
        name=name,
        reason=f"ordered, {len(seen)} levels from {text(seen[0])} to {text(seen[-1])}{note}",
        levels=levels,
        first_rows=np.array([first_rows[level] for level in seen], dtype=np.intp),
        first_missing_row=column.first_missing_row,
        range_off_spikes=column.range_off_spikes,
        notation=cells.notation,
        are_categories=True,
        counts=np.array([counts[level] for level in seen], dtype=np.intp),
    )


def _numeric(name: str, cells: Cells) -> Column:
    observed, first_missing_row = cells.observed, cells.first_missing_row
    if len(observed) == 0:
        return ConstantColumn(
            name=name,
            reason="every cell is missing",
            first_missing_row=first_missing_row,
            notation=cells.notation,
        )
    spikes = _find_spikes(observed)
    off_spikes = (
        observed if not spikes else observed[~np.isin(observed, as_array(spikes, observed))]
    )
    sample = _evenly_spaced(off_spikes)
    # Drawn values between repeated ones would reveal synthetic rows: a tree could learn the
    # class from values that real rows never have.
    is_repeating = 2 * len(np.unique(sample)) <= len(sample) or observed.min() == observed.max()
    numbers = _Numbers(name, cells, observed, off_spikes, spikes)
    if is_repeating:
        levels = _Levels.of(cells, observed)
        few = levels.n_levels <= 2
        column: Column = levels.column(name) if few else numbers.discrete(levels)
    else:
        column = numbers.new_values()
    assert cells.notation is not None
    return replace(
        column,
        reason=column.reason + _notes(cells, column, spikes),
        first_missing_row=first_missing_row,
    )


@dataclass(frozen=True)
class _Levels:
    """The distinct values of a column of numbers, ascending."""

    notation: Notation
    observed: npt.NDArray[Any]  # (n_observed,)
    levels: npt.NDArray[Any]  # (n_levels,)
    first_rows: npt.NDArray[np.intp]  # (n_levels,)

    @classmethod
    def of(cls, cells: Cells, observed: npt.NDArray[Any]) -> Self:  # (n_observed,)
        """Find the distinct observed values, and the first row of each."""
        levels, first_rows = np.unique(observed, return_index=True)
        if len(observed) < len(cells.values):
            first_rows = np.flatnonzero(~cells.is_missing)[first_rows]
        assert cells.notation is not None
        return cls(cells.notation, observed, levels, first_rows)

    @property
    def n_levels(self) -> int:
        """Number of distinct values."""
        return len(self.levels)

    def column(self, name: str) -> LevelColumn:
        """Return the column of one or two distinct values."""
        kind: type[LevelColumn] = ConstantColumn
        reason = f"every value is {self.notation.text(item(self.levels[0]))}"
        share_of_second = 0.0
        if self.n_levels == 2:
            kind, reason = BinaryColumn, f"2 values in {len(self.observed)} rows"
            share_of_second = float((self.observed == self.levels[-1]).mean())
        return kind(
            name=name,
            reason=reason,
            levels=self.levels,
            first_rows=self.first_rows,
            range_off_spikes=_range_of_indices(self.levels),
            notation=self.notation,
            share_of_second=share_of_second,
        )


@dataclass(frozen=True)
class _Numbers:
    """A column of more than two distinct numbers."""

    name: str
    cells: Cells
    observed: npt.NDArray[Any]  # (n_observed,)
    off_spikes: npt.NDArray[Any]  # (n_off_spikes,)
    spikes: tuple[Any, ...]

    def discrete(self, levels: _Levels) -> DiscreteColumn:
        """Return the column of numbers that repeat."""
        grid = Grid.of_copies(self.cells.notation, self.off_spikes, self.observed)
        positions = ascending_positions(grid, levels.levels)
        spike_indices = np.searchsorted(levels.levels, as_array(self.spikes, levels.levels))
        return DiscreteColumn(
            reason=f"{levels.n_levels} values in {len(self.observed)} rows",
            levels=levels.levels,
            first_rows=levels.first_rows,
            spikes=tuple(positions[spike_indices].tolist()),
            **self._common(grid),
        )

    def new_values(self) -> ContinuousColumn | IntegerColumn:
        """Return the column of numbers of which few repeat."""
        kind: type[ContinuousColumn | IntegerColumn] = ContinuousColumn
        grid = Grid.of(self.cells.notation, self.off_spikes, self.observed)
        reason, decimals = "most values are found once", grid.decimals
        if decimals == 0:
            kind, reason = IntegerColumn, "every value is a whole number"
            if _look_like_dates(self.off_spikes):
                reason += "; if these are dates as YYYYMMDD, convert them to dates"
        elif decimals is not None:
            reason += f", with at most {count(decimals, 'decimal')}"
        spikes = as_array(self.spikes, self.observed)
        ascending = np.argsort(spikes, kind="stable")
        positions = np.empty(len(spikes))
        positions[ascending] = ascending_positions(grid, spikes[ascending])
        return kind(
            reason=reason,
            levels=spikes,
            first_rows=self._first_rows(spikes),
            spikes=tuple(positions.tolist()),
            **self._common(grid),
        )

    def _common(self, grid: Grid) -> dict[str, Any]:
        """Return the arguments of all columns of numbers."""
        off_spikes = self.off_spikes
        ends = as_array((off_spikes.min(), off_spikes.max()), off_spikes)
        sample = _evenly_spaced(off_spikes)
        if len(sample) < len(off_spikes):
            sample = np.concatenate([sample, ends])
        return {
            "name": self.name,
            "lowest": item(self.observed.min()),
            "highest": item(self.observed.max()),
            "grid": grid,
            "notation": self.cells.notation,
            "range_off_spikes": tuple(grid.positions(ends).tolist()),
            "scores": NormalScores.of(grid.positions(sample)),
        }

    def _first_rows(self, values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:  # (n,), both
        """Return the first row of each value."""
        is_observed = ~self.cells.is_missing if self.cells.has_missing else True
        rows = [int(np.argmax((self.cells.values == value) & is_observed)) for value in values]
        return np.array(rows, dtype=np.intp)


def _notes(cells: Cells, column: Column, spikes: tuple[Any, ...]) -> str:
    """Return what the reason adds for numbers: spikes, the unit of times, missing cells."""
    notation = cells.notation
    assert notation is not None
    note = ""
    if spikes:
        note += f", many rows at {' and '.join(map(notation.text, spikes))}"
    if isinstance(notation, Times):
        unit = column.grid.unit if isinstance(column, NumericColumn) else None
        note += ", times" if unit is None else f", times, in {notation.unit_name(unit)}"
    return note + _note_missing(cells.n_missing)


def _look_like_dates(numbers: npt.NDArray[Any]) -> bool:  # (n,)
    """Return whether numbers are days of the years 1900 to 2100, written as YYYYMMDD."""
    if item(numbers.min()) < FIRST_DATE or item(numbers.max()) > LAST_DATE:
        return False
    whole = numbers.astype(np.int64)
    months, days = whole // 100 % 100, whole % 100
    return bool(((months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)).all())


def _find_spikes(observed: npt.NDArray[Any]) -> tuple[Any, ...]:
    sample = _evenly_spaced(observed)
    values, counts = np.unique(sample, return_counts=True)
    if len(values) <= LONGEST_SCALE:
        return ()
    few_repeat = 2 * len(values) > len(sample)
    share = LEAST_SPIKE_SHARE_IF_FEW_REPEAT if few_repeat else LEAST_SPIKE_SHARE
    least = max(
        LEAST_SPIKE_ROWS,
        share * len(sample),
        LEAST_SPIKE_RATIO * float(np.median(counts)),
    )
    most_frequent = np.argsort(-counts, kind="stable")[:MOST_SPIKES]
    return tuple(item(values[index]) for index in most_frequent if counts[index] >= least)


def _range_of_indices(levels: npt.NDArray[Any]) -> tuple[float, float]:
    return (0.0, len(levels) - 1.0) if len(levels) > 0 else (np.inf, -np.inf)


def _evenly_spaced(values: npt.NDArray[Any]) -> npt.NDArray[Any]:  # (n,) to (n_sampled,)
    return values[:: max(1, len(values) // N_ROWS_SAMPLED)]


def _note_missing(n_missing: int) -> str:
    return f", {count(n_missing, 'missing cell')}" if n_missing else ""
