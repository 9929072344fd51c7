"""`NormalScores`: a monotone map of a column of numbers to normal scores, and back."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

# Number of quantiles, evenly spaced in scores.
N_QUANTILES = 512
# Slopes are means over this many scores on either side. Chosen with benchmarks/density.py.
SLOPE_WINDOW = 0.1
# Quantiles at a smaller distance are merged: the slope would overflow.
LEAST_DISTANCE = 2.0**-1000
# Values with exponents (of 2) outside of this range are scaled, so that differences neither
# overflow nor underflow.
LOWEST_EXPONENT, HIGHEST_EXPONENT = -500, 900

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NormalScores:
    """A monotone map of the values of a column to normal scores, and back.

    The score of the i-th smallest of n values is PHI^-1((i - 1/2) / n), where PHI is the
    distribution function of the standard normal distribution. Equal values have the score of
    their mean rank. Scores are divided by their standard deviation. The map is linear between
    the quantiles of evenly spaced scores, and continues with the mean slope beyond them.

    Attributes
    ----------
    lowest, highest : float
        Scores of the smallest and the largest value.
    quantiles : ndarray of float64, of shape (N_QUANTILES,)
        Values of evenly spaced scores from `lowest` to `highest`, times `unit`; ascending.
    unit : float
        A power of 2.

    References
    ----------
    Bartel L. van der Waerden (1952). Order Tests for the Two-Sample Problem and Their Power.
    """

    lowest: float
    highest: float
    quantiles: Floats
    unit: float

    @classmethod
    def of(cls, sample: Floats) -> Self:  # (n_sampled,)
        """Return the map of a column, given at least one of its values."""
        unit = _unit(float(np.abs(sample).max()))
        values, counts = np.unique(sample * unit, return_counts=True)
        scores = ndtri((np.cumsum(counts) - counts / 2) / len(sample))
        # Not a product of matrices, whose rounding depends on the number of threads.
        scores /= np.sqrt(np.sum(counts * scores**2) / len(sample)) or 1.0
        grid = np.linspace(scores[0], scores[-1], N_QUANTILES)
        quantiles = np.interp(grid, scores, values)
        return cls(float(scores[0]), float(scores[-1]), quantiles, unit)

    def of_values(self, values: Floats) -> Floats:  # (n_rows,), both
        """Return the score of each value."""
        quantiles, scores = self._points
        with np.errstate(over="ignore"):  # infinity has the score of the last point
            found: Floats = np.interp(values * self.unit, quantiles, scores)
        return found

    def log_slopes(self, values: Floats) -> Floats:  # (n_rows,), both
        """Return log(d score / d value) at each value.

        It is the mean slope from the value whose score is lower by `SLOPE_WINDOW` to the value
        whose score is higher by it. The slope at a point would be that between two values of
        the column, whose distance is mostly chance.
        """
        quantiles, scores = self._points
        if len(scores) == 1:
            return np.zeros(len(values))
        own = self.of_values(values)
        below = np.maximum(own - SLOPE_WINDOW, scores[0])
        above = np.minimum(own + SLOPE_WINDOW, scores[-1])
        distance = np.interp(above, scores, quantiles) - np.interp(below, scores, quantiles)
        slopes: Floats = np.log(above - below) - np.log(distance) + np.log(self.unit)
        return slopes

    @cached_property
    def _points(self) -> tuple[Floats, Floats]:
        """Strictly ascending quantiles and their scores, a range more on either side."""
        scores = np.linspace(self.lowest, self.highest, N_QUANTILES)
        is_apart = np.diff(self.quantiles, prepend=-np.inf) > LEAST_DISTANCE
        points = self.quantiles[is_apart], scores[is_apart]
        return _extended(points[0]), _extended(points[1])


def _extended(values: Floats) -> Floats:
    span = values[-1:] - values[:1]
    return (
        values if span == 0 else np.concatenate([values[:1] - span, values, values[-1:] + span])
    )


def _unit(largest: float) -> float:
    """Return the factor of the values of a column, given the largest absolute value."""
    exponent = int(np.frexp(largest)[1]) if largest > 0 else 0
    return 2.0 ** (min(max(exponent, LOWEST_EXPONENT), HIGHEST_EXPONENT) - exponent)
