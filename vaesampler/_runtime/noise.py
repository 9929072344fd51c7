"""Noise and random choices, drawn on the generator's device."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

# Rows are chosen with replacement if there are more than this many times as many as needed.
MOST_ROWS_BY_SAMPLE_TO_SHUFFLE = 4
# Rows are shuffled in all rounds at once, which takes a twentieth of the time, if there are
# no more than this.
MOST_ROWS_TO_SHUFFLE_AT_ONCE = 8


def standard_normal(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Draw float32 standard normal values, whatever PyTorch's default dtype and device."""
    return torch.randn(
        *shape, generator=generator, device=generator.device, dtype=torch.float32
    )


def uniform(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Draw float32 values from [0, 1)."""
    return torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float32)


def choose_variables(
    variable_of_slot: npt.NDArray[np.intp],
    n_rows: int,
    probability: float,
    generator: torch.Generator,
) -> Tensor:  # (n_slots,) to (n_rows, n_slots), bool
    """Choose each variable of each row with this probability, with all of its slots."""
    n_variables = int(variable_of_slot.max(initial=-1)) + 1
    is_chosen = uniform((n_rows, n_variables), generator) < probability
    return is_chosen[:, torch.as_tensor(variable_of_slot, device=generator.device)]


def choose_rows(n_rows: int, n_samples: int, generator: torch.Generator) -> Tensor:
    """Return `n_samples` row indices in random order.

    The counts of any two rows differ by at most 1. If `n_rows` is far above `n_samples`, rows
    are drawn with replacement instead, which is faster and seldom repeats one.
    """
    device = generator.device
    if n_rows > MOST_ROWS_BY_SAMPLE_TO_SHUFFLE * n_samples:
        return torch.randint(n_rows, (n_samples,), generator=generator, device=device)
    n_rounds = math.ceil(n_samples / n_rows)
    if n_rows <= MOST_ROWS_TO_SHUFFLE_AT_ONCE and device.type == "cpu":
        return _shuffled(n_rows, n_rounds, generator).flatten()[:n_samples]
    rounds = [
        torch.randperm(n_rows, generator=generator, device=device) for _ in range(n_rounds)
    ]
    return torch.cat(rounds)[:n_samples]


def _shuffled(
    n_rows: int, n_rounds: int, generator: torch.Generator
) -> Tensor:  # (n_rounds, n_rows)
    """Return the row indices in random order, in each round: those of `torch.randperm`.

    Each swaps element i with a random one of the last n - i (Fisher, Yates). A random integer
    below a multiple of 2, ..., n serves for each of these ranges.
    """
    multiple = math.lcm(*range(2, n_rows + 1))
    device, shape = generator.device, (n_rounds, n_rows - 1)
    drawn = torch.randint(multiple, shape, generator=generator, device=device)
    indices = torch.arange(n_rows, device=device).repeat(n_rounds, 1)
    for first in range(n_rows - 1):
        second = drawn[:, first : first + 1] % (n_rows - first) + first
        moved = indices[:, first].clone()
        indices[:, first] = indices.gather(1, second)[:, 0]
        indices.scatter_(1, second, moved[:, None])
    return indices
