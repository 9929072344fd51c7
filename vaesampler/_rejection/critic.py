"""`Critic`: estimates the probability of a class at drawn rows."""

from abc import ABC, abstractmethod
from collections.abc import Hashable
from numbers import Integral
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.rows import EncodedRows
from vaesampler._runtime.seeds import RandomStream
from vaesampler._runtime.users_code import errors_noted, require
from vaesampler._table.schema import FeatureSchema

# A near copy is nearer to a row of the class than this quantile of the distances between rows
# of the class and their nearest neighbours. Chosen with benchmarks/quality.py --parts digits.
COPY_QUANTILE = 0.1
# Exponent of the odds of the class in the table. With 0, class sizes are evened out, and many
# rows of a rare class are kept where few real rows belong to it; with 1, few rows are kept at
# all. Chosen with benchmarks/quality.py.
POWER_OF_ODDS_IN_TABLE = 0.3
# Logarithms of probabilities that are 1 up to rounding.
LARGEST_LOG_PROBABILITY = 1e-5
# Replaces minus infinity, whose differences are NaN.
LOWEST_LOG_PROBABILITY = -1e9


class Candidates(NamedTuple):
    """Drawn rows to be judged by a critic.

    Attributes
    ----------
    encoded : ndarray of float32, of shape (n_candidates, width)
        The rows, encoded like the real rows that the critic was fitted on.
    sources : ndarray of int, of shape (n_candidates,)
        Index, among the rows of the class, of the row that each candidate was drawn around; -1
        if it was drawn around none.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler import Candidates
    >>> candidates = Candidates(np.zeros((2, 3), dtype=np.float32), sources=np.array([7, -1]))
    >>> candidates.encoded.shape
    (2, 3)
    """

    encoded: npt.NDArray[np.float32]
    sources: npt.NDArray[np.intp]


class Verdict(NamedTuple):
    """The judgement of a critic on candidates.

    Attributes
    ----------
    log_probability : ndarray of float, of shape (n_candidates,)
        Logarithm of the probability of the class at each candidate.
    is_copy : ndarray of bool, of shape (n_candidates,)
        Whether each candidate is a near copy of a real row.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler import Verdict
    >>> verdict = Verdict(np.log([0.9, 0.2]), is_copy=np.array([False, True]))
    >>> verdict.is_copy.sum()
    np.int64(1)
    """

    log_probability: npt.NDArray[np.floating]
    is_copy: npt.NDArray[np.bool_]


class FittedCritic(ABC):
    """Base class of fitted critics, which judge drawn rows of a class.

    Subclass it and implement `judge`; the `fit` of a `Critic` returns an instance. See `Critic`
    for an example.

    Attributes
    ----------
    suits_threads : bool, default=False
        Whether `judge` may be called from several threads at once, and does not use several
        cores by itself.

    Examples
    --------
    Judge rows by their distance from the centre of the class:

    >>> import numpy as np
    >>> from vaesampler import Candidates, FittedCritic, Verdict
    >>> class FittedCentralCritic(FittedCritic):
    ...     suits_threads = True
    ...
    ...     def __init__(self, center):
    ...         self.center = center
    ...
    ...     def judge(self, candidates):
    ...         distances = np.linalg.norm(candidates.encoded - self.center, axis=1)
    ...         return Verdict(-distances, is_copy=distances < 0.01)
    >>> rows = np.array([[0, 0], [3, 4]], dtype=np.float32)
    >>> verdict = FittedCentralCritic(np.zeros(2)).judge(Candidates(rows, np.array([-1, -1])))
    >>> verdict.is_copy
    array([ True, False])
    """

    suits_threads: ClassVar[bool] = False

    @abstractmethod
    def judge(self, candidates: Candidates) -> Verdict:
        """Judge drawn rows.

        Parameters
        ----------
        candidates : Candidates
            The drawn rows, which must not be changed.

        Returns
        -------
        verdict : Verdict
            Log-probability of the class at each row, and whether it is a near copy.

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler import Candidates, FittedCritic, Verdict
        >>> class FittedLenientCritic(FittedCritic):
        ...     def judge(self, candidates):
        ...         n_candidates = len(candidates.encoded)
        ...         return Verdict(np.zeros(n_candidates), np.zeros(n_candidates, dtype=bool))
        >>> candidates = Candidates(np.zeros((2, 3), dtype=np.float32), np.array([7, -1]))
        >>> FittedLenientCritic().judge(candidates)
        Verdict(log_probability=array([0., 0.]), is_copy=array([False, False]))
        """


