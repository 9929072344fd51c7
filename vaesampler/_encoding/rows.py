"""`EncodedRows`: the rows of a table as the VAEs see them, however they are stored."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

# Number of cells that are read and encoded at once.
CELLS_AT_ONCE = 500_000

Cells64 = npt.NDArray[np.float64]  # (n_rows, n_columns)
Rows32 = npt.NDArray[np.float32]  # (n_rows, width)
Indices = npt.NDArray[np.intp]  # (n,)


@dataclass(frozen=True)
class TableCells:
    """The cells of a table, read when they are needed."""

    matrix: npt.NDArray | sparse.csr_array  # (n_rows, n_columns)
    # Turns rows of the matrix into cells; None if they are.
    read: Callable[[npt.NDArray], Cells64] | None = None

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def take(self, indices: Indices) -> Cells64:
        """Return the cells of the rows with these indices."""
        rows = self.matrix[indices]
        rows = rows.toarray() if sparse.issparse(rows) else rows  # type: ignore[union-attr]
        return rows if self.read is None else self.read(rows)

    def blocks(self, indices: Indices) -> Iterator[Cells64]:
        """Yield the cells of rows, block by block."""
        size = max(1, CELLS_AT_ONCE // max(1, self.matrix.shape[1]))
        for start in range(0, len(indices), size):
            yield self.take(indices[start : start + size])


class EncodedRows(ABC):
    """Encoded rows of a table, in memory or encoded when they are needed.

    `len(rows)` is their number.

    Attributes
    ----------
    width : int
        Number of slots in a row.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abstractmethod
    def take(self, indices: Indices) -> Rows32:
        """Return the rows with these indices.

        Parameters
        ----------
        indices : ndarray of int, of shape (n,)
            Which rows.

        Returns
        -------
        rows : ndarray of float32, of shape (n, width)
            The rows, in this order.
        """

    @abstractmethod
    def subset(self, indices: Indices) -> "EncodedRows":
        """Return the rows with these indices, without the rest of the table."""

    @property
    def width(self) -> int:
        """Number of slots in a row."""
        return int(self.take(np.zeros(1, dtype=np.intp)).shape[1])

    def spread(self, most: int) -> Rows32:
        """Return at most `most` rows, evenly spaced."""
        return self.take(np.arange(0, len(self), max(1, -(-len(self) // most))))

    def are_all_equal(self) -> bool:
        """Return whether every row is the same."""
        first = self.take(np.zeros(1, dtype=np.intp))
        return all(
            bool((self.take(indices) == first).all())
            for indices in np.array_split(np.arange(len(self)), len(self) // 1_000 + 1)
        )


@dataclass(frozen=True)
class DenseRows(EncodedRows):
    """Rows in memory."""

    matrix: Rows32

    def __len__(self) -> int:
        return len(self.matrix)

    def take(self, indices: Indices) -> Rows32:
        """Return the rows with these indices."""
        rows: Rows32 = self.matrix.take(indices, axis=0)  # faster than an index in brackets
        return rows

    def subset(self, indices: Indices) -> "DenseRows":
        """Return the rows with these indices."""
        return DenseRows(self.matrix[indices])


@dataclass(frozen=True)
class LazyRows(EncodedRows):
    """Rows of a large or a sparse table, encoded when they are needed."""

    cells: TableCells
    encode: Callable[[Cells64], Rows32]

    def __len__(self) -> int:
        return len(self.cells)

    def take(self, indices: Indices) -> Rows32:
        """Encode the rows with these indices."""
        return self.encode(self.cells.take(indices))

    def subset(self, indices: Indices) -> EncodedRows:
        """Return the rows with these indices: still sparse, or else encoded."""
        if sparse.issparse(self.cells.matrix):
            return LazyRows(
                TableCells(self.cells.matrix[indices], self.cells.read), self.encode
            )
        return self.in_memory(indices)

    def in_memory(self, indices: Indices) -> DenseRows:
        """Return the rows with these indices, encoded."""
        matrix = np.empty((len(indices), self.width), dtype=np.float32)
        start = 0
        for block in self.cells.blocks(indices):
            matrix[start : start + len(block)] = self.encode(block)
            start += len(block)
        return DenseRows(matrix)


@dataclass(frozen=True)
class SelectedRows(EncodedRows):
    """Some rows of a table, which is kept whole."""

    rows: EncodedRows
    indices: Indices  # (n_rows,)

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, indices: Indices) -> Rows32:
        """Return the rows with these indices among the selected ones."""
        return self.rows.take(self.indices[indices])

    def subset(self, indices: Indices) -> EncodedRows:
        """Return the rows with these indices, without the rest of the table."""
        return self.rows.subset(self.indices[indices])
