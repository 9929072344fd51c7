"""How far synthetic rows are from those that the sampler was fitted on."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from vaesampler._runtime.seeds import Seeds
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler.metrics._paired_tables import ComparableTables, check_limit, subsample

# Near is what is nearer than all but this share of new real rows.
NEAR_SHARE = 0.05
# Distances are rounded to so many decimals of a deviation: those of equal rows are 0.
DECIMALS = 5


@dataclass(frozen=True)
class Novelty:
    """What `novelty` returns: how new synthetic rows are, beside new real rows.

    Attributes
    ----------
    copies : float
        Share of synthetic rows that are equal to a training row in every cell.
    near_copies : float
        Share of synthetic rows that are nearer to a training row than the nearest 5% of new
        real rows are; where so many of these are copies, share of those that are, too. A
        sampler that has learned rows by heart has a much larger one than
        `near_copies_of_real`.
    closest_distance : float
        Median distance of synthetic rows to their closest training row, in deviations.
    copies_of_real : float
        The same as `copies` for new real rows. In tables of few columns or few values it
        need not be 0.
    closest_distance_of_real : float
        The same as `closest_distance` for new real rows.
    near_distance : float
        What is nearer is a near copy: the 5% quantile of the distances of new real rows.
    n_near_reference : int
        How many of the new real rows are near copies themselves.
    n_reference : int
        How many new real rows there were to compare with.
    is_held_out : bool
        Whether these were held-out rows. Otherwise each training row was compared with the
        other ones.
    """

    copies: float
    near_copies: float
    closest_distance: float
    copies_of_real: float
    closest_distance_of_real: float
    near_distance: float
    n_near_reference: int
    n_reference: int
    is_held_out: bool

    @property
    def near_copies_of_real(self) -> float:
        """The same as `near_copies` for new real rows: 5%, or more if more are copies."""
        return max(NEAR_SHARE, self.n_near_reference / self.n_reference)


def novelty(
    X_train: Any,
    X_synthetic: Any,
    X_holdout: Any = None,
    *,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> Novelty:
    """Compare how close synthetic rows and new real rows are to those trained on.

    It tells a sampler that draws new rows from one that hands back what it has seen. It is no
    measure of privacy: rows may be far from every training row and still give away who was
    among these, as attacks on tables that pass such tests have shown (see Yao et al.).

    Parameters
    ----------
    X_train : {array-like, dataframe, sparse matrix} of shape (n_train, n_features)
        The rows, of one class, that the sampler was fitted on.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows of that class.
    X_holdout : {array-like, dataframe, sparse matrix} of shape (n_holdout, n_features), \
            default=None
        Real rows of that class that the sampler has not seen. Without them each training row
        is compared with the other ones.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Which columns hold categories, as in `VAEOversampler`.
    max_samples : int or None, default=5000
        The most rows of each table between which distances are taken, picked at random; None
        means all. Copies are looked for among all training rows.
    random_state : int, RandomState instance or None, default=None
        Which rows are taken where there are more.

    Returns
    -------
    novelty : Novelty
        Shares of copies and near copies, and distances.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or does not have the same columns, or there is 1
        training row and none is held out.
    TypeError
        If a table is a data frame that narwhals does not know.

    See Also
    --------
    distance_to_closest_record : The distance of each row.

    References
    ----------
    Zexi Yao, Nataša Krčo, Georgi Ganev, Yves-Alexandre de Montjoye (2025). The DCR Delusion:
    Measuring the Privacy Risk of Synthetic Data.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import novelty
    >>> rng = np.random.default_rng(0)
    >>> X_train, X_holdout = rng.normal(size=(2, 300, 3))
    >>> jittered = X_train + 0.01 * rng.normal(size=X_train.shape)
    >>> novelty(X_train, jittered, X_holdout).near_copies > 0.9
    True
    """
    named = {"X_train": X_train, "X_synthetic": X_synthetic}
    if X_holdout is not None:
        named["X_holdout"] = X_holdout
    tables = ComparableTables.read(named, categorical_features)
    if X_holdout is None and len(tables.cells[0]) < 2:
        raise ValueError(
            "X_train must have at least 2 rows where none are held out; found 1. Pass "
            "X_holdout, or more rows."
        )
    rng = Seeds.from_random_state(random_state).numpy("max_samples")
    return novelty_of(tables, max_samples, rng)


def distance_to_closest_record(
    X_train: Any,
    X: Any,
    *,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Return how far each row is from the closest of those that the sampler was fitted on.

    Parameters
    ----------
    X_train : {array-like, dataframe, sparse matrix} of shape (n_train, n_features)
        The rows that the sampler was fitted on.
    X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
        Synthetic rows, or new real ones to compare these with.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Which columns hold categories, as in `VAEOversampler`.
    max_samples : int or None, default=5000
        The most training rows that are looked at, picked at random; None means all.
    random_state : int, RandomState instance or None, default=None
        Which training rows are taken where there are more.

    Returns
    -------
    distances : ndarray of shape (n_rows,)
        Distances, in deviations of the training rows; of a copy, 0. They grow with the number
        of columns, and say something only beside those of new real rows.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or does not have the same columns.
    TypeError
        If a table is a data frame that narwhals does not know.

    See Also
    --------
    novelty : The comparison with new real rows; on why it does not measure privacy.

    References
    ----------
    Zexi Yao, Nataša Krčo, Georgi Ganev, Yves-Alexandre de Montjoye (2025). The DCR Delusion:
    Measuring the Privacy Risk of Synthetic Data.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler.metrics import distance_to_closest_record
    >>> X, y = load_wine(return_X_y=True)
    >>> distance_to_closest_record(X, X[:3]).tolist()
    [0.0, 0.0, 0.0]
    """
    tables = ComparableTables.read({"X_train": X_train, "X": X}, categorical_features)
    check_limit("max_samples", max_samples)
    train, rows = tables.matrices
    rng = Seeds.from_random_state(random_state).numpy("max_samples")
    return closest_distances(subsample(train, max_samples, rng), rows)


