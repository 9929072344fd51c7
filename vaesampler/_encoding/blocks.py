"""`Block`: columns that are encoded alike, and how; a class for each way.

To add a way, write a subclass and name it in `BLOCKS`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.bounds import Support
from vaesampler._encoding.layout import Part
from vaesampler._encoding.scaling import compress, expand, midpoints_between
from vaesampler._table.columns import (
    MOST_LEVELS_APART,
    BinaryColumn,
    CategoricalColumn,
    Column,
    ConstantColumn,
    DiscreteColumn,
    NumericColumn,
    OrdinalColumn,
)
from vaesampler._table.schema import FeatureSchema


@dataclass(frozen=True, eq=False)  # arrays are not one truth value
class Block(ABC):
    """The columns of a table that are encoded alike."""

    column_indices: npt.NDArray[np.intp]  # (n_columns_of_block,), ascending
    columns: Sequence[Column]

    @classmethod
    def of(cls, schema: FeatureSchema) -> Self:
        """Return the block of the columns that it takes."""
        indices = schema.indices_where(map(cls.takes, schema.columns))
        return cls(indices, [schema.columns[index] for index in indices])

    @classmethod
    @abstractmethod
    def takes(cls, column: Column) -> bool:
        """Return whether a column belongs to the block."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Number of slots."""

    @abstractmethod
    def encode(
        self, cells: npt.NDArray[np.float64], encoded: npt.NDArray[np.float32]
    ) -> None:  # (n_rows, n_columns_of_block), (n_rows, width)
        """Write the cells of the block's columns into its slots, which hold zeros."""

    @abstractmethod
    def decode(
        self, encoded: npt.NDArray[np.float32], support: Support, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:  # (n_rows, width) to (n_rows, n_columns_of_block)
        """Return the cells that drawn slots mean, in the support of a class."""

    @cached_property
    def mean(self) -> npt.NDArray[np.float64]:  # (n_columns_of_block,)
        """Locations of the columns."""
        return np.array([column.mean for column in self.columns])

    @cached_property
    def deviation(self) -> npt.NDArray[np.float64]:  # (n_columns_of_block,)
        """Scales of the columns."""
        return np.array([column.deviation for column in self.columns])


class CategoryBlock(Block):
    """A block without flags, whose slots have one likelihood."""

    @property
    @abstractmethod
    def part(self) -> Part:
        """Its part of the layout."""

    @property
    def width(self) -> int:
        """Number of slots."""
        return self.part.width


class NumericBlock(Block):
    """Numbers and constants: a standardized value, and flags for missing cells and spikes.

    Behind the values of all columns follow the flags: first those for missing cells, then one
    for each spike. The value is 0 where the cell is missing, or the column constant.
    """

    @classmethod
    def takes(cls, column: Column) -> bool:
        """Return whether the column is numeric or constant."""
        return isinstance(column, NumericColumn | ConstantColumn)

    @property
    def width(self) -> int:
        """Number of slots."""
        return len(self.columns) + self.n_flags

    @cached_property
    def n_flags(self) -> int:
        """Number of flags."""
        return len(self._with_missing) + len(self._spikes)

    @property
    def silenced(self) -> tuple[tuple[int, int], ...]:
        """Pairs of a flag and a slot of the block that is ignored where the flag is 1.

        A flag silences the value of its column, and the later flags of this column.
        """
        flagged = [*self._with_missing, *(index for index, _ in self._spikes)]
        of_flags = [
            (flag, len(self.columns) + later)
            for flag, index in enumerate(flagged)
            for later in range(flag + 1, len(flagged))
            if flagged[later] == index
        ]
        return (*enumerate(flagged), *of_flags)

    def encode(self, cells: npt.NDArray[np.float64], encoded: npt.NDArray[np.float32]) -> None:
        """Standardize and compress the values, and set the flags."""
        n_values, n_missing = len(self.columns), len(self._with_missing)
        encoded[:, :n_values] = self._standardized(cells, slice(None))
        if self._has_missing:
            np.nan_to_num(encoded[:, :n_values], copy=False)
        flags = encoded[:, n_values:]
        flags[:, :n_missing] = np.isnan(cells[:, self._with_missing])
        spiked = [index for index, _ in self._spikes]
        flags[:, n_missing:] = cells[:, spiked] == [value for _, value in self._spikes]

    def decode(
        self,
        encoded: npt.NDArray[np.float32],
        support: Support,
        rng: np.random.Generator,  # noqa: ARG002
    ) -> npt.NDArray[np.float64]:
        """Undo `encode`; values get the column's decimals, or the nearest level."""
        n_values, n_missing = len(self.columns), len(self._with_missing)
        cells = expand(encoded[:, :n_values].astype(np.float64))
        cells *= self.deviation
        cells += self.mean
        for decimals, indices in self._by_decimals.items():
            cells[:, indices] = np.round(cells[:, indices], decimals)
        np.maximum(cells, support.bounds.lowest[self.column_indices], out=cells)
        np.minimum(cells, support.bounds.highest[self.column_indices], out=cells)
        for index, column in enumerate(self.columns):
            if isinstance(column, DiscreteColumn):
                cells[:, index] = _nearest(column.levels_off_spikes, cells[:, index])
            elif isinstance(column, ConstantColumn):
                cells[:, index] = 0 if len(column.levels) > 0 else np.nan
        flags = encoded[:, n_values:] > 0.5
        # Earlier flags overrule later ones.
        for flag in reversed(range(len(self._spikes))):
            index, value = self._spikes[flag]
            cells[flags[:, n_missing + flag], index] = value
        for flag, index in enumerate(self._with_missing):
            cells[flags[:, flag], index] = np.nan
        return cells

    def levels_by_slot(self) -> Mapping[int, npt.NDArray[np.float64]]:  # of (n_levels,) each
        """Return the encoded levels of each discrete column, ascending, by its slot."""
        return {
            index: self._standardized(column.levels_off_spikes, index)
            for index, column in enumerate(self.columns)
            if isinstance(column, DiscreteColumn)
        }

    def _standardized(
        self, values: npt.NDArray[np.float64], indices: slice | int
    ) -> npt.NDArray[np.float64]:
        standardized: npt.NDArray[np.float64] = values - self.mean[indices]
        standardized /= self.deviation[indices]
        return compress(standardized)

    @cached_property
    def _has_missing(self) -> bool:
        return any(column.has_missing for column in self.columns)

    @cached_property
    def _with_missing(self) -> list[int]:  # indices among the block's columns
        return [
            index
            for index, column in enumerate(self.columns)
            # A column without levels is constant because all of its cells are missing.
            if column.has_missing and (not column.has_levels or len(column.levels) > 0)
        ]

    @cached_property
    def _spikes(self) -> list[tuple[int, float]]:  # indices among the block's columns
        return [
            (index, spike)
            for index, column in enumerate(self.columns)
            if isinstance(column, NumericColumn)
            for spike in column.spikes
        ]

    @cached_property
    def _by_decimals(self) -> dict[int, npt.NDArray[np.intp]]:
        return FeatureSchema(tuple(self.columns)).columns_by_decimals


class BinaryBlock(CategoryBlock):
    """Columns of two levels and without missing cells: the level's index, standardized."""

    @classmethod
    def takes(cls, column: Column) -> bool:
        """Return whether the column is binary, and no cell is missing."""
        return isinstance(column, BinaryColumn) and not column.has_missing

    @property
    def part(self) -> Part:
        """One slot a column."""
        return Part("bernoulli", (1,) * len(self.columns))

    def encode(self, cells: npt.NDArray[np.float64], encoded: npt.NDArray[np.float32]) -> None:
        """Standardize the indices."""
        standardized = cells - self.mean
        standardized /= self.deviation
        encoded[:] = compress(standardized)

    def decode(
        self,
        encoded: npt.NDArray[np.float32],
        support: Support,
        rng: np.random.Generator,  # noqa: ARG002
    ) -> npt.NDArray[np.float64]:
        """Return the second level where the slot is positive, if the class has it."""
        bounds = support.bounds
        is_second = (encoded > 0.5).astype(np.float64)
        cells: npt.NDArray[np.float64] = is_second.clip(
            bounds.lowest[self.column_indices], bounds.highest[self.column_indices]
        )
        return cells


class CategoricalBlock(CategoryBlock):
    """One-hot encoded columns, with a slot for missing cells if there are any.

    The rare levels of a column of many levels share a slot.
    """

    @classmethod
    def takes(cls, column: Column) -> bool:
        """Return whether the column is categorical, or binary with missing cells."""
        return isinstance(column, CategoricalColumn) or (
            isinstance(column, BinaryColumn) and column.has_missing
        )

    @property
    def part(self) -> Part:
        """A group of slots a column."""
        widths = (_n_levels_apart(column) + column.has_missing for column in self.columns)
        return Part("categorical", tuple(widths))

    def encode(self, cells: npt.NDArray[np.float64], encoded: npt.NDArray[np.float32]) -> None:
        """Set the slot of each cell's level."""
        row_indices, start = np.arange(len(cells)), 0
        for index, (column, width) in enumerate(
            zip(self.columns, self.part.widths, strict=True)
        ):
            slots = np.minimum(cells[:, index], _n_levels_apart(column) - 1)
            slots = np.nan_to_num(slots, nan=width - 1).astype(np.intp)
            encoded[row_indices, start + slots] = 1
            start += width

    def decode(
        self, encoded: npt.NDArray[np.float32], support: Support, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        """Return the level of the largest slot of each group."""
        cells, start = np.empty((len(encoded), len(self.columns))), 0
        for index, (column, width) in enumerate(
            zip(self.columns, self.part.widths, strict=True)
        ):
            slots = encoded[:, start : start + width].argmax(axis=1)
            cells[:, index] = slots
            if column.has_missing:
                cells[slots == width - 1, index] = np.nan
            rare_levels = support.rare_levels.get(int(self.column_indices[index]))
            if rare_levels is not None:
                is_rare = slots == MOST_LEVELS_APART - 1
                cells[is_rare, index] = rng.choice(rare_levels, is_rare.sum())
            start += width
        return cells


class OrdinalBlock(CategoryBlock):
    """Columns of ordered levels: a score, and 1 in a second slot if the cell is missing.

    The score of a level with share p, above levels of total share F, is the logit of F + p / 2,
    standardized. It is 0 where the cell is missing.

    References
    ----------
    Irwin D. J. Bross (1958). How to Use Ridit Analysis.
    """

    @classmethod
    def takes(cls, column: Column) -> bool:
        """Return whether the column is ordinal."""
        return isinstance(column, OrdinalColumn)

    @property
    def part(self) -> Part:
        """One slot a column, or two."""
        widths = tuple(1 + column.has_missing for column in self.columns)
        return Part("ordinal", widths, tuple(tuple(one.tolist()) for one in self._scores))

    def encode(self, cells: npt.NDArray[np.float64], encoded: npt.NDArray[np.float32]) -> None:
        """Look up the scores."""
        for index, (scores, slot) in enumerate(zip(self._scores, self._slots, strict=True)):
            is_observed = ~np.isnan(cells[:, index])
            encoded[is_observed, slot] = scores[cells[is_observed, index].astype(np.intp)]
            if self.columns[index].has_missing:
                encoded[:, slot + 1] = ~is_observed

    def decode(
        self,
        encoded: npt.NDArray[np.float32],
        support: Support,
        rng: np.random.Generator,  # noqa: ARG002
    ) -> npt.NDArray[np.float64]:
        """Return the level of the nearest score, between those that the class has."""
        cells = np.empty((len(encoded), len(self.columns)))
        for index, (scores, slot) in enumerate(zip(self._scores, self._slots, strict=True)):
            cells[:, index] = np.searchsorted(midpoints_between(scores), encoded[:, slot])
            if self.columns[index].has_missing:
                cells[encoded[:, slot + 1] > 0.5, index] = np.nan
        bounds = support.bounds
        lowest, highest = (
            of_columns[self.column_indices] for of_columns in (bounds.lowest, bounds.highest)
        )
        clipped: npt.NDArray[np.float64] = cells.clip(lowest, highest)
        return clipped

    @cached_property
    def _slots(self) -> list[int]:
        """Slots of the scores."""
        return [0, *np.cumsum(self.part.widths)[:-1].tolist()] if self.columns else []

    @cached_property
    def _scores(self) -> list[npt.NDArray[np.float64]]:  # (n_levels,) each
        return [_scores(column) for column in self.columns if isinstance(column, OrdinalColumn)]


# In the order of the layout.
BLOCKS: tuple[type[CategoryBlock], ...] = (BinaryBlock, OrdinalBlock, CategoricalBlock)


def _scores(column: OrdinalColumn) -> npt.NDArray[np.float64]:  # (n_levels,)
    shares = column.counts / column.counts.sum()
    ridits = np.cumsum(shares) - shares / 2
    logits = np.log(ridits) - np.log1p(-ridits)
    mean = shares @ logits
    scores: npt.NDArray[np.float64] = (logits - mean) / np.sqrt(shares @ (logits - mean) ** 2)
    return scores


def _n_levels_apart(column: Column) -> int:
    """Return the number of slots for a column's levels."""
    return min(len(column.levels), MOST_LEVELS_APART)


def _nearest(
    values: npt.NDArray[np.float64], cells: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:  # (n_values,), (n_rows,) to (n_rows,)
    """Return, for each cell, the nearest of the ascending values."""
    nearest: npt.NDArray[np.float64] = values[np.searchsorted(midpoints_between(values), cells)]
    return nearest
