"""`ShrunkNormal`: a normal distribution with shrunk correlations (OAS; Ledoit-Wolf)."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from vaesampler._runtime.noise import standard_normal

# Columns with a smaller deviation are constant.
LEAST_DEVIATION = 1e-6
# Added to the diagonal of correlations before they are factorized.
JITTER = 1e-6


@dataclass(frozen=True)
class ShrunkNormal:
    """A normal distribution with mean 0 and shrunk correlations.

    The correlations, root.T @ root + share_apart * I, are (1 - s) R + s T, where R are those of
    the sample, T is the identity or the correlations pooled over classes, and s is the
    shrinkage.

    References
    ----------
    Yilun Chen, Ami Wiesel, Yonina C. Eldar, Alfred O. Hero (2010). Shrinkage Algorithms for
    MMSE Covariance Estimation (the oracle approximating shrinkage).

    Olivier Ledoit, Michael Wolf (2003). Improved Estimation of the Covariance Matrix of Stock
    Returns with an Application to Portfolio Selection (shrinkage towards another matrix).
    """

    root: Tensor  # (rank, n_features)
    deviation: Tensor  # (n_features,)
    share_apart: float  # share of the variance of each feature that is independent of others

    @classmethod
    def fit(cls, centered: Tensor, pooled: Self | None = None) -> Self:
        """Estimate the distribution of rows (n_rows, n_features) with mean 0.

        The correlations are shrunk towards those of `pooled` (Ledoit-Wolf) or, without it,
        towards the identity (OAS).
        """
        n_rows, n_features = centered.shape
        if n_features == 0:
            return cls(centered[:0], centered.new_zeros(0), 1.0)
        deviation = centered.square().mean(dim=0).sqrt()
        scaled = centered / deviation.clamp(min=LEAST_DEVIATION)
        # A square root of the sample correlations, of shape (rank, n_features).
        factor = torch.linalg.qr(scaled, mode="r").R / math.sqrt(n_rows)
        if pooled is None:
            share_apart = shrinkage = _oas_shrinkage(factor, n_rows)
            parts = [math.sqrt(1 - shrinkage) * factor]
        else:
            varies = deviation > LEAST_DEVIATION
            shrinkage = pooled._ledoit_wolf_shrinkage(factor, n_rows, varies)
            share_apart = shrinkage * pooled.share_apart
            parts = [math.sqrt(1 - shrinkage) * factor, math.sqrt(shrinkage) * pooled.root]
        if sum(map(len, parts)) < n_features:
            return cls(torch.cat(parts), deviation, share_apart)
        # With enough rows, one square root of the whole matrix needs half the noise.
        identity = torch.eye(n_features, dtype=factor.dtype, device=factor.device)
        apart = math.sqrt(share_apart) * identity
        root = torch.linalg.qr(torch.cat([*parts, apart]), mode="r").R
        return cls(root, deviation, 0.0)

    def _ledoit_wolf_shrinkage(self, factor: Tensor, n_rows: int, varies: Tensor) -> float:
        """Return the shrinkage of correlations R = factor.T @ factor towards these, P.

        It is E / |R - P| ** 2, at most 1, for the features that vary. E is the expected squared
        error of R; if rows are normal, it is (n_features ** 2 + |R| ** 2) / n_rows.
        """
        root, n_features = self.root * varies, int(varies.sum())
        size = float((factor @ factor.T).square().sum())
        own_size = float((root @ root.T).square().sum())
        own_size += self.share_apart * (2 * float(root.square().sum()))
        own_size += self.share_apart**2 * n_features
        product = float((factor @ root.T).square().sum()) + self.share_apart * n_features
        distance = size + own_size - 2 * product
        error = (n_features**2 + size) / n_rows
        return min(1.0, error / distance) if distance > 0 else 1.0

    def draw(self, n_rows: int, generator: torch.Generator) -> Tensor:
        """Draw rows (n_rows, n_features)."""
        rank, n_features = self.root.shape
        drawn = standard_normal((n_rows, rank), generator) @ (self.root * self.deviation)
        if self.share_apart > 0:
            apart = standard_normal((n_rows, n_features), generator)
            drawn += math.sqrt(self.share_apart) * self.deviation * apart
        return drawn

    def whiten(self, rows: Tensor, columns: slice) -> Tensor:
        """Return columns of rows (n_rows, n_features), decorrelated, as float64.

        If the rows have this distribution, the result has independent columns of variance 1.
        """
        deviation = self.deviation[columns].cpu().double()
        root = self.root[:, columns].cpu().double()
        correlations = root.T @ root
        correlations.diagonal().add_(self.share_apart + JITTER)
        scaled = rows[:, columns].cpu().double() / deviation
        lower = torch.linalg.cholesky(correlations)
        white: Tensor = torch.linalg.solve_triangular(lower, scaled.T, upper=False)
        return white.T


def _oas_shrinkage(factor: Tensor, n_rows: int) -> float:
    """Return the shrinkage of correlations, factor.T @ factor, towards the identity."""
    n_features = factor.shape[1]
    variance = float(factor.square().sum()) / n_features
    mean_square = float((factor @ factor.T).square().sum()) / n_features**2
    excess = (n_rows + 1) * (mean_square - variance**2 / n_features)
    return min(1.0, (mean_square + variance**2) / excess) if excess > 0 else 1.0
