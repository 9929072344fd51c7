"""`Container`: the kinds of table that users pass, read column by column and handed back.

New cells that repeat an old one (levels, missing cells) are taken from the table itself, so
that they have its dtype whatever the library; only new numbers have to be converted.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse

from vaesampler._cells import (
    cells_of_array,
    cells_of_series,
    is_missing_object,
    time_zone_of,
)
from vaesampler._columns import TIME_UNITS, Cells, Column
from vaesampler._schema import FeatureSchema, column_names

# An array is looked at so many columns at a time.
_COLUMNS_AT_ONCE = 8


class Container(ABC):
    """A table of the user's, with its rows as yet unread."""

    @staticmethod
    def of(X: Any) -> "Container":
        """Tell the kind of a frame, or of a list, an array or a sparse matrix of 2 dimensions.

        Raises
        ------
        TypeError, ValueError
            As `is_frame` does.
        """
        if isinstance(X, list):
            return ListContainer(ArrayContainer(np.array(X, dtype=object)))
        if sparse.issparse(X):
            return SparseContainer(X)
        if is_frame(X):
            return FrameContainer(nw.from_native(X, eager_only=True))
        return ArrayContainer(X)

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Names of the columns, for messages where the container has none."""

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Number of rows."""

    @abstractmethod
    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column."""

    def numbers(self) -> Any:
        """Return all cells as one array, or csr array, of numbers; None if they are not."""
        return None

    @abstractmethod
    def template(self, schema: FeatureSchema) -> "Template":
        """Keep what is needed to make such tables, which is little, without the rows."""


class Template(ABC):
    """How to make a table of the user's kind from the numbers that stand for its cells.

    They come in blocks of rows, (n, n_columns), of `n_rows` rows in all.
    """

    @abstractmethod
    def make(self, blocks: Iterable[np.ndarray], n_rows: int) -> Any:
        """Return a table of these cells."""

    @abstractmethod
    def append(self, X: Any, blocks: Iterable[np.ndarray], n_rows: int) -> Any:
        """Return the user's own rows, and below them these cells."""


def is_frame(X: Any) -> bool:
    """Tell whether X is a data frame that narwhals knows.

    Raises
    ------
    TypeError
        If it is a frame of another library, or one whose rows are not in memory.
    ValueError
        If two of its columns have the same name.
    """
    try:
        frame = nw.from_native(X, eager_only=True, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        names = list(X.column_names if hasattr(X, "column_names") else X.columns)
        repeated = sorted({str(name) for name in names if names.count(name) > 1})
        raise ValueError(
            f"The columns of X must have different names; found {repeated} more than once. "
            "Rename them first."
        ) from error
    if isinstance(frame, nw.DataFrame):
        return True
    if hasattr(type(X), "columns"):
        raise TypeError(
            "X must be an array, a sparse matrix, a list or a data frame in memory of pandas, "
            "polars, pyarrow or another library that narwhals knows; found "
            f"{type(X).__module__}.{type(X).__qualname__}. Convert it first, for example "
            "with `X.to_pandas()` or `X.collect()`."
        )
    return False


@dataclass(frozen=True)
class ArrayContainer(Container):
    """A NumPy array of numbers, text or objects."""

    array: np.ndarray  # (n_rows, n_columns)

    @property
    def names(self) -> list[str]:
        """Names for messages."""
        return column_names(None, self.array.shape[1])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.array)

    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column."""
        names = self.names
        # Cells of neighbouring columns lie side by side: what is read is used.
        for start in range(0, len(names), _COLUMNS_AT_ONCE):
            some = slice(start, start + _COLUMNS_AT_ONCE)
            columns = np.ascontiguousarray(self.array[:, some].T)
            for name, values in zip(names[some], columns, strict=True):
                yield cells_of_array(name, values)

    def numbers(self) -> np.ndarray | None:
        """Return the array, if it holds numbers."""
        return self.array if self.array.dtype.kind in "biuf" else None

    def template(self, schema: FeatureSchema) -> "Template":
        """Keep one example of each level."""
        return ArrayTemplate(
            self.array.dtype,
            [
                self.array[_example_rows(column), number]
                for number, column in enumerate(schema.columns)
            ],
            schema,
        )


@dataclass(frozen=True)
class ArrayTemplate(Template):
    """How to make a NumPy array."""

    dtype: np.dtype
    examples: list[np.ndarray]  # one of each level of a column, then a missing cell
    schema: FeatureSchema

    def make(self, blocks: Iterable[np.ndarray], n_rows: int) -> np.ndarray:
        """Return an array of the user's dtype."""
        return self.append(np.empty((0, len(self.schema.columns))), blocks, n_rows)

    def append(self, X: Any, blocks: Iterable[np.ndarray], n_rows: int) -> np.ndarray:
        """Write new rows below the user's own."""
        n_before = len(X)
        rows = np.empty((n_before + n_rows, len(self.schema.columns)), dtype=self.dtype)
        rows[:n_before] = X
        for new, cells in _places(rows[n_before:], blocks):
            self._write(cells, new)
        return rows

    def _write(self, cells: np.ndarray, rows: np.ndarray) -> None:
        is_float = self.dtype.kind == "f"
        if is_float:
            rows[:] = cells
        for number, (column, examples) in enumerate(
            zip(self.schema.columns, self.examples, strict=True)
        ):
            if is_float and not column.has_levels:
                continue
            new = _NewCells.of(column, cells[:, number])
            if self.dtype.kind != "O":
                rows[new.is_number, number] = new.numbers(self.dtype)
            else:
                rows[new.is_number, number] = new.objects()
            rows[~new.is_number, number] = examples[new.places]


