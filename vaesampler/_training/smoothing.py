"""`SmoothedRows`: a class's rows, with noise that has the covariance of the class."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from vaesampler._encoding.layout import Layout
from vaesampler._encoding.rows import DenseRows, EncodedRows
from vaesampler._runtime.noise import choose_variables
from vaesampler._training.shrinkage import ShrunkNormal

# The covariance of a class is estimated from at most this many rows, evenly spaced.
MAX_ROWS_FOR_SHAPE = 1_000
# The bandwidth is smoothing * 1.2 * ((d + 1) / (n + d + 1)) ** 1.6 for n rows and d columns, in
# deviations of the class. With a power above 1, it is small unless rows are scarce. Chosen with
# benchmarks/quality.py.
WIDEST_BANDWIDTH = 1.2
BANDWIDTH_POWER = 1.6
# Rows are not smoothed with a smaller bandwidth, which would only take time.
NEGLIGIBLE_BANDWIDTH = 0.01


@dataclass(frozen=True)
class RowSource:
    """Encoded rows that are taken as tensors on a device."""

    rows: EncodedRows | Tensor
    device: torch.device | str

    @classmethod
    def of(cls, rows: EncodedRows, device: torch.device | str) -> Self:
        """Move rows in memory to the device; others are encoded when they are taken."""
        if isinstance(rows, DenseRows):
            return cls(torch.as_tensor(rows.matrix, device=device), device)
        return cls(rows, device)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, row_indices: Tensor) -> Tensor:  # (n,) to (n, width)
        """Return the rows with these indices."""
        if isinstance(self.rows, Tensor):
            return self.rows.index_select(0, row_indices)  # faster than rows[row_indices]
        return torch.as_tensor(self.rows.take(row_indices.cpu().numpy()), device=self.device)


@dataclass(frozen=True)
class SmoothedRows:
    """A class's rows, and how to draw smoothed rows from them, so that VAEs do not memorize.

    The numeric slots x of a row are drawn as

        m + (x - m + h * e) / sqrt(1 + h ** 2)

    where m is the mean of the class and e is normal with its covariance. This preserves the
    mean and the covariance (the shrunk smoothed bootstrap). The bandwidth is

        h = smoothing * 1.2 * ((d + 1) / (n + d + 1)) ** 1.6

    for n rows and d columns. Each category is replaced by that of a random row of the class,
    with probability 1 - 1 / sqrt(1 + h ** 2).

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
        """Estimate a class's mean and covariance; `smoothing` multiplies the bandwidth.

        The correlations are shrunk towards those of `pooled`.
        """
        n_rows = len(rows)
        n_columns = layout.n_columns
        scarcity = (n_columns + 1) / (n_rows + n_columns + 1)
        bandwidth = smoothing * WIDEST_BANDWIDTH * scarcity**BANDWIDTH_POWER
        source = RowSource.of(rows, device)
        step = math.ceil(n_rows / MAX_ROWS_FOR_SHAPE)
        normal = source.take(torch.arange(0, n_rows, step, device=device))[:, layout.normal]
        center = normal.mean(dim=0)
        shape = ShrunkNormal.fit(normal - center, pooled)
        return cls(source, layout, center, shape, bandwidth)

    def __len__(self) -> int:
        return len(self.rows)

    def draw(self, row_indices: Tensor, generator: torch.Generator) -> Tensor:
        """Draw a smoothed row for each of these row indices, (n,) to (n, width)."""
        rows = self.rows.take(row_indices)
        if self.bandwidth < NEGLIGIBLE_BANDWIDTH:
            return rows
        noise = self.shape.draw(len(row_indices), generator)
        shrinkage = 1 / math.sqrt(1 + self.bandwidth**2)
        normal = rows[:, self.layout.normal]
        smoothed = self.center + shrinkage * (normal - self.center + self.bandwidth * noise)
        if self.layout.width == self.layout.n_normal:
            return smoothed
        flags = rows[:, self.layout.flags]
        categories = self._swap_categories(rows, 1 - shrinkage, generator)
        return torch.cat([smoothed, flags, categories], dim=1)

    def _swap_categories(
        self, rows: Tensor, probability: float, generator: torch.Generator
    ) -> Tensor:  # (n, width) to (n, n_category_slots)
        """Replace each category by that of a random row with this probability."""
        categories = self.layout.categories
        others = torch.randint(len(self), (len(rows),), generator=generator, device=rows.device)
        variables = self.layout.variable_of_category_slot
        is_swapped = choose_variables(variables, len(rows), probability, generator)
        return torch.where(
            is_swapped, self.rows.take(others)[:, categories], rows[:, categories]
        )
