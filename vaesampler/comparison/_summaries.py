"""`summarize` and `paired_differences`: means and tests of the scores of a comparison."""

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import stats

from vaesampler._runtime.optional import import_pandas

if TYPE_CHECKING:
    import pandas as pd

# The columns of a comparison that are read here.
COLUMNS = ("sampler", "fold", "metric", "score", "fit_time", "n_train", "n_test")


def summarize(comparison: "pd.DataFrame") -> "pd.DataFrame":
    """Average the scores of each sampler over the folds.

    Parameters
    ----------
    comparison : pandas DataFrame
        Result of :func:`~vaesampler.compare_samplers`, or several of them concatenated.

    Returns
    -------
    summary : pandas DataFrame
        One row per metric and sampler, in the order of `comparison`, with the columns

        - metric, sampler;
        - mean_score, std_score: mean and sample standard deviation over the folds that did not
          fail (the latter is NaN for one fold);
        - mean_rank: 1 is best; ties get their mean rank, and failures are ranked last;
        - n_folds, n_failures: number of folds, and of those that failed;
        - mean_fit_time: in seconds.

    Raises
    ------
    ValueError
        If a column is missing, or if a sampler has two scores in a fold.

    Examples
    --------
    >>> from imblearn.over_sampling import RandomOverSampler
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from vaesampler.comparison import compare_samplers, summarize
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> comparison = compare_samplers(
    ...     {"none": None, "random": RandomOverSampler(random_state=0)}, X, y,
    ...     estimator=DecisionTreeClassifier(random_state=0), scoring=["accuracy", "f1"],
    ... )
    >>> summarize(comparison)[["metric", "sampler", "n_folds"]]
         metric sampler  n_folds
    0  accuracy    none        5
    1  accuracy  random        5
    2        f1    none        5
    3        f1  random        5
    """
    _check_comparison(comparison)
    ranks = comparison.groupby(["metric", "fold"])["score"].rank(
        ascending=False, na_option="bottom"
    )
    return (
        comparison.assign(rank=ranks)
        .groupby(["metric", "sampler"], sort=False)
        .agg(
            mean_score=("score", "mean"),
            std_score=("score", "std"),
            mean_rank=("rank", "mean"),
            n_folds=("score", "size"),
            n_failures=("score", lambda scores: scores.isna().sum()),
            mean_fit_time=("fit_time", "mean"),
        )
        .reset_index()
        .sort_values("metric", key=_order_of_appearance, kind="stable", ignore_index=True)
    )


def paired_differences(
    comparison: "pd.DataFrame", baseline: str, *, confidence_level: float = 0.95
) -> "pd.DataFrame":
    """Compare each sampler with a baseline, fold by fold.

    Folds share most of their training rows, so that scores are not independent and the paired
    t-test finds differences by chance far too often. This is Nadeau and Bengio's corrected
    resampled t-test: with J folds, the squared standard error is the variance of the
    differences times 1 / J + n_test / n_train, instead of 1 / J.

    If there are many samplers and metrics, some differences are significant by chance. Correct
    the p-values with :func:`scipy.stats.false_discovery_control`.

    Parameters
    ----------
    comparison : pandas DataFrame
        Result of :func:`~vaesampler.compare_samplers`, or several of them with the same folds,
        concatenated.
    baseline : str
        Name of the sampler to compare with.
    confidence_level : float, default=0.95
        Confidence level of the interval.

    Returns
    -------
    differences : pandas DataFrame
        One row per metric and other sampler, in the order of `comparison`, with the columns

        - metric, sampler;
        - mean_difference: mean over the folds in which neither failed of the sampler's score
          minus the baseline's; the sampler is better if it is positive;
        - standard_error: corrected standard error of the mean difference;
        - ci_low, ci_high: confidence interval of the mean difference;
        - p_value: two-sided p-value of the hypothesis that the mean difference is zero;
        - n_folds: number of folds compared. With fewer than 2, only the mean is known.

    Raises
    ------
    ValueError
        If a column is missing, if a sampler has two scores in a fold, if `baseline` is not one
        of the samplers, if their folds differ, or if `confidence_level` is not between 0 and 1.

    References
    ----------
    Claude Nadeau, Yoshua Bengio (2003). Inference for the Generalization Error.

    Remco R. Bouckaert, Eibe Frank (2004). Evaluating the Replicability of Significance Tests
    for Comparing Learning Algorithms.

    Examples
    --------
    >>> from imblearn.over_sampling import RandomOverSampler, SMOTE
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.model_selection import RepeatedStratifiedKFold
    >>> from sklearn.linear_model import LogisticRegression
    >>> from vaesampler.comparison import compare_samplers, paired_differences
    >>> X, y = make_classification(n_samples=400, weights=[0.9], random_state=0)
    >>> comparison = compare_samplers(
    ...     [None, RandomOverSampler(random_state=0), SMOTE(random_state=0)], X, y,
    ...     estimator=LogisticRegression(), scoring="balanced_accuracy",
    ...     cv=RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0),
    ... )
    >>> differences = paired_differences(comparison, "none")
    >>> differences["sampler"].tolist()
    ['RandomOverSampler', 'SMOTE']
    >>> bool((differences["mean_difference"] > 0).all())  # both seem to help ...
    True
    >>> bool((differences["ci_low"] > 0).any())  # ... but not significantly
    False
    """
    _check_comparison(comparison)
    _check_same_folds(comparison)
    names = comparison["sampler"].unique().tolist()
    if baseline not in names:
        raise ValueError(
            f"`baseline` must be one of the samplers, {names}; found {baseline!r}."
        )
    if not 0 < confidence_level < 1:
        raise ValueError(
            f"`confidence_level` must be a share between 0 and 1; found {confidence_level!r}."
        )
    n_rows = comparison.groupby("fold")[["n_train", "n_test"]].first()
    rows = []
    for metric, of_metric in comparison.groupby("metric", sort=False):
        scores = of_metric.pivot(index="fold", columns="sampler", values="score")
        for name in names:
            if name == baseline or name not in scores or baseline not in scores:
                continue
            differences = (scores[name] - scores[baseline]).dropna()
            n_rows_of_folds = n_rows.loc[differences.index]
            found = _corrected_t_test(
                differences.to_numpy(dtype=np.float64),
                n_rows_of_folds["n_test"].sum() / max(n_rows_of_folds["n_train"].sum(), 1),
                confidence_level,
            )
            rows.append({"metric": metric, "sampler": name, **found})
    columns = ["metric", "sampler", *_corrected_t_test(np.empty(0), 1.0, 0.95)]
    return import_pandas("paired_differences").DataFrame(rows, columns=columns)


