"""`SourceNotes`: the real rows that rows were drawn around, noted while the rows are drawn."""

from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from vaesampler._generation.generator import ClassGenerator, DrawnCells


class SourceNotes:
    """Indices in the table of `fit` of the rows that others are drawn around."""

    def __init__(self) -> None:
        self._noted: list[npt.NDArray[np.intp]] = []

    def cells(
        self, generator: "ClassGenerator", blocks: "Generator[DrawnCells]"
    ) -> Generator[npt.NDArray[np.float64]]:  # (n_rows_of_block, n_columns)
        """Yield the cells of drawn rows of a class, and note their sources."""
        with closing(blocks):
            for drawn in blocks:
                self._noted.append(generator.sources_in_table(drawn.sources))
                yield drawn.cells

    @property
    def indices(self) -> npt.NDArray[np.intp]:  # (n_drawn,)
        """The sources of all rows so far; -1 for none."""
        return np.concatenate([np.empty(0, dtype=np.intp), *self._noted])
