"""`Cells`: the values of one column, read from a container of any library and dtype."""

from collections.abc import Iterable
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

# Microseconds per unit, the coarsest unit first: a column of days is drawn as days.
TIME_UNITS = {
    "D": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
UNIT_NAMES = {
    "D": "days",
    "h": "hours",
    "m": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
}


class Cells(NamedTuple):
    """The cells of one column, read from a container of any kind."""

    # Numbers, with NaN for missing cells; or objects, with None for missing cells.
    values: npt.NDArray[Any]  # (n_rows,)
    # Whether the dtype is text, categorical or boolean.
    is_categorical: bool
    # Addition to the schema's description of the column.
    note: str = ""
    # Unit of times, a key of `TIME_UNITS`.
    time_unit: str | None = None
    # Whether the cells are `decimal.Decimal` objects.
    are_decimals: bool = False
    # The categories of the dtype, in its order, and whether the dtype is ordered.
    dtype_levels: tuple[object, ...] | None = None
    is_ordered: bool = False


def cells_of_array(name: str, values: npt.NDArray[Any]) -> Cells:  # (n_rows,)
    """Read a column of an array.

    Raises
    ------
    ValueError
        If the cells are not all numbers, all text or all booleans (apart from missing ones),
        or if one is infinite.
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


def cells_of_series(name: str, series: nw.Series[Any]) -> Cells:
    """Read a column of a frame.

    Raises
    ------
    ValueError
        If the cells are not all numbers, all text, all categories, all booleans or all times
        (apart from missing ones), or if one is infinite.
    """
    dtype = series.dtype
    missing = series.is_null().to_numpy().astype(bool)
    if dtype in (nw.Date, nw.Duration, nw.Datetime) or time_zone_of(series) is not None:
        return _cells_of_times(series)
    if dtype.is_numeric():
        return cells_of_array(name, _numeric_values(series, missing))
    if dtype in (nw.Categorical, nw.Enum, nw.String, nw.Boolean):
        objects = _objects(series.to_list(), missing)
        levels, is_ordered = _dtype_levels(series)
        return Cells(objects, is_categorical=True, dtype_levels=levels, is_ordered=is_ordered)
    if dtype == nw.Unknown:  # among others, pandas' sparse dtypes, which are numeric
        values = np.asarray(series.to_native())
        if values.dtype.kind in "biuf":
            return cells_of_array(name, values)
    if missing.all():
        return Cells(np.full(len(series), np.nan), is_categorical=False)
    if dtype == nw.Object:
        return _cells_of_objects(name, _objects(series.to_list(), missing))
    raise ValueError(
        "Cells must be numbers, text, categories, booleans, dates, datetimes or durations; "
        f"found {_dtype_name(series)} in {name!r}. Convert the column first, or leave it out."
    )


def is_missing(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:  # (n_rows,), both
    """Return which of the values of `Cells` are missing."""
    if values.dtype.kind == "O":
        return np.fromiter((value is None for value in values), bool, len(values))
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)


def is_missing_object(cell: object) -> bool:
    """Return whether an object is a missing value of any library: None, NaN, NA or NaT."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, Real) and cell != cell


def time_zone_of(series: nw.Series[Any]) -> str | None:
    """Return the time zone of a column, or None."""
    zone = getattr(series.dtype, "time_zone", None)
    if zone is None and series.implementation.is_pandas_like():
        # narwhals does not recognize names with an underscore or a digit.
        zone = getattr(series.to_native().dtype, "tz", None)
    return None if zone is None else str(zone)


def _cells_of_objects(name: str, values: npt.NDArray[np.object_]) -> Cells:  # (n_rows,)
    missing = np.fromiter(map(is_missing_object, values), bool, len(values))
    observed = values[~missing].tolist()
    types = set(map(type, observed))

    def are_all(*wanted: type) -> bool:
        return all(issubclass(one, wanted) for one in types)

    if types and (are_all(str) or are_all(bytes) or are_all(bool, np.bool_)):
        return Cells(_objects(values, missing), is_categorical=True)
    if are_all(Real, Decimal):
        is_whole = not missing.any() and are_all(int, np.integer)
        numeric = _as_numeric(observed, np.int64 if is_whole else np.float64)
        if missing.any():
            floats = np.full(len(values), np.nan)
            floats[~missing] = numeric
            numeric = floats
        _require_finite(name, numeric)
        return Cells(numeric, is_categorical=False, are_decimals=types == {Decimal})
    found = ", ".join(sorted(one.__name__ for one in types))
    raise ValueError(
        f"The cells of a column must all be numbers, or all text, or all booleans; found "
        f"{found} in {name!r}. Convert the column first, or leave it out."
    )


def _as_numeric(
    observed: list[Any], dtype: type[np.int64 | np.float64]
) -> npt.NDArray[np.int64 | np.float64]:  # (n_observed,)
    try:
        return np.array(observed, dtype=dtype)
    except OverflowError:  # Python's integers are unbounded
        return np.array(observed, dtype=np.float64)


def _objects(
    values: Iterable[Any], missing: npt.NDArray[np.bool_]
) -> npt.NDArray[np.object_]:  # (n_rows,)
    """Return values as an array of objects, None where they are missing."""
    objects = np.empty(len(missing), dtype=object)
    objects[:] = values
    objects[missing] = None
    return objects


def _require_finite(name: str, values: npt.NDArray[Any]) -> None:
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise ValueError(
            f"Numbers must be finite or missing; found infinity in "
            f"{int(np.isinf(values).sum())} cells of {name!r}. Replace such values, or drop "
            "their rows, first."
        )


def _numeric_values(
    series: nw.Series[Any], missing: npt.NDArray[np.bool_]
) -> npt.NDArray[Any]:  # (n_rows,)
    """Return numbers as an array; as float64 with NaN if cells are missing."""
    if missing.any() or series.dtype.is_decimal():
        series = series.cast(nw.Float64)
    values = np.asarray(series.to_numpy())
    return np.where(missing, np.nan, values.astype(np.float64)) if missing.any() else values


def _dtype_levels(series: nw.Series[Any]) -> tuple[tuple[object, ...] | None, bool]:
    """Return the categories of a dtype, if it has any, and whether it is ordered."""
    native = series.to_native()
    if series.implementation.is_pandas_like() and hasattr(native.dtype, "categories"):
        return tuple(native.dtype.categories.tolist()), bool(native.dtype.ordered)
    if series.implementation.is_pyarrow() and hasattr(native.type, "ordered"):
        if not native.type.ordered:
            return None, False
        return tuple(native.combine_chunks().dictionary.to_pylist()), True
    if isinstance(series.dtype, nw.Enum):
        return tuple(series.dtype.categories), False
    return None, False


def _dtype_name(series: nw.Series[Any]) -> str:
    if series.dtype != nw.Unknown:
        return str(series.dtype)
    native = series.to_native()
    return str(getattr(native, "dtype", None) or native.type)


def _cells_of_times(series: nw.Series[Any]) -> Cells:
    microseconds = _microseconds(series)
    unit = _coarsest_unit(microseconds)
    values = microseconds / TIME_UNITS[unit]
    return Cells(values, False, f"times, in {UNIT_NAMES[unit]}", unit)


def _microseconds(series: nw.Series[Any]) -> npt.NDArray[np.float64]:  # (n_rows,)
    """Return durations, or local times since 1970, in microseconds; NaN for missing cells."""
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


def _coarsest_unit(microseconds: npt.NDArray[np.float64]) -> str:
    """Return the coarsest unit of which all times are whole multiples."""
    observed = microseconds[~np.isnan(microseconds)]
    for unit, size in TIME_UNITS.items():
        if (observed % size == 0).all():
            return unit
    return "us"
