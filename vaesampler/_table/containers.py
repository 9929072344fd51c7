"""`Container`: the kinds of table that users pass, read column by column and handed back.

New cells that repeat an old one (levels, missing cells) are taken from the table itself, so
that they have its dtype whatever the library; only new numbers have to be converted.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse

from vaesampler._table.cells import (
    Cells,
    cells_of_array,
    cells_of_series,
)
from vaesampler._table.schema import FeatureSchema, column_names
from vaesampler._table.templates import (
    ArrayTemplate,
    FrameTemplate,
    ListTemplate,
    SparseTemplate,
    Template,
)

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
                self.array[column.example_rows, index]
                for index, column in enumerate(schema.columns)
            ],
            schema,
        )


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
        return ListTemplate(self.rows.template(schema), schema)


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
        # A slice, which is also what pyarrow gives for no indices, would keep all rows in
        # memory: hence no rows of a copy of one row.
        first = self.frame[[0], :]
        examples = [
            series[indices] if indices else first.get_column(series.name).head(0)
            for series, indices in (
                (series, column.example_rows.tolist())
                for series, column in zip(self._series(), schema.columns, strict=True)
            )
        ]
        return FrameTemplate(
            first.head(0).to_native(), [series.to_native() for series in examples], schema
        )

    def _series(self) -> list[nw.Series]:
        return [self.frame.get_column(name) for name in self.frame.columns]
