"""Metrics that ask which rows lie in the balls around others."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from vaesampler._runtime.seeds import Seeds
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler.metrics._paired_tables import ComparableTables

# Distances are rounded to so many decimals of a deviation, so that equal ones are so whatever
# order they were summed in.
DECIMALS = 5
# So much memory the distances of a block of rows may take, in MiB.
WORKING_MEMORY = 64


class DensityCoverage(NamedTuple):
    """What `density_coverage` returns."""

    density: float
    coverage: float


class PrecisionRecall(NamedTuple):
    """What `precision_recall` returns."""

    precision: float
    recall: float


def density_coverage(
    X_real: Any,
    X_synthetic: Any,
    *,
    n_neighbors: int = 5,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> DensityCoverage:
    """Tell how densely synthetic rows lie among real ones, and how many of these they cover.

    Around each real row there is a ball that reaches to its `n_neighbors`-th nearest real
    neighbour. Density counts the balls that a synthetic row lies in; coverage, the balls in
    which there is a synthetic row.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Real rows.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows. Coverage grows with their number: pass as many as real ones.
    n_neighbors : int, default=5
        How many real neighbours a ball holds.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Which columns hold categories, as in `VAEOversampler`.
    max_samples : int or None, default=5000
        The most rows of each table that are looked at, picked at random; None means all.
    random_state : int, RandomState instance or None, default=None
        Which rows are taken where there are more.

    Returns
    -------
    density : float
        1 for rows that are distributed as the real ones; less if they lie where these are
        rare, and more if they crowd where these are dense.
    coverage : float
        Share of real rows that are covered. For as many rows that are distributed as the real
        ones it is about .97, with 5 neighbours; less if parts of the real rows are missed.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or does not have the same columns, or there are
        no more real rows than `n_neighbors`.
    TypeError
        If a table is a data frame that narwhals does not know.

    References
    ----------
    Muhammad Ferjad Naeem, Seong Joon Oh, Youngjung Uh, Yunjey Choi, Jaejun Yoo (2020).
    Reliable Fidelity and Diversity Metrics for Generative Models.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import density_coverage
    >>> X_real, X_synthetic = np.random.default_rng(0).normal(size=(2, 300, 3))
    >>> density_coverage(X_real, X_synthetic).coverage > 0.9
    True
    >>> density_coverage(X_real, X_synthetic[:1]).coverage > 0.9
    False
    """
    real, synthetic = _read(
        X_real, X_synthetic, categorical_features, max_samples, random_state
    )
    _check_n_neighbors("X_real", real, n_neighbors)
    return density_coverage_of(real, synthetic, n_neighbors)


def precision_recall(
    X_real: Any,
    X_synthetic: Any,
    *,
    n_neighbors: int = 3,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> PrecisionRecall:
    """Tell what share of each table lies within the reach of the other (improved version).

    Around each row of a table there is a ball that reaches to its `n_neighbors`-th nearest
    neighbour in the same table. Precision is the share of synthetic rows in a ball of real
    ones; recall, the share of real rows in a ball of synthetic ones.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Real rows.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows; best of all as many as real ones.
    n_neighbors : int, default=3
        How many neighbours a ball holds.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Which columns hold categories, as in `VAEOversampler`.
    max_samples : int or None, default=5000
        The most rows of each table that are looked at, picked at random; None means all.
    random_state : int, RandomState instance or None, default=None
        Which rows are taken where there are more.

    Returns
    -------
    precision : float
        Share of synthetic rows that are like real ones.
    recall : float
        Share of real rows whose like is drawn. Even of real rows neither reaches 1: the more
        columns, the fewer rows lie within reach of each other.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or does not have the same columns, or one has no
        more rows than `n_neighbors`.
    TypeError
        If a table is a data frame that narwhals does not know.

    References
    ----------
    Tuomas Kynkäänniemi, Tero Karras, Samuli Laine, Jaakko Lehtinen, Timo Aila (2019).
    Improved Precision and Recall Metric for Assessing Generative Models.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import precision_recall
    >>> X_real, X_synthetic = np.random.default_rng(0).normal(size=(2, 300, 2))
    >>> scores = precision_recall(X_real, X_synthetic / 10)  # all near the centre
    >>> scores.precision > 0.9, scores.recall < 0.1
    (True, True)
    """
    real, synthetic = _read(
        X_real, X_synthetic, categorical_features, max_samples, random_state
    )
    _check_n_neighbors("X_real", real, n_neighbors)
    _check_n_neighbors("X_synthetic", synthetic, n_neighbors)
    return precision_recall_of(real, synthetic, n_neighbors)


def density_coverage_of(
    real: np.ndarray, synthetic: np.ndarray, n_neighbors: int
) -> DensityCoverage:  # (n_real, width) and (n_synthetic, width)
    """Return density and coverage of rows that are points."""
    radii = _radii(real, n_neighbors)
    n_inside, is_covered = 0, np.zeros(len(real), dtype=bool)
    for is_inside in _inside(synthetic, real, radii):
        n_inside += is_inside.sum()
        is_covered |= is_inside.any(axis=0)
    return DensityCoverage(
        float(n_inside / (n_neighbors * len(synthetic))), float(is_covered.mean())
    )


def precision_recall_of(
    real: np.ndarray, synthetic: np.ndarray, n_neighbors: int
) -> PrecisionRecall:  # (n_real, width) and (n_synthetic, width)
    """Return precision and recall of rows that are points."""
    return PrecisionRecall(
        _share_within_reach(synthetic, real, n_neighbors),
        _share_within_reach(real, synthetic, n_neighbors),
    )


def _share_within_reach(points: np.ndarray, centres: np.ndarray, n_neighbors: int) -> float:
    radii = _radii(centres, n_neighbors)
    within = [inside.any(axis=1) for inside in _inside(points, centres, radii)]
    return float(np.concatenate(within).mean())


def _radii(centres: np.ndarray, n_neighbors: int) -> np.ndarray:  # (n_centres,)
    """Return the distance of each row to its n-th nearest other one."""
    search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(centres)
    radii: np.ndarray = np.round(search.kneighbors()[0][:, -1], DECIMALS)
    return radii


def _inside(
    points: np.ndarray, centres: np.ndarray, radii: np.ndarray
) -> Iterator[np.ndarray]:  # (some of n_points, n_centres)
    """Yield, block by block of points, which balls each lies in."""
    for distances in pairwise_distances_chunked(points, centres, working_memory=WORKING_MEMORY):
        yield np.round(distances, DECIMALS) <= radii


def _read(
    X_real: Any,
    X_synthetic: Any,
    categorical_features: CategoricalFeatures,
    max_samples: int | None,
    random_state: int | np.random.RandomState | None,
) -> tuple[np.ndarray, ...]:
    rng = Seeds.from_random_state(random_state).numpy("max_samples")
    tables = ComparableTables.read(
        {"X_real": X_real, "X_synthetic": X_synthetic}, categorical_features
    )
    return tables.limited(max_samples, rng).matrices


def _check_n_neighbors(what: str, rows: np.ndarray, n_neighbors: int) -> None:
    if not isinstance(n_neighbors, Integral) or not 1 <= n_neighbors < len(rows):
        raise ValueError(
            "n_neighbors must be a whole number of at least 1, and less than the rows that "
            f"are compared of {what}, {len(rows)}; found {n_neighbors!r}. Lower it, or have "
            "more rows compared."
        )
