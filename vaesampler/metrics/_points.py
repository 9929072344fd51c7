"""Columns as coordinates: rows become points whose distances can be compared."""

import numpy as np
import numpy.typing as npt

from vaesampler._table.columns import MOST_LEVELS_APART

# Interquartile range of a standard normal distribution.
IQR_OF_NORMAL = 1.349
# Values beyond this many robust deviations from the median are compressed logarithmically, so
# that the tail of one column does not decide which rows are close. Most values of a normal
# distribution are within 3.
TAIL_DEVIATIONS = 3
# Largest coordinate and largest deviation: sums of their squares stay finite.
LARGEST = 1e300
LARGEST_DEVIATION = 1e150


def in_common_unit(
    values: npt.NDArray[np.float64], observed: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:  # (n_rows,) and (n_observed,) to (n_rows,)
    """Divide values by a power of 2 close to the largest absolute observed value.

    Sums of squares of the observed values then neither overflow nor underflow, and no value is
    rounded.
    """
    exponent = np.frexp(np.abs(observed).max(initial=0.0))[1]
    with np.errstate(over="ignore", under="ignore"):
        scaled: npt.NDArray[np.float64] = np.ldexp(values, -exponent)
    return scaled.clip(-LARGEST, LARGEST)


def number_blocks(
    values_of_tables: list[npt.NDArray[np.float64]],  # of each table, (n_rows,)
) -> list[npt.NDArray[np.float64]]:  # of each table, (n_rows, 1 or 2)
    """Return the coordinates of a column of numbers, which have deviation 1 in the real table.

    A second coordinate is 1 for missing cells, if any table has one; their first is 0.
    """
    real = values_of_tables[0]
    scaled = [_scaled(values, real[~np.isnan(real)]) for values in values_of_tables]
    deviation = float(np.nanstd(scaled[0])) if (~np.isnan(real)).any() else 0.0
    is_missing = [np.isnan(values) for values in values_of_tables]
    blocks = [np.nan_to_num(values / (deviation or 1.0))[:, np.newaxis] for values in scaled]
    if not any(flags.any() for flags in is_missing):
        return blocks
    return [np.column_stack(pair) for pair in zip(blocks, is_missing, strict=True)]


def _scaled(
    values: npt.NDArray[np.float64], observed: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:  # (n_rows,) and (n_observed,) to (n_rows,)
    """Return t * arcsinh(d / t), where d is a value's robust deviation from the median.

    t is `TAIL_DEVIATIONS`; median and deviation are those of the observed values.
    """
    if len(observed) == 0:
        return np.zeros(len(values))
    values, observed = in_common_unit(values, observed), in_common_unit(observed, observed)
    median = np.median(observed)
    differences = values - median
    if observed.min() == observed.max():
        return np.sign(differences)  # there is no deviation: any other value is at distance 1
    # If most values are equal, the interquartile range is 0: use that of the other values.
    others = observed[observed != median]
    deviation = (
        _robust_deviation(observed) or _robust_deviation(others) or float(np.std(observed))
    )
    with np.errstate(over="ignore"):
        deviations = np.clip(differences / deviation, -LARGEST_DEVIATION, LARGEST_DEVIATION)
    return TAIL_DEVIATIONS * np.arcsinh(deviations / TAIL_DEVIATIONS)


def _robust_deviation(observed: npt.NDArray[np.float64]) -> float:
    low, high = np.quantile(observed, [0.25, 0.75])
    return float((high - low) / IQR_OF_NORMAL)


def level_blocks(
    levels_of_tables: list[npt.NDArray[np.float64]],  # of each table, (n_rows,), level indices
) -> list[npt.NDArray[np.float64]]:  # of each table, (n_rows, n_slots)
    """Return one-hot codes of a column of categories, divided by √2.

    Two different levels are at distance 1. The rare levels of the real table share a slot, as
    do levels that only other tables have.
    """
    real = levels_of_tables[0]
    n_levels = int(np.nanmax(real)) + 1 if (~np.isnan(real)).any() else 0
    n_apart = min(n_levels, MOST_LEVELS_APART)
    # The slots after those of the frequent levels: rare levels, unknown levels, missing cells.
    slots = [
        np.select(
            [np.isnan(levels), levels >= n_levels, levels >= n_apart],
            [n_apart + 2, n_apart + 1, n_apart],
            levels,
        ).astype(np.intp)
        for levels in levels_of_tables
    ]
    used = np.unique(np.concatenate(slots))
    return [(of_table[:, np.newaxis] == used) / np.sqrt(2) for of_table in slots]
