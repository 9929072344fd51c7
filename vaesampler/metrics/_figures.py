"""`FIGURES`: the lines of a report's table. To add a line, add an entry."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vaesampler.metrics._novelty import NEAR_SHARE
from vaesampler.metrics._two_sample import CHANCE_AUC

if TYPE_CHECKING:
    from vaesampler.metrics._report import SyntheticReport


@dataclass(frozen=True)
class Figure:
    """A line of a report: the same figure for synthetic rows and for new real rows."""

    name: str
    meaning: str
    # Which values are better; "like real" are those close to the value for new real rows.
    better: Literal["higher", "lower", "like real"]
    read: Callable[["SyntheticReport"], tuple[float, float]]  # synthetic, new real
    is_share: bool = False

    def shown(self, report: "SyntheticReport") -> tuple[str, str]:
        """Format both values: shares as percentages, unknown values as a dash."""
        synthetic, real = self.read(report)
        return self._format(synthetic), self._format(real)

    def _format(self, value: float) -> str:
        if math.isnan(value):
            return "-"
        return f"{value:.1%}" if self.is_share else f"{value:.2f}"


FIGURES = (
    Figure(
        "copies",
        "equal to a real row",
        "lower",
        lambda report: (report.novelty.copies, report.novelty.copies_of_real),
        is_share=True,
    ),
    Figure(
        "near copies",
        f"nearer to a real row than {1 - NEAR_SHARE:.0%} of new ones",
        "lower",
        lambda report: (report.novelty.near_copies, report.novelty.near_copies_of_real),
        is_share=True,
    ),
    Figure(
        "closest real row",
        "median distance, in deviations",
        "like real",
        lambda report: (
            report.novelty.closest_distance,
            report.novelty.closest_distance_of_real,
        ),
    ),
    Figure(
        "two-sample AUC",
        "of telling synthetic from real; 1 if always",
        "like real",
        lambda report: (report.two_sample_auc, CHANCE_AUC),
    ),
    Figure(
        "density",
        "more if crowded, less if far off",
        "like real",
        lambda report: (
            report.density_coverage.density,
            report.density_coverage_of_real.density,
        ),
    ),
    Figure(
        "coverage",
        "real rows with such a row close by",
        "higher",
        lambda report: (
            report.density_coverage.coverage,
            report.density_coverage_of_real.coverage,
        ),
        is_share=True,
    ),
    Figure(
        "precision",
        "within reach of a real row",
        "higher",
        lambda report: (
            report.precision_recall.precision,
            report.precision_recall_of_real.precision,
        ),
        is_share=True,
    ),
    Figure(
        "recall",
        "real rows within reach of such a row",
        "higher",
        lambda report: (
            report.precision_recall.recall,
            report.precision_recall_of_real.recall,
        ),
        is_share=True,
    ),
    Figure(
        "columns differ by",
        "mean distance of distributions, 0 to 1",
        "lower",
        lambda report: (report.columns.mean, report.columns_of_real.mean),
    ),
    Figure(
        "pairs differ by",
        "mean difference of associations",
        "lower",
        lambda report: (report.associations.mean, report.associations_of_real.mean),
    ),
)
