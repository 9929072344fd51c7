"""Noise and random choices, drawn where the generator is."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def standard_normal(shape: Sequence[int], generator: torch.Generator) -> torch.Tensor:
    """Draw float32 noise where the generator is, whatever PyTorch's defaults are set to."""
    return torch.randn(
        *shape, generator=generator, device=generator.device, dtype=torch.float32
    )


def uniform(shape: Sequence[int], generator: torch.Generator) -> torch.Tensor:
    """Draw float32 values from [0, 1) where the generator is."""
    return torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float32)


def choose_variables(
    variables: np.ndarray, n_rows: int, chance: float, generator: torch.Generator
) -> Tensor:  # (n_slots,) to (n_rows, n_slots), bool
    """Choose each variable of each row with the same chance, all its slots together."""
    n_variables = int(variables.max(initial=-1)) + 1
    is_chosen = chance > uniform((n_rows, n_variables), generator)
    return is_chosen[:, torch.as_tensor(variables, device=generator.device)]


# All rows are shuffled to choose some, unless there are so many times more of them.
ROWS_BY_SAMPLE_TO_SHUFFLE = 4


def choose_rows(n_rows: int, n_samples: int, generator: torch.Generator) -> Tensor:
    """Choose row numbers in random order, each equally often or once more, not less.

    Of far more rows than are wanted they are chosen independently: few come twice.
    """
    device = generator.device
    if n_rows > ROWS_BY_SAMPLE_TO_SHUFFLE * n_samples:
        return torch.randint(n_rows, (n_samples,), generator=generator, device=device)
    n_rounds = math.ceil(n_samples / n_rows)
    rounds = [
        torch.randperm(n_rows, generator=generator, device=device) for _ in range(n_rounds)
    ]
    return torch.cat(rounds)[:n_samples]
