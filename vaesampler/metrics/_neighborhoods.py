"""Density, coverage, precision and recall: which rows lie in the neighbourhoods of others."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from vaesampler._runtime.seeds import Seeds
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler.metrics._paired_tables import PairedTables

# The numbers of neighbours that the authors of the metrics recommend.
DENSITY_NEIGHBORS = 5
PRECISION_NEIGHBORS = 3
# Decimals, in deviations, that distances are rounded to: equal distances stay equal however the
# sums were computed, and the distance between equal rows is 0.
DECIMALS = 5
# Memory for the distances of a block of rows, in MiB; larger blocks are not faster.
WORKING_MEMORY = 64


class DensityCoverage(NamedTuple):
    """Density and coverage. Returned by `density_coverage`.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import density_coverage
    >>> X_real, X_synthetic = np.random.default_rng(0).normal(size=(2, 300, 3))
    >>> density, coverage = density_coverage(X_real, X_synthetic)
    >>> coverage > 0.9
    True
    >>> density_coverage(X_real, X_synthetic + 9).coverage
    0.0
    """

    density: float
    coverage: float


class PrecisionRecall(NamedTuple):
    """Precision and recall. Returned by `precision_recall`.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import precision_recall
    >>> X_real, X_synthetic = np.random.default_rng(0).normal(size=(2, 300, 3))
    >>> precision, recall = precision_recall(X_real, X_synthetic / 10)
    >>> precision > recall
    True
    >>> precision_recall(X_real, X_synthetic + 9).precision
    0.0
    """

    precision: float
    recall: float


def density_coverage(
    X_real: Any,
    X_synthetic: Any,
    *,
    n_neighbors: int = DENSITY_NEIGHBORS,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> DensityCoverage:
    """Measure how densely real rows lie where synthetic rows are, and how many are covered.

    The ball around each real row reaches to its `n_neighbors`-th nearest other real row.
    Density is the mean number of balls that contain a synthetic row, divided by `n_neighbors`.
    Coverage is the share of balls that contain a synthetic row.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Real rows.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows, as many as real rows: coverage grows with their number.
    n_neighbors : int, default=5
        Number of other real rows in a ball.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Columns that hold categories, as in :class:`~vaesampler.VAEOversampler`.
    max_samples : int or None, default=5000
        Maximum number of rows of each table to use, chosen at random. If None, use all rows.
    random_state : int, RandomState instance or None, default=None
        Controls the choice of rows.

    Returns
    -------
    density : float
        1 if synthetic rows are distributed as real rows; less if they lie where real rows are
        sparse, more if they concentrate where real rows are dense.
    coverage : float
        About .97 for as many synthetic rows with the distribution of the real rows and 5
        neighbours; less if they miss regions with real rows.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or has other columns than `X_real`, or if there
        are at most `n_neighbors` real rows.
    TypeError
        If a table is a data frame that narwhals does not support.

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
    rng = Seeds.from_random_state(random_state).numpy("max_samples")
    real, synthetic = PairedTables.read_pair(
        X_real, X_synthetic, categorical_features, max_samples, rng
    ).matrices
    _check_n_neighbors("X_real", real, n_neighbors)
    return density_coverage_of(real, synthetic, n_neighbors)


