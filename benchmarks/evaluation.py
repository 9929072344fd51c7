"""How a sampler is judged on one table: folds, classifiers, scores."""

import time
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from imblearn.metrics import geometric_mean_score
from imblearn.pipeline import make_pipeline
from scipy.stats import wilcoxon
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    roc_auc_score,
)
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

WEAK_CLASSIFIERS = ("LogisticRegression", "5-NN", "DecisionTree", "RandomForest")
DISCRIMINATION = ("roc_auc", "average_precision", "balanced_accuracy", "f1", "g_mean")
SCORES = (*DISCRIMINATION, "brier")

CLASSIFIERS = {
    "LogisticRegression": LogisticRegression(max_iter=1000),
    "5-NN": KNeighborsClassifier(n_neighbors=5),
    "DecisionTree": DecisionTreeClassifier(random_state=0),
    "RandomForest": RandomForestClassifier(n_estimators=50, random_state=0),
    "HistGradientBoosting": HistGradientBoostingClassifier(random_state=0),
}

# Stands for no sampler and balanced class weights, where the classifier has them.
CLASS_WEIGHT = "class_weight"


def evaluate(X, y, sampler, classifiers, *, n_repeats, max_minority=None) -> Iterator[dict]:
    """Yield a dict of scores for each fold and classifier, the sampler inside the fold.

    With `max_minority`, the minority rows of each training part are cut to that many.
    """
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=n_repeats, random_state=0)
    for fold, (train, test) in enumerate(folds.split(X, y)):
        train = _cut_minority(train, y, max_minority, seed=fold)
        resampled, seconds = resample(X[train], y[train], sampler, seed=fold)
        X_test = resampled.scaler.transform(X[test])
        for name in classifiers:
            classifier = clone(CLASSIFIERS[name])
            if sampler == CLASS_WEIGHT and "class_weight" in classifier.get_params():
                classifier.set_params(class_weight="balanced")
            classifier.fit(resampled.X, resampled.y)
            probability = classifier.predict_proba(X_test)[:, 1]
            scores = score(y[test], probability)
            yield {"fold": fold, "classifier": name, **scores, "seconds": seconds}


def _cut_minority(train, y, max_minority, seed):
    minority = train[y[train] == 1]
    if max_minority is None or len(minority) <= max_minority:
        return train
    dropped = np.random.default_rng(seed).permutation(minority)[max_minority:]
    return np.setdiff1d(train, dropped)


class Resampled(NamedTuple):
    scaler: StandardScaler
    X: np.ndarray
    y: np.ndarray


def resample(X, y, sampler, seed):
    scaler = StandardScaler()
    if sampler is None or sampler == CLASS_WEIGHT:
        return Resampled(scaler, scaler.fit_transform(X), y), 0.0
    sampler = clone(sampler)
    if "random_state" in sampler.get_params():
        sampler.set_params(random_state=seed)
    pipeline = make_pipeline(scaler, sampler)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        X_resampled, y_resampled = pipeline.fit_resample(X, y)
        seconds = time.perf_counter() - start
    return Resampled(pipeline[0], X_resampled, y_resampled), seconds


def score(y, probability) -> dict[str, float]:
    """Score a class's probabilities in every way, with 0.5 as the threshold."""
    predicted = (probability >= 0.5).astype(int)
    return {
        "roc_auc": roc_auc_score(y, probability),
        "average_precision": average_precision_score(y, probability),
        "balanced_accuracy": balanced_accuracy_score(y, predicted),
        "f1": f1_score(y, predicted, zero_division=0),
        "g_mean": geometric_mean_score(y, predicted, average="binary"),
        "brier": brier_score_loss(y, np.clip(probability, 0, 1)),
    }


def p_value(differences) -> float:
    """Return the p-value of Wilcoxon's signed-rank test; 1 if nothing differs."""
    return wilcoxon(differences).pvalue if differences.any() else 1.0


def mean_and_p(differences) -> str:
    """Describe paired differences by their mean, with the p-value."""
    return f"{differences.mean():+.4f} (p={p_value(differences):.3f})"
