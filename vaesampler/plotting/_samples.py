"""Rows of a class, real and synthetic, as the displays take them."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils import _safe_indexing, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from vaesampler._runtime.seeds import Seeds
from vaesampler._table.cells import TIME_UNITS, Cells
from vaesampler._table.containers import is_frame
from vaesampler._table.labels import labels_of
from vaesampler._table.reading import read_table

if TYPE_CHECKING:
    from vaesampler._estimators.oversampler import VAEOversampler


RandomState = int | np.random.RandomState | None
# What days in a column of times count.
DATES, DURATIONS = "days since 1970", "days"
# More rows than this are many for a picture.
MOST_ROWS_SHOWN = 1_000


def fitted_label(sampler: "VAEOversampler", label: Hashable) -> Hashable:
    """Return the class that is meant: the one that was asked for, or the only one there is.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the sampler was not fitted.
    ValueError
        If no VAE was fitted for `label`, or `label` is None and there are several.
    """
    check_is_fitted(sampler)
    fitted = list(sampler.vaes_)
    if label is None and len(fitted) == 1:
        return fitted[0]
    if label is None:
        raise ValueError(
            f"`label` must name a class where VAEs of {len(fitted)} were fitted. Name one of "
            f"{fitted}."
        )
    if label not in fitted:
        raise ValueError(
            f"A VAE is needed for class {label!r}; the fitted ones are {fitted}. Name one of "
            "them, or fit again with a `sampling_strategy` that adds rows to this class."
        )
    return label


def rows_of_class(X: Any, y: Any, label: Hashable) -> Any:
    """Return the rows of X whose label is `label`, in the container of X.

    Raises
    ------
    ValueError
        If there are none, or X and y differ in length.
    """
    labels = np.asarray(labels_of(y))
    check_consistent_length(X, labels)
    chosen = np.flatnonzero(labels == label)
    if len(chosen) == 0:
        raise ValueError(
            f"Rows of class {label!r} are needed; y holds none among its {len(labels)} labels. "
            "Pass the X and y that the sampler was fitted on, or others with that class."
        )
    return take_rows(X, chosen)


def real_and_synthetic(
    sampler: "VAEOversampler",
    X: Any,
    y: Any,
    label: Hashable,
    n_samples: int | None,
    subsample: int | None,
    random_state: RandomState,
) -> tuple[Hashable, Any, Any]:
    """Return the class that is meant, rows of it, and synthetic ones.

    Parameters
    ----------
    sampler : VAEOversampler
        A fitted sampler.
    X, y : table of shape (n_rows, n_features) and array of shape (n_rows,)
        Rows to take the class's from.
    label : object
        The class; None where one was fitted.
    n_samples : int or None
        How many synthetic rows to draw; None stands for as many as there are real ones.
    subsample : int or None
        The most real rows to take; None stands for all.
    random_state : int, RandomState instance or None
        Which rows are taken and drawn.
    """
    label = fitted_label(sampler, label)
    X_real = take_some(rows_of_class(X, y, label), subsample, random_state)
    n_samples = n_rows(X_real) if n_samples is None else n_samples
    return label, X_real, sampler.sample(label, n_samples, random_state=random_state)


def n_rows(X: Any) -> int:
    """Return how many rows a table of any kind has."""
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def take_rows(X: Any, indices: np.ndarray) -> Any:  # (n_taken,)
    """Return some rows of a table of any kind, in its own kind."""
    if is_frame(X):
        return nw.from_native(X, eager_only=True)[indices.tolist()].to_native()
    return _safe_indexing(X, indices)


def take_some(X: Any, most: int | None, random_state: RandomState) -> Any:
    """Return at most so many rows, picked at random, in the container of X.

    Raises
    ------
    ValueError
        If not even one row is wanted.
    """
    if most is None or (most >= 1 and n_rows(X) <= most):
        return X
    if most < 1:
        raise ValueError(f"At least 1 row must be shown; {most} were asked for.")
    random = Seeds.from_random_state(random_state).numpy("plotting")
    return take_rows(X, random.choice(n_rows(X), most, replace=False))


def read_columns(X: Any, what: str) -> tuple[list[str], list[Cells]]:
    """Return the names and the cells of the columns of a table of any kind.

    Raises
    ------
    ValueError
        If it is no table, or has no rows.
    """
    container = read_table(X, what)
    columns = list(container.columns())
    if is_frame(X):
        frame = nw.from_native(X, eager_only=True)
        columns = [
            _in_days(frame.get_column(name), cells)
            for name, cells in zip(frame.columns, columns, strict=True)
        ]
    return container.names, columns


def _in_days(series: nw.Series, cells: Cells) -> Cells:
    """Return times in days: they are read in a unit that each table chooses for itself."""
    if cells.time_unit is None:
        return cells
    days = cells.values * (TIME_UNITS[cells.time_unit] / TIME_UNITS["D"])
    return Cells(days, False, DURATIONS if series.dtype == nw.Duration else DATES)


def read_both(X_real: Any, X_synthetic: Any) -> tuple[list[str], list[Cells], list[Cells]]:
    """Return the names of the columns, and the cells of both tables.

    Raises
    ------
    ValueError
        If the tables do not have the same columns.
    """
    names, real = read_columns(X_real, "X_real")
    other_names, synthetic = read_columns(X_synthetic, "X_synthetic")
    # An array has no names of its own, and may be what a sampler made of a frame.
    are_named = is_frame(X_real) and is_frame(X_synthetic)
    if len(names) != len(other_names) or (are_named and names != other_names):
        different = sorted(set(names) ^ set(other_names)) or "their order"
        raise ValueError(
            "X_real and X_synthetic must have the same columns, in the same order; found "
            f"{len(names)} and {len(other_names)} columns, which differ in {different}. Pass "
            "both as the sampler takes and returns them."
        )
    return names if is_frame(X_real) else other_names, real, synthetic
