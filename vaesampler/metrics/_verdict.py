"""The verdict of a report, in words."""

import math
from typing import TYPE_CHECKING

from scipy.stats import betabinom

from vaesampler.metrics._novelty import NEAR_SHARE, Novelty

if TYPE_CHECKING:
    pass


# Fewer rows tell too little. Of held-out ones, the real ones themselves stand in for them; of
# synthetic ones, an AUC above .9 may be chance.
MIN_ROWS = 10
# Rows are called memorized where chance alone would bring so many near copies once in a hundred
# times, and one row in twenty more is a near copy than among real ones.
CHANCE = 0.01
LEAST_EXCESS = NEAR_SHARE
# Rows that trees tell from real ones this well are unlike them, and so are those that cover
# less than half as many real rows as new real ones do.
MOST_AUC = 0.9
LEAST_COVERAGE = 0.5


def _verdict(
    novelty: Novelty, n_synthetic: int, auc: float, coverage: float, coverage_of_real: float
) -> tuple[str, str]:
    """Return the verdict, and the figures that say so."""
    near, near_of_real = novelty.near_copies, novelty.near_copies_of_real
    by_chance, usual = _most_by_chance(novelty, n_synthetic), near_of_real + LEAST_EXCESS
    is_memorizing = near > max(by_chance, usual)
    copies = f"{near:.0%} near copies, against {near_of_real:.0%} of new real rows"
    if is_memorizing and by_chance > usual:
        copies += f" and, there being so few, up to {by_chance:.0%} by chance"
    told = f"told from real rows with an AUC of {auc:.2f}, where 0.5 is best"
    covered = (
        []  # where there are too few to tell
        if math.isnan(coverage)
        else [
            f"{coverage:.0%} of real rows covered, against {coverage_of_real:.0%} by new real "
            "ones"
        ]
    )
    is_enough = min(n_synthetic, novelty.n_reference) >= MIN_ROWS
    if is_enough and (auc > MOST_AUC or coverage < LEAST_COVERAGE * coverage_of_real):
        return "too weak", "; ".join([told, *covered, *([copies] if is_memorizing else [])])
    if is_memorizing:
        return "memorizing", copies
    if not is_enough:
        return "undecided", f"fewer than {MIN_ROWS} synthetic or new real rows; {copies}"
    return "balanced", "; ".join([copies, told, *covered])


def _most_by_chance(novelty: Novelty, n_synthetic: int) -> float:
    """Return what share of near copies may be chance.

    Of n distances of new real rows k are near. Were synthetic rows real ones, the number of
    near ones among them would have a beta-binomial distribution. Among training rows the
    closest are so to each other, which makes half as many distances of them.
    """
    n, k = novelty.n_reference, novelty.n_near_reference
    if not novelty.is_held_out:
        n, k = n // 2, k // 2
    if k == n or novelty.n_reference < MIN_ROWS:
        return 1.0
    return float(betabinom.ppf(1 - CHANCE, n_synthetic, k + 1, n - k)) / n_synthetic
