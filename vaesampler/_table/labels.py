"""Labels as scikit-learn takes them, and handed back in the user's own container."""

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse

from vaesampler._table.cells import is_missing_object


def labels_of(y: Any) -> Any:
    """Return the labels as scikit-learn takes them: a NumPy array, or what is no frame.

    Raises
    ------
    ValueError
        If a label is missing.
    """
    native = nw.from_native(y, eager_only=True, allow_series=True, pass_through=True)
    if not isinstance(native, nw.Series | nw.DataFrame):
        return y
    labels = np.asarray(native.to_numpy())
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


def take_labels(y: Any, numbers: np.ndarray) -> Any:  # (n,)
    """Return the labels of the rows with these numbers, in the user's own container."""
    native = nw.from_native(y, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(native, nw.Series | nw.DataFrame):
        return nw.maybe_reset_index(native[numbers.tolist()]).to_native()
    if isinstance(y, list | tuple):
        return type(y)([y[number] for number in numbers])
    if sparse.issparse(y):
        return y[numbers]
    labels = np.asarray(y)
    return (labels.ravel() if labels.shape[1:] == (1,) else labels)[numbers]
