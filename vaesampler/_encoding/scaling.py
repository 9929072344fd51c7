"""Compress values beyond 10 deviations logarithmically, and undo it."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = TypeVar("Floats", npt.NDArray[np.float32], npt.NDArray[np.float64])

# Values up to this many deviations are not compressed.
FAR = 10.0
# Upper bound on the exponent in `expand`: exp(80) is near the largest float32.
LARGEST_EXPONENT = 80.0


def compress(values: Floats) -> Floats:
    """Replace x by sign(x) * (10 + log(abs(x) - 9)) where abs(x) > 10, in place."""
    if _are_all_near(values):
        return values
    is_far = np.abs(values) > FAR
    far = values[is_far]
    values[is_far] = np.copysign(FAR + np.log1p(np.abs(far) - FAR), far)
    return values


def expand(values: Floats) -> Floats:
    """Replace x by sign(x) * (9 + exp(abs(x) - 10)) where abs(x) > 10, in place."""
    if _are_all_near(values):
        return values
    is_far = np.abs(values) > FAR
    far = values[is_far]
    exponents = np.minimum(np.abs(far) - FAR, LARGEST_EXPONENT)
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
