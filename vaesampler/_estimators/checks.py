"""Checks of parameters, tables and trained VAEs: errors and warnings."""

import sys
import warnings
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from vaesampler._encoding.rows import EncodedRows, TableCells
from vaesampler._runtime.settings import LARGEST_INTEGER
from vaesampler._table.columns import MOST_LEVELS_APART, CategoricalColumn
from vaesampler._table.containers import Container, SparseContainer
from vaesampler._table.labels import Labels
from vaesampler._table.named_features import CategoricalFeatures
from vaesampler._table.schema import FeatureSchema
from vaesampler._table.wording import shorten
from vaesampler.exceptions import (
    ConstraintViolationWarning,
    DuplicatedRowsWarning,
    HighCardinalityWarning,
    NotConvergedWarning,
    PosteriorCollapseWarning,
    SmallClassWarning,
)

if TYPE_CHECKING:
    from vaesampler._generation.generator import ClassGenerator
    from vaesampler._generation.latent import LatentSampler

# A VAE has not converged if its loss exceeds that of a decoder that ignores z by more than
# this, in nats per row and column. Defaults are below .01 even on independent columns;
# untrained VAEs are above .04.
MAX_EXCESS_LOSS = 0.03
# Columns are taken for constant if these many rows, evenly spaced, are equal.
MAX_ROWS_COMPARED = 1_000
# A latent dimension with a smaller divergence from the prior, in nats per row, is unused.
LEAST_KL = 0.01
# Number of columns that a warning names.
MOST_COLUMNS_NAMED = 5


def layer_widths(hidden_layer_sizes: int | Sequence[int]) -> tuple[int, ...]:
    """Return `hidden_layer_sizes` as a tuple.

    Raises
    ------
    ValueError
        If it has no layer, or a layer without units or with too many.
    """
    widths = np.atleast_1d(np.asarray(hidden_layer_sizes, dtype=object)).tolist()
    if not widths or not all(
        isinstance(width, int | np.integer) and 1 <= width <= LARGEST_INTEGER
        for width in widths
    ):
        raise ValueError(
            "hidden_layer_sizes must have at least one layer, each with at least 1 unit, at "
            f"most {LARGEST_INTEGER:,}; found {hidden_layer_sizes!r}. (32,) is one layer of 32 "
            "units."
        )
    return tuple(int(width) for width in widths)


