"""`MarginalMatch`: a class's numbers drawn, column by column, about as often as real rows'."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from vaesampler._slots import Slots

# As if so many real rows more were spread as drawn ones are: few real rows tell little.
N_ROWS_FOR_DRAWN = 30
# Real and drawn numbers are compared at so many quantiles.
N_QUANTILES = 256


class Moves(NamedTuple):
    """By how much numbers are moved: between these places, by what lies between."""

    places: np.ndarray  # (n_quantiles,), ascending
    by: np.ndarray  # (n_quantiles,)


@dataclass(frozen=True)
class MarginalMatch:
    """How drawn numbers are moved so that each column is spread as in the class's rows.

    In a discrete column they become levels: it tells where one level ends and the next begins,
    since a level at which many rows sit would otherwise be drawn as seldom as its neighbours.
    Other numbers are moved from the quantiles of the drawn towards those of the real ones.
    """

    levels: Mapping[int, np.ndarray]  # by slot: (n_levels,), ascending, as they are encoded
    edges: Mapping[int, np.ndarray]  # by slot: (n_levels - 1,)
    moves: Mapping[int, Moves]  # by slot, of those without levels

    @classmethod
    def fit(
        cls, levels: Mapping[int, np.ndarray], real: np.ndarray, drawn: np.ndarray, slots: Slots
    ) -> Self:
        """Learn from rows of a class, real and drawn, both (n_rows, width).

        `levels` are the encoded numbers of each discrete column, by slot.
        """
        counts, counts_drawn = ~slots.is_silenced(real), ~slots.is_silenced(drawn)
        edges, moves = {}, {}
        for slot in range(slots.n_normal):
            numbers = np.sort(real[counts[:, slot], slot])
            drawn_numbers = np.sort(drawn[counts_drawn[:, slot], slot])
            if slot in levels:
                edges[slot] = _edges(levels[slot], numbers, drawn_numbers)
            elif len(numbers) > 0 and len(drawn_numbers) > 0:
                moves[slot] = _moves(numbers, drawn_numbers)
        return cls(levels, edges, moves)

    def apply(self, drawn: np.ndarray) -> np.ndarray:  # (n_rows, width), both
        """Return drawn rows, moved; the argument is changed."""
        for slot, levels in self.levels.items():
            drawn[:, slot] = levels[np.searchsorted(self.edges[slot], drawn[:, slot])]
        for slot, (places, by) in self.moves.items():
            drawn[:, slot] += np.interp(drawn[:, slot], places, by)
        return drawn


def midpoints_between(levels: np.ndarray) -> np.ndarray:  # (n_levels,) to (n_levels - 1,)
    """Return where the nearest of some ascending numbers changes."""
    midpoints: np.ndarray = levels[:-1] / 2 + levels[1:] / 2
    return midpoints


def _edges(
    levels: np.ndarray, real: np.ndarray, drawn: np.ndarray
) -> np.ndarray:  # (n_levels,), and ascending (n_real,), (n_drawn,) to (n_levels - 1,)
    midpoints = midpoints_between(levels)
    if len(real) == 0 or len(drawn) == 0:
        return midpoints
    real_below, drawn_below = (np.searchsorted(one, midpoints) for one in (real, drawn))
    weight = len(real) / (len(real) + N_ROWS_FOR_DRAWN)
    share = weight * real_below / len(real) + (1 - weight) * drawn_below / len(drawn)
    edges = np.interp(share, _ranks(len(drawn)), drawn)
    # Where nothing is found on one side, there is nothing to match.
    n_below = real_below + drawn_below
    is_between = (n_below > 0) & (n_below < len(real) + len(drawn))
    return np.where(is_between, edges, midpoints)


def _moves(real: np.ndarray, drawn: np.ndarray) -> Moves:  # ascending (n_real,), (n_drawn,)
    weight = len(real) / (len(real) + N_ROWS_FOR_DRAWN)
    shares = _ranks(N_QUANTILES)
    places = np.quantile(drawn, shares)
    return Moves(places, weight * (np.quantile(real, shares) - places))


def _ranks(n: int) -> np.ndarray:  # (n,)
    """Return which share of as many numbers, ascending, lies below each, half of it counted."""
    return (np.arange(n) + 0.5) / n
