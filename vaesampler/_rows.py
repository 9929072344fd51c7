"""`EncodedRows`: the rows of a table as the VAEs see them, however they are stored."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


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
        """Return the rows with these numbers, stored as these are."""

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
        rows: np.ndarray = self.matrix[numbers]
        return rows

    def subset(self, numbers: np.ndarray) -> "DenseRows":
        """Return the rows with these numbers."""
        return DenseRows(self.matrix[numbers])


@dataclass(frozen=True)
class SparseRows(EncodedRows):
    """Rows of a sparse table, encoded when they are asked for."""

    matrix: Any  # csr array (n_rows, n_columns)
    encode: Callable[[np.ndarray], np.ndarray]  # (n, n_columns) to (n, width)

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """Encode the rows with these numbers."""
        return self.encode(self.matrix[numbers].toarray())

    def subset(self, numbers: np.ndarray) -> "SparseRows":
        """Return the rows with these numbers, still sparse."""
        return SparseRows(self.matrix[numbers], self.encode)
