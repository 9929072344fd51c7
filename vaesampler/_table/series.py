"""Read a column of a data frame (`cells_of_series`), and make one like it (`series_like`)."""

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import (
    Cells,
    Flags,
    as_integers,
    as_objects,
    cells_of_counts,
    cells_of_numbers,
    cells_of_observed,
    objects_of,
    require_finite,
)
from vaesampler._table.columns import Column, NumericColumn
from vaesampler._table.libraries import Library
from vaesampler._table.notations import NANOSECONDS, NUMBERS, Times
from vaesampler._table.objects import cells_of_objects, whole_decimals

# Zones are only known for the calendar of Python: from the year 1 to the year 9999.
FIRST_ZONED_DAY, LAST_ZONED_DAY = -719_160, 2_932_893


def cells_of_series(name: str, series: nw.Series[Any]) -> Cells:
    """Read a column of a frame.

    Raises
    ------
    ValueError
        If the cells are not all numbers, all text, all categories, all booleans, all binary or
        all times (apart from missing ones), or if one is infinite.
    """
    series = plain_series(series)
    library, native = Library.of(series), series.to_native()
    times = library.times(native)
    if times is not None:
        counts, missing = library.counts(native)
        if library.has_zone(native):
            counts = counts + _offsets(counts, native, library, times.unit)
        return cells_of_counts(counts, missing, times)
    if library.is_decimal(native):
        return _cells_of_decimals(series)
    if library.is_numpy_number(native):
        return cells_of_numbers(name, np.asarray(series.to_numpy()))
    if library.is_sparse(native):
        return cells_of_numbers(name, np.asarray(native.sparse.to_dense()))
    if series.dtype.is_numeric():
        return _cells_of_numbers(name, series)
    missing = _is_null(series)
    is_text = series.dtype in (nw.Categorical, nw.Enum, nw.String, nw.Boolean, nw.Binary)
    if is_text or library.is_binary(native):
        levels, is_ordered = library.levels(native)
        objects = objects_of(series.to_list(), missing)
        return Cells(objects, is_categorical=True, dtype_levels=levels, is_ordered=is_ordered)
    if missing.all():
        return Cells(np.full(len(series), np.nan), NUMBERS)
    if series.dtype == nw.Object or library.holds_objects(native):
        return cells_of_objects(name, as_objects(native))
    raise ValueError(
        "Cells must be numbers, text, categories, booleans, binary, dates, datetimes, times of "
        f"day or durations; found {_dtype_name(series)} in {name!r}. Convert the column first, "
        "or leave it out."
    )


def plain_series(series: nw.Series[Any]) -> nw.Series[Any]:
    """Return a column without encodings of which no rows can be taken."""
    native = series.to_native()
    plain = Library.of(series).plain(native)
    return series if plain is native else _wrapped(plain, series.name)


def encoded_like(series: nw.Series[Any], like: nw.Series[Any]) -> nw.Series[Any]:
    """Undo `plain_series`: return a column with the encoding of `like`."""
    native = series.to_native()
    encoded = Library.of(like).encoded_like(native, like.to_native())
    return series if encoded is native else _wrapped(encoded, series.name)


def series_like(
    examples: nw.Series[Any], column: Column, numbers: npt.NDArray[Any]
) -> nw.Series[Any]:  # (n,)
    """Return new numbers of a column as a series with the library and dtype of `examples`."""
    library, native = Library.of(examples), examples.to_native()
    assert isinstance(column, NumericColumn)
    times = library.times(native)
    if times is not None:
        made = _from_local(numbers, native, library, times)
    elif library.is_decimal(native) or library.holds_objects(native):
        made = library.make(column.notation.objects(numbers), native)
    else:
        made = library.cast(numbers, native)
    return _wrapped(made, examples.name)


def _wrapped(native: Any, name: str) -> nw.Series[Any]:
    series: nw.Series[Any] = nw.from_native(native, series_only=True)
    return series.alias(name)


def _cells_of_numbers(name: str, series: nw.Series[Any]) -> Cells:
    missing = _is_null(series)
    has_missing = bool(missing.any())
    filled = series.fill_null(0) if has_missing else series
    if filled.dtype in (nw.Int128, nw.UInt128):
        values = as_integers(filled.to_list())
    else:
        values = np.asarray(filled.to_numpy())
    if not has_missing:
        return cells_of_numbers(name, values)
    if values.dtype.kind != "f":
        return Cells(values, NUMBERS, missing)
    is_nan = np.isnan(values)
    # Null and NaN are both missing; copies are of the more frequent one.
    usual = is_nan if is_nan.sum() > missing.sum() else missing
    values = np.where(missing, np.nan, values).astype(values.dtype)
    require_finite(name, values)
    return Cells(values, NUMBERS, missing_row=int(usual.argmax()))


def _cells_of_decimals(series: nw.Series[Any]) -> Cells:
    values, missing = series.to_list(), _is_null(series)
    observed = [value for value, is_null in zip(values, missing, strict=True) if not is_null]
    if not observed:
        return Cells(np.full(len(values), np.nan), NUMBERS)
    numbers, notation = whole_decimals(observed, keeps_zeros=False)
    return cells_of_observed(numbers, missing, notation)


def _offsets(
    instants: npt.NDArray[np.int64], native: Any, library: Library, unit: str
) -> npt.NDArray[np.int64]:  # (n,), both
    """Return local time - UTC at instants, saturated near the ends of int64."""
    day = NANOSECONDS["D"] // NANOSECONDS[unit]
    limits = np.iinfo(np.int64)
    first = max(FIRST_ZONED_DAY * day, limits.min + 2 * day)
    last = min(LAST_ZONED_DAY * day, limits.max - 2 * day)
    known = instants.clip(first, last)
    local, _ = library.counts(library.without_zone(library.from_counts(known, native)))
    offsets = local - known
    # Sums must not overflow.
    clipped: npt.NDArray[np.int64] = offsets.clip(
        np.where(instants < 0, limits.min - np.minimum(instants, 0), limits.min),
        np.where(instants > 0, limits.max - np.maximum(instants, 0), limits.max),
    )
    return clipped


def _from_local(
    counts: npt.NDArray[np.int64], native: Any, library: Library, times: Times
) -> Any:  # (n,)
    """Return local times as a native series.

    Local times that a change to summer time skips are moved by an hour.
    """
    instants = counts
    if library.has_zone(native):
        # The second pass uses the offset at the corrected instant, which may be on the other
        # side of a clock change.
        limits = np.iinfo(np.int64)
        day = NANOSECONDS["D"] // NANOSECONDS[times.unit]
        local = counts.clip(limits.min + day, limits.max - day)
        instants = local
        for _ in range(2):
            instants = local - _offsets(instants, native, library, times.unit)
    return library.from_counts(instants, native)


def _is_null(series: nw.Series[Any]) -> Flags:
    return np.asarray(series.is_null().to_numpy()).astype(bool)


def _dtype_name(series: nw.Series[Any]) -> str:
    if series.dtype != nw.Unknown:
        return str(series.dtype)
    native = series.to_native()
    return str(getattr(native, "dtype", None) or native.type)
