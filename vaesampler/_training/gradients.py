"""The loss of a stack and its gradient, written by hand for speed.

`StackedVAE.evidence_bound` is the same loss in plain autograd code. Tests hold that both
gradients are equal, and `tests/benchmarks/bench_hot_paths.py` times one against the other. A
likelihood without an entry in `GRADIENTS` gets its gradient from autograd.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from vaesampler._training.passes import MLPPasses, gradient_of
from vaesampler._vae.heads import TableHead, part_of
from vaesampler._vae.likelihoods import (
    LARGEST_LOGIT,
    LOWEST_LOG_VAR,
    BernoulliLikelihood,
    CategoricalLikelihood,
    GaussianLikelihood,
    Likelihood,
)
from vaesampler._vae.model import EvidenceBound, StackedVAE


class VAEGradient:
    """The loss of a stack and its gradient, written by hand.

    The gradient is autograd's of `StackedVAE.evidence_bound`. The parameters' `grad` must
    exist, and no parameter may move in memory.

    Parameters
    ----------
    vaes : StackedVAE
        The stack.
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
        # As a tensor, it is not converted at each step.
        example = self.encoder.weights[0]
        self.minus_half_kl_weight = example.new_tensor(-0.5 * self.kl_weight)
        self.half_share = 0.5 / n_rows
        self.reconstruction_constant = example.new_tensor(self.head.constant)
        self.kl_constant = example.new_tensor(-0.5 * vaes.latent_dim)

    def write(self, targets: Sequence[Tensor], noise: Tensor, bound: EvidenceBound) -> None:
        """Write the bound, each part (n_models,), and the gradient into the parameters' `grad`.

        The bound is the mean over rows; the gradient is that of reconstruction + beta * KL.
        `targets` are those of `self.head` for the rows; `noise` is as in `evidence_bound`.
        """
        rows = targets[0]
        # Arithmetic on non-contiguous halves takes ten times as long.
        mean, log_var = (half.contiguous() for half in self.encoder.forward(rows).chunk(2, -1))
        variance = torch.exp(log_var)
        deviation = torch.sqrt(variance).mul_(noise)
        z = mean + deviation
        if self.head.wants_errors:
            self.decoder.errors(z, rows)
        else:
            self.decoder.forward(z)
        head = self.head.write(targets)
        z_gradient = self.decoder.backward(z, head.gradient, head.scale, is_input_data=False)
        assert z_gradient is not None
        twice_kl = torch.addcmul(variance, mean, mean).sub_(log_var).sum((1, 2))
        torch.add(
            self.reconstruction_constant, head.twice_loss, alpha=0.5, out=bound.reconstruction
        )
        torch.add(self.kl_constant, twice_kl, alpha=self.half_share, out=bound.kl)
        mean_gradient = torch.add(z_gradient, mean, alpha=self.kl_weight)
        log_var_gradient = torch.add(
            self.minus_half_kl_weight, variance, alpha=0.5 * self.kl_weight
        ).addcmul_(z_gradient, deviation, value=0.5)
        gradient = torch.cat([mean_gradient, log_var_gradient], -1)
        self.encoder.backward(rows, gradient, is_input_data=True)


class HeadLoss(NamedTuple):
    """A head's mean loss, and its gradient at the decoder's output: `gradient * scale`."""

    twice_loss: Tensor  # (n_models,), in nats, without `HeadGradient.constant`
    gradient: Tensor  # (n_models, n_rows, width)
    scale: Tensor  # (n_models, 1, width)


