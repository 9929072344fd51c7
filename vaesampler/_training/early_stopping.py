"""`EarlyStopping`: stop when the loss of held-out rows stops falling; restore the best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vaesampler._runtime.noise import standard_normal
from vaesampler._runtime.settings import EarlyStoppingSettings
from vaesampler._training.curves import LossCurve
from vaesampler._training.optimizer import FlatParameters
from vaesampler._vae.model import StackedVAE

# Number of steps between evaluations of the loss of held-out rows.
STEPS_BETWEEN_LOOKS = 10
# Bounds of the number of rows of an evaluation. Fewer rows are repeated, each time with other
# noise.
MIN_ROWS_BY_LOOK = 256
MAX_ROWS_BY_LOOK = 1_000


@dataclass(frozen=True)
class HeldOutRows:
    """Rows of a class that are not trained on, and the generator of their noise."""

    rows: Tensor  # (n_rows, width)
    generator: torch.Generator


class EarlyStopping:
    """Early stopping of each model of a stack, by the loss of its own held-out rows.

    All models are trained until the last one stops. Then the parameters of each are restored to
    those with the lowest loss before it stopped, so that no model depends on when the others
    stop.

    Parameters
    ----------
    vaes : StackedVAE
        The stack.
    parameters : FlatParameters
        The stack's parameters.
    held_out : sequence of HeldOutRows or None
        The held-out rows of each model; None for a model that does not stop early.
    settings : EarlyStoppingSettings
        The stopping criterion.
    beta : float
        Weight of the Kullback-Leibler term.

    References
    ----------
    Lutz Prechelt (1998). Early Stopping - But When?
    """

    def __init__(
        self,
        vaes: StackedVAE,
        parameters: FlatParameters,
        held_out: Sequence[HeldOutRows | None],
        settings: EarlyStoppingSettings,
        beta: float,
    ) -> None:
        self.vaes = vaes
        self.values = parameters.values.detach()
        self.owners = parameters.owners()
        self.settings = settings
        self.beta = beta
        device = self.values.device
        self.is_watched = torch.tensor([entry is not None for entry in held_out], device=device)
        self.rows, self.noise = _stack(held_out, vaes)
        self.best_values = self.values.clone()
        self.best_loss = torch.full(
            (vaes.n_models,), torch.inf, dtype=torch.float32, device=device
        )
        self.n_without_change = torch.zeros(vaes.n_models, dtype=torch.int64, device=device)
        self.last_step = torch.full((vaes.n_models,), -1, device=device)  # -1 before it stops
        self.looks: list[Tensor] = []  # (2, n_models) each: reconstruction and KL

    def is_due(self, steps_done: int) -> bool:
        """Return whether to call `look` after this step."""
        return steps_done % STEPS_BETWEEN_LOOKS == 0

    def look(self, steps_done: int) -> bool:
        """Evaluate the loss of the held-out rows; return whether all models have stopped."""
        bound = self.vaes.evidence_bound(self.rows, self.noise)
        parts = torch.stack([part.mean(dim=1) for part in bound])  # (2, n_models)
        self.looks.append(parts)
        loss = parts[0] + self.beta * parts[1]
        is_running = self.is_watched & (self.last_step < 0)
        is_better = is_running & (loss < self.best_loss)
        has_changed = loss < self.best_loss - self.settings.tol
        self.best_values = torch.where(is_better[self.owners], self.values, self.best_values)
        self.best_loss = torch.where(is_better, loss, self.best_loss)
        self.n_without_change = torch.where(has_changed, 0, self.n_without_change + 1)
        has_settled = self.n_without_change >= self.settings.n_iter_no_change
        self.last_step[is_running & has_settled] = steps_done
        return bool((self.last_step >= 0).all())

    def is_over(self) -> Tensor:  # (n_models,)
        """Return which models have stopped, and have parameters to restore."""
        return (self.last_step >= 0) & torch.isfinite(self.best_loss)

    def restore(self) -> None:
        """Restore the parameters of each model with held-out rows to those of lowest loss."""
        has_best = self.is_watched & torch.isfinite(self.best_loss)
        self.values.copy_(torch.where(has_best[self.owners], self.best_values, self.values))

    def steps_taken(self, model: int, steps_done: int) -> int:
        """Return the step at which a model stopped; `steps_done` if it did not."""
        last_step = int(self.last_step[model])
        return steps_done if last_step < 0 else last_step

    def curve(self, model: int, steps_done: int) -> LossCurve | None:
        """Return the loss of a model's held-out rows until it stopped; None without any."""
        n_looks = self.steps_taken(model, steps_done) // STEPS_BETWEEN_LOOKS
        if n_looks == 0 or not self.is_watched[model]:
            return None
        reconstruction, kl = torch.stack(self.looks[:n_looks])[:, :, model].T.cpu().numpy()
        steps = STEPS_BETWEEN_LOOKS * np.arange(1, n_looks + 1)
        return LossCurve(steps, reconstruction, kl)


def _stack(
    held_out: Sequence[HeldOutRows | None], vaes: StackedVAE
) -> tuple[Tensor, Tensor]:  # (n_models, n_rows, width), (n_models, n_rows, latent_dim)
    """Return the same number of held-out rows for each model, repeating them, and noise."""
    most = max(len(entry.rows) for entry in held_out if entry is not None)
    n_rows = min(max(most, MIN_ROWS_BY_LOOK), MAX_ROWS_BY_LOOK)
    weight = next(vaes.parameters())
    rows = weight.new_zeros(vaes.n_models, n_rows, vaes.layout.width)
    noise = weight.new_zeros(vaes.n_models, n_rows, vaes.latent_dim)
    for index, entry in enumerate(held_out):
        if entry is not None:
            rows[index] = entry.rows[torch.arange(n_rows, device=rows.device) % len(entry.rows)]
            noise[index] = standard_normal((n_rows, vaes.latent_dim), entry.generator)
    return rows, noise
