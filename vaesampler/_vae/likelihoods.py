"""`Likelihood`: the distribution of adjacent slots, with one class for each family.

To add a family, write a subclass and register it in `LIKELIHOODS`. A hand-written gradient is
optional; see `vaesampler._training.gradients`.
"""

import math
from abc import ABC, abstractmethod
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from vaesampler._encoding.layout import Part, midpoints_between
from vaesampler._runtime.noise import standard_normal, uniform

# Lower bound on the log-variances; encoded columns have variance 1. Without it, the likelihood
# of a column that the decoder predicts exactly would be infinite.
LOWEST_LOG_VAR = -6.0
# Logits are clipped to this absolute value, where probabilities are 0 or 1 in float32 and
# exponentials do not overflow.
LARGEST_LOGIT = 40.0
# Encoded columns with a smaller variance are constant up to rounding.
LEAST_VARIANCE = 1e-6
# Initial log-scale, at which a logistic distribution has variance 1, and bounds of log-scales.
UNIT_LOG_SCALE = math.log(math.sqrt(3) / math.pi)
LOG_SCALE_BOUNDS = (-6.0, 3.0)
# Sums over groups are one product, which is the fastest way, unless there are more groups.
MOST_GROUPS_AT_ONCE = 100
GROUPS_BY_BLOCK = 16
# Replaces infinite edges, which have no gradient.
FARTHEST_EDGE = 1e6


class Likelihood(nn.Module, ABC):
    """The distribution of the slots of one `Part`, given one decoder output per slot.

    Parameters
    ----------
    n_models : int
        Number of models in the stack: the length of the first axis of every parameter.
    part : Part
        The slots of each variable.
    """

    def __init__(self, n_models: int, part: Part) -> None:  # noqa: ARG002
        super().__init__()

    @abstractmethod
    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return the negative log-likelihood (n_models, n_rows) of rows, in nats.

        `output`, `rows` and `counted` are (n_models, n_rows, n_slots). Slots where `counted` is
        0 are ignored; None counts all.
        """

    @abstractmethod
    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw slots (n_models, n_rows, n_slots), given an output of the same shape."""

    @abstractmethod
    def marginal_loss(self, rows: Tensor, counted: Tensor | None = None) -> Tensor:
        """Return the mean loss (n_models,) of the best constant output, in nats per row.

        `rows` and `counted` are (n_models, n_rows, n_slots).
        """

    def forward(self, output: Tensor, rows: Tensor, counted: Tensor | None = None) -> Tensor:
        # `torch.func.functional_call` calls this method.
        return self.negative_log_likelihood(output, rows, counted)


class GaussianLikelihood(Likelihood):
    """Normal slots: the decoder outputs the means, and the variance of each slot is learned.

    The loss of a slot x with mean m and variance v is ((x - m) ** 2 / v + log(2 * pi * v)) / 2.
    Learned variances balance the reconstruction against the KL term without a weight to tune.

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
        """The log-variances, bounded by a softplus; clipping would have a gradient of 0."""
        return LOWEST_LOG_VAR + nn.functional.softplus(self.raw_log_var)

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return the loss in the class docstring, summed over slots."""
        log_var = self.log_var
        squared_error = (rows - output).square() * torch.exp(-log_var)
        if counted is None:
            constant = (log_var + math.log(2 * math.pi)).sum(dim=-1)  # (n_models, 1)
            return 0.5 * (squared_error.sum(dim=-1) + constant)
        terms = squared_error + log_var + math.log(2 * math.pi)
        return 0.5 * (terms * counted).sum(dim=-1)

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw normal values with the learned variances."""
        noise = standard_normal(output.shape, generator)
        return output + torch.exp(0.5 * self.log_var) * noise

    def marginal_loss(self, rows: Tensor, counted: Tensor | None = None) -> Tensor:
        """Return the loss of the mean and variance of each slot."""
        weights, share_counted = _weights(rows, counted)
        mean = (weights * rows).sum(dim=1, keepdim=True)
        variance = (weights * (rows - mean).square()).sum(dim=1)
        # Any decoder predicts a constant column up to rounding: use the learned variance, so
        # that the column does not distinguish this loss from that of the VAE.
        learned = torch.exp(self.log_var)[:, 0]
        fitted = torch.where(variance > LEAST_VARIANCE, variance, learned)
        fitted = fitted.clamp(min=math.exp(LOWEST_LOG_VAR))
        terms = 0.5 * (torch.log(2 * math.pi * fitted) + variance / fitted)
        return (share_counted * terms).sum(dim=1)


class BernoulliLikelihood(Likelihood):
    """Binary slots: the decoder outputs the logit of the positive value.

    The loss of a slot with logit u is softplus(u) - u if it is positive, else softplus(u).
    """

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
        """Return the entropy of the relative frequencies."""
        weights, share_counted = _weights(rows, counted)
        share = (weights * (rows > 0)).sum(dim=1)
        entropy = -torch.xlogy(share, share) - torch.xlogy(1 - share, 1 - share)
        return (share_counted * entropy).sum(dim=1)


class CategoricalLikelihood(Likelihood):
    """One-hot groups of slots: the decoder outputs the logits of a softmax for each."""

    # Whether a slot belongs to a group, in the first block of groups, the second, ...
    membership: Tensor  # (n_slots, n_groups_of_block)
    group_of_slot: Tensor  # (n_slots,)

    def __init__(self, n_models: int, part: Part) -> None:
        super().__init__(n_models, part)
        self.group_sizes = part.widths
        n_groups = len(part.widths)
        size = n_groups if n_groups <= MOST_GROUPS_AT_ONCE else GROUPS_BY_BLOCK
        stops = np.cumsum((0, *part.widths))
        starts = [*stops[:-1:size].tolist(), int(stops[-1])]
        self.blocks = [slice(*ends) for ends in pairwise(starts)]
        group_of_slot = np.repeat(np.arange(n_groups), part.widths)
        membership = np.eye(size, dtype=np.float32)[group_of_slot % size]
        for name, values in (("membership", membership), ("group_of_slot", group_of_slot)):
            self.register_buffer(name, torch.from_numpy(values), persistent=False)

    def totals(self, weights: Tensor) -> Tensor:  # (..., n_slots) to (..., n_groups)
        """Return the sum of each group."""
        if len(self.blocks) == 1:
            return weights @ self.membership
        sums = [weights[..., slots] @ self.membership[slots] for slots in self.blocks]
        return torch.cat(sums, dim=-1)[..., : len(self.group_sizes)]

    def spread(self, values: Tensor) -> Tensor:  # (..., n_groups) to (..., n_slots)
        """Return the value of each slot's group."""
        if len(self.blocks) == 1:
            return values @ self.membership.T
        return values.index_select(-1, self.group_of_slot)

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return the cross-entropy, summed over groups; `counted` is not used."""
        del counted
        logits = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        log_totals = torch.log(self.totals(torch.exp(logits)))
        return log_totals.sum(dim=-1) - (rows * logits).sum(dim=-1)

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw one slot of each group: the largest logit plus Gumbel noise."""
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
        """Return the entropy of the relative frequencies."""
        del counted
        shares = rows.mean(dim=1)
        return -torch.xlogy(shares, shares).sum(dim=1)


