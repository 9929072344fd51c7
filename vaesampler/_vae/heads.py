"""`TableHead`: the likelihood of encoded rows, given the decoder's output."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from vaesampler._encoding.layout import Layout
from vaesampler._vae.likelihoods import LIKELIHOODS, GaussianLikelihood, Likelihood


class TableHead(nn.Module):
    """The slots of encoded rows, independent given the decoder's output.

    A slot that a flag silences, because the value is missing or at a spike, is ignored.
    """

    silencing_flags: Tensor  # (n_pairs,): slots of flags, ...
    silenced_slots: Tensor  # (n_pairs,): ... and the slots that are ignored where they are 1

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
        """Yield each likelihood and its slots, the numeric ones first."""
        slots = (slots for _, slots in self.layout.likelihood_parts)
        yield from zip(self.likelihoods, slots, strict=True)

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return that of rows (n_models, n_rows, width), in nats, as (n_models, n_rows).

        `counted` is what the method of this name returns, if it is known already.
        """
        counted = self.counted(rows) if counted is None else counted
        terms = [
            likelihood.negative_log_likelihood(
                output[..., slots], rows[..., slots], part_of(counted, slots)
            )
            for likelihood, slots in self.parts()
        ]
        return sum(terms[1:], start=terms[0])

    def draw(
        self, output: Tensor, generator: torch.Generator, residuals: Tensor | None = None
    ) -> Tensor:
        """Draw rows (n_models, n_rows, width), given the decoder's output of this shape.

        `residuals` (n_models, n_rows, n_normal) are added to the numeric slots in place of
        noise with the learned variances.
        """
        numeric, *others = self.parts()
        if residuals is None:
            drawn = [numeric[0].draw(output[..., numeric[1]], generator)]
        else:
            drawn = [output[..., numeric[1]] + residuals]
        drawn += [
            likelihood.draw(output[..., slots], generator) for likelihood, slots in others
        ]
        return torch.cat(drawn, dim=-1)

    def marginal_loss(self, rows: Tensor) -> float:
        """Return the mean loss of the best decoder that ignores z, in nats per row.

        `rows` is (1, n_rows, width).
        """
        counted = self.counted(rows)
        losses = [
            likelihood.marginal_loss(
                rows[0, :, slots], None if counted is None else counted[0, :, slots]
            )
            for likelihood, slots in self.parts()
        ]
        return float(sum(losses[1:], start=losses[0]))

    def counted(self, rows: Tensor) -> Tensor | None:
        """Return 0 where a flag silences a slot and 1 elsewhere; None if none can be."""
        # (n_models, n_rows, width), both
        if not self.layout.silenced:
            return None
        counted = torch.ones_like(rows)
        counted.index_add_(-1, self.silenced_slots, rows[..., self.silencing_flags], alpha=-1)
        return counted.clamp_(min=0)


def part_of(counted: Tensor | None, slots: slice) -> Tensor | None:
    """Return the counts of some slots."""
    return None if counted is None else counted[..., slots]
