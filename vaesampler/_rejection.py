"""Rejection: which of the drawn rows are kept, judged by the real rows around them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors

from vaesampler._rows import EncodedRows

# A candidate is judged by this many real rows.
N_NEIGHBORS = 15
# A drawn row is a near copy if it lies nearer to a row of its class than this share of the
# class's rows do to each other, and at most this share of what is kept are near copies.
COPY_QUANTILE = 0.1
MAX_SHARE_OF_COPIES = 0.03
# So few rows of a class tell only half as much about where it is as many do.
N_ROWS_FOR_HALF_STRENGTH = 20
# Of near copies, at least this share has its chance, lest the logarithm be infinite.
LEAST_SHARE_OF_COPIES = 1e-6
# For each wanted row, at most this many candidates are drawn.
MAX_CANDIDATES_BY_ROW = 4
# A larger class is represented by this many of its rows, so that judging a candidate costs
# the same however large the table is.
MAX_ROWS_BY_SIDE = 1_500
# Of wide tables fewer rows do, since each costs more.
MAX_CELLS_BY_SIDE = 100_000
MIN_ROWS_BY_SIDE = 500


class Candidates(NamedTuple):
    """Drawn rows that await judgement."""

    rows: np.ndarray  # (n_rows, n_features), decoded
    encoded: np.ndarray  # (n_rows, n_features), as the critic sees them
    sources: np.ndarray  # (n_rows,), numbers of the rows they were drawn from, or -1


@dataclass(frozen=True)
class NeighborCritic:
    """How probable it is that a row belongs to a class, told by its real neighbours.

    The share of the class among the nearest real rows is turned into odds, and these are
    divided by the odds of the class in the table, as if both sides had as many rows. Where
    classes are apart every candidate is then near certain and variety is kept; where they
    overlap, candidates among the other classes' rows are likely to go.

    A row that a candidate was drawn from does not count: it would speak for every near
    copy of itself. Near copies are thinned out until they are rarer than among real rows.

    References
    ----------
    Samaneh Azadi, Catherine Olsson, Trevor Darrell, Ian Goodfellow, Augustus Odena (2019).
    Discriminator Rejection Sampling.
    """

    neighbors: NearestNeighbors
    is_own: np.ndarray  # (n_reference_rows,)
    source_numbers: np.ndarray  # (n_reference_rows,): place among the class's rows, or -2
    copy_distance: float  # what is nearer than this to a row of the class is a near copy

    @classmethod
    def fit(
        cls, own_rows: EncodedRows, other_rows: EncodedRows, rng: np.random.Generator
    ) -> "NeighborCritic":
        """Remember the encoded rows of a class, and those of all the others."""
        own = _choose(own_rows, rng)
        other = _choose(other_rows, rng)
        own_reference = own_rows.take(own)
        reference = np.concatenate([own_reference, other_rows.take(other)])
        # Asked about no rows, it tells each row's distance to the nearest other one.
        distances = NearestNeighbors(n_neighbors=1).fit(own_reference).kneighbors()[0]
        return cls(
            NearestNeighbors(n_neighbors=min(N_NEIGHBORS + 1, len(reference))).fit(reference),
            np.arange(len(reference)) < len(own),
            np.concatenate([own, np.full(len(other), -2)]),
            float(np.quantile(distances, COPY_QUANTILE)),
        )

    def probability(self, rows: np.ndarray, sources: np.ndarray) -> np.ndarray:  # (n_rows,)
        """Return the class's probability at each encoded row.

        `sources` (n_rows,) is the number of the class's row that each was drawn from.
        """
        found = self.neighbors.kneighbors(rows, return_distance=False)
        return self._probability(found, sources)

    def _probability(self, found: np.ndarray, sources: np.ndarray) -> np.ndarray:
        is_source = self.source_numbers[found] == sources[:, None]
        # One neighbour is dropped from each: the source, or else the farthest.
        is_source[:, -1] |= ~is_source.any(axis=1)
        n_own = (self.is_own[found] & ~is_source).sum(axis=1)
        n_counted = found.shape[1] - 1
        n_reference = len(self.is_own) - 1
        share = np.clip((self.is_own.sum() - 1) / n_reference, 0.5 / n_reference, None)
        # One imagined neighbour, divided as the table is, keeps the odds finite.
        odds = (n_own + share) / (n_counted - n_own + 1 - share)
        balanced = odds * (1 - share) / share
        probability: np.ndarray = balanced / (1 + balanced)
        return probability

    def log_chance(self, candidates: Candidates, strength: float) -> np.ndarray:  # (n_rows,)
        """Return the logarithm of the probability with which each candidate is kept."""
        n_own = self.is_own.sum()
        power = strength * n_own / (n_own + N_ROWS_FOR_HALF_STRENGTH)
        distances, found = self.neighbors.kneighbors(candidates.encoded)
        log_chance: np.ndarray = power * np.log(self._probability(found, candidates.sources))
        is_copy = ((distances < self.copy_distance) & self.is_own[found]).any(axis=1)
        n_copies, n_others = (np.exp(log_chance[which]).sum() for which in (is_copy, ~is_copy))
        n_allowed = n_others * MAX_SHARE_OF_COPIES / (1 - MAX_SHARE_OF_COPIES)
        if n_copies > n_allowed:
            # Where there is nothing but copies, the rest is chosen among them.
            log_chance[is_copy] += np.log(max(n_allowed / n_copies, LEAST_SHARE_OF_COPIES))
        return log_chance


def draw_accepted(
    draw_candidates: Callable[[int], Candidates],
    critic: NeighborCritic | None,
    strength: float,
    n_samples: int,
    rng: np.random.Generator,
) -> np.ndarray:  # (n_samples, n_features)
    """Keep each candidate with the chance that the critic gives it.

    Without a critic all are kept. `draw_candidates` may return fewer than it is asked for.
    Where so few are kept that the allowed number of candidates runs out, the rest is chosen
    among the rejected ones, the probable ones first.
    """
    kept: list[np.ndarray] = []
    reserve = _Reserve()
    n_missing, n_drawn, n_allowed = n_samples, 0, MAX_CANDIDATES_BY_ROW * n_samples
    while n_missing > 0 and n_drawn < n_allowed:
        rate_so_far = (n_samples - n_missing + 1) / (n_drawn + 1)
        candidates = draw_candidates(
            min(int(np.ceil(n_missing / rate_so_far)), n_allowed - n_drawn)
        )
        n_drawn += len(candidates.rows)
        log_chance = np.zeros(len(candidates.rows))
        if critic is not None:
            log_chance = critic.log_chance(candidates, strength)
        is_kept = -rng.exponential(size=len(log_chance)) < log_chance
        kept.append(candidates.rows[is_kept][:n_missing])
        n_missing -= len(kept[-1])
        # Sorting by these keys draws without replacement, in proportion to the probability.
        keys = log_chance[~is_kept] + rng.gumbel(size=(~is_kept).sum())
        reserve.add(candidates.rows[~is_kept], keys, n_missing)
    return np.concatenate([*kept, reserve.best(n_missing)] if n_missing > 0 else kept)


class _Reserve:
    """Rejected rows, of which those with the largest keys may be wanted in the end."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []
        self.keys: list[np.ndarray] = []

    def add(self, rows: np.ndarray, keys: np.ndarray, n_wanted: int) -> None:
        """Add rows, and forget the worst if there are many more than are wanted."""
        self.rows.append(rows)
        self.keys.append(keys)
        if sum(map(len, self.keys)) > 2 * n_wanted:
            best = self._order()[:n_wanted]
            self.rows = [np.concatenate(self.rows)[best]]
            self.keys = [np.concatenate(self.keys)[best]]

    def best(self, n_wanted: int) -> np.ndarray:  # (n_wanted, n_columns)
        """Return the rows with the largest keys."""
        rows: np.ndarray = np.concatenate(self.rows)[self._order()[:n_wanted]]
        return rows

    def _order(self) -> np.ndarray:
        return np.argsort(-np.concatenate(self.keys))


def _choose(rows: EncodedRows, rng: np.random.Generator) -> np.ndarray:  # (n_chosen,)
    width = rows.take(np.zeros(1, dtype=np.intp)).shape[1]
    most = min(MAX_ROWS_BY_SIDE, max(MAX_CELLS_BY_SIDE // width, MIN_ROWS_BY_SIDE))
    if len(rows) <= most:
        return np.arange(len(rows))
    chosen: np.ndarray = rng.choice(len(rows), most, replace=False)
    return chosen