class OrdinalLikelihood(Likelihood):
    """Ordered levels: the decoder outputs the location of a logistic distribution.

    P(level <= k) = sigmoid((c[k] - m) / s), where m is the location, s the scale, which is
    learned for each variable, and c[k] the midpoint between the scores of the levels k and
    k + 1. For a variable with missing cells, the output of a second slot is the logit of a
    missing cell.

    References
    ----------
    Peter McCullagh (1980). Regression Models for Ordinal Data.
    """

    scores: Tensor  # (n_variables, n_levels), padded with the last score
    edges: Tensor  # (n_variables, n_levels - 1), padded with infinity
    value_slots: Tensor  # (n_variables,)
    missing_slots: Tensor  # (n_variables_with_missing,)
    with_missing: Tensor  # (n_variables_with_missing,), variable indices

    def __init__(self, n_models: int, part: Part) -> None:
        super().__init__(n_models, part)
        self.n_levels = max(map(len, part.scores))
        scores = [[*own, *[own[-1]] * (self.n_levels - len(own))] for own in part.scores]
        edges = [
            [*midpoints_between(np.array(own)), *[math.inf] * (self.n_levels - len(own))]
            for own in part.scores
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
        return torch.exp(self.log_scale.clamp(*LOG_SCALE_BOUNDS))

    def negative_log_likelihood(
        self, output: Tensor, rows: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """Return the cross-entropy of levels and missing cells; `counted` is not used."""
        del counted
        below, above, is_observed = self.edges_around(rows)
        location, scale = output[..., self.value_slots], self.scale
        lower, upper = (below - location) / scale, (above - location) / scale
        # With F = sigmoid, F(u) - F(l) = F(u) F(-l) (1 - exp(l - u)).
        terms = nn.functional.softplus(-upper) + nn.functional.softplus(lower)
        terms = terms - torch.log(-torch.expm1(lower - upper))
        is_missing, logits = rows[..., self.missing_slots], output[..., self.missing_slots]
        missing_terms = nn.functional.softplus(logits) - is_missing * logits
        return (terms * is_observed).sum(dim=-1) + missing_terms.sum(dim=-1)

    def edges_around(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the edges below and above the level of each cell, and 0 where it is missing.

        `rows` is (n_models, n_rows, n_slots), the edges (n_models, n_rows, n_variables).
        """
        levels = self._levels(rows[..., self.value_slots])
        edges = nn.functional.pad(self.edges, (1, 1), value=math.inf)
        edges = edges.clamp(max=FARTHEST_EDGE)
        edges[:, 0] = -FARTHEST_EDGE
        variables = torch.arange(len(edges), device=edges.device)
        below, above = edges[variables, levels], edges[variables, levels + 1]
        is_observed = torch.ones_like(below)
        is_observed[..., self.with_missing] = 1 - rows[..., self.missing_slots]
        return below, above, is_observed

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the score of a level, or a missing cell, for each variable."""
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
        """Return the entropy of the relative frequencies of levels and missing cells."""
        del counted
        levels = self._levels(rows[..., self.value_slots])
        levels[..., self.with_missing] = torch.where(
            rows[..., self.missing_slots] > 0, self.n_levels, levels[..., self.with_missing]
        )
        shares = nn.functional.one_hot(levels, self.n_levels + 1).to(rows.dtype).mean(dim=1)
        return -torch.xlogy(shares, shares).sum(dim=(1, 2))

    def _levels(self, values: Tensor) -> Tensor:  # (..., n_variables), both
        """Return the index of the level of each value."""
        levels: Tensor = (values[..., None] > self.edges).sum(dim=-1)
        return levels


def _weights(rows: Tensor, counted: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return weights of the rows that sum to 1 in each slot, and the share that is counted.

    (n_models, n_rows, n_slots), both, to this shape and (n_models, n_slots).
    """
    counted = torch.ones_like(rows) if counted is None else counted
    weights = counted / counted.sum(dim=1, keepdim=True).clamp(min=1)
    return weights, counted.mean(dim=1)


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "gaussian": GaussianLikelihood,
    "bernoulli": BernoulliLikelihood,
    "ordinal": OrdinalLikelihood,
    "categorical": CategoricalLikelihood,
}
