"""`DecoderErrors`: how far drawn numbers lie from what the decoder says."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch
from torch import Tensor

from vaesampler._smoothing import ShrunkNormal

# No row errs by less than this, squared and in what rows err by on average.
LEAST_SIZE = 0.01
# How much of its row's errors a drawn row may keep. With more, it would be the row's copy.
SHARES_TO_KEEP = (0.0, 0.25, 0.5)
# The share is told by as many columns, spread over the table.
MAX_FEATURES_TO_TELL = 128


class RowErrors(NamedTuple):
    """The decoder's errors on rows."""

    errors: Tensor  # (n_rows, n_features)
    counted: Tensor | None  # (n_rows, n_features), 0 or 1; None if all count

    def where_counted(self, numbers: Tensor) -> Tensor:  # (n_rows, n_features), both
        """Return numbers of the rows, and 0 where the errors do not count."""
        return numbers if self.counted is None else numbers * self.counted

    def sizes(self, learned: Tensor) -> Tensor:  # (n_features,) to (n_rows,)
        """Return the mean squares, in what the decoder thinks that its errors deviate by."""
        squares = (self.where_counted(self.errors) / learned).square()
        if self.counted is None:
            return squares.mean(dim=1)
        return squares.sum(dim=1) / self.counted.sum(dim=1).clamp(min=1)


class Neighborhood(NamedTuple):
    """Rows near real ones, which stand for all that may be drawn."""

    sources: Tensor  # (n_rows,), numbers of the real rows
    decoded: Tensor  # (n_rows, n_features), at a z drawn for each
    own: RowErrors


@dataclass(frozen=True)
class DecoderErrors:
    """The errors that a decoder makes on a class's rows, to draw others like them.

    Errors in different columns go together. Some rows are as the decoder expects throughout
    while others are not: where they differ in this by more than chance, a drawn row errs about
    as much as the one that it is drawn around. And where the errors are more than noise, since
    the decoder cannot follow the class everywhere, a drawn row keeps a share of those of the
    row that it is drawn around.

    References
    ----------
    Bradley Efron, Carl Morris (1973). Stein's Estimation Rule and Its Competitors: An
    Empirical Bayes Approach (how far what was found of a row is shrunk to what rows have on
    average).

    Robert P. W. Duin (1976). On the Choice of Smoothing Parameters for Parzen Estimators of
    Probability Density Functions (the share that is kept makes each real row likeliest to be
    drawn around the others).
    """

    shape: ShrunkNormal
    learned: Tensor  # (n_features,): what the decoder thinks its errors deviate by
    mean_size: float
    share_of_rows: float  # of the differences in size between rows, what is not chance
    share_kept: float = 0.0

    @classmethod
    def fit(cls, errors: RowErrors, own: RowErrors, learned: Tensor, inflation: float) -> Self:
        """Learn from the errors at a z drawn for each row, and from those at the mean of z.

        Drawn ones deviate by `inflation * learned`, (n_features,).
        """
        shape = ShrunkNormal.fit(errors.where_counted(errors.errors))
        shape = replace(shape, deviation=inflation * learned)
        sizes = own.sizes(learned)
        mean = float(sizes.mean())
        if len(sizes) < 2 or not mean > 0:
            return cls(shape, learned, 1.0, 0.0)
        variance = float(sizes.var()) / mean**2
        by_chance = _variance_by_chance(own.where_counted(own.errors) / learned)
        by_rows = max(0.0, (variance - by_chance) / (1 + by_chance))
        return cls(shape, learned, mean, by_rows / variance if variance > 0 else 0.0)

    def keeping(self, near: Neighborhood, numbers: Tensor, rows: Tensor) -> Self:
        """Return these errors with the share kept that makes real rows likeliest.

        Each of the `rows` (n_rows, n_features), of these `numbers`, is looked for among those
        drawn around the others. Of fewer rows than features nothing can be told.
        """
        n_rows, n_features = rows.shape
        if n_features == 0 or n_rows < n_features:
            return self
        columns = slice(0, n_features, -(-n_features // MAX_FEATURES_TO_TELL))
        own_errors, decoded = map(near.own.where_counted, (near.own.errors, near.decoded))
        real, decoded, own_errors = (
            self.shape.whiten(one, columns) for one in (rows, decoded, own_errors)
        )
        is_own = (numbers[:, None] == near.sources).cpu()
        variance = self._scale(near.own).cpu().double().square()

        def log_likelihood(share: float) -> float:
            left = (1 - share**2) * variance
            distances = torch.cdist(real, decoded + share * own_errors).square()
            log_density = -0.5 * (distances / left + real.shape[1] * torch.log(left))
            log_density[is_own] = -torch.inf
            return float(torch.logsumexp(log_density, dim=1).mean())

        return replace(self, share_kept=max(SHARES_TO_KEEP, key=log_likelihood))

    @property
    def depend_on_row(self) -> bool:
        """Whether it matters which row is drawn around."""
        return self.share_of_rows > 0 or self.share_kept > 0

    def draw(
        self, n_rows: int, generator: torch.Generator, own: RowErrors | None = None
    ) -> Tensor:  # (n_rows, n_features)
        """Draw errors; `own` are those on the rows that are drawn around."""
        errors = self.shape.draw(n_rows, generator)
        if own is None:
            return errors
        errors *= self._scale(own)[:, None]
        if self.share_kept == 0:
            return errors
        share = self.share_kept if own.counted is None else self.share_kept * own.counted
        return errors * (1 - share**2) ** 0.5 + share * own.errors

    def _scale(self, own: RowErrors) -> Tensor:  # (n_rows,)
        """Return how much larger than on average the errors of such rows are."""
        excess = own.sizes(self.learned) / self.mean_size - 1
        return (1 + self.share_of_rows * excess).clamp(min=LEAST_SIZE).sqrt()


def _variance_by_chance(errors: Tensor) -> float:  # (n_rows, n_features)
    """Return the variance of rows' mean squares, over their mean squared, were rows alike.

    Rows are taken as normal, of the covariance of these.
    """
    n_rows, n_features = errors.shape
    products = errors @ errors.T if n_rows < n_features else errors.T @ errors
    return 2 * float(products.square().sum()) / float(errors.square().sum()) ** 2
