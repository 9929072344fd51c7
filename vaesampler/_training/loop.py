"""`train`: the training loop of a stack. No model depends on the others."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vaesampler._runtime.noise import choose_rows, standard_normal
from vaesampler._runtime.progress import SILENCE, Progress
from vaesampler._runtime.settings import EarlyStoppingSettings, TrainingSettings
from vaesampler._training.batches import RowPool
from vaesampler._training.curves import LossCurve
from vaesampler._training.early_stopping import EarlyStopping, HeldOutRows
from vaesampler._training.gradients import HeadGradient, VAEGradient
from vaesampler._training.optimizer import Adam, FlatParameters, cosine_decay, suit_width
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._vae.model import EvidenceBound, StackedVAE
from vaesampler.exceptions import TrainingDivergedError

# Number of steps between checks and reports of the losses, which wait for the device.
STEPS_BETWEEN_REPORTS = 50
# Number of steps that a pool of rows or noise serves, and bounds of its size.
STEPS_BY_POOL = 100
MOST_ROWS_BY_POOL = 1_024
MOST_NOISE_BY_POOL = 4_096
MOST_CELLS_BY_POOL = 4_000_000


@dataclass(frozen=True)
class ClassRows:
    """The rows that a model is trained on, with their label and source of randomness."""

    label: Hashable
    rows: SmoothedRows
    generator: torch.Generator
    held_out: HeldOutRows | None = None

    def draw(self, n_rows: int) -> Tensor:  # (n_rows, width)
        """Draw smoothed rows, using all real rows about equally often."""
        chosen = choose_rows(len(self.rows), n_rows, self.generator)
        return self.rows.draw(chosen, self.generator)

    def noise_source(self, latent_dim: int) -> Callable[[int], Tensor]:
        """Return a function that draws standard normal noise (n_rows, latent_dim)."""
        return lambda n_rows: standard_normal((n_rows, latent_dim), self.generator)


@dataclass(frozen=True)
class TrainingHistory:
    """The loss of a class during training."""

    curve: LossCurve  # of the batch of each step
    validation_curve: LossCurve | None  # of the held-out rows, if there are any


@torch.inference_mode()  # gradients are hand-written, and autograd's bookkeeping is slow
def train(
    vaes: StackedVAE,
    classes: Sequence[ClassRows],
    settings: TrainingSettings,
    early_stopping: EarlyStoppingSettings | None = None,
    progress: Progress = SILENCE,
) -> list[TrainingHistory]:
    """Train model k of the stack on the rows of class k, in-place.

    With `early_stopping`, the models of classes with held-out rows end with the parameters of
    the lowest loss on these rows.

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
    learning_rate_init = suit_width(settings.learning_rate_init, vaes.layout.width)
    for step in range(settings.max_iter):
        targets, noise = batches.next()
        gradient.write(targets, noise, losses.of_step(step))
        parameters.add_penalty(decay)
        optimizer.step(cosine_decay(learning_rate_init, step, settings.max_iter))
        steps_done = step + 1
        if steps_done % STEPS_BETWEEN_REPORTS == 0 or steps_done == settings.max_iter:
            losses.check_and_report(steps_done, stopping, progress)
        if stopping is not None and stopping.is_due(steps_done) and stopping.look(steps_done):
            break
    targets, noise = batches.next()
    gradient.write(targets, noise, losses.of_step(-1))  # the last update may have diverged
    losses.check(steps_done, stopping)
    if stopping is not None:
        stopping.restore()
    return [_history(losses, model, steps_done, stopping) for model in range(len(classes))]


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


def _history(
    losses: "_Losses", model: int, steps_done: int, stopping: EarlyStopping | None
) -> TrainingHistory:
    if stopping is None:
        return TrainingHistory(losses.curve(model, steps_done), None)
    n_steps = stopping.steps_taken(model, steps_done)
    return TrainingHistory(losses.curve(model, n_steps), stopping.curve(model, steps_done))


class _Batches:
    """Rows and noise for each step. Each class's are drawn by its own generator."""

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
        # The pools differ in length, so that a row is combined with different noise each time.
        self.noise = RowPool(
            [entry.noise_source(latent_dim) for entry in classes],
            max(batch_size, min(MOST_NOISE_BY_POOL, MOST_CELLS_BY_POOL // latent_dim)),
            batch_size,
            STEPS_BY_POOL,
            lambda noise: [noise],
        )

    def next(self) -> tuple[list[Tensor], Tensor]:
        """Return `HeadGradient.targets` and noise (n_models, batch_size, latent_dim)."""
        (noise,) = self.noise.next()
        return self.rows.next(), noise


class _Losses:
    """The loss of every model at every step, and after the last one."""

    def __init__(self, classes: Sequence[ClassRows], max_iter: int, example: Tensor) -> None:
        self.labels = [entry.label for entry in classes]
        # Reconstruction and KL: (max_iter + 1, 2, n_models).
        self.values = example.new_zeros(max_iter + 1, 2, len(classes))
        self.n_reported = 0  # number of steps

    def of_step(self, step: int) -> EvidenceBound:
        """Return where the terms of a step are written."""
        return EvidenceBound(*self.values[step])

    def check(self, n_steps: int, stopping: EarlyStopping | None) -> None:
        """Raise an error if the loss of a model that has not stopped is not finite."""
        has_diverged = ~torch.isfinite(self.values.sum(dim=1))
        if stopping is not None:
            has_diverged &= ~stopping.is_over()
        failures = torch.nonzero(has_diverged)
        if len(failures):
            step, model = failures[0].tolist()
            raise TrainingDivergedError(self.labels[model], min(step + 1, n_steps))

    def check_and_report(
        self, n_steps: int, stopping: EarlyStopping | None, progress: Progress
    ) -> None:
        """Check the losses, and report those of the last step."""
        self.check(n_steps, stopping)
        last = self.values[n_steps - 1].sum(dim=0).tolist()
        progress.advance(n_steps - self.n_reported, dict(zip(self.labels, last, strict=True)))
        self.n_reported = n_steps

    def curve(self, model: int, n_steps: int) -> LossCurve:
        """Return the loss of a model in its first `n_steps` steps."""
        reconstruction, kl = self.values[:n_steps, :, model].T.cpu().numpy().copy()
        return LossCurve(np.arange(1, n_steps + 1), reconstruction, kl)
