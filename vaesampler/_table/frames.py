"""Data frames of any library: recognized, read as plain ones, and restored to their form."""

from collections.abc import Callable
from typing import Any

import narwhals
import narwhals.stable.v1 as nw_v1
import narwhals.stable.v2 as nw

from vaesampler._table.unsupported import refuse_frame, refuse_unsupported

# Each class of narwhals' frames, and what makes one from a frame of another library.
_NARWHALS: dict[type, Callable[[Any], Any]] = {
    narwhals.DataFrame: narwhals.from_native,
    nw_v1.DataFrame: nw_v1.from_native,
    nw.DataFrame: nw.from_native,
}


def is_frame(X: Any, name: str = "X") -> bool:
    """Return whether X is a data frame in memory that narwhals supports.

    Raises
    ------
    TypeError
        If it is a frame of another library, or a lazy one.
    ValueError
        If two of its columns have the same name, or as `refuse_unsupported` does.
    """
    refuse_unsupported(X, name)
    try:
        frame = nw.from_native(X, eager_only=True, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        raise repeated_names(X, name) from error
    if isinstance(frame, nw.DataFrame):
        return True
    if hasattr(type(X), "columns"):
        refuse_frame(X, name)
    return False


def repeated_names(X: Any, name: str) -> ValueError:
    """Return the error for a frame of which several columns have the same name."""
    names = list(X.column_names if hasattr(X, "column_names") else X.columns)
    repeated = sorted({str(column) for column in names if names.count(column) > 1})
    return ValueError(
        f"The columns of {name} must have different names; found {repeated} more than once. "
        "Rename them first."
    )


def plain_frame(X: Any) -> nw.DataFrame[Any]:
    """Return a frame without a copy of its cells, for reading.

    Of pandas, it is a DataFrame without the attributes, flags and methods of the user's.
    """
    frame: nw.DataFrame[Any] = nw.from_native(X, eager_only=True)
    if not frame.implementation.is_pandas():
        return frame
    pandas = nw.get_native_namespace(frame)
    plain: nw.DataFrame[Any] = nw.from_native(
        pandas.DataFrame(frame.to_native()), eager_only=True
    )
    return plain


def without_rows(X: Any) -> Any:
    """Return a frame like X that has no rows, and keeps none of them in memory."""
    # A slice would keep all rows, hence no rows of a copy of one row.
    frame = nw.from_native(X, eager_only=True)
    native = frame.to_native()
    if frame.implementation.is_pyarrow():
        native = native.schema.empty_table()
    elif frame.implementation.is_pandas():
        pandas = nw.get_native_namespace(frame)
        dtypes = enumerate(native.dtypes)
        empty = pandas.DataFrame({i: pandas.Series([], dtype=dtype) for i, dtype in dtypes})
        native = in_form_of(native.head(0), empty)
    else:
        native = frame[[0], :].head(0).to_native()
    return _NARWHALS[type(X)](native) if type(X) in _NARWHALS else native


def concatenate(upper: Any, lower: Any) -> Any:
    """Return a native frame of the rows of both; pandas' index is numbered anew."""
    frames = [plain_frame(upper), plain_frame(lower)]
    if frames[0].implementation.is_pandas_like():
        pandas = nw.get_native_namespace(frames[0])
        return pandas.concat([frame.to_native() for frame in frames], ignore_index=True)
    return nw.concat(frames, how="vertical").to_native()


def in_form_of(empty: Any, native: Any) -> Any:
    """Return a native frame as the type of frame that `empty` is, with what it has attached.

    Of pandas, these are `attrs`, flags, the index of the columns, and a subclass with its
    `_metadata`; of pyarrow, the metadata of the schema and of its fields, and which fields are
    nullable.
    """
    if type(empty) in _NARWHALS:
        return _NARWHALS[type(empty)](in_form_of(empty.to_native(), native))
    implementation = nw.from_native(native, eager_only=True).implementation
    if implementation.is_pandas_like():
        native.columns = empty.columns  # an index that may have a name
    if implementation.is_pandas():
        return empty._constructor(native).__finalize__(empty)
    if implementation.is_pyarrow():
        return native.cast(empty.schema)
    return native
