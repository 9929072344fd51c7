"""`TableHead`: the likelihood of whole encoded rows, given the decoder's output."""

import numpy as np
import torch
from torch import Tensor, nn

from vaesampler._table.layout import Slots
from vaesampler._vae.likelihoods import BernoulliHead, CategoricalHead, GaussianHead


class TableHead(nn.Module):
    """All slots of an encoded row: numbers, flags and binary columns, and categories.

    They are independent given the decoder's output. What a flag silences, because the
    number there is missing or sits at a spike, has no part in the likelihood.
    """

    silencing_flags: Tensor  # (n_pairs,): a flag, ...
    silenced_slots: Tensor  # (n_pairs,): ... and a slot that counts for nothing where it is 1

    def __init__(self, n_models: int, slots: Slots) -> None:
        super().__init__()
        self.slots = slots
        self.normal = GaussianHead(n_models, slots.n_normal)
        self.binary = BernoulliHead()
        self.groups = CategoricalHead(slots)
        pairs = torch.from_numpy(np.array(slots.silenced, dtype=np.int64).reshape(-1, 2))
        flags, silenced = pairs.T.contiguous()
        self.register_buffer("silencing_flags", flags + slots.n_normal, persistent=False)
        self.register_buffer("silenced_slots", silenced, persistent=False)

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        # (n_models, n_rows, width) twice -> (n_models, n_rows), in nats
        normal, yes_no, groups = self.parts
        counted = self.counted(rows) if counted is None else counted
        total = self.normal.negative_log_likelihood(
            output[..., normal], rows[..., normal], _part(counted, normal)
        )
        if yes_no.stop > yes_no.start:
            total = total + self.binary.negative_log_likelihood(
                output[..., yes_no], rows[..., yes_no], _part(counted, yes_no)
            )
        if groups.stop > groups.start:
            total = total + self.groups.negative_log_likelihood(
                output[..., groups], rows[..., groups]
            )
        return total

    def draw(
        self, output: Tensor, generator: torch.Generator, residuals: Tensor | None = None
    ) -> Tensor:
        """Draw rows (n_models, n_rows, width), given the decoder's output of this shape.

        `residuals` (n_models, n_rows, n_normal) are added to the numeric columns in place of
        noise with the learned variances.
        """
        normal, yes_no, groups = self.parts
        parts = [
            self.normal.draw(output[..., normal], generator, residuals),
            self.binary.draw(output[..., yes_no], generator),
            self.groups.draw(output[..., groups], generator),
        ]
        return torch.cat(parts, dim=-1)

    @property
    def parts(self) -> tuple[slice, slice, slice]:
        """The slots of numbers, of what is yes or no (flags first), and of groups."""
        slots = self.slots
        return slots.normal, slice(slots.flags.start, slots.binary.stop), slots.groups

    def counted(self, rows: Tensor) -> Tensor | None:
        """Return 0 where a flag silences a slot and 1 elsewhere; None if none can be."""
        # (n_models, n_rows, width) -> (n_models, n_rows, n_normal + n_flags + n_binary)
        if not self.slots.silenced:
            return None
        counted = torch.ones_like(rows[..., : self.slots.groups.start])
        counted.index_add_(-1, self.silenced_slots, rows[..., self.silencing_flags], alpha=-1)
        return counted.clamp_(min=0)


def _part(counted: Tensor | None, part: slice) -> Tensor | None:
    return None if counted is None else counted[..., part]
