"""`refuse_unsupported`: name the conversion for containers that cannot be read."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy import sparse

# Package or module, class ("" for any class of it), and how to convert such an object. The
# first entry that matches is used. Libraries are recognized by the names of modules, so that
# none of them is imported.
_CONVERSIONS = (
    ("cupy", "", "{X}.get()"),
    ("cupyx", "", "{X}.get()"),
    ("dask", "", "{X}.compute()"),
    ("dask_expr", "", "{X}.compute()"),
    ("daft", "", "{X}.to_pandas()"),
    ("datasets", "", "{X}.to_pandas()"),
    ("duckdb", "", "{X}.df()`, `{X}.pl()` or `{X}.arrow()"),
    ("_duckdb", "", "{X}.df()`, `{X}.pl()` or `{X}.arrow()"),
    ("h2o", "", "{X}.as_data_frame()"),
    ("ibis", "", "{X}.to_pandas()`, `{X}.to_polars()` or `{X}.to_pyarrow()"),
    ("narwhals", "LazyFrame", "{X}.collect()"),
    ("narwhals", "Series", "{X}.to_frame()"),
    ("pandas", "Series", "{X}.to_frame()"),
    ("pandas", "Index", "{X}.to_frame(index=False)"),
    ("pandas", "ExtensionArray", 'pd.DataFrame({{"x": {X}}})'),
    ("polars", "LazyFrame", "{X}.collect()` or `{X}.collect().to_pandas()"),
    ("polars", "Series", "{X}.to_frame()"),
    ("pyarrow", "RecordBatch", "pa.Table.from_batches([{X}])"),
    ("pyarrow", "RecordBatchReader", "{X}.read_all()"),
    ("pyarrow", "Dataset", "{X}.to_table()"),
    ("pyarrow", "ChunkedArray", 'pa.table({{"x": {X}}})'),
    ("pyarrow", "Array", 'pa.table({{"x": {X}}})'),
    ("pyspark.pandas", "", "{X}.to_pandas()"),
    ("pyspark", "", "{X}.toPandas()"),
    ("sparse", "", "{X}.tocsr()"),
    ("sqlframe", "", "{X}.toPandas()"),
    ("tensorflow", "", "{X}.numpy()"),
    ("vaex", "", "{X}.to_pandas_df()"),
    ("xarray", "Dataset", "{X}.to_dataframe()"),
    ("xarray", "DataArray", "{X}.to_numpy()"),
)
SUPPORTED = (
    "a NumPy array, a sparse matrix, a list or tuple of rows, a PyTorch tensor, or a data "
    "frame in memory of pandas, polars, pyarrow or another library that narwhals supports"
)


def refuse_unsupported(X: Any, name: str = "X") -> None:
    """Raise an error if X is of a kind that cannot be read, or not read without a loss.

    Parameters
    ----------
    X : object
        What a user passes as a table.
    name : str, default="X"
        The table's name in the message.

    Raises
    ------
    TypeError
        If X is a container of a library that is not supported, or is not on the CPU. The
        message says how to convert it.
    ValueError
        If X is a mapping, an array of records, or an array with masked cells.
    """
    for module, class_name, conversion in _CONVERSIONS:
        if is_instance(X, module, class_name):
            raise TypeError(
                f"{name} must be {SUPPORTED}; found {type_name(X)}. Convert it first, with "
                f"`{conversion.format(X=name)}`."
            )
    if is_tensor(X):
        _refuse_tensor(X, name)
    elif hasattr(X, "__cuda_array_interface__") and not hasattr(type(X), "columns"):
        raise TypeError(
            f"{name} must be in the memory of the CPU; found {type_name(X)} on a GPU. Copy it "
            f"first, with `{name}.get()` or its library's function for that."
        )
    if isinstance(X, Mapping) and not sparse.issparse(X):  # as a dok matrix is
        raise ValueError(
            f"{name} must be {SUPPORTED}; found {type_name(X)}. Put it into a data frame: "
            f"`pd.DataFrame({name})`."
        )
    if isinstance(X, np.ndarray):
        _refuse_records_and_masks(X, name)


def refuse_frame(X: Any, name: str = "X") -> None:
    """Raise a TypeError that says what is supported, for a frame of an unknown library."""
    raise TypeError(
        f"{name} must be {SUPPORTED}; found {type_name(X)}. Convert it first, into one of "
        f"these, for example with `{name}.to_pandas()` if it has this method."
    )


def is_tensor(X: Any) -> bool:
    """Return whether X is a PyTorch tensor, without importing PyTorch."""
    return is_instance(X, "torch", "Tensor")


def is_instance(X: Any, module: str, class_name: str = "") -> bool:
    """Return whether X is an instance of a class of this name, or any, of a module."""
    return any(
        class_name in ("", name) and f"{found}.".startswith(f"{module}.")
        for found, name in _classes(X)
    )


def _classes(X: Any) -> Iterator[tuple[str, str]]:
    """Yield module and name of the class of X and of its base classes."""
    for base in type(X).__mro__:
        yield base.__module__, base.__name__


def type_name(X: Any) -> str:
    """Return the module and the name of the class of X, for messages."""
    return f"{type(X).__module__}.{type(X).__qualname__}"


def _refuse_tensor(X: Any, name: str) -> None:
    if str(X.layout) != "torch.strided":
        found, conversion = f"one of layout {X.layout}", f"{name}.to_dense()"
    elif X.device.type != "cpu":
        found, conversion = f"one on the device {X.device}", f"{name}.detach().cpu()"
    elif X.requires_grad:
        found, conversion = "one that requires gradients", f"{name}.detach()"
    elif str(X.dtype) == "torch.bfloat16":
        found, conversion = "one of bfloat16, which NumPy lacks", f"{name}.float()"
    else:
        return
    raise TypeError(
        f"A tensor {name} must be dense, on the CPU, and without gradients; found {found}. "
        f"Pass `{conversion}`."
    )


def _refuse_records_and_masks(X: np.ndarray[Any, Any], name: str) -> None:
    if X.dtype.names is not None:
        raise ValueError(
            f"{name} must have two dimensions, and cells without fields; found an array of "
            f"records with the fields {list(X.dtype.names)}. Put it into a data frame: "
            f"`pd.DataFrame({name})`."
        )
    if np.ma.is_masked(X):
        fill = {"f": ".filled(np.nan)", "b": ".astype(float).filled(np.nan)"}
        fill |= {"i": fill["b"], "u": fill["b"]}
        conversion = fill.get(X.dtype.kind, ".astype(object).filled(None)")
        n_masked = int(np.ma.getmaskarray(X).sum())
        raise ValueError(
            f"{name} must not have masked cells; found {n_masked}. Mark them as "
            f"missing instead: `{name}{conversion}`."
        )
