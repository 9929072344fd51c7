"""`NeighborCritic`: estimates the probability of a class from nearest neighbours."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import KDTree, NearestNeighbors

from vaesampler._encoding.rows import EncodedRows
from vaesampler._rejection.critic import (
    COPY_QUANTILE,
    Candidates,
    Critic,
    FittedCritic,
    SizeLimits,
    Verdict,
    log_probability,
    require_positive,
)
from vaesampler._runtime.seeds import RandomStream

# Maximum number of reference rows of the class, and of all others, so that the time to judge a
# candidate does not depend on the size of the table.
MAX_ROWS_BY_SIDE = 1_500
# In wide tables there are fewer: at most this many cells, but at least this many rows.
MAX_CELLS_BY_SIDE = 100_000
MIN_ROWS_BY_SIDE = 500
# From this many slots on, brute-force search is faster than a k-d tree.
MIN_WIDTH_WITHOUT_TREE = 8


Rows = npt.NDArray[np.float32]  # (n_rows, width)
# Takes rows; returns the distances of the nearest others, ascending, and their indices:
# (n_rows, n_neighbors), both.
Search = Callable[[Rows], tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]]


@dataclass(frozen=True)
class NeighborCritic(Critic):
    """Estimate the probability of a class from its share of the nearest real rows.

    The odds of the class at a drawn row are::

        (k + r) / (m - k + 1 - r) * (1 - r) / r * (s / (1 - s)) ** 0.3

    where k of the m nearest reference rows belong to the class, r is the share of the class
    among the reference rows, and s is its share of the table. The reference rows are at most
    1,500 random rows of the class and 1,500 of all others, fewer in wide tables.

    The row that a candidate was drawn around is not counted, since it would make near copies
    of itself probable. A candidate is a near copy if it is nearer to a reference row of the
    class than the 10% quantile of the distances between these rows and their nearest
    neighbours.

    Parameters
    ----------
    n_neighbors : int, default=15
        Number m of nearest reference rows.

    See Also
    --------
    ForestCritic : The default in tables with categories, or columns of few levels.
    NetworkCritic : The default for large classes in large tables.

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

    def __post_init__(self) -> None:
        require_positive("n_neighbors", self.n_neighbors)

    def fit(
        self, own_rows: EncodedRows, other_rows: EncodedRows, random: RandomStream
    ) -> "FittedNeighborCritic":
        """Choose reference rows of the class and of all others.

        Examples
        --------
        Ask for more neighbours where a class has more rows, in a critic of your own:

        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import Critic, NeighborCritic, VAEOversampler
        >>> class RootCritic(Critic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         critic = NeighborCritic(n_neighbors=int(len(own_rows) ** 0.5))
        ...         return critic.fit(own_rows, other_rows, random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(critic=RootCritic(), random_state=0).fit(X, y)
        >>> sampler.sample(2, 5).shape
        (5, 13)
        """
        rng = random.numpy()
        limits = SizeLimits(MAX_ROWS_BY_SIDE, MAX_CELLS_BY_SIDE, MIN_ROWS_BY_SIDE)
        own, others = limits.choose(own_rows, other_rows, rng)
        own_reference = own_rows.take(own)
        reference = np.concatenate([own_reference, other_rows.take(others)])
        # [:, 0] are the distances of the rows to themselves.
        distances = _nearest(2, own_reference)(own_reference)[0][:, 1]
        return FittedNeighborCritic(
            reference,
            min(self.n_neighbors + 1, len(reference)),
            np.arange(len(reference)) < len(own),
            np.concatenate([own, np.full(len(others), -2)]),
            len(own_rows) / (len(own_rows) + len(other_rows)),
            float(np.quantile(distances, COPY_QUANTILE)),
        )


@dataclass(frozen=True, eq=False)
class FittedNeighborCritic(FittedCritic):
    """Reference rows, and their search structure."""

    suits_threads: ClassVar[bool] = True

    reference: Rows
    n_neighbors: int  # m + 1
    is_own: npt.NDArray[np.bool_]  # (n_reference,)
    # Index of each reference row among the rows of the class; -2 for rows of other classes.
    source_indices: npt.NDArray[np.intp]  # (n_reference,)
    share: float  # of the class in the table
    copy_distance: float  # threshold for near copies

    @cached_property
    def nearest(self) -> Search:
        """The search of the nearest reference rows."""
        return _nearest(self.n_neighbors, self.reference)

    def judge(self, candidates: Candidates) -> Verdict:
        """Count the rows of the class among the neighbours of each candidate."""
        distances, found = self.nearest(candidates.encoded)
        is_copy = np.any((distances < self.copy_distance) & self.is_own[found], axis=1)
        return Verdict(self._log_probability(found, candidates.sources), is_copy)

    def _log_probability(
        self, found: npt.NDArray[np.intp], sources: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.floating]:  # (n_candidates, n_neighbors + 1), (n_candidates,)
        is_source = self.source_indices[found] == sources[:, None]
        # One of the m + 1 neighbours is dropped: the source, or else the farthest.
        is_source[:, -1] |= ~is_source.any(axis=1)
        n_own = (self.is_own[found] & ~is_source).sum(axis=1)
        n_counted = found.shape[1] - 1
        n_reference = len(self.is_own) - 1
        reference_share = (self.is_own.sum() - 1) / n_reference
        share = np.clip(reference_share, 0.5 / n_reference, None)
        odds = (n_own + share) / (n_counted - n_own + 1 - share)
        return log_probability(np.log(odds * (1 - share) / share), self.share)


def _nearest(n_neighbors: int, rows: Rows) -> Search:
    """Return the search of the nearest of these rows."""
    search: Search
    if rows.shape[1] >= MIN_WIDTH_WITHOUT_TREE:
        search = (
            NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(rows).kneighbors
        )
    else:
        # The checks of `NearestNeighbors` take longer than a query in small tables.
        search = partial(KDTree(rows).query, k=n_neighbors)
    return search
