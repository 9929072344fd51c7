"""Likelihood of, and drawing from, each kind of slot, given the decoder's output."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from vaesampler._devices import standard_normal
from vaesampler._slots import Slots

# A column that the decoder predicts perfectly would drive its variance to zero and the
# likelihood to infinity; encoded columns have variance 1, and this is one part in 400.
LOWEST_LOG_VAR = -6.0
# Beyond it, probabilities are 0 or 1 to float32, and sums of exponentials would overflow.
LARGEST_LOGIT = 40.0


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


class GaussianHead(nn.Module):
    """Normal columns: the decoder gives the mean, and each column learns one variance.

    The learned variance balances reconstruction against the prior without a weight to
    tune, and it is what drawn rows spread with.

    References
    ----------
    Oleh Rybkin, Kostas Daniilidis, Sergey Levine (2021). Simple and Effective VAE
    Training with Calibrated Decoders (sigma-VAE).
    """

    def __init__(self, n_models: int, n_features: int) -> None:
        super().__init__()
        shape = (n_models, 1, n_features)
        self.raw_log_var = nn.Parameter(
            torch.full(shape, -LOWEST_LOG_VAR, dtype=torch.float32, device="cpu")
        )

    @property
    def log_var(self) -> Tensor:  # (n_models, 1, n_features)
        """The log-variances, held above a floor smoothly, so that they can leave it."""
        return LOWEST_LOG_VAR + nn.functional.softplus(self.raw_log_var)

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        # (n_models, n_rows, n_features) twice -> (n_models, n_rows), in nats
        log_var = self.log_var
        squared_error = (rows - output).square() * torch.exp(-log_var)
        if counted is None:
            constant = (log_var + math.log(2 * math.pi)).sum(dim=-1)  # (n_models, 1)
            return 0.5 * (squared_error.sum(dim=-1) + constant)
        terms = squared_error + log_var + math.log(2 * math.pi)
        return 0.5 * (terms * counted).sum(dim=-1)

    def draw(
        self, output: Tensor, generator: torch.Generator, residuals: Tensor | None = None
    ) -> Tensor:
        # (n_models, n_rows, n_features) -> the same shape
        if residuals is not None:
            return output + residuals
        noise = standard_normal(output.shape, generator)
        return output + torch.exp(0.5 * self.log_var) * noise


class BernoulliHead(nn.Module):
    """Slots of two values, of which one is above 0: the decoder gives the logit of that."""

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None
    ) -> Tensor:
        # (n_models, n_rows, n_slots) twice -> (n_models, n_rows), in nats
        terms = nn.functional.softplus(output) - (rows > 0) * output
        return (terms if counted is None else terms * counted).sum(dim=-1)

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        # (n_models, n_rows, n_slots) -> the same shape, of 0 and 1
        chance = torch.rand(
            output.shape, generator=generator, device=generator.device, dtype=torch.float32
        )
        return (chance < torch.sigmoid(output)).to(output.dtype)


class CategoricalHead(nn.Module):
    """Groups of slots of which one is 1: the decoder gives their logits (a softmax)."""

    membership: Tensor  # (n_slots, n_groups)

    def __init__(self, slots: Slots) -> None:
        super().__init__()
        self.group_sizes = slots.group_sizes
        membership = np.eye(len(slots.group_sizes), dtype=np.float32)[slots.group_of_slot]
        self.register_buffer("membership", torch.from_numpy(membership), persistent=False)

    def negative_log_likelihood(self, output: Tensor, rows: Tensor) -> Tensor:
        # (n_models, n_rows, n_slots) twice -> (n_models, n_rows), in nats
        logits = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        log_totals = torch.log(torch.exp(logits) @ self.membership)
        return log_totals.sum(dim=-1) - (rows * logits).sum(dim=-1)

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        # (n_models, n_rows, n_slots) -> the same shape, of 0 and 1
        uniform = torch.rand(
            output.shape, generator=generator, device=generator.device, dtype=torch.float32
        )
        # The largest of logits with Gumbel noise falls on each as its softmax says.
        exponential = -torch.log(uniform.clamp(1e-20, 1 - 1e-7))
        keys = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT) - torch.log(exponential)
        drawn = torch.zeros_like(output)
        start = 0
        for size in self.group_sizes:
            group = slice(start, start + size)
            best = keys[..., group].argmax(dim=-1, keepdim=True)
            drawn[..., group].scatter_(-1, best, 1)
            start += size
        return drawn


def _part(counted: Tensor | None, part: slice) -> Tensor | None:
    return None if counted is None else counted[..., part]
