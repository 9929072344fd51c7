"""Smoothing: a class's rows with noise of the class's own shape, so that few rows suffice."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from vaesampler._encoding.layout import Layout
from vaesampler._encoding.rows import DenseRows, EncodedRows
from vaesampler._runtime.noise import choose_variables
from vaesampler._training.shrinkage import ShrunkNormal

# The shape of a larger class is told from this many of its rows, spread over it.
MAX_ROWS_FOR_SHAPE = 1_000
# The bandwidth of a class with next to no rows, in deviations of the class. The power is above
# 1, so that noise is left to classes with far fewer rows than columns.
WIDEST_BANDWIDTH = 1.2
BANDWIDTH_POWER = 1.6
# In deviations of the class: rows are not moved by less, which would cost time only.
NEGLIGIBLE_BANDWIDTH = 0.01


@dataclass(frozen=True)
class RowSource:
    """Encoded rows as tensors on a device."""

    rows: EncodedRows | Tensor
    device: torch.device | str

    @classmethod
    def of(cls, rows: EncodedRows, device: torch.device | str) -> Self:
        """Move rows to the device, unless they are encoded only when asked for."""
        if isinstance(rows, DenseRows):
            return cls(torch.as_tensor(rows.matrix, device=device), device)
        return cls(rows, device)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, numbers: Tensor) -> Tensor:  # (n,) to (n, width)
        """Return the rows with these numbers."""
        if isinstance(self.rows, Tensor):
            return self.rows.index_select(0, numbers)  # faster than an index in brackets
        return torch.as_tensor(self.rows.take(numbers.cpu().numpy()), device=self.device)


@dataclass(frozen=True)
class SmoothedRows:
    """A class's real rows, from which rows near them are drawn.

    A VAE that sees the same ten rows at every step learns them by heart. Seeing, each time,
    rows moved at random in the directions in which the class varies, it cannot. The moved
    rows are drawn back towards the mean so that the class keeps its mean and covariance
    (the shrunk smoothed bootstrap). Categories, which cannot be moved, are now and then
    those of another row of the class, as often as numbers lose their correlation with the
    row. The bandwidth is large where a class has few rows for
    its columns, and vanishes where it has many.

    References
    ----------
    Bernard W. Silverman, G. Alastair Young (1987). The Bootstrap: To Smooth or Not to
    Smooth?

    Olivier Chapelle, Jason Weston, Leon Bottou, Vladimir Vapnik (2000). Vicinal Risk
    Minimization.
    """

    rows: RowSource
    layout: Layout
    center: Tensor  # (n_normal,)
    shape: ShrunkNormal
    bandwidth: float

    @classmethod
    def fit(
        cls,
        rows: EncodedRows,
        layout: Layout,
        smoothing: float,
        device: torch.device | str,
        pooled: ShrunkNormal | None = None,
    ) -> Self:
        """Learn a class's mean and covariance; `smoothing` multiplies the bandwidth.

        `pooled` is the shape that classes have on average, which few rows are told by.
        """
        n_rows = len(rows)
        n_columns = layout.n_columns
        scarcity = (n_columns + 1) / (n_rows + n_columns + 1)
        bandwidth = smoothing * WIDEST_BANDWIDTH * scarcity**BANDWIDTH_POWER
        source = RowSource.of(rows, device)
        some = torch.arange(0, n_rows, math.ceil(n_rows / MAX_ROWS_FOR_SHAPE), device=device)
        numbers = source.take(some)[:, layout.normal]
        center = numbers.mean(dim=0)
        return cls(
            source, layout, center, ShrunkNormal.fit(numbers - center, pooled), bandwidth
        )

    def __len__(self) -> int:
        return len(self.rows)

    def draw(self, numbers: Tensor, generator: torch.Generator) -> Tensor:
        """Draw a row near each of the rows with these numbers, (n,) to (n, width)."""
        rows = self.rows.take(numbers)
        if self.bandwidth < NEGLIGIBLE_BANDWIDTH:
            return rows
        noise = self.shape.draw(len(numbers), generator)
        shrinkage = 1 / math.sqrt(1 + self.bandwidth**2)
        normal = rows[:, self.layout.normal]
        moved = self.center + shrinkage * (normal - self.center + self.bandwidth * noise)
        if self.layout.width == self.layout.n_normal:
            return moved
        flags = rows[:, self.layout.flags]
        return torch.cat([moved, flags, self._swapped(rows, 1 - shrinkage, generator)], dim=1)

    def _swapped(self, rows: Tensor, chance: float, generator: torch.Generator) -> Tensor:
        """Let categories be now and then those of another row, each for itself."""
        categories = self.layout.categories
        others = torch.randint(len(self), (len(rows),), generator=generator, device=rows.device)
        variables = self.layout.variable_of_category_slot
        is_swapped = choose_variables(variables, len(rows), chance, generator)
        return torch.where(
            is_swapped, self.rows.take(others)[:, categories], rows[:, categories]
        )
