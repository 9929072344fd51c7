"""`Pair`: a table and its labels in partitions, and new rows below both."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaesampler._partitioned.collections import Collection, FrameCollection, assembled


@dataclass(frozen=True)
class NewRows:
    """Delayed partitions of new rows and of their labels, each of these numbers of rows."""

    rows: Sequence[Any]
    labels: Sequence[Any]
    n_rows: Sequence[int]


@dataclass(frozen=True)
class Pair(ABC):
    """A table and its labels, of equal partitions."""

    X: Collection
    y: Collection

    @staticmethod
    def of(X: Any, y: Any) -> "Pair":
        """Return the pair of two dask objects.

        Raises
        ------
        TypeError
            If y is no dask collection.
        ValueError
            If their partitions differ.
        """
        table = Collection.of(X, "X")
        labels = Collection.of(y, "y").aligned_with(table)
        are_frames = isinstance(table, FrameCollection) and isinstance(labels, FrameCollection)
        return (JoinedPair if are_frames else SeparatePair)(table, labels)

    @abstractmethod
    def parts(self) -> list[tuple[Any, Any]]:
        """Return delayed objects for each partition of the table and of the labels."""

    @abstractmethod
    def above(self, new: NewRows, n_before: int) -> tuple[Any, Any]:
        """Return the table and the labels with new rows below them.

        They have `n_before` rows, from which an index that counts rows continues.
        """


class SeparatePair(Pair):
    """Arrays, or an array and a frame."""

    def parts(self) -> list[tuple[Any, Any]]:
        """Return delayed objects for each partition."""
        return list(zip(self.X.parts(), self.y.parts(), strict=True))

    def above(self, new: NewRows, n_before: int) -> tuple[Any, Any]:
        """Return the arrays or frames with new partitions below them."""
        if not new.n_rows:
            return self.X.native, self.y.native
        return (
            _extended(self.X, new.rows, new.n_rows, n_before),
            _extended(self.y, new.labels, new.n_rows, n_before),
        )


class JoinedPair(Pair):
    """Two frames, or a frame and a series.

    They are read as one frame, so that each file is read once, and returned as columns of one
    frame: dask would align columns of different frames by their index, which may not be unique.
    """

    def parts(self) -> list[tuple[Any, Any]]:
        """Return delayed objects for each partition."""
        import dask.dataframe as dd

        X, y = self.X.native, self.y.native
        pairs = dd.map_partitions(
            _pair, X, y, align_dataframes=False, meta=X._meta, enforce_metadata=False
        )
        # Not optimized: small partitions would be read together, fewer of y than of X.
        parts = pairs.simplify().to_delayed(optimize_graph=False)
        return [(part[0], part[1]) for part in parts]

    def above(self, new: NewRows, n_before: int) -> tuple[Any, Any]:
        """Return the columns of a frame with new partitions."""
        from dask import delayed

        if not new.n_rows:
            return self.X.native, self.y.native
        rows = _numbered_on(self.X, new.rows, new.n_rows, n_before)
        pairs = [*self.parts(), *zip(rows, new.labels, strict=True)]
        parts = [delayed(_join)(X, y) for X, y in pairs]
        example = _join(self.X.example, self.y.example)
        whole = assembled(parts, [], example)
        columns, n_columns = list(whole.columns), self.X.example.shape[1]
        X, y = whole[columns[:n_columns]], whole[columns[n_columns:]]
        if self.y.example.ndim == 1:
            return X, y[columns[-1]].rename(self.y.example.name)
        return X, y.rename(columns=dict(zip(y.columns, self.y.example.columns, strict=True)))


def _pair(X: Any, y: Any) -> tuple[Any, Any]:
    return X, y


def _join(X: Any, y: Any) -> Any:
    """Return a frame with its labels as further columns, row by row."""
    frame = y.to_frame() if y.ndim == 1 else y
    names = [f"label {index} of vaesampler" for index in range(frame.shape[1])]
    columns = (frame.iloc[:, index].set_axis(X.index) for index in range(frame.shape[1]))
    return X.assign(**dict(zip(names, columns, strict=True)))


def _extended(
    collection: Collection, parts: Sequence[Any], n_rows: Sequence[int], n_before: int
) -> Any:
    """Return an array, frame or series with delayed partitions below it."""
    if not isinstance(collection, FrameCollection):
        import dask.array as da

        below = assembled(parts, n_rows, collection.example)
        return da.concatenate([collection.native, below], allow_unknown_chunksizes=True)
    import dask.dataframe as dd

    numbered = _numbered_on(collection, parts, n_rows, n_before)
    return dd.concat([collection.native, assembled(numbered, n_rows, collection.example)])


def _numbered_on(
    collection: Collection, parts: Sequence[Any], n_rows: Sequence[int], n_before: int
) -> list[Any]:
    """Return delayed partitions with an index that continues the one of a collection."""
    from dask import delayed

    starts = (n_before + np.cumsum([0, *n_rows[:-1]])).tolist()
    index = collection.example.index
    return [
        delayed(_numbered)(part, index, start)
        for part, start in zip(parts, starts, strict=True)
    ]


def _numbered(part: Any, example: Any, start: int) -> Any:
    """Return a frame or series with an index like the one in `example`.

    Integers count from `start`; other indices have missing labels.
    """
    import pandas as pd

    if example.dtype.kind in "iu":
        index = pd.RangeIndex(start, start + len(part), name=example.name)
    else:
        index = pd.Index([None] * len(part), dtype=example.dtype, name=example.name)
    return part.set_axis(index)
