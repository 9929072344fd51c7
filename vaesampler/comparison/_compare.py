"""`compare_samplers`: scores of a classifier behind each of several samplers."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from imblearn.metrics import geometric_mean_score
from imblearn.pipeline import Pipeline
from sklearn.metrics import average_precision_score, check_scoring, f1_score, make_scorer
from sklearn.model_selection import StratifiedKFold, check_cv, cross_validate
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import Parallel, delayed

from vaesampler._runtime.optional import import_pandas
from vaesampler._table.labels import labels_of

if TYPE_CHECKING:
    import pandas as pd

SAMPLER_STEP = "sampler"
NO_SAMPLER = "passthrough"
DEFAULT_N_FOLDS = 5


def compare_samplers(
    samplers: Mapping[str, Any] | Sequence[Any],
    X: Any,
    y: Any,
    *,
    estimator: Any,
    cv: Any = None,
    scoring: Any = None,
    groups: Any = None,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> "pd.DataFrame":
    """Score a classifier behind each of several samplers, on the same folds.

    Each sampler is put before the classifier in an imbalanced-learn pipeline, so that only
    training rows are resampled, and :func:`sklearn.model_selection.cross_validate` scores the
    pipeline. A sampler that fails, be it on one fold, does not stop the others: what it said
    stands in the column "error".

    Parameters
    ----------
    samplers : dict of str to sampler, or sequence of samplers
        Samplers of imbalanced-learn or of its kind; None or "passthrough" stands for no
        resampling. Those of a sequence are called by their class, with a number where a class
        comes twice; no resampling is called "none". Clones are fitted.
    X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
        Rows of all classes.
    y : array-like of shape (n_rows,)
        Their labels.
    estimator : classifier or pipeline
        What learns from the resampled rows. The sampler comes first, before all steps of a
        pipeline. To have it elsewhere, such as behind a scaler, name a step of the pipeline
        "sampler": each sampler takes its place. Clones are fitted.
    cv : int, splitter or iterable of (train, test) indices, default=None
        The folds. An int is a number of stratified, shuffled folds, None means 5 of them.
    scoring : str, callable, sequence of str, or dict of str to str or callable, default=None
        Metrics of scikit-learn; a single callable is called "score". None stands for
        "roc_auc", "average_precision", "balanced_accuracy", "f1" and "geometric_mean" (of the
        recalls of the classes). With two classes the rarer is the positive one, whatever its
        label; with more, the first, second and fourth are means over the classes, each
        against the rest, and the first needs `predict_proba`.
    groups : array-like of shape (n_rows,), default=None
        Groups of rows, for a splitter that keeps them together.
    n_jobs : int, default=None
        How many folds and samplers run at once. None means 1, or what
        :class:`joblib.parallel_config` says; -1 means all processors.
    random_state : int, RandomState instance or None, default=None
        How the rows are shuffled where `cv` is an int or None. Samplers and classifier have
        their own.

    Returns
    -------
    comparison : pandas DataFrame
        A row for each sampler, fold and metric, in this order, with the columns

        - sampler, fold (from 0), metric;
        - score: the higher, the better; NaN after a failure;
        - fit_time, score_time: seconds for resampling and training, and for all metrics;
        - n_train, n_test: rows of the fold, before resampling;
        - error: what went wrong, or an empty string.

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If there are no samplers, no folds or no metrics, a metric is unknown, or X and y do
        not match.
    TypeError
        If something is neither a sampler nor None, or `estimator` cannot be fitted.

    See Also
    --------
    summarize : Means over the folds.
    paired_differences : Differences to one of the samplers, and how sure they are.
    vaesampler.plotting.SamplerComparisonDisplay : The same to look at.

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
    """
    pandas = import_pandas("compare_samplers")
    named = _name_samplers(samplers)
    labels = np.asarray(labels_of(y))
    check_consistent_length(X, labels)
    check_classification_targets(labels)
    scorers = {
        metric: check_scoring(estimator, scoring=scorer)
        for metric, scorer in _name_metrics(scoring, labels).items()
    }
    folds = _make_folds(cv, X, labels, groups, random_state)
    rows_of_folds = Parallel(n_jobs=n_jobs)(
        delayed(_score_fold)(name, _make_pipeline(sampler, estimator), X, y, fold, scorers)
        for name, sampler in named.items()
        for fold in folds
    )
    return pandas.DataFrame([row for rows in rows_of_folds for row in rows])


@dataclass(frozen=True)
class _Fold:
    number: int
    train: np.ndarray  # (n_train,) indices
    test: np.ndarray  # (n_test,) indices


def _score_fold(
    name: str,
    pipeline: Pipeline,
    X: Any,
    y: Any,
    fold: _Fold,
    scorers: Mapping[str, Callable[[Any, Any, Any], float]],
) -> list[dict[str, Any]]:
    """Return a row for each metric, whatever fails."""
    errors = dict.fromkeys(scorers, "")

    def score(fitted: Any, X_test: Any, y_test: Any) -> dict[str, float]:
        # scikit-learn can do this too, but it would hand the probabilities of one class to
        # scorers that ask for those of another.
        scores = dict.fromkeys(scorers, math.nan)
        for metric, scorer in scorers.items():
            try:
                scores[metric] = float(scorer(fitted, X_test, y_test))
            except Exception as error:
                errors[metric] = _describe(error)
        return scores

    try:
        # One fold at a time, so that it is known what went wrong in which.
        found = cross_validate(
            pipeline,
            X,
            y,
            cv=[(fold.train, fold.test)],
            scoring=score,
            error_score="raise",
            n_jobs=1,
        )
    except Exception as error:
        found = {}
        errors = dict.fromkeys(scorers, _describe(error))
    return [
        {
            "sampler": name,
            "fold": fold.number,
            "metric": metric,
            "score": _only(found, f"test_{metric}"),
            "fit_time": _only(found, "fit_time"),
            "score_time": _only(found, "score_time"),
            "n_train": len(fold.train),
            "n_test": len(fold.test),
            "error": errors[metric],
        }
        for metric in scorers
    ]


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _only(found: Mapping[str, np.ndarray], key: str) -> float:
    return float(found[key][0]) if key in found else math.nan


def _make_pipeline(sampler: Any, estimator: Any) -> Pipeline:
    if not (isinstance(estimator, SklearnPipeline) and SAMPLER_STEP in estimator.named_steps):
        return Pipeline([(SAMPLER_STEP, sampler), ("estimator", estimator)])
    # scikit-learn's own pipeline takes no samplers, and imbalanced-learn's is one of its kind.
    steps = [
        (name, sampler if name == SAMPLER_STEP else step) for name, step in estimator.steps
    ]
    return Pipeline(**{**estimator.get_params(deep=False), "steps": steps})


def _name_samplers(samplers: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """Return name to sampler; no resampling is "passthrough"."""
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


def _name_metrics(scoring: Any, labels: np.ndarray) -> dict[str, Any]:
    """Return name to scorer."""
    if scoring is None:
        return _default_metrics(labels)
    if isinstance(scoring, str):
        return {scoring: scoring}
    if callable(scoring):
        return {"score": scoring}
    metrics = dict(scoring) if isinstance(scoring, Mapping) else {one: one for one in scoring}
    if not metrics or not all(isinstance(name, str) for name in metrics):
        raise ValueError(
            "`scoring` must name at least one metric, and each by text; found "
            f"{scoring!r}. Give a scorer its name in a dict."
        )
    return metrics


def _default_metrics(labels: np.ndarray) -> dict[str, Any]:
    classes, counts = np.unique(labels, return_counts=True)
    is_binary = len(classes) == 2
    # The later of two classes of the same size, which scikit-learn takes for positive too.
    rarest = classes.tolist()[::-1][counts[::-1].argmin()]
    return {
        "roc_auc": "roc_auc" if is_binary else "roc_auc_ovr",
        "average_precision": make_scorer(
            average_precision_score,
            response_method=("decision_function", "predict_proba"),
            **({"pos_label": rarest} if is_binary else {"average": "macro"}),
        ),
        "balanced_accuracy": "balanced_accuracy",
        "f1": make_scorer(
            f1_score,
            zero_division=0,
            **({"pos_label": rarest} if is_binary else {"average": "macro"}),
        ),
        "geometric_mean": make_scorer(
            geometric_mean_score, **({"pos_label": rarest} if is_binary else {})
        ),
    }


def _make_folds(
    cv: Any,
    X: Any,
    labels: np.ndarray,
    groups: Any,
    random_state: int | np.random.RandomState | None,
) -> list[_Fold]:
    if cv is None or isinstance(cv, Integral):
        n_folds = DEFAULT_N_FOLDS if cv is None else int(cv)
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    else:
        splitter = check_cv(cv, labels, classifier=True)
    folds = [
        _Fold(number, np.asarray(train), np.asarray(test))
        for number, (train, test) in enumerate(splitter.split(X, labels, groups))
    ]
    if not folds:
        raise ValueError("`cv` must give at least one fold; found none.")
    return folds
