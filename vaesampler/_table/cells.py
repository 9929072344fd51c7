"""Reading the cells of one column, whatever library or dtype holds them."""

from decimal import Decimal
from numbers import Real
from typing import NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

# In microseconds, the coarsest first: a column of days is drawn as days.
TIME_UNITS = {
    "D": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}


class Cells(NamedTuple):
    """The cells of one column, read from a container of any kind."""

    # Numbers, NaN where one is missing; or objects, None where one is missing.
    values: npt.NDArray  # (n_rows,)
    # Whether the dtype is text, categories or truth values.
    is_categorical: bool
    # What else the schema says of the values.
    note: str = ""
    # Unit of times, a key of `TIME_UNITS`.
    time_unit: str | None = None
    # Whether the cells are objects of the class `decimal.Decimal`.
    are_decimals: bool = False
    # The levels that the dtype names, in its order, and whether it calls them ordered.
    dtype_levels: tuple[object, ...] | None = None
    is_ordered: bool = False


UNIT_NAMES = dict(
    zip(
        TIME_UNITS,
        ["days", "hours", "minutes", "seconds", "milliseconds", "microseconds"],
        strict=True,
    )
)


def cells_of_array(name: str, values: np.ndarray) -> Cells:  # (n_rows,)
    """Read a column of an array.

    Raises
    ------
    ValueError
        If the column holds something else than finite or missing numbers, text, or truth
        values, or mixes them.
    """
    kind = values.dtype.kind
    if kind == "O":
        return _cells_of_objects(name, values)
    if kind in "UST":
        return Cells(values.astype(object), is_categorical=True)
    if kind not in "biuf":
        raise ValueError(
            f"An array must hold numbers, text or objects; found {values.dtype} in {name!r}. "
            "Put columns of times into a data frame."
        )
    _require_finite(name, values)
    return Cells(values, is_categorical=False)


def cells_of_series(name: str, series: nw.Series) -> Cells:
    """Read a column of a frame.

    Raises
    ------
    ValueError
        If the column holds something else than finite or missing numbers, text, categories,
        truth values or times, or mixes them.
    """
    dtype = series.dtype
    missing = series.is_null().to_numpy().astype(bool)
    if dtype in (nw.Date, nw.Duration, nw.Datetime) or time_zone_of(series) is not None:
        microseconds = _microseconds(series)
        unit = _coarsest_unit(microseconds)
        values = microseconds / TIME_UNITS[unit]
        return Cells(values, False, f"times, in {UNIT_NAMES[unit]}", unit)
    if dtype.is_numeric():
        if missing.any() or dtype.is_decimal():
            series = series.cast(nw.Float64)
        values = np.asarray(series.to_numpy())
        if missing.any():
            values = np.where(missing, np.nan, values.astype(np.float64))
        return cells_of_array(name, values)
    if dtype in (nw.Categorical, nw.Enum, nw.String, nw.Boolean):
        objects = np.empty(len(series), dtype=object)
        objects[:] = series.to_list()
        objects[missing] = None
        levels, is_ordered = _dtype_levels(series)
        return Cells(objects, is_categorical=True, dtype_levels=levels, is_ordered=is_ordered)
    if dtype == nw.Unknown:  # sparse columns of pandas, which are numbers, among others
        values = np.asarray(series.to_native())
        if values.dtype.kind in "biuf":
            return cells_of_array(name, values)
    if missing.all():
        return Cells(np.full(len(series), np.nan), is_categorical=False)
    if dtype == nw.Object:
        objects = np.empty(len(series), dtype=object)
        objects[:] = series.to_list()
        objects[missing] = None
        return _cells_of_objects(name, objects)
    raise ValueError(
        "Cells must be numbers, text, categories, truth values, dates, dates with times, or "
        f"durations; found {_dtype_name(series)} in {name!r}. Convert the column first, or "
        "leave it out."
    )


