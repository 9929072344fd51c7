"""`Column`: one column of a table, a class for each kind."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import TIME_UNITS, Cells, is_missing

# Beyond its 50 - 1 most frequent levels, a categorical column's levels share one slot.
MOST_LEVELS_APART = 50


@dataclass(frozen=True, kw_only=True)
class Column(ABC):
    """One column: its name, its kind, and why it has this kind.

    A cell of a column is one float64: its value or, if the column `has_levels`, the index of
    its level; NaN if it is missing.
    """

    kind: ClassVar[str]
    has_levels: ClassVar[bool]
    # Whether drawn cells may hold values that the table does not; they are copies otherwise.
    draws_new_values: ClassVar[bool] = False

    name: str
    reason: str
    # What drawn cells copy (none if they are new values), and the first row of each.
    levels: npt.NDArray = field(
        default_factory=lambda: np.empty(0), repr=False, compare=False
    )  # (n_levels,)
    first_rows: npt.NDArray[np.intp] = field(
        default_factory=lambda: np.empty(0, dtype=np.intp), repr=False, compare=False
    )  # (n_levels,)
    # Index of the first row whose cell is missing.
    first_missing_row: int | None = None
    # Range of the cells that sit at no spike; empty if there are none.
    range_off_spikes: tuple[float, float] = (np.inf, -np.inf)
    # Unit of times, a key of `TIME_UNITS`; None for other cells.
    time_unit: str | None = None
    # Location and scale of the cells, by which they are standardized.
    mean: float = 0.0
    deviation: float = 1.0

    @property
    def has_missing(self) -> bool:
        """Whether at least one cell is missing."""
        return self.first_missing_row is not None

    @property
    def example_rows(self) -> npt.NDArray[np.intp]:  # (n_levels [+ 1],)
        """Index of a row for each level that drawn cells copy, then of a missing cell."""
        missing = [] if self.first_missing_row is None else [self.first_missing_row]
        return np.array([*self.first_rows.tolist(), *missing], dtype=np.intp)

    @abstractmethod
    def example_indices(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the index of each cell's level among `example_rows`."""

    @abstractmethod
    def read(self, values: npt.NDArray) -> npt.NDArray[np.float64]:  # (n_rows,), both
        """Turn the values of `Cells`, from the table that was learned from, into cells."""

    def read_new(self, cells: Cells) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Read cells of another table.

        Raises
        ------
        ValueError
            If a cell is text instead of a number, a number instead of a time, a level that
            was not seen, or missing where none was.
        """
        cells = self._in_own_unit(cells)
        if not self.has_missing and is_missing(cells.values).any():
            raise ValueError(
                f"Column {self.name!r} has missing cells, and had none when fitting. Fill "
                "them in, or leave these rows out."
            )
        self._check_new(cells.values)
        return self.read(cells.values)

    @abstractmethod
    def _check_new(self, values: npt.NDArray) -> None:
        """Raise a ValueError if a value cannot be read."""

    def _in_own_unit(self, cells: Cells) -> Cells:
        """Convert times to the unit of the table that was learned from."""
        if cells.time_unit == self.time_unit:
            return cells
        if cells.time_unit is None or self.time_unit is None:
            held, found = ("times", "others") if self.time_unit else ("no times", "times")
            raise ValueError(
                f"Column {self.name!r} held {held} when fitting; found {found}. Pass the "
                "columns that were fitted, in their order."
            )
        microseconds = cells.values * TIME_UNITS[cells.time_unit]
        return cells._replace(values=microseconds / TIME_UNITS[self.time_unit])


@dataclass(frozen=True, kw_only=True)
class NumericColumn(Column):
    """Numbers or times with more than two distinct values."""

    has_levels: ClassVar[bool] = False

    # Smallest and largest value, in the table's own dtype.
    lowest: float | int
    highest: float | int
    # Values that many rows share.
    spikes: tuple[float, ...] = ()
    # Largest number of decimals; None if it is not known.
    decimals: int | None = None
    # Whether the cells are objects of the class `decimal.Decimal`.
    holds_decimals: bool = False

    def read(self, values: npt.NDArray) -> npt.NDArray[np.float64]:  # (n_rows,), both
        """Return the values as float64."""
        return values.astype(np.float64)

    def _check_new(self, values: npt.NDArray) -> None:
        if values.dtype.kind == "O":
            raise ValueError(
                f"Column {self.name!r} held numbers when fitting; found text or other objects. "
                "Pass the columns that were fitted, in their order."
            )


@dataclass(frozen=True, kw_only=True)
class _NewValuesColumn(NumericColumn):
    """Drawn cells are new values between the lowest and the highest one."""

    draws_new_values: ClassVar[bool] = True

    def example_indices(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return nothing to copy: only missing cells have an example."""
        return np.zeros(len(observed), dtype=np.intp)


@dataclass(frozen=True, kw_only=True)
class ContinuousColumn(_NewValuesColumn):
    """Numbers that seldom repeat."""

    kind: ClassVar[str] = "continuous"


@dataclass(frozen=True, kw_only=True)
class IntegerColumn(_NewValuesColumn):
    """Whole numbers that seldom repeat."""

    kind: ClassVar[str] = "integer"


@dataclass(frozen=True, kw_only=True)
class DiscreteColumn(NumericColumn):
    """Numbers that repeat; its levels are ascending, and drawn cells are copies of these."""

    kind: ClassVar[str] = "discrete"

    @property
    def levels_off_spikes(self) -> npt.NDArray[np.float64]:  # (n_other_levels,)
        """The levels that are no spikes."""
        return self.levels[~np.isin(self.levels, self.spikes)].astype(np.float64)

    def example_indices(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the index of each value among the levels."""
        return np.searchsorted(self.levels.astype(np.float64), observed)


@dataclass(frozen=True, kw_only=True)
class LevelColumn(Column):
    """Cells that are one of a few levels; drawn cells are copies of these."""

    has_levels: ClassVar[bool] = True

    def example_indices(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the cells, which are indices of levels."""
        return observed.astype(np.intp)

    def read(self, values: npt.NDArray) -> npt.NDArray[np.float64]:  # (n_rows,), both
        """Return the index of each value's level."""
        index_of = {level: index for index, level in enumerate(self.levels.tolist())}
        is_observed = ~is_missing(values)
        indices = map(index_of.__getitem__, values[is_observed].tolist())
        cells = np.full(len(values), np.nan)
        cells[is_observed] = np.fromiter(indices, np.float64)
        return cells

    def _check_new(self, values: npt.NDArray) -> None:
        known = set(self.levels.tolist())
        found = set(values[~is_missing(values)].tolist())
        if not found <= known:
            raise ValueError(
                f"Column {self.name!r} must hold what was seen when fitting; found "
                f"{sorted(found - known, key=repr)[:5]} besides. Leave these rows out."
            )


@dataclass(frozen=True, kw_only=True)
class ConstantColumn(LevelColumn):
    """At most one level; none if every cell is missing."""

    kind: ClassVar[str] = "constant"


@dataclass(frozen=True, kw_only=True)
class BinaryColumn(LevelColumn):
    """Two levels."""

    kind: ClassVar[str] = "binary"


@dataclass(frozen=True, kw_only=True)
class OrdinalColumn(LevelColumn):
    """Three or more ordered levels, ascending."""

    kind: ClassVar[str] = "ordinal"

    counts: npt.NDArray[np.intp] = field(repr=False, compare=False)  # (n_levels,)


@dataclass(frozen=True, kw_only=True)
class CategoricalColumn(LevelColumn):
    """Levels without an order, the most frequent first."""

    kind: ClassVar[str] = "categorical"
