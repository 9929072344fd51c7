"""`Notation`: what the numbers of a column represent, and how they are written as objects."""

import datetime
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

# Nanoseconds per unit, the coarsest unit first: a column of whole days is drawn in days.
NANOSECONDS = {
    "D": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
UNIT_NAMES = {
    "D": "days",
    "h": "hours",
    "m": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
}
# End of the calendar of Python and SQL, in days since 1970. Times in the second before, and
# within a second of the ends of int64, mean "no end" or "unknown".
END_OF_CALENDAR = 2_932_897
DATES, DATETIMES, DURATIONS, TIMES_OF_DAY = "dates", "datetimes", "durations", "times of day"


class Notation(ABC):
    """What the numbers of a column represent, and how they are written as objects."""

    # What the numbers are called in messages.
    name: ClassVar[str]

    @abstractmethod
    def objects(self, numbers: npt.NDArray[Any]) -> list[Any]:  # (n,)
        """Return numbers as the objects of a column of objects."""

    @abstractmethod
    def text(self, number: Any) -> str:
        """Return a number as a text to read."""

    def number(self, level: Any) -> Any:
        """Return the number of a level as users write it; other objects as they are."""
        return level

    def convert(self, numbers: npt.NDArray[Any], found: "Notation") -> npt.NDArray[Any]:  # (n,)
        """Convert numbers of the notation `found` to this one.

        Raises
        ------
        ValueError
            If one represents times and the other one does not.
        """
        if isinstance(found, Times):
            raise ValueError("no times when fitting; found times")
        if isinstance(found, Decimals):
            return found.as_floats(numbers)
        return numbers


@dataclass(frozen=True)
class Numbers(Notation):
    """Integers and floats."""

    name: ClassVar[str] = "numbers"

    # Type of the objects, if all have the same one and it is no type of Python.
    type: Callable[[Any], object] | None = None

    def objects(self, numbers: npt.NDArray[Any]) -> list[Any]:  # (n,)
        """Return numbers of Python, or of `type`."""
        values = numbers.tolist()
        return values if self.type is None else [self.type(value) for value in values]

    def text(self, number: Any) -> str:
        """Return the number as Python shows it."""
        return str(number)


@dataclass(frozen=True)
class Fractions(Notation):
    """`fractions.Fraction` objects, read as floats."""

    name: ClassVar[str] = "numbers"

    largest_denominator: int

    def objects(self, numbers: npt.NDArray[Any]) -> list[Any]:  # (n,)
        """Return the nearest fractions whose denominator is not larger than the real ones."""
        return [
            Fraction(value).limit_denominator(self.largest_denominator)
            for value in numbers.tolist()
        ]

    def text(self, number: Any) -> str:
        """Return the fraction."""
        return str(Fraction(number).limit_denominator(self.largest_denominator))


@dataclass(frozen=True)
class Decimals(Notation):
    """Decimals: a number k represents k / 10 ** scale."""

    name: ClassVar[str] = "numbers"

    scale: int

    def objects(self, numbers: npt.NDArray[Any]) -> list[Any]:  # (n,)
        """Return `decimal.Decimal` objects with `scale` decimals."""
        return [Decimal(f"{value}e-{self.scale}") for value in numbers.tolist()]

    def text(self, number: Any) -> str:
        """Return the number with `scale` decimals."""
        return f"{Decimal(f'{number}e-{self.scale}'):f}"

    def number(self, level: Any) -> Any:
        """Return the number of a level as users write it; other objects as they are."""
        if not isinstance(level, Real | Decimal):
            return level
        number = Decimal(str(level)) * 10**self.scale
        return int(number) if number == int(number) else level

    def as_floats(self, numbers: npt.NDArray[Any]) -> npt.NDArray[np.float64]:  # (n,), both
        """Return the numbers as floats, correctly rounded up to 22 decimals."""
        return numbers.astype(np.float64) / 10.0**self.scale

    def convert(self, numbers: npt.NDArray[Any], found: Notation) -> npt.NDArray[Any]:  # (n,)
        """Convert numbers of another notation to multiples of 10 ** -scale."""
        if isinstance(found, Decimals) and numbers.dtype.kind != "f":
            exact = numbers.astype(object)
            if found.scale <= self.scale:
                return np.asarray(exact * 10 ** (self.scale - found.scale))
            divisor = 10 ** (found.scale - self.scale)
            return np.asarray((exact + divisor // 2) // divisor)
        floats = super().convert(numbers, found).astype(np.float64) * 10.0**self.scale
        return np.rint(floats)


@dataclass(frozen=True)
class Times(Notation):
    """Counts of a unit: since 1970 in local time, or since midnight, or of a duration."""

    name: ClassVar[str] = "times"

    kind: str
    unit: str  # a key of `NANOSECONDS`
    # Returns a count as an object; None if the column is not one of objects.
    as_object: Callable[[int], object] | None = None

    def objects(self, numbers: npt.NDArray[Any]) -> list[Any]:  # (n,)
        """Return objects of the column's type."""
        assert self.as_object is not None
        return [self.as_object(count) for count in numbers.tolist()]

    def text(self, number: Any) -> str:
        """Return a time in the format of ISO 8601, or a duration with its unit."""
        count = int(number)
        if self.kind == TIMES_OF_DAY:
            return _text_of_day(count * NANOSECONDS[self.unit])
        unit, size = self._coarsest(count)
        if self.kind == DURATIONS:
            return f"{count // size} {UNIT_NAMES[unit]}"
        time: Any = np.array(count).astype(f"M8[{self.unit}]")
        shown: Any = "m" if unit == "h" else unit
        return str(np.datetime_as_string(time, shown)).replace("T", " ")

    def number(self, level: Any) -> Any:
        """Return the count of a date, datetime or duration; other objects as they are."""
        if isinstance(
            level, datetime.date | datetime.timedelta | np.datetime64 | np.timedelta64
        ):
            kind = "m" if self.kind == DURATIONS else "M"
            return int(np.array(level, dtype=f"{kind}8[{self.unit}]").astype(np.int64))
        return level

    def unit_name(self, size: int) -> str:
        """Return the name of the unit with this size, in counts."""
        return next(UNIT_NAMES[unit] for unit, counts in self.units().items() if counts == size)

    def _coarsest(self, number: int) -> tuple[str, int]:
        """Return the coarsest unit that divides a count, and its size in counts."""
        return next((unit, size) for unit, size in self.units().items() if number % size == 0)

    def units(self) -> dict[str, int]:
        """Return the units that are multiples of the own one, with their size in counts."""
        own = NANOSECONDS[self.unit]
        return {unit: size // own for unit, size in NANOSECONDS.items() if size >= own}

    def is_placeholder(
        self, numbers: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:  # (n,), both
        """Return which counts mean "no end" or "unknown": those near an end."""
        if self.unit == "D":
            return np.zeros(len(numbers), dtype=bool)
        second = NANOSECONDS["s"] // NANOSECONDS[self.unit]
        limits, day = np.iinfo(np.int64), 86_400 * second
        is_near = (numbers >= limits.max - second) | (numbers <= limits.min + second)
        end = day if self.kind == TIMES_OF_DAY else END_OF_CALENDAR * day
        if self.kind == DURATIONS or end > limits.max:
            return np.asarray(is_near)
        return np.asarray(is_near | ((numbers >= end - second) & (numbers < end)))

    def convert(self, numbers: npt.NDArray[Any], found: Notation) -> npt.NDArray[Any]:  # (n,)
        """Convert counts of another unit, exactly if they are multiples of the own one."""
        if not isinstance(found, Times):
            raise ValueError("times when fitting; found others")
        if found.unit == self.unit:
            return numbers
        ours, theirs = NANOSECONDS[self.unit], NANOSECONDS[found.unit]
        if theirs < ours:
            return np.asarray(numbers // (ours // theirs))
        return np.asarray(numbers.astype(object) * (theirs // ours))


def _text_of_day(nanoseconds: int) -> str:
    """Return the time of day at a number of nanoseconds after midnight."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS["s"])
    time = (datetime.datetime.min + datetime.timedelta(seconds=seconds)).time()
    return f"{time}.{rest:09d}".rstrip("0") if rest else str(time)


NUMBERS = Numbers()
