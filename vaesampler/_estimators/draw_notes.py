"""`DrawNotes`: what is noted while rows are drawn."""

from collections.abc import Generator, Hashable
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vaesampler._generation.filters import Acceptance

if TYPE_CHECKING:
    from vaesampler._generation.generator import ClassGenerator, DrawnCells


class DrawNotes:
    """The sources of drawn rows, and how many met the constraints, noted while drawing."""

    def __init__(self) -> None:
        self._noted: list[npt.NDArray[np.intp]] = []
        self._accepted: dict[Hashable, Acceptance] = {}

    def cells(
        self, generator: "ClassGenerator", blocks: "Generator[DrawnCells]"
    ) -> Generator[npt.NDArray[np.float64]]:  # (n_rows_of_block, n_columns)
        """Yield the cells of drawn rows of a class, and note their sources."""
        with closing(blocks):
            for drawn in blocks:
                self._noted.append(generator.sources_in_table(drawn.sources))
                before = self._accepted.get(generator.label, Acceptance())
                self._accepted[generator.label] = before.plus(drawn.acceptance)
                yield drawn.cells

    @property
    def sources(self) -> npt.NDArray[np.intp]:  # (n_drawn,)
        """The sources of all rows so far; -1 for none."""
        return np.concatenate([np.empty(0, dtype=np.intp), *self._noted])

    @property
    def acceptance(self) -> dict[Hashable, float]:
        """Share of the drawn rows of each class that met the constraints."""
        return {label: accepted.share for label, accepted in self._accepted.items()}
