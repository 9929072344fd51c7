"""The data that the benchmarks run on: imbalanced tables, and the digits with rare classes."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn.datasets import fetch_datasets
from sklearn.datasets import make_classification

# Columns of the tables of `make_large_table`.
N_FEATURES = 30
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Table:
    """An imbalanced binary table; 1 is the minority class."""

    name: str
    X: np.ndarray  # (n_rows, n_features)
    y: np.ndarray  # (n_rows,)


def numeric_table_names() -> list[str]:
    """Return the names of the tables without categorical columns, in alphabetical order."""
    if not SHARED_DATA.is_dir():
        return sorted(fetch_datasets(data_home=None))
    index = json.loads((SHARED_DATA / "tabular" / "index.json").read_text())
    return sorted(name for name, entry in index.items() if not entry["categorical"])


def load_numeric_table(name: str) -> Table:
    """Read one table, from the shared data or else from imbalanced-learn's collection."""
    if not SHARED_DATA.is_dir():
        bunch = fetch_datasets(filter_data=(name,))[name]
        return Table(name, bunch.data, (bunch.target == 1).astype(int))
    frame = pd.read_csv(SHARED_DATA / "tabular" / f"{name}.csv.gz")
    X = frame.drop(columns="target").to_numpy(dtype=np.float64)
    return Table(name, X, frame["target"].to_numpy())


def mixed_table_names() -> list[str]:
    """Return the names of the tables with categorical columns, in alphabetical order.

    Raises
    ------
    FileNotFoundError
        If the shared data are not there: imbalanced-learn's collection has no such tables.
    """
    index = json.loads((SHARED_DATA / "tabular" / "index.json").read_text())
    return sorted(name for name, entry in index.items() if entry["categorical"])


def load_mixed_table(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Read one table with categories, as a frame, and its labels; cells may be missing."""
    index = json.loads((SHARED_DATA / "tabular" / "index.json").read_text())
    dtypes = dict.fromkeys(index[name]["categorical"], "category")
    frame = pd.read_csv(SHARED_DATA / "tabular" / f"{name}.csv.gz", dtype=dtypes)
    return frame.drop(columns="target"), frame["target"].to_numpy()


# The order of the levels, as text, of columns of the mixed tables.
ORDERS = {
    "Buying": ["low", "med", "high", "vhigh"],
    "Maint": ["low", "med", "high", "vhigh"],
    "Doors": ["2", "3", "4", "5more"],
    "Persons": ["2", "4", "more"],
    "Lug_boot": ["small", "med", "big"],
    "Safety": ["low", "med", "high"],
    "Evolution": ["1", "2", "3"],
    "Prev24Hour": ["1", "2", "3"],
    "C-class": ["0", "1", "2", "3", "4", "5", "6", "7", "8"],
    "M-class": ["0", "1", "2", "3", "4", "5"],
    "White_king_row": ["1", "2", "3", "4"],
    "White_rook_row": ["1", "2", "3", "4", "5", "6", "7", "8"],
    "Black_king_row": ["1", "2", "3", "4", "5", "6", "7", "8"],
    "a3": ["A30", "A31", "A32", "A33", "A34"],
    "a7": ["A71", "A72", "A73", "A74", "A75"],
    "a17": ["A171", "A172", "A173", "A174"],
}


def load_optdigits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the optdigits files as X_train, y_train, X_test, y_test."""
    train = np.loadtxt(SHARED_DATA / "optdigits.tra")
    test = np.loadtxt(SHARED_DATA / "optdigits.tes")
    return train[:, :-1], train[:, -1].astype(int), test[:, :-1], test[:, -1].astype(int)


def cut_odd_digits(
    X: np.ndarray, y: np.ndarray, n_images: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Keep `n_images` of each odd digit and 400 of each even one (or all it has)."""
    kept = []
    for digit in range(10):
        rows = rng.permutation(np.flatnonzero(y == digit))
        kept.append(rows[: n_images if digit % 2 else 400])
    chosen = np.concatenate(kept)
    return X[chosen], y[chosen]


def make_large_table(n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Make a table of numbers of which a tenth of the rows are of class 1."""
    return make_classification(n_rows, N_FEATURES, weights=[0.9], random_state=0)
