"""Checks that the parts of a saved sampler fit together, so that a malformed file does no harm.

The types of all parts are checked before (see `records.py`).
"""

import datetime
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from vaesampler._encoding.encoder import TableEncoder
from vaesampler._runtime.settings import ACTIVATION_NAMES
from vaesampler._table.columns import (
    Column,
    DiscreteColumn,
    IndicatorColumn,
    LevelColumn,
    NumericColumn,
    OrdinalColumn,
)
from vaesampler._table.grid import Grid
from vaesampler._table.normal_scores import N_QUANTILES
from vaesampler._table.notations import NANOSECONDS, Decimals, Fractions, Numbers, Times
from vaesampler._table.objects import OBJECT_MAKERS, as_date, as_duration
from vaesampler._table.schema import FeatureSchema
from vaesampler._table.templates import (
    ArrayTemplate,
    FrameTemplate,
    SequenceTemplate,
    SparseTemplate,
    Template,
    TensorTemplate,
)

if TYPE_CHECKING:
    from vaesampler._saving.generators import (
        SavedForest,
        SavedGenerator,
        SavedNeighbors,
        SavedRows,
    )

# Exponents of 10 of the grid of a column.
MOST_DIGITS = 10_000
# A matrix that has the slots as rows, and the variables as columns, is part of a VAE.
MOST_CELLS_OF_LIKELIHOODS = 2**30
# Bytes of a cell of an array of text, unless an example has as many.
WIDEST_CELL = 2**14
MOST_ROWS = 2**53


def require(is_so: bool | np.bool_, what: str) -> None:
    """Raise a ValueError unless a condition holds."""
    if not is_so:
        raise ValueError(f"{what} do not fit")


def check_schema(schema: FeatureSchema) -> None:
    """Check the columns of a table."""
    n_columns = len(schema.columns)
    require(n_columns > 0, "columns")
    for column in schema.columns:
        _check_column(column, n_columns)


def check_template(template: Template, schema: FeatureSchema) -> None:
    """Check that a template makes tables with these columns."""
    require(template.schema is schema, "columns")
    n_columns = len(schema.columns)
    if isinstance(template, SequenceTemplate):
        check_template(template.objects, schema)
        require(template.kind in (list, tuple), "rows")
        kind, dtype = template.row_type.kind, template.row_type.dtype
        require(kind in (list, tuple, np.ndarray), "rows")
        require((kind is np.ndarray) == (dtype is not None), "rows")
        require(dtype is None or dtype.itemsize <= WIDEST_CELL, "dtypes")
    elif isinstance(template, TensorTemplate):
        check_template(template.array, schema)
        require(tuple(template.empty.shape) == (0, n_columns), "columns")
    elif isinstance(template, SparseTemplate):
        require(sparse.issparse(template.empty), "columns")
        require(template.empty.shape == (0, n_columns), "columns")
    elif isinstance(template, FrameTemplate):
        require(len(template.examples) == n_columns, "examples")
    elif isinstance(template, ArrayTemplate):
        require(len(template.examples) == n_columns, "examples")
        require(all(one.ndim == 1 for one in template.examples), "examples")
        widths = [one.dtype.itemsize for one in template.examples if len(one) > 0]
        require(template.dtype.itemsize <= max(widths, default=WIDEST_CELL), "dtypes")


def check_generator(saved: "SavedGenerator", encoder: TableEncoder) -> None:
    """Check all parts of a generator but its rows, its critic and the weights of its VAE."""
    layout, columns = encoder.layout, encoder.schema.columns
    n_variables = sum(len(part.widths) for part in layout.categories_parts)
    n_scores = sum(
        len(part.widths) * max(map(len, part.scores), default=0)
        for part in layout.categories_parts
    )
    n_cells = layout.width * n_variables + n_scores
    require(n_cells <= MOST_CELLS_OF_LIKELIHOODS, "categories")
    normal, n_columns = (layout.n_normal,), len(columns)
    require(saved.activation in ACTIVATION_NAMES, "activations")
    require(min((*saved.hidden_layer_sizes, saved.latent_dim)) > 0, "widths")
    for array in (saved.class_center, saved.class_deviation):
        require(array.shape == (1, *normal), "scales")
    require(tuple(saved.center.shape) == normal, "centers")
    for shape in (saved.shape, saved.residuals.shape):
        require(shape.root.ndim == 2 and shape.root.shape[1:] == normal, "shapes")
        require(tuple(shape.deviation.shape) == normal, "shapes")
        require(0 <= shape.share_apart <= 1, "shapes")
    require(tuple(saved.residuals.learned.shape) == normal, "residuals")
    require(0 <= saved.bandwidth < math.inf, "bandwidths")
    require(0 <= saved.rejection_strength < math.inf, "strengths")
    levels = encoder.numeric.levels_by_slot()
    require(levels.keys() == saved.edges.keys(), "edges")
    for slot, edges in saved.edges.items():
        require(edges.shape == (max(len(levels[slot]) - 1, 0),), "edges")
        require(len(levels[slot]) > 0, "levels")
    shifts, n_shifted = saved.shifts, len(saved.shifted)
    require(saved.shifted.shape == (n_shifted,), "shifts")
    require((np.diff(saved.shifted) > 0).all(), "shifts")
    require(_are_indices(saved.shifted, layout.n_normal), "shifts")
    require(shifts.lowest.shape == shifts.points_per_unit.shape == (n_shifted,), "shifts")
    require(shifts.values.shape == shifts.steps.shape, "shifts")
    require(len(shifts.values) == n_shifted, "shifts")
    require(shifts.values.ndim == 2 and shifts.values.shape[1] >= 2, "shifts")
    bounds = saved.support.bounds
    require(bounds.lowest.shape == bounds.highest.shape == (n_columns,), "bounds")
    for index, cells in saved.support.rare_levels.items():
        require(0 <= index < n_columns and cells.ndim == 1 and len(cells) > 0, "levels")
        require(_are_indices(cells, len(columns[index].levels)), "levels")
    require(saved.fit.kl_by_dimension.shape == (saved.latent_dim,), "widths")
    for curve in (saved.history.curve, saved.history.validation_curve):
        if curve is not None:
            require(curve.step.ndim == 1, "curves")
            require(curve.step.shape == curve.reconstruction.shape == curve.kl.shape, "curves")


