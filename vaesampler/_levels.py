"""`LevelMatch`: a discrete column's levels, drawn about as often as real rows have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from vaesampler._slots import Slots

# As if so many real rows more had the levels as often as drawn numbers come nearest to them: a
# level's share among few rows tells little.
N_ROWS_FOR_DRAWN = 30


@dataclass(frozen=True)
class LevelMatch:
    """Where, among the numbers drawn for a class, one level ends and the next begins.

    Were each number drawn to its nearest level, a level at which many rows sit would be drawn
    as seldom as its neighbours.
    """

    levels: Mapping[int, np.ndarray]  # by slot: (n_levels,), ascending, as they are encoded
    edges: Mapping[int, np.ndarray]  # by slot: (n_levels - 1,)

    @classmethod
    def fit(
        cls, levels: Mapping[int, np.ndarray], real: np.ndarray, drawn: np.ndarray, slots: Slots
    ) -> Self:
        """Learn from rows of a class, real and drawn, both (n_rows, width).

        `levels` are the encoded numbers of each discrete column, by slot.
        """
        counts, counts_drawn = ~slots.is_silenced(real), ~slots.is_silenced(drawn)
        edges = {
            slot: _edges(
                numbers, real[counts[:, slot], slot], drawn[counts_drawn[:, slot], slot]
            )
            for slot, numbers in levels.items()
        }
        return cls(levels, edges)

    def snap(self, drawn: np.ndarray) -> np.ndarray:  # (n_rows, width), both
        """Return drawn rows with levels in the place of numbers; the argument is changed."""
        for slot, levels in self.levels.items():
            drawn[:, slot] = levels[np.searchsorted(self.edges[slot], drawn[:, slot])]
        return drawn


def midpoints_between(levels: np.ndarray) -> np.ndarray:  # (n_levels,) to (n_levels - 1,)
    """Return where the nearest of some ascending numbers changes."""
    midpoints: np.ndarray = levels[:-1] / 2 + levels[1:] / 2
    return midpoints


def _edges(
    levels: np.ndarray, real: np.ndarray, drawn: np.ndarray
) -> np.ndarray:  # (n_levels,), (n_real,), (n_drawn,) to (n_levels - 1,)
    midpoints = midpoints_between(levels)
    if len(real) == 0 or len(drawn) == 0:
        return midpoints
    real, drawn = np.sort(real), np.sort(drawn)
    real_below, drawn_below = (np.searchsorted(one, midpoints) for one in (real, drawn))
    weight = len(real) / (len(real) + N_ROWS_FOR_DRAWN)
    share = weight * real_below / len(real) + (1 - weight) * drawn_below / len(drawn)
    edges = np.interp(share, (np.arange(len(drawn)) + 0.5) / len(drawn), drawn)
    # Where nothing is found on one side, there is nothing to match.
    n_below = real_below + drawn_below
    is_between = (n_below > 0) & (n_below < len(real) + len(drawn))
    return np.where(is_between, edges, midpoints)
