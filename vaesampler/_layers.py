"""Layers for a stack of models: every weight has a leading axis, one slice a model."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Activation(NamedTuple):
    """A function between layers, and how a gradient passes back through it."""

    function: Callable[[Tensor], Tensor]  # overwrites its argument
    backward: Callable[[Tensor, Tensor], Tensor]  # (gradient, value); overwrites the gradient


ACTIVATIONS = {
    "identity": Activation(lambda x: x, lambda gradient, _: gradient),
    "logistic": Activation(torch.sigmoid_, lambda gradient, y: gradient.mul_(y - y * y)),
    # A product of numbers with truth values takes eight times as long.
    "relu": Activation(
        torch.relu_,
        lambda gradient, y: torch.ops.aten.threshold_backward.grad_input(
            gradient, y, 0, grad_input=gradient
        ),
    ),
    "tanh": Activation(torch.tanh_, lambda gradient, y: gradient.mul_(1 - y * y)),
}


class StackedLinear(nn.Module):
    """`n_models` affine maps, each applied to rows of its own, in one batched product."""

    def __init__(self, n_models: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(
            torch.zeros(n_models, n_inputs, n_outputs, dtype=torch.float32, device="cpu")
        )
        self.bias = nn.Parameter(
            torch.zeros(n_models, 1, n_outputs, dtype=torch.float32, device="cpu")
        )

    @torch.no_grad()
    def initialize(self, generators: Sequence[torch.Generator]) -> None:
        """Draw each model's weights from its own generator, uniform as in `nn.Linear`."""
        limit = 1 / math.sqrt(self.weight.shape[1])
        for weight, bias, generator in zip(self.weight, self.bias, generators, strict=True):
            weight.uniform_(-limit, limit, generator=generator)
            bias.uniform_(-limit, limit, generator=generator)

    def forward(self, rows: Tensor) -> Tensor:
        # (n_models, n_rows, n_inputs) -> (n_models, n_rows, n_outputs)
        return torch.baddbmm(self.bias, rows, self.weight)


class StackedMLP(nn.Module):
    """Stacked linear layers with an activation between them, none after the last."""

    def __init__(self, n_models: int, widths: Sequence[int], activation: str) -> None:
        super().__init__()
        self.activation = activation
        layers = [
            StackedLinear(n_models, n_inputs, n_outputs)
            for n_inputs, n_outputs in pairwise(widths)
        ]
        self.layers: Sequence[StackedLinear] = nn.ModuleList(layers)  # type: ignore[assignment]

    def initialize(self, generators: Sequence[torch.Generator]) -> None:
        """Draw each model's weights from its own generator."""
        for layer in self.layers:
            layer.initialize(generators)

    def forward(self, rows: Tensor) -> Tensor:
        # (n_models, n_rows, widths[0]) -> (n_models, n_rows, widths[-1])
        activate = ACTIVATIONS[self.activation].function
        *hidden_layers, last_layer = self.layers
        for layer in hidden_layers:
            rows = activate(layer(rows))
        output: Tensor = last_layer(rows)
        return output


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
