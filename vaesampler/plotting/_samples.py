"""Real and synthetic rows of a class, for displays to draw."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
from sklearn.utils import _safe_indexing, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from vaesampler._estimators.checks import no_vae
from vaesampler._runtime.seeds import Seeds
from vaesampler._table import notations
from vaesampler._table.cells import Cells
from vaesampler._table.frames import is_frame
from vaesampler._table.labels import find_class, labels_of
from vaesampler._table.notations import NANOSECONDS, NUMBERS, TIMES_OF_DAY, Times
from vaesampler._table.reading import read_table
from vaesampler.metrics._paired_tables import check_same_names

if TYPE_CHECKING:
    from vaesampler._estimators.oversampler import VAEOversampler


RandomState = int | np.random.RandomState | None
# Units of columns of times.
DATES, DURATIONS = "days since 1970", "days"
# More points would cover each other.
MOST_ROWS_SHOWN = 1_000


def fitted_label(estimator: "VAEOversampler", label: Hashable) -> Hashable:
    """Return `label` or, if it is None, the only class with a VAE.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the sampler is not fitted.
    ValueError
        If no VAE was fitted for `label`, or if it is None and several classes have a VAE.
    """
    check_is_fitted(estimator)
    fitted = list(estimator.vaes_)
    if label is None and len(fitted) == 1:
        return fitted[0]
    if label is None:
        raise ValueError(
            f"`label` must name a class, because VAEs of {len(fitted)} were fitted. Name one "
            f"of {fitted}."
        )
    found = find_class(label, fitted)
    if found is None:
        raise ValueError(no_vae(label, fitted))
    return found


def rows_of_class(X: Any, y: Any, label: Hashable) -> Any:
    """Return the rows of X whose label is `label`, in the container of X.

    Raises
    ------
    ValueError
        If there are none, or if X and y have different lengths.
    """
    labels = labels_of(y)
    check_consistent_length(X, labels.codes)
    row_indices = labels.rows_of(label)
    if len(row_indices) == 0:
        raise ValueError(
            f"Rows of class {label!r} are needed; y holds none among its {len(labels)} labels. "
            "Pass the X and y that the sampler was fitted on, or others with that class."
        )
    return take_rows(X, row_indices)


def real_and_synthetic(
    estimator: "VAEOversampler",
    X: Any,
    y: Any,
    label: Hashable,
    n_samples: int | None,
    subsample: int | None,
    random_state: RandomState,
) -> tuple[Hashable, Any, Any]:
    """Return the class, real rows of it, and synthetic ones.

    Parameters
    ----------
    estimator : VAEOversampler
        Fitted sampler.
    X, y : table of shape (n_rows, n_features) and array of shape (n_rows,)
        Rows and labels, of all classes.
    label : object
        Class. May be None if only one class has a VAE.
    n_samples : int or None
        Number of synthetic rows. If None, as many as real rows.
    subsample : int or None
        Maximum number of real rows, chosen at random. If None, take all of them.
    random_state : int, RandomState instance or None
        Controls the choice of real rows and the synthetic rows.
    """
    label = fitted_label(estimator, label)
    X_real = take_some(rows_of_class(X, y, label), subsample, random_state)
    n_samples = count_rows(X_real) if n_samples is None else n_samples
    return label, X_real, estimator.sample(label, n_samples, random_state=random_state)


def count_rows(X: Any) -> int:
    """Return the number of rows of a table of any kind."""
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def take_rows(X: Any, row_indices: npt.NDArray[np.intp]) -> Any:  # (n_taken,)
    """Return some rows of a table, in the container of X."""
    if is_frame(X):
        return nw.from_native(X, eager_only=True)[row_indices.tolist()].to_native()
    return _safe_indexing(X, row_indices)


def take_some(X: Any, most: int | None, random_state: RandomState) -> Any:
    """Return at most `most` rows, chosen at random, in the container of X.

    Raises
    ------
    ValueError
        If `most` is below 1.
    """
    if most is None or (most >= 1 and count_rows(X) <= most):
        return X
    if most < 1:
        raise ValueError(f"At least 1 row must be shown; {most} were asked for.")
    random = Seeds.from_random_state(random_state).numpy("plotting")
    return take_rows(X, random.choice(count_rows(X), most, replace=False))


def read_both(X_real: Any, X_synthetic: Any) -> tuple[list[str], list[Cells], list[Cells]]:
    """Return the names of the columns, and the cells of each column of both tables.

    Raises
    ------
    ValueError
        If one is not a table, has no rows, or if they do not have the same columns.
    """
    real, synthetic = read_table(X_real, "X_real"), read_table(X_synthetic, "X_synthetic")
    check_same_names("X_real", real, "X_synthetic", synthetic)
    names = real.names if is_frame(X_real) else synthetic.names
    return names, list(real.columns()), list(synthetic.columns())


def unit_of(cells: Cells) -> str:
    """Return the unit in which the numbers of a column are shown; "" if they have none."""
    if not isinstance(cells.notation, Times):
        return ""
    return DURATIONS if cells.notation.kind in (notations.DURATIONS, TIMES_OF_DAY) else DATES


def as_shown(cells: Cells) -> Cells:
    """Return numbers as floats, and times in days."""
    if not cells.are_numbers:
        return cells
    floats = cells.floats()
    if isinstance(cells.notation, Times):
        floats /= NANOSECONDS["D"]
    return Cells(floats, NUMBERS)
