"""Rejection: which of the drawn rows are kept, once a critic has judged them."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np

# A drawn row is a near copy if it lies nearer to a row of its class than this share of the
# class's rows do to each other.
COPY_QUANTILE = 0.1
# At most this share of what is kept are near copies of real rows.
MAX_SHARE_OF_COPIES = 0.03
# Of near copies, at least this share has its chance, lest the logarithm be infinite.
LEAST_SHARE_OF_COPIES = 1e-6
# So few rows of a class for each column tell only half as much about where it is as many do:
# in many columns even a row of the class itself may have none of its kind around it.
N_ROWS_BY_COLUMN_FOR_HALF_STRENGTH = 2.5
# The odds of a class at a row are told as if it had as many rows as the others, times its odds
# in the table to this power. At 0, rows of a rare class would be kept where hardly a real one
# is of the class; at 1, few would be kept at all.
POWER_OF_ODDS_IN_TABLE = 0.3
# At least this share of the candidates is kept, however improbable they are.
LEAST_SHARE_KEPT = 0.25


class Candidates(NamedTuple):
    """Drawn rows that await judgement."""

    encoded: np.ndarray  # (n_rows, width), as real rows are encoded
    sources: np.ndarray  # (n_rows,), numbers of the class's rows they were drawn from, or -1


class Verdict(NamedTuple):
    """What a critic says of candidates."""

    log_probability: np.ndarray  # (n_rows,), of the class at each
    is_copy: np.ndarray  # (n_rows,), bool: too near to a real row


class Critic(ABC):
    """Tells how probable it is that a row belongs to a class, and whether it is a near copy."""

    # Whether several threads may ask at once, and gain from it.
    suits_threads: ClassVar[bool]

    @abstractmethod
    def judge(self, candidates: Candidates) -> Verdict:
        """Judge candidates by real rows."""


def power_of(strength: float, n_rows: int, n_columns: int) -> float:
    """Return the power of a class's probability that is a candidate's chance.

    It is all but `strength` if the class has many real rows for the table's columns.
    """
    return strength * n_rows / (n_rows + N_ROWS_BY_COLUMN_FOR_HALF_STRENGTH * n_columns)


def log_probability(log_odds: np.ndarray, share: float) -> np.ndarray:  # (n_rows,), both
    """Return the logarithm of a class's probability at each row.

    `log_odds` are told as if the class had as many rows as all others; `share` of the table's
    are its own.
    """
    in_table = np.log(share) - np.log1p(-share)
    logarithm: np.ndarray = -np.logaddexp(0, -log_odds - POWER_OF_ODDS_IN_TABLE * in_table)
    return logarithm


def keep(verdict: Verdict, power: float, rng: np.random.Generator) -> np.ndarray:  # (n_kept,)
    """Choose candidates, each with its probability to this power.

    Where too few would be kept, the least share is chosen, the probable ones first.
    """
    log_chance = thin_copies(power * verdict.log_probability, verdict.is_copy)
    chosen = np.flatnonzero(-rng.exponential(size=len(log_chance)) < log_chance)
    n_least = math.ceil(LEAST_SHARE_KEPT * len(log_chance))
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
