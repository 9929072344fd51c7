"""Layers for a stack of models: every weight has a leading axis, one slice a model."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Activation(NamedTuple):
    """A function between layers, and how a gradient passes back through it."""

    function: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]  # (gradient, the function's value)


ACTIVATIONS = {
    "identity": Activation(lambda x: x, lambda gradient, _: gradient),
    "logistic": Activation(torch.sigmoid, lambda gradient, y: gradient * (y - y * y)),
    "relu": Activation(torch.relu, lambda gradient, y: gradient * (y > 0)),
    "tanh": Activation(torch.tanh, lambda gradient, y: gradient * (1 - y * y)),
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

    def accumulate_gradient(self, rows: Tensor, gradient: Tensor) -> None:
        """Add to the parameters' `grad`, given the rows and the output's gradient."""
        assert self.weight.grad is not None
        assert self.bias.grad is not None
        self.weight.grad.baddbmm_(rows.transpose(1, 2), gradient)
        self.bias.grad += gradient.sum(dim=1, keepdim=True)


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
        return self.forward_pass(rows)[-1]

    def forward_pass(self, rows: Tensor) -> list[Tensor]:
        """Return what enters each layer, and last the output: what `backward_pass` needs."""
        activate = ACTIVATIONS[self.activation].function
        *hidden_layers, last_layer = self.layers
        values = [rows]
        for layer in hidden_layers:
            values.append(activate(layer(values[-1])))
        return [*values, last_layer(values[-1])]

    def backward_pass(self, inputs: Sequence[Tensor], gradient: Tensor) -> Tensor:
        """Add to every parameter's `grad`; return the gradient at the first layer's output.

        `inputs` is what enters each layer and `gradient` that of the output. What enters
        the first layer is data or another network's business: see `input_gradient`.
        """
        pass_back = ACTIVATIONS[self.activation].backward
        for number in range(len(self.layers) - 1, 0, -1):
            self.layers[number].accumulate_gradient(inputs[number], gradient)
            before = torch.bmm(gradient, self.layers[number].weight.transpose(1, 2))
            gradient = pass_back(before, inputs[number])
        self.layers[0].accumulate_gradient(inputs[0], gradient)
        return gradient

    def input_gradient(self, first_output_gradient: Tensor) -> Tensor:
        """Carry what `backward_pass` returned through the first layer, to its input."""
        return torch.bmm(first_output_gradient, self.layers[0].weight.transpose(1, 2))
