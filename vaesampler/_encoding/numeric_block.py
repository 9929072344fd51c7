"""`NumericBlock`: encodes and decodes numeric and constant columns."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.blocks import Block
from vaesampler._encoding.bounds import Support
from vaesampler._encoding.layout import midpoints_between
from vaesampler._encoding.look_up import LookUpTable
from vaesampler._table.columns import Column, ConstantColumn, DiscreteColumn, NumericColumn
from vaesampler._table.normal_scores import NormalScores
from vaesampler._table.schema import FeatureSchema


class NumericBlock(Block):
    """Numeric and constant columns: normal scores, then flags.

    A flag is 1 where the cell of a column is missing or equals a spike (a value that many rows
    share), and 0 elsewhere. The slots are the scores of all columns, a flag for each column
    with missing cells, and a flag for each spike. The score of a missing cell, or of a
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
        """Set the normal scores of the values, and the flags."""
        for index, scores in self._scores.items():
            encoded[:, index] = scores.of_values(cells[:, index])
        self._set_flags(cells, encoded)

    def encode_drawn(
        self,
        drawn: npt.NDArray[np.float32],
        cells: npt.NDArray[np.float64],
        encoded: npt.NDArray[np.float32],
    ) -> None:  # (n_rows, width), (n_rows, n_columns_of_block), (n_rows, width)
        """Copy the scores, without what decoding rounded, which is faster than `encode`."""
        encoded[:, self._varying] = drawn[:, self._varying]
        for index, value in self._spikes:
            score = self._scores[index].of_values(np.array([value]))
            encoded[cells[:, index] == value, index] = score
        self._set_flags(cells, encoded)

    def _set_flags(
        self, cells: npt.NDArray[np.float64], encoded: npt.NDArray[np.float32]
    ) -> None:
        """Set the flags, and the values of missing cells to 0."""
        n_values, n_missing = len(self.columns), len(self._with_missing)
        if self._has_missing:
            encoded[:, :n_values][np.isnan(cells)] = 0
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
        cells = self._values(encoded[:, :n_values])
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

    def _values(
        self, scores: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float64]:  # (n_rows, n_columns_of_block), both
        """Return the values that have these normal scores, rounded."""
        cells = np.zeros(scores.shape)
        if self._scores:
            values = self._quantiles.at(scores[:, self._varying])
            values /= [one.unit for one in self._scores.values()]
            cells[:, self._varying] = values
        for decimals, indices in self._schema.columns_by_decimals.items():
            cells[:, indices] = np.round(cells[:, indices], decimals)
        for index, grid in self._schema.grids_with_steps.items():
            cells[:, index] = grid.snap(cells[:, index])
        return cells

    def levels_by_slot(self) -> Mapping[int, npt.NDArray[np.float64]]:  # of (n_levels,) each
        """Return the encoded levels of each discrete column, ascending, by slot."""
        return {
            index: column.scores.of_values(column.positions_off_spikes)
            for index, column in enumerate(self.columns)
            if isinstance(column, DiscreteColumn)
        }

    def log_slopes(
        self, cells: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:  # (n_rows, n_columns_of_block), both
        """Return log(d score / d value) of each cell of a column with new values, else 0."""
        slopes = np.zeros(cells.shape)
        for index, scores in self._scores.items():
            if not isinstance(self.columns[index], DiscreteColumn):
                slopes[:, index] = scores.log_slopes(cells[:, index])
        return slopes

    def level_ranges(
        self, cells: npt.NDArray[np.float64]
    ) -> Mapping[int, npt.NDArray[np.float64]]:  # of (2, n_rows) each, by slot
        """Return the range of scores that `decode` turns into the level of each cell.

        Only discrete columns have an entry. The outer ranges are unbounded.
        """
        ranges = {}
        for index, column in enumerate(self.columns):
            if isinstance(column, DiscreteColumn):
                midpoints = midpoints_between(column.positions_off_spikes)
                edges = np.pad(
                    column.scores.of_values(midpoints), 1, constant_values=(-np.inf, np.inf)
                )
                levels = np.searchsorted(midpoints, cells[:, index]).clip(max=len(midpoints))
                ranges[index] = np.array([edges[levels], edges[levels + 1]])
        return ranges

    @property
    def indices_of_constants(self) -> list[int]:
        """Indices, among the block's columns, of those that are constant."""
        return [index for index in range(len(self.columns)) if index not in self._scores]

    @cached_property
    def _scores(self) -> dict[int, NormalScores]:  # by index among the block's columns
        """The maps of the columns that are not constant."""
        return {
            index: column.scores
            for index, column in enumerate(self.columns)
            if isinstance(column, NumericColumn)
        }

    @cached_property
    def _varying(self) -> slice | list[int]:
        """Indices of the columns that are not constant; a slice of all needs no copy."""
        n_columns = len(self.columns)
        return slice(n_columns) if len(self._scores) == n_columns else list(self._scores)

    @cached_property
    def _quantiles(self) -> LookUpTable:
        """The values of normal scores, of the columns that are not constant."""
        scores = self._scores.values()
        return LookUpTable.of(
            np.array([one.lowest for one in scores]),
            np.array([one.highest for one in scores]),
            np.array([one.quantiles for one in scores]),
        )

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
