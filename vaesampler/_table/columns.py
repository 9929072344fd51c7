"""`Column`: what a column of a table is, told from its cells."""

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np

from vaesampler._table.cells import TIME_UNITS, Cells

Kind = Literal["continuous", "integer", "discrete", "binary", "categorical", "constant"]
# Above 2 ** 53 every float64 is a whole number, so being whole says nothing there.
_LARGEST_EXACT_INTEGER = 2.0**53
# Whether a column's values repeat is told from this many rows, spread over the table.
_ROWS_TO_LOOK_AT = 10_000
# Numbers with more decimals than this are taken to have any number of them.
_MOST_DECIMALS = 6
# A column of so few numbers is a scale: no value of it stands out, however many rows have it.
_LONGEST_SCALE = 20
# In longer columns a value stands out if this share and this number of rows have it, ...
_LEAST_SPIKE_SHARE = 0.2
_LEAST_SPIKE_ROWS = 10
# ... and so many times more of them than have the middle one of the values.
_LEAST_SPIKE_RATIO = 5
_MOST_SPIKES = 3
# Where numbers deviate by more than so many deviations of the middle half of them, a few of
# them speak for all, and the middle half is asked instead.
_MOST_DEVIATION_BY_SPREAD = 100
# The interquartile range of a normal distribution, in deviations.
IQR_OF_NORMAL = 1.349
# Squares of numbers in this range are finite, and not zero.
_RANGE_TO_SQUARE = (1e-100, 1e100)
# In parts of the mean: numbers that vary by less do so by rounding.
_LEAST_RELATIVE_DEVIATION = 1e-14
# The levels of a category beyond the most frequent ones share one slot.
MOST_LEVELS_APART = 50


