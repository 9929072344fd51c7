"""Columns that are named in `categorical_features` and `ordinal_features`."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import quick

from vaesampler._table.named_features import resolve_categorical, resolve_ordinal

TEXT = ["a", "b", "c"]
FIRST_AND_LAST = [True, False, True]

NAMED = {
    "list": ["a", "c"],
    "tuple": ("a", "c"),
    "set": {"a", "c"},
    "frozenset": frozenset({"c", "a"}),
    "keys of a dict": {"a": 1, "c": 2}.keys(),
    "values of a dict": {1: "a", 2: "c"}.values(),
    "repeated": ["a", "c", "a"],
    "array of text": np.array(["a", "c"]),
    "array of objects": np.array(["a", "c"], dtype=object),
    "text of numpy": [np.str_("a"), np.str_("c")],
    "pandas index": pd.Index(["a", "c"]),
    "pandas series": pd.Series(["a", "c"], index=[7, 9]),
    "pandas categorical": pd.Categorical(["a", "c"]),
    "polars series": pl.Series(["a", "c"]),
    "pyarrow array": pa.array(["a", "c"]),
    "pyarrow chunked array": pa.chunked_array([["a"], ["c"]]),
    "indices": [0, 2],
    "negative indices": [-3, -1],
    "range": range(0, 3, 2),
    "array of indices": np.array([0, 2], dtype=np.uint8),
    "integers of numpy": [np.int64(0), np.int64(2)],
    "set of indices": {0, 2},
    "pyarrow indices": pa.array([0, 2]),
    "mask": [True, False, True],
    "mask as a tuple": (True, False, True),
    "mask of numpy": np.array([True, False, True]),
    "mask of objects": np.array([True, False, True], dtype=object),
    "truth values of numpy": [np.True_, np.False_, np.True_],
    "mask of pandas": pd.Series([True, False, True]),
    "nullable mask of pandas": pd.Series([True, False, True], dtype="boolean"),
    "mask by name": pd.Series([True, False, True], index=["a", "b", "c"]),
    "mask by name, in another order": pd.Series([False, True, True], index=["b", "c", "a"]),
    "mask of polars": pl.Series([True, False, True]),
    "mask of pyarrow": pa.array([True, False, True]),
}


@pytest.mark.parametrize("case", NAMED)
def test_columns_may_be_named_in_any_collection(case):
    assert resolve_categorical(NAMED[case], TEXT) == FIRST_AND_LAST


@pytest.mark.parametrize("case", NAMED)
def test_a_sampler_takes_any_collection(case):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)).round(), columns=TEXT)
    sampler = quick(categorical_features=NAMED[case], max_iter=2, pretrain_iter=2)
    sampler.fit(X, np.arange(40) % 4 == 0)
    is_categorical = [column.kind == "categorical" for column in sampler.schema_.columns]
    assert is_categorical == FIRST_AND_LAST


@pytest.mark.parametrize("nothing", [[], (), set(), np.array([]), pd.Index([])], ids=type)
def test_no_column_may_be_named(nothing):
    assert resolve_categorical(nothing, TEXT) == [False] * 3


REFUSED = {
    "names and indices": ([1, "a"], ["both names and indices", "1, 'a'"]),
    "indices and names": (np.array(["a", 1], dtype=object), ["both names and indices"]),
    "names and indices in a set": ({1, "a"}, ["both names and indices"]),
    "truth values and indices": ([True, 1], ["truth values", "True, 1"]),
    "truth values and names": ([True, "a", "b"], ["truth values"]),
    "a mask with a missing value": (
        pd.Series([True, None, True], dtype="boolean"),
        ["truth values"],
    ),
    "a set of truth values": ({True, False}, ["mask", "order", "list"]),
    "a mask that is too long": ([True] * 4, ["4 values", "3 columns"]),
    "a word": ("a", ["categorical_features", "'a'"]),
    "a mapping": ({"a": True}, ["categorical_features", "{'a': True}"]),
    "a number": (np.array(1), ["categorical_features"]),
    "two dimensions": (np.array([["a", "b"]]), ["2 dimensions"]),
    "lists in a list": ([["a"], ["b"]], ["2 dimensions"]),
    "an unknown name": (["z"], ["'z'", "'a', 'b', 'c'"]),
    "an unknown tuple": ([("a", 1)], ["('a', 1)", "'a', 'b', 'c'"]),
    "an index too large": ([3], ["3", "from -3 to 2"]),
    "a fraction": ([0.5], ["0.5", "index"]),
    "a whole float": (np.array([0.0, 2.0]), ["0.0", "index"]),
    "a missing name": ([None], ["None", "index"]),
    "a missing name of pandas": ([pd.NA], ["<NA>", "index"]),
    "a set in a list": ([{"a"}], ["{'a'}", "index"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_names_no_column_is_refused_with_a_reason(case):
    named, words = REFUSED[case]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        resolve_categorical(named, TEXT)
    for word in words:
        assert word in str(caught.value)


def categorical(named, keys):
    return np.flatnonzero(resolve_categorical(named, keys)).tolist()


def ordinal(named, keys):
    return list(resolve_ordinal(dict.fromkeys(named), keys))


resolves = pytest.mark.parametrize("resolve", [categorical, ordinal])


@resolves
@pytest.mark.parametrize(
    ("named", "keys", "expected"),
    [
        (["10"], [10, 20], [0]),
        ([0], [10, 20], [0]),
        ([-1], [10, 20], [1]),
        ([1], [0, 1, 2], [1]),
        (["1"], [1, 2], [0]),
        (["2"], [1, 2], [1]),
        (["1"], [1, "1"], [1]),
        ([("a", 1)], [("a", 1), ("a", 2)], [0]),
        ([("a", np.int64(2))], [("a", 1), ("a", 2)], [1]),
        (["('a', 2)"], [("a", 1), ("a", 2)], [1]),
        ([pd.Timestamp("2026-01-02")], list(pd.date_range("2026-01-01", periods=2)), [1]),
        ([0.5], [0.5, 1.5], [0]),
        ([np.int64(1)], ["a", "b"], [1]),
        ([np.str_("b")], ["a", "b"], [1]),
        ([1], [False, True], [1]),
        ([0], [True, False], [0]),
    ],
)
def test_text_is_a_name_and_an_integer_is_an_index(resolve, named, keys, expected):
    assert resolve(named, keys) == expected


@resolves
@pytest.mark.parametrize(
    ("named", "keys", "words"),
    [
        ([10], [10, 20], ["integers are indices", "-2 to 1", "'10'"]),
        ([1], [1, 2], ["index of the column named 2", "at index 0", "'2' or '1'"]),
        ([np.int64(1)], np.array([1, 2]).tolist(), ["as text"]),
        ([-1], [-1, 5, 6], ["index of the column named 6", "'6' or '-1'"]),
        ([1], [1.0, 2.0], ["'2.0' or '1.0'"]),
        ([True], [1, 2, 3], ["mask"]),
        (["a", 1], ["a", "b"], ["both names and indices"]),
        (["z"], [1, 2], ["'z'", "1, 2"]),
    ],
)
def test_an_integer_that_may_mean_two_columns_is_refused(resolve, named, keys, words):
    if resolve is ordinal and named[0] is True:  # where there are no masks
        words = ["truth values", "True"]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        resolve(named, keys)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ({0: None, -3: None}, ["'a'", "twice"]),
        ({"a": {1, 2}}, ["sequence"]),
        ({"a": {1: 2}}, ["sequence"]),
        ({"a": 5}, ["sequence"]),
        ({"a": "low"}, ["sequence"]),
        ({"a": [1, 1]}, ["different"]),
    ],
)
def test_an_order_that_is_none_is_refused(orders, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        resolve_ordinal(orders, TEXT)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "levels",
    [[1, 2], (1, 2), np.array([1, 2]), pd.Index([1, 2]), pd.Series([1, 2])],
)
def test_levels_may_be_given_in_any_sequence(levels):
    assert list(resolve_ordinal({"a": levels}, TEXT)) == [0]


@pytest.mark.parametrize("make", [pd.DataFrame, lambda columns: pd.DataFrame(columns).T.T])
def test_columns_of_a_multi_index_are_named_by_their_tuples(make):
    x = np.random.default_rng(0).normal(size=40).round()
    X = make({("a", 1): x, ("a", 2): x, ("b", 1): x})
    sampler = quick(categorical_features=[("a", 1)], ordinal_features={("b", 1): None})
    X_resampled, _ = sampler.fit_resample(X, np.arange(40) % 4 == 0)
    kinds = [column.kind for column in sampler.schema_.columns]
    assert kinds == ["categorical", "discrete", "ordinal"]
    assert X_resampled.columns.equals(X.columns)
