"""`compare_samplers`: scores of a classifier after each of several samplers."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from imblearn.metrics import geometric_mean_score
from imblearn.pipeline import Pipeline
from sklearn.metrics import average_precision_score, check_scoring, f1_score, make_scorer
from sklearn.model_selection import StratifiedKFold, check_cv, cross_validate
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.utils import check_consistent_length
from sklearn.utils.parallel import Parallel, delayed

from vaesampler._runtime.optional import import_pandas
from vaesampler._table.labels import Labels, labels_of
from vaesampler.comparison._failures import warn_of_failures

if TYPE_CHECKING:
    import pandas as pd

SAMPLER_STEP = "sampler"
NO_SAMPLER = "passthrough"
DEFAULT_N_FOLDS = 5

Scorer = Callable[[Any, Any, Any], float]
Scoring = str | Scorer | Sequence[str] | Mapping[str, str | Scorer]


def compare_samplers(
    samplers: Mapping[str, Any] | Sequence[Any],
    X: Any,
    y: Any,
    *,
    estimator: Any,
    cv: Any = None,
    scoring: Scoring | None = None,
    groups: Any = None,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> "pd.DataFrame":
    """Cross-validate a classifier after each of several samplers, on the same folds.

    Each sampler is put before the classifier in an imbalanced-learn pipeline, so that only
    training rows are resampled, and :func:`sklearn.model_selection.cross_validate` scores the
    pipeline. If a sampler fails on a fold, the error is recorded, a warning says so, and the
    others are scored nevertheless.

    Parameters
    ----------
    samplers : dict of str to sampler, or sequence of samplers
        Samplers that follow imbalanced-learn's API, by name. None or "passthrough" means no
        resampling. The samplers of a sequence are named after their class, with a number if a
        class occurs more than once, and no resampling is named "none". Clones are fitted.
    X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
        Rows of all classes.
    y : array-like of shape (n_rows,)
        Labels.
    estimator : classifier or pipeline, or dict of str to classifier or pipeline
        Classifier to fit to the resampled rows. The sampler is put before it and, if it is a
        pipeline, before its first step. To put the sampler elsewhere, for example after a
        scaler, name a step of the pipeline "sampler": each sampler replaces it. Clones are
        fitted.

        A dict has an estimator for each sampler, by the sampler's name: for example, pipelines
        in which `SMOTE` comes after an encoder and `VAEOversampler` before it, or a classifier
        with `class_weight="balanced"` that is compared as if it were a sampler, with None as
        its sampler.
    cv : int, splitter or iterable of (train, test) indices, default=None
        Folds. An int is the number of stratified, shuffled folds. If None, use 5 of them.
    scoring : str, callable, sequence of str, or dict of str to str or callable, default=None
        Scikit-learn metrics; a single callable is named "score". If None, use "roc_auc",
        "average_precision", "balanced_accuracy", "f1" and "geometric_mean" (of the recalls of
        the classes). With two classes, the rarer one is the positive class, whatever its
        label. With more classes, the first, second and fourth are means over the classes, each
        against the rest, and the first requires `predict_proba`.
    groups : array-like of shape (n_rows,), default=None
        Group of each row, for splitters that keep groups together.
    n_jobs : int, default=None
        Number of folds and samplers that run in parallel. None means 1 unless in a
        :class:`joblib.parallel_config` context. -1 means all processors.
    random_state : int, RandomState instance or None, default=None
        Controls the shuffling of rows if `cv` is an int or None. Samplers and classifier have
        their own `random_state`.

    Returns
    -------
    comparison : pandas DataFrame
        One row per sampler, fold and metric, in this order, with the columns

        - sampler, fold (from 0), metric;
        - score: higher is better; NaN after a failure;
        - fit_time, score_time: seconds for resampling and training, and for all metrics;
        - n_train, n_test: number of rows of the fold, before resampling;
        - error: the error that was raised, or an empty string.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If there are no samplers, no folds or no metrics, if a metric is unknown, if X and y
        have different lengths, or if a dict of estimators has other names than the samplers.
    TypeError
        If a sampler is neither None nor has `fit_resample`, or if `estimator` has no `fit`.

    Warns
    -----
    sklearn.exceptions.FitFailedWarning
        If a sampler or its classifier fails on some folds.
    UserWarning
        If a metric cannot be computed on some folds.

    See Also
    --------
    vaesampler.comparison.summarize : Average the scores over the folds.
    vaesampler.comparison.paired_differences : Test the differences to one of the samplers.
    vaesampler.plotting.SamplerComparisonDisplay : Plot the scores.

    Examples
    --------
    >>> from imblearn.over_sampling import SMOTE
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from vaesampler import VAEOversampler
    >>> from vaesampler.comparison import compare_samplers, summarize
    >>> X, y = make_classification(n_samples=400, weights=[0.9], random_state=0)
    >>> comparison = compare_samplers(
    ...     [None, SMOTE(random_state=0), VAEOversampler(random_state=0)], X, y,
    ...     estimator=LogisticRegression(), cv=3, scoring="balanced_accuracy", random_state=0,
    ... )
    >>> comparison["sampler"].unique().tolist()
    ['none', 'SMOTE', 'VAEOversampler']
    >>> len(comparison)
    9
    >>> summarize(comparison)["n_failures"].sum().item()
    0

    Class weights instead of rows:

    >>> comparison = compare_samplers(
    ...     {"class_weight": None, "VAE": VAEOversampler(random_state=0)}, X, y,
    ...     estimator={
    ...         "class_weight": LogisticRegression(class_weight="balanced"),
    ...         "VAE": LogisticRegression(),
    ...     },
    ...     cv=3, scoring="balanced_accuracy", random_state=0,
    ... )
    >>> summarize(comparison)["sampler"].tolist()
    ['class_weight', 'VAE']
    """
    pandas = import_pandas("compare_samplers")
    named = _name_samplers(samplers)
    estimators = _name_estimators(estimator, named)
    labels = labels_of(y)
    check_consistent_length(X, labels.codes)
    metrics = _name_metrics(scoring, labels)
    entries = [
        _Entry(
            name,
            _make_pipeline(sampler, estimators[name]),
            {
                metric: check_scoring(estimators[name], scoring=scorer)
                for metric, scorer in metrics.items()
            },
        )
        for name, sampler in named.items()
    ]
    folds = _make_folds(cv, X, labels, groups, random_state)
    rows_of_folds = Parallel(n_jobs=n_jobs)(
        delayed(_score_fold)(entry, X, y, fold) for entry in entries for fold in folds
    )
    comparison = pandas.DataFrame([row for rows in rows_of_folds for row in rows])
    warn_of_failures(comparison, stacklevel=3)
    return comparison


@dataclass(frozen=True)
class _Entry:
    """A sampler in its pipeline, under the name that it has in the comparison."""

    name: str
    pipeline: Pipeline
    scorers: Mapping[str, Scorer]  # by metric


@dataclass(frozen=True)
class _Fold:
    index: int
    train: npt.NDArray[np.intp]  # (n_train,), row indices
    test: npt.NDArray[np.intp]  # (n_test,), row indices


class _ScoreEach:
    """Compute each metric by itself, and keep the errors of those that fail.

    The scorers of scikit-learn for several metrics share the probabilities of one class, which
    is wrong for metrics that ask for another one.
    """

    def __init__(self, scorers: Mapping[str, Scorer]) -> None:
        self.scorers = scorers
        self.errors = dict.fromkeys(scorers, "")

    def __call__(self, fitted: Any, X_test: Any, y_test: Any) -> dict[str, float]:
        scores = dict.fromkeys(self.scorers, math.nan)
        for metric, scorer in self.scorers.items():
            try:
                scores[metric] = float(scorer(fitted, X_test, y_test))
            except Exception as error:
                self.errors[metric] = _describe(error)
        return scores


def _score_fold(entry: _Entry, X: Any, y: Any, fold: _Fold) -> list[dict[str, str | float]]:
    """Return a row for each metric, whether or not something fails."""
    scoring = _ScoreEach(entry.scorers)
    try:
        # One fold per call: an error ends the call.
        found = cross_validate(
            entry.pipeline,
            X,
            y,
            cv=[(fold.train, fold.test)],
            scoring=scoring,
            error_score="raise",
            n_jobs=1,
        )
        errors = scoring.errors
    except Exception as error:
        found = {}
        errors = dict.fromkeys(entry.scorers, _describe(error))
    return [
        {
            "sampler": entry.name,
            "fold": fold.index,
            "metric": metric,
            "score": _only(found, f"test_{metric}"),
            "fit_time": _only(found, "fit_time"),
            "score_time": _only(found, "score_time"),
            "n_train": len(fold.train),
            "n_test": len(fold.test),
            "error": errors[metric],
        }
        for metric in entry.scorers
    ]


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _only(found: Mapping[str, npt.NDArray[np.float64]], key: str) -> float:  # of one fold
    return float(found[key][0]) if key in found else math.nan


def _make_pipeline(sampler: Any, estimator: Any) -> Pipeline:
    if not (isinstance(estimator, SklearnPipeline) and SAMPLER_STEP in estimator.named_steps):
        return Pipeline([(SAMPLER_STEP, sampler), ("estimator", estimator)])
    # scikit-learn's pipelines take no samplers: make an imbalanced-learn one of any pipeline.
    steps = [
        (name, sampler if name == SAMPLER_STEP else step) for name, step in estimator.steps
    ]
    return Pipeline(**{**estimator.get_params(deep=False), "steps": steps})


def _name_samplers(samplers: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """Return samplers by name, with "passthrough" for no resampling."""
    if not isinstance(samplers, Mapping | Sequence) or isinstance(samplers, str):
        raise TypeError(
            "`samplers` must be a dict of names to samplers, or a list of samplers; found "
            f"{samplers!r}. Put a single one into a list."
        )
    if len(samplers) == 0:
        raise ValueError("`samplers` must hold at least one sampler, or None; found none.")
    if isinstance(samplers, Mapping):
        named = dict(samplers)
    else:
        named = dict(zip(_unique_names(samplers), samplers, strict=True))
    for name, sampler in named.items():
        if not isinstance(name, str):
            raise TypeError(f"Samplers must be named by text; found the name {name!r}.")
        if not _is_no_sampler(sampler) and (
            isinstance(sampler, type)
            or not (hasattr(sampler, "fit_resample") and hasattr(sampler, "get_params"))
        ):
            raise TypeError(
                "A sampler must have the methods `fit_resample` and `get_params`, as those of "
                f"imbalanced-learn have; {name!r} is {sampler!r}. Pass an instance, or None "
                "for no resampling."
            )
    return {
        name: NO_SAMPLER if _is_no_sampler(sampler) else sampler
        for name, sampler in named.items()
    }


def _name_estimators(estimator: Any, samplers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the estimator of each sampler, by the sampler's name."""
    if not isinstance(estimator, Mapping):
        return dict.fromkeys(samplers, estimator)
    if estimator.keys() != samplers.keys():
        raise ValueError(
            "A dict of estimators must have the names of the samplers, "
            f"{list(samplers)}; found {list(estimator)}."
        )
    return {name: estimator[name] for name in samplers}


