"""Labels of every type, in every container, name the classes and come back as they were."""

import ast
import datetime as dt
import enum
import re
import warnings
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import narwhals
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from conftest import make_table, quick
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets

from vaesampler._table.labels import find_class, labels_of, take_labels

X, CODES = make_table({0: 16, 1: 8, 2: 6}, n_features=2)
CODES = CODES.tolist()
UTC = dt.UTC


def times(unit):
    return np.array(["2024-01-01", "2025-01-01", "2026-01-01"], dtype=f"M8[{unit}]")


def array(values, dtype=None):
    return np.array(values, dtype=dtype)[CODES]


def objects(values):
    return np.fromiter(values, dtype=object)[CODES]


def listed(values):
    return [values[code] for code in CODES]


DATES = [dt.date(2024, 1, 1), dt.date(2025, 1, 1), dt.date(2026, 1, 1)]
MOMENTS = [dt.datetime(2024, 1, 1, 5), dt.datetime(2025, 1, 1), dt.datetime(2026, 1, 1)]
ZONED = [moment.replace(tzinfo=UTC) for moment in MOMENTS]
DELTAS = [dt.timedelta(days=1), dt.timedelta(days=2), dt.timedelta(seconds=200_000)]
DECIMALS = [Decimal("1.10"), Decimal("2.50"), Decimal("9.99")]
TEXT = ["a", "b", "c"]
PERIODS = pd.period_range("2024-01", periods=3, freq="M")
INTERVALS = pd.interval_range(0, 3)
CUTS = pd.cut(pd.Series([1.0, 2, 3]), [0, 1, 2, 3])
FLAGS = np.eye(3, dtype=int)[CODES]

