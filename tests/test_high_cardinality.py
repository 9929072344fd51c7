"""Columns of text that would be copied cell by cell are warned of."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import quick
from hypothesis import given
from hypothesis import strategies as st

from vaesampler.exceptions import HighCardinalityWarning

N_ROWS = 120
LABELS = np.where(np.arange(N_ROWS) % 4 == 0, "rare", "common")
CONTAINERS = {
    "pandas": lambda frame: frame,
    "pandas, categories": lambda frame: frame.astype({"id": "category"}),
    "polars": pl.from_pandas,
    "pyarrow": pa.Table.from_pandas,
    "array of objects": lambda frame: frame.to_numpy(dtype=object),
    "list": lambda frame: frame.to_numpy(dtype=object).tolist(),
}


def frame_with(n_levels, n_missing=0):
    """Return a number, text with this number of levels, and text with three levels."""
    ids = np.resize([f"id {index}" for index in range(n_levels)], N_ROWS).astype(object)
    ids[:n_missing] = None
    return pd.DataFrame(
        {
            "x": np.random.default_rng(0).normal(size=N_ROWS),
            "id": ids,
            "size": np.resize(["S", "M", "L"], N_ROWS),
        }
    )


def warnings_of(X, **parameters):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HighCardinalityWarning)
        quick(max_iter=1, pretrain_iter=1, **parameters).fit(X, LABELS)
    return [one for one in caught if one.category is HighCardinalityWarning]


@pytest.mark.parametrize("container", CONTAINERS)
def test_text_that_hardly_repeats_is_warned_of_at_the_users_line(container):
    X = CONTAINERS[container](frame_with(100))
    (warning,) = warnings_of(X)
    name = "column 1" if container in ("array of objects", "list") else "id"
    assert f"{name!r} (100 in 120 rows). " in str(warning.message)
    assert "categorical_features" in str(warning.message)
    assert warning.filename == __file__


def test_an_array_of_text_is_warned_of_as_well():
    X = np.column_stack([np.arange(N_ROWS).astype(str), np.resize(["a", "b"], N_ROWS)])
    (warning,) = warnings_of(X)
    assert "'column 0' (120 in 120 rows). " in str(warning.message)


@given(n_levels=st.integers(3, N_ROWS), n_missing=st.integers(0, 40))
def test_text_is_warned_of_if_it_has_many_levels_and_more_than_half_of_its_cells(
    n_levels, n_missing
):
    frame = frame_with(n_levels, n_missing)
    n_observed, n_found = frame["id"].count(), frame["id"].nunique()
    assert bool(warnings_of(frame)) == (n_found > 50 and 2 * n_found > n_observed)


def test_all_columns_are_in_one_warning_the_first_of_them_by_name():
    frame = frame_with(100)
    for number in range(7):
        frame[f"id{number}"] = frame["id"]
    (warning,) = warnings_of(frame)
    assert "'id3' (100 in 120 rows) and 3 other columns. " in str(warning.message)


@pytest.mark.parametrize(
    "parameters",
    [
        {"categorical_features": ["id", "size"]},
        {"ordinal_features": {"id": [f"id {index}" for index in range(100)]}},
    ],
)
def test_columns_that_are_named_are_not_warned_of(parameters):
    assert not warnings_of(frame_with(100), **parameters)


def test_numbers_that_hardly_repeat_are_not_warned_of():
    frame = frame_with(3)
    frame["id"] = np.arange(N_ROWS)
    assert not warnings_of(frame)
