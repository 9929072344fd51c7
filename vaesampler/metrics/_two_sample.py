"""The classifier two-sample test."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score

from vaesampler._runtime.seeds import Seeds
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler.metrics._paired_tables import ComparableTables, subsample


def classifier_two_sample_test(
    X_real: Any,
    X_synthetic: Any,
    *,
    estimator: Any = None,
    scoring: Any = "roc_auc",
    cv: int = 5,
    categorical_features: CategoricalFeatures = "auto",
    max_samples: int | None = 5_000,
    random_state: int | np.random.RandomState | None = None,
) -> float:
    """Score a classifier that is to tell synthetic rows from real ones.

    The better it can, the less the synthetic rows are like the real ones. Half of what it sees
    is synthetic: of the larger table only as many rows are taken as the smaller one has.

    Parameters
    ----------
    X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
        Real rows, best of all ones that the sampler has not seen: among those that it was
        fitted on, near copies go unnoticed.
    X_synthetic : {array-like, dataframe, sparse matrix} of shape (n_synthetic, n_features)
        Synthetic rows.
    estimator : classifier, default=None
        A clone of it is fitted to numbers, without missing cells: categories are one-hot
        encoded. None stands for 50 extremely randomized trees.
    scoring : str or callable, default="roc_auc"
        A metric of scikit-learn, the synthetic rows being the positive ones.
    cv : int, default=5
        Number of stratified, shuffled folds.
    categorical_features : "auto", or list or array of bool, int or str, default="auto"
        Which columns hold categories, as in `VAEOversampler`.
    max_samples : int or None, default=5000
        The most rows of each table that are looked at, picked at random; None means all.
    random_state : int, RandomState instance or None, default=None
        Which rows are taken, how they are folded, and the trees' own.

    Returns
    -------
    score : float
        Mean over the folds. By default the area under the ROC curve: .5 if the rows cannot
        be told apart, 1 if they always can; below .5 if synthetic rows lie among the real ones
        more closely than these do themselves, as copies do.

    Raises
    ------
    ValueError
        If a table cannot be read, is empty, or does not have the same columns, or one has
        fewer rows than folds.
    TypeError
        If a table is a data frame that narwhals does not know.

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
    tables = ComparableTables.read(
        {"X_real": X_real, "X_synthetic": X_synthetic}, categorical_features
    ).limited(max_samples, seeds.numpy("max_samples"))
    n_fewest = min(map(len, tables.cells))
    if n_fewest < cv:
        raise ValueError(
            f"Each table must have a row for each of the {cv} folds; found {n_fewest} rows of "
            "one that are compared. Lower `cv`, or have more rows compared."
        )
    real, synthetic = tables.matrices
    return two_sample_score(real, synthetic, seeds, estimator, scoring, cv)


def two_sample_score(
    real: np.ndarray,  # (n_real, width)
    synthetic: np.ndarray,  # (n_synthetic, width)
    seeds: Seeds,
    estimator: Any = None,
    scoring: Any = "roc_auc",
    cv: int = 5,
) -> float:
    """Return the mean score over the folds of telling synthetic rows from as many real ones."""
    rng, n_rows = seeds.numpy("balance"), min(len(real), len(synthetic))
    rows = np.vstack([subsample(side, n_rows, rng) for side in (real, synthetic)])
    is_synthetic = np.repeat([0, 1], n_rows)
    if estimator is None:
        classifier = ExtraTreesClassifier(
            50, min_samples_leaf=2, random_state=seeds.integer("trees")
        )
    else:
        classifier = clone(estimator)
    folds = StratifiedKFold(cv, shuffle=True, random_state=seeds.integer("folds"))
    scores = cross_val_score(classifier, rows, is_synthetic, scoring=scoring, cv=folds)
    return float(scores.mean())