# By name: the labels, and the classes that they name.
ONE_A_ROW = {
    **{
        f"array of {dtype}": (array([0, 1, 2], dtype), [0, 1, 2])
        for dtype in ("i1", "i8", "u8", "f2", "f4", "f8", "g", object)
    },
    **{
        f"array of text, {dtype}": (array(TEXT, dtype), TEXT)
        for dtype in ("U3", np.dtypes.StringDType(), object)
    },
    "array of bytes": (array([b"a", b"b", b"c"]), [b"a", b"b", b"c"]),
    "array of bools": (np.array(CODES) > 0, [False, True]),
    "array of bool objects": ((np.array(CODES) > 0).astype(object), [False, True]),
    "array of float objects": (objects([0.0, 1.0, 2.0]), [0.0, 1.0, 2.0]),
    "array of NumPy objects": (objects([np.int8(0), np.float32(1), np.int64(2)]), [0, 1, 2]),
    "array of NumPy bools": (objects([np.False_, np.True_, np.True_]), [False, True]),
    "array of NumPy text": (objects([np.str_("a"), np.str_("b"), np.str_("c")]), TEXT),
    **{f"array of times, {unit}": (array(times(unit)), DATES) for unit in "YMD"},
    **{
        f"array of times, {unit}": (
            array(np.array(MOMENTS, dtype=f"M8[{unit}]")),
            MOMENTS,
        )
        for unit in ("h", "m", "s", "ms", "us", "ns")
    },
    "array of nanoseconds": (
        array(np.array([1, 2, 3], "M8[ns]")),
        list(np.array([1, 2, 3], "M8[ns]")),
    ),
    **{
        f"array of durations, {unit}": (array(np.array(DELTAS, f"m8[{unit}]")), DELTAS)
        for unit in ("s", "ms", "us", "ns")
    },
    "array of dates": (objects(DATES), DATES),
    "array of decimals": (objects(DECIMALS), DECIMALS),
    "array of fractions": (
        objects([Fraction(1, 3), Fraction(1, 2), Fraction(2, 3)]),
        [Fraction(1, 3), Fraction(1, 2), Fraction(2, 3)],
    ),
    "array of tuples": (
        objects([("a", 1), ("a", 2), ("b", 1)]),
        [("a", 1), ("a", 2), ("b", 1)],
    ),
    "array of one column": (array([0, 1, 2])[:, None], [0, 1, 2]),
    "masked array": (np.ma.array(array([0, 1, 2])), [0, 1, 2]),
    "masked array of text": (np.ma.array(array(TEXT), mask=False), TEXT),
    "list": (listed([0, 1, 2]), [0, 1, 2]),
    "list of text": (listed(TEXT), TEXT),
    "list of bools": (listed([False, True, True]), [False, True]),
    "list of ints and floats": (listed([0, 1.0, 2]), [0.0, 1.0, 2.0]),
    "list of dates": (listed(DATES), DATES),
    "list of times": (listed(MOMENTS), MOMENTS),
    "list of times of NumPy": (listed(list(times("ns"))), [*map(pd.Timestamp, times("ns"))]),
    "list of large integers": (
        listed([2**70, 2**70 + 1, 2**70 + 2]),
        [2**70 + i for i in range(3)],
    ),
    "list of tensors": (list(torch.tensor(CODES)), [0, 1, 2]),
    "list of one column": ([[code] for code in CODES], [0, 1, 2]),
    "tuple": (tuple(listed(TEXT)), TEXT),
    "tensor": (torch.tensor(CODES), [0, 1, 2]),
    "tensor of bools": (torch.tensor(CODES) > 0, [False, True]),
    "tensor of bfloat16": (torch.tensor(CODES, dtype=torch.bfloat16), [0.0, 1.0, 2.0]),
    "tensor with a gradient": (torch.tensor(CODES, dtype=float, requires_grad=True), [0, 1, 2]),
    "tensor of one column": (torch.tensor(CODES)[:, None], [0, 1, 2]),
    "sparse matrix of one column": (sparse.csr_matrix(np.array(CODES)[:, None]), [0, 1, 2]),
    **{
        f"pandas {dtype}": (pd.Series(CODES, dtype=dtype), [0, 1, 2])
        for dtype in (
            *("int8", "Int64", "UInt8", "float64", "Float64", "category", "object"),
            *("int64[pyarrow]", "double[pyarrow]", "Sparse[int]"),
        )
    },
    **{
        f"pandas {dtype}": (pd.Series(listed(TEXT), dtype=dtype), TEXT)
        for dtype in ("str", "string", "category", "object", "string[pyarrow]")
    },
    **{
        f"pandas {dtype}": (pd.Series(np.array(CODES) > 0, dtype=dtype), [False, True])
        for dtype in ("bool", "boolean", "object", "bool[pyarrow]", "category")
    },
    **{
        f"pandas {dtype}": (pd.Series(listed(MOMENTS)).astype(dtype), MOMENTS)
        for dtype in (
            "M8[s]",
            "M8[us]",
            "M8[ns]",
            "object",
            "category",
            "timestamp[s][pyarrow]",
        )
    },
    "pandas, zone": (pd.Series(listed(ZONED)), ZONED),
    "pandas dates of arrow": (
        pd.Series(listed(DATES), dtype=pd.ArrowDtype(pa.date32())),
        DATES,
    ),
    "pandas dates": (pd.Series(listed(DATES), dtype=object), DATES),
    "pandas durations": (pd.Series(listed(DELTAS)), DELTAS),
    "pandas decimals": (pd.Series(listed(DECIMALS), dtype=object), DECIMALS),
    "pandas periods": (pd.Series(PERIODS[CODES]), list(PERIODS)),
    "pandas intervals": (pd.Series(INTERVALS[CODES]), list(INTERVALS)),
    "pandas cut": (CUTS[CODES], list(CUTS)),
    "pandas index": (
        pd.Series(CODES, name="bought", index=range(7, 37)),
        [0, 1, 2],
    ),
    "pandas Index": (pd.Index(listed(TEXT), name="bought"), TEXT),
    "pandas RangeIndex": (pd.RangeIndex(30) // 16, [0, 1]),
    "pandas DatetimeIndex": (pd.DatetimeIndex(listed(MOMENTS)), MOMENTS),
    "pandas CategoricalIndex": (pd.CategoricalIndex(listed(TEXT)), TEXT),
    "pandas MultiIndex": (
        pd.MultiIndex.from_tuples(listed([("a", 1), ("a", 2), ("b", 1)])),
        [("a", 1), ("a", 2), ("b", 1)],
    ),
    "Categorical": (pd.Categorical(listed(TEXT), categories=["d", "c", "b", "a"]), TEXT),
    "ordered Categorical": (pd.Categorical(listed(TEXT), ordered=True), TEXT),
    "BooleanArray": (pd.array(np.array(CODES) > 0, dtype="boolean"), [False, True]),
    "IntegerArray": (pd.array(CODES, dtype="Int8"), [0, 1, 2]),
    "PeriodArray": (PERIODS.array[CODES], list(PERIODS)),
    "IntervalArray": (INTERVALS.array[CODES], list(INTERVALS)),
    "ArrowExtensionArray": (pd.array(listed(TEXT), dtype="string[pyarrow]"), TEXT),
    "DatetimeArray": (pd.array(listed(MOMENTS)), MOMENTS),
    "pandas frame": (pd.DataFrame({"bought": CODES}), [0, 1, 2]),
    "pandas frame of dates": (pd.DataFrame({"bought": listed(MOMENTS)}), MOMENTS),
    "polars frame": (pl.DataFrame({"bought": listed(TEXT)}), TEXT),
    "pyarrow table": (pa.table({"bought": listed(TEXT)}), TEXT),
    **{
        f"polars {dtype}": (pl.Series("bought", CODES, dtype=dtype), [0, 1, 2])
        for dtype in (pl.Int8, pl.UInt64, pl.Int128, pl.Float32, pl.Float64)
    },
    **{
        f"polars {dtype}": (pl.Series("bought", listed(TEXT), dtype=dtype), TEXT)
        for dtype in (pl.String, pl.Categorical, pl.Enum(["c", "b", "a"]))
    },
    "polars Boolean": (pl.Series(CODES) > 0, [False, True]),
    "polars Binary": (pl.Series(listed([b"a", b"b", b"c"])), [b"a", b"b", b"c"]),
    "polars Date": (pl.Series(listed(DATES)), DATES),
    **{
        f"polars Datetime {unit}": (
            pl.Series(listed(MOMENTS), dtype=pl.Datetime(unit)),
            MOMENTS,
        )
        for unit in ("ms", "us", "ns")
    },
    "polars Datetime, zone": (pl.Series(listed(ZONED), dtype=pl.Datetime("us", "UTC")), ZONED),
    "polars Duration": (pl.Series(listed(DELTAS)), DELTAS),
    "polars Time": (
        pl.Series(listed([dt.time(1), dt.time(2), dt.time(3)])),
        [dt.time(1), dt.time(2), dt.time(3)],
    ),
    "polars Decimal": (pl.Series(listed(DECIMALS)), DECIMALS),
    "polars Object": (pl.Series(listed(DECIMALS), dtype=pl.Object), DECIMALS),
    **{
        f"pyarrow {dtype}": (pa.array(listed(TEXT), dtype), TEXT)
        for dtype in (pa.string(), pa.large_string(), pa.string_view())
    },
    "pyarrow dictionary": (pa.array(listed(TEXT)).dictionary_encode(), TEXT),
    "pyarrow run-end encoded": (pc.run_end_encode(pa.array(listed(TEXT))), TEXT),
    **{
        f"pyarrow {dtype}": (pa.array(np.array(CODES, dtype.to_pandas_dtype())), [0, 1, 2])
        for dtype in (pa.int8(), pa.uint64(), pa.float16(), pa.float64())
    },
    "pyarrow bool": (pa.array([code > 0 for code in CODES]), [False, True]),
    "pyarrow binary": (pa.array(listed([b"a", b"b", b"c"])), [b"a", b"b", b"c"]),
    "pyarrow date32": (pa.array(listed(DATES)), DATES),
    "pyarrow date64": (pa.array(listed(DATES), pa.date64()), DATES),
    "pyarrow timestamp": (pa.array(listed(MOMENTS), pa.timestamp("ns")), MOMENTS),
    "pyarrow timestamp, zone": (pa.array(listed(ZONED), pa.timestamp("us", "UTC")), ZONED),
    "pyarrow duration": (pa.array(listed(DELTAS)), DELTAS),
    "pyarrow decimal": (pa.array(listed(DECIMALS)), DECIMALS),
    "pyarrow chunked": (pa.chunked_array([CODES[:7], CODES[7:]]), [0, 1, 2]),
    "pyarrow chunked dictionary": (
        pa.chunked_array([pa.array(listed(TEXT)[:7]), listed(TEXT)[7:]]).dictionary_encode(),
        TEXT,
    ),
    "pyarrow chunked view": (
        pa.chunked_array([pa.array(listed(TEXT), pa.string_view())]),
        TEXT,
    ),
    "narwhals series": (narwhals.from_native(pl.Series(CODES), series_only=True), [0, 1, 2]),
    "narwhals of pandas": (narwhals.from_native(pd.Series(CODES), series_only=True), [0, 1, 2]),
}
ONE_HOT = {
    "array": FLAGS,
    "array of floats": FLAGS.astype(float),
    "array of bools": FLAGS.astype(bool),
    "array of objects": FLAGS.astype(object),
    "array of -1 and 1": 2 * FLAGS - 1,
    "Fortran order": np.asfortranarray(FLAGS),
    "masked array": np.ma.array(FLAGS),
    "list of lists": FLAGS.tolist(),
    "list of tuples": list(map(tuple, FLAGS.tolist())),
    "list of arrays": list(FLAGS),
    "tuple of lists": tuple(FLAGS.tolist()),
    "tensor": torch.tensor(FLAGS),
    "pandas": pd.DataFrame(FLAGS, columns=TEXT),
    "pandas, bool": pd.get_dummies(pd.Series(CODES)),
    "pandas, nullable": pd.DataFrame(FLAGS, columns=TEXT).astype("Int8"),
    "pandas, sparse": pd.get_dummies(pd.Series(CODES), sparse=True),
    "pandas, two dtypes": pd.DataFrame(FLAGS, columns=TEXT).astype({"a": float, "b": bool}),
    "polars": pl.DataFrame(FLAGS, schema=TEXT),
    "pyarrow": pa.table(dict(zip(TEXT, FLAGS.T, strict=True))),
    **{
        f"{kind} {form}": make(FLAGS).asformat(form)
        for form in ("csr", "csc", "coo", "lil", "dok", "bsr")
        for kind, make in (("matrix", sparse.csr_matrix), ("array", sparse.csr_array))
    },
    "csr array with stored zeros": sparse.csr_array(
        (FLAGS.ravel(), np.tile([0, 1, 2], 30), np.arange(0, 91, 3)), shape=(30, 3)
    ),
}


TARGETS = {
    **{kind: y for kind, (y, _) in ONE_A_ROW.items()},
    **{f"one-hot {kind}": y for kind, y in ONE_HOT.items()},
}


def cells(y):
    """Return labels, or rows of labels, as a list."""
    if sparse.issparse(y):
        return y.toarray().tolist()
    if isinstance(y, pd.DataFrame | pl.DataFrame | pa.Table):
        return [list(row) for row in narwhals.from_native(y).iter_rows()]
    if isinstance(y, pa.Array | pa.ChunkedArray):
        return y.to_pylist()
    if isinstance(y, torch.Tensor):
        return y.tolist()
    return [one.tolist() if isinstance(one, np.ndarray) else one for one in y]


def properties(y):
    """Return what of a container of labels does not depend on the number of labels."""
    names = ("dtype", "type", "name", "names", "dtypes", "schema", "format", "device", "attrs")
    found = {name: getattr(y, name, None) for name in names}
    values = {name: str(value) for name, value in found.items() if not callable(value)}
    return {"container": type(y), **values}


@pytest.mark.parametrize("kind", ONE_A_ROW)
def test_labels_of_every_type_name_the_classes(kind):
    y, classes = ONE_A_ROW[kind]
    labels = labels_of(y)
    assert labels.classes == classes
    assert not any(isinstance(one, np.bool_ | np.number | np.str_) for one in labels.classes)
    if len(classes) == 3:
        assert labels.codes.tolist() == CODES


@pytest.mark.parametrize("kind", ONE_HOT)
def test_one_hot_labels_name_the_column_of_each_row(kind):
    labels = labels_of(ONE_HOT[kind])
    assert labels.classes == [0, 1, 2]
    assert labels.codes.tolist() == CODES


@pytest.mark.parametrize("kind", TARGETS)
def test_labels_come_back_in_their_container_with_new_ones_below(kind):
    y = TARGETS[kind]
    rows = np.array([*range(len(CODES)), 3, 3, 5])
    taken = take_labels(y, rows)
    expected, found = properties(y), properties(taken)
    if "RangeIndex" in kind:
        expected["container"] = pd.Index
    assert found == expected
    values = cells(y)
    if kind in ("array of one column", "tensor of one column"):
        values = [value for (value,) in values]
    assert cells(taken) == [values[row] for row in rows]


@pytest.mark.parametrize("kind", ONE_A_ROW)
def test_the_labels_of_a_user_name_classes_in_every_call(kind):
    y, classes = ONE_A_ROW[kind]
    rarest = classes[-1]
    sampler = quick(sampling_strategy={rarest: 40}, max_iter=2, pretrain_iter=2)
    X_new, y_new = sampler.fit_resample(X, y)
    n_before = labels_of(y).counts[-1]
    assert len(X_new) == len(X) + 40 - n_before
    assert labels_of(y_new).counts[-1] == 40
    assert list(sampler.vaes_) == list(sampler.sampling_strategy_) == [rarest]
    assert sampler.vaes_[rarest] is not None
    assert len(sampler.sample(rarest, 2)) == 2
    assert sampler.encode(rarest, X).shape == (len(X), 4)


@pytest.mark.parametrize("kind", ["list", "pandas M8[ns]", "polars Date", "pandas periods"])
def test_a_callable_takes_the_label_of_each_row(kind):
    y, classes = ONE_A_ROW[kind]
    sampler = quick(
        sampling_strategy=lambda labels: dict.fromkeys(np.unique(labels), 20), max_iter=2
    )
    _, y_new = sampler.fit_resample(X, y)
    assert labels_of(y_new).counts.tolist() == [20, 20, 20]
    assert list(sampler.vaes_) == classes


@pytest.mark.parametrize("kind", ONE_HOT)
def test_every_one_hot_container_gives_the_same_rows(kind):
    expected = quick(max_iter=3).fit_resample(X, np.array(CODES))
    found = quick(max_iter=3).fit_resample(X, ONE_HOT[kind])
    assert_array_equal(found[0], expected[0])
    assert labels_of(found[1]).codes.tolist() == expected[1].tolist()


FIRST = dt.datetime(2024, 1, 1)
SAME_TIME = [
    FIRST,
    FIRST.date(),
    pd.Timestamp(FIRST),
    *(np.datetime64("2024-01-01", unit) for unit in ("D", "h", "s", "us", "ns")),
]


@pytest.mark.parametrize("one", SAME_TIME, ids=repr)
@pytest.mark.parametrize("other", SAME_TIME, ids=repr)
def test_a_time_is_found_by_every_object_that_means_it(one, other):
    labels = labels_of([one, one])
    assert labels.code_of(other) == 0
    assert labels.is_class(other).all()
    assert find_class(other, [FIRST + dt.timedelta(1)]) is None


@pytest.mark.parametrize("nanosecond", [1, 999])
def test_times_of_nanoseconds_are_told_apart(nanosecond):
    times = pd.Series([pd.Timestamp(0), pd.Timestamp(nanosecond)] * 3)
    for y in (times, times.to_numpy(), times.tolist(), pa.array(times)):
        labels = labels_of(y)
        assert labels.codes.tolist() == [0, 1] * 3
        assert labels.is_class(times[1]).sum() == 3
        assert labels.is_class(times.to_numpy()[1]).sum() == 3


MISSING = [None, np.nan, float("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("nan")]
TEXT_WITH_HOLES = [*listed(TEXT)[:-2], None, None]
WITH_MISSING = {
    **{f"list, {one!r}": [*listed(TEXT)[:-2], one, one] for one in MISSING},
    **{f"objects, {one!r}": np.array([*CODES[:-2], one, one], dtype=object) for one in MISSING},
    "floats": np.array([*CODES[:-2], np.nan, np.nan]),
    "times": np.array([*CODES[:-2], "NaT", "NaT"], dtype="M8[s]"),
    "durations": np.array([*CODES[:-2], "NaT", "NaT"], dtype="m8[s]"),
    "text": np.array(TEXT_WITH_HOLES, dtype=np.dtypes.StringDType(na_object=None)),
    "masked": np.ma.array(CODES, mask=np.arange(30) > 27),
    "masked floats": np.ma.array(CODES, mask=np.arange(30) > 27, dtype=float),
    "masked text": np.ma.array(listed(TEXT), mask=np.arange(30) > 27),
    "masked scalars": [*CODES[:-2], np.ma.masked, np.ma.masked],
    "one column": np.array(TEXT_WITH_HOLES, dtype=object)[:, None],
    "tensor": torch.tensor([*CODES[:-2], torch.nan, torch.nan]),
    "pandas": pd.Series(TEXT_WITH_HOLES),
    "Categorical": pd.Categorical(TEXT_WITH_HOLES),
    "Int64": pd.array([*CODES[:-2], None, None], dtype="Int64"),
    "PeriodIndex": pd.PeriodIndex([*PERIODS[CODES[:-2]], pd.NaT, pd.NaT]),
    "frame": pd.DataFrame({"y": TEXT_WITH_HOLES}),
    "polars": pl.Series(TEXT_WITH_HOLES),
    "polars, NaN": pl.Series([*map(float, CODES[:-2]), np.nan, None]),
    "polars, Date": pl.Series([*listed(DATES)[:-2], None, None]),
    "pyarrow": pa.array(TEXT_WITH_HOLES),
    "pyarrow, chunked": pa.chunked_array([TEXT_WITH_HOLES]),
    "one-hot": np.where(np.arange(30)[:, None] > 27, np.nan, FLAGS),
    "one-hot, frame": pd.DataFrame(np.where(np.arange(30)[:, None] > 27, None, FLAGS)),
    "one-hot, masked": np.ma.array(FLAGS, mask=np.repeat(np.arange(30) > 27, 3).reshape(30, 3)),
}


@pytest.mark.parametrize("kind", WITH_MISSING)
def test_missing_labels_are_counted(kind):
    message = "y must name the class of every row; found 2 missing labels. Drop their rows"
    with pytest.raises(ValueError, match=message):
        quick().fit_resample(X, WITH_MISSING[kind])


def test_one_missing_label_is_one():
    with pytest.raises(ValueError, match=r"found 1 missing label\. Drop"):
        labels_of(["a", "b", None])


class Color(enum.Enum):
    RED = 1
    BLUE = 2


WRONG = {
    "numbers and text": (["b", 0, 1], ["one type", "int, str"]),
    "numbers and text as objects": (np.array([0, "a"], dtype=object), ["one type", "int, str"]),
    "numbers and text in pandas": (pd.Series(["b", 0.0]), ["one type", "float, str"]),
    "numbers and text in categories": (pd.Categorical(["b", 0]), ["one type", "int, str"]),
    "bools and text": ((True, "a"), ["one type", "bool, str"]),
    "text and bytes": (["a", b"a"], ["one type", "bytes, str"]),
    "times and text": ([FIRST, "a"], ["one type", "datetime, str"]),
    "objects without an order": ([Color.RED, Color.BLUE], ["sorted", "Color"]),
    "complex numbers": (np.array([1j, 2j]), ["sorted", "complex"]),
    "dicts": (pl.Series([{"a": 1}, {"a": 2}]), ["hashable", "dict"]),
    "lists of arrow": (pa.array([[1], [2, 3]]), ["hashable", "list"]),
    "records": (np.array([(1, 2)] * 3, dtype="i4,i4"), ["records", "fields"]),
    "rows of different lengths": ([[1], [1, 2]], ["different lengths", "one label per row"]),
    "continuous": (np.linspace(0, 1, 30), ["Unknown label type: continuous"]),
    "continuous in a list": ([0.5, 1, 2], ["Unknown label type: continuous"]),
    "continuous as objects": (objects([0.5, 1.5, 2]), ["Unknown label type: continuous"]),
    "continuous in polars": (pl.Series([0.5, 1.5, 2]), ["Unknown label type: continuous"]),
    "continuous of two columns": (np.c_[X], ["Unknown label type: continuous-multioutput"]),
    "infinity": (np.array([1, 0, np.inf]), ["infinity"]),
    "three dimensions": (np.zeros((2, 2, 2)), ["Unknown label type"]),
    "None": (None, ["None"]),
    "two columns of numbers": (np.arange(60).reshape(30, 2) % 3, ["1d array"]),
    "two columns of one name": (
        pd.DataFrame(FLAGS, columns=["a", "b", "a"]),
        ["columns of y", "different names", "['a']"],
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_labels_that_are_none_are_refused_with_what_was_found(kind):
    y, words = WRONG[kind]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        quick().fit_resample(X, y)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("kind", ONE_HOT)
def test_rows_of_no_class_and_of_several_are_counted(kind):
    flags = FLAGS.copy()
    flags[:5] = 0
    flags[7:9] = 1
    make = {
        "pandas": pd.DataFrame,
        "polars": lambda rows: pl.DataFrame(rows, schema=TEXT),
        "pyarrow": lambda rows: pa.table(dict(zip(TEXT, rows.T, strict=True))),
        "tensor": torch.tensor,
        "list of lists": lambda rows: rows.tolist(),
        **{f"matrix {form}": getattr(sparse, f"{form}_matrix") for form in ("csr", "csc")},
    }.get(kind, np.array)
    with pytest.raises(
        ValueError, match=r"5 rows of no class and 2 rows of several.*Multilabel"
    ):
        quick().fit_resample(X, make(flags))


@pytest.mark.parametrize("flags", [np.zeros((30, 3)), np.ones((30, 3)), -np.ones((30, 3))])
def test_flags_of_one_value_are_refused(flags):
    with pytest.raises(ValueError, match=r"exactly one class; found (0|30) rows? of no class"):
        labels_of(flags)


def test_many_classes_warn_as_in_scikit_learn():  # 1.6 does not
    messages = []
    for read in (check_classification_targets, labels_of):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            read(list(range(30)))
        messages.append({str(warning.message) for warning in caught})
    assert messages[0] == messages[1]


def test_the_names_attrs_and_flags_of_pandas_are_kept():
    y = pd.Series(CODES, name="bought", index=range(7, 37))
    y.attrs["source"] = "survey"
    for labels in (y, y.to_frame()):
        labels = labels.set_flags(allows_duplicate_labels=False)
        taken = quick(max_iter=2).fit_resample(X, labels)[1]
        assert taken.attrs == {"source": "survey"}
        assert not taken.flags.allows_duplicate_labels
        assert taken.index.equals(pd.RangeIndex(48))


# `sampling_strategy`


@pytest.mark.parametrize("returned", [None, 0.5, "auto", [1, 2], {1}])
def test_a_callable_that_returns_no_dict_is_refused(returned):
    with pytest.raises(ValueError, match="must return a dict of label to count; found"):
        quick(sampling_strategy=lambda y: returned).fit_resample(X, CODES)


@pytest.mark.parametrize(
    ("n_rows", "ratio"), [((30, 30), 1.0), ((40, 20), 0.5), ((41, 20), 0.5)]
)
def test_a_ratio_that_the_table_has_adds_nothing(n_rows, ratio):
    rows, y = make_table(dict(enumerate(n_rows)))
    sampler = quick(sampling_strategy=ratio)
    rows_new, y_new = sampler.fit_resample(rows, y)
    assert_array_equal(rows_new, rows)
    assert_array_equal(y_new, y)
    assert sampler.sampling_strategy_ == {1: 0}
    assert sampler.vaes_ == {}


@pytest.mark.parametrize("label", [[0], {0}, {0: 1}], ids=str)
def test_a_label_that_cannot_be_hashed_is_no_class(label):
    assert labels_of(CODES).code_of(label) is None
    sampler = quick(max_iter=2).fit(X, CODES)
    with pytest.raises(ValueError, match=re.escape(f"needed for class {label}")):
        sampler.sample(label, 3)


def test_classes_that_are_not_there_are_all_named():
    with pytest.raises(ValueError, match=r"not present in y: \[7, 8\].*\[0, 1, 2\]"):
        quick(sampling_strategy={7: 40, 8: 50, 1: 60}).fit_resample(X, CODES)


def test_classes_that_are_to_lose_rows_are_all_named():
    with pytest.raises(ValueError, match=r"class 0 has 16 and 3 .*class 1 has 8 and 2 "):
        quick(sampling_strategy={0: 3, 1: 2, 2: 60}).fit_resample(X, CODES)


def test_classes_of_one_row_are_all_named_with_the_strategy_that_leaves_them_out():
    y = [7, 8, 9, *CODES[3:]]
    with pytest.raises(ValueError, match=r"Classes 7, 8, 9 have 1 row each") as caught:
        quick().fit_resample(X, y)
    strategy = re.search(r"`sampling_strategy=(.*)`", str(caught.value))[1]
    _, y_new = quick(sampling_strategy=ast.literal_eval(strategy)).fit_resample(X, y)
    counts = Counter(y_new)
    assert {counts[label] for label in (0, 1, 2)} == {counts[0]}
    assert {counts[label] for label in (7, 8, 9)} == {1}


@pytest.mark.parametrize(
    "label",
    [np.array([1]), [1], {1: 2}, slice(1), torch.tensor([1]), None, np.nan, "1"],
    ids=repr,
)
@pytest.mark.parametrize("method", ["sample", "encode", "to_matrix"])
def test_what_is_no_label_is_refused_with_those_that_were_fitted(label, method):
    sampler = quick(max_iter=2).fit(X, CODES)
    with pytest.raises(ValueError, match=r"the fitted ones are \[1, 2\]"):
        getattr(sampler, method)(label, 2 if method == "sample" else X)
