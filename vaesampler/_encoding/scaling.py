"""Compress values beyond 10 deviations logarithmically, and undo it."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = TypeVar("Floats", npt.NDArray[np.float32], npt.NDArray[np.float64])

# Values up to this many deviations are not compressed.
FAR = 10.0
# Compressed values beyond this, which are beyond 5e8 deviations, are compressed once more.
VERY_FAR = 30.0
# Upper bounds on the exponents in `expand`, near the logarithms of the largest floats.
LARGEST_EXPONENTS = {np.dtype(np.float32): 80.0, np.dtype(np.float64): 709.78}


def compress(values: Floats) -> Floats:
    """Replace x by sign(x) * (10 + log(abs(x) - 9)) where abs(x) > 10, in place.

    Where the result y is beyond 30, it is replaced by sign(y) * (30 + log(abs(y) - 29)), so
    that the largest float64 becomes 36.5.
    """
    if _are_all_near(values):
        return values
    is_far = np.abs(values) > FAR
    far = values[is_far]
    # Values that overflow when they are standardized are infinite.
    sizes = np.minimum(np.abs(far), np.finfo(far.dtype).max)
    sizes = FAR + np.log1p(sizes - FAR)
    is_very_far = sizes > VERY_FAR
    if is_very_far.any():
        sizes[is_very_far] = VERY_FAR + np.log1p(sizes[is_very_far] - VERY_FAR)
    values[is_far] = np.copysign(sizes, far)
    return values


def expand(values: Floats) -> Floats:
    """Replace x by sign(x) * (9 + exp(abs(x) - 10)) where abs(x) > 10, in place.

    Before that, x is replaced by sign(x) * (29 + exp(abs(x) - 30)) where abs(x) > 30.
    """
    if _are_all_near(values):
        return values
    is_far = np.abs(values) > FAR
    far = values[is_far]
    largest = LARGEST_EXPONENTS[far.dtype]
    sizes = np.abs(far)
    is_very_far = sizes > VERY_FAR
    if is_very_far.any():
        exponents = np.minimum(sizes[is_very_far] - VERY_FAR, np.log(largest))
        sizes[is_very_far] = VERY_FAR + np.expm1(exponents)
    exponents = np.minimum(sizes - FAR, largest)
    values[is_far] = np.copysign(FAR + np.expm1(exponents), far)
    return values


def midpoints_between(
    levels: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:  # (n_levels,) to (n_levels - 1,)
    """Return the midpoints of adjacent levels."""
    midpoints: npt.NDArray[np.float64] = levels[:-1] / 2 + levels[1:] / 2
    return midpoints


def _are_all_near(values: npt.NDArray[np.floating]) -> bool:
    # True for most tables, for which nothing is allocated. NaN compares false, hence is far.
    return values.size == 0 or bool(values.max() <= FAR and values.min() >= -FAR)
