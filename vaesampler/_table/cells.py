"""`Cells`: the values of one column, read from a container of any library and dtype."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vaesampler._table.notations import (
    DATETIMES,
    DURATIONS,
    NANOSECONDS,
    NUMBERS,
    Decimals,
    Notation,
    Times,
)

# Above 2 ** 53 not every integer is a float64.
LARGEST_EXACT_INTEGER = 2**53

Flags: TypeAlias = npt.NDArray[np.bool_]  # (n_rows,)


@dataclass(frozen=True)
class Cells:
    """The cells of one column, read from a container of any kind.

    Attributes
    ----------
    values : ndarray of shape (n_rows,)
        Numbers: floats with NaN for missing cells, or exact integers, which are Python's in an
        array of objects if 64 bits do not suffice. Or objects to compare for equality, with
        None for missing cells.
    notation : Notation or None
        What the numbers represent; None if the values are objects.
    missing : ndarray of bool, of shape (n_rows,), or None
        Which integers are missing; None if none is.
    missing_row : int or None
        Index of the row whose missing cell is copied; None for the first one.
    is_categorical : bool
        Whether the dtype is text, categorical or boolean.
    dtype_levels : tuple or None
        The categories of the dtype, in its order.
    is_ordered : bool
        Whether the dtype is ordered.
    """

    values: npt.NDArray[Any]
    notation: Notation | None = None
    missing: Flags | None = None
    missing_row: int | None = None
    is_categorical: bool = False
    dtype_levels: tuple[object, ...] | None = None
    is_ordered: bool = False

    @property
    def are_numbers(self) -> bool:
        """Whether the values are numbers."""
        return self.notation is not None

    @property
    def are_integers(self) -> bool:
        """Whether the values are exact integers."""
        return self.are_numbers and self.values.dtype.kind != "f"

    @cached_property
    def is_missing(self) -> Flags:
        """Which cells are missing."""
        if self.missing is not None:
            return self.missing
        if not self.are_numbers:
            return np.fromiter((value is None for value in self.values), bool, len(self.values))
        return np.isnan(self.values) if not self.are_integers else self._none_missing()

    @property
    def has_missing(self) -> bool:
        """Whether a cell is missing."""
        if self.missing is None and self.are_numbers:
            # Faster than `is_missing`, and without a copy.
            is_float = not self.are_integers and len(self.values) > 0
            return is_float and bool(np.isnan(self.values.min()))
        return bool(self.is_missing.any())

    @property
    def observed(self) -> npt.NDArray[Any]:  # (n_observed,)
        """The values that are not missing."""
        return self.values[~self.is_missing] if self.has_missing else self.values

    @property
    def n_missing(self) -> int:
        """Number of missing cells."""
        return int(self.is_missing.sum()) if self.has_missing else 0

    @property
    def first_missing_row(self) -> int | None:
        """Index of the row whose missing cell is copied; None if no cell is missing."""
        if not self.has_missing:
            return None
        return int(self.is_missing.argmax()) if self.missing_row is None else self.missing_row

    @property
    def first_rows(self) -> dict[Any, int]:
        """The first row of each observed value, for objects."""
        rows = np.flatnonzero(~self.is_missing).tolist()
        # In reverse, so that the first row of each value overwrites the later ones.
        return dict(zip(reversed(self.values[rows].tolist()), reversed(rows), strict=True))

    def in_notation(self, notation: Notation) -> "Cells":
        """Return the cells with numbers in another notation; objects as they are.

        Raises
        ------
        ValueError
            As `Notation.convert` does.
        """
        if self.notation is None or (self.has_missing and self.is_missing.all()):
            return self
        values = notation.convert(self.values, self.notation)
        return replace(self, values=values, notation=notation)

    def floats(self) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Return the numbers as floats, with NaN for missing cells; times in nanoseconds."""
        if isinstance(self.notation, Decimals):
            floats = self.notation.as_floats(self.values)
        else:
            floats = self.values.astype(np.float64)
        if isinstance(self.notation, Times):
            floats = floats * NANOSECONDS[self.notation.unit]
        if self.missing is not None:
            floats[self.missing] = np.nan
        return floats

    def shown(self, values: list[Any]) -> str:
        """Return at most five values for a message."""
        texts = [
            repr(one) if self.notation is None else self.notation.text(one) for one in values
        ]
        return f"[{', '.join(texts[:5])}]"

    def _none_missing(self) -> Flags:
        return np.zeros(len(self.values), dtype=bool)


def cells_of_numbers(name: str, values: npt.NDArray[Any]) -> Cells:  # (n_rows,)
    """Return the cells of an array of integers or floats, with NaN for missing cells.

    Raises
    ------
    ValueError
        As `require_finite` does.
    """
    require_finite(name, values)
    return Cells(values, NUMBERS)


