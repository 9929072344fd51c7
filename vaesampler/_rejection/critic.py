"""`Critic`: judges drawn rows by real rows."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.rows import EncodedRows
from vaesampler._runtime.seeds import RandomStream

# A near copy is nearer to a row of its class than this quantile of the distances between rows
# of the class and their nearest neighbours.
COPY_QUANTILE = 0.1
# Exponent of the class's odds in the table. At 0, candidates are judged as if both sides had as
# many rows, and rows of a rare class are kept where hardly a real one is of the class; at 1,
# few rows are kept at all.
POWER_OF_ODDS_IN_TABLE = 0.3


class Candidates(NamedTuple):
    """Drawn rows to be judged.

    Attributes
    ----------
    encoded : ndarray of float32, of shape (n_candidates, width)
        The rows, encoded as the real rows that the critic was fitted on.
    sources : ndarray of int, of shape (n_candidates,)
        Index, among the rows of the class, of the row that each was drawn around; -1 if it was
        drawn around none.
    """

    encoded: npt.NDArray[np.float32]
    sources: npt.NDArray[np.intp]


class Verdict(NamedTuple):
    """What a critic says of candidates.

    Attributes
    ----------
    log_probability : ndarray of shape (n_candidates,)
        Logarithm of the probability of the class at each candidate.
    is_copy : ndarray of bool, of shape (n_candidates,)
        Whether each candidate is a near copy of a real row.
    """

    log_probability: npt.NDArray[np.floating]
    is_copy: npt.NDArray[np.bool_]


class FittedCritic(ABC):
    """A critic that knows the real rows of a class and of the rest.

    Attributes
    ----------
    suits_threads : bool, default=False
        Whether several threads may call `judge` at once, and gain from it.
    """

    suits_threads: ClassVar[bool] = False

    @abstractmethod
    def judge(self, candidates: Candidates) -> Verdict:
        """Judge candidates.

        Parameters
        ----------
        candidates : Candidates
            Drawn rows, which must not be changed.

        Returns
        -------
        verdict : Verdict
            The probability of the class at each, and whether it is a near copy.
        """


class Critic(ABC):
    """How drawn rows are judged by real ones.

    Subclass it and implement `fit` to pass a critic of your own as the `critic` of
    :class:`vaesampler.VAEOversampler`.

    References
    ----------
    Samaneh Azadi, Catherine Olsson, Trevor Darrell, Ian Goodfellow, Augustus Odena (2019).
    Discriminator Rejection Sampling.
    """

    @abstractmethod
    def fit(
        self, own_rows: EncodedRows, other_rows: EncodedRows, random: RandomStream
    ) -> FittedCritic:
        """Learn what tells the rows of a class from all others.

        Parameters
        ----------
        own_rows : EncodedRows
            The real rows of the class: `len(own_rows)` is their number, and
            `own_rows.take(indices)` an array of float32, of shape (n, width).
        other_rows : EncodedRows
            The real rows of all other classes.
        random : RandomStream
            The only source of randomness: `random.numpy()` is a NumPy generator.

        Returns
        -------
        fitted : FittedCritic
            What judges drawn rows of the class.
        """


def log_probability(
    log_odds: npt.NDArray[np.floating], share: float
) -> npt.NDArray[np.floating]:  # (n_rows,), both
    """Return the logarithm of a class's probability at each row.

    `log_odds` are those of a class with as many rows as all others together. With the class's
    `share` s of the table, they are multiplied by (s / (1 - s)) ** POWER_OF_ODDS_IN_TABLE.
    """
    in_table = np.log(share) - np.log1p(-share)
    logarithm: npt.NDArray[np.floating] = -np.logaddexp(
        0, -log_odds - POWER_OF_ODDS_IN_TABLE * in_table
    )
    return logarithm
