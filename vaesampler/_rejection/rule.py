"""Rejection: which candidates are kept, given the verdict of a critic."""

import math

import numpy as np
import numpy.typing as npt

from vaesampler._rejection.critic import Verdict

# Largest share of near copies among the rows that are kept. Chosen with benchmarks/quality.py
# --parts digits.
MAX_SHARE_OF_COPIES = 0.03
# Lower bound on the factor for near copies; keeps its logarithm finite.
LEAST_SHARE_OF_COPIES = 1e-6
# Number of rows per column at which the power is half of `rejection_strength`. With few rows
# in many columns, even a real row may have no row of its class among its neighbours.
# Chosen with benchmarks/quality.py.
N_ROWS_BY_COLUMN_FOR_HALF_STRENGTH = 2.5
# Smallest share of the candidates that is kept, which bounds the time to draw rows.
LEAST_SHARE_KEPT = 0.25


def rejection_power(strength: float, n_rows: int, n_columns: int) -> float:
    """Return strength * n / (n + 2.5 * d) for a class of n rows in a table of d columns."""
    return strength * n_rows / (n_rows + N_ROWS_BY_COLUMN_FOR_HALF_STRENGTH * n_columns)


def keep(
    verdict: Verdict, power: float, rng: np.random.Generator
) -> npt.NDArray[np.intp]:  # (n_kept,)
    """Return the indices of the candidates that are kept, ascending.

    Each is kept with probability min(1, p / m) ** power, where p is the probability of the
    class and m its median among the candidates; near copies are thinned out. If less than a
    quarter would be kept, a quarter is drawn without replacement, with these probabilities as
    weights.
    """
    log_probability = verdict.log_probability
    log_chance = power * np.minimum(log_probability - np.median(log_probability), 0)
    log_chance = thin_copies(log_chance, verdict.is_copy)
    chosen = np.flatnonzero(-rng.exponential(size=len(log_chance)) < log_chance)
    n_least = math.ceil(LEAST_SHARE_KEPT * len(log_chance))
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
