"""How columns, and pairs of columns, are distributed among synthetic and real rows."""

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import rankdata, wasserstein_distance
from scipy.stats.contingency import association, crosstab

from vaesampler._runtime.optional import import_pandas
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.columns import MOST_LEVELS_APART
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler.metrics._paired_tables import (
    ComparableTables,
    check_limit,
    subsample,
)
from vaesampler.metrics._points import in_common_unit

if TYPE_CHECKING:
    import pandas as pd

SPEARMAN, CRAMER, CORRELATION_RATIO = "Spearman", "Cramér's V", "correlation ratio"


@dataclass(frozen=True, eq=False)  # arrays are not one truth value
class ColumnDistances:
    """What `column_distances` returns: a value for each column.

    Attributes
    ----------
    columns : tuple of str, of length n_features
        Names of the columns.
    is_category : ndarray of bool, of shape (n_features,)
        Whether a column holds categories.
    distance : ndarray of shape (n_features,)
        The largest difference of the cumulative distributions (Kolmogorov-Smirnov) of numbers;
        half the sum of the differences of the levels' shares (total variation) of categories.
        0 if both are distributed alike, 1 if they have nothing in common; NaN if all cells are
        missing in one table.
    wasserstein : ndarray of shape (n_features,)
        How far numbers had to be moved on average to be distributed as the real ones, in
        deviations of these: infinitely far if all real ones are the same, and others are not.
        NaN for categories, and if all cells are missing in one table.
    missing_difference : ndarray of shape (n_features,)
        Share of missing cells among synthetic less that among real rows.
    """

    columns: tuple[str, ...]
    is_category: np.ndarray
    distance: np.ndarray
    wasserstein: np.ndarray
    missing_difference: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """The larger of distance and difference of missing cells, of shape (n_features,)."""
        errors: np.ndarray = np.fmax(self.distance, np.abs(self.missing_difference))
        return errors

    @property
    def mean(self) -> float:
        """The mean of `errors`."""
        return float(self.errors.mean())

    def to_frame(self) -> "pd.DataFrame":
        """Return a row for each column, the least alike first.

        Returns
        -------
        frame : pandas DataFrame
            Columns "column", "kind", "distance", "wasserstein" and "missing_difference".

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        order = np.argsort(-self.errors, kind="stable")
        return import_pandas("ColumnDistances.to_frame").DataFrame(
            {
                "column": [self.columns[place] for place in order],
                "kind": np.where(self.is_category, "categories", "numbers")[order],
                "distance": self.distance[order],
                "wasserstein": self.wasserstein[order],
                "missing_difference": self.missing_difference[order],
            }
        )


@dataclass(frozen=True, eq=False)  # arrays are not one truth value
class AssociationDistances:
    """What `association_distances` returns: a value for each pair of columns.

    Attributes
    ----------
    columns : tuple of str, of length n_columns
        Names of the columns that were looked at.
    is_category : ndarray of bool, of shape (n_columns,)
        Whether a column holds categories.
    real : ndarray of shape (n_columns, n_columns)
        How each two columns go together among real rows.
    synthetic : ndarray of shape (n_columns, n_columns)
        The same among synthetic rows.
    """

    columns: tuple[str, ...]
    is_category: np.ndarray
    real: np.ndarray
    synthetic: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Absolute differences, of shape (n_columns, n_columns)."""
        errors: np.ndarray = np.abs(self.synthetic - self.real)
        return errors

    @property
    def mean(self) -> float:
        """The mean of `errors` over the pairs of different columns; NaN if there is no pair."""
        above = np.triu_indices(len(self.columns), 1)
        return float(self.errors[above].mean()) if len(above[0]) > 0 else math.nan

    def to_frame(self) -> "pd.DataFrame":
        """Return a row for each pair of columns, the least alike first.

        Returns
        -------
        frame : pandas DataFrame
            Columns "column", "other_column", "measure", "real", "synthetic" and "difference".

        Raises
        ------
        ImportError
            If pandas is not installed.
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
    """Compare how each column is distributed.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Real rows.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Which columns hold categories, as in `VAEOversampler`.
    max_samples : int or None, default=5000
        The most rows of each table that are looked at, picked at random; None means all.
    random_state : int, RandomState instance or None, default=None
        Which rows are taken where there are more.

    Returns
    -------
    distances : ColumnDistances
        Distances of each column, and their mean.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or does not have the same columns.
    TypeError
        If a table is a data frame that narwhals does not know.

    See Also
    --------
    association_distances : The same for pairs of columns.

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
    tables = ComparableTables.read(
        {"X_real": X_real, "X_synthetic": X_synthetic}, categorical_features
    )
    return column_distances_of(tables.limited(max_samples, rng))


