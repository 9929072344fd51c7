"""How samplers do on images of digits of which half are rare, and how new their images are."""

import numpy as np
import pandas as pd
import torch
from evaluation import CLASSIFIERS
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.metrics import f1_score
from sklearn.neighbors import NearestNeighbors
from tables import cut_odd_digits, load_optdigits

N_IMAGES = (10, 20, 40)
N_DRAWS = 5
DIGIT_CLASSIFIERS = ("LogisticRegression", "5-NN", "RandomForest")


def evaluate_digits(samplers: dict, n_jobs: int) -> pd.DataFrame:
    """Return macro-F1 on the test images and near copies: a line a sampler and draw."""
    units = [
        (name, n_images, draw)
        for name in samplers
        for n_images in N_IMAGES
        for draw in range(N_DRAWS)
    ]
    lines = Parallel(n_jobs=n_jobs)(
        delayed(evaluate_draw)(name, samplers[name], n_images, draw)
        for name, n_images, draw in units
    )
    return pd.DataFrame(lines)


def evaluate_draw(name: str, sampler, n_images: int, draw: int) -> dict:
    torch.set_num_threads(1)
    X_train, y_train, X_test, y_test = load_optdigits()
    X_train, X_test = X_train / 16, X_test / 16
    rng = np.random.default_rng(draw)
    X, y = cut_odd_digits(X_train, y_train, n_images, rng)
    X_new, y_new = X, y
    line = {"sampler": name, "n_images": n_images, "draw": draw}
    if sampler is not None:
        sampler = clone(sampler).set_params(random_state=draw)
        X_new, y_new = sampler.fit_resample(X, y)
        added, labels = X_new[len(X) :], y_new[len(X) :]
        line["near_copies"] = near_copies(X, y, added, labels, X_test, y_test)
    for classifier_name in DIGIT_CLASSIFIERS:
        classifier = clone(CLASSIFIERS[classifier_name]).fit(X_new, y_new)
        predicted = classifier.predict(X_test)
        line[classifier_name] = f1_score(y_test, predicted, average="macro")
    return line


def near_copies(X, y, added, labels, X_test, y_test) -> float:
    """Return the share of synthetic odd digits that are all but copies.

    They are nearer to a training image than the nearest 5% of held-out ones, so that real
    images would score 0.05.
    """
    shares = []
    for digit in range(1, 10, 2):
        neighbors = NearestNeighbors(n_neighbors=1).fit(X[y == digit])
        real = neighbors.kneighbors(X_test[y_test == digit])[0]
        synthetic = neighbors.kneighbors(added[labels == digit])[0]
        shares.append(np.mean(synthetic < np.quantile(real, 0.05)))
    return float(np.mean(shares))