def cells_of_observed(
    observed: npt.NDArray[Any],
    missing: Flags,
    notation: Notation,
    missing_row: int | None = None,
) -> Cells:  # (n_observed,), (n_rows,)
    """Return the cells of a column from the numbers of its observed cells."""
    if not missing.any():
        return Cells(observed, notation)
    is_float = observed.dtype.kind == "f"
    values = np.full(len(missing), np.nan if is_float else 0, dtype=observed.dtype)
    values[~missing] = observed
    return Cells(values, notation, None if is_float else missing, missing_row)


def cells_of_counts(
    counts: npt.NDArray[np.int64], missing: Flags, notation: Times
) -> Cells:  # (n_rows,)
    """Return the cells of times."""
    return Cells(counts, notation, missing if missing.any() else None)


def cells_of_times(name: str, values: npt.NDArray[Any]) -> Cells:  # (n_rows,)
    """Return the cells of an array of `datetime64` or `timedelta64`.

    Raises
    ------
    ValueError
        If the unit is months, years, or none.
    """
    unit, n_units = np.datetime_data(values.dtype)
    if unit not in NANOSECONDS or n_units != 1:
        raise ValueError(
            f"Times must have a unit from days to nanoseconds; found {values.dtype} in "
            f"{name!r}. Convert them first, for example with `.astype('datetime64[D]')`."
        )
    kind = DURATIONS if values.dtype.kind == "m" else DATETIMES
    counts = values.astype(values.dtype.newbyteorder("=")).view(np.int64)
    return cells_of_counts(counts, np.isnat(values), Times(kind, unit))


def require_finite(name: str, values: npt.NDArray[Any]) -> None:  # (n_rows,)
    """Check that no number is infinite, or outside of the range of float64.

    Raises
    ------
    ValueError
        If one is.
    """
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise ValueError(
            f"Numbers must be finite or missing; found infinity in "
            f"{int(np.isinf(values).sum())} cells of {name!r}. Replace such values, or drop "
            "their rows, first."
        )
    if values.dtype.kind == "O" or values.dtype.itemsize > 8:
        n_large = int(np.sum(np.abs(values) > sys.float_info.max))
        if n_large:
            raise ValueError(
                f"Numbers must be within the range of float64; found {n_large} larger ones in "
                f"{name!r}. Replace such values, or drop their rows, first."
            )


def as_integers(integers: list[int]) -> npt.NDArray[Any]:  # (n,)
    """Return integers of Python as int64, as uint64 or, if they are larger, as objects."""
    for dtype in (np.int64, np.uint64):
        try:
            return np.array(integers, dtype=dtype)
        except OverflowError:
            continue
    return as_objects(integers)


def as_objects(values: Iterable[Any]) -> npt.NDArray[np.object_]:  # (n,)
    """Return values as an array of objects, tuples among them."""
    return np.fromiter(values, dtype=object)


def objects_of(values: Iterable[Any], missing: Flags) -> npt.NDArray[np.object_]:  # (n_rows,)
    """Return values as an array of objects, None where they are missing."""
    objects = as_objects(values)
    objects[missing] = None
    return objects


def as_array(values: Iterable[Any], like: npt.NDArray[Any]) -> npt.NDArray[Any]:  # (n,)
    """Return values as an array of the dtype of `like`."""
    return np.array(list(values), dtype=like.dtype)


def item(value: Any) -> Any:
    """Return an element of an array as a number of Python."""
    return value.item() if isinstance(value, np.generic) else value


def alike(tables: Sequence[Cells]) -> list[Cells]:
    """Return the same column of several tables, with numbers in the notation of the first."""
    notations = (
        cells.notation
        for cells in tables
        if cells.notation is not None and not cells.is_missing.all()
    )
    notation = next(notations, None)
    return [cells if notation is None else cells.in_notation(notation) for cells in tables]


def comparable_floats(tables: Sequence[Cells]) -> list[npt.NDArray[np.float64]]:
    """Return the numbers of the same column of several tables, as `alike` returns them.

    Their lowest one is subtracted where they are integers that no float64 can hold.
    """
    integers = [cells.observed for cells in tables if cells.are_integers]
    ends = [int(end) for one in integers if len(one) > 0 for end in (one.min(), one.max())]
    if max(map(abs, ends), default=0) <= LARGEST_EXACT_INTEGER:
        return [cells.floats() for cells in tables]
    lowest = min(ends)
    return [
        replace(cells, values=cells.values.astype(object) - lowest).floats()
        if cells.are_integers
        else cells.floats()
        for cells in tables
    ]
