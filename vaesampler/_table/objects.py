"""`cells_of_objects`: read a column of Python objects, all of one family of types."""

import datetime
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import (
    Cells,
    Flags,
    as_integers,
    cells_of_observed,
    cells_of_times,
    objects_of,
    require_finite,
)
from vaesampler._table.notations import (
    DATES,
    DATETIMES,
    DURATIONS,
    NANOSECONDS,
    NUMBERS,
    TIMES_OF_DAY,
    Decimals,
    Fractions,
    Notation,
    Numbers,
    Times,
)

EPOCH = datetime.datetime(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)
DAY_IN_MICROSECONDS = 86_400_000_000


def cells_of_objects(name: str, values: npt.NDArray[np.object_]) -> Cells:  # (n_rows,)
    """Read a column of objects.

    Raises
    ------
    ValueError
        If the cells are not all numbers, all text, all booleans or all times (apart from
        missing ones), or if one is infinite.
    """
    missing = np.fromiter(map(is_missing_object, values), bool, len(values))
    observed = values[~missing].tolist()
    types = set(map(type, observed))
    row = _usual_missing_row(values, missing)

    def are_all(*wanted: type) -> bool:
        return all(issubclass(one, wanted) for one in types)

    if not types:
        return Cells(np.full(len(values), np.nan), NUMBERS, missing_row=row)
    if are_all(str) or are_all(bytes) or are_all(bool, np.bool_) or _are_levels(types):
        return Cells(objects_of(values, missing), missing_row=row, is_categorical=True)
    if are_all(Real, Decimal):
        numbers, notation = _numbers(types, observed)
        require_finite(name, numbers)
    elif are_all(np.datetime64, np.timedelta64) and len(types) == 1:
        numbers, notation = _numpy_times(name, observed)
    else:
        numbers, notation = _times(name, types, observed)
    return cells_of_observed(numbers, missing, notation, row)


def is_missing_object(cell: object) -> bool:
    """Return whether an object is a missing value of any library: None, NaN, NA or NaT."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(cell, Real | Decimal):
        return bool(cell != cell)
    return isinstance(cell, np.datetime64 | np.timedelta64) and bool(np.isnat(cell))


def _usual_missing_row(values: npt.NDArray[np.object_], missing: Flags) -> int | None:
    """Return the first row with the most frequent kind of missing cell."""
    kinds = [type(values[row]) for row in np.flatnonzero(missing)]
    if not kinds:
        return None
    ((usual, _),) = Counter(kinds).most_common(1)
    return int(np.flatnonzero(missing)[kinds.index(usual)])


def _are_levels(types: set[type]) -> bool:
    """Return whether the objects are pandas' periods or intervals, or UUIDs."""
    (one, *others) = types
    return not others and one.__name__ in ("Period", "Interval", "UUID")


def _numbers(types: set[type], observed: list[Any]) -> tuple[npt.NDArray[Any], Notation]:
    (first, *others) = types
    if all(issubclass(one, Integral) for one in types):
        is_python = first is int or bool(others)
        return as_integers(list(map(int, observed))), Numbers(None if is_python else first)
    if Decimal in types and all(issubclass(one, Integral | Decimal) for one in types):
        decimals = [
            value if isinstance(value, Decimal) else Decimal(value) for value in observed
        ]
        if all(value.is_finite() for value in decimals):
            return whole_decimals(decimals)
    if types == {Fraction}:
        largest = max(value.denominator for value in observed)
        return np.array(list(map(_as_float, observed))), Fractions(largest)
    if not others and issubclass(first, np.floating):
        return np.array(observed, dtype=first), Numbers(first)
    return np.array([_as_float(value) for value in observed]), NUMBERS


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # Python's integers are unbounded
        return float("inf") if value > 0 else float("-inf")


