"""`Support`: the values that drawn cells of a class may have."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.rows import TableCells
from vaesampler._table.columns import MOST_LEVELS_APART, CategoricalColumn
from vaesampler._table.schema import FeatureSchema

# Drawn values may exceed the observed range of a class by this many mean gaps between its rows.
MARGIN_GAPS = 3


@dataclass(frozen=True)
class Bounds:
    """The range of drawn cells of each column, which does not apply to spikes."""

    lowest: npt.NDArray[np.float64]  # (n_columns,)
    highest: npt.NDArray[np.float64]  # (n_columns,)

    @classmethod
    def empty(cls, schema: FeatureSchema) -> Self:
        """Return the range of no rows, from inf to -inf."""
        n_columns = len(schema.columns)
        return cls(np.full(n_columns, np.inf), np.full(n_columns, -np.inf))

    @classmethod
    def off_spikes(cls, schema: FeatureSchema) -> Self:
        """Return the range of the whole table without spikes."""
        lowest, highest = zip(
            *(column.range_off_spikes for column in schema.columns), strict=True
        )
        return cls(np.array(lowest), np.array(highest))

    @classmethod
    def of(cls, cells: npt.NDArray[np.float64]) -> Self:  # (n_rows, n_columns)
        """Return the range of rows, which is empty in columns where all cells are missing."""
        return cls(
            np.fmin.reduce(cells, axis=0, initial=np.inf),
            np.fmax.reduce(cells, axis=0, initial=-np.inf),
        )

    def joined(self, other: Self) -> Self:
        """Return the smallest range that contains both."""
        return type(self)(
            np.fmin(self.lowest, other.lowest), np.fmax(self.highest, other.highest)
        )

    def or_else(self, other: Self) -> Self:
        """Return this range, or the other one in columns where this one is empty."""
        is_seen = self.lowest <= self.highest
        return type(self)(
            np.where(is_seen, self.lowest, other.lowest),
            np.where(is_seen, self.highest, other.highest),
        )

    def widened(self, n_rows: int, table: Self, schema: FeatureSchema) -> Self:
        """Return this range of a class of n rows, widened by 3 mean gaps on either side.

        The mean gap is (highest - lowest) / (n - 1). The range of a sample is smaller than that
        of the class: for a uniform distribution, by about one mean gap on either side. Within
        the observed range, the drawn rows of a class of ten rows would pile up at its ends.

        The result lies within the range of the table, which is also used where this range is
        empty. The range of levels is not widened.
        """
        is_seen = self.lowest <= self.highest
        low, high = self.or_else(table).lowest, self.or_else(table).highest
        margin = np.zeros(len(low))
        is_numeric = ~np.array([column.has_levels for column in schema.columns], dtype=bool)
        is_widened = is_seen & is_numeric
        margin[is_widened] = _margin(low[is_widened], high[is_widened], n_rows)
        # Bounds have no more decimals than the values of the column.
        for decimals, columns in schema.columns_by_decimals.items():
            unit = 10.0**-decimals
            margin[columns] = unit * np.floor(margin[columns] / unit)
            low[columns] = np.round(low[columns] - margin[columns], decimals)
            high[columns] = np.round(high[columns] + margin[columns], decimals)
            margin[columns] = 0
        for index, grid in schema.grids_with_steps.items():
            whole = grid.spacing * math.floor(margin[index] / grid.spacing)
            low[index], high[index] = grid.snap(
                np.array([low[index] - whole, high[index] + whole])
            )
            margin[index] = 0
        with np.errstate(over="ignore"):
            low, high = low - margin, high + margin
        return type(self)(low.clip(table.lowest), high.clip(max=table.highest))


@dataclass(frozen=True)
class Support:
    """The values that drawn cells of a class may have."""

    bounds: Bounds
    # Cells of the class with one of the rare levels that share a slot, by column index.
    rare_levels: dict[int, npt.NDArray[np.float64]]  # (n_rare_cells,) each

    @classmethod
    def of(
        cls, schema: FeatureSchema, cells: TableCells, row_indices: npt.NDArray[np.intp]
    ) -> Self:
        """Return the support of the class that has these rows."""
        off_spikes, everywhere = Bounds.empty(schema), Bounds.empty(schema)
        rare: dict[int, list[npt.NDArray[np.float64]]] = {
            index: []
            for index, column in enumerate(schema.columns)
            if isinstance(column, CategoricalColumn) and len(column.levels) > MOST_LEVELS_APART
        }
        for block in cells.blocks(row_indices):
            everywhere = everywhere.joined(Bounds.of(block))
            off_spikes = off_spikes.joined(Bounds.of(_without_spikes(schema, block)))
            for index, found in rare.items():
                found.append(block[block[:, index] >= MOST_LEVELS_APART - 1, index])
        # Where all cells of the class are spikes, their range is used.
        seen = off_spikes.or_else(everywhere)
        table = Bounds.off_spikes(schema).joined(seen)
        return cls(
            seen.widened(len(row_indices), table, schema),
            {
                index: _or_all(np.concatenate(found), len(schema.columns[index].levels))
                for index, found in rare.items()
            },
        )


def _margin(
    low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], n_rows: int
) -> npt.NDArray[np.float64]:  # (n_columns,), (n_columns,) to (n_columns,)
    """Return 3 mean gaps between n rows; infinity if that is beyond the largest float."""
    with np.errstate(over="ignore"):  # of the product; an eighth of a range is finite
        margin: npt.NDArray[np.float64] = (
            MARGIN_GAPS * (high / 8 - low / 8) / max(n_rows - 1, 1) * 8
        )
    return margin


def _without_spikes(
    schema: FeatureSchema, cells: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:  # (n_rows, n_columns), both
    """Return cells in which spikes are replaced by NaN."""
    if not schema.spikes:
        return cells
    rest = cells.copy()
    for index, spike in schema.spikes:
        rest[cells[:, index] == spike, index] = np.nan
    return rest


def _or_all(rare: npt.NDArray[np.float64], n_levels: int) -> npt.NDArray[np.float64]:
    """Return the rare levels of a class, or all rare levels of the table if it has none."""
    if len(rare) > 0:
        return rare
    return np.arange(MOST_LEVELS_APART - 1, n_levels, dtype=np.float64)
