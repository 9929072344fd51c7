"""`Template`: make a table of the user's type from drawn cells.

Drawn cells that repeat an old one (levels, missing cells) are copied from an example in the
user's table, so that they keep its dtype in any library. Only new numbers are converted.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Self, TypeAlias
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
from scipy import sparse

from vaesampler._table.columns import Column, NumericColumn
from vaesampler._table.frames import concatenate, in_form_of, plain_frame
from vaesampler._table.row_types import RowType
from vaesampler._table.schema import FeatureSchema
from vaesampler._table.series import encoded_like, series_like

CellBlock: TypeAlias = npt.NDArray[np.float64]  # (n_rows_of_block, n_columns)


class Template(ABC):
    """Make a table of the user's type from blocks of cells, of `n_rows` rows in total."""

    schema: FeatureSchema

    @property
    def keys(self) -> Sequence[Hashable]:
        """Names of the columns as their library has them: those of `Container.keys`."""
        return [column.name for column in self.schema.columns]

    def zone(self, column_index: int) -> tzinfo | None:
        """Return the time zone of a column's datetimes; None if they have none."""
        notation = self.schema.columns[column_index].notation
        return getattr(getattr(notation, "as_object", None), "zone", None)

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
            if is_float and column.is_plain:
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
        """Return copies of the user's rows, and the new ones."""
        return self.kind([*map(copy, X), *self.make(blocks, n_rows)])


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

    def make(self, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return a sparse table of the user's type, format and dtype."""
        # Too many rows fail here, rather than once all memory is taken.
        np.empty(n_rows, dtype=np.int64)
        parts = [type(self.empty)(self._dense(cells)) for cells in blocks]
        return sparse.vstack([self.empty, *parts], format=self.format, dtype=self.empty.dtype)

    def append(self, X: Any, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return a sparse table of the user's rows and the new ones."""
        return sparse.vstack(
            [convertible(X), self.make(blocks, n_rows)],
            format=self.format,
            dtype=self.empty.dtype,
        )

    def _dense(self, cells: CellBlock) -> npt.NDArray[Any]:  # as `cells`
        dtype = self.empty.dtype
        rows = np.empty(cells.shape, dtype=dtype)
        for index, column in enumerate(self.schema.columns):
            new = NewCells.of(column, cells[:, index])
            if new.is_new.any():
                rows[new.is_new, index] = new.cast(dtype)
            missing = [np.nan] if dtype.kind == "f" else []
            examples = np.array([*column.levels.tolist(), *missing], dtype=dtype)
            rows[~new.is_new, index] = examples[new.example_indices]
        return rows


def convertible(matrix: Any) -> Any:
    """Return a sparse matrix that SciPy can convert, which read-only lists of lists are not."""
    return matrix.copy() if matrix.format == "lil" else matrix


@dataclass(frozen=True)
class FrameTemplate(Template):
    """Make a data frame."""

    empty: Any  # the user's frame without its rows
    # For each column, a native series of a cell of each level, then a missing cell.
    examples: list[Any]
    schema: FeatureSchema

    @property
    def keys(self) -> Sequence[Hashable]:
        """Names of the columns as their library has them: text, or also integers or tuples."""
        return plain_frame(self.empty).columns

    def zone(self, column_index: int) -> tzinfo | None:
        """Return the time zone of a column's datetimes; None if they have none."""
        dtype = nw.from_native(self.examples[column_index], series_only=True).dtype
        name = getattr(dtype, "time_zone", None)
        return super().zone(column_index) if name is None else ZoneInfo(name)

    def make(self, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return a frame of the user's library and type, names and dtypes."""
        cells = np.empty((n_rows, len(self.schema.columns)))
        for rows, block in _rows_of_blocks(cells, blocks):
            rows[:] = block
        empty = plain_frame(self.empty)
        columns = zip(empty.columns, self.examples, self.schema.columns, cells.T, strict=True)
        first, *others = [
            _series_like(
                empty.get_column(name),
                nw.from_native(examples, series_only=True),
                NewCells.of(column, of_column),
            )
            for name, examples, column, of_column in columns
        ]
        frame = first.to_frame().with_columns(*others)
        return in_form_of(self.empty, frame.to_native())

    def append(self, X: Any, blocks: Iterable[CellBlock], n_rows: int) -> Any:
        """Return a frame of the user's rows and the new ones, with a new index in pandas."""
        return in_form_of(self.empty, concatenate(X, self.make(blocks, n_rows)))


@dataclass(frozen=True)
class NewCells:
    """Cells of one column, split into new values and copies of examples."""

    column: Column
    is_new: npt.NDArray[np.bool_]  # (n_rows,)
    positions: npt.NDArray[np.float64]  # (n_new,), see `Grid`
    example_indices: npt.NDArray[np.intp]  # (n_copies,)

    @classmethod
    def of(cls, column: Column, cells: npt.NDArray[np.float64]) -> Self:  # (n_rows,)
        """Split the cells of a column."""
        is_observed = ~np.isnan(cells)
        is_new = is_observed.copy()
        is_new[is_observed] = column.is_new(cells[is_observed])
        is_copy = is_observed & ~is_new
        indices = np.full(len(cells), len(column.levels), dtype=np.intp)
        indices[is_copy] = column.example_indices(cells[is_copy])
        return cls(column, is_new, cells[is_new], indices[~is_new])

    def numbers(self) -> npt.NDArray[Any]:  # (n_new,)
        """Return the new values: exact integers, if the column holds such, or floats."""
        column = self.column
        assert isinstance(column, NumericColumn)  # no other column has new values
        if not column.grid.are_integers:
            return self.positions
        return column.grid.values(self.positions, int(column.lowest), int(column.highest))

    def cast(self, dtype: np.dtype[Any]) -> npt.NDArray[Any]:  # (n_new,)
        """Return the new values in a dtype of NumPy."""
        numbers = self.numbers()
        if dtype.kind in "mM":
            return numbers.astype(np.int64).view(dtype.newbyteorder("=")).astype(dtype)
        return numbers.astype(dtype)

    def objects(self) -> list[Any]:  # n_new
        """Return the new values as objects of the column's type."""
        assert self.column.notation is not None
        return self.column.notation.objects(self.numbers())


def _series_like(
    empty: nw.Series[Any], examples: nw.Series[Any], new: NewCells
) -> nw.Series[Any]:  # (0,), (n_examples,) to (n_rows,)
    """Return cells as a column with the name, dtype and encoding of an empty one."""
    rows = nw.maybe_reset_index(_rows_of(examples, new))
    return encoded_like(rows, empty).alias(empty.name)


def _rows_of(examples: nw.Series[Any], new: NewCells) -> nw.Series[Any]:  # (n_rows,)
    """Return copies of examples, and new values."""
    if not new.is_new.any():
        copies: nw.Series[Any] = examples[new.example_indices.tolist()]
        return copies
    made = series_like(examples, new.column, new.numbers())
    if new.is_new.all():
        return made
    # Copies are taken from the examples, new values from below them.
    indices = np.empty(len(new.is_new), dtype=np.intp)
    indices[~new.is_new] = new.example_indices
    indices[new.is_new] = len(examples) + np.arange(len(made))
    both = nw.concat([examples.to_frame(), made.to_frame()], how="vertical")
    return both.get_column(examples.name)[indices.tolist()]


def _rows_of_blocks(
    rows: npt.NDArray[Any], blocks: Iterable[CellBlock]
) -> Iterator[tuple[npt.NDArray[Any], CellBlock]]:
    """Yield a view of the rows that each block fills, and the block."""
    start = 0
    for cells in blocks:
        yield rows[start : start + len(cells)], cells
        start += len(cells)
