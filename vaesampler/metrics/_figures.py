"""The figures of a report, computed for synthetic rows and for new real ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaesampler._runtime.seeds import Seeds
from vaesampler.metrics._distributions import (
    AssociationDistances,
    ColumnDistances,
    association_distances_of,
    column_distances_of,
)
from vaesampler.metrics._neighborhoods import (
    DensityCoverage,
    PrecisionRecall,
    density_coverage_of,
    precision_recall_of,
)
from vaesampler.metrics._paired_tables import ComparableTables
from vaesampler.metrics._two_sample import two_sample_score

if TYPE_CHECKING:
    pass


DENSITY_NEIGHBORS, PRECISION_NEIGHBORS, N_FOLDS = 5, 3, 5
MOST_COLUMNS_IN_PAIRS = 50
# Few rows cover few others, and by chance much fewer: up to so many parts of the synthetic rows
# are looked at, each of as many as there are new real ones.
MOST_PARTS = 5
MEANINGS = {
    "copies": "equal to a real row",
    "near copies": "nearer to a real row than 95% of new ones",
    "closest real row": "median distance, in deviations",
    "two-sample AUC": "of telling synthetic from real; 1 if always",
    "density": "more if crowded, less if far off",
    "coverage": "real rows with such a row close by",
    "precision": "within reach of a real row",
    "recall": "real rows within reach of such a row",
    "columns differ by": "mean distance of distributions, 0 to 1",
    "pairs differ by": "mean difference of associations",
}
SHARES = ("copies", "near copies", "coverage", "precision", "recall")


@dataclass(frozen=True)
class Figure:
    """A line of a report: what was measured for synthetic rows, and for new real ones."""

    name: str
    synthetic: float
    real: float
    is_share: bool
    meaning: str


@dataclass(frozen=True)
class Likeness:
    """How like a reference some rows are, new real ones or synthetic ones."""

    density_coverage: DensityCoverage
    precision_recall: PrecisionRecall
    columns: ColumnDistances
    associations: AssociationDistances


def _two_sample_auc(tables: ComparableTables, seeds: Seeds) -> float:
    """Tell synthetic rows from held-out ones or, where there are none, from the others."""
    real, synthetic, *held_out = tables.matrices
    new_real = held_out[0] if held_out else real
    if min(len(new_real), len(synthetic)) < N_FOLDS:
        return math.nan
    return two_sample_score(new_real, synthetic, seeds)


def _likenesses(tables: ComparableTables, seeds: Seeds) -> tuple[Likeness, Likeness]:
    """Compare as many synthetic and new real rows, in this order, with the other real rows."""
    rng = seeds.numpy("likeness")
    real, synthetic, *held_out = (rng.permutation(len(table)) for table in tables.cells)
    if held_out:
        (new_real,), place_of_new = held_out, 2
    else:
        (real, new_real), place_of_new = np.array_split(real, 2), 0
    n_rows = min(len(synthetic), len(new_real))
    n_parts = min(MOST_PARTS, len(synthetic) // n_rows)
    parts = np.split(synthetic[: n_parts * n_rows], n_parts)
    return (
        _likeness(tables, real, 1, parts, seeds.numpy("pairs")),
        _likeness(tables, real, place_of_new, [new_real[:n_rows]], seeds.numpy("pairs")),
    )


def _likeness(
    tables: ComparableTables,
    real: np.ndarray,  # numbers of rows of the first table
    place: int,
    parts: Sequence[np.ndarray],  # numbers of rows of the table in this place
    rng: np.random.Generator,
) -> Likeness:
    """Compare some rows, in equal parts, with some of the real ones."""
    reference = tables.matrices[0][real]
    balls = np.full((len(parts), 4), math.nan)
    for of_part, part in zip(balls, parts, strict=True):
        points = tables.matrices[place][part]
        if len(reference) > DENSITY_NEIGHBORS:
            of_part[:2] = density_coverage_of(reference, points, DENSITY_NEIGHBORS)
        if min(len(reference), len(points)) > PRECISION_NEIGHBORS:
            of_part[2:] = precision_recall_of(reference, points, PRECISION_NEIGHBORS)
    density, coverage, precision, recall = balls.mean(axis=0).tolist()
    compared = tables.select([0, place], [real, parts[0]])
    return Likeness(
        DensityCoverage(density, coverage),
        PrecisionRecall(precision, recall),
        column_distances_of(compared),
        association_distances_of(compared, MOST_COLUMNS_IN_PAIRS, rng),
    )