def precision_recall(
    X_real: Any,
    X_synthetic: Any,
    *,
    n_neighbors: int = PRECISION_NEIGHBORS,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> PrecisionRecall:
    """Measure the share of each table that lies in the neighbourhoods of the other.

    The ball around each row reaches to its `n_neighbors`-th nearest other row of the same
    table. Improved precision is the share of synthetic rows in the ball of a real row, and
    improved recall the share of real rows in the ball of a synthetic row.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Real rows.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows, preferably as many as real rows.
    n_neighbors : int, default=3
        Number of other rows in a ball.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Columns that hold categories, as in :class:`~vaesampler.VAEOversampler`.
    max_samples : int or None, default=5000
        Maximum number of rows of each table to use, chosen at random. If None, use all rows.
    random_state : int, RandomState instance or None, default=None
        Controls the choice of rows.

    Returns
    -------
    precision : float
        Share of synthetic rows that are close to a real row.
    recall : float
        Share of real rows that are close to a synthetic row. Even two tables of real rows stay
        below 1, the more so the more columns they have.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or has other columns than `X_real`, or has at
        most `n_neighbors` rows.
    TypeError
        If a table is a data frame that narwhals does not support.

    References
    ----------
    Tuomas Kynkäänniemi, Tero Karras, Samuli Laine, Jaakko Lehtinen, Timo Aila (2019).
    Improved Precision and Recall Metric for Assessing Generative Models.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import precision_recall
    >>> X_real, X_synthetic = np.random.default_rng(0).normal(size=(2, 300, 2))
    >>> scores = precision_recall(X_real, X_synthetic / 10)  # all close to the centre
    >>> scores.precision > 0.9, scores.recall < 0.1
    (True, True)
    """
    rng = Seeds.from_random_state(random_state).numpy("max_samples")
    real, synthetic = PairedTables.read_pair(
        X_real, X_synthetic, categorical_features, max_samples, rng
    ).matrices
    _check_n_neighbors("X_real", real, n_neighbors)
    _check_n_neighbors("X_synthetic", synthetic, n_neighbors)
    return precision_recall_of(real, synthetic, n_neighbors)


def density_coverage_of(
    real: npt.NDArray[np.float64],  # (n_real, width)
    synthetic: npt.NDArray[np.float64],  # (n_synthetic, width)
    n_neighbors: int,
) -> DensityCoverage:
    """Return density and coverage of rows that are points."""
    radii = _radii(real, n_neighbors)
    n_inside, is_covered = 0, np.zeros(len(real), dtype=np.bool_)
    for is_inside in _are_inside(synthetic, real, radii):
        n_inside += is_inside.sum()
        is_covered |= is_inside.any(axis=0)
    return DensityCoverage(
        float(n_inside / (n_neighbors * len(synthetic))), float(is_covered.mean())
    )


def precision_recall_of(
    real: npt.NDArray[np.float64],  # (n_real, width)
    synthetic: npt.NDArray[np.float64],  # (n_synthetic, width)
    n_neighbors: int,
) -> PrecisionRecall:
    """Return precision and recall of rows that are points."""
    return PrecisionRecall(
        _share_inside(synthetic, real, n_neighbors), _share_inside(real, synthetic, n_neighbors)
    )


def _share_inside(
    points: npt.NDArray[np.float64],  # (n_points, width)
    centres: npt.NDArray[np.float64],  # (n_centres, width)
    n_neighbors: int,
) -> float:
    """Return the share of points that lie in the ball around some centre."""
    blocks = _are_inside(points, centres, _radii(centres, n_neighbors))
    return float(np.concatenate([is_inside.any(axis=1) for is_inside in blocks]).mean())


def _radii(
    centres: npt.NDArray[np.float64], n_neighbors: int
) -> npt.NDArray[np.float64]:  # (n_centres, width) to (n_centres,)
    """Return the distance between each centre and its `n_neighbors`-th nearest other one."""
    search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(centres)
    distances: npt.NDArray[np.float64] = search.kneighbors()[0]
    return np.round(distances[:, -1], DECIMALS)


def _are_inside(
    points: npt.NDArray[np.float64],  # (n_points, width)
    centres: npt.NDArray[np.float64],  # (n_centres, width)
    radii: npt.NDArray[np.float64],  # (n_centres,)
) -> Iterator[npt.NDArray[np.bool_]]:  # (n_points_of_block, n_centres)
    """Yield, for blocks of points, whether each point lies in the ball around each centre."""
    for distances in pairwise_distances_chunked(points, centres, working_memory=WORKING_MEMORY):
        yield np.round(distances, DECIMALS) <= radii


def _check_n_neighbors(
    name: str, rows: npt.NDArray[np.float64], n_neighbors: int
) -> None:  # (n_rows, width)
    if not isinstance(n_neighbors, Integral) or not 1 <= n_neighbors < len(rows):
        raise ValueError(
            "n_neighbors must be a whole number of at least 1, and less than the number of "
            f"rows compared of {name}, {len(rows)}; found {n_neighbors!r}. Lower it, pass more "
            "rows, or raise `max_samples`."
        )
