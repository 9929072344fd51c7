"""`ShrunkNormal`: a normal distribution with shrunk correlations."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from vaesampler._runtime.noise import standard_normal

# A column that deviates by less does not vary.
LEAST_DEVIATION = 1e-6
# So much of a column's variance is always its own, lest correlations have no inverse.
JITTER = 1e-6


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
