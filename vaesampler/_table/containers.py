"""`Container`: a table in the form in which a user passes it, read column by column."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils import check_array

from vaesampler._table.arrays import cells_of_array
from vaesampler._table.cells import Cells
from vaesampler._table.frames import is_frame, plain_frame, without_rows
from vaesampler._table.row_types import RowType, objects_of_rows
from vaesampler._table.schema import FeatureSchema
from vaesampler._table.series import cells_of_series, plain_series
from vaesampler._table.templates import (
    ArrayTemplate,
    FrameTemplate,
    SequenceTemplate,
    SparseTemplate,
    Template,
    TensorTemplate,
    convertible,
)
from vaesampler._table.unsupported import is_tensor

# Number of columns of an array that are copied at once. Adjacent cells of a row share a cache
# line, so one pass over the rows serves all of them.
_COLUMNS_AT_ONCE = 8


class Container(ABC):
    """A user's table. Its cells are read when `columns` is iterated."""

    @staticmethod
    def of(X: Any, name: str = "X") -> "Container":
        """Return the container of a table, called `name` in messages.

        Raises
        ------
        TypeError, ValueError
            As `is_frame` and `objects_of_rows` do, or if an array or a sparse matrix does not
            have two dimensions.
        """
        if is_frame(X, name):
            return FrameContainer(plain_frame(X), X)
        if isinstance(X, list | tuple):
            objects = ArrayContainer(objects_of_rows(X, name))
            return SequenceContainer(objects, type(X), RowType.of(X))
        if is_tensor(X):
            return TensorContainer(ArrayContainer(_checked_array(X.numpy(), name)), X)
        if sparse.issparse(X):
            return SparseContainer(_checked_array(convertible(X), name), X.format)
        return ArrayContainer(_checked_array(X, name))

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Names of the columns; "column 0", "column 1", ... if the table has none."""

    @property
    def keys(self) -> Sequence[Hashable]:
        """Names of the columns as their library has them: text, or also integers or tuples."""
        return self.names

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
class _ReadAsArray(Container, ABC):
    """A table that is read as an array."""

    array: ArrayContainer

    @property
    def names(self) -> list[str]:
        """Names of the columns: "column 0", "column 1", ..."""
        return self.array.names

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.array.n_rows

    def columns(self) -> Iterator[Cells]:
        """Yield the cells of each column."""
        return self.array.columns()


@dataclass(frozen=True)
class SequenceContainer(_ReadAsArray):
    """A list or tuple of rows, read as an array of objects."""

    kind: type  # list or tuple
    row_type: RowType

    def template(self, schema: FeatureSchema) -> SequenceTemplate:
        """Keep the type of the rows, and one example of each level."""
        return SequenceTemplate(self.array.template(schema), self.kind, self.row_type, schema)


@dataclass(frozen=True)
class TensorContainer(_ReadAsArray):
    """A PyTorch tensor on the CPU, read as an array that shares its memory."""

    tensor: Any  # (n_rows, n_columns)

    def numbers(self) -> npt.NDArray[Any] | None:
        """Return the tensor as an array."""
        return self.array.numbers()

    def template(self, schema: FeatureSchema) -> TensorTemplate:
        """Keep the dtype, and one example of each level."""
        empty = self.tensor.new_empty((0, len(schema.columns)))
        return TensorTemplate(self.array.template(schema), empty, schema)


@dataclass(frozen=True)
class SparseContainer(Container):
    """A SciPy sparse array or matrix of numbers."""

    matrix: Any  # (n_rows, n_columns), csr or csc
    format: str  # of the user's table

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
        if not by_column.has_canonical_format:  # a csc matrix shares the user's arrays
            by_column = by_column.copy()
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
        return SparseTemplate(self.matrix[:0], self.format, schema)


@dataclass(frozen=True)
class FrameContainer(Container):
    """A data frame of a library that narwhals supports: pandas, polars, pyarrow, ..."""

    frame: nw.DataFrame[Any]  # plain, as `plain_frame` returns it
    X: Any  # the user's frame

    @property
    def names(self) -> list[str]:
        """Names of the columns, as strings."""
        return [str(name) for name in self.frame.columns]

    @property
    def keys(self) -> Sequence[Hashable]:
        """Names of the columns as their library has them."""
        return self.frame.columns

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
        return FrameTemplate(without_rows(self.X), examples, schema)

    def _series(self) -> list[nw.Series[Any]]:
        return [self.frame.get_column(name) for name in self.frame.columns]


def _taken(series: nw.Series[Any], rows: npt.NDArray[np.intp]) -> nw.Series[Any]:  # (n,)
    """Return a copy of rows."""
    # pyarrow would return a slice for no indices, which keeps all rows in memory.
    return series[rows.tolist()] if len(rows) > 0 else series[[0]].head(0)


def _default_names(n_columns: int) -> list[str]:
    return [f"column {index}" for index in range(n_columns)]


def _checked_array(X: Any, name: str) -> Any:  # (n_rows, n_columns)
    """Return an array, or a sparse matrix as csr or csc, that has two dimensions."""
    if sparse.issparse(X) and X.ndim != 2:  # SciPy converts it before scikit-learn checks it
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D sparse array instead: {name} must have rows and "
            "columns. Reshape it with `X.reshape(1, -1)` if it is a row, or with "
            "`X.reshape(-1, 1)` if it is a column."
        )
    return check_array(
        X,
        accept_sparse=("csr", "csc"),
        dtype=None,
        ensure_all_finite=False,
        ensure_min_samples=0,
        ensure_min_features=0,
        input_name=name,
    )
