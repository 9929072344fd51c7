"""Class labels: read from the user's container, and returned in it."""

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
from scipy import sparse

from vaesampler._table.objects import is_missing_object


def labels_of(y: Any) -> Any:
    """Return labels in a form that scikit-learn accepts: an array if y is a frame or series.

    Raises
    ------
    ValueError
        If a label is missing.
    """
    frame = nw.from_native(y, eager_only=True, allow_series=True, pass_through=True)
    if not isinstance(frame, nw.Series | nw.DataFrame):
        return y
    labels = np.asarray(frame.to_numpy())
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind == "O":
        n_missing = sum(map(is_missing_object, labels.ravel()))
        if n_missing:
            raise ValueError(
                f"y must name the class of every row; found {n_missing} missing labels. Drop "
                "their rows first."
            )
        if set(map(type, labels.ravel())) <= {bool, np.bool_}:
            labels = labels.astype(bool)
    return labels


def take_labels(y: Any, row_indices: npt.NDArray[np.intp]) -> Any:  # (n,)
    """Return the labels of these rows in a container of the user's type."""
    frame = nw.from_native(y, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(frame, nw.Series | nw.DataFrame):
        return nw.maybe_reset_index(frame[row_indices.tolist()]).to_native()
    if isinstance(y, list | tuple):
        return type(y)([y[index] for index in row_indices])
    if sparse.issparse(y):
        return y[row_indices]
    labels = np.asarray(y)
    return (labels.ravel() if labels.shape[1:] == (1,) else labels)[row_indices]
