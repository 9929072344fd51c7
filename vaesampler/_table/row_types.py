"""Lists and tuples of rows: their cells, and the type of their rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from itertools import chain
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vaesampler._table.unsupported import is_tensor, refuse_unsupported


@dataclass(frozen=True)
class RowType:
    """The type of the rows of a list or tuple."""

    kind: type  # list, tuple or array, or a subclass of list or tuple, as namedtuples are
    dtype: np.dtype[Any] | None = None  # of rows that are arrays

    @classmethod
    def of(cls, rows: Sequence[Any]) -> Self:
        """Return the type that all rows have; list if they differ, or are of another type."""
        kinds = set(map(type, rows))
        if kinds and all(issubclass(kind, np.ndarray) for kind in kinds):
            return cls(np.ndarray, np.result_type(*{row.dtype for row in rows}))
        kind = kinds.pop() if len(kinds) == 1 else list
        return cls(kind if issubclass(kind, list | tuple) else list)

    def make(self, cells: list[Any]) -> Any:
        """Return a row of these cells."""
        if self.kind is list:
            return cells
        if self.dtype is not None:
            return np.array(cells, dtype=self.dtype)
        return getattr(self.kind, "_make", self.kind)(cells)


def objects_of_rows(
    rows: Sequence[Any], name: str = "X"
) -> npt.NDArray[np.object_]:  # (n_rows, n_columns)
    """Return the cells of a list or tuple of rows.

    Raises
    ------
    TypeError
        If a row is a tensor that cannot be read.
    ValueError
        If rows are records, have masked cells or different lengths, or cells are lists.
    """
    if len(rows) == 0:
        return np.empty((0, 0), dtype=object)
    examples = {type(row): row for row in rows}
    _refuse_records(examples.values(), name)
    if all(map(_has_cells, examples.values())):
        _refuse_what_arrays_cannot_hold(rows, examples, name)
        _refuse_different_lengths(rows, name)
    objects = np.array(rows, dtype=object)
    if objects.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {objects.ndim}D array instead: the rows of {name} must be "
            "sequences of cells, and cells must be neither lists nor arrays. Reshape your "
            f"data: `[[cell] for cell in {name}]` is a table of one column."
        )
    return objects


def _has_cells(row: Any) -> bool:
    is_scalar = isinstance(row, str | bytes) or getattr(row, "ndim", 1) == 0
    return hasattr(row, "__len__") and not is_scalar


def _refuse_records(examples: Iterable[Any], name: str) -> None:
    for row in examples:
        if isinstance(row, Mapping) or is_dataclass(row):
            conversion = f"pd.DataFrame({name})"
        elif isinstance(row, np.void):
            conversion = f"pd.DataFrame(np.array({name}))"
        else:
            continue
        raise ValueError(
            f"The rows of {name} must be lists, tuples or arrays; found "
            f"{type(row).__name__}, which names its cells. Put them into a data frame: "
            f"`{conversion}`."
        )


def _refuse_what_arrays_cannot_hold(
    rows: Sequence[Any], examples: Mapping[type, Any], name: str
) -> None:
    kinds = {
        kind
        for kind, row in examples.items()
        if isinstance(row, np.ma.MaskedArray) or is_tensor(row)
    }
    for index, row in enumerate(rows if kinds else ()):
        if type(row) in kinds:
            refuse_unsupported(row, f"{name}[{index}]")
    cells = chain.from_iterable(row for row in rows if isinstance(row, list | tuple))
    if type(np.ma.masked) in set(map(type, cells)):
        raise ValueError(
            f"{name} must not have masked cells; found `np.ma.masked` in its rows. Mark "
            "missing cells with None or np.nan instead."
        )


def _refuse_different_lengths(rows: Sequence[Any], name: str) -> None:
    lengths = np.fromiter(map(len, rows), np.intp, len(rows))
    other = int(np.argmax(lengths != lengths[0]))
    if other > 0:
        raise ValueError(
            f"The rows of {name} must have the same length; found {lengths[0]} cells in row 0 "
            f"and {lengths[other]} in row {other}. Add None for missing cells, or put the rows "
            f"into a data frame, which does so: `pd.DataFrame({name})`."
        )
