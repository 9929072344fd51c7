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
        shapes = [(len(weight), n_rows) for weight in self.weights]
        self.outputs = [
            weight.new_empty(*shape, weight.shape[2])
            for shape, weight in zip(shapes, self.weights, strict=True)
        ]
        self.input_gradients = [
            weight.new_empty(*shape, weight.shape[1])
            for shape, weight in zip(shapes, self.weights, strict=True)
        ]

    def forward(self, rows: Tensor) -> list[Tensor]:
        """Return what enters each layer, and last the output: what `backward` needs."""
        values = self._hidden(rows)
        self._affine(-1, values[-1])
        return [*values, self.outputs[-1]]

    def errors(self, rows: Tensor, targets: Tensor) -> list[Tensor]:
        """Return what `forward` does, with `targets` taken from the output."""
        values = self._hidden(rows)
        torch.sub(self.biases[-1], targets, out=self.outputs[-1])
        return [*values, self.outputs[-1].baddbmm_(values[-1], self.weights[-1])]

    def backward(
        self,
        inputs: Sequence[Tensor],
        gradient: Tensor,
        scale: Tensor | None = None,
        *,
        is_input_data: bool,
    ) -> Tensor | None:
        """Write every parameter's `grad`; return the input's gradient, unless that is data.

        `inputs` is what enters each layer, and `gradient` that of the output. `scale`, of
        shape (n_models, 1, n_outputs), multiplies it: that costs less once rows are summed.
        """
        for number in reversed(range(len(self.weights))):
            weight = self.weights[number]
            weight_gradient, bias_gradient = (
                gradients[number] for gradients in (self.weight_gradients, self.bias_gradients)
            )
            torch.bmm(inputs[number].transpose(1, 2), gradient, out=weight_gradient)
            torch.sum(gradient, 1, True, out=bias_gradient)
            if scale is not None:
                weight_gradient.mul_(scale)
                bias_gradient.mul_(scale)
                weight, scale = weight * scale, None
            if number == 0 and is_input_data:
                return None
            input_gradient = self.input_gradients[number]
            gradient = torch.bmm(gradient, weight.transpose(1, 2), out=input_gradient)
            if number > 0:
                gradient = self.pass_back(gradient, inputs[number])
        return gradient

    def _hidden(self, rows: Tensor) -> list[Tensor]:
        values = [rows]
        for number in range(len(self.weights) - 1):
            values.append(self.activate(self._affine(number, values[-1])))
        return values

    def _affine(self, number: int, rows: Tensor) -> Tensor:
        return torch.baddbmm(
            self.biases[number], rows, self.weights[number], out=self.outputs[number]
        )


def gradient_of(values: nn.Parameter) -> Tensor:
    """Return a parameter's `grad`, which must be there."""
    assert values.grad is not None
    return values.grad
