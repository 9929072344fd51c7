"""The figures that a report computes both for synthetic and for new real rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaesampler._runtime.seeds import Seeds
from vaesampler.metrics._distributions import (
    AssociationDistances,
    ColumnDistances,
    association_distances_of,
    column_distances_of,
)
from vaesampler.metrics._neighborhoods import (
    DENSITY_NEIGHBORS,
    PRECISION_NEIGHBORS,
    DensityCoverage,
    PrecisionRecall,
    density_coverage_of,
    precision_recall_of,
)
from vaesampler.metrics._paired_tables import PairedTables

# Each pair of categories takes about half a millisecond, and a report should take seconds.
MOST_COLUMNS_IN_PAIRS = 50
# Coverage by a few rows varies much by chance: it is averaged over at most this many parts of
# the synthetic rows, each of the size of the new real rows.
MOST_PARTS = 5


@dataclass(frozen=True)
class Likeness:
    """How much some rows, synthetic or new real ones, are like a reference of real rows."""

    density_coverage: DensityCoverage
    precision_recall: PrecisionRecall
    columns: ColumnDistances
    associations: AssociationDistances


def likenesses_of(tables: PairedTables, seeds: Seeds) -> tuple[Likeness, Likeness]:
    """Compare synthetic rows, and as many new real rows, with the same real rows.

    If there is no third table, of held-out rows, a random half of the real rows is new.
    """
    rng = seeds.numpy("likeness")
    real, synthetic, *held_out = (rng.permutation(len(table)) for table in tables.cells)
    if held_out:
        reference, new_real, table_of_new = real, held_out[0], 2
    else:
        (reference, new_real), table_of_new = np.array_split(real, 2), 0
    n_rows = min(len(synthetic), len(new_real))
    n_parts = min(MOST_PARTS, len(synthetic) // n_rows)
    parts = np.split(synthetic[: n_parts * n_rows], n_parts)
    return (
        _likeness(tables, reference, 1, parts, seeds.numpy("pairs")),
        _likeness(tables, reference, table_of_new, [new_real[:n_rows]], seeds.numpy("pairs")),
    )


def _likeness(
    tables: PairedTables,
    reference_indices: npt.NDArray[np.intp],  # (n_reference,), rows of the first table
    table: int,
    parts: Sequence[npt.NDArray[np.intp]],  # (n_rows,) each, row indices of that table
    rng: np.random.Generator,
) -> Likeness:
    """Compare parts of a table with real rows: neighbourhoods of each, columns of the first."""
    reference = tables.matrices[0][reference_indices]
    figures = np.full((len(parts), 4), math.nan)
    for of_part, row_indices in zip(figures, parts, strict=True):
        rows = tables.matrices[table][row_indices]
        if len(reference) > DENSITY_NEIGHBORS:
            of_part[:2] = density_coverage_of(reference, rows, DENSITY_NEIGHBORS)
        if min(len(reference), len(rows)) > PRECISION_NEIGHBORS:
            of_part[2:] = precision_recall_of(reference, rows, PRECISION_NEIGHBORS)
    density, coverage, precision, recall = figures.mean(axis=0).tolist()
    compared = tables.select([0, table], [reference_indices, parts[0]])
    return Likeness(
        DensityCoverage(density, coverage),
        PrecisionRecall(precision, recall),
        column_distances_of(compared),
        association_distances_of(compared, MOST_COLUMNS_IN_PAIRS, rng),
    )
