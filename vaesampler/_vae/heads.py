"""`TableHead`: the distribution of encoded rows given the decoder's output."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from vaesampler._encoding.layout import Layout
from vaesampler._vae.likelihoods import LIKELIHOODS, GaussianLikelihood, Likelihood


class TableHead(nn.Module):
    """The distribution of encoded rows given the decoder's output, independent across slots.

    A slot is ignored where a flag silences it, because the value is missing or a spike.

    Parameters
    ----------
    n_models : int
        Number of models in the stack.
    layout : Layout
        The slots of an encoded row.
    """

    # Pairs of slots: where the flag is 1, the other slot is ignored.
    silencing_flags: Tensor  # (n_pairs,)
    silenced_slots: Tensor  # (n_pairs,)

    def __init__(self, n_models: int, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.likelihoods = nn.ModuleList(
            LIKELIHOODS[part.likelihood](n_models, part) for part, _ in layout.likelihood_parts
        )
        pairs = torch.from_numpy(np.array(layout.silenced, dtype=np.int64).reshape(-1, 2))
        flags, silenced = pairs.T.contiguous()
        self.register_buffer("silencing_flags", flags + layout.n_normal, persistent=False)
        self.register_buffer("silenced_slots", silenced, persistent=False)

    @property
    def normal(self) -> GaussianLikelihood:
        """The likelihood of the numeric slots."""
        return cast(GaussianLikelihood, self.likelihoods[0])

    def parts(self) -> Iterator[tuple[Likelihood, slice]]:
        """Yield each likelihood with its slots; the first one is that of the numeric slots."""
        slots = (slots for _, slots in self.layout.likelihood_parts)
        yield from zip(self.likelihoods, slots, strict=True)

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return the negative log-likelihood (n_models, n_rows) of rows, in nats.

        `output` and `rows` are (n_models, n_rows, width). `counted` is `self.counted(rows)`,
        which is computed if it is not passed.
        """
        counted = self.counted(rows) if counted is None else counted
        terms = [
            likelihood.negative_log_likelihood(
                output[..., slots], rows[..., slots], counted_in(counted, slots)
            )
            for likelihood, slots in self.parts()
        ]
        return sum(terms[1:], start=terms[0])

    def draw(
        self, output: Tensor, generator: torch.Generator, residuals: Tensor | None = None
    ) -> Tensor:
        """Draw rows (n_models, n_rows, width), given the decoder's output of the same shape.

        If `residuals` (n_models, n_rows, n_normal) are passed, they are added to the numeric
        slots in place of noise with the learned variances.
        """
        (numeric, numeric_slots), *others = self.parts()
        if residuals is None:
            drawn = [numeric.draw(output[..., numeric_slots], generator)]
        else:
            drawn = [output[..., numeric_slots] + residuals]
        drawn += [
            likelihood.draw(output[..., slots], generator) for likelihood, slots in others
        ]
        return torch.cat(drawn, dim=-1)

    def marginal_loss(self, rows: Tensor) -> Tensor:
        """Return the loss (n_models,), in nats per row, of the best decoder that ignores z.

        `rows` are (n_models, n_rows, width).
        """
        counted = self.counted(rows)
        losses = [
            likelihood.marginal_loss(rows[..., slots], counted_in(counted, slots))
            for likelihood, slots in self.parts()
        ]
        return sum(losses[1:], start=losses[0])

    def counted(self, rows: Tensor) -> Tensor | None:
        """Return 0 where a flag silences a slot and 1 elsewhere; None if no slot has a flag.

        `rows` and the result are (n_models, n_rows, width).
        """
        if not self.layout.silenced:
            return None
        counted = torch.ones_like(rows)
        counted.index_add_(-1, self.silenced_slots, rows[..., self.silencing_flags], alpha=-1)
        return counted.clamp_(min=0)


def counted_in(counted: Tensor | None, slots: slice) -> Tensor | None:
    """Return the part of `TableHead.counted` in these slots."""
    return None if counted is None else counted[..., slots]
