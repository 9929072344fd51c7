"""`TableEncoder`: rows to a numeric matrix and back, and back into the user's container."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from vaesampler._schema import FeatureSchema, Table

# How far beyond the rows of a class its drawn rows may lie, in mean gaps between them.
MARGIN_GAPS = 3


@dataclass(frozen=True)
class Bounds:
    """The lowest and highest value that a column may get."""

    lowest: np.ndarray  # (n_features,)
    highest: np.ndarray  # (n_features,)

    @classmethod
    def of(cls, rows: np.ndarray) -> Self:
        """Return the range of some rows."""
        return cls(rows.min(axis=0), rows.max(axis=0))

    def widened(self, n_rows: int, table: Self, integers: np.ndarray) -> Self:
        """Return the range of a class that was seen in `n_rows` rows, within the table's.

        A few rows seldom show the ends of a class: if they are spread evenly, it goes on for
        about the mean gap between them on either side. Were drawn rows held within what was
        seen, those of a class of ten rows would pile up there. The columns with the numbers
        `integers` go on by a whole number.
        """
        low, high = self.lowest.astype(np.float64), self.highest.astype(np.float64)
        margin = MARGIN_GAPS * (high - low) / max(n_rows - 1, 1)
        margin[integers] = np.floor(margin[integers])
        is_wider = margin > 0
        lowest, highest = self.lowest.copy(), self.highest.copy()
        lowest[is_wider] = _cast(low - margin, lowest.dtype)[is_wider]
        highest[is_wider] = _cast(high + margin, highest.dtype)[is_wider]
        return type(self)(lowest.clip(table.lowest), highest.clip(max=table.highest))


class TableEncoder:
    """Turn validated rows into the float32 matrix that the VAEs see, and back.

    Columns are standardized over all rows. Decoded rows keep the nature of the column
    (whole numbers stay whole, values that repeat are the only ones drawn) and stay within
    or near what was observed of their class, and within what was observed of the table.
    """

    schema_: FeatureSchema
    scaler_: StandardScaler
    bounds_: dict[Hashable, Bounds]
    dtype_: np.dtype

    def fit(self, X: Table, y: np.ndarray, names: list[str]) -> Self:
        """Learn the columns' kinds and scales, and each class's bounds."""
        dense = _dense(X)
        self.dtype_ = dense.dtype
        self.schema_ = FeatureSchema.infer(dense, names)
        self.scaler_ = StandardScaler().fit(dense.astype(np.float64, copy=False))
        table = Bounds.of(dense)
        integers = self.schema_.of_kind("integer")
        self.bounds_ = {}
        for label in np.unique(y).tolist():
            rows = dense[y == label]
            self.bounds_[label] = Bounds.of(rows).widened(len(rows), table, integers)
        return self

    def transform(self, X: Table) -> np.ndarray:  # (n_rows, n_features)
        """Encode rows as float32."""
        encoded: np.ndarray = (_dense(X) - self.scaler_.mean_) / self.scaler_.scale_
        return encoded.astype(np.float32)

    def inverse_transform(self, matrix: np.ndarray, label: Hashable) -> np.ndarray:
        """Decode rows drawn for class `label` into the table's own dtype and units."""
        rows: np.ndarray = matrix * self.scaler_.scale_ + self.scaler_.mean_  # float64
        bounds = self.bounds_[label]
        np.clip(rows, bounds.lowest, bounds.highest, out=rows)
        integers = self.schema_.of_kind("integer")
        rows[:, integers] = np.rint(rows[:, integers])
        # Again, since integers beyond 2 ** 53 were rounded on the way.
        decoded = _cast(rows, self.dtype_).clip(bounds.lowest, bounds.highest)
        for number in self.schema_.of_kind("discrete"):
            values = self.schema_.columns[number].values
            decoded[:, number] = _nearest(values, rows[:, number])
        return decoded


@dataclass(frozen=True)
class Container:
    """The kind of table that the user passed, so that rows can be handed back in it."""

    empty: Any  # a table of the user's kind, with its columns and no rows

    @classmethod
    def of(cls, X: Any) -> Self:
        """Remember the kind of `X`.

        Raises
        ------
        TypeError
            If `X` is a data frame of another library than pandas.
        """
        if hasattr(X, "columns") and not hasattr(X, "iloc"):
            raise TypeError(
                "X must be an array, a sparse matrix, a list or a pandas DataFrame; found "
                f"{type(X).__module__}.{type(X).__qualname__}. Convert it first, for "
                "example with `X.to_pandas()`."
            )
        if hasattr(X, "iloc"):
            return cls(X.iloc[:0])
        if sparse.issparse(X):
            return cls((X if X.format in ("csr", "csc") else X.tocsr())[:0])
        return cls([] if isinstance(X, list) else np.empty(0))

    def wrap(self, rows: np.ndarray) -> Any:  # (n_rows, n_features)
        """Return rows as a table of the user's kind, names and dtypes included."""
        empty = self.empty
        if hasattr(empty, "iloc"):
            return type(empty)(rows, columns=empty.columns).astype(empty.dtypes)
        if sparse.issparse(empty):
            return type(empty)(rows)
        return rows.tolist() if isinstance(empty, list) else rows

    def with_originals(self, X: Any, X_resampled: Any) -> Any:
        """Put the user's own rows at the top of what was made from them.

        A frame's columns of different dtypes were one array in between, and large integers
        beside fractions were rounded there.
        """
        if not hasattr(X, "iloc"):
            return X_resampled
        import pandas as pd

        return pd.concat([X, X_resampled.iloc[len(X) :]], ignore_index=True)


def append_rows(X: Table, new_rows: list[np.ndarray]) -> Table:
    """Return a table of the kind of `X`: its rows, unchanged, then the new ones."""
    if sparse.issparse(X):
        blocks = [type(X)(rows) for rows in new_rows]
        return sparse.vstack([X, *blocks], format=X.format, dtype=X.dtype)
    return np.concatenate([X, *new_rows])


def _nearest(values: np.ndarray | None, cells: np.ndarray) -> np.ndarray:
    """Return, for each cell, the nearest of the sorted values."""
    assert values is not None
    numbers = values.astype(np.float64)
    midpoints = numbers[:-1] / 2 + numbers[1:] / 2
    nearest: np.ndarray = values[np.searchsorted(midpoints, cells)]
    return nearest


def _cast(rows: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Cast float64 rows; the largest integers of a dtype, rounded up, would overflow."""
    if dtype.kind in "iu":
        largest = float(np.iinfo(dtype).max)
        if int(largest) > np.iinfo(dtype).max:
            largest = np.nextafter(largest, 0)
        rows = rows.clip(np.iinfo(dtype).min, largest)
    return rows.astype(dtype)


def _dense(X: Table) -> np.ndarray:
    # Row order in memory decides the rounding of sums: every container gets the same.
    return np.ascontiguousarray(X.toarray() if sparse.issparse(X) else X)
