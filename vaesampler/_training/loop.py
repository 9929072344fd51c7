"""The training loop: one for a whole stack, in which no model feels the others."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vaesampler._runtime.noise import choose_rows, standard_normal
from vaesampler._runtime.progress import ManyProgresses, Progress
from vaesampler._runtime.settings import EarlyStoppingSettings, TrainingSettings
from vaesampler._training.batches import RowPool
from vaesampler._training.curves import LossCurve
from vaesampler._training.early_stopping import EarlyStopping, HeldOutRows
from vaesampler._training.gradients import HeadGradient, VAEGradient
from vaesampler._training.optimizer import Adam, FlatParameters, cosine_decay
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._vae.model import EvidenceBound, StackedVAE
from vaesampler.exceptions import TrainingDivergedError

# How many steps pass between looks at the losses: each look waits for the device.
STEPS_BETWEEN_REPORTS = 50
# A pool of rows, smoothed once, serves so many steps, and has so many rows and cells at most.
STEPS_BY_POOL = 100
MOST_ROWS_BY_POOL = 1_024
MOST_NOISE_BY_POOL = 4_096
MOST_CELLS_BY_POOL = 4_000_000
SILENCE = ManyProgresses([])


@dataclass(frozen=True)
class ClassRows:
    """A class to train on: its label, its encoded rows, and its source of randomness."""

    label: Hashable
    rows: SmoothedRows
    generator: torch.Generator
    held_out: HeldOutRows | None = None

    def draw(self, n_rows: int) -> Tensor:  # (n_rows, width)
        """Draw rows near real ones, all of these about equally often."""
        chosen = choose_rows(len(self.rows), n_rows, self.generator)
        return self.rows.draw(chosen, self.generator)

    def noise(self, latent_dim: int) -> Callable[[int], Tensor]:
        """Return what draws so many rows of noise."""
        return lambda n_rows: standard_normal((n_rows, latent_dim), self.generator)


@dataclass(frozen=True)
class TrainingHistory:
    """How the loss of a class went."""

    curve: LossCurve  # of the rows of each step
    validation_curve: LossCurve | None  # of rows held out, if there were any


# Gradients are written by hand, and what autograd would ask of each operation costs a sixth.
@torch.inference_mode()
def train(
    vaes: StackedVAE,
    classes: Sequence[ClassRows],
    settings: TrainingSettings,
    early_stopping: EarlyStoppingSettings | None = None,
    progress: Progress = SILENCE,
) -> list[TrainingHistory]:
    """Train model k of the stack on the rows of class k, in place.

    With `early_stopping`, a class that holds out rows ends at the weights that suit these best.

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
    stopping = _early_stopping(vaes, parameters, classes, settings, early_stopping)
    losses = _Losses(classes, settings.max_iter, decay)
    for step in range(settings.max_iter):
        targets, noise = batches.next()
        gradient.write(targets, noise, losses.of_step[step])
        parameters.add_penalty(decay)
        optimizer.step(cosine_decay(settings.learning_rate_init, step, settings.max_iter))
        steps_done = step + 1
        if steps_done % STEPS_BETWEEN_REPORTS == 0 or steps_done == settings.max_iter:
            losses.check_and_tell(steps_done, stopping, progress)
        if stopping is not None and stopping.is_due(steps_done) and stopping.look(steps_done):
            break
    targets, noise = batches.next()
    gradient.write(targets, noise, losses.of_step[-1])  # the last step may be one too far
    losses.check(steps_done, stopping)
    if stopping is None:
        return [
            TrainingHistory(losses.curve(number, steps_done), None)
            for number in range(len(classes))
        ]
    stopping.restore()
    return [
        TrainingHistory(
            losses.curve(number, stopping.steps_taken(number, steps_done)),
            stopping.curve(number, steps_done),
        )
        for number in range(len(classes))
    ]


def _early_stopping(
    vaes: StackedVAE,
    parameters: FlatParameters,
    classes: Sequence[ClassRows],
    settings: TrainingSettings,
    early_stopping: EarlyStoppingSettings | None,
) -> EarlyStopping | None:
    held_out = [entry.held_out for entry in classes]
    if early_stopping is None or all(entry is None for entry in held_out):
        return None
    return EarlyStopping(vaes, parameters, held_out, early_stopping, settings.beta)


class _Batches:
    """Rows and noise for each step, every class's drawn by its own generator."""

    def __init__(
        self,
        classes: Sequence[ClassRows],
        batch_size: int,
        latent_dim: int,
        head: HeadGradient,
    ) -> None:
        width = classes[0].rows.layout.width
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

    def next(self) -> tuple[list[Tensor], Tensor]:
        """Return the head's targets, and noise (n_models, batch_size, latent_dim)."""
        (noise,) = self.noise.next()
        return self.rows.next(), noise


class _Losses:
    """The loss of every model at every step, and one more after the last."""

    def __init__(self, classes: Sequence[ClassRows], max_iter: int, example: Tensor) -> None:
        self.labels = [entry.label for entry in classes]
        self.values = example.new_zeros(max_iter + 1, 2, len(classes))
        self.of_step = [EvidenceBound(*parts) for parts in self.values.unbind()]
        self.n_told = 0

    def check(self, n_steps: int, stopping: EarlyStopping | None) -> None:
        """Raise an error if a loss is not finite, of a model that has not stopped."""
        is_wrong = ~torch.isfinite(self.values.sum(dim=1))
        if stopping is not None:
            is_wrong &= ~stopping.is_over()
        failures = torch.nonzero(is_wrong)
        if len(failures):
            step, model = failures[0].tolist()
            raise TrainingDivergedError(self.labels[model], min(step + 1, n_steps))

    def check_and_tell(
        self, n_steps: int, stopping: EarlyStopping | None, progress: Progress
    ) -> None:
        """Check, and tell what the last step showed."""
        self.check(n_steps, stopping)
        last = self.values[n_steps - 1].sum(dim=0).tolist()
        progress.advance(n_steps - self.n_told, dict(zip(self.labels, last, strict=True)))
        self.n_told = n_steps

    def curve(self, model: int, n_steps: int) -> LossCurve:
        """Return the loss of a model in its first steps."""
        reconstruction, kl = self.values[:n_steps, :, model].T.cpu().numpy().copy()
        return LossCurve(np.arange(1, n_steps + 1), reconstruction, kl)