def require_integer(name: str, value: object, least: int) -> int:
    """Return an argument of a method as an integer of at least this.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; found {value!r}.")
    return int(value)


def check_lengths(container: Container, labels: Labels) -> None:
    """Raise a ValueError if X and y have different numbers of rows."""
    if container.n_rows != len(labels):
        raise ValueError(
            f"Found X and y with inconsistent numbers of samples: {container.n_rows} and "
            f"{len(labels)}. Pass one label per row."
        )


def check_inherited(
    schema: FeatureSchema, container: Container, latent_sampler: "LatentSampler"
) -> None:
    """Raise a ValueError if rows cannot inherit the columns in `inherited_features`."""
    from vaesampler._generation.latent import PriorSampling

    if not schema.inherited:
        return
    if isinstance(container, SparseContainer):
        raise ValueError(
            "inherited_features cannot be used with sparse matrices. Pass a data frame or an "
            "array."
        )
    if isinstance(latent_sampler, PriorSampling):
        raise ValueError(
            "inherited_features cannot be used with latent_sampling='prior', whose rows are "
            "drawn around no real row that they could inherit from. Use 'posterior', "
            "'interpolate' or 'denoise'."
        )


def check_cardinality(
    schema: FeatureSchema, cells: TableCells, categorical_features: CategoricalFeatures
) -> None:
    """Warn if most cells of a column of text are unique.

    Columns that are named in `categorical_features` or `ordinal_features` are not checked.

    Warns
    -----
    HighCardinalityWarning
        If a column has more than 50 levels, and more levels than half of its observed cells.
    """
    if not isinstance(categorical_features, str):
        return  # a column of text is named there
    found = []
    for index in schema.indices_of(CategoricalColumn):
        column = schema.columns[index]
        n_levels, n_rows = len(column.levels), len(cells)
        if n_levels > MOST_LEVELS_APART and 2 * n_levels > n_rows - _n_missing(cells, index):
            found.append(f"{column.name!r} ({n_levels:,} in {n_rows:,} rows)")
    if found:
        others = len(found) - MOST_COLUMNS_NAMED
        names = ", ".join(found[:MOST_COLUMNS_NAMED])
        _warn(
            HighCardinalityWarning,
            f"Most values are found once or twice in {names}"
            + (f" and {others} other columns" if others > 0 else "")
            + ". Synthetic rows copy such names, identifiers or texts from real rows. "
            "Drop these columns or, if copies are wanted, name all categorical columns in "
            "`categorical_features`.",
        )


def check_constraints(n_refused: Mapping[str, int], n_rows: int) -> None:
    """Warn of constraints that rows of the table break, given the number for each.

    Warns
    -----
    ConstraintViolationWarning
        If there are any.
    """
    if n_refused:
        counts = "; ".join(
            f"{number:,} of {n_rows:,} rows break {name}" for name, number in n_refused.items()
        )
        _warn(
            ConstraintViolationWarning,
            f"Synthetic rows will meet the constraints, but rows of X do not: {counts}. "
            "Correct these rows or the constraint, unless that is intended.",
        )


def check_classes(
    classes: Mapping[Hashable, EncodedRows], latent_dim: int, early_stopping: bool
) -> None:
    """Warn of classes with too few rows, once for all of them.

    Warns
    -----
    DuplicatedRowsWarning
        If all rows of a class are equal.
    SmallClassWarning
        If a class has fewer rows than latent dimensions, or too few to hold one out.
    """
    n_rows = {label: len(rows) for label, rows in classes.items()}
    equal = [label for label, rows in classes.items() if rows.are_all_equal()]
    others = n_rows.keys() - set(equal)
    small = [label for label in n_rows if label in others and n_rows[label] < latent_dim]
    pairs = [label for label in n_rows if label in others and n_rows[label] == 2]
    if len(equal) == 1:
        _warn(
            DuplicatedRowsWarning,
            f"All {n_rows[equal[0]]} rows of class {equal[0]!r} are the same, so that its "
            "synthetic rows are copies. Leave it out with `sampling_strategy`, or use the "
            "`class_weight` of the classifier.",
        )
    elif equal:
        _warn(
            DuplicatedRowsWarning,
            f"All rows of each of the classes {shorten(equal)} are the same, so that their "
            "synthetic rows are copies. Leave them out with `sampling_strategy`, or use the "
            "`class_weight` of the classifier.",
        )
    if len(small) == 1:
        _warn(
            SmallClassWarning,
            f"Class {small[0]!r} has {n_rows[small[0]]} rows, fewer than the {latent_dim} "
            "latent dimensions of its VAE, which can then memorize every row. Lower "
            "`latent_dim`, or leave the class out with `sampling_strategy`.",
        )
    elif small:
        _warn(
            SmallClassWarning,
            f"Classes {shorten(small)} have fewer rows than the {latent_dim} latent dimensions "
            "of their VAEs, which can then memorize every row. Lower `latent_dim`, or leave "
            "the classes out with `sampling_strategy`.",
        )
    if early_stopping and pairs and latent_dim <= 2:
        name = "Class" if len(pairs) == 1 else "Each of the classes"
        _warn(
            SmallClassWarning,
            f"{name} {shorten(pairs)} has 2 rows, too few to hold one out: its VAE is trained "
            "for `max_iter` steps.",
        )


def check_fits(generators: Iterable["ClassGenerator"]) -> None:
    """Warn of VAEs that have not learned more than the distribution of each column.

    Warns
    -----
    NotConvergedWarning
        If the loss of a VAE is clearly above that of a decoder that ignores z.
    PosteriorCollapseWarning
        If no latent dimension carries information about the rows of a class, in which more
        than one column varies.
    """
    excess, collapsed, n_steps = {}, [], 0
    for generator in generators:
        label, fit = generator.label, generator.fit
        if generator.own_rows.are_all_equal():
            continue  # `check_classes` has warned
        above = (fit.loss - fit.marginal_loss) / generator.encoder.layout.n_columns
        if above > MAX_EXCESS_LOSS:
            excess[label] = above
            n_steps = max(n_steps, len(generator.history.curve))
        elif fit.kl_by_dimension.max() < LEAST_KL and _n_varying_columns(generator) > 1:
            collapsed.append(label)
    if excess:
        vaes = "The VAE of class" if len(excess) == 1 else "Each of the VAEs of the classes"
        most = "" if len(excess) == 1 else "up to "
        _warn(
            NotConvergedWarning,
            f"{vaes} {shorten(list(excess))} has not converged in {n_steps} steps: its loss is "
            f"{most}{max(excess.values()):.2f} nats per column above that of a normal "
            "distribution for each column. Raise `max_iter`, or `learning_rate_init` if it "
            "is below the default.",
        )
    if collapsed:
        of = "class" if len(collapsed) == 1 else "each of the classes"
        _warn(
            PosteriorCollapseWarning,
            f"No latent dimension of the VAE of {of} {shorten(collapsed)} is used (each has a "
            f"divergence below {LEAST_KL} nats per row), so that its columns are drawn almost "
            "independently; only their residuals are correlated. Lower `beta`, or raise "
            "`max_iter`, unless the columns are independent.",
        )


def no_vae(label: Hashable, fitted: Sequence[Hashable]) -> str:
    """Return the message of an error: no VAE was fitted for a class."""
    return (
        f"A VAE is needed for class {label!r}; the fitted ones are [{shorten(fitted)}]. Name "
        "one of them, or fit again with a `sampling_strategy` that adds rows to this class."
    )


def _n_varying_columns(generator: "ClassGenerator") -> int:
    """Return the number of columns that are not constant in some rows of a class."""
    rows = generator.own_rows.spread(MAX_ROWS_COMPARED)
    cells = generator.encoder.decode(rows, generator.support, np.random.default_rng(0))
    first = cells[0]
    is_first = (cells == first) | (np.isnan(cells) & np.isnan(first))
    return int(np.sum(~is_first.all(axis=0)))


def _n_missing(cells: TableCells, column_index: int) -> int:
    """Return the number of missing cells of a column of text."""
    assert cells.read is None  # there is no text in a numeric array
    return int(np.isnan(cells.matrix[:, column_index]).sum())


def _warn(category: Callable[[str], UserWarning], message: str) -> None:
    """Warn at the user's line that called a method, directly or through a pipeline."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_skipped(frame.f_globals["__name__"]):
        level, frame = level + 1, frame.f_back
    warnings.warn(category(message), stacklevel=level)


def _is_skipped(module: str) -> bool:
    """Return whether a module lies between the user's line and the warning."""
    between = ("contextlib", "imblearn", "joblib", "sklearn", "vaesampler")
    return module.partition(".")[0] in between
