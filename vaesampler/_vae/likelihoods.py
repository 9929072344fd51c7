"""`Likelihood`: the distribution of adjacent slots given the decoder's output; one class each.

To add a likelihood, write a subclass and name it in `LIKELIHOODS`. A gradient written by hand
is optional; see `vaesampler._training.gradients`.
"""

import math
from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from vaesampler._encoding.layout import Part
from vaesampler._runtime.noise import standard_normal, uniform

# A column that the decoder predicts perfectly would drive its variance to zero and the
# likelihood to infinity; encoded columns have variance 1, and this is one part in 400.
LOWEST_LOG_VAR = -6.0
# Beyond this logit, probabilities are 0 or 1 to float32, and sums of exponentials overflow.
LARGEST_LOGIT = 40.0
# Columns with a smaller variance, in variances of the class, are constant but for rounding.
LEAST_VARIANCE = 1e-6


class Likelihood(nn.Module, ABC):
    """The likelihood of the slots of one `Part`, given as many outputs of the decoder.

    Parameters
    ----------
    n_models : int
        Number of models in the stack. Parameters have this length along their first axis.
    part : Part
        The variables.
    """

    def __init__(self, n_models: int, part: Part) -> None:  # noqa: ARG002
        super().__init__()

    @abstractmethod
    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return the negative log-likelihood (n_models, n_rows) of rows, in nats.

        `output`, `rows` and `counted` are (n_models, n_rows, n_slots); slots whose `counted` is
        0 are ignored, and None counts all.
        """

    @abstractmethod
    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw slots (n_models, n_rows, n_slots), given an output of this shape."""

    @abstractmethod
    def marginal_loss(self, rows: Tensor, counted: Tensor | None = None) -> Tensor:
        """Return the mean negative log-likelihood, in nats, of the best constant output.

        `rows` and `counted` are (n_rows, n_slots), of a stack of one model.
        """

    def forward(self, output: Tensor, rows: Tensor, counted: Tensor | None = None) -> Tensor:
        # What `torch.func.functional_call` calls.
        return self.negative_log_likelihood(output, rows, counted)


class GaussianLikelihood(Likelihood):
    """Normal slots: the decoder gives the mean, and each slot learns one variance.

    The learned variance balances reconstruction against the prior without a weight to tune.

    References
    ----------
    Oleh Rybkin, Kostas Daniilidis, Sergey Levine (2021). Simple and Effective VAE Training
    with Calibrated Decoders (sigma-VAE).
    """

    def __init__(self, n_models: int, part: Part) -> None:
        super().__init__(n_models, part)
        shape = (n_models, 1, part.width)
        self.raw_log_var = nn.Parameter(
            torch.full(shape, -LOWEST_LOG_VAR, dtype=torch.float32, device="cpu")
        )

    @property
    def log_var(self) -> Tensor:  # (n_models, 1, n_slots)
        """The log-variances, held above a floor smoothly, so that they can leave it."""
        return LOWEST_LOG_VAR + nn.functional.softplus(self.raw_log_var)

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return half the squared errors over the variances, and the log-normalizers."""
        log_var = self.log_var
        squared_error = (rows - output).square() * torch.exp(-log_var)
        if counted is None:
            constant = (log_var + math.log(2 * math.pi)).sum(dim=-1)  # (n_models, 1)
            return 0.5 * (squared_error.sum(dim=-1) + constant)
        terms = squared_error + log_var + math.log(2 * math.pi)
        return 0.5 * (terms * counted).sum(dim=-1)

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Add noise with the learned variances."""
        noise = standard_normal(output.shape, generator)
        return output + torch.exp(0.5 * self.log_var) * noise

    def marginal_loss(self, rows: Tensor, counted: Tensor | None = None) -> Tensor:
        """Return the loss of each column's own mean and variance."""
        counted = torch.ones_like(rows) if counted is None else counted
        weights = counted / counted.sum(dim=0).clamp(min=1)
        mean = (weights * rows).sum(dim=0)
        variance = (weights * (rows - mean).square()).sum(dim=0)
        # A constant column fits both decoders up to rounding: it gets the learned variance.
        learned = torch.exp(self.log_var)[0, 0]
        fitted = torch.where(variance > LEAST_VARIANCE, variance, learned)
        fitted = fitted.clamp(min=math.exp(LOWEST_LOG_VAR))
        terms = 0.5 * (torch.log(2 * math.pi * fitted) + variance / fitted)
        return (counted.mean(dim=0) * terms).sum()


class BernoulliLikelihood(Likelihood):
    """Slots of two values, one of them positive: the decoder gives its logit."""

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return the binary cross-entropy."""
        terms = nn.functional.softplus(output) - (rows > 0) * output
        return (terms if counted is None else terms * counted).sum(dim=-1)

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw 0 or 1."""
        return (uniform(output.shape, generator) < torch.sigmoid(output)).to(output.dtype)

    def marginal_loss(self, rows: Tensor, counted: Tensor | None = None) -> Tensor:
        """Return the entropy of the frequencies."""
        counted = torch.ones_like(rows) if counted is None else counted
        weights = counted / counted.sum(dim=0).clamp(min=1)
        share = (weights * (rows > 0)).sum(dim=0)
        entropy = -torch.xlogy(share, share) - torch.xlogy(1 - share, 1 - share)
        return (counted.mean(dim=0) * entropy).sum()


class CategoricalLikelihood(Likelihood):
    """Groups of slots of which one is 1: the decoder gives their logits (a softmax)."""

    membership: Tensor  # (n_slots, n_groups)

    def __init__(self, n_models: int, part: Part) -> None:
        super().__init__(n_models, part)
        self.group_sizes = part.widths
        group_of_slot = np.repeat(np.arange(len(part.widths)), part.widths)
        membership = np.eye(len(part.widths), dtype=np.float32)[group_of_slot]
        self.register_buffer("membership", torch.from_numpy(membership), persistent=False)

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return the cross-entropy; every slot is counted."""
        del counted
        logits = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        log_totals = torch.log(torch.exp(logits) @ self.membership)
        return log_totals.sum(dim=-1) - (rows * logits).sum(dim=-1)

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw one slot of each group, by the largest logit with Gumbel noise."""
        exponential = -torch.log(uniform(output.shape, generator).clamp(1e-20, 1 - 1e-7))
        keys = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT) - torch.log(exponential)
        drawn = torch.zeros_like(output)
        start = 0
        for size in self.group_sizes:
            group = slice(start, start + size)
            best = keys[..., group].argmax(dim=-1, keepdim=True)
            drawn[..., group].scatter_(-1, best, 1)
            start += size
        return drawn

    def marginal_loss(self, rows: Tensor, counted: Tensor | None = None) -> Tensor:
        """Return the entropy of the frequencies."""
        del counted
        shares = rows.mean(dim=0)
        return -torch.xlogy(shares, shares).sum()


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "gaussian": GaussianLikelihood,
    "bernoulli": BernoulliLikelihood,
    "categorical": CategoricalLikelihood,
}
