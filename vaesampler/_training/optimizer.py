"""Adam over all parameters of a stack as one flat tensor."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

# As in PyTorch and in the paper.
ADAM_BETA_1, ADAM_BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-8


class FlatParameters:
    """All parameters of a stack as one tensor, and all their gradients as another.

    An optimizer step over one tensor costs a fraction of a step over a dozen small ones.
    The stack's own parameters become views of it.
    """

    def __init__(self, stack: nn.Module) -> None:
        self.named = list(stack.named_parameters())
        flat = torch.cat([values.detach().flatten() for _, values in self.named])
        self.values = nn.Parameter(flat)  # (n_parameters of all models,)
        self.gradient = torch.zeros_like(flat)
        self.values.grad = self.gradient
        start = 0
        for _, values in self.named:
            stop = start + values.numel()
            values.data = flat[start:stop].view(values.shape)
            values.grad = self.gradient[start:stop].view(values.shape)
            start = stop

    def owners(self) -> Tensor:  # as `values`
        """Return the number of the model that each value belongs to."""
        parts = []
        for _, values in self.named:
            numbers = torch.arange(len(values), device=values.device)
            parts.append(numbers.repeat_interleave(values[0].numel()))
        return torch.cat(parts)

    def weights_only(self, factors: Sequence[float]) -> Tensor:  # as `values`
        """Return each model's factor at its weights, and zero at all else."""
        column = self.gradient.new_tensor(factors)[:, None, None]
        parts = [
            column.expand(values.shape) * name.endswith("weight") for name, values in self.named
        ]
        return torch.cat([part.flatten() for part in parts])

    def add_penalty(self, decay: Tensor) -> None:
        """Add the gradient of an L2 penalty to that of the loss."""
        self.gradient.addcmul_(self.values.detach(), decay)


class Adam:
    """Adam on one flat tensor, in seven operations: PyTorch's own costs more in bookkeeping.

    References
    ----------
    Diederik P. Kingma, Jimmy Ba (2015). Adam: A Method for Stochastic Optimization.
    """

    def __init__(self, parameters: FlatParameters) -> None:
        self.values = parameters.values.detach()
        self.gradient = parameters.gradient
        self.mean = torch.zeros_like(self.gradient)
        self.mean_square = torch.zeros_like(self.gradient)
        self.root = torch.empty_like(self.gradient)
        # A tensor spares each step the conversion of a number.
        self.epsilon = self.gradient.new_tensor(ADAM_EPSILON)
        self.n_steps = 0

    def step(self, learning_rate: float) -> None:
        """Change the values, given their gradient."""
        self.n_steps += 1
        self.mean.lerp_(self.gradient, 1 - ADAM_BETA_1)
        square = torch.mul(self.gradient, self.gradient, out=self.root)
        self.mean_square.lerp_(square, 1 - ADAM_BETA_2)
        correction = math.sqrt(1 - ADAM_BETA_2**self.n_steps)
        torch.sqrt(self.mean_square, out=self.root).add_(self.epsilon)
        size = learning_rate * correction / (1 - ADAM_BETA_1**self.n_steps)
        self.values.addcdiv_(self.mean, self.root, value=-size)


def cosine_decay(learning_rate_init: float, step: int, max_iter: int) -> float:
    """Return the learning rate of a step, which falls from the first to zero."""
    return learning_rate_init * 0.5 * (1 + math.cos(math.pi * step / max_iter))
