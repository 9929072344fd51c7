"""The columns that a user names in `categorical_features`, `ordinal_features`, ..."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells
from vaesampler._table.objects import is_missing_object
from vaesampler._table.wording import shorten

# "auto", or a mask, indices or names of columns.
CategoricalFeatures: TypeAlias = (
    str | Sequence[bool] | Collection[int] | Collection[Hashable] | npt.NDArray[Any]
)
# Names or indices of columns.
InheritedFeatures: TypeAlias = Collection[int] | Collection[Hashable] | npt.NDArray[Any]
# Name or index of a column to its levels in ascending order; None for the order of its dtype.
OrdinalFeatures: TypeAlias = Mapping[Any, Sequence[object] | None]


def resolve_categorical(
    categorical_features: CategoricalFeatures, keys: Sequence[Hashable]
) -> list[bool] | None:
    """Return whether each column is named; None if `categorical_features` is "auto".

    `keys` are the names of the columns as their library has them: text, integers, tuples, ...

    Raises
    ------
    ValueError
        If X does not have a column, a mask does not have one value per column, entries are of
        different kinds, or an integer is the index of one column and the name of another.
    """
    if isinstance(categorical_features, str) and categorical_features == "auto":
        return None
    entries = _entries_of(categorical_features)
    is_flag = [isinstance(entry, bool | np.bool_) for entry in entries]
    if entries and all(is_flag):
        if isinstance(categorical_features, set | frozenset):
            raise ValueError(
                "A mask in categorical_features must have one value per column, in order; "
                f"found the set {categorical_features!r}. Pass a list."
            )
        if len(entries) != len(keys):
            raise ValueError(
                f"A mask in categorical_features must have one value per column; found "
                f"{len(entries)} values for {len(keys)} columns."
            )
        return [bool(flag) for flag in _in_order_of(keys, categorical_features, entries)]
    _require_one_kind(entries, "categorical_features")
    chosen = [False] * len(keys)
    finder = ColumnFinder(keys, "categorical_features")
    for entry in entries:
        chosen[finder.index_of(entry)] = True
    return chosen


def resolve_ordinal(
    ordinal_features: OrdinalFeatures | None, keys: Sequence[Hashable]
) -> dict[int, Sequence[object] | None]:
    """Return the index of each column that is named, with its order.

    Raises
    ------
    ValueError
        If X does not have a column, a column is named twice, or an order is not a sequence of
        different levels; or as `resolve_categorical` does.
    """
    resolved: dict[int, Sequence[object] | None] = {}
    _require_one_kind(list(ordinal_features or {}), "ordinal_features")
    finder = ColumnFinder(keys, "ordinal_features")
    for key, order in (ordinal_features or {}).items():
        if order is not None and not _are_different_levels(order):
            raise ValueError(
                "ordinal_features must map a column to a sequence of its different levels, or "
                f"to None for the order of its dtype; found {order!r} for {key!r}."
            )
        index = finder.index_of(key)
        if index in resolved:
            raise ValueError(
                f"ordinal_features names the column {keys[index]!r} twice. Leave out one entry."
            )
        resolved[index] = order
    return resolved


def resolve_inherited(
    inherited_features: InheritedFeatures | None, keys: Sequence[Hashable]
) -> set[int]:
    """Return the index of each column that is named.

    Raises
    ------
    ValueError
        If X does not have a column, or all columns are named; or as `resolve_categorical` does.
    """
    if inherited_features is None:
        return set()
    if isinstance(inherited_features, str | bytes | Mapping):
        raise ValueError(
            "inherited_features must be a list of names or indices of columns; found "
            f"{inherited_features!r}."
        )
    entries = list(inherited_features)
    _require_one_kind(entries, "inherited_features")
    finder = ColumnFinder(keys, "inherited_features")
    found = {finder.index_of(entry) for entry in entries}
    if len(found) == len(keys):
        raise ValueError(
            "inherited_features names all columns of X, so that there is nothing to learn. "
            "Leave out at least one."
        )
    return found


def order_of_dtype(name: str, cells: Cells) -> Sequence[object]:
    """Return a column's levels in the order of its dtype.

    Raises
    ------
    ValueError
        If the dtype has no order.
    """
    if cells.dtype_levels is not None:
        return cells.dtype_levels
    if not cells.are_numbers:
        raise ValueError(
            f"ordinal_features must name the levels of column {name!r} in ascending order: its "
            "dtype has no order. Pass a list in place of None."
        )
    order: list[object] = np.unique(cells.observed).tolist()
    return order


def _entries_of(categorical_features: Any) -> list[Any]:
    """Return the entries of a list, set, array, index or series, as objects of Python."""
    n_dimensions = getattr(categorical_features, "ndim", 1)
    is_collection = hasattr(categorical_features, "__iter__") and not isinstance(
        categorical_features, str | bytes | Mapping
    )
    if not is_collection or n_dimensions == 0:
        raise ValueError(
            "categorical_features must be 'auto', a mask, or a list of indices or names; "
            f"found {categorical_features!r}."
        )
    entries: list[Any]
    for method in ("tolist", "to_pylist"):
        if hasattr(categorical_features, method):
            entries = getattr(categorical_features, method)()
            break
    else:
        entries = list(categorical_features)
    if n_dimensions > 1 or any(isinstance(entry, list | np.ndarray) for entry in entries):
        raise ValueError(
            "categorical_features must be 'auto', a mask, or a list of indices or names; "
            f"found an array of {max(n_dimensions, 2)} dimensions."
        )
    return entries


def _in_order_of(
    keys: Sequence[Hashable], mask: Any, flags: list[Any]
) -> list[Any]:  # (n_columns,)
    """Return the flags by column, if they are a series of pandas that names the columns."""
    labels = list(mask.index) if hasattr(mask, "reindex") else []
    if labels == list(keys) or len(set(labels)) < len(labels) or set(labels) != set(keys):
        return flags
    by_key = dict(zip(labels, flags, strict=True))
    return [by_key[key] for key in keys]


def _require_one_kind(entries: Sequence[Any], parameter: str) -> None:
    """Raise a ValueError if names are mixed with indices, or truth values with either."""
    kinds = {
        "truth values"
        if isinstance(entry, bool | np.bool_)
        else "indices"
        if isinstance(entry, Integral)
        else "names"
        for entry in entries
    }
    if kinds == {"names", "indices"}:
        raise ValueError(
            f"{parameter} holds both names and indices: {shorten(entries)}. Pass one or the "
            "other."
        )
    if "truth values" in kinds:
        raise ValueError(
            f"{parameter} must hold names or indices of columns; found truth values in "
            f"{shorten(entries)}."
        )


def _are_different_levels(order: Any) -> bool:
    is_sequence = hasattr(order, "__len__") and hasattr(order, "__getitem__")
    if not is_sequence or isinstance(order, str | bytes | Mapping):
        return False
    return len(set(order)) == len(order)


class ColumnFinder:
    """Find columns by what a parameter holds: text is a name, an integer is an index."""

    def __init__(self, keys: Sequence[Hashable], parameter: str) -> None:
        self.keys = keys
        self.parameter = parameter
        self.by_text = {str(key): index for index, key in reversed(list(enumerate(keys)))}
        self.by_key = {
            key: index
            for index, key in enumerate(keys)
            if not isinstance(key, bool | np.bool_)  # which equal 0 and 1
        }

    def index_of(self, entry: Any) -> int:
        """Return the index of a column.

        Raises
        ------
        ValueError
            If there is no such column, or an integer is also the name of another one.
        """
        if isinstance(entry, Integral):
            return self._index_of_integer(int(entry))
        if isinstance(entry, str):
            index = self.by_key.get(entry, self.by_text.get(entry))
        else:
            index = None if is_missing_object(entry) else self._index_of_key(entry)
        if index is not None:
            return index
        if isinstance(entry, str | tuple):
            raise ValueError(
                f"{self.parameter} names the column {entry!r}, which X does not have; its "
                f"columns are {shorten(self.keys)}."
            )
        raise self._no_column(entry)

    def _index_of_key(self, entry: Any) -> int | None:
        """Return the index of the column of this name, which is neither text nor an integer."""
        try:
            index = self.by_key.get(entry)
        except TypeError:  # it is not hashable
            return None
        # 1.0 is not the name of the column 1.
        return index if index is None or type(self.keys[index]) is type(entry) else None

    def _index_of_integer(self, entry: int) -> int:
        n_columns, named = len(self.keys), self.by_key.get(entry)
        is_index = -n_columns <= entry < n_columns
        index = entry % n_columns
        if is_index and named in (None, index):
            return index
        if named is None:
            raise self._no_column(entry)
        if not is_index:
            raise ValueError(
                f"{self.parameter} holds the integer {entry}, and integers are indices, here "
                f"from {-n_columns} to {n_columns - 1}. For the column named {entry}, pass its "
                f"name as text, {str(self.keys[named])!r}, or its index, {named}."
            )
        raise ValueError(
            f"{self.parameter} holds the integer {entry}, which is the index of the column "
            f"named {self.keys[index]!r} and the name of the column at index {named}. Pass the "
            f"name of one of them as text: {str(self.keys[index])!r} or "
            f"{str(self.keys[named])!r}."
        )

    def _no_column(self, entry: object) -> ValueError:
        n_columns = len(self.keys)
        return ValueError(
            f"{self.parameter} holds {entry!r}; a column's name, or an index from {-n_columns} "
            f"to {n_columns - 1}, is required."
        )
