"""Tables that the tests share."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from vaesampler import VAEOversampler

# There is a process for each core; threads of each beside that would wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

settings.register_profile("vaesampler", deadline=None, derandomize=True, max_examples=10)
# For `pytest tests/test_every_dtype.py --hypothesis-profile=long -n 0`.
settings.register_profile("long", deadline=None, derandomize=False, max_examples=600)
settings.load_profile("vaesampler")


def make_table(counts=None, n_features=5, seed=0):
    """Return a table of Gaussian clouds, `counts` mapping each label to its rows."""
    rng = np.random.default_rng(seed)
    counts = counts or {0: 40, 1: 12, 2: 8}
    X = [
        rng.normal(loc=3 * number, size=(n_rows, n_features))
        for number, n_rows in enumerate(counts.values())
    ]
    y = np.repeat(np.array(list(counts)), list(counts.values()))
    order = rng.permutation(len(y))
    return np.concatenate(X)[order], y[order]


def quick(**parameters):
    """Return a sampler that trains for a few steps: where quality is not the matter."""
    return VAEOversampler(
        **{"max_iter": 15, "pretrain_iter": 15, "random_state": 0, **parameters}
    )


@pytest.fixture
def table():
    return make_table()


@pytest.fixture(scope="session")
def optdigits():
    """Return X_train, y_train, X_test, y_test of the UCI files."""
    files = [SHARED_DATA / "optdigits.tra", SHARED_DATA / "optdigits.tes"]
    if not all(file.exists() for file in files):
        pytest.skip("the optdigits files are not in ../shared/data")
    train, test = map(np.loadtxt, files)
    return train[:, :-1], train[:, -1].astype(int), test[:, :-1], test[:, -1].astype(int)