def _cells_of_objects(name: str, values: np.ndarray) -> Cells:  # (n_rows,)
    missing = np.fromiter(map(is_missing_object, values), bool, len(values))
    observed = values[~missing].tolist()
    types = set(map(type, observed))

    def are_all(*wanted: type) -> bool:
        return all(issubclass(one, wanted) for one in types)

    if types and (are_all(str) or are_all(bytes) or are_all(bool, np.bool_)):
        objects = np.full(len(values), None, dtype=object)
        objects[~missing] = observed
        return Cells(objects, is_categorical=True)
    if are_all(Real, Decimal):
        is_whole = not missing.any() and are_all(int, np.integer)
        try:
            numbers = np.array(observed, dtype=np.int64 if is_whole else np.float64)
        except OverflowError:  # integers of Python have no end
            numbers = np.array(observed, dtype=np.float64)
        if missing.any():
            all_numbers = np.full(len(values), np.nan)
            all_numbers[~missing] = numbers
            numbers = all_numbers
        _require_finite(name, numbers)
        return Cells(numbers, is_categorical=False, are_decimals=types == {Decimal})
    found = ", ".join(sorted(one.__name__ for one in types))
    raise ValueError(
        f"The cells of a column must all be numbers, or all text, or all truth values; found "
        f"{found} in {name!r}. Convert the column first, or leave it out."
    )


def _require_finite(name: str, values: np.ndarray) -> None:
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise ValueError(
            f"Numbers must be finite or missing; found infinity in "
            f"{int(np.isinf(values).sum())} cells of {name!r}. Replace such values, or drop "
            "their rows, first."
        )


def is_missing(values: npt.NDArray) -> npt.NDArray[np.bool_]:  # (n_rows,), both
    """Return which of the values of `Cells` are missing."""
    if values.dtype.kind == "O":
        return np.fromiter((value is None for value in values), bool, len(values))
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)


def is_missing_object(cell: object) -> bool:
    """Tell whether an object stands for a missing cell in any library."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, Real) and cell != cell


def time_zone_of(series: nw.Series) -> str | None:
    """Return the zone that a column's times are told in, if there is one."""
    zone = getattr(series.dtype, "time_zone", None)
    if zone is None and series.implementation.is_pandas_like():
        # Zones with an underscore or a digit in their name are unknown to narwhals.
        zone = getattr(series.to_native().dtype, "tz", None)
    return None if zone is None else str(zone)


def _dtype_levels(series: nw.Series) -> tuple[tuple[object, ...] | None, bool]:
    """Return the levels that a categorical dtype names, and whether it calls them ordered."""
    native = series.to_native()
    if series.implementation.is_pandas_like() and hasattr(native.dtype, "categories"):
        return tuple(native.dtype.categories.tolist()), bool(native.dtype.ordered)
    if series.implementation.is_pyarrow() and hasattr(native.type, "ordered"):
        levels = native.combine_chunks().dictionary.to_pylist() if native.type.ordered else None
        return None if levels is None else tuple(levels), bool(native.type.ordered)
    if isinstance(series.dtype, nw.Enum):
        return tuple(series.dtype.categories), False
    return None, False


def _dtype_name(series: nw.Series) -> str:
    if series.dtype != nw.Unknown:
        return str(series.dtype)
    native = series.to_native()
    return str(getattr(native, "dtype", None) or native.type)


def _coarsest_unit(microseconds: np.ndarray) -> str:
    """Return the coarsest unit that all times are whole numbers of."""
    observed = microseconds[~np.isnan(microseconds)]
    for unit, size in TIME_UNITS.items():
        if (observed % size == 0).all():
            return unit
    return "us"


def _microseconds(series: nw.Series) -> np.ndarray:  # (n_rows,)
    """Return times on the clocks of their zone, or durations; NaN where one is missing."""
    if series.dtype == nw.Duration:
        times = np.asarray(series.to_numpy()).astype("timedelta64[us]")
    else:
        series = series.cast(nw.Datetime("us")) if series.dtype == nw.Date else series
        if time_zone_of(series) is not None:
            series = series.dt.replace_time_zone(None)
        times = np.asarray(series.to_numpy()).astype("datetime64[us]")
    microseconds = times.astype(np.int64).astype(np.float64)
    microseconds[np.isnat(times)] = np.nan
    return microseconds
