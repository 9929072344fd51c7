"""`ResidualModel`: the residuals of drawn rows in the numeric slots."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch
from torch import Tensor

from vaesampler._training.shrinkage import ShrunkNormal
from vaesampler._vae.heads import TableHead

# Lower bound on the squared scale of a row.
LEAST_VARIANCE_RATIO = 0.01
# Candidates for rho, the share of its source row's residual that a drawn row inherits. With
# larger shares, drawn rows would be near copies. Chosen with benchmarks/quality.py.
SHARES_TO_KEEP = (0.0, 0.25, 0.5)
# The likelihood that rho is chosen by is computed from at most this many slots, evenly spaced.
MAX_FEATURES_TO_COMPARE = 128


class Residuals(NamedTuple):
    """Numeric slots of rows minus the output of the decoder."""

    values: Tensor  # (n_rows, n_normal)
    # 0 where a flag silences a slot and 1 elsewhere; None if no slot is silenced.
    counted: Tensor | None  # (n_rows, n_normal)

    @classmethod
    def of(cls, head: TableHead, output: Tensor, rows: Tensor) -> Self:
        """Return the residuals of rows, given the output of the decoder for them.

        Both are of shape (1, n_rows, width).
        """
        normal = head.layout.normal
        counted = head.counted(rows)
        return cls(
            (rows[..., normal] - output[..., normal])[0],
            None if counted is None else counted[0, :, normal],
        )

    def where_counted(self, values: Tensor) -> Tensor:  # (n_rows, n_normal), both
        """Return values of the rows, with 0 in silenced slots."""
        return values if self.counted is None else values * self.counted

    def mean_squares(self, learned: Tensor) -> Tensor:  # (n_normal,) to (n_rows,)
        """Return q_i, the mean square of each row in units of the learned deviations."""
        squares = (self.where_counted(self.values) / learned).square()
        if self.counted is None:
            return squares.mean(dim=1)
        return squares.sum(dim=1) / self.counted.sum(dim=1).clamp(min=1)


class Neighborhood(NamedTuple):
    """Rows decoded around real rows, before residuals are added."""

    sources: Tensor  # (n_rows,), indices of the source rows
    decoded: Tensor  # (n_rows, n_normal), at a z drawn from the posterior of each source row
    own: Residuals  # of the source rows


@dataclass(frozen=True)
class ResidualModel:
    """The distribution of the decoder's residuals, from which drawn rows get theirs.

    A row that is drawn around row i gets the residual::

        rho * e_i + sqrt(1 - rho ** 2) * s_i * eps

    where e_i is the residual of row i, eps is normal noise with the correlations of the
    residuals and with `inflation` times the learned standard deviations sigma, and rho is
    `share_kept`. The scale of row i is::

        s_i = sqrt(1 + w * (q_i / q - 1)),  q_i = mean_j (e_ij / sigma_j) ** 2

    where q, `mean_square`, is the mean of q_i, and w, `share_of_rows`, is the share of the
    variance of q_i that chance does not explain.

    References
    ----------
    Bradley Efron, Carl Morris (1973). Stein's Estimation Rule and Its Competitors: An
    Empirical Bayes Approach (shrinkage of q_i towards q).

    Robert P. W. Duin (1976). On the Choice of Smoothing Parameters for Parzen Estimators of
    Probability Density Functions (leave-one-out likelihood, by which rho is chosen).
    """

    shape: ShrunkNormal
    learned: Tensor  # (n_normal,): sigma, the standard deviations that the VAE learned
    mean_square: float  # q
    share_of_rows: float  # w
    share_kept: float = 0.0  # rho

    @classmethod
    def fit(
        cls, residuals: Residuals, own: Residuals, learned: Tensor, inflation: float
    ) -> Self:
        """Estimate all but rho.

        `residuals` are those of rows at a z drawn from their posteriors, `own` those of the
        same rows at their posterior means.
        """
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
        """Return this model with the rho that maximizes the leave-one-out likelihood.

        `rows` (n_rows, n_normal) are real rows, and `row_indices` their indices in the class.
        The likelihood of a row is that of the mixture of rows drawn around all other rows. With
        fewer rows than slots, rho is 0.
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
        """Whether residuals depend on the source row."""
        return self.share_of_rows > 0 or self.share_kept > 0

    def draw(
        self, n_rows: int, generator: torch.Generator, own: Residuals | None = None
    ) -> Tensor:  # (n_rows, n_normal)
        """Draw residuals; `own` are the residuals of the source rows, if there are any."""
        drawn = self.shape.draw(n_rows, generator)
        if own is None:
            return drawn
        drawn *= self._scale(own)[:, None]
        if self.share_kept == 0:
            return drawn
        share = self.share_kept if own.counted is None else self.share_kept * own.counted
        return drawn * (1 - share**2) ** 0.5 + share * own.values

    def _scale(self, own: Residuals) -> Tensor:  # (n_rows,)
        """Return s_i, the scale of each row."""
        excess = own.mean_squares(self.learned) / self.mean_square - 1
        return (1 + self.share_of_rows * excess).clamp(min=LEAST_VARIANCE_RATIO).sqrt()


def _variance_by_chance(residuals: Tensor) -> float:  # (n_rows, n_normal)
    """Return the relative variance of q_i if all rows have the same normal distribution.

    It is 2 * tr(C @ C) / tr(C) ** 2, where C is the covariance of the residuals.
    """
    n_rows, n_features = residuals.shape
    products = residuals @ residuals.T if n_rows < n_features else residuals.T @ residuals
    return 2 * float(products.square().sum()) / float(residuals.square().sum()) ** 2
