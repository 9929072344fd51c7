"""`RowPool`: draw training rows in bulk, and return a batch of them at each step."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

# The fractional parts of its multiples, where the batches start, are evenly spread over [0, 1).
GOLDEN_SECTION = 0.618034


class RowPool:
    """Batches of adjacent rows from a pool, which is redrawn every `n_steps` steps.

    Rows are drawn in bulk; each serves several steps.

    Parameters
    ----------
    sources : sequence of callable
        Each takes a number of rows, and returns them (n_rows, width) in random order.
    n_pooled : int
        Number of rows of each source in the pool.
    batch_size : int
        Number of rows of each source in a batch.
    n_steps : int
        Number of batches that are taken from a pool.
    prepare : callable
        Takes the rows of the pool (n_sources, n_pooled, width), and returns the tensors
        (n_sources, n_pooled, ...) of which a batch has slices.
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
        self.step = 0  # number of batches taken from the current pool
        n_starts = n_pooled - batch_size + 1
        starts = [int(step * GOLDEN_SECTION * n_starts) % n_starts for step in range(n_steps)]
        self.batches = [
            [tensor.narrow(1, start, batch_size) for tensor in self.tensors] for start in starts
        ]

    def next(self) -> list[Tensor]:
        """Return the next batch: views (n_sources, batch_size, ...) of the pool.

        The rows of the next pool overwrite them.
        """
        if self.step == self.n_steps:
            for tensor, values in zip(self.tensors, self._draw(), strict=True):
                tensor.copy_(values)
            self.step = 0
        self.step += 1
        return self.batches[self.step - 1]

    def _draw(self) -> list[Tensor]:
        rows = torch.stack([draw(self.n_pooled) for draw in self.sources])
        return list(self.prepare(rows))
