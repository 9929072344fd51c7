"""One-hot encoded columns are recognized, and one of each group is 1 in every drawn row."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import quick
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder

from vaesampler._encoding.encoder import read_cells
from vaesampler._table.containers import Container

N_ROWS = 240
LABELS = np.where(np.arange(N_ROWS) % 6 == 0, "rare", "common")
# What a matrix of 0 and 1 can be passed as.
CONTAINERS = {
    "array of floats": lambda ones: ones.astype(float),
    "array of float32": lambda ones: ones.astype(np.float32),
    "array of integers": lambda ones: ones.astype(np.int64),
    "array of uint8": lambda ones: ones.astype(np.uint8),
    "array of booleans": lambda ones: ones.astype(bool),
    "array of objects": lambda ones: ones.astype(int).astype(object),
    "list": lambda ones: ones.astype(bool).tolist(),
    "csr": lambda ones: sparse.csr_matrix(ones.astype(float)),
    "csc of integers": lambda ones: sparse.csc_array(ones.astype(np.int32)),
    "pandas, integers": lambda ones: named(pd.DataFrame(ones.astype(int))),
    "pandas, booleans": lambda ones: named(pd.DataFrame(ones.astype(bool))),
    "pandas, nullable": lambda ones: named(pd.DataFrame(ones.astype(bool)).astype("boolean")),
    "pandas, sparse": lambda ones: named(
        pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(ones.astype(float)))
    ),
    "polars, booleans": lambda ones: pl.DataFrame(ones.astype(bool)),
    "polars, integers": lambda ones: pl.DataFrame(ones.astype(np.int8)),
    "pyarrow, booleans": lambda ones: pa.table(named(pd.DataFrame(ones.astype(bool)))),
}
group_sizes = st.lists(st.integers(2, 7), min_size=1, max_size=4)
seeds = st.integers(0, 1000)


def named(frame):
    return frame.add_prefix("c")


def one_hot(rng, size, n_rows=N_ROWS):
    """Return 0 and 1, one 1 in every row, and at least one in every column."""
    codes = rng.permutation(np.concatenate([np.arange(size), rng.integers(0, size, n_rows)]))
    return np.eye(size)[np.concatenate([np.arange(size), codes])[:n_rows]]


def flags(rng, n_columns, n_rows=N_ROWS):
    return (rng.random((n_rows, n_columns)) < rng.uniform(0.1, 0.9, n_columns)).astype(float)


def groups_of(X, **parameters):
    """Return the indices of the columns of each group that is found."""
    schema, _ = read_cells(Container.of(X), **parameters)
    groups = {}
    for index, column in enumerate(schema.columns):
        if column.kind == "indicator":
            groups.setdefault(column.group, []).append(index)
    return list(groups.values())


def dense(X):
    if sparse.issparse(X):
        return X.toarray().astype(float)
    return np.asarray(X.to_pandas() if isinstance(X, pa.Table) else X).astype(float)


@pytest.mark.parametrize("container", CONTAINERS)
@given(sizes=group_sizes, seed=seeds, has_zeros=st.booleans(), n_flags=st.integers(0, 3))
def test_groups_are_found_among_flags_and_columns_of_zeros(
    container, sizes, seed, has_zeros, n_flags
):
    rng = np.random.default_rng(seed)
    parts, expected, start = [flags(rng, n_flags)], [], n_flags
    for size in sizes:
        indices = np.arange(size)
        part = one_hot(rng, size)
        if has_zeros:
            part = np.insert(part, 1, 0, axis=1)
            indices[1:] += 1
        expected.append((start + indices).tolist())
        parts.append(part)
        start += part.shape[1]
    X = np.hstack([*parts, flags(rng, n_flags)])
    assert groups_of(CONTAINERS[container](X)) == expected


@pytest.mark.parametrize("container", CONTAINERS)
@given(size=st.integers(3, 7), seed=seeds)
def test_columns_that_are_not_exclusive_and_exhaustive_are_no_group(container, size, seed):
    rng = np.random.default_rng(seed)
    make = CONTAINERS[container]
    ones = one_hot(rng, size)
    assert groups_of(make(ones[:, 1:])) == []  # as of OneHotEncoder(drop="first")
    ones[rng.integers(len(ones)), rng.integers(size)] = 1
    ones[0], ones[1] = 1, 0  # as many ones as rows, perhaps
    assert groups_of(make(ones)) == []
    assert groups_of(make(flags(rng, size))) == []


@given(size=st.integers(2, 6), seed=seeds, between=st.sampled_from([1.0, 0.5, np.nan]))
def test_a_column_of_another_kind_ends_a_group(size, seed, between):
    rng = np.random.default_rng(seed)
    ones = one_hot(rng, size)
    column = np.full(N_ROWS, between)
    column[::2] = 0 if np.isnan(between) else between
    assert groups_of(np.insert(ones, 1, column, axis=1)) == []
    assert groups_of(np.insert(ones, size, column, axis=1)) == [list(range(size))]


def test_missing_cells_times_and_text_are_no_group():
    ones = one_hot(np.random.default_rng(0), 3)
    with_missing = ones.copy()
    with_missing[5, 0] = np.nan
    days = pd.DataFrame(
        pd.to_datetime(ones.astype(int).ravel(), unit="D").values.reshape(-1, 3)
    )
    assert groups_of(with_missing) == []
    assert groups_of(named(days)) == []
    assert groups_of(ones.astype(int).astype(str)) == []


def test_columns_that_are_named_as_categories_or_ordered_are_grouped_as_well():
    ones = one_hot(np.random.default_rng(0), 4)
    assert groups_of(ones, categorical_features=[0, 1, 2, 3]) == [[0, 1, 2, 3]]
    assert groups_of(ones, categorical_features=[1]) == [[0, 1, 2, 3]]
    assert groups_of(ones, ordinal_features={0: [0, 1], 2: [1, 0]}) == [[0, 1, 2, 3]]


@pytest.mark.parametrize("container", CONTAINERS)
@given(sizes=group_sizes, seed=st.integers(0, 10))
def test_drawn_rows_have_exactly_one_1_in_each_group(container, sizes, seed):
    rng = np.random.default_rng(seed)
    X = np.hstack([flags(rng, 1), *(one_hot(rng, size) for size in sizes)])
    # Each group has a level that the rare class lacks.
    is_lacking = X[:, 1] == 1
    y = np.where(is_lacking, "common", LABELS)
    made = CONTAINERS[container](X)
    drawn = (
        quick(max_iter=5, pretrain_iter=5, rejection_strength=0)
        .fit(made, y)
        .sample("rare", 300)
    )
    assert type(drawn) is type(made)
    cells, start = dense(drawn), 1
    for size in sizes:
        assert_array_equal(cells[:, start : start + size].sum(axis=1), 1)
        start += size
    assert set(np.unique(cells)) <= {0, 1}
    assert_array_equal(cells[:, 1], 0)


def test_groups_are_drawn_with_the_shares_of_the_class_and_with_other_columns():
    rng = np.random.default_rng(0)
    codes = rng.choice(4, 1_000, p=[0.4, 0.3, 0.2, 0.1])
    X = np.column_stack([codes + 0.3 * rng.normal(size=1_000), np.eye(4)[codes]])
    drawn = (
        quick(max_iter=250, pretrain_iter=100, rejection_strength=0)
        .fit(X, np.arange(1_000) % 3 == 0)
        .sample(True, 1_000)
    )
    found = drawn[:, 1:].argmax(axis=1)
    shares = np.bincount(found, minlength=4) / 1_000
    assert np.abs(shares - [0.4, 0.3, 0.2, 0.1]).max() < 0.08
    assert np.corrcoef(found, drawn[:, 0])[0, 1] > 0.85


def test_a_group_is_one_categorical_variable_of_the_encoded_row():
    encoder = OneHotEncoder(sparse_output=False, dtype=int)
    X = encoder.fit_transform(np.resize(list("abcab"), (N_ROWS, 1)))
    sampler = quick().fit(X, LABELS)
    assert sampler.to_matrix("rare", X).tolist() == X.tolist()
    (entry,) = sampler.vaes_.values()
    assert entry.layout.categories_parts[-1].widths == (3,)
    assert entry.layout.n_columns == 1
    reason = "one of 3 one-hot encoded columns, of which exactly one is 1 in every row"
    assert [column.reason for column in sampler.schema_.columns] == 3 * [reason]


@pytest.mark.parametrize("container", ["array of floats", "csr", "pandas, booleans"])
@pytest.mark.parametrize(("row", "n_ones"), [([1, 1, 0], 2), ([0, 0, 0], 0)])
def test_new_rows_without_exactly_one_1_are_refused_with_the_names(container, row, n_ones):
    make = CONTAINERS[container]
    ones = one_hot(np.random.default_rng(0), 3)
    sampler = quick().fit(make(ones), LABELS)
    assert len(sampler.encode("rare", make(ones))) == N_ROWS
    ones[7] = row
    message = rf"Exactly one of the columns '.*0', '.*1', '.*2' .* found {n_ones} .* row 7"
    for method in (sampler.encode, sampler.to_matrix):
        with pytest.raises(ValueError, match=message):
            method("rare", make(ones))
