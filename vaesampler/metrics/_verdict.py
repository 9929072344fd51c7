"""The verdict of a report, and the reason for it."""

import math
from collections.abc import Mapping
from typing import Literal

from scipy.stats import betabinom

from vaesampler.metrics._novelty import NEAR_SHARE, Novelty
from vaesampler.metrics._two_sample import CHANCE_AUC

Verdict = Literal["memorizing", "too weak", "skewed", "realistic", "undecided"]

# With fewer held-out rows the real rows are their own reference; with fewer synthetic rows an
# AUC above `MOST_AUC` may be chance.
MIN_ROWS = 10
# Rows are "memorizing" if chance alone gives as many near copies with at most this probability,
# and their share of near copies exceeds that of new real rows by at least `LEAST_EXCESS`.
CHANCE = 0.01
LEAST_EXCESS = NEAR_SHARE
# Rows are "too weak" if trees separate them from real rows with a larger AUC, or their coverage
# is below this fraction of that of new real rows.
MOST_AUC = 0.9
LEAST_COVERAGE = 0.5
# An AUC below this one looks like a finding, but is chance.
LOW_AUC = 0.4
N_SKEWED = 3  # columns that the reason names


def verdict_of(
    novelty: Novelty,
    n_synthetic: int,
    auc: float,
    coverage: float,
    coverage_of_real: float,
    skews: Mapping[str, float],  # by column, the largest first
) -> tuple[Verdict, str]:
    """Return the verdict, and the figures that it is based on, separated by "; "."""
    near, near_of_real = novelty.near_copies, novelty.near_copies_of_real
    by_chance, usual = _most_by_chance(novelty, n_synthetic), near_of_real + LEAST_EXCESS
    is_memorizing = near > max(by_chance, usual)
    copies = f"{near:.0%} near copies, against {near_of_real:.0%} of new real rows"
    if is_memorizing and by_chance > usual:
        copies += f" and, with few rows, up to {by_chance:.0%} by chance"
    fidelity = [
        f"told from real rows with an AUC of {auc:.2f}, where {CHANCE_AUC} is best"
        + (" and less is chance" if auc < LOW_AUC else "")
    ]
    if not math.isnan(coverage):
        fidelity.append(
            f"{coverage:.0%} of real rows covered, against {coverage_of_real:.0%} by new real "
            "ones"
        )
    is_enough = min(n_synthetic, novelty.n_reference) >= MIN_ROWS
    if is_enough and (auc > MOST_AUC or coverage < LEAST_COVERAGE * coverage_of_real):
        return "too weak", "; ".join([*fidelity, *([copies] if is_memorizing else [])])
    if is_memorizing:
        return "memorizing", copies
    if not is_enough:
        return "undecided", f"fewer than {MIN_ROWS} synthetic or new real rows; {copies}"
    if skews:
        return "skewed", "; ".join([_describe(skews), copies, *fidelity])
    return "realistic", "; ".join([copies, *fidelity])


def _describe(skews: Mapping[str, float]) -> str:
    named = [f"{skew:.0%} in {name}" for name, skew in list(skews.items())[:N_SKEWED]]
    n_others = len(skews) - N_SKEWED
    others = [f"and in {n_others} other columns"] if n_others > 1 else []
    others += ["and in 1 other column"] if n_others == 1 else []
    return "shares differ from those of real rows by " + ", ".join(named + others)


def _most_by_chance(novelty: Novelty, n_synthetic: int) -> float:
    """Return the share of near copies that chance exceeds with probability `CHANCE`.

    `near_distance` is the (k + 1)-th smallest of n distances of new real rows, where k of them
    are near copies. The probability that another real row is nearer is therefore distributed
    as Beta(k + 1, n - k), and the number of near copies among m of them is beta-binomial. Two
    training rows are often closest to each other, so that their n distances count as n / 2.
    """
    n, k = novelty.n_reference, novelty.n_near_reference
    if not novelty.is_held_out:
        n, k = n // 2, k // 2
    if k == n or novelty.n_reference < MIN_ROWS:
        return 1.0
    return float(betabinom.ppf(1 - CHANCE, n_synthetic, k + 1, n - k)) / n_synthetic
