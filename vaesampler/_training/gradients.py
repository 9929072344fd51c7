"""The loss of a stack and its gradient, written by hand for speed.

`evidence_bound` in `_vae.py` is the same loss in plain autograd code. A test holds that both
gradients are equal, and `tests/benchmarks/bench_hot_paths.py` times one against the other.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaesampler._vae.heads import TableHead
from vaesampler._vae.layers import ACTIVATIONS, StackedMLP
from vaesampler._vae.likelihoods import LARGEST_LOGIT, LOWEST_LOG_VAR, CategoricalHead
from vaesampler._vae.model import EvidenceBound, StackedVAE


class VAEGradient:
    """The loss of a stack and its gradient, written by hand.

    It does what autograd does to `evidence_bound`, in a third of the time. The parameters'
    `grad` must be there, and none of them may move in memory.

    Parameters
    ----------
    vaes : StackedVAE
        The stack.
    n_rows : int
        Number of rows that will be looked at, at once.
    beta : float
        Weight of the Kullback-Leibler term.
    """

    def __init__(self, vaes: StackedVAE, n_rows: int, beta: float) -> None:
        self.encoder = MLPPasses(vaes.encoder, n_rows)
        self.decoder = MLPPasses(vaes.decoder, n_rows)
        self.head = HeadGradient(vaes.head, self.decoder.outputs[-1])
        self.kl_weight = beta / n_rows
        # A tensor spares each step the conversion of a number.
        example = self.encoder.weights[0]
        self.minus_half_kl_weight = example.new_tensor(-0.5 * self.kl_weight)
        self.half_share = 0.5 / n_rows
        self.reconstruction_constant = example.new_tensor(self.head.constant)
        self.kl_constant = example.new_tensor(-0.5 * vaes.latent_dim)

    def write(self, targets: "HeadTargets", noise: Tensor, bound: EvidenceBound) -> None:
        """Write the bound, each part (n_models,), and the gradient into the parameters' `grad`.

        The bound is the mean over rows; the gradient is that of reconstruction + beta * KL.
        The targets are `self.head.targets(rows)`, and `rows` and `noise` are as in
        `evidence_bound`.
        """
        rows = targets.rows
        # Of halves that lie apart in memory, arithmetic takes ten times as long.
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
    """A head's loss, and its gradient at the decoder's output: `gradient * scale`."""

    twice_loss: Tensor  # (n_models,), in nats, less a constant
    gradient: Tensor  # (n_models, n_rows, width)
    scale: Tensor  # (n_models, 1, width)


class HeadTargets(NamedTuple):
    """What a head wants to know of encoded rows, told once for many steps."""

    rows: Tensor  # (n_models, n_rows, width)
    numbers: Tensor  # (n_models, n_rows, n_normal)
    is_one: Tensor  # (n_models, n_rows, n_yes_no), of 0 and 1
    levels: Tensor  # (n_models, n_rows, n_slots_of_groups), of 0 and 1
    # Of 0 and 1: see `TableHead.counted`; without columns where all is counted.
    counted_numbers: Tensor
    counted_yes_no: Tensor


class HeadGradient:
    """The mean over rows of a head's likelihood and its gradient, written by hand.

    Parameters
    ----------
    head : TableHead
        The head. Its parameters' `grad` must be there, and none may move in memory.
    output : Tensor of shape (n_models, n_rows, width)
        Where the decoder's output will stand; less the rows, if the head `wants_errors`.
    """

    def __init__(self, head: TableHead, output: Tensor) -> None:
        self.head = head
        self.output = output
        self.parts = head.parts
        self.outputs = [output[..., part] for part in self.parts]
        self.raw_log_var = head.normal.raw_log_var.detach()
        self.raw_log_var_gradient = gradient_of(head.normal.raw_log_var)
        # What is to be added to a half of `twice_loss`, in nats.
        self.constant = 0.5 * head.slots.n_normal * (LOWEST_LOG_VAR + math.log(2 * math.pi))
        self.wants_errors = head.slots.n_normal == head.slots.width
        n_models, self.n_rows, width = output.shape
        # Tensors spare each step the conversion of numbers.
        self.largest_log_scale = output.new_tensor(-LOWEST_LOG_VAR - math.log(self.n_rows))
        self.half = output.new_tensor(0.5)
        self.squares = output.new_empty(n_models, self.n_rows, head.slots.n_normal)
        self.scale = output.new_full((n_models, 1, width), 1 / self.n_rows)
        self.scale_of_numbers = self.scale[..., : head.slots.n_normal]

    def targets(self, rows: Tensor) -> HeadTargets:
        """Return what is to be known of rows (n_models, n_rows, width)."""
        normal, yes_no, groups = self.parts
        counted = self.head.counted(rows)
        counted = rows[..., :0] if counted is None else counted
        is_one = (rows[..., yes_no] > 0).to(rows.dtype)
        return HeadTargets(
            rows,
            rows[..., normal],
            is_one,
            rows[..., groups],
            counted[..., normal],
            counted[..., yes_no],
        )

    def write(self, targets: HeadTargets) -> HeadLoss:
        """Return the loss and its gradient, and write that of the head's own parameters."""
        if self.wants_errors:
            return HeadLoss(self._of_errors(self.output, None), self.output, self.scale)
        _, numbers, is_one, levels, counted_numbers, counted_yes_no = targets
        number_output, yes_no_output, group_output = self.outputs
        errors = number_output - numbers
        terms = torch.addcmul(
            nn.functional.softplus(yes_no_output), is_one, yes_no_output, value=-1
        )
        yes_no_gradient = torch.sigmoid(yes_no_output).sub_(is_one)
        is_all_counted = counted_yes_no.shape[-1] == 0
        if not is_all_counted:
            errors.mul_(counted_numbers)
            terms.mul_(counted_yes_no)
            yes_no_gradient.mul_(counted_yes_no)
        loss, gradients = terms.sum((1, 2)), [errors, yes_no_gradient]
        if levels.shape[-1] > 0:
            group_loss, gradient = _categorical_loss_and_gradient(
                self.head.groups, group_output, levels
            )
            loss.add_(group_loss)
            gradients.append(gradient)
        twice_loss = self._of_errors(errors, None if is_all_counted else counted_numbers)
        twice_loss.add_(loss, alpha=2 / self.n_rows)
        return HeadLoss(twice_loss, torch.cat(gradients, -1), self.scale)

    def _of_errors(self, errors: Tensor, counted: Tensor | None) -> Tensor:  # (n_models,)
        """Return the loss of numbers, doubled and less a constant; write their scale."""
        slope = torch.sigmoid(self.raw_log_var)  # of the log-variance
        gradient = torch.mul(slope, self.half, out=self.raw_log_var_gradient)
        excess = nn.functional.softplus(self.raw_log_var)  # of it over the lowest
        scale = torch.exp(self.largest_log_scale - excess, out=self.scale_of_numbers)
        if counted is not None:
            share_counted = counted.mean(dim=1, keepdim=True)
            gradient.mul_(share_counted)
            lowest = LOWEST_LOG_VAR + math.log(2 * math.pi)
            excess.add_(lowest).mul_(share_counted).sub_(lowest)
        # Of the squares, sums over the rows are all that is needed.
        squares = torch.mul(errors, errors, out=self.squares).sum(1, True).mul_(scale)
        gradient.addcmul_(slope, squares, value=-0.5)
        return excess.add_(squares).sum((1, 2))


