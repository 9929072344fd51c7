"""The hand-written gradient of the loss of a stack, which is faster than autograd.

`StackedVAE.evidence_bound` is the same loss in plain autograd code. Tests check that the
gradients are equal, and `tests/benchmarks/bench_hot_paths.py` times training steps. Autograd
computes the gradient of likelihoods that are not in `GRADIENTS`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from vaesampler._training.passes import MLPPasses, gradient_of
from vaesampler._vae.heads import TableHead, counted_in
from vaesampler._vae.likelihoods import (
    LARGEST_LOGIT,
    LOG_SCALE_BOUNDS,
    LOWEST_LOG_VAR,
    BernoulliLikelihood,
    CategoricalLikelihood,
    GaussianLikelihood,
    Likelihood,
    OrdinalLikelihood,
)
from vaesampler._vae.model import EvidenceBound, StackedVAE


class VAEGradient:
    """The loss of a stack, reconstruction + beta * KL averaged over rows, and its gradient.

    Parameters
    ----------
    vaes : StackedVAE
        The stack. The `grad` of its parameters must exist, and no parameter may move in memory.
    n_rows : int
        Number of rows in a batch.
    beta : float
        Weight of the Kullback-Leibler term.
    """

    def __init__(self, vaes: StackedVAE, n_rows: int, beta: float) -> None:
        self.encoder = MLPPasses(vaes.encoder, n_rows)
        self.decoder = MLPPasses(vaes.decoder, n_rows)
        self.head = HeadGradient(vaes.head, self.decoder.outputs[-1])
        self.kl_weight = beta / n_rows
        # Constants are tensors, so that steps do not convert them.
        example = self.encoder.weights[0]
        self.minus_half_kl_weight = example.new_tensor(-0.5 * self.kl_weight)
        self.half_row_weight = 0.5 / n_rows
        self.reconstruction_constant = example.new_tensor(self.head.constant)
        self.kl_constant = example.new_tensor(-0.5 * vaes.latent_dim)

    def write(self, targets: Sequence[Tensor], noise: Tensor, bound: EvidenceBound) -> None:
        """Write the terms of the loss into `bound`, and the gradient into the `grad`.

        The terms, (n_models,) each, are means over rows. `targets` are those of `self.head` for
        the rows; `noise` (n_models, n_rows, latent_dim) is standard normal.
        """
        rows = targets[0]
        # Arithmetic on non-contiguous tensors is much slower.
        mean, log_var = (half.contiguous() for half in self.encoder.forward(rows).chunk(2, -1))
        variance = torch.exp(log_var)
        shift = torch.sqrt(variance).mul_(noise)
        z = mean + shift
        if self.head.wants_errors:
            self.decoder.forward_errors(z, rows)
        else:
            self.decoder.forward(z)
        head = self.head.write(targets)
        z_gradient = self.decoder.backward(z, head.gradient, head.scale, is_input_data=False)
        assert z_gradient is not None
        twice_kl = torch.addcmul(variance, mean, mean).sub_(log_var).sum((1, 2))
        torch.add(
            self.reconstruction_constant, head.twice_loss, alpha=0.5, out=bound.reconstruction
        )
        torch.add(self.kl_constant, twice_kl, alpha=self.half_row_weight, out=bound.kl)
        # KL = (variance + mean ** 2 - 1 - log_var) / 2, and dz / dlog_var = shift / 2.
        mean_gradient = torch.add(z_gradient, mean, alpha=self.kl_weight)
        log_var_gradient = torch.add(
            self.minus_half_kl_weight, variance, alpha=0.5 * self.kl_weight
        ).addcmul_(z_gradient, shift, value=0.5)
        gradient = torch.cat([mean_gradient, log_var_gradient], -1)
        self.encoder.backward(rows, gradient, is_input_data=True)


class HeadLoss(NamedTuple):
    """The loss of a head, averaged over rows, and its gradient at the decoder's output."""

    twice_loss: Tensor  # (n_models,): 2 * (loss - `HeadGradient.constant`), in nats
    # The gradient is `gradient * scale`.
    gradient: Tensor  # (n_models, n_rows, width)
    scale: Tensor  # (n_models, 1, width)


