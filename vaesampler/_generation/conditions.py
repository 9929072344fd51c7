"""`Condition`: what the cells of a column must be, from the `given` of `sample`."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vaesampler._generation.filters import RowFilter
from vaesampler._table.cells import as_objects
from vaesampler._table.columns import Column, DiscreteColumn, NumericColumn, OrdinalColumn
from vaesampler._table.named_features import ColumnFinder
from vaesampler._table.notations import (
    DATES,
    DATETIMES,
    NANOSECONDS,
    Decimals,
    Times,
)
from vaesampler._table.objects import cells_of_objects, is_missing_object
from vaesampler._table.templates import NewCells, Template
from vaesampler._table.wording import shorten

# Name or index of a column to a value, a collection of values, an interval, or None.
Given: TypeAlias = Mapping[Any, Any]


@dataclass(frozen=True, eq=False)
class Condition(RowFilter):
    """Accepts rows by the exact value of one cell, as it is in the table that is returned."""

    name: str
    column_index: int
    column: Column
    # Whether each level is accepted, then whether a missing cell is.
    is_example_accepted: npt.NDArray[np.bool_]  # (n_levels + 1,)
    values: "_Values | None"  # of the cells that are new values
    seen: str = ""

    def accepts(
        self, cells: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:  # (n_rows, n_columns) to (n_rows,)
        """Return which rows have a cell that is asked for."""
        new = NewCells.of(self.column, cells[:, self.column_index])
        is_accepted = np.zeros(len(cells), dtype=bool)
        is_accepted[~new.is_new] = self.is_example_accepted[new.example_indices]
        if self.values is not None and new.is_new.any():
            is_accepted[new.is_new] = self.values.hold(_of_dtype(self.column, new.numbers()))
        return is_accepted


def conditions_of(given: Given, template: Template) -> list[Condition]:
    """Return the conditions that a user asks for.

    Raises
    ------
    ValueError
        If a column is unknown or named twice, or if it cannot hold what is asked for.
    """
    if not isinstance(given, Mapping):
        raise ValueError(
            "given must map columns to values, collections of values, or intervals (tuples of "
            f"two); found {given!r}."
        )
    finder = ColumnFinder(template.keys, "given")
    conditions: dict[int, Condition] = {}
    for key, wanted in given.items():
        index = finder.index_of(key)
        if index in conditions:
            raise ValueError(
                f"given names the column {template.keys[index]!r} twice. Leave out one entry."
            )
        wanted = _in_zone(wanted, template, index)
        conditions[index] = _condition(index, template.schema.columns[index], wanted)
    return list(conditions.values())


def _condition(index: int, column: Column, wanted: Any) -> Condition:
    if isinstance(wanted, tuple):
        return _condition_of_interval(index, column, wanted)
    is_collection = _is_collection(wanted)
    values = _listed(wanted) if is_collection else [wanted]
    name = f"{column.name} in [{shorten(values)}]" if is_collection else _asked(column, wanted)
    if not values:
        raise _refused(name, column, "an empty collection holds no value")
    observed = [value for value in values if not is_missing_object(value)]
    takes_missing = len(observed) < len(values)
    if takes_missing and not column.has_missing:
        raise _refused(name, column, "the column had no missing cells when fitting")
    if column.notation is None:
        known = {level: index for index, level in enumerate(column.levels.tolist())}
        is_level = np.zeros(len(known), dtype=bool)
        is_level[[_index_of(value, known, name, column) for value in observed]] = True
        return _made(name, index, column, is_level, takes_missing, None)
    numbers = [_number(value, name, column) for value in observed]
    for value, number in zip(observed, numbers, strict=True):
        if not _can_hold(column, _OneOf(frozenset([number]))):
            raise _refused(name, column, f"it cannot be {value!r}")
    chosen = _OneOf(frozenset(numbers))
    return _made(name, index, column, _levels_in(column, chosen), takes_missing, chosen)


def _condition_of_interval(index: int, column: Column, wanted: tuple[Any, ...]) -> Condition:
    name = f"{column.name} in the interval {wanted!r}"
    if len(wanted) != 2:
        raise _refused(name, column, "an interval is a tuple of two; pass values as a list")
    ends = [None if _is_open(end) else end for end in wanted]
    if isinstance(column, OrdinalColumn):
        places = _places(ends, name, column)
        _require_ascending(places[0], places[1], name, column)
        indices = np.arange(len(column.levels))
        is_inside = (places[0] <= indices) & (indices <= places[1])
        return _made(name, index, column, is_inside, False, None)
    if column.notation is None:
        raise _refused(
            name, column, "text, categories and truth values have no order; pass a list"
        )
    low, high = (None if end is None else _number(end, name, column) for end in ends)
    if low is not None and high is not None:
        _require_ascending(low, high, name, column)
    interval = _Interval(low, high)
    if not _can_hold(column, interval):
        raise _refused(name, column, "it has no value there")
    return _made(name, index, column, _levels_in(column, interval), False, interval)


def _made(
    name: str,
    index: int,
    column: Column,
    is_level_accepted: npt.NDArray[np.bool_],
    takes_missing: bool,
    values: "_Values | None",
) -> Condition:
    examples = np.append(is_level_accepted, takes_missing)
    return Condition(name, index, column, examples, values)


class _Values(ABC):
    """Numbers that are asked for, in the notation of a column."""

    @abstractmethod
    def hold(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:  # (n,), both
        """Return which exact integers, or floats, are among the numbers."""


@dataclass(frozen=True)
class _OneOf(_Values):
    """Some numbers."""

    numbers: frozenset[Fraction]

    def hold(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:  # (n,), both
        """Return which values are one of the numbers."""
        if values.dtype.kind == "f":
            return np.isin(values, [_as_float(one, values.dtype) for one in self.numbers])
        wanted = {int(number) for number in self.numbers if number.denominator == 1}
        return np.fromiter((one in wanted for one in values.tolist()), bool, len(values))


@dataclass(frozen=True)
class _Interval(_Values):
    """All numbers between two ends, which belong to it; an end that is None is open."""

    low: Fraction | None
    high: Fraction | None

    def hold(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:  # (n,), both
        """Return which values lie in the interval."""
        is_float, is_inside = values.dtype.kind == "f", np.ones(len(values), dtype=bool)
        if self.low is not None:
            low = _as_float(self.low, values.dtype) if is_float else math.ceil(self.low)
            is_inside &= np.asarray(values >= low, dtype=bool)
        if self.high is not None:
            high = _as_float(self.high, values.dtype) if is_float else math.floor(self.high)
            is_inside &= np.asarray(values <= high, dtype=bool)
        return is_inside


def _as_float(number: Fraction, dtype: np.dtype[Any]) -> Any:
    try:
        return dtype.type(float(number))
    except OverflowError:
        return dtype.type(math.copysign(math.inf, number))


def _of_dtype(column: Column, values: npt.NDArray[Any]) -> npt.NDArray[Any]:  # (n,), both
    """Return floats with the precision of the column, as far as its levels show it."""
    is_narrower = column.levels.dtype.kind == "f" and len(column.levels) > 0
    return values.astype(column.levels.dtype) if is_narrower else values


def _levels_in(column: Column, numbers: _Values) -> npt.NDArray[np.bool_]:  # (n_levels,)
    levels = column.levels
    return numbers.hold(levels.astype(np.int8) if levels.dtype.kind == "b" else levels)


def _can_hold(column: Column, numbers: _Values) -> bool:
    """Return whether a column has such levels, or may have such new values."""
    if _levels_in(column, numbers).any():
        return True
    if not isinstance(column, NumericColumn) or isinstance(column, DiscreteColumn):
        return False  # all cells are levels
    ends = np.array([column.lowest, column.highest])
    if isinstance(numbers, _Interval):
        return bool(
            (numbers.low is None or _Interval(numbers.low, None).hold(ends)[1])
            and (numbers.high is None or _Interval(None, numbers.high).hold(ends)[0])
        )
    assert isinstance(numbers, _OneOf)
    (number,) = numbers.numbers
    is_between = _Interval(None, number).hold(ends)[0] and _Interval(number, None).hold(ends)[1]
    return bool(is_between) and (ends.dtype.kind == "f" or number.denominator == 1)


def _number(value: Any, name: str, column: Column) -> Fraction:
    """Return a value as a number in the notation of the column, exactly.

    Raises
    ------
    ValueError
        If the column holds others, such as times.
    """
    notation = column.notation
    value = value.item() if isinstance(value, np.bool_ | np.number) else value
    if isinstance(notation, Times):
        return _count(value, name, column, notation)
    if not isinstance(value, Real | Decimal) or not math.isfinite(value):
        raise _refused(name, column, f"{value!r} is not a finite number")
    if isinstance(value, Rational | Decimal):
        number = Fraction(value)
    else:
        number = Fraction(repr(float(value)))
    return number * 10**notation.scale if isinstance(notation, Decimals) else number


def _count(value: Any, name: str, column: Column, notation: Times) -> Fraction:
    try:
        cells = cells_of_objects(column.name, as_objects([value]))
    except ValueError as error:
        raise _refused(name, column, f"{value!r} is not one of {notation.kind}") from error
    if isinstance(value, str):
        raise _refused(name, column, f"{value!r} is text; pass a date or time object")
    found = cells.notation
    if not isinstance(found, Times) or _family(found) != _family(notation):
        raise _refused(name, column, f"{value!r} is not one of {notation.kind}")
    return Fraction(int(cells.values[0]) * NANOSECONDS[found.unit], NANOSECONDS[notation.unit])


def _in_zone(wanted: Any, template: Template, index: int) -> Any:
    """Return what is asked for, with datetimes in the zone of the column; objects as they are.

    Cells are local times. Datetimes without a zone are taken for such.
    """
    if isinstance(wanted, tuple):
        return tuple(_in_zone(end, template, index) for end in wanted)
    if _is_collection(wanted):
        return [_in_zone(value, template, index) for value in _listed(wanted)]
    if getattr(wanted, "tzinfo", None) is None or not isinstance(wanted, datetime):
        return wanted
    column, zone = template.schema.columns[index], template.zone(index)
    if zone is None:
        raise _refused(_asked(column, wanted), column, "its times have no time zone")
    return wanted.astimezone(zone)


def _family(times: Times) -> str:
    return DATETIMES if times.kind == DATES else times.kind


def _index_of(value: Any, known: Mapping[Any, int], name: str, column: Column) -> int:
    value = value.item() if isinstance(value, np.generic) else value
    try:
        return known[value]
    except (KeyError, TypeError) as error:
        raise _refused(name, column, f"{value!r} is not one of its levels") from error


def _places(ends: Sequence[Any], name: str, column: OrdinalColumn) -> list[int]:
    """Return the indices of the levels at the ends of an interval."""
    places = [0, len(column.levels) - 1]
    for side, end in enumerate(ends):
        if end is None:
            continue
        if column.notation is None:
            known = {level: index for index, level in enumerate(column.levels.tolist())}
            places[side] = _index_of(end, known, name, column)
            continue
        is_end = _levels_in(column, _OneOf(frozenset([_number(end, name, column)])))
        if not is_end.any():
            raise _refused(name, column, f"{end!r} is not one of its levels")
        places[side] = int(is_end.argmax())
    return places


def _require_ascending(low: Any, high: Any, name: str, column: Column) -> None:
    if low > high:
        raise _refused(name, column, "the first end of an interval is the lower one")


def _is_open(end: Any) -> bool:
    return is_missing_object(end) or (isinstance(end, Real | Decimal) and math.isinf(end))


def _is_collection(wanted: Any) -> bool:
    is_iterable = hasattr(wanted, "__iter__") and getattr(wanted, "ndim", 1) > 0
    return is_iterable and not isinstance(wanted, str | bytes | Mapping)


def _listed(values: Any) -> list[Any]:
    """Return the values of a collection, as they are: times of NumPy are not converted."""
    is_set = isinstance(values, set | frozenset)
    return sorted(values, key=repr) if is_set else list(values)


def _asked(column: Column, value: Any) -> str:
    is_missing = is_missing_object(value)
    return f"{column.name} missing" if is_missing else f"{column.name} = {value!r}"


def _refused(name: str, column: Column, reason: str) -> ValueError:
    return ValueError(f"given asks for {name}: {reason}. {_content(column)}")


def _content(column: Column) -> str:
    """Say what a column holds."""
    text = repr if column.notation is None else column.notation.text
    if not isinstance(column, NumericColumn) or isinstance(column, DiscreteColumn):
        levels = [text(level) for level in column.levels.tolist()]
        if len(levels) > 8:
            # Of numbers and times, the last level is the highest one.
            ends = [levels[-1]] if column.notation is not None else []
            levels = [*levels[:7], f"... ({len(levels)} in all)", *ends]
        return f"The column {column.name!r} holds the levels [{', '.join(levels)}]."
    return (
        f"The column {column.name!r} holds values from {text(column.lowest)} to "
        f"{text(column.highest)}."
    )
