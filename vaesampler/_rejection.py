"""Rejection: which of the drawn rows are kept, once a critic has judged them."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np

# At most this share of what is kept are near copies of real rows.
MAX_SHARE_OF_COPIES = 0.03
# Of near copies, at least this share has its chance, lest the logarithm be infinite.
LEAST_SHARE_OF_COPIES = 1e-6
# So few rows of a class tell only half as much about where it is as many do.
N_ROWS_FOR_HALF_STRENGTH = 20
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


def keep(
    verdict: Verdict, strength: float, n_rows: int, rng: np.random.Generator
) -> np.ndarray:  # (n_kept,)
    """Choose candidates, each with its probability to a power that is all but `strength`.

    `n_rows` is the class's number of real rows: few of them tell little about where it is.
    Where too few would be kept, the least share is chosen, the probable ones first.
    """
    power = strength * n_rows / (n_rows + N_ROWS_FOR_HALF_STRENGTH)
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
