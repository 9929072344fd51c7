"""Likelihoods of, and drawing from, slots of one kind, given the decoder's output."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from vaesampler._runtime.noise import standard_normal
from vaesampler._table.layout import Slots

# A column that the decoder predicts perfectly would drive its variance to zero and the
# likelihood to infinity; encoded columns have variance 1, and this is one part in 400.
LOWEST_LOG_VAR = -6.0
# Beyond it, probabilities are 0 or 1 to float32, and sums of exponentials would overflow.
LARGEST_LOGIT = 40.0


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
