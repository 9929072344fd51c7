"""`QuantileMatching`: move drawn values towards the quantiles of the real values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.layout import Layout
from vaesampler._encoding.scaling import midpoints_between

# Weight, in rows, of the drawn values. Chosen with benchmarks/quality.py.
N_ROWS_FOR_DRAWN = 30
# Number of quantiles that are compared.
N_QUANTILES = 256
# Corrections are tabulated on a uniform grid of this size, so that look-up needs no search.
N_GRID_POINTS = 256
# Number of values that are moved at once: more exceed CPU caches, with fewer threads wait.
CELLS_AT_ONCE = 262_144

Values = npt.NDArray[np.float32]  # of a slot of rows of the class


class Shifts(NamedTuple):
    """Corrections of the values of some slots, each tabulated on a uniform grid."""

    slots: npt.NDArray[np.intp]  # (n_slots,)
    lowest: npt.NDArray[np.float32]  # (n_slots,): the first grid point
    points_per_unit: npt.NDArray[np.float32]  # (n_slots,)
    corrections: npt.NDArray[np.float32]  # (n_slots, N_GRID_POINTS)
    steps: npt.NDArray[np.float32]  # (n_slots, N_GRID_POINTS): to the next correction

    @classmethod
    def of(cls, values: Mapping[int, tuple[Values, Values]]) -> Self:
        """Compare the real and the drawn values, both ascending, of each slot."""
        found = [_shift(real, drawn) for real, drawn in values.values()]
        lowest, points_per_unit, corrections = (
            np.array(part, dtype=np.float32) for part in zip(*found, strict=True)
        )
        steps = np.diff(corrections, axis=1, append=corrections[:, -1:])
        return cls(np.array(list(values)), lowest, points_per_unit, corrections, steps)

    def apply(self, drawn: npt.NDArray[np.float32]) -> None:  # (n_rows, width)
        """Correct drawn rows, in place."""
        n_rows = max(1, CELLS_AT_ONCE // len(self.slots))
        for start in range(0, len(drawn), n_rows):
            self._apply(drawn[start : start + n_rows])

    def _apply(self, drawn: npt.NDArray[np.float32]) -> None:
        values = drawn[:, self.slots]
        positions = values - self.lowest  # on the grid
        positions *= self.points_per_unit
        np.clip(positions, 0, N_GRID_POINTS - 1, out=positions)
        left = np.minimum(np.floor(positions), N_GRID_POINTS - 2)
        positions -= left  # from the grid point on the left, 0 to 1
        indices = left.astype(np.intp)
        indices += np.arange(len(self.slots)) * N_GRID_POINTS
        # `take` is three times as fast as indexing.
        values += self.corrections.ravel().take(indices, mode="clip")
        positions *= self.steps.ravel().take(indices, mode="clip")
        values += positions
        drawn[:, self.slots] = values


@dataclass(frozen=True, eq=False)
class QuantileMatching:
    """Move the numeric slots of drawn rows towards the quantiles of the real rows.

    A value x becomes x + n / (n + 30) * (Q(F(x)) - x), where F is the distribution function of
    the drawn values and Q the quantile function of n real values.

    In a discrete column, values are replaced by levels. The edges between the levels are
    quantiles of the drawn values, chosen such that the frequency of each level is the mean of
    its frequencies among real and drawn values, with the same weights. With edges halfway
    between levels, a frequent level would be drawn as rarely as its neighbours.
    """

    levels: Mapping[int, npt.NDArray[np.float64]]  # by slot: (n_levels,), ascending
    edges: Mapping[int, npt.NDArray[np.float64]]  # by slot: (n_levels - 1,)
    shifts: Shifts | None  # of the slots without levels

    @classmethod
    def fit(
        cls,
        levels: Mapping[int, npt.NDArray[np.float64]],
        real: npt.NDArray[np.float32],
        drawn: npt.NDArray[np.float32],
        layout: Layout,
    ) -> Self:
        """Compare real and drawn rows of a class, (n_real, width) and (n_drawn, width).

        `levels` are the encoded levels of each discrete column, by slot.
        """
        is_counted, is_counted_drawn = ~layout.is_silenced(real), ~layout.is_silenced(drawn)
        edges, values = {}, {}
        for slot in range(layout.n_normal):
            real_values = np.sort(real[is_counted[:, slot], slot])
            drawn_values = np.sort(drawn[is_counted_drawn[:, slot], slot])
            if slot in levels:
                edges[slot] = _edges(levels[slot], real_values, drawn_values)
            elif len(real_values) > 0 and len(drawn_values) > 0:
                values[slot] = real_values, drawn_values
        return cls(levels, edges, Shifts.of(values) if values else None)

    def apply(self, drawn: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Move drawn rows (n_rows, width) in place, and return them."""
        for slot, levels in self.levels.items():
            drawn[:, slot] = levels[np.searchsorted(self.edges[slot], drawn[:, slot])]
        if self.shifts is not None:
            self.shifts.apply(drawn)
        return drawn


def _edges(
    levels: npt.NDArray[np.float64], real: Values, drawn: Values
) -> npt.NDArray[np.float64]:  # (n_levels,), (n_real,), (n_drawn,) to (n_levels - 1,)
    """Return the edges between levels; all arguments are ascending."""
    midpoints = midpoints_between(levels)
    if len(real) == 0 or len(drawn) == 0:
        return midpoints
    real_below, drawn_below = (np.searchsorted(values, midpoints) for values in (real, drawn))
    weight = len(real) / (len(real) + N_ROWS_FOR_DRAWN)
    share = weight * real_below / len(real) + (1 - weight) * drawn_below / len(drawn)
    edges = np.interp(share, _ranks(len(drawn)), drawn)
    # Edges without values on one side are midpoints.
    n_below = real_below + drawn_below
    is_between = (n_below > 0) & (n_below < len(real) + len(drawn))
    return np.where(is_between, edges, midpoints)


def _shift(
    real: Values, drawn: Values
) -> tuple[float, float, npt.NDArray[np.float64]]:  # ascending (n_real,), (n_drawn,)
    """Return the first grid point, grid points per unit, and the correction at each point."""
    weight = len(real) / (len(real) + N_ROWS_FOR_DRAWN)
    shares = _ranks(N_QUANTILES)
    quantiles, real_quantiles = (
        np.interp(shares * (len(values) - 1), np.arange(len(values)), values)
        for values in (drawn, real)
    )
    lowest, highest = quantiles[[0, -1]]
    grid = np.linspace(lowest, highest, N_GRID_POINTS)
    corrections = np.interp(grid, quantiles, weight * (real_quantiles - quantiles))
    length = highest - lowest
    return lowest, (N_GRID_POINTS - 1) / length if length > 0 else 0.0, corrections


def _ranks(n: int) -> npt.NDArray[np.float64]:  # (n,)
    """Return (i + 1/2) / n, i = 0, ..., n - 1: the ranks of n ascending values, in (0, 1)."""
    return (np.arange(n) + 0.5) / n
