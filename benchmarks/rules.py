"""Part "rules" of quality.py: classes that are rules about combinations of discrete values.

Between two rows of such a class lie rows of other classes. The tables are made: hands of cards
(three columns of suits and three of ranks), bits, boards of tic-tac-toe, and two tables that
are no rules, for comparison: a sum with noise, and pure noise.
"""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pandas as pd
import torch
from evaluation import WEAK_CLASSIFIERS, evaluate
from imblearn.over_sampling import SMOTE, RandomOverSampler
from joblib import Parallel, delayed
from tqdm import tqdm

from vaesampler import VAEOversampler

N_SEEDS = 3
N_RARE, N_COMMON = 120, 1_200
SAMPLERS = {
    "none": None,
    "RandomOverSampler": RandomOverSampler(),
    "SMOTE": SMOTE(),
    'VAEOversampler, critic="neighbors"': VAEOversampler(critic="neighbors"),
    "VAEOversampler": VAEOversampler(),
}
# By which every position of tic-tac-toe is won.
LINES = ([0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 4, 8], [2, 4, 6])

Table = tuple[np.ndarray, np.ndarray]  # X, and whether the rule holds for each row


def hands(rng: np.random.Generator, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return suits and ranks of three cards a row."""
    cards = np.array([rng.permutation(52)[:3] for _ in range(n_rows)])
    return cards // 13, cards % 13


def flush(rng: np.random.Generator) -> Table:
    """Three cards of one suit."""
    suits, ranks = hands(rng, 5_000)
    return np.hstack([suits, ranks]), (suits == suits[:, :1]).all(axis=1)


def pair(rng: np.random.Generator) -> Table:
    """Two cards of one rank."""
    suits, ranks = hands(rng, 5_000)
    is_equal = [ranks[:, one] == ranks[:, other] for one, other in ((0, 1), (0, 2), (1, 2))]
    return np.hstack([suits, ranks]), np.any(is_equal, axis=0)


def parity(rng: np.random.Generator) -> Table:
    """Three bits of ten have an odd sum."""
    X = rng.integers(2, size=(5_000, 10))
    return X, X[:, :3].sum(axis=1) % 2 == 1


def multiplexer(rng: np.random.Generator) -> Table:
    """Three bits say which of eight others must be 1."""
    X = rng.integers(2, size=(5_000, 11))
    return X, X[np.arange(len(X)), 3 + X[:, :3] @ [4, 2, 1]] == 1


def two_of_six(rng: np.random.Generator) -> Table:
    """Two of six columns have their first value (the second of the MONK's problems)."""
    X = np.column_stack([rng.integers(n, size=5_000) for n in (3, 3, 2, 3, 4, 2)])
    return X, (X == 0).sum(axis=1) == 2


def tic_tac_toe(rng: np.random.Generator) -> Table:
    """Of all final boards, those that the first player has not won."""
    boards = np.array(list(product(range(3), repeat=9)))
    n_first, n_second = ((boards == player).sum(axis=1) for player in (1, 2))
    won, lost = (
        np.any([(boards[:, line] == player).all(axis=1) for line in LINES], axis=0)
        for player in (1, 2)
    )
    is_last_of_first = (n_first == n_second + 1) & ~lost & (won | (n_first == 5))
    is_last_of_second = (n_first == n_second) & lost & ~won
    kept = rng.permutation(np.flatnonzero(is_last_of_first | is_last_of_second))
    return boards[kept], ~won[kept]


def equal_columns(rng: np.random.Generator) -> Table:
    """Two columns are equal, and a third is large."""
    X = rng.integers(8, size=(5_000, 6))
    return X, (X[:, 0] == X[:, 1]) & (X[:, 2] > 3)


def large_sum(rng: np.random.Generator) -> Table:
    """No rule: the sum of four columns of eight, with noise, is large."""
    X = rng.integers(4, size=(5_000, 8))
    return X, X[:, :4].sum(axis=1) + rng.normal(size=len(X)) > 8.5


def noise(rng: np.random.Generator) -> Table:
    """No rule: the class has nothing to do with the columns."""
    return rng.integers(4, size=(5_000, 8)), rng.random(5_000) < 0.2


RULES: dict[str, Callable[[np.random.Generator], Table]] = {
    make.__name__.replace("_", " "): make
    for make in (
        flush,
        pair,
        parity,
        multiplexer,
        two_of_six,
        tic_tac_toe,
        equal_columns,
        large_sum,
        noise,
    )
}


def evaluate_rules(n_jobs: int) -> pd.DataFrame:
    """Return scores, one line a rule, seed, sampler, fold and classifier."""
    units = [(rule, seed) for rule in RULES for seed in range(N_SEEDS)]
    jobs = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_judge_rule)(*unit) for unit in units
    )
    parts = list(tqdm(jobs, total=len(units), desc="rules"))
    return pd.DataFrame([line for part in parts for line in part])


def _judge_rule(rule: str, seed: int) -> list[dict]:
    torch.set_num_threads(1)
    X, y = cut(*RULES[rule](np.random.default_rng([seed, *rule.encode()])))
    return [
        {"rule": rule, "seed": seed, "sampler": name, **scores}
        for name, sampler in SAMPLERS.items()
        for scores in evaluate(X, y, sampler, WEAK_CLASSIFIERS, n_repeats=1)
    ]


def cut(X: np.ndarray, holds: np.ndarray) -> Table:
    """Return the first rows of either class, at most 120 and 1,200 of them."""
    rare, common = np.flatnonzero(holds)[:N_RARE], np.flatnonzero(~holds)[:N_COMMON]
    rows = np.concatenate([common, rare])
    return X[rows].astype(float), holds[rows].astype(int)


def precision_by_rule(results: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield average precision by rule and sampler: of all classifiers, and of the forest."""
    forest = results[results["classifier"] == "RandomForest"]
    for title, lines in (("four classifiers", results), ("a random forest", forest)):
        table = lines.pivot_table("average_precision", "rule", "sampler", sort=False)
        yield title, pd.concat([table, table.mean().to_frame("mean").T]).rename_axis("rule")
