"""`RowPool`: rows for many steps of training, drawn at once."""

from collections.abc import Callable, Iterable, Sequence

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
    prepare : callable
        Takes the pool's rows (n_sources, n_pooled, width) and returns tensors of rows that
        the steps want, of any width.
    """

    def __init__(
        self,
        sources: Sequence[Callable[[int], Tensor]],
        n_pooled: int,
        batch_size: int,
        n_steps: int,
        prepare: Callable[[Tensor], Iterable[Tensor]],
    ) -> None:
        self.sources = sources
        self.n_pooled = n_pooled
        self.n_steps = n_steps
        self.prepare = prepare
        self.tensors = self._draw()
        self.step = 0  # of those that the pool serves, how many it has served
        n_starts = n_pooled - batch_size + 1
        starts = [int(step * GOLDEN_SECTION * n_starts) % n_starts for step in range(n_steps)]
        self.stretches = [
            [tensor.narrow(1, start, batch_size) for tensor in self.tensors] for start in starts
        ]

    def next(self) -> list[Tensor]:
        """Return what is prepared (n_sources, batch_size, ...); the next pool overwrites it."""
        if self.step == self.n_steps:
            for tensor, values in zip(self.tensors, self._draw(), strict=True):
                tensor.copy_(values)
            self.step = 0
        self.step += 1
        return self.stretches[self.step - 1]

    def _draw(self) -> list[Tensor]:
        rows = torch.stack([draw(self.n_pooled) for draw in self.sources])
        return list(self.prepare(rows))
