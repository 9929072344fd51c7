"""`MLPPasses`: hand-written forward and backward passes through a `StackedMLP`."""

import torch
from torch import Tensor, nn

from vaesampler._vae.layers import ACTIVATIONS, StackedMLP


class MLPPasses:
    """The forward and backward passes through a `StackedMLP`, on its bare tensors.

    At these sizes, the overhead of autograd and modules exceeds the arithmetic, and allocating
    memory is expensive too. Results are therefore written into preallocated tensors, which the
    next pass overwrites. `tests/benchmarks/bench_hot_paths.py` times training steps.

    Parameters
    ----------
    network : StackedMLP
        The network. The `grad` of its parameters must exist, and no parameter may move in
        memory.
    n_rows : int
        Number of rows in a batch.
    """

    def __init__(self, network: StackedMLP, n_rows: int) -> None:
        self.activate, self.pass_back = ACTIVATIONS[network.activation]
        self.weights = [layer.weight.detach() for layer in network.layers]
        self.biases = [layer.bias.detach() for layer in network.layers]
        self.weight_gradients = [gradient_of(layer.weight) for layer in network.layers]
        self.bias_gradients = [gradient_of(layer.bias) for layer in network.layers]
        # The output of each layer, after the activation, and the gradient of its input.
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

    def forward_errors(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Return the output minus `targets`, (n_models, n_rows, n_outputs)."""
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
        """Write the `grad` of all parameters; return the gradient of the input.

        `rows` are those of the last forward pass. The gradient of the output is `gradient`
        times `scale` (n_models, 1, n_outputs); scaling is cheaper after the sum over rows. If
        `is_input_data`, the gradient of the input is not computed.
        """
        last = len(self.weights) - 1
        for layer in range(last, -1, -1):
            inputs = self.transposed_outputs[layer - 1] if layer else rows.transpose(1, 2)
            weight_gradient = self.weight_gradients[layer]
            bias_gradient = self.bias_gradients[layer]
            torch.bmm(inputs, gradient, out=weight_gradient)
            torch.sum(gradient, 1, True, out=bias_gradient)
            transposed = self.transposed[layer]
            if layer == last and scale is not None:
                weight_gradient.mul_(scale)
                bias_gradient.mul_(scale)
                torch.mul(self.weights[last], scale, out=self.scaled_weight)
                transposed = self.transposed_scaled
            if layer == 0 and is_input_data:
                return None
            gradient = torch.bmm(gradient, transposed, out=self.input_gradients[layer])
            if layer > 0:
                gradient = self.pass_back(gradient, self.outputs[layer - 1])
        return gradient

    def _hidden(self, rows: Tensor) -> Tensor:
        """Return the input of the last layer."""
        for layer, output in enumerate(self.outputs[:-1]):
            torch.baddbmm(self.biases[layer], rows, self.weights[layer], out=output)
            rows = self.activate(output)
        return rows


def gradient_of(values: nn.Parameter) -> Tensor:
    """Return a parameter's `grad`, which must exist."""
    assert values.grad is not None
    return values.grad
