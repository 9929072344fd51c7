"""`Block`: encodes and decodes columns of some kinds, one class for each encoding.

To add an encoding, write a subclass of `CategoryBlock` and add it to `BLOCKS`.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.bounds import Support
from vaesampler._encoding.layout import Part, midpoints_between
from vaesampler._table.columns import (
    MOST_LEVELS_APART,
    BinaryColumn,
    CategoricalColumn,
    Column,
    IndicatorColumn,
    OrdinalColumn,
)
from vaesampler._table.schema import FeatureSchema


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class Block(ABC):
    """The columns of a table that have the same encoding."""

    column_indices: npt.NDArray[np.intp]  # (n_columns_of_block,), ascending
    columns: Sequence[Column]

    @classmethod
    def of(cls, schema: FeatureSchema) -> Self:
        """Return the block of those columns of a schema that it takes."""
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
        """Encode the cells of the block's columns into its slots, which are zero before."""

    def encode_drawn(
        self,
        drawn: npt.NDArray[np.float32],  # noqa: ARG002
        cells: npt.NDArray[np.float64],
        encoded: npt.NDArray[np.float32],
    ) -> None:  # (n_rows, width), (n_rows, n_columns_of_block), (n_rows, width)
        """Encode cells, given the slots that they were decoded from."""
        self.encode(cells, encoded)

    @abstractmethod
    def decode(
        self, encoded: npt.NDArray[np.float32], support: Support, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:  # (n_rows, width) to (n_rows, n_columns_of_block)
        """Decode drawn slots into cells within the support of a class."""


class CategoryBlock(Block):
    """A block without flags, all of whose slots have the same likelihood."""

    @property
    @abstractmethod
    def part(self) -> Part:
        """The block's part of the layout."""

    @property
    def width(self) -> int:
        """Number of slots."""
        return self.part.width


class BinaryBlock(CategoryBlock):
    """Columns with two levels and no missing cells: the standardized index of the level."""

    @classmethod
    def takes(cls, column: Column) -> bool:
        """Return whether the column is binary, and no cell is missing."""
        return isinstance(column, BinaryColumn) and not column.has_missing

    @cached_property
    def part(self) -> Part:
        """One slot per column."""
        return Part("bernoulli", (1,) * len(self.columns))

    def encode(self, cells: npt.NDArray[np.float64], encoded: npt.NDArray[np.float32]) -> None:
        """Standardize the indices."""
        encoded[:] = (cells - self._shares) / np.sqrt(self._shares * (1 - self._shares))

    @cached_property
    def _shares(self) -> npt.NDArray[np.float64]:  # (n_columns_of_block,)
        """Share of the second level of each column."""
        columns = (column for column in self.columns if isinstance(column, BinaryColumn))
        return np.array([column.share_of_second for column in columns])

    def decode(
        self,
        encoded: npt.NDArray[np.float32],
        support: Support,
        rng: np.random.Generator,  # noqa: ARG002
    ) -> npt.NDArray[np.float64]:
        """Return the second level where the slot is above 1/2, if the class has this level."""
        bounds = support.bounds
        is_second = (encoded > 0.5).astype(np.float64)
        cells: npt.NDArray[np.float64] = is_second.clip(
            bounds.lowest[self.column_indices], bounds.highest[self.column_indices]
        )
        return cells


class CategoricalBlock(CategoryBlock):
    """One-hot encoded columns, with a slot for missing cells if there are any.

    The rare levels of a column with many levels share one slot.
    """

    @classmethod
    def takes(cls, column: Column) -> bool:
        """Return whether the column is categorical, or binary with missing cells."""
        return isinstance(column, CategoricalColumn) or (
            isinstance(column, BinaryColumn) and column.has_missing
        )

    @cached_property
    def part(self) -> Part:
        """A group of slots per column."""
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
    """Columns with ordered levels: a score and, if cells are missing, a flag for these.

    The score of a level is logit(F + p / 2), standardized, where p is the share of the level
    and F the total share of all lower levels. The score of a missing cell is 0.

    References
    ----------
    Irwin D. J. Bross (1958). How to Use Ridit Analysis.
    """

    @classmethod
    def takes(cls, column: Column) -> bool:
        """Return whether the column is ordinal."""
        return isinstance(column, OrdinalColumn)

    @cached_property
    def part(self) -> Part:
        """One slot per column, or two if cells are missing."""
        widths = tuple(1 + column.has_missing for column in self.columns)
        return Part("ordinal", widths, tuple(tuple(one.tolist()) for one in self._scores))

    def encode(self, cells: npt.NDArray[np.float64], encoded: npt.NDArray[np.float32]) -> None:
        """Set the scores of the levels, and the flags of missing cells."""
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
        """Return the level with the nearest score, within the range of the class."""
        cells = np.empty((len(encoded), len(self.columns)))
        for index, (scores, slot) in enumerate(zip(self._scores, self._slots, strict=True)):
            cells[:, index] = np.searchsorted(midpoints_between(scores), encoded[:, slot])
            if self.columns[index].has_missing:
                cells[encoded[:, slot + 1] > 0.5, index] = np.nan
        bounds = support.bounds
        clipped: npt.NDArray[np.float64] = cells.clip(
            bounds.lowest[self.column_indices], bounds.highest[self.column_indices]
        )
        return clipped

    @cached_property
    def _slots(self) -> list[int]:
        """Slot of each column's score."""
        return [0, *np.cumsum(self.part.widths)[:-1].tolist()] if self.columns else []

    @cached_property
    def _scores(self) -> list[npt.NDArray[np.float64]]:  # (n_levels,) each
        return [_scores(column) for column in self.columns if isinstance(column, OrdinalColumn)]


class OneHotBlock(CategoryBlock):
    """Columns that are one-hot encoded already: a group of them is one categorical variable."""

    @classmethod
    def takes(cls, column: Column) -> bool:
        """Return whether the column is one of a group of one-hot encoded columns."""
        return isinstance(column, IndicatorColumn)

    @cached_property
    def part(self) -> Part:
        """One slot per column."""
        groups = (
            column.group for column in self.columns if isinstance(column, IndicatorColumn)
        )
        return Part("categorical", tuple(Counter(groups).values()))

    def encode(self, cells: npt.NDArray[np.float64], encoded: npt.NDArray[np.float32]) -> None:
        """Copy the cells."""
        encoded[:] = cells

    def decode(
        self, encoded: npt.NDArray[np.float32], support: Support, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        """Set one column of each group to 1: that of the largest slot.

        If the class has no row with a 1 there, it is one of the columns where it has.
        """
        cells, start = np.zeros(encoded.shape), 0
        row_indices = np.arange(len(encoded))
        is_in_class = support.bounds.highest[self.column_indices] > 0
        for width in self.part.widths:
            group = slice(start, start + width)
            chosen = encoded[:, group].argmax(axis=1)
            is_foreign = ~is_in_class[group][chosen]
            own = np.flatnonzero(is_in_class[group])
            chosen[is_foreign] = rng.choice(own, is_foreign.sum())
            cells[row_indices, start + chosen] = 1
            start += width
        return cells


# In the order of the layout.
BLOCKS: tuple[type[CategoryBlock], ...] = (
    BinaryBlock,
    OrdinalBlock,
    CategoricalBlock,
    OneHotBlock,
)


def _scores(column: OrdinalColumn) -> npt.NDArray[np.float64]:  # (n_levels,)
    """Return the standardized logits of the ridits F + p / 2 of the levels."""
    shares = column.counts / column.counts.sum()
    ridits = np.cumsum(shares) - shares / 2
    logits = np.log(ridits) - np.log1p(-ridits)
    mean = shares @ logits
    scores: npt.NDArray[np.float64] = (logits - mean) / np.sqrt(shares @ (logits - mean) ** 2)
    return scores


def _n_levels_apart(column: Column) -> int:
    """Return the number of slots for the levels of a column."""
    return min(len(column.levels), MOST_LEVELS_APART)
