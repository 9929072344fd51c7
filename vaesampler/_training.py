"""The training loop: one for a whole stack, in which no model feels the others."""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vaesampler._latent import choose_rows
from vaesampler._settings import TrainingSettings
from vaesampler._smoothing import SmoothedRows
from vaesampler._vae import StackedVAE, VAEGradient
from vaesampler.exceptions import TrainingDivergedError

# How many steps pass between looks at the losses: each look waits for the device.
STEPS_BETWEEN_LOOKS = 50

# A pool of rows, smoothed once, serves so many steps, and has so many rows and cells at most.
MOST_STEPS_BY_POOL = 100
MOST_ROWS_BY_POOL = 2_048
MOST_CELLS_BY_POOL = 4_000_000
# Multiples of it, wrapped, are spread evenly: so are the stretches that the steps look at.
GOLDEN_SECTION = 0.618034
# As in PyTorch and in the paper.
ADAM_BETA_1, ADAM_BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-8

# Called with the steps done and the last loss of each model, in nats per row.
ProgressReport = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class ClassRows:
    """A class to train on: its label, its encoded rows, and its source of randomness."""

    label: Hashable
    rows: SmoothedRows
    generator: torch.Generator


@torch.no_grad()  # gradients are written by hand
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
    batches = _Batches(classes, settings.batch_size, vaes.latent_dim)
    parameters = _FlatParameters(vaes)
    decay = parameters.weights_only([settings.alpha / len(entry.rows) for entry in classes])
    gradient = VAEGradient(vaes)
    optimizer = _Adam(parameters)
    losses = batches.pool.new_empty(settings.max_iter, vaes.n_models)
    for step in range(settings.max_iter):
        rows, noise = batches.next()
        parameters.start_from_gradient(decay)
        losses[step] = gradient.accumulate(rows, noise, settings.beta)
        optimizer.step(_cosine_decay(settings.learning_rate_init, step, settings.max_iter))
        steps_done = step + 1
        if steps_done % STEPS_BETWEEN_LOOKS == 0 or steps_done == settings.max_iter:
            _check_finite(losses[:steps_done], classes, steps_done)
            if report is not None:
                report(steps_done, losses[step])
    rows, noise = batches.next()
    bound = vaes.evidence_bound(rows, noise)  # the last step may have been one too far
    final_losses = (bound.reconstruction + settings.beta * bound.kl).mean(dim=1)
    _check_finite(torch.cat([losses, final_losses[None]]), classes, settings.max_iter)
    return losses


class _Batches:
    """Rows and noise for each step, every class's drawn by its own generator.

    For many steps at once, a pool of rows is drawn from each class, in random order; each
    step looks at a stretch of it. Rows are so had in few calls, and noise for fewer rows.
    """

    def __init__(self, classes: Sequence[ClassRows], batch_size: int, latent_dim: int) -> None:
        self.classes = classes
        self.batch_size = batch_size
        width = classes[0].rows.slots.width
        noise_a_step = batch_size * latent_dim
        self.n_steps = min(MOST_STEPS_BY_POOL, max(1, MOST_CELLS_BY_POOL // noise_a_step))
        n_pooled = min(MOST_ROWS_BY_POOL, MOST_CELLS_BY_POOL // width)
        example = classes[0].rows.rows.take(torch.zeros(1, dtype=torch.long))
        n_classes = len(classes)
        self.pool = example.new_empty(n_classes, max(n_pooled, batch_size), width)
        self.noise = example.new_empty(n_classes, self.n_steps, batch_size, latent_dim)
        self.step = self.n_steps

    def next(self) -> tuple[Tensor, Tensor]:
        """Return rows (n_models, batch_size, width) and noise (..., latent_dim)."""
        if self.step == self.n_steps:
            self._refill()
        n_starts = self.pool.shape[1] - self.batch_size + 1
        start = int(self.step * GOLDEN_SECTION * n_starts) % n_starts
        rows, noise = self.pool.narrow(1, start, self.batch_size), self.noise[:, self.step]
        self.step += 1
        return rows, noise

    def _refill(self) -> None:
        self.step = 0
        for pool, noise, entry in zip(self.pool, self.noise, self.classes, strict=True):
            chosen = choose_rows(len(entry.rows), len(pool), entry.generator)
            pool.copy_(entry.rows.draw(chosen, entry.generator))
            noise.normal_(generator=entry.generator)


class _FlatParameters:
    """All parameters of a stack as one tensor, and all their gradients as another.

    An optimizer step over one tensor costs a fraction of a step over a dozen small ones.
    The stack's own parameters become views of it.
    """

    def __init__(self, vaes: StackedVAE) -> None:
        self.named = list(vaes.named_parameters())
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

    def weights_only(self, factors: Sequence[float]) -> Tensor:  # as `values`
        """Return each model's factor at its weights, and zero at all else."""
        column = self.gradient.new_tensor(factors)[:, None, None]
        parts = [
            column.expand(values.shape) * name.endswith("weight") for name, values in self.named
        ]
        return torch.cat([part.flatten() for part in parts])

    def start_from_gradient(self, decay: Tensor) -> None:
        """Set the gradient to that of the L2 penalty; backward then adds the loss's."""
        torch.mul(self.values.detach(), decay, out=self.gradient)


class _Adam:
    """Adam on one flat tensor, in six operations: PyTorch's own costs more in bookkeeping.

    References
    ----------
    Diederik P. Kingma, Jimmy Ba (2015). Adam: A Method for Stochastic Optimization.
    """

    def __init__(self, parameters: _FlatParameters) -> None:
        self.values = parameters.values.detach()
        self.gradient = parameters.gradient
        self.mean = torch.zeros_like(self.gradient)
        self.mean_square = torch.zeros_like(self.gradient)
        self.root = torch.empty_like(self.gradient)
        self.n_steps = 0

    def step(self, learning_rate: float) -> None:
        """Change the values, given their gradient."""
        self.n_steps += 1
        self.mean.lerp_(self.gradient, 1 - ADAM_BETA_1)
        self.mean_square.mul_(ADAM_BETA_2)
        self.mean_square.addcmul_(self.gradient, self.gradient, value=1 - ADAM_BETA_2)
        correction = math.sqrt(1 - ADAM_BETA_2**self.n_steps)
        torch.sqrt(self.mean_square, out=self.root).add_(ADAM_EPSILON * correction)
        size = learning_rate * correction / (1 - ADAM_BETA_1**self.n_steps)
        self.values.addcdiv_(self.mean, self.root, value=-size)


def _cosine_decay(learning_rate_init: float, step: int, max_iter: int) -> float:
    return learning_rate_init * 0.5 * (1 + math.cos(math.pi * step / max_iter))


def _check_finite(losses: Tensor, classes: Sequence[ClassRows], n_steps: int) -> None:
    failures = torch.nonzero(~torch.isfinite(losses))
    if len(failures):
        step, model = failures[0].tolist()
        raise TrainingDivergedError(classes[model].label, min(step + 1, n_steps))
