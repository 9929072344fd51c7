"""`Fixed`, and what all synthetic rows must meet: the parameter `constraints`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.rows import TableCells
from vaesampler._generation.filters import RowFilter
from vaesampler._runtime.users_code import errors_noted
from vaesampler._table.named_features import ColumnFinder
from vaesampler._table.templates import Template


class Fixed:
    """Combinations of columns that synthetic rows only have as in the table of `fit`.

    Pass it as `constraints` of :class:`vaesampler.VAEOversampler`. Cells are compared exactly,
    and missing cells are equal. Use it for categories that depend on each other, such as
    cities and countries; combinations of numbers with many values are hardly ever met.

    Parameters
    ----------
    *columns : int, str or tuple
        Names or indices of at least two columns, as in `categorical_features`.

    Examples
    --------
    >>> import pandas as pd
    >>> from vaesampler import Fixed, VAEOversampler
    >>> country = ["France", "Spain", "Spain"] * 40
    >>> city = ["Paris", "Madrid", "Sevilla"] * 40
    >>> X = pd.DataFrame({"country": country, "city": city, "age": range(120)})
    >>> sampler = VAEOversampler(constraints=Fixed("country", "city"), random_state=0)
    >>> X_new, _ = sampler.fit_resample(X, [0] * 90 + [1] * 30)
    >>> sorted(set(zip(X_new["country"], X_new["city"])))
    [('France', 'Paris'), ('Spain', 'Madrid'), ('Spain', 'Sevilla')]
    """

    def __init__(self, *columns: Any) -> None:
        if len(columns) < 2:
            raise ValueError(
                f"Fixed must name at least two columns; found {len(columns)}. For example: "
                "Fixed('zip', 'city')."
            )
        self.columns = columns

    def __repr__(self) -> str:
        return f"Fixed({', '.join(map(repr, self.columns))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fixed) and self.columns == other.columns

    def __hash__(self) -> int:
        return hash(self.columns)


# Functions of a table of the user's kind, which return a boolean for each row; and `Fixed`.
Constraint: TypeAlias = Callable[[Any], Any] | Fixed
Constraints: TypeAlias = Constraint | Sequence[Constraint] | None


def listed(constraints: Constraints) -> list[Constraint]:
    """Return the constraints as a list.

    Raises
    ------
    ValueError
        If one is neither a callable nor a `Fixed`.
    """
    if constraints is None:
        return []
    several: list[Any] = (
        list(constraints) if isinstance(constraints, list | tuple) else [constraints]
    )
    for one in several:
        if isinstance(one, type) or not (callable(one) or isinstance(one, Fixed)):
            raise ValueError(
                "The 'constraints' parameter must be a callable that takes a table, a "
                f"vaesampler.Fixed, a list of these, or None; found {one!r}."
            )
    return several


def constraint_filters(
    constraints: Constraints, template: Template, cells: TableCells
) -> tuple[RowFilter, ...]:
    """Return a filter for each constraint, given the cells of the table of `fit`.

    Raises
    ------
    ValueError
        If a constraint is invalid.
    """
    filters: list[RowFilter] = []
    for index, one in enumerate(listed(constraints)):
        if isinstance(one, Fixed):
            filters.append(SeenCombinations.of(one, template, cells))
        else:
            filters.append(UsersConstraint(_name_of(one, index), one, template))
    return tuple(filters)


def n_rows_refused(filters: Iterable[RowFilter], cells: TableCells) -> dict[str, int]:
    """Return the number of real rows that break each constraint, if there are any."""
    refused: dict[str, int] = {}
    several = list(filters)
    if not several:
        return refused
    for block in cells.blocks(np.arange(len(cells))):
        for one in several:
            n_refused = len(block) - int(one.accepts(block).sum())
            if n_refused:
                refused[one.name] = refused.get(one.name, 0) + n_refused
    return refused


@dataclass(frozen=True, eq=False)
class UsersConstraint(RowFilter):
    """Accepts the rows for which a user's function returns True."""

    name: str
    function: Callable[[Any], Any]
    template: Template

    def accepts(
        self, cells: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:  # (n_rows, n_columns) to (n_rows,)
        """Call the function with a table of the user's kind."""
        table = self.template.make([cells], len(cells))
        with errors_noted(f"Raised by {self.name}, for a table of {len(cells):,} rows."):
            mask = np.asarray(self.function(table))
        if mask.dtype.kind == "O" and all(isinstance(one, bool) for one in mask.flat):
            mask = mask.astype(bool)  # of extension dtypes
        if mask.shape != (len(cells),) or mask.dtype.kind != "b":
            raise ValueError(
                f"{self.name} must return one boolean for each row, an array of shape "
                f"({len(cells)},); found an array of shape {mask.shape}, {mask.dtype}."
            )
        return mask


@dataclass(frozen=True, eq=False)
class SeenCombinations(RowFilter):
    """Accepts rows whose combination of some cells is in the table of `fit`."""

    fixed: Fixed
    column_indices: npt.NDArray[np.intp]  # (n_fixed,)
    combinations: npt.NDArray[np.float64]  # (n_combinations, n_fixed), cells

    @classmethod
    def of(cls, fixed: Fixed, template: Template, cells: TableCells) -> Self:
        """Collect the combinations of a table.

        Raises
        ------
        ValueError
            If a column is unknown or named twice.
        """
        finder = ColumnFinder(template.keys, repr(fixed))
        indices = np.array([finder.index_of(one) for one in fixed.columns], dtype=np.intp)
        if len(set(indices.tolist())) < len(indices):
            raise ValueError(f"{fixed!r} names a column twice. Name at least two columns.")
        found = np.empty((0, len(indices)))
        for block in cells.blocks(np.arange(len(cells))):
            found = np.unique(np.concatenate([found, _without_nan(block[:, indices])]), axis=0)
        return cls(fixed, indices, found)

    @property
    def name(self) -> str:  # type: ignore[override]
        """What the filter is called in messages."""
        return f"the constraint {self.fixed!r}"

    def accepts(
        self, cells: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:  # (n_rows, n_columns) to (n_rows,)
        """Return which rows have a combination that is in the table."""
        keys = _keys(_without_nan(cells[:, self.column_indices]))
        nearest = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return np.asarray(self._keys[nearest] == keys, dtype=bool)

    @cached_property
    def _keys(self) -> npt.NDArray[Any]:  # (n_combinations,), ascending
        return np.sort(_keys(self.combinations))


def _without_nan(
    cells: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:  # (n_rows, n_fixed), both
    """Return cells in which infinity, which no cell is, stands for missing ones."""
    return np.where(np.isnan(cells), np.inf, cells + 0.0)  # -0.0 is 0.0


def _keys(cells: npt.NDArray[np.float64]) -> npt.NDArray[Any]:  # (n_rows, n_fixed), (n_rows,)
    """Return a key of bytes for each row; equal rows have equal keys."""
    width = cells.shape[1] * cells.itemsize
    return np.ascontiguousarray(cells).view(np.dtype((np.void, width)))[:, 0]


def _name_of(function: Callable[[Any], Any], index: int) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return f"the constraint {name} (number {index + 1})"
