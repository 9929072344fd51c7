"""Distances between the distributions of columns, and of pairs of columns."""

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata, wasserstein_distance
from scipy.stats.contingency import association, crosstab

from vaesampler._runtime.optional import import_pandas
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.columns import MOST_LEVELS_APART
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler.metrics._paired_tables import PairedTables, check_limit, subsample
from vaesampler.metrics._points import in_common_unit

if TYPE_CHECKING:
    import pandas as pd

SPEARMAN, CRAMER, CORRELATION_RATIO = "Spearman", "Cramér's V", "correlation ratio"


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class ColumnDistances:
    """Distances between distributions, for each column. Returned by `column_distances`.

    Attributes
    ----------
    columns : tuple of str, of length n_features
        Names of the columns.
    is_category : ndarray of bool, of shape (n_features,)
        Whether a column holds categories.
    distance : ndarray of shape (n_features,)
        For numbers, the Kolmogorov-Smirnov distance: the largest difference between the
        cumulative distributions. For categories, the total variation distance: half the sum of
        the absolute differences between the shares of levels. It is 0 for equal distributions
        and 1 for disjoint ones, and NaN if all cells of one table are missing.
    wasserstein : ndarray of shape (n_features,)
        For numbers, the Wasserstein distance in standard deviations of the real values: how
        far synthetic values have to be moved, on average, to be distributed as the real ones.
        It is infinite if all real values are equal and synthetic ones differ from them, and
        NaN for categories and if all cells of one table are missing.
    missing_difference : ndarray of shape (n_features,)
        Share of missing cells among synthetic rows minus that among real rows.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import column_distances
    >>> X_real, X_synthetic = np.random.default_rng(0).normal(size=(2, 1000, 2))
    >>> X_synthetic[:, 1] += 9
    >>> distances = column_distances(X_real, X_synthetic)
    >>> distances.columns
    ('column 0', 'column 1')
    >>> distances.distance.round()
    array([0., 1.])
    """

    columns: tuple[str, ...]
    is_category: npt.NDArray[np.bool_]
    distance: npt.NDArray[np.float64]
    wasserstein: npt.NDArray[np.float64]
    missing_difference: npt.NDArray[np.float64]

    @property
    def errors(self) -> npt.NDArray[np.float64]:
        """Larger one of `distance` and abs(`missing_difference`), of shape (n_features,).

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler.metrics import column_distances
        >>> X_real, X_synthetic = np.random.default_rng(0).normal(size=(2, 1000, 2))
        >>> X_synthetic[:, 1] = np.nan
        >>> distances = column_distances(X_real, X_synthetic)
        >>> distances.errors.round()
        array([0., 1.])
        """
        return np.fmax(self.distance, np.abs(self.missing_difference))

    @property
    def mean(self) -> float:
        """Mean of `errors`.

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler.metrics import column_distances
        >>> X_real, X_synthetic = np.random.default_rng(0).normal(size=(2, 1000, 2))
        >>> X_synthetic[:, 1] += 9
        >>> distances = column_distances(X_real, X_synthetic)
        >>> round(distances.mean, 1)
        0.5
        """
        return float(self.errors.mean())

    def to_frame(self) -> "pd.DataFrame":
        """Return the distances as a data frame.

        Returns
        -------
        frame : pandas DataFrame
            One row per column, in descending order of `errors`, with the columns "column",
            "kind", "distance", "wasserstein" and "missing_difference".

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler.metrics import column_distances
        >>> X_real, X_synthetic = np.random.default_rng(0).normal(size=(2, 1000, 2))
        >>> X_synthetic[:, 1] += 9
        >>> distances = column_distances(X_real, X_synthetic)
        >>> distances.to_frame()[["column", "kind"]]
             column     kind
        0  column 1  numbers
        1  column 0  numbers
        """
        order = np.argsort(-self.errors, kind="stable")
        return import_pandas("ColumnDistances.to_frame").DataFrame(
            {
                "column": [self.columns[index] for index in order],
                "kind": np.where(self.is_category, "categories", "numbers")[order],
                "distance": self.distance[order],
                "wasserstein": self.wasserstein[order],
                "missing_difference": self.missing_difference[order],
            }
        )


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class AssociationDistances:
    """Associations of each pair of columns. Returned by `association_distances`.

    Attributes
    ----------
    columns : tuple of str, of length n_columns
        Names of the columns that were compared.
    is_category : ndarray of bool, of shape (n_columns,)
        Whether a column holds categories.
    real : ndarray of shape (n_columns, n_columns)
        Association of each pair of columns among real rows.
    synthetic : ndarray of shape (n_columns, n_columns)
        Association of each pair of columns among synthetic rows.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import association_distances
    >>> rng = np.random.default_rng(0)
    >>> X_real = np.repeat(rng.normal(size=(500, 1)), 2, axis=1)
    >>> distances = association_distances(X_real, rng.permuted(X_real, axis=0))
    >>> distances.real
    array([[1., 1.],
           [1., 1.]])
    >>> distances.synthetic.round() + 0
    array([[1., 0.],
           [0., 1.]])
    """

    columns: tuple[str, ...]
    is_category: npt.NDArray[np.bool_]
    real: npt.NDArray[np.float64]
    synthetic: npt.NDArray[np.float64]

    @property
    def errors(self) -> npt.NDArray[np.float64]:
        """Absolute differences between associations, of shape (n_columns, n_columns).

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler.metrics import association_distances
        >>> rng = np.random.default_rng(0)
        >>> X_real = np.repeat(rng.normal(size=(500, 1)), 2, axis=1)
        >>> distances = association_distances(X_real, rng.permuted(X_real, axis=0))
        >>> distances.errors.round()
        array([[0., 1.],
               [1., 0.]])
        """
        return np.abs(self.synthetic - self.real)

    @property
    def mean(self) -> float:
        """Mean of `errors` over the pairs of different columns; NaN if there is one column.

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler.metrics import association_distances
        >>> rng = np.random.default_rng(0)
        >>> X_real = np.repeat(rng.normal(size=(500, 1)), 2, axis=1)
        >>> distances = association_distances(X_real, rng.permuted(X_real, axis=0))
        >>> distances.mean > 0.9
        True
        """
        above = np.triu_indices(len(self.columns), 1)
        return float(self.errors[above].mean()) if len(above[0]) > 0 else math.nan

    def to_frame(self) -> "pd.DataFrame":
        """Return the associations as a data frame.

        Returns
        -------
        frame : pandas DataFrame
            One row per pair of columns, in descending order of `errors`, with the columns
            "column", "other_column", "measure", "real", "synthetic" and "difference".

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from vaesampler.metrics import association_distances
        >>> rng = np.random.default_rng(0)
        >>> X_real = np.repeat(rng.normal(size=(500, 1)), 2, axis=1)
        >>> distances = association_distances(X_real, rng.permuted(X_real, axis=0))
        >>> distances.to_frame()[["column", "other_column", "measure"]]
             column other_column   measure
        0  column 0     column 1  Spearman
        """
        left, right = np.triu_indices(len(self.columns), 1)
        order = np.argsort(-self.errors[left, right], kind="stable")
        pairs = list(zip(left[order].tolist(), right[order].tolist(), strict=True))
        return import_pandas("AssociationDistances.to_frame").DataFrame(
            {
                "column": [self.columns[one] for one, _ in pairs],
                "other_column": [self.columns[other] for _, other in pairs],
                "measure": [self._measure(*pair) for pair in pairs],
                "real": [self.real[pair] for pair in pairs],
                "synthetic": [self.synthetic[pair] for pair in pairs],
                "difference": [self.synthetic[pair] - self.real[pair] for pair in pairs],
            }
        )

    def _measure(self, one: int, other: int) -> str:
        n_categories = int(self.is_category[one]) + int(self.is_category[other])
        return (SPEARMAN, CORRELATION_RATIO, CRAMER)[n_categories]


