"""Metrics of synthetic rows: fidelity, coverage and novelty.

Each function compares tables with the same columns, of any kind: data frames, arrays, lists and
sparse matrices, with numbers, categories, truth values, times and missing cells. Distances
between rows are Euclidean. A value counts in robust standard deviations from the median of the
real values, logarithmically in the tails, so that no single column dominates. Two different
categories are one deviation apart, as are a missing cell and an average value.

A metric is meaningful only in comparison with its value for real rows that the sampler was not
fitted on. :func:`vaesampler.synthetic_report` computes both.
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
