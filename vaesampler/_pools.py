"""`RowPool`: rows for many steps of training, drawn at once."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Multiples of it, wrapped, are spread evenly: so are the stretches that the steps look at.
GOLDEN_SECTION = 0.618034


class RowPool:
    """Rows for each step: a pool is drawn now and then, and a step looks at a stretch of it.

    Rows are so had in few calls, and each is drawn once for several steps.

    Parameters
    ----------
    sources : sequence of callable
        Each draws the number of rows (n_rows, width) that it is asked for, in random order.
    n_pooled : int
        How many rows of each source the pool has.
    batch_size : int
        How many of them a step looks at.
    n_steps : int
        How many steps a pool serves.
    """

    def __init__(
        self,
        sources: Sequence[Callable[[int], Tensor]],
        n_pooled: int,
        batch_size: int,
        n_steps: int,
    ) -> None:
        self.sources = sources
        self.n_pooled = n_pooled
        self.batch_size = batch_size
        self.n_steps = n_steps
        self.step = 0  # of those that the pool serves, how many it has served
        self.rows = self._draw()

    def next(self) -> Tensor:
        """Return rows (n_sources, batch_size, width)."""
        if self.step == self.n_steps:
            self.rows = self._draw()
            self.step = 0
        n_starts = self.n_pooled - self.batch_size + 1
        start = int(self.step * GOLDEN_SECTION * n_starts) % n_starts
        self.step += 1
        return self.rows.narrow(1, start, self.batch_size)

    def _draw(self) -> Tensor:
        return torch.stack([draw(self.n_pooled) for draw in self.sources])