@dataclass(frozen=True)
class ListContainer(Container):
    """A list of rows, read as an array."""

    rows: ArrayContainer

    @property
    def names(self) -> list[str]:
        """Names for messages."""
        return self.rows.names

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.rows.n_rows

    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column."""
        return self.rows.columns()

    def template(self, schema: FeatureSchema) -> "Template":
        """Keep one example of each level."""
        return ListTemplate(self.rows.template(schema))


@dataclass(frozen=True)
class ListTemplate(Template):
    """How to make a list of rows."""

    rows: Template

    def make(self, blocks: Iterable[np.ndarray], n_rows: int) -> list:
        """Return a list of rows."""
        rows: list = self.rows.make(blocks, n_rows).tolist()
        return rows

    def append(self, X: list, blocks: Iterable[np.ndarray], n_rows: int) -> list:
        """Put new rows below the user's own."""
        return [*X, *self.make(blocks, n_rows)]


@dataclass(frozen=True)
class SparseContainer(Container):
    """A SciPy sparse array or matrix of numbers."""

    matrix: Any  # (n_rows, n_columns), csr or csc

    @property
    def names(self) -> list[str]:
        """Names for messages."""
        return column_names(None, self.matrix.shape[1])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.matrix.shape[0])

    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column, which is dense while it is looked at."""
        by_column = sparse.csc_array(self.matrix)
        by_column.sum_duplicates()
        for number, name in enumerate(self.names):
            values = np.zeros(by_column.shape[0], dtype=by_column.dtype)
            stored = slice(by_column.indptr[number], by_column.indptr[number + 1])
            values[by_column.indices[stored]] = by_column.data[stored]
            yield cells_of_array(name, values)

    def numbers(self) -> Any:
        """Return the matrix, stored by rows."""
        return sparse.csr_array(self.matrix)

    def template(self, schema: FeatureSchema) -> "Template":
        """Keep the kind of matrix."""
        return SparseTemplate(self.matrix[:0], schema)


@dataclass(frozen=True)
class SparseTemplate(Template):
    """How to make a sparse array or matrix."""

    empty: Any  # of the user's kind, with its columns and no rows
    schema: FeatureSchema

    def make(self, blocks: Iterable[np.ndarray], n_rows: int) -> Any:  # noqa: ARG002
        """Return a sparse table of the user's kind and dtype."""
        parts = [type(self.empty)(self._dense(cells)) for cells in blocks]
        return sparse.vstack(
            [self.empty, *parts], format=self.empty.format, dtype=self.empty.dtype
        )

    def _dense(self, cells: np.ndarray) -> np.ndarray:  # (n, n_columns), both
        dtype = self.empty.dtype
        rows = np.empty(cells.shape, dtype=dtype)
        for number, column in enumerate(self.schema.columns):
            new = _NewCells.of(column, cells[:, number])
            rows[new.is_number, number] = new.numbers(dtype)
            levels = np.append(column.levels, [np.nan] if dtype.kind == "f" else [])
            rows[~new.is_number, number] = levels[new.places]
        return rows

    def append(self, X: Any, blocks: Iterable[np.ndarray], n_rows: int) -> Any:
        """Put new rows below the user's own."""
        return sparse.vstack([X, self.make(blocks, n_rows)], format=X.format, dtype=X.dtype)


