"""`Container`: a table in the form in which a user passes it, read column by column."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
from scipy import sparse

from vaesampler._table.arrays import cells_of_array
from vaesampler._table.cells import Cells
from vaesampler._table.schema import FeatureSchema
from vaesampler._table.series import cells_of_series, plain_series
from vaesampler._table.templates import (
    ArrayTemplate,
    FrameTemplate,
    ListTemplate,
    SparseTemplate,
    Template,
)

# Number of columns of an array that are copied at once. Adjacent cells of a row share a cache
# line, so one pass over the rows serves all of them.
_COLUMNS_AT_ONCE = 8


class Container(ABC):
    """A user's table. Its cells are read when `columns` is iterated."""

    @staticmethod
    def of(X: Any) -> "Container":
        """Return the container of a frame, or of a 2-dimensional list, array or sparse matrix.

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
        """Names of the columns; "column 0", "column 1", ... if the table has none."""

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Number of rows."""

    @abstractmethod
    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column, (n_rows,)."""

    def numbers(self) -> npt.NDArray[Any] | sparse.csr_array | None:  # (n_rows, n_columns)
        """Return the table as a numeric array, dense or csr; None if it has another dtype."""
        return None

    @abstractmethod
    def template(self, schema: FeatureSchema) -> Template:
        """Return how to make tables like this one, without keeping its rows."""


def is_frame(X: Any) -> bool:
    """Return whether X is a data frame that narwhals supports.

    Raises
    ------
    TypeError
        If it is a frame of another library, or a lazy one.
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
            "polars, pyarrow or another library that narwhals supports; found "
            f"{type(X).__module__}.{type(X).__qualname__}. Convert it first, for example "
            "with `X.to_pandas()` or `X.collect()`."
        )
    return False


@dataclass(frozen=True)
class ArrayContainer(Container):
    """A NumPy array of numbers, text or objects."""

    array: npt.NDArray[Any]  # (n_rows, n_columns)

    @property
    def names(self) -> list[str]:
        """Names of the columns: "column 0", "column 1", ..."""
        return _default_names(self.array.shape[1])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.array)

    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column."""
        names = self.names
        for start in range(0, len(names), _COLUMNS_AT_ONCE):
            block = slice(start, start + _COLUMNS_AT_ONCE)
            columns = np.ascontiguousarray(self.array[:, block].T)
            for name, values in zip(names[block], columns, strict=True):
                yield cells_of_array(name, values)

    def numbers(self) -> npt.NDArray[Any] | None:
        """Return the array, if its dtype is numeric."""
        return self.array if self.array.dtype.kind in "biuf" else None

    def template(self, schema: FeatureSchema) -> ArrayTemplate:
        """Keep the dtype, and one example of each level."""
        return ArrayTemplate(
            self.array.dtype,
            [
                self.array[column.example_rows, index]
                for index, column in enumerate(schema.columns)
            ],
            schema,
        )


@dataclass(frozen=True)
class ListContainer(Container):
    """A list of rows, read as an array of objects."""

    objects: ArrayContainer

    @property
    def names(self) -> list[str]:
        """Names of the columns: "column 0", "column 1", ..."""
        return self.objects.names

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.objects.n_rows

    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column."""
        return self.objects.columns()

    def template(self, schema: FeatureSchema) -> ListTemplate:
        """Keep one example of each level."""
        return ListTemplate(self.objects.template(schema), schema)


@dataclass(frozen=True)
class SparseContainer(Container):
    """A SciPy sparse array or matrix of numbers."""

    matrix: Any  # (n_rows, n_columns), csr or csc

    @property
    def names(self) -> list[str]:
        """Names of the columns: "column 0", "column 1", ..."""
        return _default_names(self.matrix.shape[1])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.matrix.shape[0])

    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column, as a dense array."""
        by_column = sparse.csc_array(self.matrix)
        by_column.sum_duplicates()
        for index, name in enumerate(self.names):
            values = np.zeros(by_column.shape[0], dtype=by_column.dtype)
            stored = slice(by_column.indptr[index], by_column.indptr[index + 1])
            values[by_column.indices[stored]] = by_column.data[stored]
            yield cells_of_array(name, values)

    def numbers(self) -> sparse.csr_array:
        """Return the matrix as a csr array."""
        return sparse.csr_array(self.matrix)

    def template(self, schema: FeatureSchema) -> SparseTemplate:
        """Keep the type, format and dtype of the matrix."""
        return SparseTemplate(self.matrix[:0], schema)


@dataclass(frozen=True)
class FrameContainer(Container):
    """A data frame of a library that narwhals supports: pandas, polars, pyarrow, ..."""

    frame: nw.DataFrame[Any]

    @property
    def names(self) -> list[str]:
        """Names of the columns, as strings."""
        return [str(name) for name in self.frame.columns]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.frame)

    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column."""
        for name, series in zip(self.names, self._series(), strict=True):
            yield cells_of_series(name, series)

    def template(self, schema: FeatureSchema) -> FrameTemplate:
        """Keep the names and dtypes, and one example of each level."""
        columns = zip(self._series(), schema.columns, strict=True)
        examples = [
            _taken(plain_series(series), column.example_rows).to_native()
            for series, column in columns
        ]
        return FrameTemplate(self._empty(), examples, schema)

    def _empty(self) -> Any:
        """Return the frame without its rows."""
        if self.frame.implementation.is_pyarrow():
            return self.frame.to_native().schema.empty_table()
        # A slice would keep all rows in memory.
        return self.frame[[0], :].head(0).to_native()

    def _series(self) -> list[nw.Series[Any]]:
        return [self.frame.get_column(name) for name in self.frame.columns]


def _taken(series: nw.Series[Any], rows: npt.NDArray[np.intp]) -> nw.Series[Any]:  # (n,)
    """Return a copy of rows."""
    # pyarrow would return a slice for no indices, which keeps all rows in memory.
    return series[rows.tolist()] if len(rows) > 0 else series[[0]].head(0)


def _default_names(n_columns: int) -> list[str]:
    return [f"column {index}" for index in range(n_columns)]
