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
        self.n_steps = n_steps
        self.rows = torch.stack([draw(n_pooled) for draw in sources])
        self.step = 0  # of those that the pool serves, how many it has served
        n_starts = n_pooled - batch_size + 1
        self.stretches = [
            self.rows.narrow(1, int(step * GOLDEN_SECTION * n_starts) % n_starts, batch_size)
            for step in range(n_steps)
        ]

    def next(self) -> Tensor:
        """Return rows (n_sources, batch_size, width), which the next pool overwrites."""
        if self.step == self.n_steps:
            for rows, draw in zip(self.rows, self.sources, strict=True):
                rows.copy_(draw(self.n_pooled))
            self.step = 0
        self.step += 1
        return self.stretches[self.step - 1]