@dataclass(frozen=True)
class FrameContainer(Container):
    """A data frame of any library that narwhals knows: pandas, polars, pyarrow, ..."""

    frame: nw.DataFrame

    @property
    def names(self) -> list[str]:
        """Names of the columns, as text."""
        return [str(name) for name in self.frame.columns]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.frame)

    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column."""
        for name, series in zip(self.names, self._series(), strict=True):
            yield cells_of_series(name, series)

    def template(self, schema: FeatureSchema) -> "Template":
        """Keep one example of each level."""
        return FrameTemplate(
            self.frame[[], :].to_native(),  # a slice would keep all rows in memory
            [
                one[_example_rows(column).tolist()].to_native()
                for one, column in zip(self._series(), schema.columns, strict=True)
            ],
            schema,
        )

    def _series(self) -> list[nw.Series]:
        return [self.frame.get_column(name) for name in self.frame.columns]


@dataclass(frozen=True)
class FrameTemplate(Template):
    """How to make a data frame."""

    empty: Any  # the user's frame, without its rows
    examples: list[Any]  # native series: one of each level, then a missing cell
    schema: FeatureSchema

    def make(self, blocks: Iterable[np.ndarray], n_rows: int) -> Any:
        """Return a frame of the user's library, with its names and dtypes."""
        cells = np.empty((n_rows, len(self.schema.columns)))
        for rows, block in _places(cells, blocks):
            rows[:] = block
        names = nw.from_native(self.empty, eager_only=True).columns
        series = [
            self._series(number, _NewCells.of(column, cells[:, number])).alias(name)
            for number, (name, column) in enumerate(
                zip(names, self.schema.columns, strict=True)
            )
        ]
        first, *others = series
        frame = first.to_frame().with_columns(*others)
        made = frame.to_native()
        if frame.implementation.is_pandas_like():
            made.columns = self.empty.columns  # which may have a name themselves
        elif frame.implementation.is_pyarrow():
            made = made.cast(self.empty.schema)  # whose fields may be said never to be null
        return made

    def append(self, X: Any, blocks: Iterable[np.ndarray], n_rows: int) -> Any:
        """Put new rows below the user's own; rows of pandas are numbered anew."""
        frames = [nw.from_native(one) for one in (X, self.make(blocks, n_rows))]
        return nw.maybe_reset_index(nw.concat(frames, how="vertical")).to_native()

    def _series(self, number: int, new: "_NewCells") -> nw.Series:
        examples = nw.from_native(self.examples[number], series_only=True)
        if not new.is_number.any():
            return nw.maybe_reset_index(examples[new.places.tolist()])
        found = _numbers_for(examples.dtype, new)
        numbers = np.zeros(len(new.is_number), dtype=found.dtype)
        numbers[new.is_number] = found
        made = _cast(examples, numbers)
        if new.is_number.all():
            return made
        # Missing cells are copies of the column's own.
        places = np.zeros(len(new.is_number), dtype=np.intp)
        places[~new.is_number] = new.places
        copies = nw.maybe_reset_index(examples[places.tolist()])
        return made.zip_with(
            nw.new_series("is_number", new.is_number, backend=examples.implementation), copies
        )


@dataclass(frozen=True)
class _NewCells:
    """Cells of one column, split into new numbers and copies of cells that were seen."""

    column: Column
    is_number: np.ndarray  # (n_rows,)
    values: np.ndarray  # (n_numbers,), float64
    places: np.ndarray  # (n_copies,), among the column's examples

    @classmethod
    def of(cls, column: Column, cells: np.ndarray) -> Self:  # (n_rows,)
        is_missing = np.isnan(cells)
        if column.kind in ("continuous", "integer"):
            n_missing = int(is_missing.sum())
            return cls(
                column, ~is_missing, cells[~is_missing], np.zeros(n_missing, dtype=np.intp)
            )
        places = np.full(len(cells), len(column.levels), dtype=np.intp)
        observed = cells[~is_missing]
        if column.kind == "discrete":
            observed = np.searchsorted(column.levels.astype(np.float64), observed)
        places[~is_missing] = observed
        return cls(column, np.zeros(len(cells), dtype=bool), np.empty(0), places)

    def numbers(self, dtype: np.dtype) -> np.ndarray:  # (n_numbers,)
        """Return the new numbers in a dtype, within the column's range in that dtype."""
        if dtype.kind not in "iu":
            return self.values.astype(dtype)
        # The largest integers of a dtype, rounded up, would overflow.
        largest = float(np.iinfo(dtype).max)
        if int(largest) > np.iinfo(dtype).max:
            largest = float(np.nextafter(largest, 0))
        whole = np.rint(self.values).clip(np.iinfo(dtype).min, largest).astype(dtype)
        numbers: np.ndarray = whole.clip(int(self.column.lowest), int(self.column.highest))
        return numbers

    def objects(self) -> list[object]:  # n_numbers
        """Return the new numbers as objects of Python."""
        column = self.column
        if not column.holds_decimals:
            dtype = np.dtype(int if column.kind == "integer" else float)
            return list(self.numbers(dtype).tolist())
        form = "" if column.decimals is None else f".{column.decimals}f"
        return [Decimal(format(number, form)) for number in self.values.tolist()]


