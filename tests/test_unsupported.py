"""Containers that cannot be read: refused with the conversion that their library has."""

import dataclasses
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from conftest import quick
from narwhals import from_native
from scipy import sparse

from vaesampler import metrics

N_ROWS = 40
X = np.random.default_rng(0).normal(size=(N_ROWS, 2))
Y = np.arange(N_ROWS) % 4 == 0
FRAME = pd.DataFrame(X, columns=["a", "b"])


@dataclasses.dataclass
class Point:
    a: float
    b: float


def object_of(module, class_name, **attributes):
    """Return an object of a library that need not be installed."""
    return type(class_name, (), {"__module__": module, **attributes})()


def masked(values):
    return np.ma.array(values, mask=np.arange(values.size).reshape(values.shape) == 3)


# What is passed, and what the message names.
OF_LIBRARIES = {
    "polars, lazy": (pl.LazyFrame({"a": [1.0]}), ["LazyFrame", "`X.collect()`"]),
    "narwhals, lazy": (from_native(pl.LazyFrame({"a": [1.0]})), ["`X.collect()`"]),
    "narwhals, series": (from_native(FRAME["a"], series_only=True), ["`X.to_frame()`"]),
    "pandas, series": (FRAME["a"], ["Series", "`X.to_frame()`"]),
    "pandas, index": (pd.Index(X[:, 0]), ["`X.to_frame(index=False)`"]),
    "pandas, array": (pd.array([1, 2]), ["pd.DataFrame"]),
    "polars, series": (pl.Series(X[:, 0]), ["`X.to_frame()`"]),
    "pyarrow, batch": (pa.RecordBatch.from_pandas(FRAME), ["pa.Table.from_batches([X])"]),
    "pyarrow, reader": (pa.Table.from_pandas(FRAME).to_reader(), ["`X.read_all()`"]),
    "pyarrow, array": (pa.array(X[:, 0]), ["pa.table("]),
    "pyarrow, chunks": (pa.chunked_array([X[:, 0]]), ["pa.table("]),
    "pyspark": (object_of("pyspark.sql.dataframe", "DataFrame"), ["`X.toPandas()`"]),
    "pyspark, pandas": (object_of("pyspark.pandas.frame", "DataFrame"), ["`X.to_pandas()`"]),
    "ibis": (object_of("ibis.expr.types.relations", "Table"), ["`X.to_pandas()`"]),
    "cupy": (object_of("cupy", "ndarray"), ["`X.get()`"]),
    "on a GPU": (object_of("mine", "Array", __cuda_array_interface__={}), ["GPU", "X.get()"]),
    "xarray, dataset": (object_of("xarray.core.dataset", "Dataset"), ["`X.to_dataframe()`"]),
    "xarray, array": (object_of("xarray.core.dataarray", "DataArray"), ["`X.to_numpy()`"]),
    "dask, fake": (object_of("dask.array.core", "Array", ndim=2), ["`X.compute()`"]),
    "duckdb, fake": (object_of("duckdb", "DuckDBPyRelation", columns=[]), ["`X.arrow()`"]),
    "unknown frame": (object_of("mine", "Frame", columns=["a"]), ["mine.Frame", "Convert"]),
    "tensor with gradients": (torch.ones(9, 2, requires_grad=True), ["`X.detach()`"]),
    "tensor on a device": (torch.ones(9, 2, device="meta"), ["meta", "`X.detach().cpu()`"]),
    "sparse tensor": (torch.eye(9).to_sparse(), ["`X.to_dense()`"]),
    "tensor of bfloat16": (torch.ones(9, 2).bfloat16(), ["`X.float()`"]),
    "rows with gradients": (list(torch.ones(9, 2, requires_grad=True)), ["`X[0].detach()`"]),
}
OF_SHAPES = {
    "dict of columns": ({"a": X[:, 0], "b": X[:, 1]}, ["data frame", "pd.DataFrame(X)"]),
    "dicts": (FRAME.to_dict("records"), ["dict", "data frame", "pd.DataFrame(X)"]),
    "dataclasses": ([Point(*row) for row in X], ["Point", "pd.DataFrame(X)"]),
    "recarray": (FRAME.to_records(index=False), ["['a', 'b']", "pd.DataFrame(X)"]),
    "list of records": (list(FRAME.to_records(index=False)), ["pd.DataFrame(np.array(X))"]),
    "structured": (np.zeros(9, dtype=[("a", float), ("k", "U1")]), ["data frame"]),
    "ragged lists": ([*X.tolist()[:-1], [1.0]], ["2 cells in row 0 and 1 in row 39"]),
    "ragged arrays": ([*X[:-1], X[-1][:1]], ["2 cells in row 0 and 1 in row 39"]),
    "a row that is a number": ([*X.tolist()[:-1], 1.0], ["Expected 2D", "Reshape"]),
    "list of numbers": (X[:, 0].tolist(), ["Expected 2D", "[[cell] for cell in X]"]),
    "tuple of numbers": (tuple(X[:, 0].tolist()), ["Expected 2D"]),
    "list of words": (["ab", "cd"], ["Expected 2D"]),
    "tensors of no dimension": (list(torch.ones(9)), ["Expected 2D"]),
    "lists in lists": ([[[1.0], [2.0]]] * 9, ["Expected 2D", "got 3D"]),
    "list of frames": ([FRAME, FRAME], ["Expected 2D", "got 3D"]),
    "empty list": ([], ["0 sample"]),
    "empty tuple": ((), ["0 sample"]),
    "empty rows": ([[], []], ["0 feature"]),
    "empty tensor": (torch.ones(0, 2), ["0 sample"]),
    "empty sparse": (sparse.coo_array((0, 2)), ["0 sample"]),
    "sparse without columns": (sparse.csr_array((9, 0)), ["0 feature"]),
    "empty polars": (pl.DataFrame(schema={"a": pl.Float64}), ["0 sample"]),
    "empty narwhals": (from_native(FRAME.iloc[:0]), ["0 sample"]),
    "pyarrow without columns": (pa.table({}), ["0 sample"]),
    "tensor of one dimension": (torch.ones(9), ["Expected 2D"]),
    "tensor of three dimensions": (torch.ones(9, 2, 2), ["dim 3"]),
    "array of three dimensions": (X[None], ["dim 3"]),
    "sparse of one dimension": (sparse.coo_array(X[:, 0]), ["2D"]),
    "a number": (1.0, ["Expected 2D"]),
    "nothing": (None, ["Expected 2D"]),
    "masked floats": (masked(X), ["found 1", "`X.filled(np.nan)`"]),
    "masked integers": (
        masked(X.astype(int)),
        ["masked", "`X.astype(float).filled(np.nan)`"],
    ),
    "masked text": (masked(X.astype("U4")), ["`X.astype(object).filled(None)`"]),
    "masked rows": (list(masked(X)), ["masked", "`X[1].filled(np.nan)`"]),
    "masked cells": ([[1.0, np.ma.masked], *X.tolist()], ["np.ma.masked", "None"]),
    "masked cells in tuples": ([(1.0, np.ma.masked), *X.tolist()], ["np.ma.masked"]),
}


