"""`read_table`: check a table that a user passes, and wrap it in a container."""

from typing import Any

import numpy as np
from sklearn.utils import check_array

from vaesampler._table.containers import Container, is_frame


def read_table(X: Any, name: str = "X") -> Container:
    """Check that X is a table, and return its container, which has not read the cells yet.

    Parameters
    ----------
    X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_columns)
        The table.
    name : str, default="X"
        The table's name in error messages.

    Raises
    ------
    TypeError
        If X is a lazy frame, or a frame of a library that narwhals does not support.
    ValueError
        If X does not have two dimensions, has no rows or no columns, or two columns have the
        same name.
    """
    if is_frame(X):
        container = Container.of(X)
    else:
        array = check_array(
            np.array(X, dtype=object) if isinstance(X, list) else X,
            accept_sparse=("csr", "csc"),
            dtype=None,
            ensure_all_finite=False,
            ensure_min_samples=0,
            ensure_min_features=0,
            input_name=name,
        )
        container = Container.of(X if isinstance(X, list) else array)
    n_rows, n_columns = container.n_rows, len(container.names)
    if n_rows == 0 or n_columns == 0:
        missing = "0 sample(s)" if n_rows == 0 else "0 feature(s)"
        raise ValueError(
            f"{name} must have at least 1 row and 1 column; found {missing} (shape=({n_rows}, "
            f"{n_columns})) while a minimum of 1 is required. Pass a table with rows."
        )
    return container