def _is_no_sampler(sampler: Any) -> bool:
    return sampler is None or (isinstance(sampler, str) and sampler == NO_SAMPLER)


def _unique_names(samplers: Iterable[Any]) -> list[str]:
    names = ["none" if _is_no_sampler(one) else type(one).__name__ for one in samplers]
    totals, seen = Counter(names), Counter[str]()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if totals[name] == 1 else f"{name}-{seen[name]}")
    return unique


def _name_metrics(scoring: Scoring | None, labels: Labels) -> dict[str, str | Scorer]:
    """Return metrics by name."""
    if scoring is None:
        return _default_metrics(labels)
    if isinstance(scoring, str):
        return {scoring: scoring}
    if callable(scoring):
        return {"score": scoring}
    metrics: dict[str, str | Scorer] = (
        dict(scoring) if isinstance(scoring, Mapping) else {one: one for one in scoring}
    )
    if not metrics or not all(isinstance(name, str) for name in metrics):
        raise ValueError(
            "`scoring` must name at least one metric, and each by text; found "
            f"{scoring!r}. Give a scorer its name in a dict."
        )
    return metrics


def _default_metrics(labels: Labels) -> dict[str, str | Scorer]:
    is_binary = len(labels.classes) == 2
    # Of two classes of equal size the later one, which is scikit-learn's positive class, too.
    positive = labels.classes[::-1][labels.counts[::-1].argmin()] if is_binary else None
    return {
        "roc_auc": "roc_auc" if is_binary else "roc_auc_ovr",
        "average_precision": make_scorer(
            average_precision_score if is_binary else _mean_average_precision,
            response_method=("decision_function", "predict_proba"),
            **({"pos_label": positive} if is_binary else {}),
        ),
        "balanced_accuracy": "balanced_accuracy",
        "f1": make_scorer(
            f1_score,
            zero_division=0,
            pos_label=positive,
            average="binary" if is_binary else "macro",
        ),
        "geometric_mean": make_scorer(geometric_mean_score, pos_label=positive),
    }


def _mean_average_precision(y_true: Any, y_score: Any) -> float:
    """Return the mean over the classes.

    Scorers of scikit-learn before 1.9 require that the function's default `pos_label` is a
    class, also where the metric does not use it. This function has no `pos_label`.
    """
    return float(average_precision_score(y_true, y_score, average="macro"))


def _make_folds(
    cv: Any,
    X: Any,
    labels: Labels,
    groups: Any,
    random_state: int | np.random.RandomState | None,
) -> list[_Fold]:
    if cv is None or isinstance(cv, Integral):
        n_folds = DEFAULT_N_FOLDS if cv is None else int(cv)
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
        split = splitter.split(X, labels.codes)
    else:
        split = check_cv(cv, labels.codes, classifier=True).split(X, labels.to_array(), groups)
    folds = [
        _Fold(index, np.asarray(train), np.asarray(test))
        for index, (train, test) in enumerate(split)
    ]
    if not folds:
        raise ValueError("`cv` must give at least one fold; found none.")
    return folds
