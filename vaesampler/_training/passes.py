"""`MLPPasses`: the passes through a `StackedMLP`, written by hand for speed."""

import torch
from torch import Tensor, nn

from vaesampler._vae.layers import ACTIVATIONS, StackedMLP


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
