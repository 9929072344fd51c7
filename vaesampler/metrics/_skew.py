"""Columns whose distribution among synthetic rows differs from that among real rows."""

import math

import numpy as np
import numpy.typing as npt

from vaesampler.metrics._distributions import column_distances_of
from vaesampler.metrics._paired_tables import PairedTables
from vaesampler.metrics._verdict import CHANCE

# A column is skewed if its distance is larger than `LEAST_SKEW` and than chance explains: if
# all columns are distributed as the real ones, one is skewed with probability `CHANCE` at most.
LEAST_SKEW = 0.15


def skewed_columns(tables: PairedTables) -> dict[str, float]:
    """Return the distances of the skewed columns of the second table, the largest first.

    They are those of `column_distances`, and differences between the shares of missing cells.
    """
    compared = tables.without_holdout()
    real, synthetic = compared.cells
    found = column_distances_of(compared)
    n_columns = len(compared.names)
    missing_by_chance = _most_by_chance(len(real), len(synthetic), 2, n_columns)
    skews = {}
    for index, name in enumerate(compared.names):
        cells = real[:, index], synthetic[:, index]
        n_real, n_synthetic = (int(np.sum(~np.isnan(column))) for column in cells)
        n_levels = _count_levels(cells) if found.is_category[index] else 2
        by_chance = _most_by_chance(n_real, n_synthetic, n_levels, n_columns)
        distance, missing = found.distance[index], abs(found.missing_difference[index])
        skews[name] = max(
            distance if distance > by_chance else 0.0,
            missing if missing > missing_by_chance else 0.0,
        )
    largest_first = sorted(skews.items(), key=lambda skew: -skew[1])
    return {name: float(skew) for name, skew in largest_first if skew > LEAST_SKEW}


def _count_levels(cells: tuple[npt.NDArray[np.float64], ...]) -> int:
    levels = np.unique(np.concatenate(cells))
    return int(np.count_nonzero(~np.isnan(levels)))


def _most_by_chance(n_real: int, n_synthetic: int, n_levels: int, n_columns: int) -> float:
    """Return the distance that columns of equal distribution exceed with a small probability.

    The shares of a set of values among n and m cells differ by more than e with probability
    2 exp(-2 e^2 n m / (n + m)) at most (Hoeffding 1963), and so do cumulative distributions
    (Wei and Dudley 2012). The total variation distance of k levels is the largest difference
    among 2^(k - 1) sets of them.
    """
    if min(n_real, n_synthetic) == 0:
        return math.inf
    log_chance = math.log(CHANCE / (2 * n_columns)) - max(n_levels - 2, 0) * math.log(2)
    return math.sqrt(-log_chance * (n_real + n_synthetic) / (2 * n_real * n_synthetic))
