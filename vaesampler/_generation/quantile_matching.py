"""`MarginalMatch`: a class's numbers drawn, column by column, about as often as real rows'."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from vaesampler._encoding.scaling import midpoints_between
from vaesampler._table.layout import Slots

# As if so many real rows more were spread as drawn ones are: few real rows tell little.
N_ROWS_FOR_DRAWN = 30
# Real and drawn numbers are compared at so many quantiles ...
N_QUANTILES = 256
# ... and what follows is told at so many places of equal distance, which are found at once.
N_PLACES = 256
# So many numbers are moved at once: more take memory that has to be cleared first, fewer make
# threads wait for each other.
CELLS_AT_ONCE = 262_144


class Moves(NamedTuple):
    """By how much the numbers of some slots are moved, from place to place."""

    slots: np.ndarray  # (n_slots,)
    lowest: np.ndarray  # (n_slots,): the first place
    places_by_unit: np.ndarray  # (n_slots,)
    by: np.ndarray  # (n_slots, N_PLACES)
    steps: np.ndarray  # (n_slots, N_PLACES): how much more at the next place

    @classmethod
    def of(cls, matches: Mapping[int, tuple[np.ndarray, np.ndarray]]) -> Self:
        """Return what moves drawn numbers to real ones, both ascending and given by slot."""
        found = [_move(*numbers) for numbers in matches.values()]
        lowest, places_by_unit, by = (
            np.array(part, dtype=np.float32) for part in zip(*found, strict=True)
        )
        steps = np.diff(by, axis=1, append=by[:, -1:])
        return cls(np.array(list(matches)), lowest, places_by_unit, by, steps)

    def apply(self, drawn: np.ndarray) -> None:  # (n_rows, width)
        """Move the numbers of drawn rows."""
        n_rows = max(1, CELLS_AT_ONCE // len(self.slots))
        for start in range(0, len(drawn), n_rows):
            self._apply(drawn[start : start + n_rows])

    def _apply(self, drawn: np.ndarray) -> None:
        numbers = drawn[:, self.slots]
        places = numbers - self.lowest
        places *= self.places_by_unit
        np.clip(places, 0, N_PLACES - 1, out=places)
        whole = np.minimum(np.floor(places), N_PLACES - 2)
        places -= whole
        before = whole.astype(np.intp)
        before += np.arange(len(self.slots)) * N_PLACES
        # `take` is three times as fast as an index in brackets.
        numbers += self.by.ravel().take(before, mode="clip")
        places *= self.steps.ravel().take(before, mode="clip")
        numbers += places
        drawn[:, self.slots] = numbers


@dataclass(frozen=True)
class MarginalMatch:
    """How drawn numbers are moved so that each column is spread as in the class's rows.

    In a discrete column they become levels: it tells where one level ends and the next begins,
    since a level at which many rows sit would otherwise be drawn as seldom as its neighbours.
    Other numbers are moved from the quantiles of the drawn towards those of the real ones.
    """

    levels: Mapping[int, np.ndarray]  # by slot: (n_levels,), ascending, as they are encoded
    edges: Mapping[int, np.ndarray]  # by slot: (n_levels - 1,)
    moves: Moves | None  # of slots without levels

    @classmethod
    def fit(
        cls, levels: Mapping[int, np.ndarray], real: np.ndarray, drawn: np.ndarray, slots: Slots
    ) -> Self:
        """Learn from rows of a class, real and drawn, both (n_rows, width).

        `levels` are the encoded numbers of each discrete column, by slot.
        """
        counts, counts_drawn = ~slots.is_silenced(real), ~slots.is_silenced(drawn)
        edges, matches = {}, {}
        for slot in range(slots.n_normal):
            numbers = np.sort(real[counts[:, slot], slot])
            drawn_numbers = np.sort(drawn[counts_drawn[:, slot], slot])
            if slot in levels:
                edges[slot] = _edges(levels[slot], numbers, drawn_numbers)
            elif len(numbers) > 0 and len(drawn_numbers) > 0:
                matches[slot] = numbers, drawn_numbers
        return cls(levels, edges, Moves.of(matches) if matches else None)

    def apply(self, drawn: np.ndarray) -> np.ndarray:  # (n_rows, width), both
        """Return drawn rows, moved; the argument is changed."""
        for slot, levels in self.levels.items():
            drawn[:, slot] = levels[np.searchsorted(self.edges[slot], drawn[:, slot])]
        if self.moves is not None:
            self.moves.apply(drawn)
        return drawn


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


def _move(
    real: np.ndarray, drawn: np.ndarray
) -> tuple[float, float, np.ndarray]:  # ascending (n_real,), (n_drawn,)
    weight = len(real) / (len(real) + N_ROWS_FOR_DRAWN)
    shares = _ranks(N_QUANTILES)
    quantiles, real_quantiles = (
        np.interp(shares * (len(one) - 1), np.arange(len(one)), one) for one in (drawn, real)
    )
    lowest, highest = quantiles[[0, -1]]
    places = np.linspace(lowest, highest, N_PLACES)
    by = np.interp(places, quantiles, weight * (real_quantiles - quantiles))
    reach = highest - lowest
    return lowest, (N_PLACES - 1) / reach if reach > 0 else 0.0, by


def _ranks(n: int) -> np.ndarray:  # (n,)
    """Return which share of as many numbers, ascending, lies below each, half of it counted."""
    return (np.arange(n) + 0.5) / n
