"""Checks of parameters, classes and fits, and the warnings that they give."""

import sys
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from vaesampler._encoding.rows import EncodedRows
from vaesampler._table.containers import Container
from vaesampler.exceptions import (
    DuplicatedRowsWarning,
    NotConvergedWarning,
    PosteriorCollapseWarning,
    SmallClassWarning,
)

if TYPE_CHECKING:
    from vaesampler._generation.generator import ClassGenerator


# A VAE that describes its rows worse than each column by itself would, by so many nats for
# each column, has not converged: default ones are below .01 even on columns that have nothing
# to do with each other, untrained ones above .04.
NATS_BEHIND_COLUMNS_ALONE = 0.03
# A latent dimension with a smaller divergence from the prior, in nats per row, is not used.
LEAST_KL = 0.01


def layer_widths(hidden_layer_sizes: int | Sequence[int]) -> tuple[int, ...]:
    widths = np.atleast_1d(np.asarray(hidden_layer_sizes, dtype=object)).tolist()
    if not widths or not all(
        isinstance(width, int | np.integer) and width >= 1 for width in widths
    ):
        raise ValueError(
            "hidden_layer_sizes must name at least one layer, each with at least 1 unit; "
            f"found {hidden_layer_sizes!r}. (32,) is one layer of 32 units."
        )
    return tuple(int(width) for width in widths)


def check_wanted_counts(sampling_strategy: Any, y: np.ndarray) -> None:
    wanted = sampling_strategy(y) if callable(sampling_strategy) else sampling_strategy
    if not isinstance(wanted, Mapping):
        return
    for label, n_wanted in wanted.items():
        n_rows = int(np.sum(y == label))
        if not isinstance(n_wanted, Integral):
            raise ValueError(
                f"sampling_strategy must ask for a whole number of rows; for class "
                f"{label!r} it asks for {n_wanted!r}."
            )
        if n_wanted < n_rows:
            raise ValueError(
                f"sampling_strategy must ask for no fewer rows than a class has; class "
                f"{label!r} has {n_rows} and {n_wanted} were asked for. Ask for at least "
                f"{n_rows}, or take rows away with imblearn.under_sampling."
            )


def check_lengths(container: Container, labels: np.ndarray) -> None:
    if container.n_rows != len(labels):
        raise ValueError(
            f"Found X and y with inconsistent numbers of samples: {container.n_rows} and "
            f"{len(labels)}. Give one label a row."
        )


def check_class(
    label: Hashable, rows: EncodedRows, latent_dim: int, early_stopping: bool
) -> None:
    if len(rows) < 2:
        raise ValueError(
            f"Class {label!r} has 1 row; at least 2 are needed. Leave it out with "
            "`sampling_strategy`."
        )
    if rows.are_all_equal():
        _warn(
            DuplicatedRowsWarning,
            f"All {len(rows)} rows of class {label!r} are the same, and rows that differ are "
            "needed to learn from: its synthetic rows are copies. Leave it out with "
            "`sampling_strategy`, or use `class_weight`.",
        )
    elif len(rows) < latent_dim:
        _warn(
            SmallClassWarning,
            f"Class {label!r} has {len(rows)} rows, fewer than the {latent_dim} latent "
            "dimensions of its VAE, which can then tell every row apart. Lower "
            "`latent_dim`, or leave the class out with `sampling_strategy`.",
        )
    elif early_stopping and len(rows) == 2:
        _warn(
            SmallClassWarning,
            f"Class {label!r} has 2 rows, too few to hold one out: its VAE is trained for "
            "`max_iter` steps.",
        )


def check_fit(generator: "ClassGenerator") -> None:
    """Warn if a VAE describes its class no better than each column by itself would."""
    label, fit = generator.label, generator.fit
    behind = (fit.loss - fit.marginal_loss) / len(generator.encoder.schema.columns)
    if generator.own_rows.are_all_equal():
        return  # `check_class` has warned
    if behind > NATS_BEHIND_COLUMNS_ALONE:
        _warn(
            NotConvergedWarning,
            f"The VAE of class {label!r} has not converged in {len(generator.history.curve)} "
            f"steps: its loss is {behind:.2f} nats a column above that of a normal "
            "distribution for each column. Raise `max_iter`, or `learning_rate_init` if that "
            "is below the default.",
        )
    elif fit.kl_by_dimension.max() < LEAST_KL:
        _warn(
            PosteriorCollapseWarning,
            f"No latent dimension of the VAE of class {label!r} is used (each has a divergence "
            f"below {LEAST_KL} nats per row), so that its columns are drawn without regard to "
            "each other, but for their errors. Lower `beta`, or raise `max_iter`, unless the "
            "columns have nothing to do with each other.",
        )


def _warn(category: Callable[[str], UserWarning], message: str) -> None:
    """Warn at the line of the user's that called, be it through a pipeline."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_ours(frame.f_globals["__name__"]):
        level, frame = level + 1, frame.f_back
    warnings.warn(category(message), stacklevel=level)


def _is_ours(module: str) -> bool:
    between = ("contextlib", "imblearn", "joblib", "sklearn", "vaesampler")
    return module.partition(".")[0] in between
