"""The training loop: one for a whole stack, in which no model feels the others."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vaesampler._devices import standard_normal
from vaesampler._heads import HeadGradient, HeadTargets
from vaesampler._latent import choose_rows
from vaesampler._optimizer import Adam, FlatParameters, cosine_decay
from vaesampler._pools import RowPool
from vaesampler._settings import TrainingSettings
from vaesampler._smoothing import SmoothedRows
from vaesampler._vae import StackedVAE, VAEGradient
from vaesampler.exceptions import TrainingDivergedError

# How many steps pass between looks at the losses: each look waits for the device.
STEPS_BETWEEN_LOOKS = 50

# A pool of rows, smoothed once, serves so many steps, and has so many rows and cells at most.
STEPS_BY_POOL = 100
MOST_ROWS_BY_POOL = 1_024
MOST_NOISE_BY_POOL = 4_096
MOST_CELLS_BY_POOL = 4_000_000

# Called with the steps done and the last loss of each model, in nats per row.
ProgressReport = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class ClassRows:
    """A class to train on: its label, its encoded rows, and its source of randomness."""

    label: Hashable
    rows: SmoothedRows
    generator: torch.Generator

    def draw(self, n_rows: int) -> Tensor:  # (n_rows, width)
        """Draw rows near real ones, all of these about equally often."""
        chosen = choose_rows(len(self.rows), n_rows, self.generator)
        return self.rows.draw(chosen, self.generator)

    def noise(self, latent_dim: int) -> Callable[[int], Tensor]:
        """Return what draws so many rows of noise."""
        return lambda n_rows: standard_normal((n_rows, latent_dim), self.generator)


# Gradients are written by hand, and what autograd would ask of each operation costs a sixth.
@torch.inference_mode()
def train(
    vaes: StackedVAE,
    classes: Sequence[ClassRows],
    settings: TrainingSettings,
    report: ProgressReport | None = None,
) -> Tensor:
    """Train model k of the stack on the rows of class k, in place.

    Returns
    -------
    losses : torch.Tensor of shape (max_iter, n_models)
        Mean negative evidence bound of the rows of each step, in nats per row.

    Raises
    ------
    TrainingDivergedError
        If a loss is not finite.
    """
    parameters = FlatParameters(vaes)
    decay = parameters.weights_only([settings.alpha / len(entry.rows) for entry in classes])
    gradient = VAEGradient(vaes, settings.batch_size, settings.beta)
    batches = _Batches(classes, settings.batch_size, vaes.latent_dim, gradient.head)
    optimizer = Adam(parameters)
    losses = decay.new_empty(settings.max_iter, vaes.n_models)
    loss_of_step = losses.unbind()
    for step in range(settings.max_iter):
        targets, noise = batches.next()
        gradient.write(targets, noise, loss_of_step[step])
        parameters.add_penalty(decay)
        optimizer.step(cosine_decay(settings.learning_rate_init, step, settings.max_iter))
        steps_done = step + 1
        if steps_done % STEPS_BETWEEN_LOOKS == 0 or steps_done == settings.max_iter:
            _check_finite(losses[:steps_done], classes, steps_done)
            if report is not None:
                report(steps_done, losses[step])
    targets, noise = batches.next()
    last_loss = torch.empty_like(loss_of_step[0])  # the last step may have been one too far
    gradient.write(targets, noise, last_loss)
    _check_finite(torch.cat([losses, last_loss[None]]), classes, settings.max_iter)
    return losses


class _Batches:
    """Rows and noise for each step, every class's drawn by its own generator."""

    def __init__(
        self,
        classes: Sequence[ClassRows],
        batch_size: int,
        latent_dim: int,
        head: HeadGradient,
    ) -> None:
        width = classes[0].rows.slots.width
        self.rows = RowPool(
            [entry.draw for entry in classes],
            max(batch_size, min(MOST_ROWS_BY_POOL, MOST_CELLS_BY_POOL // width)),
            batch_size,
            STEPS_BY_POOL,
            head.targets,
        )
        # Of another length than the pool of rows, so that a row meets other noise each time.
        self.noise = RowPool(
            [entry.noise(latent_dim) for entry in classes],
            max(batch_size, min(MOST_NOISE_BY_POOL, MOST_CELLS_BY_POOL // latent_dim)),
            batch_size,
            STEPS_BY_POOL,
            lambda noise: [noise],
        )

    def next(self) -> tuple[HeadTargets, Tensor]:
        """Return rows (n_models, batch_size, width) and noise (..., latent_dim)."""
        (noise,) = self.noise.next()
        return HeadTargets(*self.rows.next()), noise


def _check_finite(losses: Tensor, classes: Sequence[ClassRows], n_steps: int) -> None:
    failures = torch.nonzero(~torch.isfinite(losses))
    if len(failures):
        step, model = failures[0].tolist()
        raise TrainingDivergedError(classes[model].label, min(step + 1, n_steps))