class HeadGradient:
    """The negative log-likelihood of a head, averaged over rows, and its gradient.

    Parameters
    ----------
    head : TableHead
        The head. The `grad` of its parameters must exist, and no parameter may move in memory.
    output : Tensor of shape (n_models, n_rows, width)
        The tensor that the decoder writes its output into; if `wants_errors`, which is the case
        if all slots are numeric, its output minus the rows.
    """

    def __init__(self, head: TableHead, output: Tensor) -> None:
        self.head = head
        self.output = output
        n_models, self.n_rows, width = output.shape
        self.scale = output.new_full((n_models, 1, width), 1 / self.n_rows)
        (_, self.normal), *others = head.parts()
        self.numeric = GaussianGradient(
            head.normal, output[..., self.normal], self.scale[..., self.normal]
        )
        self.others = [
            (
                GRADIENTS.get(type(likelihood), AutogradGradient)(likelihood, self.n_rows),
                slots,
                output[..., slots],
            )
            for likelihood, slots in others
        ]
        self.constant = self.numeric.constant
        self.wants_errors = not others

    def targets(self, rows: Tensor) -> list[Tensor]:
        """Return the tensors (n_models, n_rows, ...) that `write` needs.

        They are the rows (n_models, n_rows, width), the numeric slots, `counted` for these, and
        the targets of the other likelihoods.
        """
        counted = self.head.counted(rows)
        normal = rows[..., self.normal]
        targets = [rows, normal, _as_target(counted_in(counted, self.normal), normal)]
        for gradient, slots, _ in self.others:
            targets += gradient.targets(rows[..., slots], counted_in(counted, slots))
        return targets

    def write(self, targets: Sequence[Tensor]) -> HeadLoss:
        """Return the loss and its gradient; write the `grad` of the head's parameters."""
        if self.wants_errors:
            return HeadLoss(self.numeric.write(self.output, None), self.output, self.scale)
        _, rows, counted_normal = targets[:3]
        errors = self.numeric.output - rows
        counted = counted_normal if counted_normal.shape[-1] > 0 else None
        if counted is not None:
            errors.mul_(counted)
        start, gradients = 3, [errors]
        loss = torch.zeros_like(self.scale[:, 0, 0])
        for part, _, output in self.others:
            stop = start + part.n_targets
            part_loss, gradient = part.write(output, targets[start:stop])
            loss.add_(part_loss)
            gradients.append(gradient)
            start = stop
        twice_loss = self.numeric.write(errors, counted)
        twice_loss.add_(loss, alpha=2 / self.n_rows)
        return HeadLoss(twice_loss, torch.cat(gradients, -1), self.scale)


class GaussianGradient:
    """The loss of a `GaussianLikelihood`, averaged over rows, and its gradient.

    The gradient at the output is e / (n_rows * v), with errors e (output minus rows) and
    variances v.

    Parameters
    ----------
    likelihood : GaussianLikelihood
        The likelihood.
    output : Tensor of shape (n_models, n_rows, n_slots)
        The numeric slots of the tensor that the decoder writes into.
    scale : Tensor of shape (n_models, 1, n_slots)
        The tensor that `write` writes 1 / (n_rows * v) into.
    """

    def __init__(self, likelihood: GaussianLikelihood, output: Tensor, scale: Tensor) -> None:
        self.output = output
        self.scale = scale
        self.raw_log_var = likelihood.raw_log_var.detach()
        self.raw_log_var_gradient = gradient_of(likelihood.raw_log_var)
        # The part of the loss, in nats, that does not depend on parameters.
        self.constant = 0.5 * output.shape[-1] * (LOWEST_LOG_VAR + math.log(2 * math.pi))
        # Constants are tensors, so that steps do not convert them.
        self.largest_log_scale = output.new_tensor(-LOWEST_LOG_VAR - math.log(output.shape[1]))
        self.half = output.new_tensor(0.5)
        self.squares = torch.empty_like(output, memory_format=torch.contiguous_format)

    def write(self, errors: Tensor, counted: Tensor | None) -> Tensor:  # (n_models,)
        """Return 2 * (loss - `constant`); write the scale, and the `grad` of the parameter.

        `errors` and `counted` are (n_models, n_rows, n_slots).
        """
        slope = torch.sigmoid(self.raw_log_var)  # derivative of the log-variance
        gradient = torch.mul(slope, self.half, out=self.raw_log_var_gradient)
        excess = nn.functional.softplus(self.raw_log_var)  # log-variance minus lower bound
        scale = torch.exp(self.largest_log_scale - excess, out=self.scale)
        if counted is not None:
            share_counted = counted.mean(dim=1, keepdim=True)
            gradient.mul_(share_counted)
            lowest = LOWEST_LOG_VAR + math.log(2 * math.pi)
            excess.add_(lowest).mul_(share_counted).sub_(lowest)
        squares = torch.mul(errors, errors, out=self.squares).sum(1, True).mul_(scale)
        gradient.addcmul_(slope, squares, value=-0.5)
        return excess.add_(squares).sum((1, 2))


