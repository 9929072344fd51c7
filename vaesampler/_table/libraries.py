"""`Library`: what each library of data frames calls the same thing, where narwhals has no name.

Times are read as counts of their unit, exactly; columns are made with the dtype of another one.
"""

import datetime as dt
from abc import ABC, abstractmethod
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Flags
from vaesampler._table.notations import DATES, DATETIMES, DURATIONS, TIMES_OF_DAY, Times

Counts = npt.NDArray[np.int64]  # (n_rows,)


class Library(ABC):
    """Reads and makes native columns of a library."""

    @staticmethod
    def of(series: nw.Series[Any]) -> "Library":
        """Return the library of a column."""
        if series.implementation.is_polars():
            return Polars()
        if series.implementation.is_pyarrow():
            return PyArrow()
        native = series.to_native()
        if hasattr(native.dtype, "pyarrow_dtype"):
            return ArrowInPandas(series.__native_namespace__())
        return Pandas(series.__native_namespace__())

    def plain(self, native: Any) -> Any:
        """Return a column without run-end encoding and views, which `take` does not know."""
        return native

    def encoded_like(self, native: Any, like: Any) -> Any:  # noqa: ARG002
        """Undo `plain`: return a column with the type of `like`."""
        return native

    @abstractmethod
    def times(self, native: Any) -> Times | None:
        """Return what the cells count, if they are times."""

    @abstractmethod
    def has_zone(self, native: Any) -> bool:
        """Return whether the cells are datetimes in a time zone."""

    @abstractmethod
    def counts(self, native: Any) -> tuple[Counts, Flags]:
        """Return times as counts of their unit, in UTC, and which are missing."""

    @abstractmethod
    def from_counts(self, counts: Counts, like: Any) -> Any:
        """Undo `counts`: return times with the dtype of `like`."""

    @abstractmethod
    def without_zone(self, native: Any) -> Any:
        """Return the local times of datetimes in a zone."""

    @abstractmethod
    def is_decimal(self, native: Any) -> bool:
        """Return whether the cells are `decimal.Decimal` objects."""

    def is_numpy_number(self, native: Any) -> bool:  # noqa: ARG002
        """Return whether the dtype is an integer or float of NumPy."""
        return False

    def is_sparse(self, native: Any) -> bool:  # noqa: ARG002
        """Return whether the cells are numbers of a sparse dtype."""
        return False

    def is_binary(self, native: Any) -> bool:  # noqa: ARG002
        """Return whether the cells are `bytes` of a type that narwhals does not know."""
        return False

    def holds_objects(self, native: Any) -> bool:  # noqa: ARG002
        """Return whether the dtype is that of objects, of periods or of intervals."""
        return False

    def levels(self, native: Any) -> tuple[tuple[object, ...] | None, bool]:  # noqa: ARG002
        """Return the categories of a dtype, if it has any, and whether it is ordered."""
        return None, False

    @abstractmethod
    def make(self, objects: list[Any], like: Any) -> Any:
        """Return objects as a column with the dtype of `like`."""

    @abstractmethod
    def cast(self, numbers: npt.NDArray[Any], like: Any) -> Any:  # (n,)
        """Return integers or floats as a column with the dtype of `like`."""


class Pandas(Library):
    """pandas, and libraries with its interface: NumPy and nullable dtypes."""

    def __init__(self, namespace: Any) -> None:
        self.namespace = namespace

    def times(self, native: Any) -> Times | None:
        """Return what the cells count, if they are times."""
        dtype = native.dtype
        if getattr(dtype, "kind", "") not in ("M", "m"):
            return None
        unit = dtype.unit if hasattr(dtype, "unit") else np.datetime_data(dtype)[0]
        return Times(DURATIONS if dtype.kind == "m" else DATETIMES, unit)

    def has_zone(self, native: Any) -> bool:
        """Return whether the cells are datetimes in a time zone."""
        return hasattr(native.dtype, "tz")

    def counts(self, native: Any) -> tuple[Counts, Flags]:
        """Return times as counts of their unit, in UTC, and which are missing."""
        naive = native.dt.tz_convert(None) if self.has_zone(native) else native
        values = np.asarray(naive.to_numpy())
        missing = np.isnat(values)
        counts = values.view(np.int64)
        return (np.where(missing, 0, counts) if missing.any() else counts), missing

    def from_counts(self, counts: Counts, like: Any) -> Any:
        """Undo `counts`: return times with the dtype of `like`."""
        times = self.times(like)
        assert times is not None
        kind = "m" if times.kind == DURATIONS else "M"
        made = self.namespace.Series(counts.view(f"{kind}8[{times.unit}]"))
        if self.has_zone(like):
            return made.dt.tz_localize("UTC").dt.tz_convert(like.dtype.tz)
        return made

    def without_zone(self, native: Any) -> Any:
        """Return the local times of datetimes in a zone."""
        return native.dt.tz_localize(None)

    def is_decimal(self, native: Any) -> bool:  # noqa: ARG002
        """Return False: NumPy has no decimals."""
        return False

    def is_numpy_number(self, native: Any) -> bool:
        """Return whether the dtype is an integer or float of NumPy."""
        return isinstance(native.dtype, np.dtype) and native.dtype.kind in "iuf"

    def is_sparse(self, native: Any) -> bool:
        """Return whether the cells are numbers of a sparse dtype."""
        return hasattr(native.dtype, "fill_value") and native.dtype.subtype.kind in "biuf"

    def holds_objects(self, native: Any) -> bool:
        """Return whether the dtype is that of objects, of periods or of intervals."""
        return native.dtype == object or type(native.dtype).__name__ in (
            "PeriodDtype",
            "IntervalDtype",
        )

    def levels(self, native: Any) -> tuple[tuple[object, ...] | None, bool]:
        """Return the categories of a dtype, if it has any, and whether it is ordered."""
        if not hasattr(native.dtype, "categories"):
            return None, False
        return tuple(native.dtype.categories.tolist()), bool(native.dtype.ordered)

    def make(self, objects: list[Any], like: Any) -> Any:
        """Return objects as a column with the dtype of `like`."""
        return self.namespace.Series(objects, dtype=like.dtype)

    def cast(self, numbers: npt.NDArray[Any], like: Any) -> Any:  # (n,)
        """Return integers or floats as a column with the dtype of `like`."""
        return self.namespace.Series(numbers).astype(like.dtype)


