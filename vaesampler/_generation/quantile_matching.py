"""`QuantileMatching`: move drawn values towards the quantiles of the real values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from vaesampler._encoding.layout import Layout, midpoints_between
from vaesampler._encoding.look_up import LookUpTable

# Weight, in rows, of the drawn values. Chosen with benchmarks/quality.py.
N_ROWS_FOR_DRAWN = 30
# Number of quantiles that are compared: the smallest value, octiles, the largest value. With
# more, drawn values repeat what is random in the real ones. Chosen with
# benchmarks/quality.py --parts scales.
N_QUANTILES = 9
# Number of points at which corrections are tabulated.
N_POINTS = 256

Values = npt.NDArray[np.float32]  # of a slot of rows of the class


@dataclass(frozen=True, eq=False)
class QuantileMatching:
    """Move the numeric slots of drawn rows towards the quantiles of the real rows.

    A value x becomes x + n / (n + 30) * (Q(F(x)) - x), where F is the distribution function of
    the drawn values and Q the quantile function of n real values. Both are linear between
    octiles.

    In a discrete column, values are replaced by levels. The edges between the levels are
    quantiles of the drawn values, chosen such that the frequency of each level is the mean of
    its frequencies among real and drawn values, with the same weights. With edges halfway
    between levels, a frequent level would be drawn as rarely as its neighbours.
    """

    levels: Mapping[int, npt.NDArray[np.float64]]  # by slot: (n_levels,), ascending
    edges: Mapping[int, npt.NDArray[np.float64]]  # by slot: (n_levels - 1,)
    shifted: npt.NDArray[np.intp]  # slots without levels
    shifts: LookUpTable  # of these slots

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
        is_whole = is_counted.all(axis=0) & is_counted_drawn.all(axis=0)
        whole = [slot for slot in np.flatnonzero(is_whole).tolist() if slot not in levels]
        edges, shifts = {}, {}
        for slot in sorted(set(range(layout.n_normal)) - set(whole)):
            real_values = np.sort(real[is_counted[:, slot], slot])
            drawn_values = np.sort(drawn[is_counted_drawn[:, slot], slot])
            if slot in levels:
                edges[slot] = _edges(levels[slot], real_values, drawn_values)
            elif len(real_values) > 0 and len(drawn_values) > 0:
                (shifts[slot],) = _shifts(real_values[:, None], drawn_values[:, None])
        if whole and len(real) > 0 and len(drawn) > 0:  # at once, with less overhead
            ascending = (np.sort(rows[:, whole], axis=0) for rows in (real, drawn))
            shifts.update(zip(whole, _shifts(*ascending), strict=True))
        shifted = sorted(shifts)
        found = np.array([shifts[slot] for slot in shifted]).reshape(-1, 2 + N_POINTS)
        table = LookUpTable.of(found[:, 0], found[:, 1], found[:, 2:])
        return cls(levels, edges, np.array(shifted, dtype=np.intp), table)

    def apply(self, drawn: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Move drawn rows (n_rows, width) in place, and return them."""
        for slot, levels in self.levels.items():
            drawn[:, slot] = levels[np.searchsorted(self.edges[slot], drawn[:, slot])]
        if len(self.shifted) > 0:
            # Slices of adjacent slots need no copies.
            first, last = self.shifted[[0, -1]]
            is_adjacent = last - first + 1 == len(self.shifted)
            slots = slice(first, last + 1) if is_adjacent else self.shifted
            drawn[:, slots] += self.shifts.at(drawn[:, slots])
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
    edges = np.interp(share, (np.arange(len(drawn)) + 0.5) / len(drawn), drawn)
    # Edges without values on one side are midpoints.
    n_below = real_below + drawn_below
    is_between = (n_below > 0) & (n_below < len(real) + len(drawn))
    return np.where(is_between, edges, midpoints)


def _shifts(
    real: npt.NDArray[np.float32],  # (n_real, n_slots)
    drawn: npt.NDArray[np.float32],  # (n_drawn, n_slots)
) -> npt.NDArray[np.float64]:  # (n_slots, 2 + N_POINTS)
    """Return the lowest and the highest point, and the correction at each point, by slot.

    The values of each slot are ascending.
    """
    weight = len(real) / (len(real) + N_ROWS_FOR_DRAWN)
    shares = np.linspace(0, 1, N_QUANTILES)
    quantiles, real_quantiles = (
        np.quantile(values, shares, axis=0).T for values in (drawn, real)
    )
    corrections = weight * (real_quantiles - quantiles)
    shifts = np.empty((len(quantiles), 2 + N_POINTS))
    shifts[:, :2] = quantiles[:, [0, -1]]
    for slot, (lowest, highest) in enumerate(shifts[:, :2].tolist()):
        points = np.linspace(lowest, highest, N_POINTS)
        shifts[slot, 2:] = np.interp(points, quantiles[slot], corrections[slot])
    return shifts
