"""`read_table`: check a table that a user passes, and wrap it in a container."""

from typing import Any

from vaesampler._table.containers import Container


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
        If X is a container of a library that is not supported, or is not in memory.
    ValueError
        If X does not have two dimensions, has no rows or no columns, or has masked cells, or
        if two columns have the same name.
    """
    container = Container.of(X, name)
    n_rows, n_columns = container.n_rows, len(container.names)
    if n_rows == 0 or n_columns == 0:
        missing = "0 sample(s)" if n_rows == 0 else "0 feature(s)"
        raise ValueError(
            f"{name} must have at least 1 row and 1 column; found {missing} (shape=({n_rows}, "
            f"{n_columns})) while a minimum of 1 is required. Pass a table with rows."
        )
    return container
