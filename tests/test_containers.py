"""What every container must do: be read cell by cell, and made again from these cells."""

import pickle
from collections import namedtuple

import narwhals
import narwhals.stable.v1 as nw_v1
import narwhals.stable.v2 as nw_v2
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from conftest import quick
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from vaesampler._encoding.encoder import read_cells
from vaesampler._table.containers import Container
from vaesampler._table.reading import read_table
from vaesampler._table.schema import FeatureSchema

# SciPy says so of a table that is made for a test.
pytestmark = pytest.mark.filterwarnings("ignore:Constructing a DIA matrix")

Row = namedtuple("Row", ["amount", "city"])


class Measured(pd.DataFrame):
    """A data frame with a unit, as libraries extend those of pandas."""

    _metadata = ["unit"]

    @property
    def _constructor(self):
        return Measured


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


def rows_of(rng, n_rows):
    return list(mixed_frame(rng, n_rows)[["amount", "city"]].itertuples(index=False, name=None))


def measured(rng, n_rows):
    frame = Measured(mixed_frame(rng, n_rows))
    frame.unit = "kg"
    frame.attrs = {"source": "survey", "weights": np.ones(3)}
    frame.index = rng.permutation(n_rows) + 100
    return frame.set_flags(allows_duplicate_labels=False)


def described(rng, n_rows):
    """Return a table of pyarrow with metadata of its own and of a field, and a required one."""
    table = pa.Table.from_pandas(mixed_frame(rng, n_rows), preserve_index=False)
    field = table.schema.field("visits").with_metadata({"unit": "per month"})
    schema = table.schema.set(1, field.with_nullable(False))
    return table.cast(schema.with_metadata({"source": "survey"}))


KINDS = {
    "array of floats": numbers,
    "array of float32": lambda rng, n: numbers(rng, n).astype(np.float32),
    "array of integers": lambda rng, n: rng.integers(-(10**6), 10**6, (n, 3)),
    "array of truth values": lambda rng, n: rng.random((n, 3)) < 0.5,
    "array of text": lambda rng, n: rng.choice(["a", "b", "c"], (n, 3)),
    "array of objects": lambda rng, n: mixed_frame(rng, n)[["amount", "city"]].to_numpy(),
    "list of rows": lambda rng, n: mixed_frame(rng, n)[["amount", "city"]].to_numpy().tolist(),
    "list of tuples": rows_of,
    "list of named tuples": lambda rng, n: [Row(*row) for row in rows_of(rng, n)],
    "list of arrays": lambda rng, n: list(numbers(rng, n).astype(np.float32)),
    "tuple of lists": lambda rng, n: tuple(list(row) for row in rows_of(rng, n)),
    "tuple of named tuples": lambda rng, n: tuple(Row(*row) for row in rows_of(rng, n)),
    "tensor": lambda rng, n: torch.from_numpy(numbers(rng, n)),
    "tensor of float16": lambda rng, n: torch.from_numpy(numbers(rng, n)).half(),
    "tensor of integers": lambda rng, n: torch.from_numpy(rng.integers(0, 10**6, (n, 3))),
    "tensor of truth values": lambda rng, n: torch.from_numpy(rng.random((n, 3)) < 0.5),
    "csr array": lambda rng, n: sparse.csr_array(numbers(rng, n)),
    "csc array": lambda rng, n: sparse.csc_array(numbers(rng, n)),
    "csr matrix": lambda rng, n: sparse.csr_matrix(numbers(rng, n)),
    **{
        f"{name} {kind}": lambda rng, n, name=name, kind=kind: getattr(
            sparse, f"{name}_{kind}"
        )(numbers(rng, n))
        for name in ("bsr", "coo", "dia", "dok", "lil")
        for kind in ("array", "matrix")
    },
    "coo array of integers": lambda rng, n: sparse.coo_array(rng.integers(0, 40, (n, 3))),
    "coo array of truth values": lambda rng, n: sparse.coo_array(rng.random((n, 3)) < 0.5),
    "pandas": mixed_frame,
    "pandas, subclass": measured,
    "pandas, missing cells": lambda rng, n: with_missing(mixed_frame(rng, n)),
    "pandas, nullable": lambda rng, n: mixed_frame(rng, n).convert_dtypes(),
    "pandas, arrow": lambda rng, n: mixed_frame(rng, n).convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda rng, n: pl.from_pandas(mixed_frame(rng, n)),
    "polars, missing cells": lambda rng, n: pl.from_pandas(with_missing(mixed_frame(rng, n))),
    "pyarrow": lambda rng, n: pa.Table.from_pandas(mixed_frame(rng, n), preserve_index=False),
    "pyarrow, described": described,
    **{
        f"{module.__name__}, {library}": lambda rng, n, module=module, library=library: (
            module.from_native(KINDS[library](rng, n))
        )
        for module in (narwhals, nw_v1, nw_v2)
        for library in ("pandas, subclass", "polars", "pyarrow, described")
    },
}


def as_lists(X):
    """Return the columns as lists, with None for what is missing."""
    X = native(X)
    if sparse.issparse(X):
        X = X.toarray()
    if isinstance(X, torch.Tensor):
        X = X.numpy()
    if isinstance(X, np.ndarray | list | tuple):
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


def native(X):
    return X.to_native() if hasattr(X, "to_native") else X


