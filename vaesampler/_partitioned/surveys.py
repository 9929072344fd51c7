"""`Survey`: what one pass over the partitions finds out about a table."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vaesampler._partitioned.natives import concatenate, take_rows
from vaesampler._partitioned.witnesses import witness_rows
from vaesampler._table.labels import labels_of
from vaesampler._table.reading import read_table


@dataclass(frozen=True)
class Survey:
    """The class counts of some partitions, and their witness rows.

    Attributes
    ----------
    counts : tuple of Counter
        For each partition, the number of rows of each class.
    witnesses : pandas.DataFrame or ndarray, or None
        The witness rows; None if there are no rows.
    places : ndarray of int, of shape (n_witnesses, 2)
        Index of the partition of each witness row, and of the row in it; ascending.
    """

    counts: tuple[Counter[Hashable], ...]
    witnesses: Any
    places: npt.NDArray[np.int64]

    @classmethod
    def of(cls, index: int, X: Any, y: Any) -> Self:
        """Survey the partition with this index.

        Raises
        ------
        ValueError
            If X and y have different numbers of rows, or cannot be read.
        """
        if len(X) != len(y):
            raise ValueError(
                f"Partition {index} of X has {len(X):,} rows, and that of y has {len(y):,}. "
                "Take X and y from one collection, for example as columns of one frame."
            )
        if len(X) == 0:
            return cls((Counter(),), None, np.empty((0, 2), dtype=np.int64))
        counts = Counter(labels_of(y).count_by_class)
        rows = witness_rows(read_table(X))
        places = np.column_stack([np.full(len(rows), index), rows])
        return cls((counts,), take_rows(X, rows), places)

    @classmethod
    def merged(cls, surveys: Sequence[Self]) -> Self:
        """Return the survey of the partitions of several surveys, in their order."""
        counts = tuple(one for survey in surveys for one in survey.counts)
        places = np.concatenate([survey.places for survey in surveys])
        parts = [survey.witnesses for survey in surveys if survey.witnesses is not None]
        if not parts:
            return cls(counts, None, places)
        witnesses = concatenate(parts)
        rows = witness_rows(read_table(witnesses))
        return cls(counts, take_rows(witnesses, rows), places[rows])

    @property
    def n_rows(self) -> list[int]:
        """Number of rows of each partition."""
        return [counts.total() for counts in self.counts]

    @property
    def class_counts(self) -> Counter[Hashable]:
        """Number of rows of each class."""
        total: Counter[Hashable] = Counter()
        for counts in self.counts:
            total.update(counts)
        return total
