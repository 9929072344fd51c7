"""`Grid`: the values that a numeric column may have, as float64 positions, and back."""

import math
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import LARGEST_EXACT_INTEGER, as_integers
from vaesampler._table.notations import Decimals, Notation, Times

# Values with more decimals than this count as values with any number of decimals.
MOST_DECIMALS = 14
# Decimals and steps are first looked for among about this many evenly spaced rows.
N_ROWS_TRIED = 100
# Sums of integers up to this size do not overflow an int64.
LARGEST_SUMMED = 2**62


@dataclass(frozen=True)
class Grid:
    """The values that a numeric column may have: multiples of a step, from some value on.

    The position of a float is the float. The position of an integer v is::

        (v // unit - origin) / 10 ** scale

    Drawn values are rounded to the nearest ``anchor + k * step`` with an integer k, where
    `step` and `anchor` count units of the last decimal.

    Attributes
    ----------
    are_integers : bool
        Whether the values are exact integers.
    unit : int
        Size of the coarsest unit of time that divides all values, in counts.
    origin : int
        Subtracted from values that are too large for a float64; 0 for all others.
    scale : int
        Number of decimals of an integer's unit, which is 10 ** -scale.
    decimals : int or None
        Largest number of decimals of a position; None if unknown.
    step : int
        Greatest common divisor of the differences of the values, without placeholders.
    anchor : int
        One of these values.
    """

    are_integers: bool = False
    unit: int = 1
    origin: int = 0
    scale: int = 0
    decimals: int | None = None
    step: int = 1
    anchor: int = 0

    @classmethod
    def of(
        cls,
        notation: Notation | None,
        usual: npt.NDArray[Any],  # (n_usual,)
        observed: npt.NDArray[Any],  # (n_observed,)
    ) -> Self:
        """Return the grid of a column.

        `usual` are its observed values without those that many rows share.
        """
        if observed.dtype.kind == "f":
            return cls._of_floats(usual)
        return cls._of_integers(notation, usual, observed)

    @classmethod
    def of_copies(
        cls,
        notation: Notation | None,
        usual: npt.NDArray[Any],  # (n_usual,)
        observed: npt.NDArray[Any],  # (n_observed,)
    ) -> Self:
        """Return the grid of a column whose drawn values are copies: they are not rounded."""
        if observed.dtype.kind == "f":
            return cls()
        grid = cls._of_integers(notation, usual, observed)
        return replace(grid, decimals=None, step=1)

    @classmethod
    def _of_floats(cls, usual: npt.NDArray[np.floating]) -> Self:
        decimals = _decimals(usual)
        if decimals is None:
            return cls()
        values = usual.astype(np.float64) * 10.0**decimals
        values = values[np.abs(values) < LARGEST_EXACT_INTEGER]
        step, anchor = _step(np.rint(values).astype(np.int64))
        return cls(decimals=decimals, step=step, anchor=anchor)

    @classmethod
    def _of_integers(
        cls, notation: Notation | None, usual: npt.NDArray[Any], observed: npt.NDArray[Any]
    ) -> Self:
        unit, scale = 1, notation.scale if isinstance(notation, Decimals) else 0
        if isinstance(notation, Times):
            usual = _varied_or_all(usual[~notation.is_placeholder(usual)], usual)
            unit = next(size for size in notation.units().values() if (usual % size == 0).all())
        multiples = usual // unit if unit > 1 else usual
        lowest, highest = (int(of(observed)) // unit for of in (np.min, np.max))
        is_large = max(abs(lowest), abs(highest)) > LARGEST_EXACT_INTEGER
        origin = int(multiples.min()) if is_large else 0
        step, anchor = _step(multiples)
        decimals = scale
        while decimals > 0 and step % 10 == anchor % 10 == 0:
            step, anchor, decimals = step // 10, anchor // 10, decimals - 1
        return cls(
            are_integers=True,
            unit=unit,
            origin=origin,
            scale=scale,
            decimals=decimals,
            step=step,
            anchor=anchor,
        )

    @property
    def is_plain(self) -> bool:
        """Whether positions are the values."""
        return self.unit == 1 and self.origin == 0 and self.scale == 0

    @property
    def spacing(self) -> float:
        """Distance of adjacent positions; 0 if it is unknown."""
        return 0.0 if self.decimals is None else self.step * 10.0**-self.decimals

    def positions(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:  # (n,), both
        """Return the position of each value."""
        if values.dtype.kind == "f":
            # Numbers of another table: those of this one are integers if it has an origin.
            positions = values.astype(np.float64)
            return positions if self.is_plain else self._of_other_floats(positions)
        multiples = values // self.unit if self.unit > 1 else values
        offsets = _minus(multiples, self.origin) if self.origin else multiples
        positions = offsets.astype(np.float64)
        if self.scale:
            positions /= 10.0**self.scale
        return positions

    def snap(self, positions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:  # (n,), both
        """Round positions to the nearest ones that values may have."""
        if self.decimals is None:
            return positions
        if self.step > 1:
            spacing, base = self.spacing, self.anchor / 10**self.decimals - self._shift
            positions = base + spacing * np.rint((positions - base) / spacing)
        return np.round(positions, self.decimals)

    def values(
        self, positions: npt.NDArray[np.float64], lowest: int, highest: int
    ) -> npt.NDArray[Any]:  # (n,), both
        """Return the integers at positions, within [lowest, highest]."""
        offsets = np.rint(positions * 10.0**self.scale if self.scale else positions)
        first, last = (end // self.unit - self.origin for end in (lowest, highest))
        if max(map(abs, (first, last, lowest, highest, self.origin))) > LARGEST_SUMMED:
            exact = [self._snapped(int(one) + self.origin) for one in offsets.tolist()]
            return as_integers([min(max(one * self.unit, lowest), highest) for one in exact])
        whole = offsets.clip(-LARGEST_SUMMED, LARGEST_SUMMED).astype(np.int64)
        values = self._snapped(whole.clip(first, last) + self.origin) * self.unit
        inside: npt.NDArray[np.int64] = values.clip(lowest, highest)
        return inside

    def _snapped(self, multiples: Any) -> Any:
        """Round integers, exactly, to the nearest that values may have."""
        if self.decimals is None:
            return multiples
        factor = 10 ** (self.scale - self.decimals)
        step, anchor = self.step * factor, self.anchor * factor
        if step == 1:
            return multiples
        return anchor + (multiples - anchor + step // 2) // step * step

    @property
    def _shift(self) -> float:
        """Position of 0, with its sign changed."""
        return float(self.origin / 10**self.scale)

    def _of_other_floats(
        self, values: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:  # (n,), both
        positions = values / self.unit - self.origin
        return positions / 10.0**self.scale if self.scale else positions


FLOATS = Grid()


def ascending_positions(
    grid: Grid, levels: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:  # (n_levels,), both
    """Return the positions of ascending values, moved apart where they are the same float."""
    positions = grid.positions(levels)
    if (positions[1:] > positions[:-1]).all():
        return positions
    for index in range(1, len(positions)):
        least = np.nextafter(positions[index - 1], np.inf)
        positions[index] = max(positions[index], least)
    return positions


def find_levels(
    levels: npt.NDArray[Any], values: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:  # (n_levels,), (n,) to (n,) twice
    """Return the index of each value among ascending levels, and whether it is one of them."""
    indices = np.searchsorted(levels, values).clip(max=len(levels) - 1)
    return indices, np.asarray(levels[indices] == values, dtype=bool)


def _minus(values: npt.NDArray[Any], origin: int) -> npt.NDArray[Any]:  # (n,), both
    """Return exact differences; of 64-bit integers, as int64 or as objects if they overflow."""
    if values.dtype.kind == "O":
        return values - origin
    lowest, highest = int(values.min(initial=origin)), int(values.max(initial=origin))
    if lowest - origin >= -(2**63) and highest - origin < 2**63:
        # Modulo 2 ** 64, differences of the bits are those of the integers.
        bits = values.astype(np.uint64) - np.uint64(origin % 2**64)
        return bits.view(np.int64)
    return values.astype(object) - origin


def _step(integers: npt.NDArray[Any]) -> tuple[int, int]:  # (n,)
    """Return the greatest common divisor of the differences of integers, and one of them."""
    if len(integers) == 0:
        return 1, 0
    base = int(integers.min())
    for tried in (_evenly_spaced(integers), integers):
        differences = _minus(tried, base)
        if differences.dtype.kind == "O":
            step = math.gcd(*map(int, differences.tolist()))
        else:
            step = int(np.gcd.reduce(differences))
        if step <= 1:
            return 1, base
    return step, base


def _decimals(values: npt.NDArray[np.floating]) -> int | None:
    """Return the largest number of decimals of a value; None if it is unknown."""
    tried = _evenly_spaced(values)
    for decimals in range(MOST_DECIMALS + 1):
        are_exact = _are_exact(tried, decimals)
        if are_exact is None:
            return None
        if are_exact and _are_exact(values, decimals):
            return decimals
    return None


def _are_exact(values: npt.NDArray[np.floating], decimals: int) -> bool | None:
    """Return whether all values have at most this number of decimals.

    This cannot be known of values that have as many digits as their dtype holds, which are left
    out. If they are the majority, return None.
    """
    largest = 2.0 ** (np.finfo(values.dtype).nmant + 1)
    wide = values.astype(np.float64)
    is_known = np.abs(wide) < min(largest, LARGEST_EXACT_INTEGER) * 10.0**-decimals
    n_known = np.count_nonzero(is_known)
    if 2 * n_known < len(values):
        return None
    if n_known < len(values):
        wide, values = wide[is_known], values[is_known]
    return bool((np.round(wide, decimals).astype(values.dtype) == values).all())


def _evenly_spaced(values: npt.NDArray[Any]) -> npt.NDArray[Any]:  # (n,) to (n_tried,)
    return values[:: max(1, len(values) // N_ROWS_TRIED)]


def _varied_or_all(some: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return some if len(some) > 0 and some.min() < some.max() else values
