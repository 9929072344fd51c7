"""`infer_column`: the kind of a column, inferred from its cells."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells, is_missing
from vaesampler._table.columns import (
    BinaryColumn,
    CategoricalColumn,
    Column,
    ConstantColumn,
    ContinuousColumn,
    DiscreteColumn,
    IntegerColumn,
    LevelColumn,
    OrdinalColumn,
)

# Above 2 ** 53 every float64 is a whole number, so being whole means nothing there.
LARGEST_EXACT_INTEGER = 2.0**53
# Whether values repeat, and how often, is inferred from this many evenly spaced rows.
ROWS_TO_LOOK_AT = 10_000
# Columns with more decimals than this have an unknown number of decimals.
MOST_DECIMALS = 6
# Columns with at most this many distinct values are scales, which have no spikes.
LONGEST_SCALE = 20
# A spike is a value of at least this share and number of rows, ...
LEAST_SPIKE_SHARE = 0.2
LEAST_SPIKE_ROWS = 10
# ... and of at least this many times the median count of a value.
LEAST_SPIKE_RATIO = 5
MOST_SPIKES = 3
# If the deviation exceeds this many interquartile deviations, median and interquartile range
# replace mean and deviation.
MOST_DEVIATION_BY_SPREAD = 100
# The interquartile range of a normal distribution, in deviations.
IQR_OF_NORMAL = 1.349
# Squares of values in this range neither overflow nor vanish.
RANGE_TO_SQUARE = (1e-100, 1e100)
# A smaller deviation, in parts of the mean, is rounding.
LEAST_RELATIVE_DEVIATION = 1e-14


def infer_column(
    name: str,
    cells: Cells,
    *,
    is_categorical: bool,
    order: Sequence[object] | None = None,
) -> Column:
    """Infer a column's kind from its cells.

    If its levels are ordered, `order` names them, ascending.

    Raises
    ------
    ValueError
        If the cells are text and `is_categorical` is False, or `order` lacks a level.
    """
    if order is not None:
        return _ordinal(name, cells, order)
    if is_categorical:
        return _categorical(name, cells)
    if cells.values.dtype.kind == "O":
        raise ValueError(
            f"Column {name!r} holds text or other objects, and numbers are required of "
            "a column that `categorical_features` leaves out. Name it there, or leave "
            "`categorical_features` at 'auto'."
        )
    return _numeric(name, cells)


def _categorical(name: str, cells: Cells) -> LevelColumn:
    missing = is_missing(cells.values)
    rows = np.flatnonzero(~missing).tolist()
    observed = cells.values[rows].tolist()
    counts = Counter(observed)
    # Read backwards, so that each level ends with the row in which it is found first.
    first_rows = dict(zip(reversed(observed), reversed(rows), strict=True))
    order = sorted(counts, key=lambda level: (-counts[level], first_rows[level]))
    levels = np.empty(len(order), dtype=object)
    levels[:] = order
    why = "named in categorical_features"
    if cells.is_categorical:
        why = "text, categories or truth values"
    kind: type[LevelColumn] = CategoricalColumn
    share_of_last = 0.0
    if len(levels) + missing.any() <= 1:
        kind = ConstantColumn
    elif len(levels) == 2:
        kind = BinaryColumn
        share_of_last = counts[levels[-1]] / len(observed)
    return kind(
        name=name,
        reason=f"{why}, {_count(len(levels), 'level')}{_note_missing(int(missing.sum()))}",
        levels=levels,
        first_rows=np.array([first_rows[level] for level in order], dtype=np.intp),
        first_missing_row=_first(missing),
        range_off_spikes=_range_of_indices(levels),
        mean=share_of_last,
        deviation=_deviation_of_flag(share_of_last),
    )


def _ordinal(name: str, cells: Cells, order: Sequence[object]) -> LevelColumn:
    column = _categorical(name, cells._replace(is_categorical=True))
    counts = Counter(cells.values[~is_missing(cells.values)].tolist())
    unknown = sorted(counts.keys() - set(order), key=repr)
    if unknown:
        raise ValueError(
            f"The order of column {name!r} must name all of its levels; found {unknown[:5]} "
            "besides. Add them to its entry in `ordinal_features`."
        )
    if not isinstance(column, CategoricalColumn):  # an order of two levels means nothing
        return column
    first_rows = dict(zip(column.levels.tolist(), column.first_rows.tolist(), strict=True))
    seen = [level for level in order if level in counts]
    levels = np.empty(len(seen), dtype=object)
    levels[:] = seen
    note = _note_missing(int(is_missing(cells.values).sum()))
    return OrdinalColumn(
        name=name,
        reason=f"ordered, {len(seen)} levels from {seen[0]!r} to {seen[-1]!r}{note}",
        levels=levels,
        first_rows=np.array([first_rows[level] for level in seen], dtype=np.intp),
        first_missing_row=column.first_missing_row,
        range_off_spikes=column.range_off_spikes,
        counts=np.array([counts[level] for level in seen], dtype=np.intp),
    )


def _numeric(name: str, cells: Cells) -> Column:
    observed, n_missing, first_missing_row = cells.values, 0, None
    if len(observed) > 0 and np.isnan(observed.min()):
        missing = np.isnan(cells.values)
        observed = cells.values[~missing]
        n_missing, first_missing_row = int(missing.sum()), _first(missing)
    note = (f", {cells.note}" if cells.note else "") + _note_missing(n_missing)
    if len(observed) == 0:
        return ConstantColumn(
            name=name,
            reason="every cell is missing",
            first_missing_row=0,
            time_unit=cells.time_unit,
        )
    spikes = _find_spikes(observed)
    rest = observed if not spikes else observed[~np.isin(observed, spikes)]
    some = rest[:: max(1, len(rest) // ROWS_TO_LOOK_AT)]
    # A synthetic value between two that repeat over and over would give a row away: a tree
    # could tell the class by a value that real rows never have.
    if 2 * len(np.unique(some)) <= len(some) or observed.min() == observed.max():
        column = _repeating(name, cells, observed, spikes)
    else:
        column = _seldom_repeating(name, cells, observed, spikes)
    column = replace(
        column,
        reason=column.reason + _note_spikes(spikes) + note,
        first_missing_row=first_missing_row,
        time_unit=cells.time_unit,
    )
    if isinstance(column, LevelColumn):
        return column
    mean, deviation = _middle_and_deviation(observed, some, _largest(observed))
    return replace(
        column,
        range_off_spikes=(float(rest.min()), float(rest.max())),
        mean=mean,
        deviation=deviation,
    )


def _repeating(
    name: str, cells: Cells, observed: npt.NDArray, spikes: tuple[float, ...]
) -> Column:
    levels, first_rows = np.unique(cells.values, return_index=True)
    if len(observed) < len(cells.values):
        is_level = ~np.isnan(levels)
        levels, first_rows = levels[is_level], first_rows[is_level]
    reason = f"{_count(len(levels), 'value')} in {len(observed)} rows"
    if len(levels) > 2:
        return DiscreteColumn(
            name=name,
            reason=reason,
            levels=levels,
            first_rows=first_rows,
            spikes=spikes,
            lowest=observed.min().item(),
            highest=observed.max().item(),
            holds_decimals=cells.are_decimals,
        )
    if len(levels) == 1:
        return ConstantColumn(
            name=name,
            reason=f"every value is {levels[0]}",
            levels=levels,
            first_rows=first_rows,
            range_off_spikes=_range_of_indices(levels),
        )
    share_of_last = float((observed == levels[-1]).mean())
    return BinaryColumn(
        name=name,
        reason=reason,
        levels=levels,
        first_rows=first_rows,
        range_off_spikes=_range_of_indices(levels),
        mean=share_of_last,
        deviation=_deviation_of_flag(share_of_last),
    )


def _seldom_repeating(
    name: str, cells: Cells, observed: npt.NDArray, spikes: tuple[float, ...]
) -> ContinuousColumn | IntegerColumn:
    decimals = _decimals(observed, _largest(observed))
    kind: type[ContinuousColumn | IntegerColumn] = ContinuousColumn
    reason = "most values are found once"
    if decimals == 0:
        kind, reason = IntegerColumn, "every value is a whole number"
    elif decimals is not None:
        reason += f", with at most {_count(decimals, 'decimal')}"
    return kind(
        name=name,
        reason=reason,
        spikes=spikes,
        lowest=observed.min().item(),
        highest=observed.max().item(),
        decimals=decimals,
        holds_decimals=cells.are_decimals,
    )


def _find_spikes(observed: npt.NDArray) -> tuple[float, ...]:
    some = observed[:: max(1, len(observed) // ROWS_TO_LOOK_AT)]
    values, counts = np.unique(some, return_counts=True)
    if len(values) <= LONGEST_SCALE:
        return ()
    least = max(
        LEAST_SPIKE_ROWS,
        LEAST_SPIKE_SHARE * len(some),
        LEAST_SPIKE_RATIO * float(np.median(counts)),
    )
    most_frequent = np.argsort(-counts, kind="stable")[:MOST_SPIKES]
    return tuple(values[index].item() for index in most_frequent if counts[index] >= least)


def _largest(observed: npt.NDArray) -> float | int:
    """Return the largest absolute value, in Python's numbers, which do not overflow."""
    largest: float | int = max(abs(observed.min().item()), abs(observed.max().item()))
    return largest


