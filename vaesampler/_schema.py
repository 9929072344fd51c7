"""`FeatureSchema`: the only authority on what the columns of a table are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from scipy import sparse

# A validated table: a NumPy array or a SciPy sparse array or matrix (which have no types).
Table: TypeAlias = Any

Kind = Literal["continuous", "integer", "discrete", "constant"]

# Above 2 ** 53 every float64 is a whole number, so being whole says nothing there.
_LARGEST_EXACT_INTEGER = 2.0**53
# Whether a column's values repeat is told from this many rows, spread over the table.
_ROWS_TO_LOOK_AT = 10_000


@dataclass(frozen=True)
class Column:
    """One column: its name, what it was taken for, and why.

    Kinds are "continuous"; "integer", drawn as whole numbers; "discrete", drawn as one of
    the values that were seen; and "constant".
    """

    name: str
    kind: Kind
    reason: str
    # (n_values,), sorted; None unless the column is discrete or constant
    values: np.ndarray | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class FeatureSchema:
    """The columns of a table, in order; each has one place in the encoded matrix."""

    columns: tuple[Column, ...]

    @classmethod
    def infer(cls, X: np.ndarray, names: Sequence[str]) -> Self:  # (n_rows, n_features)
        """Tell each column's kind from its observed values."""
        stride = max(1, len(X) // _ROWS_TO_LOOK_AT)
        return cls(
            tuple(
                _infer_column(name, cells, cells[::stride])
                for name, cells in zip(names, np.ascontiguousarray(X.T), strict=True)
            )
        )

    def of_kind(self, kind: Kind) -> np.ndarray:  # (n_columns_of_kind,)
        """Return the numbers of the columns of a kind."""
        numbers = [n for n, column in enumerate(self.columns) if column.kind == kind]
        return np.array(numbers, dtype=np.intp)

    def __str__(self) -> str:
        width = max(len(column.name) for column in self.columns)
        return "\n".join(
            f"{column.name:<{width}}  {column.kind:<10}  {column.reason}"
            for column in self.columns
        )


def column_names(feature_names: Sequence[str] | None, n_columns: int) -> list[str]:
    """Return the user's names, or "column 0", "column 1", ... where there are none."""
    if feature_names is not None:
        return [str(name) for name in feature_names]
    return [f"column {number}" for number in range(n_columns)]


def require_numbers(X: Any) -> None:
    """Raise a ValueError that names the columns that hold something else than numbers.

    `X` is what the user passed: a frame, an array, a list or a sparse matrix.
    """
    if sparse.issparse(X):
        return
    if hasattr(X, "iloc"):
        columns = [X.iloc[:, number] for number in range(X.shape[1])]
        names = column_names(X.columns, len(columns))
    else:
        array = np.asarray(X)
        if array.ndim != 2:  # left to validate_data
            return
        columns = list(array.T)
        names = column_names(None, len(columns))
    not_numbers = [
        name for name, column in zip(names, columns, strict=True) if not _is_numeric(column)
    ]
    if not_numbers:
        raise ValueError(
            f"Every column of X must hold numbers; found text, dates or categories in "
            f"{not_numbers}. Encode them first, for example with OneHotEncoder, or leave "
            "them out."
        )


def require_finite(X: Table, names: Sequence[str]) -> None:
    """Raise a ValueError that names the columns that hold NaN or infinity."""
    cells = X.tocoo() if sparse.issparse(X) else X
    values = cells.data if sparse.issparse(X) else cells
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return
    for found, is_bad, advice in (
        ("NaN", np.isnan(values), "Fill such cells first, for example with SimpleImputer"),
        ("infinity", np.isinf(values), "Replace such values, or drop their rows, first"),
    ):
        if is_bad.any():
            where = cells.col[is_bad] if sparse.issparse(X) else np.nonzero(is_bad)[1]
            bad_names = [names[number] for number in np.unique(where)]
            raise ValueError(
                f"Every value of X must be a finite number; found {found} in "
                f"{int(is_bad.sum())} cells of {bad_names}. {advice}."
            )


def _is_numeric(column: Any) -> bool:  # (n_rows,)
    kind = column.dtype.kind
    if kind != "O":
        return kind in "biufc"  # complex numbers get scikit-learn's own message
    if hasattr(column, "cat"):  # categories, even of numbers
        return False
    plain_number = (Real, Decimal, np.bool_, type(None))  # None is a missing number
    return all(isinstance(cell, plain_number) for cell in column)


def _infer_column(name: str, cells: np.ndarray, some_cells: np.ndarray) -> Column:
    # A synthetic value between two that repeat over and over would give a row away: a tree
    # could tell the class by "a number that real rows never have".
    if 2 * len(np.unique(some_cells)) <= len(some_cells):
        values = np.unique(cells)
        if len(values) == 1:
            return Column(name, "constant", f"every value is {values[0]}", values)
        return Column(name, "discrete", f"{len(values)} values in {len(cells)} rows", values)
    if _are_whole(some_cells) and _are_whole(cells):
        return Column(name, "integer", "every value is a whole number")
    return Column(name, "continuous", "most values are found once")


def _are_whole(cells: np.ndarray) -> bool:
    if cells.dtype.kind in "biu":
        return True
    is_exact = float(np.abs(cells).max()) < _LARGEST_EXACT_INTEGER
    return bool(is_exact and (cells == np.rint(cells)).all())
