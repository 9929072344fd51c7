"""Rejection: which of the drawn rows are kept, once a critic has judged them."""

import math
from typing import NamedTuple, Self

import numpy as np

from vaesampler._rejection.critic import Verdict

# At most this share of what is kept are near copies of real rows.
MAX_SHARE_OF_COPIES = 0.03
# Of near copies, at least this share has its chance, lest the logarithm be infinite.
LEAST_SHARE_OF_COPIES = 1e-6
# So few rows of a class for each column tell only half as much about where it is as many do:
# in many columns even a row of the class itself may have none of its kind around it.
N_ROWS_BY_COLUMN_FOR_HALF_STRENGTH = 2.5
# At most this share of the candidates is rejected at a strength of 1, however improbable they
# are: the former of a class of few rows, the latter of one of many, which classifiers know well
# enough to be better served by rows that are spread as the class is. At so many rows it is
# halfway between.
MOST_REJECTED_OF_FEW, MOST_REJECTED_OF_MANY = 0.3, 0.07
N_ROWS_FOR_HALF_OF_MOST_REJECTED = 500
# Whatever the strength, at least this share is kept, lest drawing take for ever.
LEAST_SHARE_KEPT = 0.25


class Strictness(NamedTuple):
    """How improbable a class's candidates may be."""

    power: float  # of the class's probability at a candidate, which is its chance
    least_share: float  # of the candidates, kept however improbable they are

    @classmethod
    def of(cls, strength: float, n_rows: int, n_columns: int) -> Self:
        """Tell it for a class of so many real rows.

        The power is all but `strength` if these are many for the table's columns; the more
        they are, the greater the least share, and the lower the higher the strength.
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
) -> np.ndarray:  # (n_kept,)
    """Choose candidates, each with its probability to the power of the strictness.

    Where too few would be kept, the least share is chosen, the probable ones first.
    """
    log_chance = thin_copies(strictness.power * verdict.log_probability, verdict.is_copy)
    chosen = np.flatnonzero(-rng.exponential(size=len(log_chance)) < log_chance)
    n_least = math.ceil(strictness.least_share * len(log_chance))
    if len(chosen) < n_least:
        # The largest of these keys are a draw without replacement by the chances.
        keys = log_chance + rng.gumbel(size=len(log_chance))
        chosen = np.sort(np.argpartition(-keys, n_least - 1)[:n_least])
    return chosen


def thin_copies(log_chance: np.ndarray, is_copy: np.ndarray) -> np.ndarray:  # (n_rows,)
    """Lower the chances of near copies until a few in a hundred of what is kept are such."""
    n_copies, n_others = (np.exp(log_chance[which]).sum() for which in (is_copy, ~is_copy))
    n_allowed = n_others * MAX_SHARE_OF_COPIES / (1 - MAX_SHARE_OF_COPIES)
    if n_copies <= n_allowed:
        return log_chance
    # Where there is nothing but copies, they are chosen from.
    factor = max(n_allowed / n_copies, LEAST_SHARE_OF_COPIES)
    return np.where(is_copy, log_chance + np.log(factor), log_chance)
