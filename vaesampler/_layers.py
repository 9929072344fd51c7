"""Layers for a stack of models: every weight has a leading axis, one slice a model."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda values: values,
    "logistic": torch.sigmoid,
    "relu": torch.relu,
    "silu": nn.functional.silu,
    "tanh": torch.tanh,
}


class StackedLinear(nn.Module):
    """`n_models` affine maps, each applied to rows of its own, in one batched product."""

    def __init__(self, n_models: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_models, n_inputs, n_outputs))
        self.bias = nn.Parameter(torch.zeros(n_models, 1, n_outputs))

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
        self.layers = nn.ModuleList(
            StackedLinear(n_models, n_inputs, n_outputs)
            for n_inputs, n_outputs in pairwise(widths)
        )

    def initialize(self, generators: Sequence[torch.Generator]) -> None:
        """Draw each model's weights from its own generator."""
        for layer in self.layers:
            assert isinstance(layer, StackedLinear)
            layer.initialize(generators)

    def forward(self, rows: Tensor) -> Tensor:
        # (n_models, n_rows, widths[0]) -> (n_models, n_rows, widths[-1])
        activate = ACTIVATIONS[self.activation]
        *hidden_layers, last_layer = self.layers
        for layer in hidden_layers:
            rows = activate(layer(rows))
        output: Tensor = last_layer(rows)
        return output