class Polars(Library):
    """polars."""

    def times(self, native: Any) -> Times | None:
        """Return what the cells count, if they are times."""
        kind = {
            "Date": DATES,
            "Datetime": DATETIMES,
            "Duration": DURATIONS,
            "Time": TIMES_OF_DAY,
        }.get(native.dtype.base_type().__name__)
        if kind is None:
            return None
        default = {DATES: "D", TIMES_OF_DAY: "ns"}
        return Times(kind, default.get(kind) or native.dtype.time_unit)

    def has_zone(self, native: Any) -> bool:
        """Return whether the cells are datetimes in a time zone."""
        return getattr(native.dtype, "time_zone", None) is not None

    def counts(self, native: Any) -> tuple[Counts, Flags]:
        """Return times as counts of their unit, in UTC, and which are missing."""
        missing = np.asarray(native.is_null().to_numpy())
        counts = native.to_physical().fill_null(0).to_numpy().astype(np.int64)
        return counts, missing

    def from_counts(self, counts: Counts, like: Any) -> Any:
        """Undo `counts`: return times with the dtype of `like`."""
        return type(like)("", counts).cast(like.dtype)

    def without_zone(self, native: Any) -> Any:
        """Return the local times of datetimes in a zone."""
        return native.dt.replace_time_zone(None)

    def is_decimal(self, native: Any) -> bool:
        """Return whether the cells are `decimal.Decimal` objects."""
        return bool(native.dtype.is_decimal())

    def levels(self, native: Any) -> tuple[tuple[object, ...] | None, bool]:
        """Return the categories of an `Enum`."""
        if native.dtype.base_type().__name__ != "Enum":
            return None, False
        return tuple(native.dtype.categories), False

    def make(self, objects: list[Any], like: Any) -> Any:
        """Return objects as a column with the dtype of `like`."""
        return type(like)("", objects, dtype=like.dtype)

    def cast(self, numbers: npt.NDArray[Any], like: Any) -> Any:  # (n,)
        """Return integers or floats as a column with the dtype of `like`."""
        if numbers.dtype.kind == "O":
            return self.make(numbers.tolist(), like)
        return type(like)("", numbers).cast(like.dtype)


