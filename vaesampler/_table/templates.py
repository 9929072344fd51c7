"""`Template`: how to make a table of the user's kind from new cells.

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
import numpy.typing as npt
from scipy import sparse

from vaesampler._table.cells import (
    TIME_UNITS,
    time_zone_of,
)
from vaesampler._table.columns import Column, IntegerColumn, NumericColumn
from vaesampler._table.schema import FeatureSchema


class Template(ABC):
    """How to make a table of the user's kind from the numbers that stand for its cells.

    They come in blocks of rows, (n, n_columns), of `n_rows` rows in all.
    """

    schema: FeatureSchema

    @abstractmethod
    def make(self, blocks: Iterable[np.ndarray], n_rows: int) -> Any:
        """Return a table of these cells."""

    @abstractmethod
    def append(self, X: Any, blocks: Iterable[np.ndarray], n_rows: int) -> Any:
        """Return the user's own rows, and below them these cells."""


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
        for new, cells in _rows_of_blocks(rows[n_before:], blocks):
            self._write(cells, new)
        return rows

    def _write(self, cells: npt.NDArray[np.float64], rows: npt.NDArray) -> None:
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
class ListTemplate(Template):
    """How to make a list of rows."""

    rows: Template
    schema: FeatureSchema

    def make(self, blocks: Iterable[np.ndarray], n_rows: int) -> list:
        """Return a list of rows."""
        rows: list = self.rows.make(blocks, n_rows).tolist()
        return rows

    def append(self, X: list, blocks: Iterable[np.ndarray], n_rows: int) -> list:
        """Put new rows below the user's own."""
        return [*X, *self.make(blocks, n_rows)]


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
        for index, column in enumerate(self.schema.columns):
            new = NewCells.of(column, cells[:, index])
            if new.is_new.any():
                rows[new.is_new, index] = new.cast(dtype)
            examples = np.append(column.levels, [np.nan] if dtype.kind == "f" else [])
            rows[~new.is_new, index] = examples[new.example_indices]
        return rows

    def append(self, X: Any, blocks: Iterable[np.ndarray], n_rows: int) -> Any:
        """Put new rows below the user's own."""
        return sparse.vstack([X, self.make(blocks, n_rows)], format=X.format, dtype=X.dtype)


@dataclass(frozen=True)
class FrameTemplate(Template):
    """How to make a data frame."""

    empty: Any  # the user's frame, without its rows
    examples: list[Any]  # native series: one of each level, then a missing cell
    schema: FeatureSchema

    def make(self, blocks: Iterable[np.ndarray], n_rows: int) -> Any:
        """Return a frame of the user's library, with its names and dtypes."""
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

    def _series(self, index: int, new: "NewCells") -> nw.Series:
        examples = nw.from_native(self.examples[index], series_only=True)
        if not new.is_new.any():
            return nw.maybe_reset_index(examples[new.example_indices.tolist()])
        found = _values_for(examples.dtype, new)
        values = np.zeros(len(new.is_new), dtype=found.dtype)
        values[new.is_new] = found
        made = _cast(examples, values)
        if new.is_new.all():
            return made
        # Missing cells are copies of the column's own.
        indices = np.zeros(len(new.is_new), dtype=np.intp)
        indices[~new.is_new] = new.example_indices
        copies = nw.maybe_reset_index(examples[indices.tolist()])
        return made.zip_with(
            nw.new_series("is_new", new.is_new, backend=examples.implementation), copies
        )


@dataclass(frozen=True)
class NewCells:
    """Cells of one column, split into new values and copies of cells that were seen."""

    column: Column
    is_new: npt.NDArray[np.bool_]  # (n_rows,)
    values: npt.NDArray[np.float64]  # (n_new,)
    example_indices: npt.NDArray[np.intp]  # (n_copies,), among the column's examples

    @classmethod
    def of(cls, column: Column, cells: npt.NDArray[np.float64]) -> Self:  # (n_rows,)
        """Split the cells of a column."""
        is_observed = ~np.isnan(cells)
        is_new = is_observed & column.draws_new_values
        indices = np.full(len(cells), len(column.levels), dtype=np.intp)
        if not column.draws_new_values:
            indices[is_observed] = column.example_indices(cells[is_observed])
        return cls(column, is_new, cells[is_new], indices[~is_new])

    def cast(self, dtype: np.dtype) -> npt.NDArray:  # (n_new,)
        """Return the new values in a dtype, within the column's range in that dtype."""
        if dtype.kind not in "iu":
            return self.values.astype(dtype)
        # The largest integers of a dtype, rounded up, would overflow.
        largest = float(np.iinfo(dtype).max)
        if int(largest) > np.iinfo(dtype).max:
            largest = float(np.nextafter(largest, 0))
        whole = np.rint(self.values).clip(np.iinfo(dtype).min, largest).astype(dtype)
        column = self.column
        assert isinstance(column, NumericColumn)
        values: npt.NDArray = whole.clip(int(column.lowest), int(column.highest))
        return values

    def objects(self) -> list[object]:  # n_new
        """Return the new values as objects of Python."""
        column = self.column
        assert isinstance(column, NumericColumn)
        if not column.holds_decimals:
            dtype = np.dtype(int if isinstance(column, IntegerColumn) else float)
            return list(self.cast(dtype).tolist())
        form = "" if column.decimals is None else f".{column.decimals}f"
        return [Decimal(format(value, form)) for value in self.values.tolist()]


def _rows_of_blocks(
    rows: np.ndarray, blocks: Iterable[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows where each block belongs, and the block."""
    start = 0
    for cells in blocks:
        yield rows[start : start + len(cells)], cells
        start += len(cells)


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


def _values_for(dtype: nw.dtypes.DType, new: NewCells) -> npt.NDArray:  # (n_new,)
    """Return new values as NumPy has them, from which narwhals makes this dtype."""
    column = new.column
    if column.time_unit is not None:
        microseconds = new.cast(np.dtype(np.int64)) * TIME_UNITS[column.time_unit]
        return microseconds.astype("m8[us]" if dtype == nw.Duration else "M8[us]")
    if isinstance(column, NumericColumn) and column.holds_decimals:
        return np.array(new.objects(), dtype=object)
    if isinstance(column, IntegerColumn) and not dtype.is_float():
        return new.cast(np.dtype("u8" if dtype.is_unsigned_integer() else "i8"))
    return new.cast(np.dtype("f8"))


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
