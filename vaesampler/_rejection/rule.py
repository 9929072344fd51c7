"""Rejection: which candidates are kept, given a critic's verdict."""

import math
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from vaesampler._rejection.critic import Verdict

# Largest share of near copies among the rows that are kept.
MAX_SHARE_OF_COPIES = 0.03
# Lower bound on the factor for near copies; keeps its logarithm finite.
LEAST_SHARE_OF_COPIES = 1e-6
# The exponent is half of `rejection_strength` at this many rows per column: with few rows in
# many columns, even a row of the class may have none of its class around it.
N_ROWS_BY_COLUMN_FOR_HALF_STRENGTH = 2.5
# Largest share that is rejected at a strength of 1, in a class of few rows and of many, and
# the number of rows halfway. Classifiers know a large class well: rows that are distributed as
# the class is serve them better.
MOST_REJECTED_OF_FEW, MOST_REJECTED_OF_MANY = 0.3, 0.07
N_ROWS_FOR_HALF_OF_MOST_REJECTED = 500
# Smallest share that is kept, whatever the strength, which bounds the time of drawing.
LEAST_SHARE_KEPT = 0.25


class Strictness(NamedTuple):
    """How improbable a class's candidates may be."""

    power: float  # a candidate is kept with its class's probability to this power
    least_share: float  # of the candidates that is kept, however improbable they are

    @classmethod
    def of(cls, strength: float, n_rows: int, n_columns: int) -> Self:
        """Return the strictness for a class of n rows in a table of d columns.

        power = strength * n / (n + 2.5 d)

        least_share = max(1 / 4, (1 - m) ** strength), m = .3 + (.07 - .3) * n / (n + 500)
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
    """Choose candidates, each with its probability to the power of the strictness.

    If fewer than the least share would be kept, this share is drawn without replacement, with
    weights equal to these probabilities.
    """
    log_chance = thin_copies(strictness.power * verdict.log_probability, verdict.is_copy)
    chosen = np.flatnonzero(-rng.exponential(size=len(log_chance)) < log_chance)
    n_least = math.ceil(strictness.least_share * len(log_chance))
    if len(chosen) < n_least:
        # The largest log-weights with Gumbel noise are a draw without replacement.
        keys = log_chance + rng.gumbel(size=len(log_chance))
        chosen = np.sort(np.argpartition(-keys, n_least - 1)[:n_least])
    return chosen


def thin_copies(
    log_chance: npt.NDArray[np.floating], is_copy: npt.NDArray[np.bool_]
) -> npt.NDArray[np.floating]:  # (n_rows,), all
    """Lower the chances of near copies until they are at most 3% of what is kept."""
    n_copies, n_others = (np.exp(log_chance[which]).sum() for which in (is_copy, ~is_copy))
    n_allowed = n_others * MAX_SHARE_OF_COPIES / (1 - MAX_SHARE_OF_COPIES)
    if n_copies <= n_allowed:
        return log_chance
    factor = max(n_allowed / n_copies, LEAST_SHARE_OF_COPIES)
    return np.where(is_copy, log_chance + np.log(factor), log_chance)
