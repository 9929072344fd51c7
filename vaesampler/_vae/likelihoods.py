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
from vaesampler._encoding.scaling import midpoints_between
from vaesampler._runtime.noise import standard_normal, uniform

# A column that the decoder predicts perfectly would drive its variance to zero and the
# likelihood to infinity; encoded columns have variance 1, and this is one part in 400.
LOWEST_LOG_VAR = -6.0
# Beyond this logit, probabilities are 0 or 1 to float32, and sums of exponentials overflow.
LARGEST_LOGIT = 40.0
# Columns with a smaller variance, in variances of the class, are constant but for rounding.
LEAST_VARIANCE = 1e-6
# The logarithm of the scale at which a logistic distribution has variance 1, and its bounds.
UNIT_LOG_SCALE = math.log(math.sqrt(3) / math.pi)
LOG_SCALES = (-6.0, 3.0)
# Beyond the edges, in place of infinity, which has no gradient.
FARTHEST_EDGE = 1e6


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


class OrdinalLikelihood(Likelihood):
    """Ordered levels: the decoder gives the location of a logistic distribution.

    With the location m, a scale s that is learned for each variable, and the edges c between
    the levels' scores, P(level <= k) = sigmoid((c[k] - m) / s). Where cells may be missing, a
    second slot gives the logit of that.

    References
    ----------
    Peter McCullagh (1980). Regression Models for Ordinal Data.
    """

    scores: Tensor  # (n_variables, n_levels), repeating the last score
    edges: Tensor  # (n_variables, n_levels - 1), then infinity
    value_slots: Tensor  # (n_variables,)
    missing_slots: Tensor  # (n_variables_with_missing,)
    with_missing: Tensor  # (n_variables_with_missing,), indices of variables

    def __init__(self, n_models: int, part: Part) -> None:
        super().__init__(n_models, part)
        self.n_levels = max(map(len, part.scores))
        scores = [[*of, *[of[-1]] * (self.n_levels - len(of))] for of in part.scores]
        edges = [
            [*midpoints_between(np.array(of)), *[math.inf] * (self.n_levels - len(of))]
            for of in part.scores
        ]
        starts = np.cumsum([0, *part.widths[:-1]])
        has_missing = np.array(part.widths) > 1
        for name, values, dtype in (
            ("scores", scores, torch.float32),
            ("edges", edges, torch.float32),
            ("value_slots", starts, torch.int64),
            ("missing_slots", starts[has_missing] + 1, torch.int64),
            ("with_missing", np.flatnonzero(has_missing), torch.int64),
        ):
            tensor = torch.as_tensor(np.array(values), dtype=dtype, device="cpu")
            self.register_buffer(name, tensor, persistent=False)
        shape = (n_models, 1, len(part.widths))
        self.log_scale = nn.Parameter(
            torch.full(shape, UNIT_LOG_SCALE, dtype=torch.float32, device="cpu")
        )

    @property
    def scale(self) -> Tensor:  # (n_models, 1, n_variables)
        """The scales of the logistic distributions."""
        return torch.exp(self.log_scale.clamp(*LOG_SCALES))

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return that of the levels, and of what is missing; every slot is counted."""
        del counted
        levels = self._levels(rows[..., self.value_slots])
        bounds = nn.functional.pad(self.edges, (1, 1), value=math.inf)
        bounds = bounds.clamp(-FARTHEST_EDGE, FARTHEST_EDGE)
        bounds[:, 0] = -FARTHEST_EDGE
        variables = torch.arange(len(bounds), device=bounds.device)
        location, scale = output[..., self.value_slots], self.scale
        lower = (bounds[variables, levels] - location) / scale
        upper = (bounds[variables, levels + 1] - location) / scale
        # With F = sigmoid, F(u) - F(l) = F(u) F(-l) (1 - exp(l - u)).
        terms = nn.functional.softplus(-upper) + nn.functional.softplus(lower)
        terms = terms - torch.log(-torch.expm1(lower - upper))
        is_missing, logits = rows[..., self.missing_slots], output[..., self.missing_slots]
        is_observed = torch.ones_like(terms)
        is_observed[..., self.with_missing] = 1 - is_missing
        of_missing = nn.functional.softplus(logits) - is_missing * logits
        return (terms * is_observed).sum(dim=-1) + of_missing.sum(dim=-1)

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the score of a level, or a missing cell."""
        location = output[..., self.value_slots]
        shares = uniform(location.shape, generator).clamp(1e-7, 1 - 1e-7)
        values = location + self.scale * torch.logit(shares)
        variables = torch.arange(len(self.scores), device=output.device)
        scores = self.scores[variables, self._levels(values)].to(output.dtype)
        logits = output[..., self.missing_slots]
        is_missing = (uniform(logits.shape, generator) < torch.sigmoid(logits)).to(output.dtype)
        scores[..., self.with_missing] *= 1 - is_missing
        drawn = torch.zeros_like(output)
        drawn[..., self.value_slots] = scores
        drawn[..., self.missing_slots] = is_missing
        return drawn

    def marginal_loss(self, rows: Tensor, counted: Tensor | None = None) -> Tensor:
        """Return the entropy of the frequencies of levels and missing cells."""
        del counted
        levels = self._levels(rows[..., self.value_slots])
        levels[..., self.with_missing] = torch.where(
            rows[..., self.missing_slots] > 0, self.n_levels, levels[..., self.with_missing]
        )
        shares = nn.functional.one_hot(levels, self.n_levels + 1).to(rows.dtype).mean(dim=0)
        return -torch.xlogy(shares, shares).sum()

    def _levels(self, values: Tensor) -> Tensor:  # (..., n_variables), both
        """Return the index of the level of each score."""
        levels: Tensor = (values[..., None] > self.edges).sum(dim=-1)
        return levels


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "gaussian": GaussianLikelihood,
    "bernoulli": BernoulliLikelihood,
    "ordinal": OrdinalLikelihood,
    "categorical": CategoricalLikelihood,
}
