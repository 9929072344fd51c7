"""A fit whose rows other processes and threads must repeat: many distances are equal."""

import hashlib

import numpy as np
from conftest import quick


def make_table_with_ties():
    """Return 1,500 rows of eight categories of three levels, and a rare class of 300."""
    X = np.random.default_rng(0).choice(list("abc"), (1_800, 8))
    return X, np.repeat([0, 1], [1_500, 300])


def digest(critic="neighbors"):
    """Fit, resample, and return a digest of all bits of the result."""
    X, y = make_table_with_ties()
    rows = quick(critic=critic, max_iter=60).fit_resample(X, y)[0]
    return hashlib.sha256(rows.tobytes()).hexdigest()