def novelty_of(
    tables: ComparableTables, max_samples: int | None, rng: np.random.Generator
) -> Novelty:
    """Compare synthetic rows, the second table, with training rows, the first.

    The third table, if there is one, holds new real rows.
    """
    train_cells, synthetic_cells, *held_out_cells = tables.cells
    train, synthetic, *held_out = tables.limited(max_samples, rng).matrices
    found = closest_distances(train, synthetic)
    expected = closest_distances(train, *held_out)
    # An observed distance, not one between two: rows at it are as near as real ones.
    near = float(np.quantile(expected, NEAR_SHARE, method="lower"))

    def are_near(distances: np.ndarray) -> np.ndarray:
        # Nothing is nearer than copies, and they must not go unnoticed where a few are usual.
        return distances < near if near > 0 else distances == 0

    return Novelty(
        copies=_share_of_copies(train_cells, synthetic_cells),
        near_copies=float(are_near(found).mean()),
        closest_distance=float(np.median(found)),
        copies_of_real=_share_of_copies(train_cells, *held_out_cells),
        closest_distance_of_real=float(np.median(expected)),
        near_distance=near,
        n_near_reference=int(are_near(expected).sum()),
        n_reference=len(expected),
        is_held_out=len(held_out) > 0,
    )


def closest_distances(
    train: np.ndarray, rows: np.ndarray | None = None
) -> np.ndarray:  # (n_rows,)
    """Return each row's distance to the closest training row; of a training row, to another."""
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(train)
    closest = search.kneighbors(rows, return_distance=False)[:, 0]
    # The search squares the distance from the origin, in which that of far copies is lost.
    between = (train if rows is None else rows) - train[closest]
    distances: np.ndarray = np.round(np.linalg.norm(between, axis=1), DECIMALS)
    return distances


def _share_of_copies(train: np.ndarray, rows: np.ndarray | None = None) -> float:
    """Return the share of rows, of cells, that training rows equal; or other training rows."""
    counts = Counter(_keys(train))
    if rows is None:
        return float(np.mean([counts[key] > 1 for key in _keys(train)]))
    return float(np.mean([key in counts for key in _keys(rows)]))


def _keys(cells: np.ndarray) -> list[int]:  # of each row
    canonical = np.where(np.isnan(cells), np.nan, cells)  # one of the many NaN
    return [hash(row.tobytes()) for row in canonical]