def _corrected_t_test(
    differences: npt.NDArray[np.float64], test_train_ratio: float, confidence_level: float
) -> dict[str, float]:  # (n_folds,)
    n_folds = len(differences)
    mean = float(differences.mean()) if n_folds else math.nan
    error = low = high = p_value = math.nan
    if n_folds >= 2:
        # 1 / n_folds alone would be right for independent folds.
        correction = 1 / n_folds + test_train_ratio
        error = math.sqrt(correction * float(differences.var(ddof=1)))
        margin = float(stats.t.ppf((1 + confidence_level) / 2, n_folds - 1)) * error
        low, high = mean - margin, mean + margin
        if error > 0:
            p_value = float(2 * stats.t.sf(abs(mean) / error, n_folds - 1))
        else:
            p_value = 1.0 if mean == 0 else 0.0
    return {
        "mean_difference": mean,
        "standard_error": error,
        "ci_low": low,
        "ci_high": high,
        "p_value": p_value,
        "n_folds": n_folds,
    }


def _check_comparison(comparison: "pd.DataFrame") -> None:
    absent = [name for name in COLUMNS if name not in getattr(comparison, "columns", ())]
    if absent:
        raise ValueError(
            f"A pandas data frame with the columns {', '.join(COLUMNS)} is needed; there is no "
            f"{', '.join(absent)}. Pass what `compare_samplers` returned."
        )
    is_repeated = comparison.duplicated(["sampler", "fold", "metric"])
    if is_repeated.any():
        sampler, fold, metric = comparison.loc[is_repeated, ["sampler", "fold", "metric"]].iloc[
            0
        ]
        raise ValueError(
            "A sampler must have one score for each fold and metric; "
            f"{sampler!r} has several for fold {fold} and {metric!r}. Rename samplers before "
            "you concatenate comparisons."
        )


def _check_same_folds(comparison: "pd.DataFrame") -> None:
    n_sizes = comparison.groupby("fold")[["n_train", "n_test"]].nunique().max(axis=1)
    if (n_sizes > 1).any():
        raise ValueError(
            "The samplers must have been scored on the same folds; those of fold "
            f"{n_sizes.idxmax()} have different numbers of rows. Give `compare_samplers` the "
            "same `cv` and `random_state` each time."
        )


def _order_of_appearance(values: "pd.Series") -> npt.NDArray[np.intp]:  # (n_rows,)
    index_of = {value: index for index, value in enumerate(values.unique())}
    return np.array([index_of[value] for value in values])
