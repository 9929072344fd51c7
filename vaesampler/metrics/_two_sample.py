"""The classifier two-sample test: how well synthetic rows can be told from real ones."""

import math
from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score

from vaesampler._runtime.seeds import Seeds
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler.metrics._paired_tables import PairedTables, subsample

N_FOLDS = 5
# Enough for an AUC whose noise is that of the rows, and a fraction of a second.
N_TREES = 50
# The area under the ROC curve of a classifier that guesses.
CHANCE_AUC = 0.5

Scoring = str | Callable[[Any, Any, Any], float]


def classifier_two_sample_test(
    X_real: Any,
    X_synthetic: Any,
    *,
    estimator: Any = None,
    scoring: Scoring = "roc_auc",
    cv: int = N_FOLDS,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> float:
    """Cross-validate a classifier that separates synthetic rows from real ones.

    The higher its score, the less realistic the synthetic rows. The classes are balanced: the
    larger table is subsampled to the size of the smaller one.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Real rows, preferably ones that the sampler was not fitted on: with the rows that it
        was fitted on, near copies look realistic.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows.
    estimator : classifier, default=None
        Classifier to clone and fit. Its input is numeric and has no missing cells; categories
        are one-hot encoded. If None, use 50 extremely randomized trees.
    scoring : str or callable, default="roc_auc"
        Scikit-learn metric, with synthetic rows as the positive class.
    cv : int, default=5
        Number of stratified, shuffled folds.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Columns that hold categories, as in :class:`~vaesampler.VAEOversampler`.
    max_samples : int or None, default=5000
        Maximum number of rows of each table to use, chosen at random. If None, use all rows.
    random_state : int, RandomState instance or None, default=None
        Controls the choice of rows, the folds and the trees.

    Returns
    -------
    score : float
        Mean score over the folds. An area under the ROC curve, the default, is .5 if the rows
        cannot be told apart and 1 if they always can. It is below .5 if synthetic rows are
        closer to real rows than those are to each other, as copies are.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, has other columns than `X_real`, or has fewer
        rows than there are folds.
    TypeError
        If a table is a data frame that narwhals does not support.

    References
    ----------
    David Lopez-Paz, Maxime Oquab (2017). Revisiting Classifier Two-Sample Tests.

    Examples
    --------
    >>> import numpy as np
    >>> from vaesampler.metrics import classifier_two_sample_test
    >>> rng = np.random.default_rng(0)
    >>> X_real, X_synthetic = rng.normal(size=(2, 300, 3))
    >>> X_synthetic[:, 0] += 2
    >>> classifier_two_sample_test(X_real, X_synthetic, random_state=0) > 0.8
    True
    """
    if not isinstance(cv, Integral) or cv < 2:
        raise ValueError(f"cv must be a whole number of at least 2 folds; found {cv!r}.")
    seeds = Seeds.from_random_state(random_state)
    tables = PairedTables.read_pair(
        X_real, X_synthetic, categorical_features, max_samples, seeds.numpy("max_samples")
    )
    n_fewest = min(map(len, tables.cells))
    if n_fewest < cv:
        raise ValueError(
            f"Each table must have a row for each of the {cv} folds; found {n_fewest} rows in "
            "the smaller one. Lower `cv`, pass more rows, or raise `max_samples`."
        )
    real, synthetic = tables.matrices
    return _score(real, synthetic, seeds, estimator, scoring, cv)


def two_sample_auc_of(tables: PairedTables, seeds: Seeds) -> float:
    """Return the AUC of trees that separate the second table from the third, or the first.

    It is NaN if there are fewer rows of either than folds.
    """
    real, synthetic, *held_out = tables.matrices
    new_real = held_out[0] if held_out else real
    if min(len(new_real), len(synthetic)) < N_FOLDS:
        return math.nan
    return _score(new_real, synthetic, seeds)


def _score(
    real: npt.NDArray[np.float64],  # (n_real, width)
    synthetic: npt.NDArray[np.float64],  # (n_synthetic, width)
    seeds: Seeds,
    estimator: Any = None,
    scoring: Scoring = "roc_auc",
    cv: int = N_FOLDS,
) -> float:
    """Return the mean score over the folds, of as many real as synthetic rows."""
    rng, n_rows = seeds.numpy("balance"), min(len(real), len(synthetic))
    rows = np.vstack([subsample(table, n_rows, rng) for table in (real, synthetic)])
    is_synthetic = np.repeat([0, 1], n_rows)
    if estimator is None:
        classifier = ExtraTreesClassifier(
            N_TREES, min_samples_leaf=2, random_state=seeds.integer("trees")
        )
    else:
        classifier = clone(estimator)
    folds = StratifiedKFold(cv, shuffle=True, random_state=seeds.integer("folds"))
    scores = cross_val_score(classifier, rows, is_synthetic, scoring=scoring, cv=folds)
    return float(scores.mean())
