"""How close synthetic rows are to those that the sampler was fitted on."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors

from vaesampler._runtime.seeds import Seeds
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler.metrics._neighborhoods import DECIMALS
from vaesampler.metrics._paired_tables import PairedTables, check_limit, subsample

# Near copies are closer to a training row than all but this share of new real rows. Smaller
# shares would need hundreds of new real rows.
NEAR_SHARE = 0.05


@dataclass(frozen=True)
class Novelty:
    """How new synthetic rows are, compared with new real rows. Returned by `novelty`.

    Attributes
    ----------
    copies : float
        Share of synthetic rows that equal a training row in every cell.
    near_copies : float
        Share of synthetic rows that are closer to a training row than 95% of new real rows
        are, that is, closer than `near_distance`. If that is 0, because many new real rows are
        copies, the share of synthetic rows at distance 0. It is much larger than
        `near_copies_of_real` if the sampler memorizes.
    closest_distance : float
        Median distance between a synthetic row and the closest training row, in deviations.
    copies_of_real : float
        `copies` for new real rows. It may be above 0 in tables with few columns or values.
    closest_distance_of_real : float
        `closest_distance` for new real rows.
    near_distance : float
        The 5% quantile of the distances between new real rows and the closest training row.
    n_near_reference : int
        Number of new real rows that are near copies.
    n_reference : int
        Number of new real rows.
    is_held_out : bool
        Whether the new real rows were held out. If False, each training row was compared with
        the other training rows instead.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import novelty
    >>> rng = np.random.default_rng(0)
    >>> X_train, X_holdout = rng.normal(size=(2, 300, 3))
    >>> copied = novelty(X_train, X_train[:100], X_holdout)
    >>> copied.copies, copied.near_copies, copied.closest_distance
    (1.0, 1.0, 0.0)
    >>> copied.copies_of_real, copied.closest_distance_of_real > 0
    (0.0, True)
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
        """`near_copies` for new real rows: 5%, or more if more of them are copies.

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler.metrics import novelty
        >>> rng = np.random.default_rng(0)
        >>> X_train, X_holdout = rng.normal(size=(2, 300, 3))
        >>> novelty(X_train, rng.normal(size=(300, 3)), X_holdout).near_copies_of_real
        0.05
        """
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
    """Compare how close synthetic rows and new real rows are to the training rows.

    A sampler that memorizes returns rows that are closer than new real rows are. Distances do
    not measure privacy: rows may be far from every training row and still reveal who was in the
    data, as attacks on tables that pass such tests have shown (Yao et al., 2025).

    Parameters
    ----------
    X_train : {array-like, dataframe, sparse matrix} of shape (n_train, n_features)
        Rows of one class that the sampler was fitted on.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows of that class.
    X_holdout : {array-like, dataframe, sparse matrix} of shape (n_holdout, n_features), \
            default=None
        Real rows of that class that the sampler was not fitted on. If None, compare each
        training row with the other training rows instead.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Columns that hold categories, as in :class:`~vaesampler.VAEOversampler`.
    max_samples : int or None, default=5000
        Maximum number of rows of each table to compute distances of, chosen at random. If
        None, use all rows. Copies are searched for among all training rows.
    random_state : int, RandomState instance or None, default=None
        Controls the choice of rows.

    Returns
    -------
    novelty : Novelty
        Shares of copies and near copies, and distances.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or has other columns than `X_train`, or if there
        is 1 training row and none is held out.
    TypeError
        If a table is a data frame that narwhals does not support.

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
    tables = PairedTables.read_with_holdout(
        "X_train", X_train, X_synthetic, X_holdout, categorical_features
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
) -> npt.NDArray[np.float64]:
    """Return the distance between each row and the closest training row.

    Parameters
    ----------
    X_train : {array-like, dataframe, sparse matrix} of shape (n_train, n_features)
        Rows that the sampler was fitted on.
    X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
        Synthetic rows, or new real rows to compare them with.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Columns that hold categories, as in :class:`~vaesampler.VAEOversampler`.
    max_samples : int or None, default=5000
        Maximum number of training rows to use, chosen at random. If None, use all rows.
    random_state : int, RandomState instance or None, default=None
        Controls the choice of training rows.

    Returns
    -------
    distances : ndarray of shape (n_rows,)
        Distances in robust deviations of the training rows, 0 for copies. They grow with the
        number of columns, and are meaningful only in comparison with those of new real rows.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or has other columns than `X_train`.
    TypeError
        If a table is a data frame that narwhals does not support.

    See Also
    --------
    novelty : Compare with new real rows. Explains why distances do not measure privacy.

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
    tables = PairedTables.read({"X_train": X_train, "X": X}, categorical_features)
    check_limit("max_samples", max_samples)
    train, rows = tables.matrices
    rng = Seeds.from_random_state(random_state).numpy("max_samples")
    return _closest_distances(subsample(train, max_samples, rng), rows)


def novelty_of(
    tables: PairedTables, max_samples: int | None, rng: np.random.Generator
) -> Novelty:
    """Compare the second table, of synthetic rows, with the first, of training rows.

    New real rows are the third table. Without one, they are the training rows, each compared
    with the others.
    """
    train_cells, synthetic_cells, *held_out_cells = tables.cells
    train, synthetic, *held_out = tables.limited(max_samples, rng).matrices
    found = _closest_distances(train, synthetic)
    expected = _closest_distances(train, *held_out)
    # An observed distance, not an interpolated one: rows at it are as near as a real row.
    near = float(np.quantile(expected, NEAR_SHARE, method="lower"))

    def are_near(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        # No distance is below 0, but copies are to be found even if some real rows are copies.
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


def _closest_distances(
    train: npt.NDArray[np.float64],  # (n_train, width)
    rows: npt.NDArray[np.float64] | None = None,  # (n_rows, width)
) -> npt.NDArray[np.float64]:  # (n_rows,)
    """Return the distance between each row and the closest training row.

    If `rows` is None, return the distance between each training row and the closest other one.
    """
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(train)
    closest = search.kneighbors(rows, return_distance=False)[:, 0]
    # The distances of the search are inexact: it subtracts squared norms, which may be large.
    differences = (train if rows is None else rows) - train[closest]
    distances: npt.NDArray[np.float64] = np.linalg.norm(differences, axis=1)
    return np.round(distances, DECIMALS)


def _share_of_copies(
    train: npt.NDArray[np.float64],  # (n_train, n_columns), cells
    rows: npt.NDArray[np.float64] | None = None,  # (n_rows, n_columns)
) -> float:
    """Return the share of rows that equal a training row; of training rows, another one."""
    counts = Counter(_keys(train))
    if rows is None:
        return float(np.mean([counts[key] > 1 for key in _keys(train)]))
    return float(np.mean([key in counts for key in _keys(rows)]))


def _keys(cells: npt.NDArray[np.float64]) -> list[int]:  # (n_rows, n_columns) to n_rows
    """Return a hash of each row."""
    canonical = np.where(np.isnan(cells), np.nan, cells)  # NaN has many bit patterns
    return [hash(row.tobytes()) for row in canonical]
