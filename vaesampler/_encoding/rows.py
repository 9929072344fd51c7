"""`EncodedRows`: the rows of a table as the VAEs see them, however they are stored."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

# Rows are read and encoded in blocks of about so many cells.
_BLOCK_CELLS = 500_000


@dataclass(frozen=True)
class TableCells:
    """The cells of a table as float64, read when they are asked for."""

    matrix: Any  # ndarray or csr array (n_rows, n_columns)
    read: Callable[[np.ndarray], np.ndarray] | None = None  # rows of the matrix to cells

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def take(self, numbers: np.ndarray) -> np.ndarray:  # (n,) to (n, n_columns)
        """Return the cells of the rows with these numbers."""
        rows = self.matrix[numbers]
        rows = rows.toarray() if sparse.issparse(rows) else rows
        return rows if self.read is None else self.read(rows)

    def blocks(self, numbers: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the cells of rows a block at a time."""
        size = max(1, _BLOCK_CELLS // max(1, self.matrix.shape[1]))
        for start in range(0, len(numbers), size):
            yield self.take(numbers[start : start + size])


class EncodedRows(ABC):
    """Rows of float32 that are handed out by number."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abstractmethod
    def take(self, numbers: np.ndarray) -> np.ndarray:  # (n,) to (n, width)
        """Return the rows with these numbers."""

    @abstractmethod
    def subset(self, numbers: np.ndarray) -> "EncodedRows":
        """Return the rows with these numbers, without the rest of the table."""

    @property
    def width(self) -> int:
        """Number of slots in a row."""
        return int(self.take(np.zeros(1, dtype=np.intp)).shape[1])

    def spread(self, most: int) -> np.ndarray:  # (n <= most, width)
        """Return so many rows at most, spread over all."""
        return self.take(np.arange(0, len(self), max(1, -(-len(self) // most))))

    def are_all_equal(self) -> bool:
        """Tell whether every row is the same."""
        first = self.take(np.zeros(1, dtype=np.intp))
        return all(
            bool((self.take(numbers) == first).all())
            for numbers in np.array_split(np.arange(len(self)), len(self) // 1_000 + 1)
        )


@dataclass(frozen=True)
class DenseRows(EncodedRows):
    """Rows that lie in memory as they are."""

    matrix: np.ndarray  # (n_rows, width)

    def __len__(self) -> int:
        return len(self.matrix)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """Return the rows with these numbers."""
        rows: np.ndarray = self.matrix.take(numbers, axis=0)  # faster than an index in brackets
        return rows

    def subset(self, numbers: np.ndarray) -> "DenseRows":
        """Return the rows with these numbers."""
        return DenseRows(self.matrix[numbers])


@dataclass(frozen=True)
class LazyRows(EncodedRows):
    """Rows of a large or a sparse table, encoded when they are asked for."""

    cells: TableCells
    encode: Callable[[np.ndarray], np.ndarray]  # (n, n_columns) to (n, width)

    def __len__(self) -> int:
        return len(self.cells)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """Encode the rows with these numbers."""
        return self.encode(self.cells.take(numbers))

    def subset(self, numbers: np.ndarray) -> EncodedRows:
        """Return the rows with these numbers: still sparse, or else encoded for good."""
        if sparse.issparse(self.cells.matrix):
            return LazyRows(
                TableCells(self.cells.matrix[numbers], self.cells.read), self.encode
            )
        return self.in_memory(numbers)

    def in_memory(self, numbers: np.ndarray) -> DenseRows:
        """Return the rows with these numbers, encoded."""
        matrix = np.empty((len(numbers), self.width), dtype=np.float32)
        start = 0
        for block in self.cells.blocks(numbers):
            matrix[start : start + len(block)] = self.encode(block)
            start += len(block)
        return DenseRows(matrix)


@dataclass(frozen=True)
class SelectedRows(EncodedRows):
    """Some rows of a table, which stay where they are."""

    rows: EncodedRows
    numbers: np.ndarray  # (n_rows,)

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """Return the rows with these numbers among the selected ones."""
        return self.rows.take(self.numbers[numbers])

    def subset(self, numbers: np.ndarray) -> EncodedRows:
        """Return the rows with these numbers, without the rest of the table."""
        return self.rows.subset(self.numbers[numbers])