def association_distances(
    X_real: Any,
    X_synthetic: Any,
    *,
    categorical_features: CategoricalFeatures = "auto",
    max_columns: int | None = 200,
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> AssociationDistances:
    """Compare how each two columns go together.

    That of two columns of numbers is measured by Spearman's rank correlation, of categories by
    Cramér's V, and of one of each by the correlation ratio of the numbers' ranks. As many rows
    of each table are taken, since the latter two are the higher the fewer rows there are.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Real rows.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Which columns hold categories, as in `VAEOversampler`.
    max_columns : int or None, default=200
        The most columns that are looked at, picked at random; None means all. Each pair of
        categories takes about half a millisecond.
    max_samples : int or None, default=5000
        The most rows of each table that are looked at, picked at random; None means all.
    random_state : int, RandomState instance or None, default=None
        Which columns and rows are taken where there are more.

    Returns
    -------
    distances : AssociationDistances
        Associations of each pair of columns among real and among synthetic rows, and how much
        they differ. A column that does not vary goes with none: its association is 0.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or does not have the same columns.
    TypeError
        If a table is a data frame that narwhals does not know.

    See Also
    --------
    column_distances : The same for single columns.

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
    tables = ComparableTables.read(
        {"X_real": X_real, "X_synthetic": X_synthetic}, categorical_features
    )
    return association_distances_of(tables.limited(max_samples, rng), max_columns, rng)


def column_distances_of(tables: ComparableTables) -> ColumnDistances:
    """Compare the columns of the second table with those of the first."""
    real, synthetic = tables.cells
    figures = np.array(
        [
            _column_figures(real[:, number], synthetic[:, number], bool(is_category))
            for number, is_category in enumerate(tables.is_category)
        ]
    )
    return ColumnDistances(tables.names, tables.is_category, *figures.T)


def association_distances_of(
    tables: ComparableTables, max_columns: int | None, rng: np.random.Generator
) -> AssociationDistances:
    """Compare the pairs of columns of the second table with those of the first."""
    n_rows = min(map(len, tables.cells))
    chosen = subsample(np.arange(len(tables.names)), max_columns, rng)
    is_category = tables.is_category[chosen]
    real, synthetic = (
        associations(subsample(cells, n_rows, rng)[:, chosen], is_category)
        for cells in tables.cells
    )
    names = tuple(tables.names[number] for number in chosen)
    return AssociationDistances(names, is_category, real, synthetic)


def associations(
    cells: np.ndarray, is_category: np.ndarray
) -> np.ndarray:  # (n_rows, n_columns) to (n_columns, n_columns)
    """Return how each two columns go together, by the rows in which neither is missing."""
    numbers, categories = np.flatnonzero(~is_category), np.flatnonzero(is_category)
    levels = np.minimum(cells[:, categories], MOST_LEVELS_APART)  # the rare ones are one
    ranks = _centred_ranks(cells[:, numbers])
    found = np.eye(len(is_category))
    found[np.ix_(numbers, numbers)] = _spearman(ranks)
    for number, of_column in zip(categories, levels.T, strict=True):
        found[number, numbers] = found[numbers, number] = _correlation_ratios(of_column, ranks)
    for one, other in combinations(range(len(categories)), 2):
        pair = categories[one], categories[other]
        found[pair] = found[pair[::-1]] = _cramers_v(levels[:, one], levels[:, other])
    return found


def _column_figures(
    real: np.ndarray, synthetic: np.ndarray, is_category: bool
) -> tuple[float, float, float]:
    """Return distance, Wasserstein distance and difference of the missing share."""
    is_missing = np.isnan(real), np.isnan(synthetic)
    missing_difference = float(is_missing[1].mean() - is_missing[0].mean())
    real, synthetic = real[~is_missing[0]], synthetic[~is_missing[1]]
    if len(real) == 0 or len(synthetic) == 0:
        return math.nan, math.nan, missing_difference
    if is_category:
        n_levels = int(max(real.max(), synthetic.max())) + 1
        shares = [
            np.bincount(levels.astype(np.intp), minlength=n_levels) / len(levels)
            for levels in (real, synthetic)
        ]
        return float(np.abs(shares[1] - shares[0]).sum() / 2), math.nan, missing_difference
    distance = _largest_difference(real, synthetic)
    if real.min() == real.max():
        # No deviation to measure in: any move is infinitely many.
        return distance, math.inf if distance > 0 else 0.0, missing_difference
    synthetic, real = (in_common_unit(numbers, real) for numbers in (synthetic, real))
    moved = float(wasserstein_distance(real, synthetic))
    return distance, moved / float(np.std(real)), missing_difference


def _largest_difference(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Return the largest difference of two cumulative distributions."""
    values = np.concatenate([real, synthetic])
    cumulative = [
        np.searchsorted(np.sort(numbers), values, side="right") / len(numbers)
        for numbers in (real, synthetic)
    ]
    return float(np.abs(cumulative[1] - cumulative[0]).max())


def _centred_ranks(numbers: np.ndarray) -> np.ndarray:  # (n_rows, n_numbers)
    """Return the ranks within each column, less their mean; NaN where a cell is missing."""
    ranks = np.full(numbers.shape, np.nan)
    for values, of_column in zip(numbers.T, ranks.T, strict=True):
        is_observed = ~np.isnan(values)
        of_column[is_observed] = rankdata(values[is_observed]) - (is_observed.sum() + 1) / 2
    return ranks


def _spearman(ranks: np.ndarray) -> np.ndarray:  # (n_numbers, n_numbers)
    is_observed = (~np.isnan(ranks)).astype(np.float64)
    ranks = np.nan_to_num(ranks)
    squares = (ranks**2).T @ is_observed  # of the row's column, where the other is observed
    return _ratio(ranks.T @ ranks, np.sqrt(squares * squares.T))


def _correlation_ratios(
    levels: np.ndarray, ranks: np.ndarray
) -> np.ndarray:  # (n_rows,) and (n_rows, n_numbers) to (n_numbers,)
    """Return the root of the share of the ranks' variance that lies between the levels."""
    is_known = ~np.isnan(levels)
    ranks, levels = ranks[is_known], levels[is_known]
    is_level = (levels == np.unique(levels)[:, np.newaxis]).astype(np.float64)
    is_observed = (~np.isnan(ranks)).astype(np.float64)
    mean = _ratio(np.nansum(ranks, axis=0), is_observed.sum(axis=0))
    off_mean = np.nan_to_num(ranks - mean)
    sums = is_level @ off_mean
    between = _ratio(sums**2, is_level @ is_observed).sum(axis=0)
    ratios: np.ndarray = np.sqrt(_ratio(between, (off_mean**2).sum(axis=0)))
    return ratios


def _cramers_v(one: np.ndarray, other: np.ndarray) -> float:
    is_known = ~(np.isnan(one) | np.isnan(other))
    counts = crosstab(one[is_known], other[is_known]).count
    return float(association(counts, method="cramer")) if min(counts.shape) > 1 else 0.0


def _ratio(values: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Divide; by 0, return 0."""
    ratio: np.ndarray = np.divide(values, by, out=np.zeros(np.shape(values)), where=by > 0)
    return ratio
