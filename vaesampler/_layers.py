"""Layers for a stack of models: every weight has a leading axis, one slice a model."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Activation(NamedTuple):
    """A function between layers, and how a gradient passes back through it."""

    function: Callable[[Tensor], Tensor]  # may overwrite its argument
    backward: Callable[[Tensor, Tensor], Tensor]  # (gradient, the function's value)


ACTIVATIONS = {
    "identity": Activation(lambda x: x, lambda gradient, _: gradient),
    "logistic": Activation(torch.sigmoid_, lambda gradient, y: gradient * (y - y * y)),
    # A product of numbers with truth values takes eight times as long.
    "relu": Activation(
        torch.relu_, lambda gradient, y: torch.ops.aten.threshold_backward(gradient, y, 0)
    ),
    "tanh": Activation(torch.tanh_, lambda gradient, y: gradient * (1 - y * y)),
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

    At these sizes the bookkeeping of autograd and of modules costs more than the arithmetic.
    The parameters' `grad` must be there, and none of them may move in memory.
    """

    def __init__(self, network: StackedMLP) -> None:
        self.activate, self.pass_back = ACTIVATIONS[network.activation]
        self.weights = [layer.weight.detach() for layer in network.layers]
        self.biases = [layer.bias.detach() for layer in network.layers]
        self.transposed = [weight.transpose(1, 2) for weight in self.weights]
        self.weight_gradients = [_gradient_of(layer.weight) for layer in network.layers]
        self.bias_gradients = [_gradient_of(layer.bias) for layer in network.layers]

    def forward(self, rows: Tensor) -> list[Tensor]:
        """Return what enters each layer, and last the output: what `backward` needs."""
        values = [rows]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values.append(self.activate(torch.baddbmm(bias, values[-1], weight)))
        values.append(torch.baddbmm(self.biases[-1], values[-1], self.weights[-1]))
        return values

    def backward(self, inputs: Sequence[Tensor], gradient: Tensor) -> Tensor:
        """Add to every parameter's `grad`; return the gradient at the first layer's output.

        `inputs` is what enters each layer and `gradient` that of the output. What enters
        the first layer is data or another network's business: see `input_gradient`.
        """
        for number in range(len(self.weights) - 1, 0, -1):
            self._accumulate(number, inputs[number], gradient)
            before = torch.bmm(gradient, self.transposed[number])
            gradient = self.pass_back(before, inputs[number])
        self._accumulate(0, inputs[0], gradient)
        return gradient

    def input_gradient(self, first_output_gradient: Tensor) -> Tensor:
        """Carry what `backward` returned through the first layer, to its input."""
        return torch.bmm(first_output_gradient, self.transposed[0])

    def _accumulate(self, number: int, rows: Tensor, gradient: Tensor) -> None:
        self.weight_gradients[number].baddbmm_(rows.transpose(1, 2), gradient)
        self.bias_gradients[number].add_(gradient.sum(1, True))


def _gradient_of(values: nn.Parameter) -> Tensor:
    assert values.grad is not None
    return values.grad