def column_distances(
    X_real: Any,
    X_synthetic: Any,
    *,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> ColumnDistances:
    """Measure the distance between the distributions of each column.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Real rows.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Columns that hold categories, as in :class:`~vaesampler.VAEOversampler`.
    max_samples : int or None, default=5000
        Maximum number of rows of each table to use, chosen at random. If None, use all rows.
    random_state : int, RandomState instance or None, default=None
        Controls the choice of rows.

    Returns
    -------
    distances : ColumnDistances
        Distances for each column, and their mean.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or has other columns than `X_real`.
    TypeError
        If a table is a data frame that narwhals does not support.

    See Also
    --------
    association_distances : Compare pairs of columns.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import column_distances
    >>> X_real, X_synthetic = np.random.default_rng(0).normal(size=(2, 1000, 2))
    >>> X_synthetic[:, 1] += 1
    >>> column_distances(X_real, X_synthetic).wasserstein.round()
    array([0., 1.])
    """
    rng = Seeds.from_random_state(random_state).numpy("max_samples")
    return column_distances_of(
        PairedTables.read_pair(X_real, X_synthetic, categorical_features, max_samples, rng)
    )


def association_distances(
    X_real: Any,
    X_synthetic: Any,
    *,
    categorical_features: CategoricalFeatures = "auto",
    max_columns: int | None = 200,
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> AssociationDistances:
    """Measure the differences between the associations of each pair of columns.

    The association of two columns of numbers is Spearman's rank correlation, that of two
    columns of categories Cramér's V, and that of one of each the correlation ratio of the
    ranks. The larger table is subsampled to the size of the smaller one, because the last two
    are biased upwards in small tables.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Real rows.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Columns that hold categories, as in :class:`~vaesampler.VAEOversampler`.
    max_columns : int or None, default=200
        Maximum number of columns to use, chosen at random. If None, use all columns. Each pair
        of columns of categories takes about half a millisecond.
    max_samples : int or None, default=5000
        Maximum number of rows of each table to use, chosen at random. If None, use all rows.
    random_state : int, RandomState instance or None, default=None
        Controls the choice of columns and rows.

    Returns
    -------
    distances : AssociationDistances
        Associations among real and among synthetic rows, and their differences. The
        association of a constant column with any other one is 0.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or has other columns than `X_real`.
    TypeError
        If a table is a data frame that narwhals does not support.

    See Also
    --------
    column_distances : Compare single columns.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import association_distances
    >>> rng = np.random.default_rng(0)
    >>> X_real = np.repeat(rng.normal(size=(500, 1)), 2, axis=1)
    >>> shuffled = rng.permuted(X_real, axis=0)
    >>> association_distances(X_real, shuffled).mean > 0.9
    True
    """
    check_limit("max_columns", max_columns)
    rng = Seeds.from_random_state(random_state).numpy("max_samples")
    tables = PairedTables.read_pair(X_real, X_synthetic, categorical_features, max_samples, rng)
    return association_distances_of(tables, max_columns, rng)


def column_distances_of(tables: PairedTables) -> ColumnDistances:
    """Compare the columns of the second table with those of the first."""
    real, synthetic = tables.cells
    figures = np.array(
        [
            _column_figures(real[:, index], synthetic[:, index], bool(is_category))
            for index, is_category in enumerate(tables.is_category)
        ]
    )
    return ColumnDistances(tables.names, tables.is_category, *figures.T)


def association_distances_of(
    tables: PairedTables, max_columns: int | None, rng: np.random.Generator
) -> AssociationDistances:
    """Compare the pairs of columns of the second table with those of the first."""
    n_rows = min(map(len, tables.cells))
    column_indices = subsample(np.arange(len(tables.names)), max_columns, rng)
    is_category = tables.is_category[column_indices]
    real, synthetic = (
        _associations(subsample(cells, n_rows, rng)[:, column_indices], is_category)
        for cells in tables.cells
    )
    names = tuple(tables.names[index] for index in column_indices)
    return AssociationDistances(names, is_category, real, synthetic)


def _associations(
    cells: npt.NDArray[np.float64],  # (n_rows, n_columns)
    is_category: npt.NDArray[np.bool_],  # (n_columns,)
) -> npt.NDArray[np.float64]:  # (n_columns, n_columns)
    """Return the association of each pair of columns, from rows in which neither is missing."""
    of_numbers, of_categories = np.flatnonzero(~is_category), np.flatnonzero(is_category)
    levels = np.minimum(cells[:, of_categories], MOST_LEVELS_APART)  # rare levels are merged
    ranks = _centred_ranks(cells[:, of_numbers])
    found = np.eye(len(is_category))
    found[np.ix_(of_numbers, of_numbers)] = _spearman(ranks)
    for index, of_column in zip(of_categories, levels.T, strict=True):
        ratios = _correlation_ratios(of_column, ranks)
        found[index, of_numbers] = found[of_numbers, index] = ratios
    for one, other in combinations(range(len(of_categories)), 2):
        pair = of_categories[one], of_categories[other]
        found[pair] = found[pair[::-1]] = _cramers_v(levels[:, one], levels[:, other])
    return found


def _column_figures(
    real: npt.NDArray[np.float64],  # (n_real,)
    synthetic: npt.NDArray[np.float64],  # (n_synthetic,)
    is_category: bool,
) -> tuple[float, float, float]:
    """Return distance, Wasserstein distance and difference between the shares of missing."""
    is_missing = np.isnan(real), np.isnan(synthetic)
    missing_difference = float(is_missing[1].mean() - is_missing[0].mean())
    real, synthetic = real[~is_missing[0]], synthetic[~is_missing[1]]
    if len(real) == 0 or len(synthetic) == 0:
        return math.nan, math.nan, missing_difference
    if is_category:
        return _total_variation(real, synthetic), math.nan, missing_difference
    return (
        _kolmogorov_smirnov(real, synthetic),
        _wasserstein(real, synthetic),
        missing_difference,
    )


def _total_variation(
    real: npt.NDArray[np.float64], synthetic: npt.NDArray[np.float64]
) -> float:  # (n_real,) and (n_synthetic,), indices of levels
    n_levels = int(max(real.max(), synthetic.max())) + 1
    shares = [
        np.bincount(levels.astype(np.intp), minlength=n_levels) / len(levels)
        for levels in (real, synthetic)
    ]
    return float(np.abs(shares[1] - shares[0]).sum() / 2)


def _kolmogorov_smirnov(
    real: npt.NDArray[np.float64], synthetic: npt.NDArray[np.float64]
) -> float:  # (n_real,) and (n_synthetic,)
    together = np.concatenate([real, synthetic])
    cumulative = [
        np.searchsorted(np.sort(values), together, side="right") / len(values)
        for values in (real, synthetic)
    ]
    return float(np.abs(cumulative[1] - cumulative[0]).max())


def _wasserstein(
    real: npt.NDArray[np.float64], synthetic: npt.NDArray[np.float64]
) -> float:  # (n_real,) and (n_synthetic,)
    """Return the Wasserstein distance in standard deviations of the real values."""
    if real.min() == real.max():
        return 0.0 if (synthetic == real[0]).all() else math.inf
    synthetic, real = in_common_unit(synthetic, real), in_common_unit(real, real)
    return float(wasserstein_distance(real, synthetic)) / float(np.std(real))


def _centred_ranks(
    values: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:  # (n_rows, n_columns) to the same
    """Return the ranks within each column minus their mean; NaN where a cell is missing."""
    ranks = np.full(values.shape, np.nan)
    for of_column, column_ranks in zip(values.T, ranks.T, strict=True):
        is_observed = ~np.isnan(of_column)
        mean = (is_observed.sum() + 1) / 2
        column_ranks[is_observed] = rankdata(of_column[is_observed]) - mean
    return ranks


def _spearman(
    ranks: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:  # (n_rows, n_columns) to (n_columns, n_columns)
    is_observed = (~np.isnan(ranks)).astype(np.float64)
    ranks = np.nan_to_num(ranks)
    # [i, j] is the sum of squares of column i over the rows in which column j is observed.
    squares = (ranks**2).T @ is_observed
    return _divided(ranks.T @ ranks, np.sqrt(squares * squares.T))


def _correlation_ratios(
    levels: npt.NDArray[np.float64],  # (n_rows,)
    ranks: npt.NDArray[np.float64],  # (n_rows, n_columns)
) -> npt.NDArray[np.float64]:  # (n_columns,)
    """Return η = √(variance of ranks between levels / variance of ranks) for each column."""
    is_known = ~np.isnan(levels)
    ranks, levels = ranks[is_known], levels[is_known]
    is_level = (levels == np.unique(levels)[:, np.newaxis]).astype(np.float64)
    is_observed = (~np.isnan(ranks)).astype(np.float64)
    mean = _divided(np.nansum(ranks, axis=0), is_observed.sum(axis=0))
    differences = np.nan_to_num(ranks - mean)
    sums = is_level @ differences
    between = _divided(sums**2, is_level @ is_observed).sum(axis=0)
    return np.sqrt(_divided(between, (differences**2).sum(axis=0)))


def _cramers_v(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]
) -> float:  # (n_rows,) and (n_rows,)
    is_known = ~(np.isnan(one) | np.isnan(other))
    counts = crosstab(one[is_known], other[is_known]).count
    return float(association(counts, method="cramer")) if min(counts.shape) > 1 else 0.0


def _divided(
    values: npt.NDArray[np.float64], by: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return values / by, and 0 where `by` is 0."""
    return np.divide(values, by, out=np.zeros(np.shape(values)), where=by > 0)
