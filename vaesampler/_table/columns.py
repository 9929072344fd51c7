"""`Column`: one column of a table, with one class for each kind."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells
from vaesampler._table.grid import FLOATS, Grid, ascending_positions, find_levels
from vaesampler._table.normal_scores import NormalScores
from vaesampler._table.notations import NUMBERS, Notation

# Most one-hot slots of a categorical column: the 49 most frequent levels have one each, all
# others share the last.
MOST_LEVELS_APART = 50


@dataclass(frozen=True, kw_only=True)
class Column(ABC):
    """A column: its name, its kind, and the reason for the kind.

    A cell is a float64: the position of its value (see `Grid`) or, if the column `has_levels`,
    the index of its level; NaN if it is missing.
    """

    kind: ClassVar[str]
    has_levels: ClassVar[bool]

    name: str
    reason: str
    # Exact values that drawn cells copy, and the first row of each. All other drawn cells are
    # new values.
    levels: npt.NDArray[Any] = field(
        default_factory=lambda: np.empty(0), repr=False, compare=False
    )  # (n_levels,)
    first_rows: npt.NDArray[np.intp] = field(
        default_factory=lambda: np.empty(0, dtype=np.intp), repr=False, compare=False
    )  # (n_levels,)
    # Index of the row whose missing cell is copied.
    first_missing_row: int | None = None
    # Range of the cells that are not spikes; empty if there are none.
    range_off_spikes: tuple[float, float] = (np.inf, -np.inf)
    # What the values represent; None if they are objects.
    notation: Notation | None = None

    @property
    def has_missing(self) -> bool:
        """Whether a cell is missing."""
        return self.first_missing_row is not None

    @property
    def example_rows(self) -> npt.NDArray[np.intp]:  # (n_levels [+ 1],)
        """Index of a row for each level, then of a row with a missing cell."""
        missing = [] if self.first_missing_row is None else [self.first_missing_row]
        return np.array([*self.first_rows.tolist(), *missing], dtype=np.intp)

    @property
    def is_plain(self) -> bool:
        """Whether a cell is the value itself, as a float64."""
        return False

    @abstractmethod
    def is_new(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:  # (n_rows,), both
        """Return which cells are new values instead of copies; no cell is missing."""

    @abstractmethod
    def example_indices(
        self, copies: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the index into `example_rows` of cells that are copies; none is missing."""

    @abstractmethod
    def read(self, cells: Cells) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Turn cells of the table of `fit` into float64."""

    def read_new(self, cells: Cells) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Turn the cells of a new table into cells of this column.

        Raises
        ------
        ValueError
            If numbers are text or times, or times are numbers, if a level is unknown, or if a
            cell is missing and none was in the table of `fit`.
        """
        if not self.has_missing and cells.has_missing:
            raise ValueError(
                f"Column {self.name!r} has missing cells, but had none when fitting. Impute "
                "them, or drop these rows."
            )
        cells = self._in_own_notation(cells)
        self._check_new(cells)
        return self.read(cells)

    @abstractmethod
    def _check_new(self, cells: Cells) -> None:
        """Raise a ValueError if a cell cannot be read."""

    def _in_own_notation(self, cells: Cells) -> Cells:
        """Convert numbers to the notation of the table of `fit`."""
        if self.notation is None:
            return cells
        try:
            return cells.in_notation(self.notation)
        except ValueError as error:
            raise ValueError(
                f"Column {self.name!r} held {error}. Pass the same columns as in `fit`, in the "
                "same order."
            ) from error


@dataclass(frozen=True, kw_only=True)
class NumericColumn(Column):
    """Numbers or times of more than two distinct values."""

    has_levels: ClassVar[bool] = False

    notation: Notation = NUMBERS
    # Smallest and largest value, exact.
    lowest: float | int
    highest: float | int
    # Cells of values that a large share of the rows has, such as 0.
    spikes: tuple[float, ...] = ()
    grid: Grid = FLOATS
    # Of the cells that are not spikes.
    scores: NormalScores = field(repr=False, compare=False)

    def _check_new(self, cells: Cells) -> None:
        if not cells.are_numbers:
            raise ValueError(
                f"Column {self.name!r} held numbers when fitting; found text or other objects. "
                "Pass the same columns as in `fit`, in the same order."
            )

    def _positions(self, cells: Cells) -> npt.NDArray[np.float64]:  # (n_rows,)
        positions = self.grid.positions(cells.values)
        if cells.missing is not None:
            positions[cells.missing] = np.nan
        return positions


