"""Numbers far from the middle count by their logarithm, so that none outweighs all others."""

import numpy as np

# In deviations; what is nearer is left as it is.
FAR = 10.0
# float32 holds no number of more than so many deviations.
LARGEST_LOGARITHM = 80.0


def compress(numbers: np.ndarray) -> np.ndarray:
    """Draw far numbers in, in place: an amount of a thousand deviations trains like 17."""
    if _are_all_near(numbers):
        return numbers
    is_far = np.abs(numbers) > FAR
    far = numbers[is_far]
    numbers[is_far] = np.copysign(FAR + np.log1p(np.abs(far) - FAR), far)
    return numbers


def expand(numbers: np.ndarray) -> np.ndarray:
    """Undo `compress`, in place."""
    if _are_all_near(numbers):
        return numbers
    is_far = np.abs(numbers) > FAR
    far = numbers[is_far]
    logarithms = np.minimum(np.abs(far) - FAR, LARGEST_LOGARITHM)
    numbers[is_far] = np.copysign(FAR + np.expm1(logarithms), far)
    return numbers


def _are_all_near(numbers: np.ndarray) -> bool:
    # Most often they are, and nothing has to be made to tell; NaN is no number, far or near.
    return numbers.size == 0 or bool(numbers.max() <= FAR and numbers.min() >= -FAR)


def midpoints_between(levels: np.ndarray) -> np.ndarray:  # (n_levels,) to (n_levels - 1,)
    """Return where the nearest of some ascending numbers changes."""
    midpoints: np.ndarray = levels[:-1] / 2 + levels[1:] / 2
    return midpoints
