"""`Adam` on all parameters of a stack, as one flat tensor; cosine decay."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

# From this number of slots on, the step is inversely proportional to it: every weight of the
# first layer moves by about the step, and their sum by the step times the width.
WIDEST_FOR_WHOLE_STEP = 200
# The defaults of PyTorch and of the paper.
ADAM_BETA_1, ADAM_BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-8


class FlatParameters:
    """All parameters of a stack as one tensor, and their gradients as another.

    One optimizer step on one tensor is much faster than a step on each of a dozen small ones.
    The parameters and their `grad` become views of these tensors.
    """

    def __init__(self, stack: nn.Module) -> None:
        self.named = list(stack.named_parameters())
        flat = torch.cat([values.detach().flatten() for _, values in self.named])
        self.values = nn.Parameter(flat)  # (n_values,), those of all models
        self.gradient = torch.zeros_like(flat)
        self.values.grad = self.gradient
        start = 0
        for _, values in self.named:
            stop = start + values.numel()
            values.data = flat[start:stop].view(values.shape)
            values.grad = self.gradient[start:stop].view(values.shape)
            start = stop

    def owners(self) -> Tensor:  # (n_values,)
        """Return the index of the model that each value belongs to."""
        parts = []
        for _, values in self.named:
            model_indices = torch.arange(len(values), device=values.device)
            parts.append(model_indices.repeat_interleave(values[0].numel()))
        return torch.cat(parts)

    def weights_only(self, factors: Sequence[float]) -> Tensor:  # (n_models,) to (n_values,)
        """Return the factor of each model at its weights, and 0 at other parameters."""
        column = self.gradient.new_tensor(factors)[:, None, None]
        parts = [
            column.expand(values.shape) * name.endswith("weight") for name, values in self.named
        ]
        return torch.cat([part.flatten() for part in parts])

    def add_penalty(self, decay: Tensor) -> None:
        """Add the gradient of the L2 penalty, decay * values ** 2 / 2, to that of the loss."""
        self.gradient.addcmul_(self.values.detach(), decay)


class Adam:
    """Adam on one flat tensor; PyTorch's implementation has more overhead.

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
        # As a tensor, so that steps do not convert it.
        self.epsilon = self.gradient.new_tensor(ADAM_EPSILON)
        self.n_steps = 0

    def step(self, learning_rate: float) -> None:
        """Update the values in-place, given their gradient."""
        self.n_steps += 1
        self.mean.lerp_(self.gradient, 1 - ADAM_BETA_1)
        square = torch.mul(self.gradient, self.gradient, out=self.root)
        self.mean_square.lerp_(square, 1 - ADAM_BETA_2)
        correction = math.sqrt(1 - ADAM_BETA_2**self.n_steps)
        torch.sqrt(self.mean_square, out=self.root).add_(self.epsilon)
        size = learning_rate * correction / (1 - ADAM_BETA_1**self.n_steps)
        self.values.addcdiv_(self.mean, self.root, value=-size)


def suit_width(learning_rate_init: float, width: int) -> float:
    """Return the learning rate for encoded rows of this width.

    References
    ----------
    Greg Yang, Edward J. Hu (2021). Tensor Programs IV: Feature Learning in Infinite-Width
    Neural Networks.
    """
    return learning_rate_init * min(1.0, WIDEST_FOR_WHOLE_STEP / width)


def cosine_decay(learning_rate_init: float, step: int, max_iter: int) -> float:
    """Return the learning rate of a step: cosine decay from `learning_rate_init` to 0."""
    return learning_rate_init * 0.5 * (1 + math.cos(math.pi * step / max_iter))
