"""`cells_of_array`: read a column of an array."""

from typing import Any

import numpy.typing as npt

from vaesampler._table.cells import Cells, cells_of_numbers, cells_of_times
from vaesampler._table.objects import cells_of_objects


def cells_of_array(name: str, values: npt.NDArray[Any]) -> Cells:  # (n_rows,)
    """Read a column of an array.

    Raises
    ------
    ValueError
        If the cells are not all numbers, all text, all booleans or all times (apart from
        missing ones), or if one is infinite.
    """
    kind = values.dtype.kind
    if kind == "O":
        return cells_of_objects(name, values)
    if kind in "UST":
        return Cells(values.astype(object), is_categorical=True)
    if kind in "mM":
        return cells_of_times(name, values)
    if kind not in "biuf":
        raise ValueError(
            "An array must hold numbers, text, booleans, times or objects; found "
            f"{values.dtype} in {name!r}. Put the table into a data frame."
        )
    return cells_of_numbers(name, values)
