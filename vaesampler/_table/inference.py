"""`infer_column`: infer the kind of a column from its cells."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

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

# Above 2 ** 53 every float64 is an integer, so decimals cannot be counted.
LARGEST_EXACT_INTEGER = 2.0**53
# Spikes, repetitions and quantiles are estimated from about this many evenly spaced rows.
N_ROWS_SAMPLED = 10_000
# Values with more decimals than this count as values with any number of decimals.
MOST_DECIMALS = 6
# Columns with at most this many distinct values have no spikes: they are rating scales.
LONGEST_SCALE = 20
# A spike is a value with at least this share and this number of the rows, and with at least
# this many times the median count of a value.
LEAST_SPIKE_SHARE = 0.2
LEAST_SPIKE_ROWS = 10
LEAST_SPIKE_RATIO = 5
MOST_SPIKES = 3
# If the standard deviation exceeds this many times IQR / 1.349, the median and IQR / 1.349
# replace the mean and the standard deviation.
MOST_DEVIATION_BY_SPREAD = 100
# Interquartile range of a standard normal distribution.
IQR_OF_NORMAL = 1.349
# Squares of absolute values in this range neither overflow nor underflow.
RANGE_TO_SQUARE = (1e-100, 1e100)
# A smaller ratio of deviation to mean is due to rounding: the column is not scaled.
LEAST_RELATIVE_DEVIATION = 1e-14


def infer_column(
    name: str,
    cells: Cells,
    *,
    is_categorical: bool,
    order: Sequence[object] | None = None,
) -> Column:
    """Infer the kind of a column from its cells.

    `order` is the ascending list of levels of an ordinal column, and None for other columns.

    Raises
    ------
    ValueError
        If the cells are objects and `is_categorical` is False, or if `order` lacks a level.
    """
    if order is not None:
        return _ordinal(name, cells, order)
    if is_categorical:
        return _categorical(name, cells)
    if cells.values.dtype.kind == "O":
        raise ValueError(
            f"Column {name!r} holds text or other objects, but columns that are not in "
            "`categorical_features` must hold numbers. Add it, or set "
            "`categorical_features='auto'`."
        )
    return _numeric(name, cells)


def _categorical(name: str, cells: Cells) -> LevelColumn:
    missing = is_missing(cells.values)
    rows = np.flatnonzero(~missing).tolist()
    observed = cells.values[rows].tolist()
    counts = Counter(observed)
    # In reverse, so that the first row of each level overwrites the later ones.
    first_rows = dict(zip(reversed(observed), reversed(rows), strict=True))
    order = sorted(counts, key=lambda level: (-counts[level], first_rows[level]))
    levels = np.empty(len(order), dtype=object)
    levels[:] = order
    reason = "named in categorical_features"
    if cells.is_categorical:
        reason = "text, categories or truth values"
    kind: type[LevelColumn] = CategoricalColumn
    share_of_last = 0.0
    if len(levels) + missing.any() <= 1:
        kind = ConstantColumn
    elif len(levels) == 2:
        kind = BinaryColumn
        share_of_last = counts[levels[-1]] / len(observed)
    return kind(
        name=name,
        reason=f"{reason}, {_count(len(levels), 'level')}{_note_missing(int(missing.sum()))}",
        levels=levels,
        first_rows=np.array([first_rows[level] for level in order], dtype=np.intp),
        first_missing_row=_first_index(missing),
        range_off_spikes=_range_of_indices(levels),
        mean=share_of_last,
        deviation=_bernoulli_deviation(share_of_last),
    )


def _ordinal(name: str, cells: Cells, order: Sequence[object]) -> LevelColumn:
    column = _categorical(name, cells._replace(is_categorical=True))
    counts = Counter(cells.values[~is_missing(cells.values)].tolist())
    unknown = sorted(counts.keys() - set(order), key=repr)
    if unknown:
        raise ValueError(
            f"The order of column {name!r} must name all of its levels; it lacks "
            f"{unknown[:5]}. Add them to its entry in `ordinal_features`."
        )
    if not isinstance(column, CategoricalColumn):  # two levels need no order
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
        n_missing, first_missing_row = int(missing.sum()), _first_index(missing)
    note = (f", {cells.note}" if cells.note else "") + _note_missing(n_missing)
    if len(observed) == 0:
        return ConstantColumn(
            name=name,
            reason="every cell is missing",
            first_missing_row=0,
            time_unit=cells.time_unit,
        )
    spikes = _find_spikes(observed)
    off_spikes = observed if not spikes else observed[~np.isin(observed, spikes)]
    sample = _evenly_spaced(off_spikes)
    # Drawn values between repeated ones would reveal synthetic rows: a tree could learn the
    # class from values that real rows never have.
    if 2 * len(np.unique(sample)) <= len(sample) or observed.min() == observed.max():
        column = _repeating(name, cells, observed, spikes)
    else:
        column = _rarely_repeating(name, cells, observed, spikes)
    column = replace(
        column,
        reason=column.reason + _note_spikes(spikes) + note,
        first_missing_row=first_missing_row,
        time_unit=cells.time_unit,
    )
    if isinstance(column, LevelColumn):
        return column
    mean, deviation = _location_and_scale(observed, sample, _largest_absolute(observed))
    return replace(
        column,
        range_off_spikes=(float(off_spikes.min()), float(off_spikes.max())),
        mean=mean,
        deviation=deviation,
    )


def _repeating(
    name: str, cells: Cells, observed: npt.NDArray[Any], spikes: tuple[float, ...]
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
        deviation=_bernoulli_deviation(share_of_last),
    )


def _rarely_repeating(
    name: str, cells: Cells, observed: npt.NDArray[Any], spikes: tuple[float, ...]
) -> ContinuousColumn | IntegerColumn:
    decimals = _decimals(observed, _largest_absolute(observed))
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


def _find_spikes(observed: npt.NDArray[Any]) -> tuple[float, ...]:
    sample = _evenly_spaced(observed)
    values, counts = np.unique(sample, return_counts=True)
    if len(values) <= LONGEST_SCALE:
        return ()
    least = max(
        LEAST_SPIKE_ROWS,
        LEAST_SPIKE_SHARE * len(sample),
        LEAST_SPIKE_RATIO * float(np.median(counts)),
    )
    most_frequent = np.argsort(-counts, kind="stable")[:MOST_SPIKES]
    return tuple(values[index].item() for index in most_frequent if counts[index] >= least)


def _largest_absolute(observed: npt.NDArray[Any]) -> float | int:
    """Return the largest absolute value as a Python number, which does not overflow."""
    largest: float | int = max(abs(observed.min().item()), abs(observed.max().item()))
    return largest


def _range_of_indices(levels: npt.NDArray[Any]) -> tuple[float, float]:
    return (0.0, len(levels) - 1.0) if len(levels) > 0 else (np.inf, -np.inf)


def _bernoulli_deviation(share: float) -> float:
    return math.sqrt(share * (1 - share)) or 1.0


def _location_and_scale(
    observed: npt.NDArray[Any], sample: npt.NDArray[Any], largest: float
) -> tuple[float, float]:  # (n_observed,), (n_sampled,)
    """Return the mean and standard deviation, or estimates from quantiles of the sample."""
    unit = 1.0
    if largest > 0 and not RANGE_TO_SQUARE[0] < largest < RANGE_TO_SQUARE[1]:
        unit = 2.0 ** (math.frexp(largest)[1] - 1)
        observed = observed / unit
        # Differences of eighths are finite, and other values do not vanish beside a huge one.
        sample = sample / min(unit, 8.0)
    mean, deviation = (unit * float(of(observed, dtype=np.float64)) for of in (np.mean, np.std))
    quantiles = np.quantile(sample, (0.25, 0.5, 0.75)) * min(unit, 8.0)
    lower, median, upper = quantiles.tolist()
    spread = (upper - lower) / IQR_OF_NORMAL
    if 0 < spread * MOST_DEVIATION_BY_SPREAD < deviation:
        return median, spread
    is_varied = deviation > LEAST_RELATIVE_DEVIATION * abs(mean)
    return mean, deviation if is_varied else 1.0


def _decimals(observed: npt.NDArray[Any], largest: float) -> int | None:
    """Return the largest number of decimals of a value; None if it is unknown."""
    if observed.dtype.kind in "biu":
        return 0
    sample = _evenly_spaced(observed)  # for an early exit
    for decimals in range(MOST_DECIMALS + 1):
        if float(largest) * 10**decimals >= LARGEST_EXACT_INTEGER:
            return None
        if _is_exact(sample, decimals) and _is_exact(observed, decimals):
            return decimals
    return None


def _is_exact(observed: npt.NDArray[Any], decimals: int) -> bool:
    rounded = np.round(observed.astype(np.float64), decimals)
    return bool((rounded.astype(observed.dtype) == observed).all())


def _evenly_spaced(values: npt.NDArray[Any]) -> npt.NDArray[Any]:  # (n,) to (n_sampled,)
    return values[:: max(1, len(values) // N_ROWS_SAMPLED)]


def _first_index(flags: npt.NDArray[np.bool_]) -> int | None:
    return int(flags.argmax()) if flags.any() else None


def _note_missing(n_missing: int) -> str:
    return f", {_count(n_missing, 'missing cell')}" if n_missing else ""


def _note_spikes(spikes: tuple[float, ...]) -> str:
    return f", many rows at {' and '.join(map(str, spikes))}" if spikes else ""


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