@dataclass(frozen=True)
class Column:
    """One column: its name, what it was taken for, and why.

    Kinds are "continuous"; "integer", drawn as whole numbers; "discrete", drawn as one of
    the numbers that were seen; "binary" and "categorical", drawn as one of the levels that
    were seen; and "constant".

    A cell of a column is handled as one float64: its number or, if the column is binary,
    categorical or constant, the place of its level among `levels`; NaN where it is missing.
    """

    name: str
    kind: Kind
    reason: str
    # Sorted numbers of a discrete column; levels of others, the most frequent first.
    levels: np.ndarray = field(
        default_factory=lambda: np.empty(0), repr=False, compare=False
    )  # (n_levels,)
    # In which row of the table each level is first found.
    first_rows: np.ndarray = field(
        default_factory=lambda: np.empty(0, dtype=np.intp), repr=False, compare=False
    )  # (n_levels,)
    first_missing_row: int | None = None
    # Numbers have at most so many; None if they have more than can be told.
    decimals: int | None = None
    # Numbers at which many rows sit exactly.
    spikes: tuple[float, ...] = ()
    # The smallest and the largest number, in the table's own dtype.
    lowest: float | int = -np.inf
    highest: float | int = np.inf
    # The smallest and the largest cell off the spikes; an empty range if there is none.
    range_off_spikes: tuple[float, float] = (np.inf, -np.inf)
    # What times are counted in; None of other cells.
    time_unit: str | None = None
    # Whether the cells are objects of Python's `decimal.Decimal`.
    holds_decimals: bool = False
    # Of the cells, unless they are categories; a deviation of 1 if they hardly vary.
    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def infer(cls, name: str, cells: Cells, is_categorical: bool) -> Self:
        """Tell a column's kind from its cells.

        Raises
        ------
        ValueError
            If the cells are text and `is_categorical` is False.
        """
        if is_categorical:
            return cls._of_levels(name, cells)
        if cells.values.dtype.kind == "O":
            raise ValueError(
                f"Column {name!r} holds text or other objects, and numbers are required of "
                "a column that `categorical_features` leaves out. Name it there, or leave "
                "`categorical_features` at 'auto'."
            )
        column = cls._of_numbers(name, cells.values, cells.note)
        return replace(column, time_unit=cells.time_unit, holds_decimals=cells.are_decimals)

    @classmethod
    def _of_levels(cls, name: str, cells: Cells) -> Self:
        values = cells.values
        is_missing = _is_missing(values)
        rows = np.flatnonzero(~is_missing).tolist()
        observed = values[rows].tolist()
        counts = Counter(observed)
        # Read backwards, so that each level ends with the row in which it is found first.
        first_rows = dict(zip(reversed(observed), reversed(rows), strict=True))
        order = sorted(counts, key=lambda level: (-counts[level], first_rows[level]))
        levels = np.empty(len(order), dtype=object)
        levels[:] = order
        kind: Kind = "categorical"
        if len(levels) + is_missing.any() <= 1:
            kind = "constant"
        elif len(levels) == 2:
            kind = "binary"
        why = "named in categorical_features"
        if cells.is_categorical:
            why = "text, categories or truth values"
        share_of_last = counts[levels[-1]] / len(observed) if kind == "binary" else 0.0
        return cls(
            name,
            kind,
            f"{why}, {_count(len(levels), 'level')}{_note_missing(int(is_missing.sum()))}",
            levels,
            np.array([first_rows[level] for level in order], dtype=np.intp),
            _first(is_missing),
            range_off_spikes=_places(levels),
            mean=share_of_last,
            deviation=_deviation_of_flag(share_of_last),
        )

    @classmethod
    def _of_numbers(cls, name: str, values: np.ndarray, about: str) -> Self:
        observed, n_missing, first_missing_row = values, 0, None
        if len(values) > 0 and np.isnan(values.min()):
            is_missing = np.isnan(values)
            observed = values[~is_missing]
            n_missing, first_missing_row = int(is_missing.sum()), _first(is_missing)
        note = (f", {about}" if about else "") + _note_missing(n_missing)
        if len(observed) == 0:
            return cls(name, "constant", "every cell is missing", first_missing_row=0)
        spikes = _find_spikes(observed)
        rest = observed if not spikes else observed[~np.isin(observed, spikes)]
        some = rest[:: max(1, len(rest) // _ROWS_TO_LOOK_AT)]
        column = cls(
            name,
            "continuous",
            "most values are found once",
            first_missing_row=first_missing_row,
            spikes=spikes,
            lowest=observed.min().item(),
            highest=observed.max().item(),
            range_off_spikes=(float(rest.min()), float(rest.max())),
        )
        # A synthetic value between two that repeat over and over would give a row away: a
        # tree could tell the class by "a number that real rows never have".
        if 2 * len(np.unique(some)) <= len(some) or column.lowest == column.highest:
            column = column._with_levels(values, len(observed))
        else:
            column = column._with_decimals(observed)
        if column.kind == "binary":
            share_of_last = float((observed == column.levels[-1]).mean())
            mean, deviation = share_of_last, _deviation_of_flag(share_of_last)
        elif column.kind == "constant":
            mean, deviation = 0.0, 1.0
        else:
            mean, deviation = _middle_and_deviation(observed, some, column.largest)
        return replace(
            column,
            reason=column.reason + _note_spikes(spikes) + note,
            mean=mean,
            deviation=deviation,
        )

    def _with_levels(self, values: np.ndarray, n_observed: int) -> Self:
        levels, first_rows = np.unique(values, return_index=True)
        if self.has_missing:
            levels, first_rows = levels[~np.isnan(levels)], first_rows[~np.isnan(levels)]
        kind: Kind = "discrete"
        reason = f"{_count(len(levels), 'value')} in {n_observed} rows"
        if len(levels) == 1:
            kind, reason = "constant", f"every value is {levels[0]}"
        elif len(levels) == 2:
            kind = "binary"
        column = replace(self, kind=kind, reason=reason, levels=levels, first_rows=first_rows)
        return (
            replace(column, range_off_spikes=_places(levels)) if column.has_levels else column
        )

    def _with_decimals(self, observed: np.ndarray) -> Self:
        decimals = _decimals(observed, self.largest)
        kind, reason = self.kind, self.reason
        if decimals == 0:
            kind, reason = "integer", "every value is a whole number"
        elif decimals is not None:
            reason += f", with at most {_count(decimals, 'decimal')}"
        return replace(self, kind=kind, reason=reason, decimals=decimals)

    @property
    def has_levels(self) -> bool:
        """Whether a cell stands for the place of its level, not for a number."""
        return self.kind in ("binary", "categorical", "constant")

    @property
    def largest(self) -> float | int:
        """The size of the number that is farthest from zero."""
        return max(abs(self.lowest), abs(self.highest))

    @property
    def has_missing(self) -> bool:
        """Whether a cell of it is missing."""
        return self.first_missing_row is not None

    @property
    def levels_off_spikes(self) -> np.ndarray:  # (n_other_levels,)
        """The numbers of a discrete column that are no spikes."""
        return self.levels[~np.isin(self.levels, self.spikes)].astype(np.float64)

    @property
    def n_levels_apart(self) -> int:
        """How many slots its levels have; the rare ones share the last."""
        return min(len(self.levels), MOST_LEVELS_APART)

    def read_new(self, cells: Cells) -> np.ndarray:  # (n_rows,), float64
        """Read cells of another table; `read` is for those that the column was told from.

        Raises
        ------
        ValueError
            If a cell is text instead of a number, a number instead of a time, a level that
            was not seen, or missing where none was.
        """
        cells = self._in_own_unit(cells)
        if not self.has_missing and _is_missing(cells.values).any():
            raise ValueError(
                f"Column {self.name!r} has missing cells, and had none when fitting. Fill "
                "them in, or leave these rows out."
            )
        if self.has_levels:
            known = set(self.levels.tolist())
            found = set(cells.values[~_is_missing(cells.values)].tolist())
            if not found <= known:
                raise ValueError(
                    f"Column {self.name!r} must hold what was seen when fitting; found "
                    f"{sorted(found - known, key=repr)[:5]} besides. Leave these rows out."
                )
        elif cells.values.dtype.kind == "O":
            raise ValueError(
                f"Column {self.name!r} held numbers when fitting; found text or other objects. "
                "Pass the columns that were fitted, in their order."
            )
        return self.read(cells.values)

    def _in_own_unit(self, cells: Cells) -> Cells:
        """Count times in the unit of those that the column was told from."""
        if cells.time_unit == self.time_unit:
            return cells
        if cells.time_unit is None or self.time_unit is None:
            held, found = ("times", "others") if self.time_unit else ("no times", "times")
            raise ValueError(
                f"Column {self.name!r} held {held} when fitting; found {found}. Pass the "
                "columns that were fitted, in their order."
            )
        microseconds = cells.values * TIME_UNITS[cells.time_unit]
        return cells._replace(values=microseconds / TIME_UNITS[self.time_unit])

    def read(self, values: np.ndarray) -> np.ndarray:  # (n_rows,) to (n_rows,), float64
        """Turn the values of `Cells` into the numbers that stand for them."""
        if not self.has_levels:
            return values.astype(np.float64)
        place_of = {level: place for place, level in enumerate(self.levels.tolist())}
        is_observed = ~_is_missing(values)
        places = map(place_of.__getitem__, values[is_observed].tolist())
        numbers = np.full(len(values), np.nan)
        numbers[is_observed] = np.fromiter(places, np.float64)
        return numbers


def _find_spikes(observed: np.ndarray) -> tuple[float, ...]:
    some = observed[:: max(1, len(observed) // _ROWS_TO_LOOK_AT)]
    values, counts = np.unique(some, return_counts=True)
    if len(values) <= _LONGEST_SCALE:
        return ()
    least = max(
        _LEAST_SPIKE_ROWS,
        _LEAST_SPIKE_SHARE * len(some),
        _LEAST_SPIKE_RATIO * float(np.median(counts)),
    )
    most_frequent = np.argsort(-counts, kind="stable")[:_MOST_SPIKES]
    return tuple(values[place].item() for place in most_frequent if counts[place] >= least)


def _places(levels: np.ndarray) -> tuple[float, float]:
    return (0.0, len(levels) - 1.0) if len(levels) > 0 else (np.inf, -np.inf)


def _deviation_of_flag(mean: float) -> float:
    return math.sqrt(mean * (1 - mean)) or 1.0


def _middle_and_deviation(
    observed: np.ndarray, some: np.ndarray, largest: float
) -> tuple[float, float]:  # (n_observed,), (n_off_spikes,)
    if largest > 0 and not _RANGE_TO_SQUARE[0] < largest < _RANGE_TO_SQUARE[1]:
        unit = 2.0 ** (math.frexp(largest)[1] - 1)
        middle, deviation = _middle_and_deviation(observed / unit, some / unit, largest / unit)
        return middle * unit, deviation * unit
    mean, deviation = (float(of(observed, dtype=np.float64)) for of in (np.mean, np.std))
    lower, median, upper = np.quantile(some, (0.25, 0.5, 0.75)).tolist()
    spread = (upper - lower) / IQR_OF_NORMAL
    if 0 < spread * _MOST_DEVIATION_BY_SPREAD < deviation:
        return median, spread
    is_varied = deviation > _LEAST_RELATIVE_DEVIATION * abs(mean)
    return mean, deviation if is_varied else 1.0


def _decimals(observed: np.ndarray, largest: float) -> int | None:
    if observed.dtype.kind in "biu":
        return 0
    some = observed[:: max(1, len(observed) // _ROWS_TO_LOOK_AT)]
    for decimals in range(_MOST_DECIMALS + 1):
        if float(largest) * 10**decimals >= _LARGEST_EXACT_INTEGER:
            return None
        if _has_at_most(some, decimals) and _has_at_most(observed, decimals):
            return decimals
    return None


def _has_at_most(observed: np.ndarray, decimals: int) -> bool:
    rounded = np.round(observed.astype(np.float64), decimals)
    return bool((rounded.astype(observed.dtype) == observed).all())


def _is_missing(values: np.ndarray) -> np.ndarray:  # (n_rows,)
    if values.dtype.kind == "O":
        return np.fromiter((value is None for value in values), bool, len(values))
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)


def _first(flags: np.ndarray) -> int | None:
    return int(flags.argmax()) if flags.any() else None


def _note_missing(n_missing: int) -> str:
    return f", {_count(n_missing, 'missing cell')}" if n_missing else ""


def _note_spikes(spikes: tuple[float, ...]) -> str:
    return f", many rows at {' and '.join(map(str, spikes))}" if spikes else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
