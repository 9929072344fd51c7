"""Part "scales" of quality.py: judge rows drawn from columns of different scales.

Each table has four correlated columns of one family of distributions, 300 rows of the rare
class and 1,500 of the common class. A random forest is trained to tell rows that a sampler
drew from real rows of the rare class that no sampler saw, 300 of each. Its ROC AUC in five
folds is .5 if it cannot, and 1 if it always can.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from imblearn.over_sampling import SMOTE
from joblib import Parallel, delayed
from scipy.special import ndtr
from scipy.stats import gamma, poisson
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from tqdm import tqdm

from vaesampler import VAEOversampler

N_COLUMNS = 4
N_SEEDS = 6
N_RARE, N_COMMON, N_COMPARED = 300, 1_500, 300
# Of the latent normal variables: correlation of two columns, and distance of the class means.
CORRELATION = 0.5
SHIFT = 0.7

# Each maps normal variables (n_rows, n_columns), correlated, to a table. `extra` holds further
# independent normal variables of the same shape.
FAMILIES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "normal": lambda z, extra: z,  # noqa: ARG005
    "lognormal, 1": lambda z, extra: np.exp(z),  # noqa: ARG005
    "lognormal, 2": lambda z, extra: np.exp(2 * z),  # noqa: ARG005
    "lognormal, 4": lambda z, extra: np.exp(4 * z),  # noqa: ARG005
    "cubes": lambda z, extra: z**3,  # noqa: ARG005
    "Pareto": lambda z, extra: ndtr(-z) ** (-1 / 1.5),  # noqa: ARG005
    "two clusters": lambda z, extra: z + 300 * (extra > 0),
    "squashed": lambda z, extra: np.tanh(2 * z),  # noqa: ARG005
    "counts": lambda z, extra: poisson(np.exp(1 + z)).ppf(ndtr(extra)),
    "gamma": lambda z, extra: gamma(0.5).ppf(ndtr(z)),  # noqa: ARG005
    "zero-inflated": lambda z, extra: np.exp(2 * z) * (extra > -0.5),
    "signed scales": lambda z, extra: np.sinh(3 * z),  # noqa: ARG005
    "random signs": lambda z, extra: np.sign(extra) * np.exp(2 * z),
    "mixtures": lambda z, extra: np.where(extra > 0, np.exp(3 * z), 50 + z),
    "discrete scales": lambda z, extra: 10.0 ** np.round(1.5 * z),  # noqa: ARG005
}
SAMPLERS = {
    "VAEOversampler, rejection_strength=0": VAEOversampler(rejection_strength=0),
    "VAEOversampler": VAEOversampler(),
    "SMOTE": SMOTE(),
    "real": None,
}


def evaluate_scales(n_jobs: int) -> pd.DataFrame:
    """Return the AUC of telling drawn from real rows, one line a family and seed."""
    units = [(family, seed) for family in FAMILIES for seed in range(N_SEEDS)]
    jobs = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_judge_family)(*unit) for unit in units
    )
    return pd.DataFrame(tqdm(jobs, total=len(units), desc="scales"))


def _judge_family(family: str, seed: int) -> dict[str, object]:
    torch.set_num_threads(1)
    rng = np.random.default_rng([seed, *family.encode()])
    own, held_out, more = (
        _make_rows(family, n, 0.0, rng) for n in (N_RARE, N_COMPARED, N_COMPARED)
    )
    others = _make_rows(family, N_COMMON, SHIFT, rng)
    X, y = np.concatenate([others, own]), np.repeat([0, 1], [len(others), len(own)])
    line: dict[str, object] = {"columns": family, "seed": seed}
    for name, sampler in SAMPLERS.items():
        drawn = more
        if sampler is not None:
            sampler.set_params(random_state=seed, sampling_strategy={1: N_RARE + N_COMPARED})
            drawn = sampler.fit_resample(X, y)[0][len(X) :]
        line[name] = two_sample_auc(held_out, drawn)
    return line


def _make_rows(family: str, n_rows: int, shift: float, rng: np.random.Generator) -> np.ndarray:
    shared = rng.standard_normal((n_rows, 1))
    own = rng.standard_normal((n_rows, N_COLUMNS))
    z = np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own + shift
    return FAMILIES[family](z, rng.standard_normal((n_rows, N_COLUMNS)))


def two_sample_auc(real: np.ndarray, drawn: np.ndarray) -> float:
    """Return how well trees tell drawn from real rows."""
    rows = np.concatenate([real, drawn])
    is_drawn = np.repeat([0, 1], [len(real), len(drawn)])
    trees = RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=0)
    shuffled = np.random.default_rng(0).permutation(len(rows))
    probability = cross_val_predict(
        trees, rows[shuffled], is_drawn[shuffled], cv=5, method="predict_proba"
    )[:, 1]
    return roc_auc_score(is_drawn[shuffled], probability)
