"""What a tuned threshold brings, with a sampler in the pipeline and without."""

import warnings

import pandas as pd
from calibrated import CALIBRATED_CLASSIFIERS, CALIBRATED_SAMPLERS, N_INNER_FOLDS, make_model
from evaluation import CLASSIFIERS, mean_and_p
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import RepeatedStratifiedKFold, TunedThresholdClassifierCV

# The metric that a threshold is tuned for, and judged by.
METRICS = {"balanced_accuracy": balanced_accuracy_score, "f1": f1_score}
THRESHOLDS = (".5", "tuned")


def evaluate_thresholds(X, y, sampler, *, n_repeats):
    """Yield a dict of scores for each fold, classifier and threshold."""
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=n_repeats, random_state=0)
    for fold, (train, test) in enumerate(folds.split(X, y)):
        for name in CALIBRATED_CLASSIFIERS:
            pipeline = make_model(sampler, CLASSIFIERS[name], "none", seed=fold)
            plain = fit_predict(pipeline, X[train], y[train], X[test])
            scores = {threshold: {} for threshold in THRESHOLDS}
            for metric, function in METRICS.items():
                model = TunedThresholdClassifierCV(pipeline, scoring=metric, cv=N_INNER_FOLDS)
                tuned = fit_predict(model, X[train], y[train], X[test])
                scores[".5"][metric] = function(y[test], plain)
                scores["tuned"][metric] = function(y[test], tuned)
            for threshold in THRESHOLDS:
                about = {"fold": fold, "classifier": name, "threshold": threshold}
                yield about | scores[threshold]


def fit_predict(model, X, y, X_test):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(model).fit(X, y).predict(X_test)


def mean_scores(results: pd.DataFrame) -> pd.DataFrame:
    """Average over tables, folds and classifiers: one line a sampler and threshold."""
    lines = ["sampler", "threshold"]
    by_table = results.groupby([*lines, "table"])[list(METRICS)].mean()
    samplers = [name for name in CALIBRATED_SAMPLERS if name in set(results["sampler"])]
    order = pd.MultiIndex.from_product([samplers, THRESHOLDS], names=lines)
    return by_table.groupby(lines).mean().reindex(order)


def lead_of_sampler(results: pd.DataFrame, sampler: str) -> pd.Series:
    """Compare a sampler at .5 with a tuned threshold and no sampler, with Wilcoxon's p."""
    lines = ["sampler", "threshold", "table"]
    means = results.groupby(lines)[list(METRICS)].mean()
    differences = means.loc[sampler, ".5"] - means.loc["none", "tuned"]
    return differences.apply(mean_and_p)
