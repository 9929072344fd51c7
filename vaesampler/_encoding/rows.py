"""`EncodedRows`: the encoded rows of a table, in memory or encoded on demand."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

# Number of cells in a block that is read and encoded at once.
CELLS_AT_ONCE = 500_000

Cells64 = npt.NDArray[np.float64]  # (n_rows, n_columns)
Rows32 = npt.NDArray[np.float32]  # (n_rows, width)
Indices = npt.NDArray[np.intp]  # (n,)


@dataclass(frozen=True)
class TableCells:
    """The cells of a table, read on demand."""

    matrix: npt.NDArray[Any] | sparse.csr_array  # (n_rows, n_columns)
    # Converts rows of the matrix to cells. If None, the matrix holds cells.
    read: Callable[[npt.NDArray[Any]], Cells64] | None = None

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def take(self, indices: Indices) -> Cells64:
        """Return the cells of the rows with these indices."""
        rows = self.matrix[indices]
        rows = rows.toarray() if sparse.issparse(rows) else rows  # type: ignore[union-attr]
        return rows if self.read is None else self.read(rows)

    def blocks(self, indices: Indices) -> Iterator[Cells64]:
        """Yield the cells of the rows with these indices, block by block."""
        size = max(1, CELLS_AT_ONCE // max(1, self.matrix.shape[1]))
        for start in range(0, len(indices), size):
            yield self.take(indices[start : start + size])

    def hash(self) -> str:
        """Return a hash of all cells, whichever container they were read from."""
        digest = blake2b(repr(self.matrix.shape).encode(), digest_size=16)
        for block in self.blocks(np.arange(len(self))):
            digest.update(np.ascontiguousarray(block, dtype=np.float64).data)
        return digest.hexdigest()


class EncodedRows(ABC):
    """Encoded rows of a table, in memory or encoded on demand.

    A `Critic` is fitted on the rows of a class and on those of all other classes. `len(rows)`
    is the number of rows. A slot is a column of the encoded matrix: a standardized numeric
    column, an indicator, or a level of a one-hot encoded column.

    Attributes
    ----------
    width : int
        Number of slots.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import Critic, NeighborCritic, VAEOversampler
    >>> class PrintingCritic(Critic):
    ...     def fit(self, own_rows, other_rows, random):
    ...         first = own_rows.take(np.arange(5))
    ...         print(len(own_rows), own_rows.width, first.shape, first.dtype)
    ...         return NeighborCritic().fit(own_rows, other_rows, random)
    >>> X, y = load_wine(return_X_y=True)
    >>> _ = VAEOversampler(sampling_strategy={2: 60}, critic=PrintingCritic()).fit(X, y)
    48 13 (5, 13) float32
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
            Indices of rows, from 0 to `len(rows) - 1`.

        Returns
        -------
        rows : ndarray of float32, of shape (n, width)
            The rows in this order, as a copy.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import NeighborCritic, VAEOversampler
        >>> class PrintingCritic(NeighborCritic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         print(own_rows.take(np.array([0, 47])).shape)
        ...         return super().fit(own_rows, other_rows, random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={2: 60}, critic=PrintingCritic())
        >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
        (2, 13)
        """

    @abstractmethod
    def subset(self, indices: Indices) -> "EncodedRows":
        """Return the rows with these indices as `EncodedRows`, without the other rows.

        Parameters
        ----------
        indices : ndarray of int, of shape (n,)
            Indices of rows, from 0 to `len(rows) - 1`.

        Returns
        -------
        rows : EncodedRows
            The rows in this order.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import NeighborCritic, VAEOversampler
        >>> class PrintingCritic(NeighborCritic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         half = own_rows.subset(np.arange(0, len(own_rows), 2))
        ...         print(len(own_rows), len(half))
        ...         return super().fit(own_rows, other_rows, random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={2: 60}, critic=PrintingCritic())
        >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
        48 24
        """

    @property
    def width(self) -> int:
        """Number of slots.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import NeighborCritic, VAEOversampler
        >>> class PrintingCritic(NeighborCritic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         print(own_rows.width)
        ...         return super().fit(own_rows, other_rows, random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={2: 60}, critic=PrintingCritic())
        >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
        13
        """
        return int(self.take(np.zeros(1, dtype=np.intp)).shape[1])

    def spread(self, most: int) -> Rows32:
        """Return at most `most` rows, evenly spaced.

        Parameters
        ----------
        most : int
            Maximum number of rows, at least 1.

        Returns
        -------
        rows : ndarray of float32, of shape (n, width)
            All rows, or every k-th row with the smallest k for which n <= most.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import NeighborCritic, VAEOversampler
        >>> class PrintingCritic(NeighborCritic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         print(own_rows.spread(20).shape)
        ...         return super().fit(own_rows, other_rows, random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={2: 60}, critic=PrintingCritic())
        >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
        (16, 13)
        """
        return self.take(np.arange(0, len(self), max(1, -(-len(self) // most))))

    def are_all_equal(self) -> bool:
        """Return whether all rows are equal.

        Returns
        -------
        are_all_equal : bool
            Whether every row equals the first one.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import NeighborCritic, VAEOversampler
        >>> class PrintingCritic(NeighborCritic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         print(own_rows.are_all_equal())
        ...         return super().fit(own_rows, other_rows, random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(sampling_strategy={2: 60}, critic=PrintingCritic())
        >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
        False
        """
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
        rows: Rows32 = self.matrix.take(indices, axis=0)  # faster than indexing
        return rows

    def subset(self, indices: Indices) -> "DenseRows":
        """Return the rows with these indices."""
        return DenseRows(self.matrix[indices])


@dataclass(frozen=True)
class LazyRows(EncodedRows):
    """Rows of a large or a sparse table, encoded on demand."""

    cells: TableCells
    encode: Callable[[Cells64], Rows32]

    def __len__(self) -> int:
        return len(self.cells)

    def take(self, indices: Indices) -> Rows32:
        """Encode the rows with these indices."""
        return self.encode(self.cells.take(indices))

    def subset(self, indices: Indices) -> EncodedRows:
        """Return the rows with these indices: lazy if they are sparse, else in memory."""
        if sparse.issparse(self.cells.matrix):
            return LazyRows(
                TableCells(self.cells.matrix[indices], self.cells.read), self.encode
            )
        return self.in_memory(indices)

    def in_memory(self, indices: Indices) -> DenseRows:
        """Encode the rows with these indices and keep them in memory."""
        matrix = np.empty((len(indices), self.width), dtype=np.float32)
        start = 0
        for block in self.cells.blocks(indices):
            matrix[start : start + len(block)] = self.encode(block)
            start += len(block)
        return DenseRows(matrix)


@dataclass(frozen=True)
class SelectedRows(EncodedRows):
    """Some rows of a table, all of which stay in memory."""

    rows: EncodedRows
    indices: Indices  # (n_rows,)

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, indices: Indices) -> Rows32:
        """Return the rows with these indices, counted among the selected rows."""
        return self.rows.take(self.indices[indices])

    def subset(self, indices: Indices) -> EncodedRows:
        """Return the rows with these indices, without the other rows."""
        return self.rows.subset(self.indices[indices])


@dataclass(frozen=True)
class RepeatedRows(EncodedRows):
    """`n_rows` rows, which repeat some rows, each about equally often, in their order.

    If there are fewer than `rows`, they are some of these, evenly spaced.
    """

    rows: EncodedRows
    n_rows: int

    def __len__(self) -> int:
        return self.n_rows

    def take(self, indices: Indices) -> Rows32:
        """Return the rows with these indices, counted among the repeated rows."""
        return self.rows.take(self._repeated(indices))

    def subset(self, indices: Indices) -> EncodedRows:
        """Return the rows with these indices, without the other rows."""
        return self.rows.subset(self._repeated(indices))

    def _repeated(self, indices: Indices) -> Indices:
        return indices * len(self.rows) // self.n_rows
