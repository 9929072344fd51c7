"""Templates of data frames: their names, dtypes and examples as plain values, and back.

A dtype is described by a tuple, `(family, *details)`. The cells of a column are an array, or a
list of Python objects with None for missing cells.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import narwhals
import narwhals.stable.v1 as nw_v1
import narwhals.stable.v2 as nw
import numpy as np

from vaesampler._table.schema import FeatureSchema
from vaesampler._table.templates import CellBlock, FrameTemplate, Template

WRAPPERS: dict[str, Any] = {
    "narwhals": narwhals,
    "narwhals.stable.v1": nw_v1,
    "narwhals.stable.v2": nw,
}
# Bytes of a cell of a fixed width, even if it is null.
WIDEST_BINARY = 2**20


@dataclass(frozen=True, eq=False)
class SavedColumn:
    """The dtype and the cells of a column."""

    dtype: tuple[Any, ...]
    cells: Any


@dataclass(frozen=True, eq=False)
class SavedFrame:
    """What a `FrameTemplate` keeps of a frame."""

    library: str
    wrapper: str | None  # the version of narwhals that the frame is wrapped by
    form: dict[str, Any]  # what the library attaches to a frame
    columns: list[SavedColumn]  # without cells
    examples: list[SavedColumn]
    schema: FeatureSchema


@dataclass(frozen=True, eq=False)
class MissingLibraryTemplate(Template):
    """Stands for the template of a library that is not installed."""

    library: str
    schema: FeatureSchema

    def make(self, blocks: Iterable[CellBlock], n_rows: int) -> Any:  # noqa: ARG002
        """Raise an ImportError."""
        raise ImportError(
            f"The sampler was fitted on a data frame that needs {self.library}, which is not "
            f"installed. Install it with `pip install {self.library}`, and load the sampler "
            "again."
        )

    def append(self, X: Any, blocks: Iterable[CellBlock], n_rows: int) -> Any:  # noqa: ARG002
        """Raise an ImportError."""
        return self.make(blocks, n_rows)


def saved_template(template: Template) -> Any:
    """Return a template as a record that a file can hold.

    Raises
    ------
    TypeError
        If its container or a dtype cannot be stored.
    """
    if not isinstance(template, FrameTemplate):
        return template
    frame, wrapper = template.empty, None
    for name, version in WRAPPERS.items():
        if type(frame) is version.DataFrame:
            frame, wrapper = frame.to_native(), name
    library = type(frame).__module__.partition(".")[0]
    if library not in _LIBRARIES:
        raise TypeError(f"found a {type(frame).__name__} of {library}")
    codec = _LIBRARIES[library]()
    columns, examples = [], []
    for entry, column, example in zip(
        template.schema.columns, codec.columns(frame), template.examples, strict=True
    ):
        try:
            columns.append(SavedColumn(codec.describe(codec.dtype_of(column)), None))
            examples.append(codec.saved(example))
            codec.check(example, examples[-1])
        except TypeError as error:
            raise TypeError(f"{error}, in column {entry.name!r}") from error
    form = codec.form(frame)
    return SavedFrame(library, wrapper, form, columns, examples, template.schema)


def restored_template(saved: Any) -> Template:
    """Undo `saved_template`.

    Without the library of the frame, return a template that names it when it is used.
    """
    if not isinstance(saved, SavedFrame):
        assert isinstance(saved, Template)
        return saved
    library = _LIBRARIES[saved.library]
    try:
        codec = library()
        frame = codec.frame(saved)
        examples = codec.examples(frame, saved)
    except ImportError as error:
        # pandas raises one without a name for its own dtypes of pyarrow.
        missing = (error.name or "pyarrow").partition(".")[0]
        return MissingLibraryTemplate(missing, saved.schema)
    if saved.wrapper is not None:
        frame = WRAPPERS[saved.wrapper].from_native(frame)
    return FrameTemplate(frame, examples, saved.schema)


class _Codec(ABC):
    """Stores columns of a library, and frames without rows."""

    name: str

    def __init__(self) -> None:
        self.namespace: Any = import_module(self.name)

    @abstractmethod
    def columns(self, frame: Any) -> Iterable[Any]:
        """Return the columns of a frame."""

    @abstractmethod
    def form(self, frame: Any) -> dict[str, Any]:
        """Return what a frame has besides its columns."""

    @abstractmethod
    def frame(self, saved: SavedFrame) -> Any:
        """Return the frame, without rows."""

    def dtype_of(self, column: Any) -> Any:
        """Return the dtype of a column."""
        return column.dtype

    @abstractmethod
    def describe(self, dtype: Any) -> tuple[Any, ...]:
        """Return the family of a dtype, and its details."""

    @abstractmethod
    def dtype(self, described: tuple[Any, ...]) -> Any:
        """Undo `describe`."""

    @abstractmethod
    def cells(self, column: Any, family: str) -> Any:
        """Return the cells of a column."""

    @abstractmethod
    def column(self, described: tuple[Any, ...], cells: Any) -> Any:
        """Return the column of these cells."""

    def saved(self, column: Any) -> SavedColumn:
        """Return the dtype and the cells of a column."""
        described = self.describe(self.dtype_of(column))
        return SavedColumn(described, self.cells(column, described[0]))

    def restored(self, saved: SavedColumn) -> Any:
        """Undo `saved`."""
        return self.column(saved.dtype, saved.cells)

    def examples(self, frame: Any, saved: SavedFrame) -> list[Any]:  # noqa: ARG002
        """Return the examples, which have the names of the columns of the frame."""
        return [self.restored(example) for example in saved.examples]

    def check(self, column: Any, saved: SavedColumn) -> None:
        """Raise a TypeError if a stored column would come back with another dtype."""
        dtype = self.dtype_of(column)
        try:
            restored = self.restored(saved)
            is_same = self.dtype_of(restored) == dtype and len(restored) == len(column)
        except Exception as error:
            raise TypeError(f"found the dtype {dtype}") from error
        if not is_same:
            raise TypeError(f"found the dtype {dtype}")


class _Pandas(_Codec):
    """pandas."""

    name = "pandas"

    def columns(self, frame: Any) -> Iterable[Any]:
        return [frame.iloc[:, index] for index in range(frame.shape[1])]

    def form(self, frame: Any) -> dict[str, Any]:
        if type(frame) is not self.namespace.DataFrame:
            raise TypeError(f"found a frame of {type(frame).__name__}, a subclass")
        return {
            "columns": self._saved_index(frame.columns),
            "attrs": dict(frame.attrs),
            "allows_duplicate_labels": frame.flags.allows_duplicate_labels,
        }

    def frame(self, saved: SavedFrame) -> Any:
        columns = [self.column(one.dtype, None) for one in saved.columns]
        frame = self.namespace.DataFrame(dict(enumerate(columns)))
        frame.columns = self._index(saved.form["columns"])
        frame.attrs.update(saved.form["attrs"])
        allows = saved.form["allows_duplicate_labels"]
        return frame.set_flags(allows_duplicate_labels=allows)

    def examples(self, frame: Any, saved: SavedFrame) -> list[Any]:
        examples = super().examples(frame, saved)
        for name, example in zip(frame.columns, examples, strict=True):
            example.name = name
        return examples

    def _saved_index(self, index: Any) -> dict[str, Any]:
        if isinstance(index, self.namespace.RangeIndex):
            content: Any = range(index.start, index.stop, index.step)
        elif isinstance(index, self.namespace.MultiIndex):
            content = index.tolist()
        else:
            content = self.saved(self.namespace.Series(index))
        return {"names": list(index.names), "content": content}

    def _index(self, saved: dict[str, Any]) -> Any:
        content, names = saved["content"], saved["names"]
        if isinstance(content, range):
            return self.namespace.RangeIndex(content, name=names[0])
        if isinstance(content, SavedColumn):
            return self.namespace.Index(self.restored(content), name=names[0])
        return self.namespace.MultiIndex.from_tuples(content, names=names)

    def describe(self, dtype: Any) -> tuple[Any, ...]:
        if isinstance(dtype, np.dtype):
            return "numpy", dtype
        family = type(dtype).__name__
        if family == "CategoricalDtype":
            categories = self.saved(self.namespace.Series(dtype.categories))
            return family, categories, bool(dtype.ordered)
        if family == "StringDtype":
            return family, dtype.storage, dtype.na_value is self.namespace.NA
        if family == "DatetimeTZDtype":
            return family, dtype.unit, dtype.tz
        if family == "PeriodDtype":
            return family, dtype.name.removeprefix("period[").removesuffix("]")
        if family == "IntervalDtype":
            return family, self.describe(dtype.subtype), dtype.closed
        if family == "SparseDtype":
            return family, dtype.subtype, dtype.fill_value
        if family == "ArrowDtype":
            return family, _PyArrow().describe(dtype.pyarrow_dtype)
        if hasattr(dtype, "numpy_dtype"):
            return "masked", dtype.numpy_dtype
        raise TypeError(f"found the dtype {dtype}")

    def dtype(self, described: tuple[Any, ...]) -> Any:
        pandas, (family, *details) = self.namespace, described
        if family == "numpy" and isinstance(details[0], np.dtype):
            return details[0]
        if family == "CategoricalDtype":
            return pandas.CategoricalDtype(pandas.Index(self.restored(details[0])), details[1])
        if family == "StringDtype":
            # pandas before 2.3 takes no value for missing cells.
            return pandas.StringDtype(details[0], *([] if details[1] else [np.nan]))
        if family == "DatetimeTZDtype":
            return pandas.DatetimeTZDtype(*details)
        if family == "PeriodDtype":
            return pandas.PeriodDtype(details[0])
        if family == "IntervalDtype":
            return pandas.IntervalDtype(self.dtype(details[0]), details[1])
        if family == "SparseDtype":
            return pandas.SparseDtype(*details)
        if family == "ArrowDtype":
            return pandas.ArrowDtype(_PyArrow().dtype(details[0]))
        if family == "masked":
            return pandas.array([], dtype=_masked_name(details[0])).dtype
        raise ValueError("a dtype of pandas is malformed")

    def cells(self, column: Any, family: str) -> Any:
        if family == "CategoricalDtype":
            return np.array(column.cat.codes, dtype=np.int64)
        if family == "StringDtype":
            return [None if is_missing else str(cell) for cell, is_missing in _flagged(column)]
        if family == "DatetimeTZDtype":
            return np.array(column.dt.tz_convert(None))
        if family == "PeriodDtype":
            return np.array(column.array.asi8)
        if family == "IntervalDtype":
            ends = (
                self.namespace.Series(end) for end in (column.array.left, column.array.right)
            )
            return [self.saved(end) for end in ends]
        if family == "SparseDtype":
            return np.array(column.sparse.to_dense())
        if family == "ArrowDtype":
            return _PyArrow().saved(_arrow_of(column)).cells
        if family == "masked":
            values = column.array.to_numpy(dtype=column.dtype.numpy_dtype, na_value=0)
            return [np.array(values), np.array(column.isna())]
        return np.array(column)

    def column(self, described: tuple[Any, ...], cells: Any) -> Any:
        pandas, dtype, family = self.namespace, self.dtype(described), described[0]
        if cells is None:
            return pandas.Series([], dtype=dtype)
        if family == "CategoricalDtype":
            return pandas.Series(pandas.Categorical.from_codes(cells, dtype=dtype))
        if family == "DatetimeTZDtype":
            naive = pandas.Series(np.asarray(cells, dtype=f"M8[{dtype.unit}]"))
            return naive.dt.tz_localize("UTC").dt.tz_convert(dtype.tz)
        if family == "PeriodDtype":
            ordinals = np.asarray(cells, dtype=np.int64)
            return pandas.Series(pandas.arrays.PeriodArray(ordinals, dtype=dtype))
        if family == "IntervalDtype":
            ends = map(self.restored, cells)
            return pandas.Series(
                pandas.arrays.IntervalArray.from_arrays(*ends, closed=dtype.closed, dtype=dtype)
            )
        if family == "ArrowDtype":
            column = _PyArrow().column(described[1], cells)
            return pandas.Series(pandas.arrays.ArrowExtensionArray(column))
        if family == "masked":
            return pandas.Series(dtype.construct_array_type()(*cells))
        return pandas.Series(cells, dtype=dtype)


def _flagged(column: Any) -> Iterable[tuple[Any, bool]]:
    return zip(column.tolist(), column.isna().tolist(), strict=True)


def _masked_name(dtype: Any) -> str:
    if dtype.kind == "b":
        return "boolean"
    prefix = {"i": "Int", "u": "UInt", "f": "Float"}[dtype.kind]
    return f"{prefix}{8 * dtype.itemsize}"


def _arrow_of(column: Any) -> Any:
    import pyarrow as pa

    array = column.array.__arrow_array__()
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


class _Polars(_Codec):
    """polars."""

    name = "polars"
    plain = (
        *("Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64"),
        *("UInt128", "Float16", "Float32", "Float64", "Boolean", "String", "Binary", "Null"),
    )
    times = ("Date", "Time", "Datetime", "Duration")

    def columns(self, frame: Any) -> Iterable[Any]:
        columns: list[Any] = frame.get_columns()
        return columns

    def form(self, frame: Any) -> dict[str, Any]:
        return {"names": frame.columns}

    def frame(self, saved: SavedFrame) -> Any:
        dtypes = [self.dtype(column.dtype) for column in saved.columns]
        return self.namespace.DataFrame(
            schema=dict(zip(saved.form["names"], dtypes, strict=True))
        )

    def examples(self, frame: Any, saved: SavedFrame) -> list[Any]:
        examples = zip(frame.columns, super().examples(frame, saved), strict=True)
        return [example.alias(name) for name, example in examples]

    def describe(self, dtype: Any) -> tuple[Any, ...]:
        family = dtype.base_type().__name__
        if family in (*self.plain, "Date", "Time", "Categorical"):
            return (family,)
        if family == "Datetime":
            return family, dtype.time_unit, dtype.time_zone
        if family == "Duration":
            return family, dtype.time_unit
        if family == "Decimal":
            return family, dtype.precision, dtype.scale
        if family == "Enum":
            return family, dtype.categories.to_list()
        raise TypeError(f"found the dtype {dtype}")

    def dtype(self, described: tuple[Any, ...]) -> Any:
        family, *details = described
        families = (*self.plain, *self.times, "Categorical", "Decimal", "Enum")
        if family not in families:
            raise ValueError("a dtype of polars is malformed")
        return getattr(self.namespace, family)(*details)

    def cells(self, column: Any, family: str) -> Any:
        return (column.to_physical() if family in self.times else column).to_list()

    def column(self, described: tuple[Any, ...], cells: Any) -> Any:
        polars, dtype = self.namespace, self.dtype(described)
        if described[0] in self.times:
            physical = polars.Int32 if described[0] == "Date" else polars.Int64
            return polars.Series("", cells, dtype=physical).cast(dtype)
        return polars.Series("", cells, dtype=dtype)


class _PyArrow(_Codec):
    """PyArrow."""

    name = "pyarrow"
    plain = (
        *("null", "bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
        *("uint64", "float16", "float32", "float64", "string", "large_string", "string_view"),
        *("binary", "large_binary", "binary_view", "date32", "date64"),
    )
    decimals = ("decimal32", "decimal64", "decimal128", "decimal256")

    def columns(self, frame: Any) -> Iterable[Any]:
        columns: list[Any] = frame.columns
        return columns

    def form(self, frame: Any) -> dict[str, Any]:
        if type(frame) is not self.namespace.Table:
            raise TypeError(f"found a {type(frame).__name__} of pyarrow")
        fields = [(field.name, field.nullable, field.metadata) for field in frame.schema]
        return {"fields": fields, "metadata": frame.schema.metadata}

    def frame(self, saved: SavedFrame) -> Any:
        fields = [
            self.namespace.field(name, self.dtype(column.dtype), nullable, metadata)
            for (name, nullable, metadata), column in zip(
                saved.form["fields"], saved.columns, strict=True
            )
        ]
        return self.namespace.schema(fields, saved.form["metadata"]).empty_table()

    def dtype_of(self, column: Any) -> Any:
        return column.type

    def describe(self, dtype: Any) -> tuple[Any, ...]:
        types = self.namespace.types
        for name in self.plain:
            if dtype == getattr(self.namespace, name)():
                return (name,)
        if types.is_timestamp(dtype):
            return "timestamp", dtype.unit, dtype.tz
        if types.is_duration(dtype):
            return "duration", dtype.unit
        if types.is_time(dtype):
            return f"time{dtype.bit_width}", dtype.unit
        if types.is_decimal(dtype):
            return f"decimal{dtype.bit_width}", dtype.precision, dtype.scale
        if types.is_fixed_size_binary(dtype):
            return "fixed binary", dtype.byte_width
        if types.is_dictionary(dtype):
            parts = self.describe(dtype.index_type), self.describe(dtype.value_type)
            return "dictionary", *parts, dtype.ordered
        if types.is_run_end_encoded(dtype):
            parts = self.describe(dtype.run_end_type), self.describe(dtype.value_type)
            return "run_end_encoded", *parts
        raise TypeError(f"found the dtype {dtype}")

    def dtype(self, described: tuple[Any, ...]) -> Any:
        arrow, (family, *details) = self.namespace, described
        if family == "fixed binary" and 0 <= details[0] <= WIDEST_BINARY:
            return arrow.binary(*details)
        if family == "dictionary":
            return arrow.dictionary(*map(self.dtype, details[:2]), details[2])
        if family == "run_end_encoded":
            return arrow.run_end_encoded(*map(self.dtype, details))
        times = ("timestamp", "duration", "time32", "time64")
        if family not in (*self.plain, *self.decimals, *times):
            raise ValueError("a dtype of pyarrow is malformed")
        return getattr(arrow, family)(*details)

    def cells(self, column: Any, family: str) -> Any:
        if family == "dictionary":
            combined = column.combine_chunks()
            if isinstance(combined, self.namespace.ChunkedArray):  # of several dictionaries
                combined = combined.unify_dictionaries().combine_chunks()
            values = self.saved(combined.dictionary)
            return [combined.indices.to_pylist(), values]
        physical = self._physical(column.type)
        return (column if physical is None else column.cast(physical)).to_pylist()

    def column(self, described: tuple[Any, ...], cells: Any) -> Any:
        arrow, dtype = self.namespace, self.dtype(described)
        if described[0] == "dictionary":
            indices = arrow.array(cells[0], type=dtype.index_type)
            values = self.restored(cells[1]).combine_chunks()
            made = arrow.DictionaryArray.from_arrays(indices, values, ordered=dtype.ordered)
            return arrow.chunked_array([made])
        physical = self._physical(dtype)
        made = arrow.array(cells, type=dtype if physical is None else physical)
        return arrow.chunked_array([made]).cast(dtype)

    def _physical(self, dtype: Any) -> Any:
        """Return the type of integers that times are stored as."""
        if not self.namespace.types.is_temporal(dtype):
            return None
        return self.namespace.int32() if dtype.bit_width == 32 else self.namespace.int64()


_LIBRARIES: dict[str, type[_Codec]] = {
    "pandas": _Pandas,
    "polars": _Polars,
    "pyarrow": _PyArrow,
}