def whole_decimals(
    decimals: list[Decimal], *, keeps_zeros: bool = True
) -> tuple[npt.NDArray[Any], Decimals]:
    """Return decimals as exact multiples of the last digit of all, with the notation.

    Trailing zeros count as digits unless `keeps_zeros` is False.
    """
    scale = max((max(0, -_exponent(value)) for value in decimals), default=0)
    integers = [_shifted(value, scale) for value in decimals]
    while not keeps_zeros and scale > 0 and all(value % 10 == 0 for value in integers):
        integers = [value // 10 for value in integers]
        scale -= 1
    return as_integers(integers), Decimals(scale)


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # of finite decimals
    return exponent


def _shifted(value: Decimal, scale: int) -> int:
    """Return value * 10 ** scale, exactly: the precision of a context does not apply."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    whole: int = int("".join(map(str, digits))) * 10 ** (exponent + scale)
    return -whole if sign else whole


def _numpy_times(name: str, observed: list[Any]) -> tuple[npt.NDArray[Any], Times]:
    cells = cells_of_times(name, np.array(observed))
    assert isinstance(cells.notation, Times)
    times = cells.notation
    return cells.values, Times(
        times.kind, times.unit, _NumpyTime(type(observed[0]), times.unit)
    )


def _times(
    name: str, types: set[type], observed: list[Any]
) -> tuple[npt.NDArray[np.int64], Times]:
    """Read dates, datetimes, times of day or durations of Python or pandas."""
    if types == {datetime.date}:
        days = [value.toordinal() - EPOCH.toordinal() for value in observed]
        return np.array(days, dtype=np.int64), Times(DATES, "D", as_date)
    for family, read in (
        (datetime.datetime, _datetimes),
        (datetime.timedelta, _durations),
        (datetime.time, _times_of_day),
    ):
        if all(issubclass(one, family) for one in types):
            return read(name, types, observed)
    found = ", ".join(sorted(one.__name__ for one in types))
    raise ValueError(
        "The cells of a column must all be numbers, or all text, all booleans, all dates, all "
        f"datetimes, all durations or all times of day; found {found} in {name!r}. Convert the "
        "column first, or leave it out."
    )


def _datetimes(
    name: str, types: set[type], observed: list[Any]
) -> tuple[npt.NDArray[np.int64], Times]:
    zones = {_zone_key(value.tzinfo): value.tzinfo for value in observed}
    if len(zones) > 1:
        raise ValueError(
            f"Datetimes must have the same time zone, or all have none; found {len(zones)} "
            f"in {name!r}. Convert the column first, for example with "
            "`pd.to_datetime(column, utc=True)`."
        )
    local = [value.replace(tzinfo=None) for value in observed]
    (zone,) = zones.values()
    (first, *_) = types
    if _is_pandas(types):
        counts, unit = _pandas_counts(local)
        return counts, Times(DATETIMES, unit, _PandasDatetime(first, unit, zone))
    counts = np.array([(value - EPOCH) // MICROSECOND for value in local], dtype=np.int64)
    return counts, Times(DATETIMES, "us", _Datetime(zone))


def _durations(
    name: str,  # noqa: ARG001
    types: set[type],
    observed: list[Any],
) -> tuple[npt.NDArray[np.int64], Times]:
    (first, *_) = types
    if _is_pandas(types):
        counts, unit = _pandas_counts(observed)
        return counts, Times(DURATIONS, unit, _PandasDuration(first, unit))
    counts = np.array([value // MICROSECOND for value in observed], dtype=np.int64)
    return counts, Times(DURATIONS, "us", as_duration)


def _times_of_day(
    name: str,
    types: set[type],  # noqa: ARG001
    observed: list[Any],
) -> tuple[npt.NDArray[np.int64], Times]:
    zones = {value.tzinfo for value in observed}
    if len(zones) > 1:
        raise ValueError(
            f"Times of day must have the same time zone, or all have none; found {len(zones)} "
            f"in {name!r}. Convert the column first, or leave it out."
        )
    (zone,) = zones
    counts = [
        ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
        for value in observed
    ]
    return np.array(counts, dtype=np.int64), Times(TIMES_OF_DAY, "us", _TimeOfDay(zone))


def _is_pandas(types: set[type]) -> bool:
    return len(types) == 1 and next(iter(types)).__name__ in ("Timestamp", "Timedelta")


def _pandas_counts(observed: list[Any]) -> tuple[npt.NDArray[np.int64], str]:
    """Return `Timestamp` objects without zone, or `Timedelta` objects, in their finest unit."""
    unit = min((value.unit for value in observed), key=lambda unit: NANOSECONDS[unit])
    counts = [int(value.as_unit(unit).asm8.view(np.int64)) for value in observed]
    return np.array(counts, dtype=np.int64), unit


def _zone_key(zone: datetime.tzinfo | None) -> Hashable:
    # An object of pytz is a zone at one of its offsets.
    return getattr(zone, "zone", None) or zone


def as_date(days: int) -> datetime.date:
    """Return the date that is a number of days after 1970-01-01."""
    return datetime.date.fromordinal(days + EPOCH.toordinal())


def as_duration(microseconds: int) -> datetime.timedelta:
    """Return a duration."""
    return datetime.timedelta(microseconds=microseconds)


@dataclass(frozen=True)
class _Datetime:
    """Make `datetime` objects of a zone from local times, in microseconds."""

    zone: datetime.tzinfo | None

    def __call__(self, microseconds: int) -> datetime.datetime:
        local = EPOCH + datetime.timedelta(microseconds=microseconds)
        if self.zone is None:
            return local
        localize = getattr(self.zone, "localize", None)  # of pytz
        aware: datetime.datetime = (
            local.replace(tzinfo=self.zone) if localize is None else localize(local)
        )
        try:  # moves times that a change to summer time skips
            return aware.astimezone(datetime.UTC).astimezone(self.zone)
        except OverflowError:  # at the ends of the calendar
            return aware


@dataclass(frozen=True)
class _TimeOfDay:
    """Make `time` objects from microseconds since midnight."""

    zone: datetime.tzinfo | None

    def __call__(self, microseconds: int) -> datetime.time:
        local = datetime.datetime.min + datetime.timedelta(
            microseconds=microseconds % DAY_IN_MICROSECONDS
        )
        return local.time().replace(tzinfo=self.zone)


@dataclass(frozen=True)
class _PandasDatetime:
    """Make `pandas.Timestamp` objects of a zone from counts in local time."""

    type: Callable[..., Any]
    unit: str
    zone: datetime.tzinfo | None

    def __call__(self, count: int) -> Any:
        local = self.type(np.array(count).astype(f"M8[{self.unit}]")[()])
        if self.zone is None:
            return local
        return local.tz_localize(self.zone, ambiguous=True, nonexistent="shift_forward")


@dataclass(frozen=True)
class _PandasDuration:
    """Make `pandas.Timedelta` objects."""

    type: Callable[..., Any]
    unit: str

    def __call__(self, count: int) -> Any:
        return self.type(np.array(count).astype(f"m8[{self.unit}]")[()])


@dataclass(frozen=True)
class _NumpyTime:
    """Make `datetime64` or `timedelta64` objects."""

    type: Callable[..., Any]
    unit: str

    def __call__(self, count: int) -> Any:
        return self.type(count, self.unit)


# The classes of callables that are `as_object` of `Times`.
OBJECT_MAKERS = (_Datetime, _TimeOfDay, _PandasDatetime, _PandasDuration, _NumpyTime)
