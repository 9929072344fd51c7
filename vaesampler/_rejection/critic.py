"""`Critic`: how probable it is that a drawn row belongs to its class."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np

# A drawn row is a near copy if it lies nearer to a row of its class than this share of the
# class's rows do to each other.
COPY_QUANTILE = 0.1
# The odds of a class at a row are told as if it had as many rows as the others, times its odds
# in the table to this power. At 0, rows of a rare class would be kept where hardly a real one
# is of the class; at 1, few would be kept at all.
POWER_OF_ODDS_IN_TABLE = 0.3


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


def log_probability(log_odds: np.ndarray, share: float) -> np.ndarray:  # (n_rows,), both
    """Return the logarithm of a class's probability at each row.

    `log_odds` are told as if the class had as many rows as all others; `share` of the table's
    are its own.
    """
    in_table = np.log(share) - np.log1p(-share)
    logarithm: np.ndarray = -np.logaddexp(0, -log_odds - POWER_OF_ODDS_IN_TABLE * in_table)
    return logarithm