def _categorical_loss_and_gradient(
    head: CategoricalHead, output: Tensor, rows: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the rows' sum (n_models,) and its gradient at the decoder's output."""
    logits = output.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
    weights = torch.exp(logits)
    totals = weights @ head.membership
    loss = torch.log(totals).sum(dim=(1, 2)) - (rows * logits).sum(dim=(1, 2))
    probabilities = weights.mul_(totals.reciprocal_() @ head.membership.T)
    return loss, probabilities.sub_(rows).mul_(logits == output)


class MLPPasses:
    """The passes through a `StackedMLP`, forward and backward, on its bare tensors.

    At these sizes the bookkeeping of autograd and of modules costs more than the arithmetic,
    and so does memory that is asked for anew, since it is cleared each time: what a pass
    returns is overwritten by the next one. The parameters' `grad` must be there, and none of
    them may move in memory.
    """

    def __init__(self, network: StackedMLP, n_rows: int) -> None:
        self.activate, self.pass_back = ACTIVATIONS[network.activation]
        self.weights = [layer.weight.detach() for layer in network.layers]
        self.biases = [layer.bias.detach() for layer in network.layers]
        self.weight_gradients = [gradient_of(layer.weight) for layer in network.layers]
        self.bias_gradients = [gradient_of(layer.bias) for layer in network.layers]
        # The output of each layer, activated, and the gradient of its input.
        self.outputs, self.input_gradients = (
            [
                weight.new_empty(len(weight), n_rows, weight.shape[side])
                for weight in self.weights
            ]
            for side in (2, 1)
        )
        self.scaled_weight = torch.empty_like(self.weights[-1])
        self.transposed = [weight.transpose(1, 2) for weight in self.weights]
        self.transposed_scaled = self.scaled_weight.transpose(1, 2)
        self.transposed_outputs = [output.transpose(1, 2) for output in self.outputs]

    def forward(self, rows: Tensor) -> Tensor:
        """Return the output (n_models, n_rows, n_outputs)."""
        last_input = self._hidden(rows)
        return torch.baddbmm(
            self.biases[-1], last_input, self.weights[-1], out=self.outputs[-1]
        )

    def errors(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Return the output less `targets`."""
        last_input = self._hidden(rows)
        errors = torch.sub(self.biases[-1], targets, out=self.outputs[-1])
        return errors.baddbmm_(last_input, self.weights[-1])

    def backward(
        self,
        rows: Tensor,
        gradient: Tensor,
        scale: Tensor | None = None,
        *,
        is_input_data: bool,
    ) -> Tensor | None:
        """Write every parameter's `grad`; return the input's gradient, unless that is data.

        `rows` went forward just before, and `gradient` is that of the output. `scale`, of
        shape (n_models, 1, n_outputs), multiplies it: that costs less once rows are summed.
        """
        last = len(self.weights) - 1
        for number in range(last, -1, -1):
            inputs = self.transposed_outputs[number - 1] if number else rows.transpose(1, 2)
            weight_gradient, bias_gradient = (
                gradients[number] for gradients in (self.weight_gradients, self.bias_gradients)
            )
            torch.bmm(inputs, gradient, out=weight_gradient)
            torch.sum(gradient, 1, True, out=bias_gradient)
            transposed = self.transposed[number]
            if number == last and scale is not None:
                weight_gradient.mul_(scale)
                bias_gradient.mul_(scale)
                torch.mul(self.weights[last], scale, out=self.scaled_weight)
                transposed = self.transposed_scaled
            if number == 0 and is_input_data:
                return None
            gradient = torch.bmm(gradient, transposed, out=self.input_gradients[number])
            if number > 0:
                gradient = self.pass_back(gradient, self.outputs[number - 1])
        return gradient

    def _hidden(self, rows: Tensor) -> Tensor:
        """Return what enters the last layer."""
        for number, output in enumerate(self.outputs[:-1]):
            torch.baddbmm(self.biases[number], rows, self.weights[number], out=output)
            rows = self.activate(output)
        return rows


def gradient_of(values: nn.Parameter) -> Tensor:
    """Return a parameter's `grad`, which must be there."""
    assert values.grad is not None
    return values.grad
