"""`Collection`: a table or labels in partitions, as a user passes them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaesampler._table.unsupported import is_instance, type_name


def is_collection(X: Any) -> bool:
    """Return whether X is a dask array, data frame or series, without importing dask."""
    return hasattr(X, "__dask_graph__") and (
        is_instance(X, "dask.array", "Array")
        or is_instance(X, "dask.dataframe")
        or is_instance(X, "dask_expr")
    )


class Collection(ABC):
    """A dask collection whose partitions are tables, or labels, of adjacent rows."""

    native: Any  # the dask object

    @staticmethod
    def of(native: Any, name: str) -> "Collection":
        """Return the collection of a dask object, called `name` in messages.

        Raises
        ------
        TypeError
            If it is another object.
        """
        if not is_collection(native):
            raise TypeError(
                f"{name} must be a dask collection, since X is one; found {type_name(native)}. "
                "Take both from one collection, or pass `X.compute()` if it fits into memory."
            )
        if is_instance(native, "dask.array", "Array"):
            return ArrayCollection(native)
        return FrameCollection(native)

    @property
    @abstractmethod
    def example(self) -> Any:
        """An empty partition."""

    @abstractmethod
    def parts(self) -> list[Any]:
        """Return a delayed object for each partition."""

    def aligned_with(self, other: "Collection") -> "Collection":
        """Return this collection with the partitions of another one.

        Raises
        ------
        ValueError
            If the numbers of partitions differ, and where they begin is not known.
        """
        aligned = self._repartitioned(other)
        if aligned.n_partitions != other.n_partitions:
            raise ValueError(
                f"X and y must have the same partitions; found {other.n_partitions} and "
                f"{aligned.n_partitions}. Take both from one collection, or call `repartition` "
                "(of arrays: `rechunk`) on it before."
            )
        return aligned

    @property
    @abstractmethod
    def n_partitions(self) -> int:
        """Number of partitions."""

    @abstractmethod
    def _repartitioned(self, other: "Collection") -> "Collection":
        """Return this collection with the partitions of another one, where they are known."""


@dataclass(frozen=True)
class FrameCollection(Collection):
    """A dask data frame or series, whose partitions are pandas'."""

    native: Any

    @property
    def example(self) -> Any:
        """An empty partition."""
        return self.native._meta

    def parts(self) -> list[Any]:
        """Return a delayed object for each partition."""
        # Optimized, small partitions would be read together.
        return list(self.native.to_delayed(optimize_graph=False))

    @property
    def n_partitions(self) -> int:
        """Number of partitions."""
        return int(self.native.npartitions)

    def _repartitioned(self, other: Collection) -> Collection:
        own, theirs = self.native, other.native
        is_known = own.known_divisions and getattr(theirs, "known_divisions", False)
        if not is_known or own.divisions == theirs.divisions:
            return self
        return FrameCollection(own.repartition(divisions=theirs.divisions, force=True))


@dataclass(frozen=True)
class ArrayCollection(Collection):
    """A dask array in chunks of rows."""

    native: Any  # (n_rows, n_columns) or (n_rows,)

    @property
    def example(self) -> Any:
        """An empty partition."""
        return np.empty((0, *self.native.shape[1:]), dtype=self.native.dtype)

    def parts(self) -> list[Any]:
        """Return a delayed object for each chunk of rows."""
        whole = self.native.rechunk(dict.fromkeys(range(1, self.native.ndim), -1))
        return list(whole.to_delayed().ravel())

    @property
    def n_partitions(self) -> int:
        """Number of chunks of rows."""
        return len(self.native.chunks[0])

    def _repartitioned(self, other: Collection) -> Collection:
        if not isinstance(other, ArrayCollection):
            return self
        own, theirs = self.native.chunks[0], other.native.chunks[0]
        if own == theirs or np.isnan([*own, *theirs]).any() or sum(own) != sum(theirs):
            return self
        return ArrayCollection(self.native.rechunk({0: theirs}))


def assembled(parts: Sequence[Any], n_rows: Sequence[int], example: Any) -> Any:
    """Return the dask object of delayed partitions, each of these numbers of rows.

    Raises
    ------
    TypeError
        If `example`, an empty partition, is neither of pandas nor an array.
    """
    if isinstance(example, np.ndarray):
        import dask.array as da

        blocks = [
            da.from_delayed(part, (n, *example.shape[1:]), meta=example)
            for part, n in zip(parts, n_rows, strict=True)
        ]
        return da.concatenate(blocks) if blocks else da.from_array(example)
    if not is_instance(example, "pandas"):
        raise TypeError(
            "Partitions of dask are data frames of pandas, or arrays; the sampler was fitted "
            f"to {type_name(example)}. Draw without `npartitions`."
        )
    import dask.dataframe as dd

    if not parts:
        return dd.from_pandas(example, npartitions=1)
    return dd.from_delayed(parts, meta=example, verify_meta=False)