class HeadGradient:
    """The mean over rows of a head's negative log-likelihood, and its gradient.

    Parameters
    ----------
    head : TableHead
        The head. Its parameters' `grad` must exist, and no parameter may move in memory.
    output : Tensor of shape (n_models, n_rows, width)
        Memory of the decoder's output; of the output minus the rows, if the head
        `wants_errors`.
    """

    def __init__(self, head: TableHead, output: Tensor) -> None:
        self.head = head
        self.output = output
        n_models, self.n_rows, width = output.shape
        self.scale = output.new_full((n_models, 1, width), 1 / self.n_rows)
        (numeric, self.normal), *others = head.parts()
        assert isinstance(numeric, GaussianLikelihood)
        self.numeric = GaussianGradient(
            numeric, output[..., self.normal], self.scale[..., self.normal]
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
        """Return rows (n_models, n_rows, width), and what the likelihoods need of them."""
        counted = self.head.counted(rows)
        # Without slots where all cells are counted.
        counted_normal = rows[..., :0] if counted is None else counted[..., self.normal]
        targets = [rows, rows[..., self.normal], counted_normal]
        for gradient, slots, _ in self.others:
            targets += gradient.targets(rows[..., slots], part_of(counted, slots))
        return targets

    def write(self, targets: Sequence[Tensor]) -> HeadLoss:
        """Return the loss and its gradient, and write that of the head's own parameters."""
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
    """The gradient of a `GaussianLikelihood`: with errors e and variances v, e / v.

    Parameters
    ----------
    likelihood : GaussianLikelihood
        The likelihood.
    output : Tensor of shape (n_models, n_rows, n_slots)
        Memory of the decoder's output.
    scale : Tensor of shape (n_models, 1, n_slots)
        Memory of 1 / (n_rows * v), by which the errors are to be multiplied.
    """

    def __init__(self, likelihood: GaussianLikelihood, output: Tensor, scale: Tensor) -> None:
        self.output = output
        self.scale = scale
        self.raw_log_var = likelihood.raw_log_var.detach()
        self.raw_log_var_gradient = gradient_of(likelihood.raw_log_var)
        # To be added to half of `twice_loss`, in nats.
        self.constant = 0.5 * output.shape[-1] * (LOWEST_LOG_VAR + math.log(2 * math.pi))
        # As tensors, they are not converted at each step.
        self.largest_log_scale = output.new_tensor(-LOWEST_LOG_VAR - math.log(output.shape[1]))
        self.half = output.new_tensor(0.5)
        self.squares = torch.empty_like(output, memory_format=torch.contiguous_format)

    def write(self, errors: Tensor, counted: Tensor | None) -> Tensor:  # (n_models,)
        """Return twice the mean loss, without the constant; write the scale and the `grad`."""
        slope = torch.sigmoid(self.raw_log_var)  # of the log-variance
        gradient = torch.mul(slope, self.half, out=self.raw_log_var_gradient)
        excess = nn.functional.softplus(self.raw_log_var)  # over the lowest log-variance
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
    """The loss of a likelihood, summed over rows, and its gradient at the decoder's output.

    Parameters
    ----------
    likelihood : Likelihood
        The likelihood.
    n_rows : int
        Number of rows in a batch.
    """

    n_targets: ClassVar[int]

    def __init__(self, likelihood: Likelihood, n_rows: int) -> None:
        self.likelihood = likelihood
        self.n_rows = n_rows

    @abstractmethod
    def targets(self, rows: Tensor, counted: Tensor | None) -> list[Tensor]:
        """Return `n_targets` tensors of rows (n_models, n_rows, ...) that `write` needs."""

    @abstractmethod
    def write(self, output: Tensor, targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the summed loss (n_models,) and its gradient (n_models, n_rows, n_slots).

        The gradient of the mean loss goes into the `grad` of the likelihood's parameters.
        """


class BernoulliGradient(LikelihoodGradient):
    """The gradient of a `BernoulliLikelihood`: probability minus target."""

    n_targets: ClassVar[int] = 2

    def targets(self, rows: Tensor, counted: Tensor | None) -> list[Tensor]:
        """Return 1 where a slot is positive, and what counts."""
        return [(rows > 0).to(rows.dtype), rows[..., :0] if counted is None else counted]

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
    """The gradient of a `CategoricalLikelihood`: probabilities minus targets."""

    n_targets: ClassVar[int] = 1

    def targets(self, rows: Tensor, counted: Tensor | None) -> list[Tensor]:  # noqa: ARG002
        """Return the rows."""
        return [rows]

    def write(self, output: Tensor, targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient."""
        (rows,) = targets
        assert isinstance(self.likelihood, CategoricalLikelihood)
        membership = self.likelihood.membership
        logits = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        weights = torch.exp(logits)
        totals = weights @ membership
        loss = torch.log(totals).sum(dim=(1, 2)) - (rows * logits).sum(dim=(1, 2))
        probabilities = weights.mul_(totals.reciprocal_() @ membership.T)
        return loss, probabilities.sub_(rows).mul_(logits == output)


class AutogradGradient(LikelihoodGradient):
    """The gradient of any likelihood, by autograd."""

    n_targets: ClassVar[int] = 2

    def targets(self, rows: Tensor, counted: Tensor | None) -> list[Tensor]:
        """Return the rows, and what counts."""
        return [rows, rows[..., :0] if counted is None else counted]

    def write(self, output: Tensor, targets: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss and its gradient."""
        # Training runs in inference mode, whose tensors autograd refuses: hence the copies.
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
            gradient, *own = torch.autograd.grad(losses.sum(), [output, *parameters.values()])
        for values, of_values in zip(self.likelihood.parameters(), own, strict=True):
            gradient_of(values).copy_(of_values / self.n_rows)
        return losses.detach(), gradient


GRADIENTS: dict[type[Likelihood], type[LikelihoodGradient]] = {
    BernoulliLikelihood: BernoulliGradient,
    CategoricalLikelihood: CategoricalGradient,
}