class LikelihoodGradient(ABC):
    """The loss of a likelihood, summed over rows, and its gradient.

    Parameters
    ----------
    likelihood : Likelihood
        The likelihood.
    n_rows : int
        Number of rows in a batch.
    """

    n_targets: ClassVar[int]  # number of tensors that `targets` returns

    def __init__(self, likelihood: Likelihood, n_rows: int) -> None:
        self.likelihood = likelihood
        self.n_rows = n_rows

    @abstractmethod
    def targets(self, rows: Tensor, counted: Tensor | None) -> list[Tensor]:
        """Return the tensors (n_models, n_rows, ...) that `write` needs.

        `rows` and `counted` are (n_models, n_rows, n_slots).
        """

    @abstractmethod
    def write(self, output: Tensor, targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss (n_models,) and its gradient at the output.

        `output` and the gradient are (n_models, n_rows, n_slots). The gradient of the mean over
        rows is written into the `grad` of the likelihood's parameters.
        """


class BernoulliGradient(LikelihoodGradient):
    """The loss of a `BernoulliLikelihood`, and its gradient: probability minus target."""

    n_targets: ClassVar[int] = 2

    def targets(self, rows: Tensor, counted: Tensor | None) -> list[Tensor]:
        """Return 1 where a slot is positive, and `counted`."""
        return [(rows > 0).to(rows.dtype), _as_target(counted, rows)]

    def write(self, output: Tensor, targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient."""
        is_one, counted = targets
        terms = torch.addcmul(nn.functional.softplus(output), is_one, output, value=-1)
        gradient = torch.sigmoid(output).sub_(is_one)
        if counted.shape[-1] > 0:
            terms.mul_(counted)
            gradient.mul_(counted)
        return terms.sum((1, 2)), gradient


class CategoricalGradient(LikelihoodGradient):
    """The loss of a `CategoricalLikelihood`, and its gradient: probabilities minus targets."""

    n_targets: ClassVar[int] = 1

    def __init__(self, likelihood: CategoricalLikelihood, n_rows: int) -> None:
        super().__init__(likelihood, n_rows)
        self.categorical = likelihood

    def targets(self, rows: Tensor, counted: Tensor | None) -> list[Tensor]:  # noqa: ARG002
        """Return the rows."""
        return [rows]

    def write(self, output: Tensor, targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient."""
        (rows,) = targets
        logits = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        weights = torch.exp(logits)
        totals = self.categorical.totals(weights)
        loss = torch.log(totals).sum(dim=(1, 2)) - (rows * logits).sum(dim=(1, 2))
        probabilities = weights.mul_(self.categorical.spread(totals.reciprocal_()))
        # Multiplying by a Boolean tensor is several times slower.
        is_within = logits.eq_(output)
        return loss, probabilities.sub_(rows).mul_(is_within)


class OrdinalGradient(LikelihoodGradient):
    """The loss of an `OrdinalLikelihood` and its gradient.

    With F = sigmoid, scale s, and the edges l < u around a level, less the location and over s,
    the gradient is (F(-u) - F(l)) / s at the location, and
    u F(-u) - l F(l) + (u - l) / (exp(u - l) - 1) at log(s).
    """

    n_targets: ClassVar[int] = 4

    def __init__(self, likelihood: OrdinalLikelihood, n_rows: int) -> None:
        super().__init__(likelihood, n_rows)
        self.ordinal = likelihood
        self.log_scale = likelihood.log_scale.detach()
        self.log_scale_gradient = gradient_of(likelihood.log_scale)

    def targets(self, rows: Tensor, counted: Tensor | None) -> list[Tensor]:  # noqa: ARG002
        """Return the edges around each level, 0 for missing cells, and 1 for these."""
        return [*self.ordinal.edges_around(rows), rows[..., self.ordinal.missing_slots]]

    def write(self, output: Tensor, targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient."""
        below, above, is_observed, is_missing = targets
        ordinal = self.ordinal
        clamped = self.log_scale.clamp(*LOG_SCALE_BOUNDS)
        scale = torch.exp(clamped)
        location, logits = output[..., ordinal.value_slots], output[..., ordinal.missing_slots]
        lower, upper = (below - location) / scale, (above - location) / scale
        width = upper - lower
        terms = nn.functional.softplus(-upper).add_(nn.functional.softplus(lower))
        terms.sub_(torch.log(-torch.expm1(-width))).mul_(is_observed)
        missing_terms = nn.functional.softplus(logits) - is_missing * logits
        above_share, below_share = torch.sigmoid(-upper), torch.sigmoid(lower)
        gradient = torch.zeros_like(output)
        gradient[..., ordinal.value_slots] = (above_share - below_share) / scale * is_observed
        gradient[..., ordinal.missing_slots] = torch.sigmoid(logits) - is_missing
        of_log_scale = upper * above_share - lower * below_share + width / torch.expm1(width)
        mean = (of_log_scale * is_observed).sum(1, True) / self.n_rows
        torch.mul(mean, self.log_scale == clamped, out=self.log_scale_gradient)
        return terms.sum((1, 2)) + missing_terms.sum((1, 2)), gradient


class AutogradGradient(LikelihoodGradient):
    """The loss of any likelihood, and its gradient by autograd."""

    n_targets: ClassVar[int] = 2

    def targets(self, rows: Tensor, counted: Tensor | None) -> list[Tensor]:
        """Return the rows, and `counted`."""
        return [rows, _as_target(counted, rows)]

    def write(self, output: Tensor, targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient."""
        # Autograd does not accept tensors of inference mode, so they are copied.
        with torch.inference_mode(False), torch.enable_grad():
            rows, counted = (target.clone() for target in targets)
            output = output.clone().requires_grad_()
            parameters = {
                name: values.detach().clone().requires_grad_()
                for name, values in self.likelihood.named_parameters()
            }
            losses = torch.func.functional_call(
                self.likelihood,
                parameters,
                (output, rows, counted if counted.shape[-1] > 0 else None),
            ).sum(dim=1)
            gradient, *parameter_gradients = torch.autograd.grad(
                losses.sum(), [output, *parameters.values()]
            )
        for parameter, values in zip(
            self.likelihood.parameters(), parameter_gradients, strict=True
        ):
            gradient_of(parameter).copy_(values / self.n_rows)
        return losses.detach(), gradient


def _as_target(counted: Tensor | None, rows: Tensor) -> Tensor:
    """Return `counted`; if it is None, a tensor (n_models, n_rows, 0) in its place."""
    return rows[..., :0] if counted is None else counted


GRADIENTS: dict[type[Likelihood], type[LikelihoodGradient]] = {
    BernoulliLikelihood: BernoulliGradient,
    CategoricalLikelihood: CategoricalGradient,
    OrdinalLikelihood: OrdinalGradient,
}