class PyArrow(Library):
    """PyArrow."""

    def plain(self, native: Any) -> Any:
        """Return a column without run-end encoding and views, which `take` does not know."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_run_end_encoded(native.type):
            native = pc.run_end_decode(native)
        if pa.types.is_string_view(native.type):
            return native.cast(pa.large_string())
        if pa.types.is_binary_view(native.type):
            return native.cast(pa.large_binary())
        return native

    def encoded_like(self, native: Any, like: Any) -> Any:
        """Undo `plain`: return a column with the type of `like`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_run_end_encoded(like.type):
            values = native.cast(like.type.value_type)
            return pc.run_end_encode(values, run_end_type=like.type.run_end_type)
        return native if native.type == like.type else native.cast(like.type)

    def times(self, native: Any) -> Times | None:
        """Return what the cells count, if they are times."""
        from pyarrow import types

        one = native.type
        if types.is_date(one):
            return Times(DATES, "D" if types.is_date32(one) else "ms")
        for is_kind, kind in (
            (types.is_timestamp, DATETIMES),
            (types.is_duration, DURATIONS),
            (types.is_time, TIMES_OF_DAY),
        ):
            if is_kind(one):
                return Times(kind, one.unit)
        return None

    def has_zone(self, native: Any) -> bool:
        """Return whether the cells are datetimes in a time zone."""
        return getattr(native.type, "tz", None) is not None

    def counts(self, native: Any) -> tuple[Counts, Flags]:
        """Return times as counts of their unit, in UTC, and which are missing."""
        import pyarrow as pa

        missing = np.asarray(native.is_null().to_numpy())
        is_narrow = native.type.bit_width == 32
        whole = native.cast(pa.int32() if is_narrow else pa.int64())
        return whole.fill_null(0).to_numpy().astype(np.int64), missing

    def from_counts(self, counts: Counts, like: Any) -> Any:
        """Undo `counts`: return times with the dtype of `like`."""
        import pyarrow as pa

        is_narrow = like.type.bit_width == 32
        whole = counts.astype(np.int32 if is_narrow else np.int64)
        return pa.chunked_array([pa.array(whole)]).cast(like.type)

    def without_zone(self, native: Any) -> Any:
        """Return the local times of datetimes in a zone."""
        import pyarrow as pa
        import pyarrow.compute as pc

        unit, zone = native.type.unit, native.type.tz
        if not zone.startswith(("+", "-")):
            return pc.local_timestamp(native)
        # pyarrow before 22 finds no offsets in its database of zones.
        offset = dt.datetime.strptime(zone, "%z").utcoffset()
        return pc.add(native.cast(pa.timestamp(unit)), pa.scalar(offset, pa.duration(unit)))

    def is_decimal(self, native: Any) -> bool:
        """Return whether the cells are `decimal.Decimal` objects."""
        from pyarrow import types

        return bool(types.is_decimal(native.type))

    def is_binary(self, native: Any) -> bool:
        """Return whether the cells are `bytes` of a type that narwhals does not know."""
        from pyarrow import types

        return bool(
            types.is_large_binary(native.type) or types.is_fixed_size_binary(native.type)
        )

    def levels(self, native: Any) -> tuple[tuple[object, ...] | None, bool]:
        """Return the values of an ordered dictionary."""
        if not getattr(native.type, "ordered", False):
            return None, False
        return tuple(native.combine_chunks().dictionary.to_pylist()), True

    def make(self, objects: list[Any], like: Any) -> Any:
        """Return objects as a column with the dtype of `like`."""
        import pyarrow as pa

        return pa.chunked_array([pa.array(objects, type=like.type)])

    def cast(self, numbers: npt.NDArray[Any], like: Any) -> Any:  # (n,)
        """Return integers or floats as a column with the dtype of `like`."""
        import pyarrow as pa

        return pa.chunked_array([pa.array(numbers)]).cast(like.type, safe=False)


class ArrowInPandas(Library):
    """pandas with dtypes of PyArrow."""

    def __init__(self, namespace: Any) -> None:
        self.namespace = namespace
        self.arrow = PyArrow()

    def plain(self, native: Any) -> Any:
        """Return a column without run-end encoding and views."""
        column = self._arrow_of(native)
        plain = self.arrow.plain(column)
        return native if plain is column else self._in_pandas(plain)

    def encoded_like(self, native: Any, like: Any) -> Any:
        """Undo `plain`: return a column with the type of `like`."""
        if native.dtype == like.dtype:
            return native
        columns = self._arrow_of(native), self._arrow_of(like)
        return self._in_pandas(self.arrow.encoded_like(*columns))

    def times(self, native: Any) -> Times | None:
        """Return what the cells count, if they are times."""
        return self.arrow.times(self._arrow_of(native))

    def has_zone(self, native: Any) -> bool:
        """Return whether the cells are datetimes in a time zone."""
        return self.arrow.has_zone(self._arrow_of(native))

    def counts(self, native: Any) -> tuple[Counts, Flags]:
        """Return times as counts of their unit, in UTC, and which are missing."""
        return self.arrow.counts(self._arrow_of(native))

    def from_counts(self, counts: Counts, like: Any) -> Any:
        """Undo `counts`: return times with the dtype of `like`."""
        return self._in_pandas(self.arrow.from_counts(counts, self._arrow_of(like)))

    def without_zone(self, native: Any) -> Any:
        """Return the local times of datetimes in a zone."""
        return self._in_pandas(self.arrow.without_zone(self._arrow_of(native)))

    def is_decimal(self, native: Any) -> bool:
        """Return whether the cells are `decimal.Decimal` objects."""
        return self.arrow.is_decimal(self._arrow_of(native))

    def is_binary(self, native: Any) -> bool:
        """Return whether the cells are `bytes` of a type that narwhals does not know."""
        return self.arrow.is_binary(self._arrow_of(native))

    def levels(self, native: Any) -> tuple[tuple[object, ...] | None, bool]:
        """Return the values of an ordered dictionary."""
        return self.arrow.levels(self._arrow_of(native))

    def make(self, objects: list[Any], like: Any) -> Any:
        """Return objects as a column with the dtype of `like`."""
        return self._in_pandas(self.arrow.make(objects, self._arrow_of(like)))

    def cast(self, numbers: npt.NDArray[Any], like: Any) -> Any:  # (n,)
        """Return integers or floats as a column with the dtype of `like`."""
        return self._in_pandas(self.arrow.cast(numbers, self._arrow_of(like)))

    def _arrow_of(self, native: Any) -> Any:
        import pyarrow as pa

        array = native.array.__arrow_array__()
        return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])

    def _in_pandas(self, column: Any) -> Any:
        pandas = self.namespace
        return pandas.Series(pandas.arrays.ArrowExtensionArray(column))
