"""The columns that a user names in `categorical_features` and `ordinal_features`."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells

# "auto", or a mask, indices or names of columns.
CategoricalFeatures: TypeAlias = (
    str | Sequence[bool] | Sequence[int] | Sequence[str] | npt.NDArray[Any]
)
# Name or index of a column to its levels in ascending order; None for the order of its dtype.
OrdinalFeatures: TypeAlias = Mapping[str | int, Sequence[object] | None]


def resolve_categorical(
    categorical_features: CategoricalFeatures, names: Sequence[str]
) -> list[bool] | None:
    """Return whether each column is named; None if `categorical_features` is "auto".

    Raises
    ------
    ValueError
        If X does not have a column, or a mask does not have one value per column.
    """
    if isinstance(categorical_features, str):
        if categorical_features == "auto":
            return None
        raise ValueError(
            "categorical_features must be 'auto', a mask, or a list of indices or names; "
            f"found {categorical_features!r}."
        )
    wanted = np.asarray(categorical_features)
    if wanted.ndim != 1:
        raise ValueError(
            "categorical_features must be 'auto', a mask, or a list of indices or names; "
            f"found an array of {wanted.ndim} dimensions."
        )
    if wanted.dtype.kind == "b":
        if len(wanted) != len(names):
            raise ValueError(
                f"A mask in categorical_features must have one value per column; found "
                f"{len(wanted)} values for {len(names)} columns."
            )
        return [bool(flag) for flag in wanted]
    chosen = [False] * len(names)
    for entry in wanted.tolist():
        chosen[_index_of(entry, names, "categorical_features")] = True
    return chosen


def resolve_ordinal(
    ordinal_features: OrdinalFeatures | None, names: Sequence[str]
) -> dict[int, Sequence[object] | None]:
    """Return the index of each column that is named, with its order.

    Raises
    ------
    ValueError
        If X does not have a column, or an order is not a sequence of different levels.
    """
    resolved = {}
    for key, order in (ordinal_features or {}).items():
        if order is not None and (isinstance(order, str) or len(set(order)) != len(order)):
            raise ValueError(
                "ordinal_features must map a column to a sequence of its different levels, or "
                f"to None for the order of its dtype; found {order!r} for {key!r}."
            )
        resolved[_index_of(key, names, "ordinal_features")] = order
    return resolved


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


def _index_of(entry: object, names: Sequence[str], parameter: str) -> int:
    if isinstance(entry, str):
        if entry not in names:
            raise ValueError(
                f"{parameter} names the column {entry!r}, which X does not have; its columns "
                f"are {_shorten(names)}."
            )
        return names.index(entry)
    if isinstance(entry, int) and -len(names) <= entry < len(names):
        return entry % len(names)
    raise ValueError(
        f"{parameter} holds {entry!r}; a column's name, or an index from {-len(names)} to "
        f"{len(names) - 1}, is required."
    )


def _shorten(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return shown if len(names) <= 8 else f"{shown}, ... ({len(names)} in all)"
