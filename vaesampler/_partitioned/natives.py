"""Rows of partitions: frames of pandas, or arrays of NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def take_rows(part: Any, rows: npt.NDArray[np.intp]) -> Any:
    """Return a copy of rows of a frame, series or array."""
    if isinstance(part, np.ndarray):
        return part[rows]
    return part.iloc[rows]


def concatenate(parts: Sequence[Any]) -> Any:
    """Return the rows of frames, series or arrays, with the categories of all of them."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    from dask.dataframe.dispatch import concat

    return concat(list(parts), ignore_index=True) if len(parts) > 1 else parts[0]
