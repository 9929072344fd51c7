"""Smoothing: a class's rows with noise of the class's own shape, so that few rows suffice."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from vaesampler._devices import standard_normal
from vaesampler._rows import DenseRows, EncodedRows
from vaesampler._slots import Slots

# The shape of a larger class is told from this many of its rows, spread over it.
MAX_ROWS_FOR_SHAPE = 1_000
# The bandwidth of a class with next to no rows, in deviations of the class. The power is above
# 1, so that noise is left to classes with far fewer rows than columns.
WIDEST_BANDWIDTH = 1.2
BANDWIDTH_POWER = 1.6
# A column that deviates by less does not vary.
LEAST_DEVIATION = 1e-6
# So much of a column's variance is always its own, lest correlations have no inverse.
JITTER = 1e-6
# In deviations of the class: rows are not moved by less, which would cost time only.
NEGLIGIBLE_BANDWIDTH = 0.01


@dataclass(frozen=True)
class ShrunkNormal:
    """A normal distribution about zero, its correlations shrunk towards others, or to none.

    References
    ----------
    Yilun Chen, Ami Wiesel, Yonina C. Eldar, Alfred O. Hero (2010). Shrinkage Algorithms for
    MMSE Covariance Estimation (the oracle approximating shrinkage).

    Olivier Ledoit, Michael Wolf (2003). Improved Estimation of the Covariance Matrix of Stock
    Returns with an Application to Portfolio Selection (shrinkage towards another matrix).
    """

    root: Tensor  # (rank, n_features): root.T @ root is the correlation, all or shrunk to
    deviation: Tensor  # (n_features,)
    share_apart: float  # of the variance, what is drawn for each feature by itself

    @classmethod
    def fit(cls, centered: Tensor, pooled: Self | None = None) -> Self:
        """Learn from rows (n_rows, n_features) whose mean is zero.

        With `pooled`, the correlations are shrunk towards those, rather than to none.
        """
        n_rows, n_features = centered.shape
        if n_features == 0:
            return cls(centered[:0], centered.new_zeros(0), 1.0)
        deviation = centered.square().mean(dim=0).sqrt()
        scaled = centered / deviation.clamp(min=LEAST_DEVIATION)
        # A square root of the correlations whose size is their rank, not the columns'.
        factor = torch.linalg.qr(scaled, mode="r").R / math.sqrt(n_rows)
        if pooled is None:
            share_apart = shrinkage = _shrinkage(factor, n_rows)
            parts = [math.sqrt(1 - shrinkage) * factor]
        else:
            shrinkage = pooled._shrinkage_towards(factor, n_rows, deviation > LEAST_DEVIATION)
            share_apart = shrinkage * pooled.share_apart
            parts = [math.sqrt(1 - shrinkage) * factor, math.sqrt(shrinkage) * pooled.root]
        if sum(map(len, parts)) < n_features:
            return cls(torch.cat(parts), deviation, share_apart)
        # With rows enough, one square root of the whole spares half of the noise.
        apart = math.sqrt(share_apart) * torch.eye(n_features, device=factor.device)
        root = torch.linalg.qr(torch.cat([*parts, apart.to(factor)]), mode="r").R
        return cls(root, deviation, 0.0)

    def _shrinkage_towards(self, factor: Tensor, n_rows: int, varies: Tensor) -> float:
        """Return how far to go from correlations to these, by the features that vary."""
        root, n_features = self.root * varies, int(varies.sum())
        size = float((factor @ factor.T).square().sum())
        own_size = float((root @ root.T).square().sum())
        own_size += self.share_apart * (2 * float(root.square().sum()))
        own_size += self.share_apart**2 * n_features
        product = float((factor @ root.T).square().sum()) + self.share_apart * n_features
        distance = size + own_size - 2 * product
        error = (n_features**2 + size) / n_rows  # expected of normal rows
        return min(1.0, error / distance) if distance > 0 else 1.0

    def draw(self, n_rows: int, generator: torch.Generator) -> Tensor:
        """Draw rows of shape (n_rows, n_features)."""
        rank, n_features = self.root.shape
        drawn = standard_normal((n_rows, rank), generator) @ (self.root * self.deviation)
        if self.share_apart > 0:
            apart = standard_normal((n_rows, n_features), generator)
            drawn += math.sqrt(self.share_apart) * self.deviation * apart
        return drawn

    def whiten(self, rows: Tensor, columns: slice) -> Tensor:
        """Return these columns of rows as if independent and of variance 1, in float64."""
        deviation = self.deviation[columns].cpu().double()
        root = self.root[:, columns].cpu().double()
        correlations = root.T @ root
        correlations.diagonal().add_(self.share_apart + JITTER)
        scaled = rows[:, columns].cpu().double() / deviation
        lower = torch.linalg.cholesky(correlations)
        white: Tensor = torch.linalg.solve_triangular(lower, scaled.T, upper=False)
        return white.T


def _shrinkage(factor: Tensor, n_rows: int) -> float:
    """Return how far to go from correlations, factor.T @ factor, to none."""
    n_features = factor.shape[1]
    variance = float(factor.square().sum()) / n_features
    mean_square = float((factor @ factor.T).square().sum()) / n_features**2
    excess = (n_rows + 1) * (mean_square - variance**2 / n_features)
    return min(1.0, (mean_square + variance**2) / excess) if excess > 0 else 1.0


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
    slots: Slots
    center: Tensor  # (n_normal,)
    shape: ShrunkNormal
    bandwidth: float

    @classmethod
    def fit(
        cls,
        rows: EncodedRows,
        slots: Slots,
        smoothing: float,
        device: torch.device | str,
        pooled: ShrunkNormal | None = None,
    ) -> Self:
        """Learn a class's mean and covariance; `smoothing` multiplies the bandwidth.

        `pooled` is the shape that classes have on average, which few rows are told by.
        """
        n_rows = len(rows)
        n_columns = slots.n_columns
        scarcity = (n_columns + 1) / (n_rows + n_columns + 1)
        bandwidth = smoothing * WIDEST_BANDWIDTH * scarcity**BANDWIDTH_POWER
        source = RowSource.of(rows, device)
        some = torch.arange(0, n_rows, math.ceil(n_rows / MAX_ROWS_FOR_SHAPE), device=device)
        numbers = source.take(some)[:, slots.normal]
        center = numbers.mean(dim=0)
        return cls(source, slots, center, ShrunkNormal.fit(numbers - center, pooled), bandwidth)

    def __len__(self) -> int:
        return len(self.rows)

    def draw(self, numbers: Tensor, generator: torch.Generator) -> Tensor:
        """Draw a row near each of the rows with these numbers, (n,) to (n, width)."""
        rows = self.rows.take(numbers)
        if self.bandwidth < NEGLIGIBLE_BANDWIDTH:
            return rows
        noise = self.shape.draw(len(numbers), generator)
        shrinkage = 1 / math.sqrt(1 + self.bandwidth**2)
        normal = rows[:, self.slots.normal]
        moved = self.center + shrinkage * (normal - self.center + self.bandwidth * noise)
        if self.slots.width == self.slots.n_normal:
            return moved
        flags = rows[:, self.slots.flags]
        return torch.cat([moved, flags, self._swapped(rows, 1 - shrinkage, generator)], dim=1)

    def _swapped(self, rows: Tensor, chance: float, generator: torch.Generator) -> Tensor:
        """Let categories be now and then those of another row, each for itself."""
        categories = self.slots.categories
        others = torch.randint(len(self), (len(rows),), generator=generator, device=rows.device)
        variables = self.slots.variable_of_category_slot
        is_swapped = choose_variables(variables, len(rows), chance, generator)
        return torch.where(
            is_swapped, self.rows.take(others)[:, categories], rows[:, categories]
        )


def choose_variables(
    variables: np.ndarray, n_rows: int, chance: float, generator: torch.Generator
) -> Tensor:  # (n_slots,) to (n_rows, n_slots), bool
    """Choose each variable of each row with the same chance, all its slots together."""
    n_variables = int(variables.max(initial=-1)) + 1
    is_chosen = chance > torch.rand(
        n_rows, n_variables, generator=generator, device=generator.device, dtype=torch.float32
    )
    return is_chosen[:, torch.as_tensor(variables, device=generator.device)]