class Critic(ABC):
    """Base class of critics, which estimate the probability of a class at drawn rows.

    `VAEOversampler` keeps drawn rows according to these probabilities; see its
    `rejection_strength`. To use a critic of your own, implement `fit`, and pass an instance as
    `critic` of :class:`vaesampler.VAEOversampler`.

    See Also
    --------
    ForestCritic : Estimates the probability with a random forest.
    NeighborCritic : Estimates the probability from the nearest real rows.
    NetworkCritic : Estimates the probability with a small neural network.

    References
    ----------
    Samaneh Azadi, Catherine Olsson, Trevor Darrell, Ian Goodfellow, Augustus Odena (2019).
    Discriminator Rejection Sampling.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import LogisticRegression
    >>> from vaesampler import Critic, FittedCritic, VAEOversampler, Verdict
    >>> class FittedLinearCritic(FittedCritic):
    ...     def __init__(self, classifier):
    ...         self.classifier = classifier
    ...
    ...     def judge(self, candidates):
    ...         log_probability = self.classifier.predict_log_proba(candidates.encoded)[:, 1]
    ...         return Verdict(log_probability, np.zeros(len(log_probability), dtype=bool))
    >>> class LinearCritic(Critic):
    ...     def fit(self, own_rows, other_rows, random):
    ...         parts = [rows.take(np.arange(len(rows))) for rows in (other_rows, own_rows)]
    ...         is_own = np.repeat([False, True], [len(part) for part in parts])
    ...         classifier = LogisticRegression().fit(np.concatenate(parts), is_own)
    ...         return FittedLinearCritic(classifier)
    >>> X, y = load_wine(return_X_y=True)
    >>> sampler = VAEOversampler(critic=LinearCritic(), random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> X_resampled.shape
    (213, 13)
    """

    def suited_to(self, schema: FeatureSchema) -> "Critic":  # noqa: ARG002
        """Return the critic to fit to a table; unless a subclass says otherwise, this one.

        Parameters
        ----------
        schema : FeatureSchema
            The columns of the table.

        Returns
        -------
        critic : Critic
            The critic to fit.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import ForestCritic, NeighborCritic, VAEOversampler
        >>> class NeighborsUnlessWide(NeighborCritic):
        ...     def suited_to(self, schema):
        ...         return ForestCritic() if len(schema.columns) > 10 else self
        >>> X, y = load_wine(return_X_y=True)
        >>> critic = NeighborsUnlessWide()
        >>> sampler = VAEOversampler(critic=critic, random_state=0).fit(X, y)
        >>> critic.suited_to(sampler.schema_)
        ForestCritic(n_estimators=50)
        """
        return self

    @abstractmethod
    def fit(
        self, own_rows: EncodedRows, other_rows: EncodedRows, random: RandomStream
    ) -> FittedCritic:
        """Fit the critic on real rows.

        Parameters
        ----------
        own_rows : EncodedRows
            The real rows of the class. `len(own_rows)` is their number, and
            `own_rows.take(indices)` an array of float32, of shape (n, width).
        other_rows : EncodedRows
            The real rows of all other classes.
        random : RandomStream
            The only source of randomness. `random.numpy()` is a NumPy generator.

        Returns
        -------
        fitted : FittedCritic
            The fitted critic, which judges drawn rows of the class.

        Examples
        --------
        Compare with 50 rows of other classes only:

        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import Critic, NeighborCritic, VAEOversampler
        >>> class FrugalCritic(Critic):
        ...     def fit(self, own_rows, other_rows, random):
        ...         chosen = random.numpy().choice(len(other_rows), 50, replace=False)
        ...         return NeighborCritic().fit(own_rows, other_rows.subset(chosen), random)
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(critic=FrugalCritic(), random_state=0)
        >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
        >>> X_resampled.shape
        (213, 13)
        """


def suited_critic(critic: Critic, schema: FeatureSchema) -> Critic:
    """Return the critic to fit to a table, after checking that it is one.

    Raises
    ------
    ValueError
        If it is none.
    """
    who = f"{type(critic).__name__}.suited_to"
    with errors_noted(f"Raised by {who}."):
        suited = critic.suited_to(schema)
    require(isinstance(suited, Critic), f"{who} must return a Critic", type(suited).__name__)
    return suited