def message_of(X, error, method="fit_resample"):
    sampler = quick()
    before = dict(vars(sampler))
    with pytest.raises(error) as caught:
        getattr(sampler, method)(X, [0, 1] * 20)
    assert vars(sampler) == before
    return str(caught.value)


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
@pytest.mark.parametrize("case", OF_LIBRARIES)
def test_a_container_that_cannot_be_read_is_refused_with_its_conversion(case, method):
    rows, words = OF_LIBRARIES[case]
    message = message_of(rows, TypeError, method)
    for word in words:
        assert word in message


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
@pytest.mark.parametrize("case", OF_SHAPES)
def test_a_table_of_another_shape_is_refused_with_what_to_do(case, method):
    rows, words = OF_SHAPES[case]
    message = message_of(rows, ValueError, method)
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("rows", "convert"),
    [
        (FRAME.to_dict("records"), pd.DataFrame),
        ([Point(*row) for row in X], pd.DataFrame),
        (FRAME.to_records(index=False), pd.DataFrame),
        (list(FRAME.to_records(index=False)), lambda rows: pd.DataFrame(np.array(rows))),
        (X[:, 0].tolist(), lambda rows: [[cell] for cell in rows]),
        (masked(X), lambda rows: rows.filled(np.nan)),
        (masked(X.astype(int)), lambda rows: rows.astype(float).filled(np.nan)),
        (masked(X.round().astype("U4")), lambda rows: rows.astype(object).filled(None)),
        (pa.RecordBatch.from_pandas(FRAME), lambda rows: pa.Table.from_batches([rows])),
        (FRAME["a"], lambda rows: rows.to_frame()),
        (torch.ones(N_ROWS, 2, requires_grad=True) * torch.from_numpy(X), torch.detach),
    ],
)
def test_the_conversion_that_a_message_names_works(rows, convert):
    converted = convert(rows)
    X_resampled, _ = quick(max_iter=3, pretrain_iter=3).fit_resample(converted, Y)
    assert type(X_resampled) is type(converted)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_matrix_of_numpy_is_refused_with_its_conversion():
    assert "np.asarray" in message_of(np.asmatrix(X), TypeError)


def test_labels_in_memory_are_refused_for_dask_frames_and_arrays():
    import dask.array
    import dask.dataframe

    frame = dask.dataframe.from_pandas(FRAME, npartitions=2)
    for rows in (frame, dask.array.from_array(X)):
        assert "`X.compute()`" in message_of(rows, TypeError)
        assert quick(max_iter=3).fit_resample(rows.compute(), Y)[0].shape == (60, 2)


def test_relations_of_duckdb_are_refused_with_their_conversions():
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    relation = duckdb.from_df(FRAME)
    message = message_of(relation, TypeError)
    for conversion in ("`X.df()`", "`X.pl()`", "`X.arrow()`"):
        assert conversion in message
    assert quick(max_iter=3).fit_resample(relation.pl(), Y)[0].shape == (60, 2)


def test_arrays_and_datasets_of_xarray_are_refused_with_their_conversion():
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    assert "`X.to_numpy()`" in message_of(xarray.DataArray(X), TypeError)
    dataset = xarray.Dataset({"a": ("row", X[:, 0])})
    assert "`X.to_dataframe()`" in message_of(dataset, TypeError)


def test_an_array_of_raw_bytes_is_refused_with_what_arrays_may_hold():
    message = message_of(X.view("V8"), ValueError)
    assert "must hold numbers, text, booleans, times or objects; found |V8" in message


def test_the_message_uses_the_name_of_the_parameter():
    with pytest.raises(TypeError, match=r"X_synthetic must be .*`X_synthetic\.collect\(\)`"):
        metrics.density_coverage(X, pl.LazyFrame({"a": [1.0]}))


def test_recognizing_a_library_does_not_import_it():
    foreign = ("cupy", "dask", "duckdb", "ibis", "pyspark", "xarray")
    before = [name for name in foreign if name in sys.modules]
    message_of(OF_LIBRARIES["cupy"][0], TypeError)
    assert [name for name in foreign if name in sys.modules] == before
