"""`NeighborCritic`: judges drawn rows by the real rows around them."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from sklearn.neighbors import NearestNeighbors

from vaesampler._encoding.rows import EncodedRows
from vaesampler._rejection.critic import (
    COPY_QUANTILE,
    Candidates,
    Critic,
    Verdict,
    log_probability,
)

# A candidate is judged by this many real rows.
N_NEIGHBORS = 15
# A larger class is represented by this many of its rows, so that judging a candidate costs
# the same however large the table is.
MAX_ROWS_BY_SIDE = 1_500
# Of wide tables fewer rows do, since each costs more.
MAX_CELLS_BY_SIDE = 100_000
MIN_ROWS_BY_SIDE = 500
# From this many columns on a tree is slower than comparing all with all.
MIN_WIDTH_WITHOUT_TREE = 8


@dataclass(frozen=True)
class NeighborCritic(Critic):
    """A class's probability at a row, told by the share of the class among its neighbours.

    The share is turned into odds, and these are divided by the odds of the class in the
    table, as if both sides had as many rows, or nearly so. Where classes are apart every
    candidate is then near certain and variety is kept; where they overlap, candidates among
    the other classes' rows are likely to go.

    A row that a candidate was drawn from does not count: it would speak for every near
    copy of itself.

    References
    ----------
    Samaneh Azadi, Catherine Olsson, Trevor Darrell, Ian Goodfellow, Augustus Odena (2019).
    Discriminator Rejection Sampling.
    """

    # The search uses all cores by itself.
    suits_threads: ClassVar[bool] = False

    neighbors: NearestNeighbors
    is_own: np.ndarray  # (n_reference_rows,)
    source_numbers: np.ndarray  # (n_reference_rows,): place among the class's rows, or -2
    share: float  # of the table's rows, those of the class
    copy_distance: float  # what is nearer than this to a row of the class is a near copy

    @classmethod
    def fit(
        cls, own_rows: EncodedRows, other_rows: EncodedRows, rng: np.random.Generator
    ) -> Self:
        """Remember encoded rows of a class, and of all the others."""
        own, others = _choose(own_rows, rng), _choose(other_rows, rng)
        own_reference = own_rows.take(own)
        reference = np.concatenate([own_reference, other_rows.take(others)])
        # Asked about no rows, it tells each row's distance to the nearest other one.
        distances = _search(1, own_reference).kneighbors()[0]
        return cls(
            _search(min(N_NEIGHBORS + 1, len(reference)), reference),
            np.arange(len(reference)) < len(own),
            np.concatenate([own, np.full(len(others), -2)]),
            len(own_rows) / (len(own_rows) + len(other_rows)),
            float(np.quantile(distances, COPY_QUANTILE)),
        )

    def judge(self, candidates: Candidates) -> Verdict:
        """Ask the nearest real rows of each candidate."""
        distances, found = self.neighbors.kneighbors(candidates.encoded)
        is_copy = ((distances < self.copy_distance) & self.is_own[found]).any(axis=1)
        return Verdict(self._log_probability(found, candidates.sources), is_copy)

    def _log_probability(self, found: np.ndarray, sources: np.ndarray) -> np.ndarray:
        is_source = self.source_numbers[found] == sources[:, None]
        # One neighbour is dropped from each: the source, or else the farthest.
        is_source[:, -1] |= ~is_source.any(axis=1)
        n_own = (self.is_own[found] & ~is_source).sum(axis=1)
        n_counted = found.shape[1] - 1
        n_reference = len(self.is_own) - 1
        expected = np.clip((self.is_own.sum() - 1) / n_reference, 0.5 / n_reference, None)
        # One imagined neighbour, divided as the reference rows are, keeps the odds finite.
        odds = (n_own + expected) / (n_counted - n_own + 1 - expected)
        return log_probability(np.log(odds * (1 - expected) / expected), self.share)


def _search(n_neighbors: int, rows: np.ndarray) -> NearestNeighbors:
    is_wide = rows.shape[1] >= MIN_WIDTH_WITHOUT_TREE
    algorithm = "brute" if is_wide else "kd_tree"
    return NearestNeighbors(n_neighbors=n_neighbors, algorithm=algorithm).fit(rows)


def _choose(rows: EncodedRows, rng: np.random.Generator) -> np.ndarray:  # (n_chosen,)
    most = min(MAX_ROWS_BY_SIDE, max(MAX_CELLS_BY_SIDE // rows.width, MIN_ROWS_BY_SIDE))
    if len(rows) <= most:
        return np.arange(len(rows))
    chosen: np.ndarray = rng.choice(len(rows), most, replace=False)
    return chosen