def _range_of_indices(levels: npt.NDArray) -> tuple[float, float]:
    return (0.0, len(levels) - 1.0) if len(levels) > 0 else (np.inf, -np.inf)


def _deviation_of_flag(share: float) -> float:
    return math.sqrt(share * (1 - share)) or 1.0


def _middle_and_deviation(
    observed: npt.NDArray, some: npt.NDArray, largest: float
) -> tuple[float, float]:  # (n_observed,), (n_off_spikes,)
    if largest > 0 and not RANGE_TO_SQUARE[0] < largest < RANGE_TO_SQUARE[1]:
        unit = 2.0 ** (math.frexp(largest)[1] - 1)
        middle, deviation = _middle_and_deviation(observed / unit, some / unit, largest / unit)
        return middle * unit, deviation * unit
    mean, deviation = (float(of(observed, dtype=np.float64)) for of in (np.mean, np.std))
    lower, median, upper = np.quantile(some, (0.25, 0.5, 0.75)).tolist()
    spread = (upper - lower) / IQR_OF_NORMAL
    if 0 < spread * MOST_DEVIATION_BY_SPREAD < deviation:
        return median, spread
    is_varied = deviation > LEAST_RELATIVE_DEVIATION * abs(mean)
    return mean, deviation if is_varied else 1.0


def _decimals(observed: npt.NDArray, largest: float) -> int | None:
    if observed.dtype.kind in "biu":
        return 0
    some = observed[:: max(1, len(observed) // ROWS_TO_LOOK_AT)]
    for decimals in range(MOST_DECIMALS + 1):
        if float(largest) * 10**decimals >= LARGEST_EXACT_INTEGER:
            return None
        if _has_at_most(some, decimals) and _has_at_most(observed, decimals):
            return decimals
    return None


def _has_at_most(observed: npt.NDArray, decimals: int) -> bool:
    rounded = np.round(observed.astype(np.float64), decimals)
    return bool((rounded.astype(observed.dtype) == observed).all())


def _first(flags: npt.NDArray[np.bool_]) -> int | None:
    return int(flags.argmax()) if flags.any() else None


def _note_missing(n_missing: int) -> str:
    return f", {_count(n_missing, 'missing cell')}" if n_missing else ""


def _note_spikes(spikes: tuple[float, ...]) -> str:
    return f", many rows at {' and '.join(map(str, spikes))}" if spikes else ""


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
