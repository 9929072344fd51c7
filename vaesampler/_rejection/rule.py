"""Rejection: which candidates are kept, given the verdict of a critic."""

import math
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from vaesampler._rejection.critic import Verdict

# Largest share of near copies among the rows that are kept. Chosen with benchmarks/quality.py
# --parts digits.
MAX_SHARE_OF_COPIES = 0.03
# Lower bound on the factor for near copies; keeps its logarithm finite.
LEAST_SHARE_OF_COPIES = 1e-6
# Number of rows per column at which the exponent is half of `rejection_strength`. With few rows
# in many columns, even a real row may have no row of its class among its neighbours.
# Chosen with benchmarks/quality.py.
N_ROWS_BY_COLUMN_FOR_HALF_STRENGTH = 2.5
# Largest share that is rejected at a strength of 1, in a class of few rows and of many, and
# the number of rows halfway. In a large class, rows that follow the distribution of the class
# help a classifier more. Chosen with benchmarks/quality.py and, for many rows, on the table
# census-income of benchmarks/mixed.py.
MOST_REJECTED_OF_FEW, MOST_REJECTED_OF_MANY = 0.3, 0.07
N_ROWS_FOR_HALF_OF_MOST_REJECTED = 500
# Smallest share that is kept at any strength, which bounds the time to draw rows.
LEAST_SHARE_KEPT = 0.25


class Strictness(NamedTuple):
    """How strictly candidates of a class are rejected.

    Attributes
    ----------
    power : float
        A candidate is kept with the probability of its class to this power.
    least_share : float
        Smallest share of the candidates that is kept.
    """

    power: float
    least_share: float

    @classmethod
    def of(cls, strength: float, n_rows: int, n_columns: int) -> Self:
        """Return the strictness for a class of n rows in a table of d columns.

        The formulas are::

            power = strength * n / (n + 2.5 * d)
            least_share = max(0.25, (1 - (0.3 * 500 + 0.07 * n) / (500 + n)) ** strength)
        """
        for_half = N_ROWS_BY_COLUMN_FOR_HALF_STRENGTH * n_columns
        among_many = n_rows / (n_rows + N_ROWS_FOR_HALF_OF_MOST_REJECTED)
        most_rejected = MOST_REJECTED_OF_FEW + among_many * (
            MOST_REJECTED_OF_MANY - MOST_REJECTED_OF_FEW
        )
        return cls(
            strength * n_rows / (n_rows + for_half),
            max(LEAST_SHARE_KEPT, (1 - most_rejected) ** strength),
        )


def keep(
    verdict: Verdict, strictness: Strictness, rng: np.random.Generator
) -> npt.NDArray[np.intp]:  # (n_kept,)
    """Return the indices of the candidates that are kept, ascending.

    Each is kept with probability p ** power, where p is the probability of the class; near
    copies are thinned out. If less than the least share would be kept, this share is drawn
    without replacement, with these probabilities as weights.
    """
    log_chance = thin_copies(strictness.power * verdict.log_probability, verdict.is_copy)
    chosen = np.flatnonzero(-rng.exponential(size=len(log_chance)) < log_chance)
    n_least = math.ceil(strictness.least_share * len(log_chance))
    if len(chosen) < n_least:
        # The largest sums of log-weight and Gumbel noise are a draw without replacement.
        keys = log_chance + rng.gumbel(size=len(log_chance))
        chosen = np.sort(np.argpartition(-keys, n_least - 1)[:n_least])
    return chosen


def thin_copies(
    log_chance: npt.NDArray[np.floating], is_copy: npt.NDArray[np.bool_]
) -> npt.NDArray[np.floating]:  # (n_rows,), all
    """Lower the log-probabilities of near copies so that at most 3% of kept rows are copies.

    `log_chance` is the logarithm of the probability that each candidate is kept. The share of
    copies is an expectation.
    """
    n_copies, n_others = (np.exp(log_chance[which]).sum() for which in (is_copy, ~is_copy))
    n_allowed = n_others * MAX_SHARE_OF_COPIES / (1 - MAX_SHARE_OF_COPIES)
    if n_copies <= n_allowed:
        return log_chance
    factor = max(n_allowed / n_copies, LEAST_SHARE_OF_COPIES)
    return np.where(is_copy, log_chance + np.log(factor), log_chance)
