"""`ResidualModel`: the distribution of numeric cells around the decoder's output."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch
from torch import Tensor

from vaesampler._training.shrinkage import ShrunkNormal
from vaesampler._vae.heads import TableHead

# Lower bound on a row's variance ratio.
LEAST_VARIANCE_RATIO = 0.01
# Candidates for the share of a row's residual that rows drawn around it inherit. With larger
# shares, drawn rows are near copies.
SHARES_TO_KEEP = (0.0, 0.25, 0.5)
# The share is chosen from at most this many columns, evenly spaced.
MAX_FEATURES_TO_COMPARE = 128


class Residuals(NamedTuple):
    """Numeric cells of rows minus the decoder's output for them."""

    values: Tensor  # (n_rows, n_normal)
    counted: Tensor | None  # (n_rows, n_normal), 0 or 1; None if all cells count

    @classmethod
    def of(cls, head: TableHead, output: Tensor, rows: Tensor) -> Self:
        """Return the residuals of rows (1, n_rows, width), given the decoder's output."""
        normal = head.layout.normal
        counted = head.counted(rows)
        return cls(
            (rows[..., normal] - output[..., normal])[0],
            None if counted is None else counted[0, :, normal],
        )

    def where_counted(self, values: Tensor) -> Tensor:  # (n_rows, n_normal), both
        """Return values of the rows, and 0 in cells that do not count."""
        return values if self.counted is None else values * self.counted

    def mean_squares(self, learned: Tensor) -> Tensor:  # (n_normal,) to (n_rows,)
        """Return each row's mean square, in units of the learned deviations."""
        squares = (self.where_counted(self.values) / learned).square()
        if self.counted is None:
            return squares.mean(dim=1)
        return squares.sum(dim=1) / self.counted.sum(dim=1).clamp(min=1)


class Neighborhood(NamedTuple):
    """Decoded rows around real rows: a sample of what may be drawn."""

    sources: Tensor  # (n_rows,), indices of the real rows
    decoded: Tensor  # (n_rows, n_normal), at a z drawn for each
    own: Residuals  # of the sources


@dataclass(frozen=True)
class ResidualModel:
    """The decoder's residuals on a class's rows, and how to draw others like them.

    A row drawn around row i gets the residual

        sqrt(1 - k ** 2) * s_i * e + k * r_i

    where r_i is the residual of row i, e is normal with the residuals' correlations and with
    `inflation` times the deviations that the VAE learned, and k is `share_kept`. The variance
    ratio s_i ** 2 is the mean square of r_i relative to the average row, shrunk towards 1 by
    `share_of_rows`: the part of the differences between rows that chance does not explain.

    References
    ----------
    Bradley Efron, Carl Morris (1973). Stein's Estimation Rule and Its Competitors: An
    Empirical Bayes Approach (shrinkage of the rows' mean squares).

    Robert P. W. Duin (1976). On the Choice of Smoothing Parameters for Parzen Estimators of
    Probability Density Functions (leave-one-out likelihood, by which k is chosen).
    """

    shape: ShrunkNormal
    learned: Tensor  # (n_normal,): the deviations that the VAE learned
    mean_square: float  # of the average row
    share_of_rows: float
    share_kept: float = 0.0

    @classmethod
    def fit(
        cls, residuals: Residuals, own: Residuals, learned: Tensor, inflation: float
    ) -> Self:
        """Learn from residuals at a z drawn for each row, and at the posterior mean (`own`)."""
        shape = ShrunkNormal.fit(residuals.where_counted(residuals.values))
        shape = replace(shape, deviation=inflation * learned)
        squares = own.mean_squares(learned)
        mean = float(squares.mean())
        if len(squares) < 2 or not mean > 0:
            return cls(shape, learned, 1.0, 0.0)
        variance = float(squares.var()) / mean**2
        by_chance = _variance_by_chance(own.where_counted(own.values) / learned)
        by_rows = max(0.0, (variance - by_chance) / (1 + by_chance))
        return cls(shape, learned, mean, by_rows / variance if variance > 0 else 0.0)

    def keeping(self, near: Neighborhood, row_indices: Tensor, rows: Tensor) -> Self:
        """Return this model with the share kept that maximizes leave-one-out likelihood.

        The likelihood of each of the `rows` (n_rows, n_normal), of these `row_indices`, is that
        of a mixture of what is drawn around the other rows. With fewer rows than columns the
        share stays 0.
        """
        n_rows, n_features = rows.shape
        if n_features == 0 or n_rows < n_features:
            return self
        columns = slice(0, n_features, -(-n_features // MAX_FEATURES_TO_COMPARE))
        own, decoded = map(near.own.where_counted, (near.own.values, near.decoded))
        real, decoded, own = (self.shape.whiten(one, columns) for one in (rows, decoded, own))
        is_own = (row_indices[:, None] == near.sources).cpu()
        variance = self._scale(near.own).cpu().double().square()

        def log_likelihood(share: float) -> float:
            left = (1 - share**2) * variance
            distances = torch.cdist(real, decoded + share * own).square()
            log_density = -0.5 * (distances / left + real.shape[1] * torch.log(left))
            log_density[is_own] = -torch.inf
            return float(torch.logsumexp(log_density, dim=1).mean())

        return replace(self, share_kept=max(SHARES_TO_KEEP, key=log_likelihood))

    @property
    def depends_on_row(self) -> bool:
        """Whether the residual depends on the row that is drawn around."""
        return self.share_of_rows > 0 or self.share_kept > 0

    def draw(
        self, n_rows: int, generator: torch.Generator, own: Residuals | None = None
    ) -> Tensor:  # (n_rows, n_normal)
        """Draw residuals; `own` are those of the rows that are drawn around."""
        drawn = self.shape.draw(n_rows, generator)
        if own is None:
            return drawn
        drawn *= self._scale(own)[:, None]
        if self.share_kept == 0:
            return drawn
        share = self.share_kept if own.counted is None else self.share_kept * own.counted
        return drawn * (1 - share**2) ** 0.5 + share * own.values

    def _scale(self, own: Residuals) -> Tensor:  # (n_rows,)
        """Return the factor s of each row."""
        excess = own.mean_squares(self.learned) / self.mean_square - 1
        return (1 + self.share_of_rows * excess).clamp(min=LEAST_VARIANCE_RATIO).sqrt()


def _variance_by_chance(residuals: Tensor) -> float:  # (n_rows, n_normal)
    """Return the relative variance of mean squares among rows of one normal distribution.

    With the residuals' covariance C it is 2 tr(C ** 2) / tr(C) ** 2.
    """
    n_rows, n_features = residuals.shape
    products = residuals @ residuals.T if n_rows < n_features else residuals.T @ residuals
    return 2 * float(products.square().sum()) / float(residuals.square().sum()) ** 2
