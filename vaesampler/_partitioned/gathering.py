"""`choose_rows`: which rows of a table in partitions are gathered, to train on."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaesampler._partitioned.natives import concatenate, take_rows
from vaesampler._partitioned.surveys import Survey
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.labels import labels_of

# Number of rows that are gathered, at most, and of cells. Small classes are gathered whole.
MOST_ROWS = 200_000
MOST_CELLS = 10_000_000
LEAST_ROWS_IN_WIDE_TABLES = 10_000


@dataclass(frozen=True)
class Choice:
    """The rows of a partition that are gathered.

    Attributes
    ----------
    by_class : mapping of label to ndarray of int
        Positions of the chosen rows among those of the class in the partition, ascending.
    rows : ndarray of int
        Indices of the witness rows in the partition.
    """

    by_class: Mapping[Hashable, npt.NDArray[np.intp]]
    rows: npt.NDArray[np.int64]

    def take(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return the chosen rows of a partition, in its order, and their labels."""
        chosen = [self.rows.astype(np.intp)]
        if len(X) > 0:
            labels = labels_of(y)
            chosen += [labels.rows_of(one)[places] for one, places in self.by_class.items()]
        rows = np.unique(np.concatenate(chosen))
        return take_rows(X, rows), take_rows(y, rows)


def choose_rows(survey: Survey, n_columns: int, seeds: Seeds) -> list[Choice]:
    """Return the rows of each partition that are gathered.

    All rows of a class are gathered if it has few, and as many random ones as of other large
    classes if it has more. They depend on the order of the rows, but not on the partitions.
    The witness rows are gathered, too.
    """
    counts = survey.class_counts
    most = max(LEAST_ROWS_IN_WIDE_TABLES, min(MOST_ROWS, MOST_CELLS // n_columns))
    limit = _limit_by_class(list(counts.values()), most)
    by_class = {
        label: _places(n_rows, limit, seeds.numpy("gathered rows", label))
        for label, n_rows in counts.items()
    }
    choices = []
    n_before: Counter[Hashable] = Counter()
    for index, own in enumerate(survey.counts):
        ends = {label: (n_before[label], n_before[label] + n) for label, n in own.items()}
        own_places = {
            label: by_class[label][slice(*np.searchsorted(by_class[label], end))] - end[0]
            for label, end in ends.items()
        }
        is_here = survey.places[:, 0] == index
        choices.append(Choice(own_places, survey.places[is_here, 1]))
        n_before.update(own)
    return choices


def gather(parts: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
    """Return the chosen rows of all partitions, and their labels, as one table."""
    with_rows = [part for part in parts if len(part[0]) > 0]
    return concatenate([X for X, _ in with_rows]), concatenate([y for _, y in with_rows])


def _limit_by_class(counts: list[int], most: int) -> int:
    """Return the largest number of rows of each class for which all have at most `most`."""
    left, limit = most, 0
    for n_left, n_rows in zip(range(len(counts), 0, -1), sorted(counts), strict=True):
        limit = max(1, left // n_left)
        if n_rows > limit:
            return limit
        left -= n_rows
    return max(counts, default=1)


def _places(
    n_rows: int, limit: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:  # (n,), ascending
    if n_rows <= limit:
        return np.arange(n_rows)
    return np.sort(rng.choice(n_rows, limit, replace=False, shuffle=False))
