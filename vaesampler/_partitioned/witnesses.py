"""`witness_rows`: the rows without which a sample would not be read like the whole table."""

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells
from vaesampler._table.containers import Container

# Number of levels of a column of text or categories that are looked for. Of columns with more,
# only the levels that come first, and those in the sample, are known.
MOST_LEVELS = 10_000


def witness_rows(container: Container) -> npt.NDArray[np.intp]:  # (n,)
    """Return the indices of the witness rows of a table, ascending.

    These are, for each column, the first rows of the lowest and the highest number, of each
    level, and of a missing cell. The witness rows of several tables together are among those
    of each.
    """
    found = [_witnesses_of(cells) for cells in container.columns()]
    return np.unique(np.concatenate(found))


def _witnesses_of(cells: Cells) -> npt.NDArray[np.intp]:
    missing = [] if cells.first_missing_row is None else [cells.first_missing_row]
    rows = np.flatnonzero(~cells.is_missing)
    if len(rows) == 0:
        return np.array(missing, dtype=np.intp)
    observed = cells.observed
    if cells.are_numbers:
        some = rows[[int(observed.argmin()), int(observed.argmax())]].tolist()
    else:
        some = sorted(cells.first_rows.values())[:MOST_LEVELS]
    return np.array([*missing, *some], dtype=np.intp)