@dataclass(frozen=True, kw_only=True)
class _NewValuesColumn(NumericColumn):
    """Numbers that are drawn as new values between the lowest and the highest.

    The levels are the spikes.
    """

    @property
    def is_plain(self) -> bool:
        """Whether a cell is the value itself, as a float64."""
        return self.grid.is_plain

    def is_new(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:  # (n_rows,), both
        """Return which cells are not spikes."""
        return ~np.isin(observed, self.spikes) if self.spikes else np.ones(len(observed), bool)

    def example_indices(
        self, copies: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the index of each cell's spike."""
        index_of = {spike: index for index, spike in enumerate(self.spikes)}
        return np.array([index_of[cell] for cell in copies.tolist()], dtype=np.intp)

    def read(self, cells: Cells) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Return the positions of the values on the grid."""
        positions = self._positions(cells)
        if not self.is_plain:
            for value, spike in zip(self.levels.tolist(), self.spikes, strict=True):
                positions[(cells.values == value) & ~cells.is_missing] = spike
        return positions


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
    def positions(self) -> npt.NDArray[np.float64]:  # (n_levels,)
        """Cell of each level, strictly ascending."""
        return ascending_positions(self.grid, self.levels)

    @property
    def positions_off_spikes(self) -> npt.NDArray[np.float64]:  # (n_other_levels,)
        """Cells of the levels that are not spikes."""
        positions = self.positions
        return positions[~np.isin(positions, self.spikes)] if self.spikes else positions

    @property
    def is_plain(self) -> bool:
        """Whether a cell is the value itself, as a float64."""
        # Different values of long doubles may be the same float64.
        return self.grid.is_plain and self.levels.dtype.itemsize <= 8

    def is_new(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:  # (n_rows,), both
        """Return false: all cells are copies."""
        return np.zeros(len(observed), dtype=bool)

    def example_indices(
        self, copies: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the index of each cell's level."""
        return np.searchsorted(self.positions, copies)

    def read(self, cells: Cells) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Return the position of each value's level, or of other values on the grid."""
        positions = self._positions(cells)
        if not self.is_plain:
            indices, is_level = find_levels(self.levels, cells.values)
            is_level &= ~cells.is_missing
            positions[is_level] = self.positions[indices[is_level]]
        return positions


@dataclass(frozen=True, kw_only=True)
class CopiedColumn(Column):
    """Cells that are indices of examples: all drawn cells are copies."""

    has_levels: ClassVar[bool] = True

    def is_new(
        self, observed: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:  # (n_rows,), both
        """Return false: all cells are copies."""
        return np.zeros(len(observed), dtype=bool)

    def example_indices(
        self, copies: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the cells, which are indices of examples."""
        return copies.astype(np.intp)


@dataclass(frozen=True, kw_only=True)
class InheritedColumn(CopiedColumn):
    """Cells of any kind, which a drawn row copies from the real row that it is drawn around.

    A drawn cell is the index of this row among `first_rows`, which are ascending. Cells of the
    table are not read, and 0.
    """

    kind: ClassVar[str] = "inherited"

    @classmethod
    def of(cls, name: str, row_indices: npt.NDArray[np.intp]) -> "InheritedColumn":
        """Return a column that keeps the cells of these rows."""
        return cls(
            name=name,
            reason="named in inherited_features, taken from the source row",
            levels=np.arange(len(row_indices)),
            first_rows=row_indices,
        )

    def cells_of(
        self, sources: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.float64]:  # (n_rows,), both
        """Return the cells of drawn rows, given their source rows in the table."""
        return np.searchsorted(self.first_rows, sources).astype(np.float64)

    def read(self, cells: Cells) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Return zeros."""
        return np.zeros(len(cells.values))

    def read_new(self, cells: Cells) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Return zeros: any cells will do."""
        return self.read(cells)

    def _check_new(self, cells: Cells) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class LevelColumn(CopiedColumn):
    """Cells that are one of a set of levels: drawn cells copy one of them."""

    # Whether the levels are text, categories or booleans, or named as such.
    are_categories: bool = False
    # Of the cells that are not missing, if there are two levels.
    share_of_second: float = 0.0

    def read(self, cells: Cells) -> npt.NDArray[np.float64]:  # (n_rows,)
        """Return the index of each value's level."""
        is_observed = ~cells.is_missing
        indices = self._indices(cells.values[is_observed])
        read = np.full(len(cells.values), np.nan)
        read[is_observed] = indices
        return read

    def _check_new(self, cells: Cells) -> None:
        known = set(self.levels.tolist())
        found = set(cells.observed.tolist())
        if not found <= known:
            raise ValueError(
                f"Column {self.name!r} must hold what was seen when fitting; found new values "
                f"{cells.shown(sorted(found - known, key=repr))}. Drop these rows."
            )

    def _indices(self, values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:  # (n,), both
        if self.levels.dtype.kind != "O" and values.dtype.kind != "O":
            return np.searchsorted(self.levels, values)  # numbers are ascending
        index_of = {level: index for index, level in enumerate(self.levels.tolist())}
        return np.fromiter(map(index_of.__getitem__, values.tolist()), np.intp, len(values))


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
