"""`NumericBlock`: encodes and decodes numeric and constant columns."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.blocks import Block
from vaesampler._encoding.bounds import Support
from vaesampler._encoding.scaling import expand, midpoints_between
from vaesampler._table.columns import Column, ConstantColumn, DiscreteColumn, NumericColumn
from vaesampler._table.schema import FeatureSchema


class NumericBlock(Block):
    """Numeric and constant columns: standardized values, then flags.

    A flag is 1 where the cell of a column is missing or equals a spike (a value that many rows
    share), and 0 elsewhere. The slots are the values of all columns, a flag for each column
    with missing cells, and a flag for each spike. The value of a missing cell, or of a
    constant column, is 0.
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

        These are the value of the flag's column, and the later flags of this column.
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
        encoded[:, :n_values] = self._standardized(cells)
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
        """Undo `encode`; values are rounded to the column's decimals, or to its levels."""
        n_values, n_missing = len(self.columns), len(self._with_missing)
        cells = self._restored(encoded[:, :n_values].astype(np.float64))
        np.maximum(cells, support.bounds.lowest[self.column_indices], out=cells)
        np.minimum(cells, support.bounds.highest[self.column_indices], out=cells)
        for index, column in enumerate(self.columns):
            if isinstance(column, DiscreteColumn):
                cells[:, index] = _nearest(column.positions_off_spikes, cells[:, index])
            elif isinstance(column, ConstantColumn):
                cells[:, index] = 0 if len(column.levels) > 0 else np.nan
        flags = encoded[:, n_values:] > 0.5
        # Earlier flags override later ones, hence are applied last.
        for flag in reversed(range(len(self._spikes))):
            index, value = self._spikes[flag]
            cells[flags[:, n_missing + flag], index] = value
        for flag, index in enumerate(self._with_missing):
            cells[flags[:, flag], index] = np.nan
        return cells

    def _restored(
        self, standardized: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:  # (n_rows, n_columns_of_block), both
        """Undo `_standardized`, in place, and round; values may become infinite."""
        cells = expand(standardized)
        with np.errstate(over="ignore"):
            cells *= self.deviation
            cells += self.mean
            if self._has_huge:
                cells /= self._unit
            for decimals, indices in self._schema.columns_by_decimals.items():
                cells[:, indices] = np.round(cells[:, indices], decimals)
            for index, grid in self._schema.grids_with_steps.items():
                cells[:, index] = grid.snap(cells[:, index])
        return cells

    def levels_by_slot(self) -> Mapping[int, npt.NDArray[np.float64]]:  # of (n_levels,) each
        """Return the encoded levels of each discrete column, ascending, by slot."""
        return {
            index: self._standardized(column.positions_off_spikes, index)
            for index, column in enumerate(self.columns)
            if isinstance(column, DiscreteColumn)
        }

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

    @property
    def _spikes(self) -> list[tuple[int, float]]:  # indices among the block's columns
        return self._schema.spikes

    @cached_property
    def _schema(self) -> FeatureSchema:
        """The schema of the block's columns alone."""
        return FeatureSchema(tuple(self.columns))


def _nearest(
    levels: npt.NDArray[np.float64], cells: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:  # (n_levels,), (n_rows,) to (n_rows,)
    """Return the nearest of the ascending levels for each cell."""
    nearest: npt.NDArray[np.float64] = levels[np.searchsorted(midpoints_between(levels), cells)]
    return nearest
