"""Rows that are kept in a file, so that a change of them is noticed.

python tests/golden_rows.py    # writes tests/golden/rows.json; say so in the changelog
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from vaesampler import VAEOversampler

FILE = Path(__file__).parent / "golden" / "rows.json"
N_ROWS = 5


def numbers(n_rows=200, n_columns=4):
    """Return correlated numbers of two classes."""
    rng = np.random.default_rng(0)
    y = np.arange(n_rows) % 5 == 0
    X = rng.normal(size=(n_rows, n_columns)) + rng.normal(size=(n_rows, 1)) + y[:, None]
    return X, y


def mixed():
    """Return numbers, amounts, categories and missing cells of two classes."""
    X, y = numbers()
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "score": X[:, 0].round(2),
            "amount": np.where(rng.random(len(X)) < 0.4, 0, np.exp(2 * X[:, 1]).round(2)),
            "visits": rng.poisson(np.exp(X[:, 2].clip(-2, 2))),
            "plan": rng.choice(["basic", "free", "plus"], len(X)),
            "size": pd.Categorical(rng.choice(["S", "M", "L"], len(X)), ordered=True),
        }
    )
    frame.loc[rng.random(len(X)) < 0.2, "score"] = np.nan
    return frame, y


TABLES = {
    "numbers": numbers,
    "mixed": mixed,
    "few levels": lambda: (np.round(numbers()[0]), numbers()[1]),
    "wide": lambda: numbers(100, 300),
    "large": lambda: numbers(12_000, 3),
}


def draw(name):
    """Return the first rows drawn from a table, without rejection, as lists."""
    X, y = TABLES[name]()
    sampler = VAEOversampler(rejection_strength=0, random_state=0).fit(X, y)
    rows = sampler.sample(True, N_ROWS, random_state=0)
    columns = pd.DataFrame(rows).astype(object)
    return columns.where(columns.notna(), None).to_numpy().tolist()


def means_of_kept(name):
    """Return the mean of each numeric column of 500 rows that the critic keeps."""
    X, y = TABLES[name]()
    rows = VAEOversampler(random_state=0).fit(X, y).sample(True, 500, random_state=0)
    return pd.DataFrame(rows).select_dtypes("number").mean().tolist()


if __name__ == "__main__":
    golden = {name: {"rows": draw(name), "means": means_of_kept(name)} for name in TABLES}
    FILE.write_text(json.dumps(golden, indent=1) + "\n")