def check_sources(saved: "SavedGenerator", n_own_rows: int) -> None:
    """Check the indices of the rows of a class in the table."""
    if saved.table_rows is not None:
        require(saved.table_rows.shape == (n_own_rows,), "rows")
        require((saved.table_rows >= 0).all(), "rows")


def check_rows(saved: "SavedRows", encoder: TableEncoder) -> None:
    """Check the rows of a class."""
    if isinstance(saved, int):
        require(0 < saved <= MOST_ROWS, "rows")
    else:
        is_encoded = isinstance(saved, np.ndarray)
        width = encoder.layout.width if is_encoded else len(encoder.schema.columns)
        require(saved.ndim == 2 and saved.shape[0] > 0 and saved.shape[1] == width, "rows")
        require(saved.dtype.kind in "biuf", "rows")


def check_neighbors(saved: "SavedNeighbors", n_own_rows: int, width: int) -> None:
    """Check the reference rows of a critic."""
    n_reference = len(saved.reference)
    require(saved.reference.shape == (n_reference, width) and n_reference > 1, "critics")
    require(saved.is_own.shape == saved.source_indices.shape == (n_reference,), "critics")
    require(saved.source_indices.max() < n_own_rows, "critics")
    require(0 < saved.n_neighbors <= n_reference, "critics")
    require(bool(np.isfinite(saved.reference).all()), "critics")
    require(0 < saved.share < 1, "critics")


def check_forest(saved: "SavedForest", n_own_rows: int, width: int) -> None:
    """Check the trees of a critic: a walk from the root must end at a leaf."""
    shape = (len(saved.trees), n_own_rows + 1)
    require(saved.are_out_of_bag.shape == shape and len(saved.trees) > 0, "critics")
    require(0 < saved.share < 1, "critics")
    for tree in saved.trees:
        n_nodes = len(tree.left)
        arrays = (tree.left, tree.right, tree.feature, tree.threshold, tree.share)
        require(n_nodes > 0 and {one.shape for one in arrays} == {(n_nodes,)}, "critics")
        own_indices = np.arange(n_nodes)
        is_leaf = tree.left == own_indices
        require((is_leaf == (tree.right == own_indices)).all(), "critics")
        for children in (tree.left, tree.right):
            require((is_leaf | (children > own_indices)).all(), "critics")
            require(_are_indices(children, n_nodes), "critics")
        require(_are_indices(tree.feature, width), "critics")


def _check_column(column: Column, n_columns: int) -> None:
    require(column.levels.ndim == 1, "levels")
    require(column.first_rows.shape == column.levels.shape, "levels")
    notation = column.notation
    if isinstance(notation, Decimals):
        require(0 <= notation.scale <= MOST_DIGITS, "decimals")
    if isinstance(notation, Fractions):
        require(notation.largest_denominator > 0, "denominators")
    if isinstance(notation, Numbers) and notation.type is not None:
        require(_makes_scalars(notation.type), "types")
    if isinstance(notation, Times):
        makes, kind = notation.as_object, getattr(notation.as_object, "type", None)
        is_maker = isinstance(makes, OBJECT_MAKERS) or makes in (None, as_date, as_duration)
        require(is_maker and (kind is None or _makes_scalars(kind)), "types")
        require(notation.unit in NANOSECONDS, "units")
    if isinstance(column, NumericColumn):
        _check_grid(column.grid)
        scores = column.scores
        require(scores.quantiles.shape == (N_QUANTILES,), "quantiles")
        require(-math.inf < scores.lowest <= scores.highest < math.inf, "scores")
        require(0 < scores.unit < math.inf, "scores")
        if not isinstance(column, DiscreteColumn):
            require(len(column.spikes) == len(column.levels), "spikes")
    if isinstance(column, LevelColumn):
        require(0 <= column.share_of_second <= 1, "shares")
        require(column.kind != "binary" or len(column.levels) == 2, "levels")
        require(column.kind != "constant" or len(column.levels) <= 1, "levels")
    if isinstance(column, IndicatorColumn):
        require(0 <= column.group < n_columns and len(column.levels) == 2, "groups")
    if isinstance(column, OrdinalColumn):
        require(column.counts.shape == column.levels.shape, "levels")
        require(len(column.levels) > 1 and (column.counts > 0).all(), "levels")


def _makes_scalars(kind: object) -> bool:
    """Return whether a type makes numbers or times; an array may take any memory."""
    if not isinstance(kind, type):
        return False
    return issubclass(kind, np.generic | int | float | datetime.datetime | datetime.timedelta)


def _check_grid(grid: Grid) -> None:
    require(grid.unit > 0 and grid.step > 0, "grids")
    require(0 <= grid.scale <= MOST_DIGITS, "grids")
    require(grid.decimals is None or 0 <= grid.decimals <= MOST_DIGITS, "grids")


def _are_indices(values: np.ndarray[Any, Any], n: int) -> bool:
    """Return whether all values are at least 0 and below n."""
    return bool(((values >= 0) & (values < n)).all())
