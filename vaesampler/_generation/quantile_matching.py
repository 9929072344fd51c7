"""`QuantileMatching`: numeric slots of drawn rows moved towards the class's quantiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.layout import Layout
from vaesampler._encoding.scaling import midpoints_between

# Quantiles move n / (n + 30) of the way to those of n real values.
N_ROWS_FOR_DRAWN = 30
# Number of quantiles that are compared.
N_QUANTILES = 256
# Corrections are tabulated on a uniform grid of this size, so that look-up needs no search.
N_GRID_POINTS = 256
# Number of values that are moved at once: more leave the cache, fewer make threads wait.
CELLS_AT_ONCE = 262_144


class Shifts(NamedTuple):
    """Corrections of the values of some slots, tabulated on a uniform grid each."""

    slots: npt.NDArray[np.intp]  # (n_slots,)
    lowest: npt.NDArray[np.float32]  # (n_slots,): the first grid point
    points_per_unit: npt.NDArray[np.float32]  # (n_slots,)
    by: npt.NDArray[np.float32]  # (n_slots, N_GRID_POINTS)
    steps: npt.NDArray[np.float32]  # (n_slots, N_GRID_POINTS): differences of adjacent `by`

    @classmethod
    def of(cls, values: Mapping[int, tuple[npt.NDArray, npt.NDArray]]) -> Self:
        """Compare real and drawn values, both ascending, of each slot."""
        found = [_shift(*of_slot) for of_slot in values.values()]
        lowest, points_per_unit, by = (
            np.array(part, dtype=np.float32) for part in zip(*found, strict=True)
        )
        steps = np.diff(by, axis=1, append=by[:, -1:])
        return cls(np.array(list(values)), lowest, points_per_unit, by, steps)

    def apply(self, drawn: npt.NDArray[np.float32]) -> None:  # (n_rows, width)
        """Correct drawn rows, in place."""
        n_rows = max(1, CELLS_AT_ONCE // len(self.slots))
        for start in range(0, len(drawn), n_rows):
            self._apply(drawn[start : start + n_rows])

    def _apply(self, drawn: npt.NDArray[np.float32]) -> None:
        values = drawn[:, self.slots]
        places = values - self.lowest
        places *= self.points_per_unit
        np.clip(places, 0, N_GRID_POINTS - 1, out=places)
        whole = np.minimum(np.floor(places), N_GRID_POINTS - 2)
        places -= whole
        before = whole.astype(np.intp)
        before += np.arange(len(self.slots)) * N_GRID_POINTS
        # `take` is three times as fast as an index in brackets.
        values += self.by.ravel().take(before, mode="clip")
        places *= self.steps.ravel().take(before, mode="clip")
        values += places
        drawn[:, self.slots] = values


@dataclass(frozen=True, eq=False)
class QuantileMatching:
    """Move the numeric slots of drawn rows towards the quantiles of the class's rows.

    A value x becomes x + n / (n + 30) * (Q(F(x)) - x), with the distribution function F of
    drawn values and the quantile function Q of n real values.

    In a discrete column, values are replaced by levels. The edges between levels are quantiles
    of the drawn values, such that each level gets the average of its shares among real and
    drawn values, with the same weights. Otherwise a level that many rows share would be drawn
    as seldom as its neighbours.
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
        """Learn from rows of a class, real and drawn, both (n_rows, width).

        `levels` are the encoded values of each discrete column, by slot.
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
        """Return drawn rows (n_rows, width), moved in place."""
        for slot, levels in self.levels.items():
            drawn[:, slot] = levels[np.searchsorted(self.edges[slot], drawn[:, slot])]
        if self.shifts is not None:
            self.shifts.apply(drawn)
        return drawn


def _edges(
    levels: npt.NDArray, real: npt.NDArray, drawn: npt.NDArray
) -> npt.NDArray:  # (n_levels,), and ascending (n_real,), (n_drawn,) to (n_levels - 1,)
    midpoints = midpoints_between(levels)
    if len(real) == 0 or len(drawn) == 0:
        return midpoints
    real_below, drawn_below = (np.searchsorted(values, midpoints) for values in (real, drawn))
    weight = len(real) / (len(real) + N_ROWS_FOR_DRAWN)
    share = weight * real_below / len(real) + (1 - weight) * drawn_below / len(drawn)
    edges = np.interp(share, _ranks(len(drawn)), drawn)
    # An edge without values on one side stays at the midpoint.
    n_below = real_below + drawn_below
    is_between = (n_below > 0) & (n_below < len(real) + len(drawn))
    return np.where(is_between, edges, midpoints)


def _shift(
    real: npt.NDArray, drawn: npt.NDArray
) -> tuple[float, float, npt.NDArray]:  # ascending (n_real,), (n_drawn,)
    """Return the first grid point, grid points per unit, and the correction at each point."""
    weight = len(real) / (len(real) + N_ROWS_FOR_DRAWN)
    shares = _ranks(N_QUANTILES)
    quantiles, real_quantiles = (
        np.interp(shares * (len(values) - 1), np.arange(len(values)), values)
        for values in (drawn, real)
    )
    lowest, highest = quantiles[[0, -1]]
    grid = np.linspace(lowest, highest, N_GRID_POINTS)
    by = np.interp(grid, quantiles, weight * (real_quantiles - quantiles))
    reach = highest - lowest
    return lowest, (N_GRID_POINTS - 1) / reach if reach > 0 else 0.0, by


def _ranks(n: int) -> npt.NDArray[np.float64]:  # (n,)
    """Return (i + 1/2) / n: the share of n values below the i-th, counting half of itself."""
    return (np.arange(n) + 0.5) / n
