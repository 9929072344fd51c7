"""`DecoderErrors`: how far drawn numbers lie from what the decoder says."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from vaesampler._smoothing import ShrunkNormal

# No row errs by less than this, squared and in what rows err by on average.
LEAST_SIZE = 0.01


@dataclass(frozen=True)
class DecoderErrors:
    """The errors that a decoder makes on a class's rows, to draw others like them.

    Errors in different columns go together. And some rows are as the decoder expects
    throughout while others are not: where they differ in this by more than chance, a drawn row
    errs about as much as the one that it was drawn around.

    References
    ----------
    Bradley Efron, Carl Morris (1973). Stein's Estimation Rule and Its Competitors: An
    Empirical Bayes Approach (how far what was found of a row is shrunk to what rows have on
    average).
    """

    shape: ShrunkNormal
    learned: Tensor  # (n_features,): what the decoder thinks its errors deviate by
    mean_size: float
    share_of_rows: float  # of the differences in size between rows, what is not chance

    @classmethod
    def fit(
        cls, errors: Tensor, counted: Tensor | None, learned: Tensor, inflation: float
    ) -> Self:
        """Learn from errors of shape (n_rows, n_features), of which `counted` (0 or 1) count.

        Drawn ones deviate by `inflation * learned`.
        """
        shape = ShrunkNormal.fit(errors if counted is None else errors * counted)
        shape = replace(shape, deviation=inflation * learned)
        sizes = _sizes(errors, counted, learned)
        mean = float(sizes.mean())
        if len(sizes) < 2 or not mean > 0:
            return cls(shape, learned, 1.0, 0.0)
        variance = float(sizes.var()) / mean**2
        by_chance = 2 / shape.n_independent  # of the mean of so many squared normal numbers
        by_rows = max(0.0, (variance - by_chance) / (1 + by_chance))
        return cls(shape, learned, mean, by_rows / variance if variance > 0 else 0.0)

    def draw(
        self, n_rows: int, generator: torch.Generator, scale: Tensor | None = None
    ) -> Tensor:  # (n_rows, n_features)
        """Draw errors, those of each row `scale` (n_rows,) times as large."""
        errors = self.shape.draw(n_rows, generator)
        return errors if scale is None else errors * scale[:, None]

    def scale(self, errors: Tensor, counted: Tensor | None) -> Tensor:  # (n_rows,)
        """Return how much larger than on average the errors of such rows are."""
        excess = _sizes(errors, counted, self.learned) / self.mean_size - 1
        return (1 + self.share_of_rows * excess).clamp(min=LEAST_SIZE).sqrt()


def _sizes(errors: Tensor, counted: Tensor | None, learned: Tensor) -> Tensor:  # (n_rows,)
    squares = (errors / learned).square()
    if counted is None:
        return squares.mean(dim=1)
    return (squares * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1)
