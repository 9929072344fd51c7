"""`Template`: make a table of the user's type from drawn cells.

Drawn cells that repeat an old one (levels, missing cells) are copied from an example in the
user's table, so that they keep its dtype in any library. Only new numbers are converted.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
from scipy import sparse

from vaesampler._table.cells import TIME_UNITS, time_zone_of
from vaesampler._table.columns import Column, IntegerColumn, NumericColumn
from vaesampler._table.frames import concatenate, in_form_of
from vaesampler._table.row_types import RowType
from vaesampler._table.schema import FeatureSchema

CellBlock: TypeAlias = npt.NDArray[np.float64]  # (n_rows_of_block, n_columns)


class Template(ABC):
    """Make a table of the user's type from blocks of cells, of `n_rows` rows in total."""

    schema: FeatureSchema

    @abstractmethod
    def make(self, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return a table of these cells."""

    @abstractmethod
    def append(self, X: Any, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return the user's table X with these cells below it."""


@dataclass(frozen=True)
class ArrayTemplate(Template):
    """Make a NumPy array."""

    dtype: np.dtype[Any]
    # For each column, a cell of each level, then a missing cell: (n_levels [+ 1],).
    examples: list[npt.NDArray[Any]]
    schema: FeatureSchema

    def make(self, blocks: Iterable[CellBlock], n_rows: int) -> npt.NDArray[Any]:
        """Return an array of the user's dtype."""
        return self.append(np.empty((0, len(self.schema.columns))), blocks, n_rows)

    def append(self, X: Any, blocks: Iterable[CellBlock], n_rows: int) -> npt.NDArray[Any]:
        """Return one array of the user's rows and the new ones."""
        n_before = len(X)
        rows = np.empty((n_before + n_rows, len(self.schema.columns)), dtype=self.dtype)
        rows[:n_before] = X
        self.fill(rows[n_before:], blocks)
        return rows

    def fill(self, rows: npt.NDArray[Any], blocks: Iterable[CellBlock]) -> None:
        """Write the new rows into an array of the user's dtype."""
        for new, cells in _rows_of_blocks(rows, blocks):
            self._write(cells, new)

    def _write(self, cells: CellBlock, rows: npt.NDArray[Any]) -> None:  # in place
        is_float = self.dtype.kind == "f"
        if is_float:
            rows[:] = cells
        for index, (column, examples) in enumerate(
            zip(self.schema.columns, self.examples, strict=True)
        ):
            if is_float and not column.has_levels:
                continue
            new = NewCells.of(column, cells[:, index])
            if new.is_new.any():
                values = new.objects() if self.dtype.kind == "O" else new.cast(self.dtype)
                rows[new.is_new, index] = values
            rows[~new.is_new, index] = examples[new.example_indices]


@dataclass(frozen=True)
class SequenceTemplate(Template):
    """Make a list or tuple of rows."""

    objects: ArrayTemplate
    kind: type  # list or tuple
    row_type: RowType
    schema: FeatureSchema

    def make(self, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return rows of the type that the user's rows have."""
        cells = self.objects.make(blocks, n_rows).tolist()
        return self.kind(map(self.row_type.make, cells))

    def append(self, X: Any, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return the user's rows and the new ones."""
        return self.kind([*X, *self.make(blocks, n_rows)])


@dataclass(frozen=True)
class TensorTemplate(Template):
    """Make a PyTorch tensor on the CPU."""

    array: ArrayTemplate
    empty: Any  # a tensor of the user's dtype, (0, n_columns)
    schema: FeatureSchema

    def make(self, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return a tensor of the user's dtype."""
        return self.append(self.empty, blocks, n_rows)

    def append(self, X: Any, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return one tensor of the user's rows and the new ones."""
        n_before = len(X)
        rows = self.empty.new_empty((n_before + n_rows, len(self.schema.columns)))
        rows[:n_before] = X
        self.array.fill(rows.numpy()[n_before:], blocks)  # in the tensor's memory
        return rows


@dataclass(frozen=True)
class SparseTemplate(Template):
    """Make a sparse array or matrix."""

    empty: Any  # the user's table without its rows, as csr or csc, (0, n_columns)
    format: str  # of the user's table
    schema: FeatureSchema

    def make(self, blocks: Iterable[CellBlock], n_rows: int) -> Any:  # noqa: ARG002
        """Return a sparse table of the user's type, format and dtype."""
        parts = [type(self.empty)(self._dense(cells)) for cells in blocks]
        return sparse.vstack([self.empty, *parts], format=self.format, dtype=self.empty.dtype)

    def append(self, X: Any, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return a sparse table of the user's rows and the new ones."""
        return sparse.vstack(
            [X, self.make(blocks, n_rows)], format=self.format, dtype=self.empty.dtype
        )

    def _dense(self, cells: CellBlock) -> npt.NDArray[Any]:  # as `cells`
        dtype = self.empty.dtype
        rows = np.empty(cells.shape, dtype=dtype)
        for index, column in enumerate(self.schema.columns):
            new = NewCells.of(column, cells[:, index])
            if new.is_new.any():
                rows[new.is_new, index] = new.cast(dtype)
            examples = np.append(column.levels, [np.nan] if dtype.kind == "f" else [])
            rows[~new.is_new, index] = examples[new.example_indices]
        return rows


@dataclass(frozen=True)
class FrameTemplate(Template):
    """Make a data frame."""

    empty: Any  # the user's frame without its rows
    # For each column, a native series of a cell of each level, then a missing cell.
    examples: list[Any]
    schema: FeatureSchema

    def make(self, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return a frame of the user's library and type, names and dtypes."""
        cells = np.empty((n_rows, len(self.schema.columns)))
        for rows, block in _rows_of_blocks(cells, blocks):
            rows[:] = block
        names = nw.from_native(self.empty, eager_only=True).columns
        series = [
            self._series(index, NewCells.of(column, cells[:, index])).alias(name)
            for index, (name, column) in enumerate(zip(names, self.schema.columns, strict=True))
        ]
        first, *others = series
        frame = first.to_frame().with_columns(*others)
        return in_form_of(self.empty, frame.to_native())

    def append(self, X: Any, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return a frame of the user's rows and the new ones, with a new index in pandas."""
        return in_form_of(self.empty, concatenate(X, self.make(blocks, n_rows)))

    def _series(self, index: int, new: "NewCells") -> nw.Series[Any]:
        examples = nw.from_native(self.examples[index], series_only=True)
        if not new.is_new.any():
            return nw.maybe_reset_index(examples[new.example_indices.tolist()])
        new_values = _values_for(examples.dtype, new)
        values = np.zeros(len(new.is_new), dtype=new_values.dtype)
        values[new.is_new] = new_values
        made = _cast(examples, values)
        if new.is_new.all():
            return made
        # The other cells are missing ones, which are copied.
        indices = np.zeros(len(new.is_new), dtype=np.intp)
        indices[~new.is_new] = new.example_indices
        copies = nw.maybe_reset_index(examples[indices.tolist()])
        return made.zip_with(
            nw.new_series("is_new", new.is_new, backend=examples.implementation), copies
        )


@dataclass(frozen=True)
class NewCells:
    """Cells of one column, split into new values and copies of examples."""

    column: Column
    is_new: npt.NDArray[np.bool_]  # (n_rows,)
    values: npt.NDArray[np.float64]  # (n_new,)
    example_indices: npt.NDArray[np.intp]  # (n_copies,)

    @classmethod
    def of(cls, column: Column, cells: npt.NDArray[np.float64]) -> Self:  # (n_rows,)
        """Split the cells of a column."""
        is_observed = ~np.isnan(cells)
        is_new = is_observed & column.draws_new_values
        indices = np.full(len(cells), len(column.levels), dtype=np.intp)
        if not column.draws_new_values:
            indices[is_observed] = column.example_indices(cells[is_observed])
        return cls(column, is_new, cells[is_new], indices[~is_new])

    def cast(self, dtype: np.dtype[Any]) -> npt.NDArray[Any]:  # (n_new,)
        """Return the new values in a dtype, clipped to the column's range in that dtype."""
        if dtype.kind not in "iu":
            return self.values.astype(dtype)
        # The largest integer of a dtype may be rounded up as a float, which would overflow.
        largest = float(np.iinfo(dtype).max)
        if int(largest) > np.iinfo(dtype).max:
            largest = float(np.nextafter(largest, 0))
        whole = np.rint(self.values).clip(np.iinfo(dtype).min, largest).astype(dtype)
        column = self._numeric_column
        values: npt.NDArray[Any] = whole.clip(int(column.lowest), int(column.highest))
        return values

    def objects(self) -> list[object]:  # n_new
        """Return the new values as Python's numbers, or as `decimal.Decimal` objects."""
        column = self._numeric_column
        if not column.holds_decimals:
            dtype = np.dtype(int if isinstance(column, IntegerColumn) else float)
            return list(self.cast(dtype).tolist())
        form = "" if column.decimals is None else f".{column.decimals}f"
        return [Decimal(format(value, form)) for value in self.values.tolist()]

    @property
    def _numeric_column(self) -> NumericColumn:
        assert isinstance(self.column, NumericColumn)  # no other column has new values
        return self.column


def _rows_of_blocks(
    rows: npt.NDArray[Any], blocks: Iterable[CellBlock]
) -> Iterator[tuple[npt.NDArray[Any], CellBlock]]:
    """Yield a view of the rows that each block fills, and the block."""
    start = 0
    for cells in blocks:
        yield rows[start : start + len(cells)], cells
        start += len(cells)


def _cast(examples: nw.Series[Any], values: npt.NDArray[Any]) -> nw.Series[Any]:  # (n_rows,)
    """Return values as a series with the library, name and dtype of `examples`."""
    dtype = examples.dtype
    series = nw.new_series(examples.name, values, backend=examples.implementation)
    zone = time_zone_of(examples)
    if zone is not None:
        series = _from_local_times(series, zone)
    native = examples.to_native()
    if examples.implementation.is_pandas_like():
        # narwhals does not distinguish pandas' nullable, arrow-backed and other dtypes.
        return nw.from_native(series.to_native().astype(native.dtype), series_only=True)
    return series.cast(dtype)


def _values_for(dtype: nw.dtypes.DType, new: NewCells) -> npt.NDArray[Any]:  # (n_new,)
    """Return new values in a NumPy dtype that narwhals can cast to `dtype`."""
    column = new.column
    if column.time_unit is not None:
        microseconds = new.cast(np.dtype(np.int64)) * TIME_UNITS[column.time_unit]
        return microseconds.astype("m8[us]" if dtype == nw.Duration else "M8[us]")
    if isinstance(column, NumericColumn) and column.holds_decimals:
        return np.array(new.objects(), dtype=object)
    if isinstance(column, IntegerColumn) and not dtype.is_float():
        return new.cast(np.dtype("u8" if dtype.is_unsigned_integer() else "i8"))
    return new.cast(np.dtype("f8"))


def _from_local_times(times: nw.Series[Any], zone: str) -> nw.Series[Any]:  # (n_rows,), both
    """Return the instants of local times of a zone.

    Local times that a change to summer time skips are moved by an hour.
    """

    def in_zone(instants: npt.NDArray[np.datetime64]) -> nw.Series[Any]:
        series = nw.new_series(times.name, instants, backend=times.implementation)
        return series.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)

    local = times.to_numpy()
    instants = local
    # Subtract the offset from UTC. The second pass uses the offset at the corrected instant,
    # which may be on the other side of a clock change.
    for _ in range(2):
        shown = in_zone(instants).dt.replace_time_zone(None).to_numpy()
        instants = instants + (local - shown)
    return in_zone(instants)
