"""What every container must do: be read cell by cell, and made again from these cells."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from vaesampler._encoding.encoder import read_cells
from vaesampler._table.containers import Container
from vaesampler._table.reading import read_table
from vaesampler._table.schema import FeatureSchema


def mixed_frame(rng, n_rows):
    return pd.DataFrame(
        {
            "amount": rng.normal(size=n_rows).round(2),
            "visits": rng.integers(0, 10 * n_rows, n_rows),
            "plan": pd.Categorical(rng.choice(["yearly", "monthly"], n_rows)),
            "since": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 900, n_rows), "D"),
            "is_new": rng.random(n_rows) < 0.5,
            "city": rng.choice(["Bonn", "Köln", "Ulm"], n_rows).astype(object),
        }
    )


def with_missing(frame):
    frame = frame.copy()
    for column in ("amount", "plan", "since", "city"):
        frame.loc[frame.index[::4], column] = None
    return frame


def numbers(rng, n_rows):
    return rng.normal(size=(n_rows, 4)) * (rng.random((n_rows, 4)) < 0.6)


KINDS = {
    "array of floats": numbers,
    "array of float32": lambda rng, n: numbers(rng, n).astype(np.float32),
    "array of integers": lambda rng, n: rng.integers(-(10**6), 10**6, (n, 3)),
    "array of truth values": lambda rng, n: rng.random((n, 3)) < 0.5,
    "array of text": lambda rng, n: rng.choice(["a", "b", "c"], (n, 3)),
    "array of objects": lambda rng, n: mixed_frame(rng, n)[["amount", "city"]].to_numpy(),
    "list of rows": lambda rng, n: mixed_frame(rng, n)[["amount", "city"]].to_numpy().tolist(),
    "csr array": lambda rng, n: sparse.csr_array(numbers(rng, n)),
    "csc array": lambda rng, n: sparse.csc_array(numbers(rng, n)),
    "csr matrix": lambda rng, n: sparse.csr_matrix(numbers(rng, n)),
    "pandas": mixed_frame,
    "pandas, missing cells": lambda rng, n: with_missing(mixed_frame(rng, n)),
    "pandas, nullable": lambda rng, n: mixed_frame(rng, n).convert_dtypes(),
    "pandas, arrow": lambda rng, n: mixed_frame(rng, n).convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda rng, n: pl.from_pandas(mixed_frame(rng, n)),
    "polars, missing cells": lambda rng, n: pl.from_pandas(with_missing(mixed_frame(rng, n))),
    "pyarrow": lambda rng, n: pa.Table.from_pandas(mixed_frame(rng, n), preserve_index=False),
}


def as_lists(X):
    """Return the columns as lists, with None for what is missing."""
    if sparse.issparse(X):
        X = X.toarray()
    if isinstance(X, np.ndarray | list):
        columns = np.array(X, dtype=object).T.tolist()
    elif isinstance(X, pd.DataFrame):
        columns = [X[name].tolist() for name in X]
    else:
        columns = list(
            X.to_dict(as_series=False).values()
            if isinstance(X, pl.DataFrame)
            else X.to_pydict().values()
        )
    return [[None if pd.isna(cell) else cell for cell in column] for column in columns]


def dtypes_of(X):
    if isinstance(X, pd.DataFrame):
        return X.dtypes.to_dict()
    return getattr(X, "schema", getattr(X, "dtype", None))


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 1000), n_rows=st.integers(8, 60))
def test_a_table_made_of_the_cells_that_were_read_is_the_table(kind, seed, n_rows):
    X = KINDS[kind](np.random.default_rng(seed), n_rows)
    container = read_table(X)
    schema, cells = read_cells(container)
    assert container.n_rows == n_rows == len(cells)
    assert len(container.names) == len(schema.columns)
    every = cells.take(np.arange(n_rows))
    template = container.template(schema)
    made = template.make(np.array_split(every, 3), n_rows)
    assert type(made) is type(X)
    assert dtypes_of(made) == dtypes_of(X)
    assert as_lists(made) == as_lists(X)
    both = template.append(X, [every], n_rows)
    assert type(both) is type(X)
    assert as_lists(both) == [2 * column for column in as_lists(X)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_keeps_no_rows_but_one_of_each_level(kind):
    sizes = []
    for n_rows in (50, 5_000):
        X = KINDS[kind](np.random.default_rng(0), n_rows)
        container = Container.of(X)
        schema = FeatureSchema.infer(container.columns(), container.names)
        # Levels are kept, however many a larger table has.
        n_levels = sum(len(column.levels) for column in schema.columns)
        sizes.append(len(pickle.dumps(container.template(schema))) - 40 * n_levels)
    assert sizes[1] < sizes[0] + 5_000