def form_of(X):
    """Return what new rows must not change: types, dtypes, and what else a table carries."""
    X = native(X)
    if isinstance(X, pd.DataFrame):
        attached = str(X.attrs), X.flags.allows_duplicate_labels, getattr(X, "unit", None)
        return type(X), X.dtypes.to_dict(), attached
    if isinstance(X, list | tuple):
        return type(X), {type(row) for row in X}, {getattr(row, "dtype", None) for row in X}
    if isinstance(X, pa.Table):
        fields = [(field.name, field.nullable, field.metadata) for field in X.schema]
        return type(X), X.schema.types, fields, X.schema.metadata
    return type(X), getattr(X, "schema", getattr(X, "dtype", None))


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
    assert form_of(made) == form_of(X)
    assert as_lists(made) == as_lists(X)
    both = template.append(X, [every], n_rows)
    assert type(both) is type(X)
    assert form_of(both) == form_of(X)
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


@pytest.mark.parametrize("kind", KINDS)
def test_fit_resample_and_sample_return_the_container_of_x(kind):
    X = KINDS[kind](np.random.default_rng(0), 40)
    y = np.arange(40) % 4 == 0
    sampler = quick(max_iter=3, pretrain_iter=3)
    X_resampled, _ = sampler.fit_resample(X, y)
    drawn = sampler.sample(True, 3)
    for made, n_rows in ((X_resampled, 60), (drawn, 3), (sampler.sample(True, 0), 0)):
        assert type(made) is type(X)
        assert (made.shape[0] if hasattr(made, "shape") else len(made)) == n_rows
        if n_rows > 0:
            assert form_of(made) == form_of(X)
        if isinstance(native(made), pd.DataFrame):
            assert native(made).index.equals(pd.RangeIndex(n_rows))
    assert [column[:40] for column in as_lists(X_resampled)] == as_lists(X)


@pytest.mark.parametrize("kind", KINDS)
def test_a_balanced_table_comes_back_in_its_container(kind):
    X = KINDS[kind](np.random.default_rng(0), 20)
    X_resampled, _ = quick().fit_resample(X, np.arange(20) % 2)
    assert type(X_resampled) is type(X)
    assert form_of(X_resampled) == form_of(X)
    assert as_lists(X_resampled) == as_lists(X)


def test_what_is_attached_to_a_frame_is_copied():
    X = measured(np.random.default_rng(0), 40)
    sampler = quick(max_iter=3, pretrain_iter=3)
    X_resampled, _ = sampler.fit_resample(X, np.arange(40) % 4 == 0)
    X_resampled.attrs["weights"][:] = 0
    assert (X.attrs["weights"] == 1).all()
    assert (sampler.sample(True, 1).attrs["weights"] == 1).all()
    assert X.index.min() == 100
    assert not X.flags.allows_duplicate_labels


def test_rows_of_different_types_are_joined_by_lists():
    rng = np.random.default_rng(0)
    rows = [tuple(row) if index % 2 else row for index, row in enumerate(numbers(rng, 40))]
    X_resampled, _ = quick().fit_resample(rows, np.arange(40) % 4 == 0)
    assert {type(row) for row in X_resampled[40:]} == {list}
    assert {type(row) for row in X_resampled[:40]} == {tuple, np.ndarray}


def test_rows_that_are_arrays_of_different_dtypes_are_joined_by_arrays_of_the_wider_one():
    rows = list(numbers(np.random.default_rng(0), 40))
    rows[3] = rows[3].astype(np.float32)
    X_resampled, _ = quick().fit_resample(rows, np.arange(40) % 4 == 0)
    assert {row.dtype for row in X_resampled[40:]} == {np.dtype(float)}


@pytest.mark.parametrize("view", [np.ma.array, np.asfortranarray, lambda X: X[::-1][::-1]])
def test_arrays_of_other_layouts_or_without_masked_cells_come_back_as_arrays(view):
    X = numbers(np.random.default_rng(0), 40)
    y = np.arange(40) % 4 == 0
    expected, _ = quick().fit_resample(X, y)
    found, _ = quick().fit_resample(view(X), y)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["tensor", "tuple of rows", "coo array", "narwhals"])
def test_every_container_of_numbers_gives_the_same_rows(kind):
    X = numbers(np.random.default_rng(0), 40).round(2)
    view = {
        "tensor": torch.from_numpy,
        "tuple of rows": lambda X: tuple(map(tuple, X.tolist())),
        "coo array": sparse.coo_array,
        "narwhals": lambda X: narwhals.from_native(pl.DataFrame(X, schema=list("abcd"))),
    }[kind](X)
    y = np.arange(40) % 4 == 0
    expected, _ = quick().fit_resample(X, y)
    found, _ = quick().fit_resample(view, y)
    np.testing.assert_array_equal(np.array(as_lists(found)).T, expected)


def test_codes_of_tuples_and_tensors_are_those_of_the_array():
    X = numbers(np.random.default_rng(0), 40)
    sampler = quick().fit(torch.from_numpy(X), np.arange(40) % 4 == 0)
    expected = sampler.encode(True, X)
    for view in (torch.from_numpy(X), tuple(map(tuple, X.tolist())), list(X)):
        np.testing.assert_array_equal(sampler.encode(True, view), expected)
