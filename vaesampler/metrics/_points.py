"""Rows of a table as points, whose distance says how much they differ."""

import numpy as np

from vaesampler._table.columns import MOST_LEVELS_APART
from vaesampler._table.inference import IQR_OF_NORMAL

# Numbers farther from the middle than this many deviations count by their logarithm.
TAIL_DEVIATIONS = 3
# How far a number may be out, in the unit of the others, so that what is made of it is finite.
LARGEST = 1e300


def in_common_unit(numbers: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return numbers in a unit near the largest observed one.

    Sums and squares of the observed ones neither overflow nor vanish then. The unit is a power
    of 2, so that no number is rounded.
    """
    exponent = np.frexp(np.abs(observed).max(initial=0.0))[1]
    with np.errstate(over="ignore", under="ignore"):
        scaled: np.ndarray = np.ldexp(numbers, -exponent)
    return scaled.clip(-LARGEST, LARGEST)


def _number_blocks(of_tables: list[np.ndarray]) -> list[np.ndarray]:  # (n_rows, 1 or 2)
    real = of_tables[0]
    scaled = [_scaled(values, real[~np.isnan(real)]) for values in of_tables]
    deviation = float(np.nanstd(scaled[0])) if (~np.isnan(real)).any() else 0.0
    missing = [np.isnan(values) for values in of_tables]
    blocks = [np.nan_to_num(values / (deviation or 1.0))[:, np.newaxis] for values in scaled]
    if not any(flags.any() for flags in missing):
        return blocks
    return [np.column_stack(pair) for pair in zip(blocks, missing, strict=True)]


def _scaled(values: np.ndarray, observed: np.ndarray) -> np.ndarray:  # (n_rows,)
    """Measure numbers in robust deviations of the observed ones, and draw in the tails."""
    if len(observed) == 0:
        return np.zeros(len(values))
    values, observed = (in_common_unit(numbers, observed) for numbers in (values, observed))
    off_middle = values - (middle := np.median(observed))
    if observed.min() == observed.max():
        sides: np.ndarray = np.sign(off_middle)  # no deviation to measure in: one apart
        return sides
    # Where most rows sit at one value, the others tell, lest it be their far tail.
    others = observed[observed != middle]
    spread = _spread(observed) or _spread(others) or float(np.std(observed))
    with np.errstate(over="ignore"):
        deviations = np.clip(off_middle / spread, -1e150, 1e150)
    scaled: np.ndarray = TAIL_DEVIATIONS * np.arcsinh(deviations / TAIL_DEVIATIONS)
    return scaled


def _spread(observed: np.ndarray) -> float:
    low, high = np.quantile(observed, [0.25, 0.75])
    return float((high - low) / IQR_OF_NORMAL)


def _level_blocks(of_tables: list[np.ndarray]) -> list[np.ndarray]:  # (n_rows, n_slots)
    real = of_tables[0]
    n_levels = int(np.nanmax(real)) + 1 if (~np.isnan(real)).any() else 0
    n_apart = min(n_levels, MOST_LEVELS_APART)
    # Behind the frequent levels: the rare ones, those unseen among real rows, and missing.
    slots = [
        np.select(
            [np.isnan(numbers), numbers >= n_levels, numbers >= n_apart],
            [n_apart + 2, n_apart + 1, n_apart],
            numbers,
        ).astype(np.intp)
        for numbers in of_tables
    ]
    used = np.unique(np.concatenate(slots))
    return [(of_table[:, np.newaxis] == used) / np.sqrt(2) for of_table in slots]