def fit_critic(
    critic: Critic,
    label: Hashable,
    own_rows: EncodedRows,
    other_rows: EncodedRows,
    random: RandomStream,
) -> FittedCritic:
    """Fit a critic for the class `label`, and check what it returns.

    Raises
    ------
    ValueError
        If it is no `FittedCritic`.
    """
    who = f"{type(critic).__name__}.fit"
    with errors_noted(f"Raised by {who}, for class {label!r}."):
        fitted = critic.fit(own_rows, other_rows, random)
    is_fitted = isinstance(fitted, FittedCritic)
    require(is_fitted, f"{who} must return a FittedCritic", type(fitted).__name__)
    return fitted


def judge(critic: FittedCritic, label: Hashable, candidates: Candidates) -> Verdict:
    """Return the verdict of a critic of the class `label`, after checking it.

    Logarithms of zero are replaced by large negative numbers.

    Raises
    ------
    ValueError
        If it is not as `FittedCritic.judge` must return it.
    """
    who = f"{type(critic).__name__}.judge"
    with errors_noted(f"Raised by {who}, for class {label!r}."):
        verdict = critic.judge(candidates)
    is_pair = isinstance(verdict, tuple) and len(verdict) == 2
    require(is_pair, f"{who} must return a Verdict", type(verdict).__name__)
    logarithms, is_copy = np.asarray(verdict[0]), np.asarray(verdict[1])
    shape = candidates.sources.shape
    require(
        logarithms.shape == shape and logarithms.dtype.kind in "fiu",
        f"{who} must return `log_probability` of shape {shape}, as numbers",
        f"shape {logarithms.shape}, {logarithms.dtype}, for class {label!r}",
    )
    require(
        is_copy.shape == shape and is_copy.dtype == bool,
        f"{who} must return `is_copy` of shape {shape}, as booleans",
        f"shape {is_copy.shape}, {is_copy.dtype}, for class {label!r}",
    )
    # NaN is no smaller.
    n_wrong = len(logarithms) - np.count_nonzero(logarithms <= LARGEST_LOG_PROBABILITY)
    require(
        n_wrong == 0,
        f"{who} must return logarithms of probabilities, at most 0",
        f"NaN or positive values for {n_wrong} of {len(logarithms)} candidates of class "
        f"{label!r}",
    )
    return Verdict(logarithms.clip(LOWEST_LOG_PROBABILITY, None), is_copy)


def log_probability(
    log_odds: npt.NDArray[np.floating], share: float
) -> npt.NDArray[np.floating]:  # (n_rows,), both
    """Return the logarithm of the probability o / (1 + o) of a class at each row.

    o = exp(log_odds) * (share / (1 - share)) ** POWER_OF_ODDS_IN_TABLE, where `log_odds` are
    the log-odds if the class had as many rows as all others together, and `share` is its share
    of the table.
    """
    in_table = np.log(share) - np.log1p(-share)
    logarithm: npt.NDArray[np.floating] = -np.logaddexp(
        0, -log_odds - POWER_OF_ODDS_IN_TABLE * in_table
    )
    return logarithm


class SizeLimits(NamedTuple):
    """How many rows of a class, and as many of all others, a critic compares with.

    In wide tables, there are at most `most_cells` cells, but at least `least_rows` rows.
    """

    most_rows: int
    most_cells: int
    least_rows: int

    def choose(
        self, own_rows: EncodedRows, other_rows: EncodedRows, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return indices of random rows of the class, and of all others."""
        return self._some(own_rows, rng), self._some(other_rows, rng)

    def _some(self, rows: EncodedRows, rng: np.random.Generator) -> npt.NDArray[np.intp]:
        most = min(self.most_rows, max(self.most_cells // rows.width, self.least_rows))
        if len(rows) <= most:
            return np.arange(len(rows))
        chosen: npt.NDArray[np.intp] = rng.choice(len(rows), most, replace=False)
        return chosen


def require_positive(parameter: str, value: int) -> None:
    """Raise a ValueError unless the value of a critic's parameter is a positive integer."""
    if not (isinstance(value, Integral) and value >= 1):
        raise ValueError(f"{parameter} must be an integer of at least 1; found {value!r}.")
