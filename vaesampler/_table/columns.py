"""`Column`: one column of a table, with one class for each kind."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import TIME_UNITS, Cells, is_missing

# Most one-hot slots of a categorical column: the 49 most frequent levels have one each, all
# others share the last.
MOST_LEVELS_APART = 50


@dataclass(frozen=True, kw_only=True)
class Column(ABC):
    """A column: its name, its kind, and the reason for the kind.

    A cell is a float64: its value or, if the column `has_levels`, the index of its level; NaN
    if it is missing.
    """

    kind: ClassVar[str]
    has_levels: ClassVar[bool]
    # Whether drawn cells may have values that are not in the table; otherwise they are copies.
    draws_new_values: ClassVar[bool] = False

    name: str
    reason: str
    # Values that drawn cells copy (empty if they are new values), and the first row of each.
    levels: npt.NDArray[Any] = field(
        default_factory=lambda: np.empty(0), repr=False, compare=False
    )  # (n_levels,)
    first_rows: npt.NDArray[np.intp] = field(
        default_factory=lambda: np.empty(0, dtype=np.intp), repr=False, compare=False
    )  # (n_levels,)
    # Index of the first row with a missing cell.
    first_missing_row: int | None = None
    # Range of the values that are not spikes; empty if there are none.
    range_off_spikes: tuple[float, float] = (np.inf, -np.inf)
    # Unit of times, a key of `TIME_UNITS`; None for other cells.
    time_unit: str | None = None
    # Location and scale of the cells, used to standardize them.
    mean: float = 0.0
    deviation: float = 1.0

    @property
    def has_missing(self) -> bool:
        """Whether a cell is missing."""
        return self.first_missing_row is not None

    @property
    def example_rows(self) -> npt.NDArray[np.intp]:  # (n_levels [+ 1],)
        """Index of a row for each level, then of a row with a missing cell."""
        missing = [] if self.first_missing_row is None else [self.first_missing_row]
        return np.array([*self.first_rows.tolist(), *missing], dtype=np.intp)

    @abstractmethod
    def example_indices(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the index into `example_rows` of each cell; no cell is missing."""

    @abstractmethod
    def read(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:  # (n_rows,), both
        """Turn the values of `Cells`, read from the table of `fit`, into cells."""

    def read_new(self, cells: Cells) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Turn the cells of a new table into cells of this column.

        Raises
        ------
        ValueError
            If numbers are text or times, or times are numbers, if a level is unknown, or if a
            cell is missing and none was in the table of `fit`.
        """
        cells = self._in_own_unit(cells)
        if not self.has_missing and is_missing(cells.values).any():
            raise ValueError(
                f"Column {self.name!r} has missing cells, but had none when fitting. Impute "
                "them, or drop these rows."
            )
        self._check_new(cells.values)
        return self.read(cells.values)

    @abstractmethod
    def _check_new(self, values: npt.NDArray[Any]) -> None:
        """Raise a ValueError if a value cannot be read."""

    def _in_own_unit(self, cells: Cells) -> Cells:
        """Convert times to the unit of the table of `fit`."""
        if cells.time_unit == self.time_unit:
            return cells
        if cells.time_unit is None or self.time_unit is None:
            held, found = ("times", "others") if self.time_unit else ("no times", "times")
            raise ValueError(
                f"Column {self.name!r} held {held} when fitting; found {found}. Pass the same "
                "columns as in `fit`, in the same order."
            )
        microseconds = cells.values * TIME_UNITS[cells.time_unit]
        return cells._replace(values=microseconds / TIME_UNITS[self.time_unit])


@dataclass(frozen=True, kw_only=True)
class NumericColumn(Column):
    """Numbers or times of more than two distinct values."""

    has_levels: ClassVar[bool] = False

    # Smallest and largest value, in the table's own dtype.
    lowest: float | int
    highest: float | int
    # Values that a large share of the rows has, such as 0.
    spikes: tuple[float, ...] = ()
    # Largest number of decimals of a value; None if unknown.
    decimals: int | None = None
    # Whether the cells are `decimal.Decimal` objects.
    holds_decimals: bool = False

    def read(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:  # (n_rows,), both
        """Return the values as float64."""
        return values.astype(np.float64)

    def _check_new(self, values: npt.NDArray[Any]) -> None:
        if values.dtype.kind == "O":
            raise ValueError(
                f"Column {self.name!r} held numbers when fitting; found text or other objects. "
                "Pass the same columns as in `fit`, in the same order."
            )


@dataclass(frozen=True, kw_only=True)
class _NewValuesColumn(NumericColumn):
    """Numbers that are drawn as new values between the lowest and the highest."""

    draws_new_values: ClassVar[bool] = True

    def example_indices(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return zeros: drawn values are new, and only missing cells are copied."""
        return np.zeros(len(observed), dtype=np.intp)


@dataclass(frozen=True, kw_only=True)
class ContinuousColumn(_NewValuesColumn):
    """Numbers of which few repeat."""

    kind: ClassVar[str] = "continuous"


@dataclass(frozen=True, kw_only=True)
class IntegerColumn(_NewValuesColumn):
    """Integers of which few repeat."""

    kind: ClassVar[str] = "integer"


@dataclass(frozen=True, kw_only=True)
class DiscreteColumn(NumericColumn):
    """Numbers that repeat: drawn cells copy one of the levels, which are ascending."""

    kind: ClassVar[str] = "discrete"

    @property
    def levels_off_spikes(self) -> npt.NDArray[np.float64]:  # (n_other_levels,)
        """Levels that are not spikes."""
        return self.levels[~np.isin(self.levels, self.spikes)].astype(np.float64)

    def example_indices(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the index of each value's level."""
        return np.searchsorted(self.levels.astype(np.float64), observed)


@dataclass(frozen=True, kw_only=True)
class LevelColumn(Column):
    """Cells that are one of a set of levels: drawn cells copy one of them."""

    has_levels: ClassVar[bool] = True

    def example_indices(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the cells, which are level indices."""
        return observed.astype(np.intp)

    def read(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:  # (n_rows,), both
        """Return the index of each value's level."""
        index_of = {level: index for index, level in enumerate(self.levels.tolist())}
        is_observed = ~is_missing(values)
        indices = map(index_of.__getitem__, values[is_observed].tolist())
        cells = np.full(len(values), np.nan)
        cells[is_observed] = np.fromiter(indices, np.float64)
        return cells

    def _check_new(self, values: npt.NDArray[Any]) -> None:
        known = set(self.levels.tolist())
        found = set(values[~is_missing(values)].tolist())
        if not found <= known:
            raise ValueError(
                f"Column {self.name!r} must hold what was seen when fitting; found new values "
                f"{sorted(found - known, key=repr)[:5]}. Drop these rows."
            )


@dataclass(frozen=True, kw_only=True)
class ConstantColumn(LevelColumn):
    """One level, or none if all cells are missing."""

    kind: ClassVar[str] = "constant"


@dataclass(frozen=True, kw_only=True)
class BinaryColumn(LevelColumn):
    """Two levels."""

    kind: ClassVar[str] = "binary"


@dataclass(frozen=True, kw_only=True)
class IndicatorColumn(LevelColumn):
    """One of a group of one-hot encoded columns, of which exactly one is 1 in every row.

    The levels are 0 and 1, or False and True, in this order; no cell is missing.
    """

    kind: ClassVar[str] = "indicator"

    # Index of the first column of the group.
    group: int


@dataclass(frozen=True, kw_only=True)
class OrdinalColumn(LevelColumn):
    """Three or more ordered levels, ascending."""

    kind: ClassVar[str] = "ordinal"

    counts: npt.NDArray[np.intp] = field(repr=False, compare=False)  # (n_levels,)


@dataclass(frozen=True, kw_only=True)
class CategoricalColumn(LevelColumn):
    """Levels without an order, the most frequent first."""

    kind: ClassVar[str] = "categorical"
