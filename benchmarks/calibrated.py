"""How good probabilities are once a pipeline with a sampler is calibrated.

The whole pipeline lies inside the calibration: a sampler changes the share of a class, and
only rows that it did not resample tell the real one.
"""

import time
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluation import CLASSIFIERS, mean_and_p
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.preprocessing import StandardScaler

METHODS = ("none", "sigmoid", "isotonic")
CALIBRATED_CLASSIFIERS = ("LogisticRegression", "RandomForest", "HistGradientBoosting")
CALIBRATED_SAMPLERS = ("none", "SMOTE", "VAEOversampler")
N_INNER_FOLDS = 3
CALIBRATED_SCORES = (
    "roc_auc",
    "average_precision",
    "brier",
    "log_loss",
    "calibration_error",
)
# Bins of the reliability diagram, and the columns that hold what lies in each.
N_BINS = 10
BIN_SUMS = ("rows", "probability", "rare")
# Upper ends of the groups of tables by the share of their rare class.
SHARES = (0.05, 0.1, 0.5)


def evaluate_calibrated(X, y, sampler, *, n_repeats):
    """Yield a dict of scores for each fold, classifier and method of calibration."""
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=n_repeats, random_state=0)
    for fold, (train, test) in enumerate(folds.split(X, y)):
        for name in CALIBRATED_CLASSIFIERS:
            for method in METHODS:
                model = make_model(sampler, CLASSIFIERS[name], method, seed=fold)
                start = time.perf_counter()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    model.fit(X[train], y[train])
                seconds = time.perf_counter() - start
                probability = model.predict_proba(X[test])[:, 1]
                yield {
                    "fold": fold,
                    "classifier": name,
                    "method": method,
                    "seconds": seconds,
                    "share": y.mean(),
                    **score_probability(y[test], probability),
                    **sum_by_bin(y[test], probability),
                }


def make_model(sampler, classifier, method, seed):
    """Put scaler, sampler and classifier in a pipeline, and calibrate it as a whole."""
    steps = [StandardScaler(), clone(classifier)]
    if sampler is not None:
        steps.insert(1, clone(sampler).set_params(random_state=seed))
    pipeline = make_pipeline(*steps)
    if method == "none":
        return pipeline
    return CalibratedClassifierCV(pipeline, method=method, cv=N_INNER_FOLDS)


def score_probability(y, probability) -> dict[str, float]:
    """Score a class's probabilities, but no threshold."""
    probability = np.clip(probability, 0, 1)
    return {
        "roc_auc": roc_auc_score(y, probability),
        "average_precision": average_precision_score(y, probability),
        "brier": brier_score_loss(y, probability),
        "log_loss": log_loss(y, probability),
        "calibration_error": calibration_error(y, probability),
    }


def calibration_error(y, probability, n_bins: int = 10) -> float:
    """Return the mean gap of probability and frequency in bins between quantiles.

    Bins are weighted by their rows; equal probabilities are in one bin.
    """
    edges = np.quantile(probability, np.arange(1, n_bins) / n_bins)
    bins = np.searchsorted(edges, probability)
    gaps = np.bincount(bins, weights=probability - y)
    return np.abs(gaps).sum() / len(y)


def sum_by_bin(y, probability) -> dict[str, float]:
    """Count rows, and sum their probabilities and labels, in bins of equal width."""
    bins = np.minimum((np.clip(probability, 0, 1) * N_BINS).astype(int), N_BINS - 1)
    sums = {
        name: np.bincount(bins, weights=weights, minlength=N_BINS)
        for name, weights in zip(BIN_SUMS, (np.ones(len(y)), probability, y), strict=True)
    }
    return {
        f"{name}_{index}": sums[name][index] for name in BIN_SUMS for index in range(N_BINS)
    }


def mean_scores(results: pd.DataFrame, columns=(*CALIBRATED_SCORES, "seconds")) -> pd.DataFrame:
    """Average over tables, folds and classifiers: one line a sampler and method."""
    means = _by_table(results, columns).groupby(["sampler", "method"]).mean()
    samplers = [name for name in CALIBRATED_SAMPLERS if name in means.index.levels[0]]
    order = pd.MultiIndex.from_product([samplers, METHODS], names=means.index.names)
    return means.reindex(order)


def by_classifier(results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return `mean_scores` of each classifier."""
    return {
        name: mean_scores(results[results["classifier"] == name])
        for name in CALIBRATED_CLASSIFIERS
    }


def by_share(results: pd.DataFrame, score: str) -> pd.DataFrame:
    """Average a score over tables of similar imbalance: one column a group."""
    groups = np.searchsorted(SHARES, results["share"])
    columns = {}
    for group in np.unique(groups):
        tables = results[groups == group]
        low = SHARES[group - 1] if group else 0
        title = f"{low:.0%} to {SHARES[group]:.0%} ({tables['table'].nunique()} tables)"
        columns[title] = mean_scores(tables, [score])[score]
    return pd.DataFrame(columns)


def draw_reliability(results: pd.DataFrame, path: Path) -> None:
    """Draw observed shares against probabilities, of all tables' test rows together."""
    figure, axes = plt.subplots(1, len(METHODS), figsize=(10, 3.8), sharey=True)
    for axis, method in zip(axes, METHODS, strict=True):
        axis.plot([0, 1], [0, 1], color="0.6", lw=1)
        for sampler in CALIBRATED_SAMPLERS:
            chosen = results[(results["method"] == method) & (results["sampler"] == sampler)]
            rows, probability, rare = (
                chosen[[f"{name}_{index}" for index in range(N_BINS)]].sum().to_numpy()
                for name in BIN_SUMS
            )
            with np.errstate(invalid="ignore"):
                axis.plot(probability / rows, rare / rows, "o-", ms=4, label=sampler)
        axis.set_title("not calibrated" if method == "none" else method)
        axis.set_xlabel("mean probability")
        axis.set_aspect("equal")
    axes[0].set_ylabel("share of the rare class")
    axes[0].legend(loc="upper left")
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def paired_differences(results: pd.DataFrame, sampler: str, rival: str) -> pd.DataFrame:
    """Compare two samplers table by table: one line a method, with Wilcoxon's p."""
    means = _by_table(results, CALIBRATED_SCORES)
    lines = []
    for method in METHODS:
        differences = (means.loc[sampler, method] - means.loc[rival, method]).dropna()
        line = {"method": method}
        for score in CALIBRATED_SCORES:
            line[score] = mean_and_p(differences[score])
        lines.append(line)
    return pd.DataFrame(lines).set_index("method")


def _by_table(results: pd.DataFrame, columns) -> pd.DataFrame:
    scored = results[results["fold"] >= 0]
    return scored.groupby(["sampler", "method", "table"])[list(columns)].mean()
