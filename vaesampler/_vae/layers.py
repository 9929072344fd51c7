"""Layers of a stack of models. The first axis of every parameter is the model."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Activation(NamedTuple):
    """An activation function and its gradient, both in-place."""

    function: Callable[[Tensor], Tensor]
    # Multiplies the gradient, its first argument, by the derivative at the output, its second.
    backward: Callable[[Tensor, Tensor], Tensor]


ACTIVATIONS = {
    "identity": Activation(lambda x: x, lambda gradient, _: gradient),
    "logistic": Activation(torch.sigmoid_, lambda gradient, y: gradient.mul_(y - y * y)),
    # Multiplying by the Boolean tensor y > 0 is several times slower.
    "relu": Activation(
        torch.relu_,
        lambda gradient, y: torch.ops.aten.threshold_backward.grad_input(
            gradient, y, 0, grad_input=gradient
        ),
    ),
    "tanh": Activation(torch.tanh_, lambda gradient, y: gradient.mul_(1 - y * y)),
}


class StackedLinear(nn.Module):
    """`n_models` linear layers, each applied to its own rows, in one batched product."""

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
        """Draw each model's parameters from its own generator, as `nn.Linear` does."""
        limit = 1 / math.sqrt(self.weight.shape[1])
        for weight, bias, generator in zip(self.weight, self.bias, generators, strict=True):
            weight.uniform_(-limit, limit, generator=generator)
            bias.uniform_(-limit, limit, generator=generator)

    def forward(self, rows: Tensor) -> Tensor:
        # (n_models, n_rows, n_inputs) -> (n_models, n_rows, n_outputs)
        return torch.baddbmm(self.bias, rows, self.weight)


class StackedMLP(nn.Module):
    """Stacked linear layers with an activation after each but the last.

    Parameters
    ----------
    n_models : int
        Number of models in the stack.
    widths : sequence of int
        Numbers of inputs, of units of each hidden layer, and of outputs.
    activation : str
        A key of `ACTIVATIONS`.
    """

    def __init__(self, n_models: int, widths: Sequence[int], activation: str) -> None:
        super().__init__()
        self.activation = activation
        layers = [
            StackedLinear(n_models, n_inputs, n_outputs)
            for n_inputs, n_outputs in pairwise(widths)
        ]
        self.layers: Sequence[StackedLinear] = nn.ModuleList(layers)  # type: ignore[assignment]

    def initialize(self, generators: Sequence[torch.Generator]) -> None:
        """Draw each model's parameters from its own generator."""
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