def _places(
    rows: np.ndarray, blocks: Iterable[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows where each block belongs, and the block."""
    start = 0
    for cells in blocks:
        yield rows[start : start + len(cells)], cells
        start += len(cells)


def _example_rows(column: Column) -> np.ndarray:  # (n_levels [+ 1],)
    missing = [] if column.first_missing_row is None else [column.first_missing_row]
    is_drawn = column.kind in ("continuous", "integer")
    levels = [] if is_drawn else column.first_rows.tolist()
    return np.array([*levels, *missing], dtype=np.intp)


def _cast(examples: nw.Series, values: np.ndarray) -> nw.Series:
    """Return values as a series of the library, name and dtype of another one."""
    dtype = examples.dtype
    series = nw.new_series(examples.name, values, backend=examples.implementation)
    zone = time_zone_of(examples)
    if zone is not None:
        series = _on_clocks_of(zone, series)
    native = examples.to_native()
    if examples.implementation.is_pandas_like():
        # Nullable, arrow-backed and other dtypes that only pandas tells apart.
        return nw.from_native(series.to_native().astype(native.dtype), series_only=True)
    return series.cast(dtype)


def _numbers_for(dtype: nw.dtypes.DType, new: _NewCells) -> np.ndarray:  # (n_numbers,)
    """Return new numbers as NumPy has them, from which narwhals makes this dtype."""
    unit = new.column.time_unit
    if unit is not None:
        microseconds = new.numbers(np.dtype(np.int64)) * TIME_UNITS[unit]
        return microseconds.astype("m8[us]" if dtype == nw.Duration else "M8[us]")
    if new.column.holds_decimals:
        return np.array(new.objects(), dtype=object)
    if new.column.kind == "integer" and not dtype.is_float():
        return new.numbers(np.dtype("u8" if dtype.is_unsigned_integer() else "i8"))
    return new.numbers(np.dtype("f8"))


def _on_clocks_of(zone: str, times: nw.Series) -> nw.Series:
    """Return when clocks of a zone show these times; of those shown never, an hour off."""

    def in_zone(instants: np.ndarray) -> nw.Series:
        series = nw.new_series(times.name, instants, backend=times.implementation)
        return series.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)

    wanted = times.to_numpy()
    instants = wanted
    # Set right by how late it is there then; twice, since the hour may be changed between.
    for _ in range(2):
        shown = in_zone(instants).dt.replace_time_zone(None).to_numpy()
        instants = instants + (wanted - shown)
    return in_zone(instants)


def labels_of(y: Any) -> Any:
    """Return the labels as scikit-learn takes them: a NumPy array, or what is no frame.

    Raises
    ------
    ValueError
        If a label is missing.
    """
    native = nw.from_native(y, eager_only=True, allow_series=True, pass_through=True)
    if not isinstance(native, nw.Series | nw.DataFrame):
        return y
    labels = np.asarray(native.to_numpy())
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind == "O":
        n_missing = sum(map(is_missing_object, labels.ravel()))
        if n_missing:
            raise ValueError(
                f"y must name the class of every row; found {n_missing} missing labels. Drop "
                "their rows first."
            )
        if set(map(type, labels.ravel())) <= {bool, np.bool_}:
            labels = labels.astype(bool)
    return labels


def take_labels(y: Any, numbers: np.ndarray) -> Any:  # (n,)
    """Return the labels of the rows with these numbers, in the user's own container."""
    native = nw.from_native(y, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(native, nw.Series | nw.DataFrame):
        return nw.maybe_reset_index(native[numbers.tolist()]).to_native()
    if isinstance(y, list | tuple):
        return type(y)([y[number] for number in numbers])
    if sparse.issparse(y):
        return y[numbers]
    labels = np.asarray(y)
    return (labels.ravel() if labels.shape[1:] == (1,) else labels)[numbers]
