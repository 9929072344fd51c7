"""How real, how varied and how new synthetic rows are.

Each function takes tables of the same columns, of any kind: frames, arrays, lists and sparse
matrices, with numbers, categories, truth values, times and missing cells. Where rows are
compared, a number is measured in robust deviations of the real rows' numbers, and far out by
its logarithm, lest the tail of one column decide; two categories that differ are one deviation
apart, as are a missing cell and an average one.

A figure says little by itself: compute it for real rows that the sampler has not seen, too.
:func:`vaesampler.synthetic_report` does that.
"""

from vaesampler.metrics._distributions import (
    AssociationDistances,
    ColumnDistances,
    association_distances,
    column_distances,
)
from vaesampler.metrics._neighborhoods import (
    DensityCoverage,
    PrecisionRecall,
    density_coverage,
    precision_recall,
)
from vaesampler.metrics._novelty import Novelty, distance_to_closest_record, novelty
from vaesampler.metrics._two_sample import classifier_two_sample_test

__all__ = [
    "AssociationDistances",
    "ColumnDistances",
    "DensityCoverage",
    "Novelty",
    "PrecisionRecall",
    "association_distances",
    "classifier_two_sample_test",
    "column_distances",
    "density_coverage",
    "distance_to_closest_record",
    "novelty",
    "precision_recall",
]
