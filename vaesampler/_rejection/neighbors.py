"""`NeighborCritic`: judges drawn rows by their nearest real rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors

from vaesampler._encoding.rows import EncodedRows
from vaesampler._rejection.critic import (
    COPY_QUANTILE,
    Candidates,
    Critic,
    FittedCritic,
    Verdict,
    log_probability,
)
from vaesampler._runtime.seeds import RandomStream

# A larger class is represented by this many of its rows, so that the time to judge a candidate
# does not depend on the size of the table.
MAX_ROWS_BY_SIDE = 1_500
# Fewer rows of wide tables, each of which costs more.
MAX_CELLS_BY_SIDE = 100_000
MIN_ROWS_BY_SIDE = 500
# From this many slots on, comparing all rows with all is faster than a tree.
MIN_WIDTH_WITHOUT_TREE = 8


@dataclass(frozen=True)
class NeighborCritic(Critic):
    """The probability of a class, estimated from the share of the class among neighbours.

    With k rows of the class among the m nearest real rows, and the class's share r of the
    reference rows, the odds are (k + r) / (m - k + 1 - r) * (1 - r) / r: as if the class had as
    many rows as all others, with one imagined neighbour that keeps the odds finite. Where
    classes are apart, every candidate is nearly certain; where they overlap, candidates among
    rows of other classes are improbable.

    The row that a candidate was drawn around is not counted: it would make every near copy of
    itself probable.

    Parameters
    ----------
    n_neighbors : int, default=15
        Number m of nearest real rows.

    References
    ----------
    Samaneh Azadi, Catherine Olsson, Trevor Darrell, Ian Goodfellow, Augustus Odena (2019).
    Discriminator Rejection Sampling.

    Examples
    --------
    >>> from vaesampler import NeighborCritic, VAEOversampler
    >>> sampler = VAEOversampler(critic=NeighborCritic(n_neighbors=30))
    """

    n_neighbors: int = 15

    def fit(
        self, own_rows: EncodedRows, other_rows: EncodedRows, random: RandomStream
    ) -> "FittedNeighborCritic":
        """Keep rows of the class, and of all others, as references."""
        rng = random.numpy()
        own, others = _choose(own_rows, rng), _choose(other_rows, rng)
        own_reference = own_rows.take(own)
        reference = np.concatenate([own_reference, other_rows.take(others)])
        # Without a query, kneighbors returns the distance to the nearest other row.
        distances = _search(1, own_reference).kneighbors()[0]
        return FittedNeighborCritic(
            _search(min(self.n_neighbors + 1, len(reference)), reference),
            np.arange(len(reference)) < len(own),
            np.concatenate([own, np.full(len(others), -2)]),
            len(own_rows) / (len(own_rows) + len(other_rows)),
            float(np.quantile(distances, COPY_QUANTILE)),
        )


@dataclass(frozen=True, eq=False)
class FittedNeighborCritic(FittedCritic):
    """Real rows in a search structure, which uses all cores by itself."""

    neighbors: NearestNeighbors
    is_own: npt.NDArray[np.bool_]  # (n_reference_rows,)
    source_indices: npt.NDArray[np.intp]  # (n_reference_rows,), among the class's rows, or -2
    share: float  # of the class in the table
    copy_distance: float

    def judge(self, candidates: Candidates) -> Verdict:
        """Count the rows of the class among the neighbours of each candidate."""
        distances, found = self.neighbors.kneighbors(candidates.encoded)
        is_copy = ((distances < self.copy_distance) & self.is_own[found]).any(axis=1)
        return Verdict(self._log_probability(found, candidates.sources), is_copy)

    def _log_probability(
        self, found: npt.NDArray[np.intp], sources: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.floating]:  # (n_candidates, n_neighbors + 1), (n_candidates,)
        is_source = self.source_indices[found] == sources[:, None]
        # One neighbour of each is dropped: the source, or else the farthest.
        is_source[:, -1] |= ~is_source.any(axis=1)
        n_own = (self.is_own[found] & ~is_source).sum(axis=1)
        n_counted = found.shape[1] - 1
        n_reference = len(self.is_own) - 1
        share = np.clip((self.is_own.sum() - 1) / n_reference, 0.5 / n_reference, None)
        odds = (n_own + share) / (n_counted - n_own + 1 - share)
        return log_probability(np.log(odds * (1 - share) / share), self.share)


def _search(n_neighbors: int, rows: npt.NDArray[np.float32]) -> NearestNeighbors:
    is_wide = rows.shape[1] >= MIN_WIDTH_WITHOUT_TREE
    algorithm = "brute" if is_wide else "kd_tree"
    return NearestNeighbors(n_neighbors=n_neighbors, algorithm=algorithm).fit(rows)


def _choose(rows: EncodedRows, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    most = min(MAX_ROWS_BY_SIDE, max(MAX_CELLS_BY_SIDE // rows.width, MIN_ROWS_BY_SIDE))
    if len(rows) <= most:
        return np.arange(len(rows))
    chosen: npt.NDArray[np.intp] = rng.choice(len(rows), most, replace=False)
    return chosen
