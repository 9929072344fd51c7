"""The training loop: one for a whole stack, in which no model feels the others."""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vaesampler._smoothing import SmoothedRows
from vaesampler._vae import StackedVAE
from vaesampler.exceptions import TrainingDivergedError

# How many steps pass between looks at the losses: each look waits for the device.
STEPS_BETWEEN_LOOKS = 50

# Called with the steps done and the last loss of each model, in nats per row.
ProgressReport = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class TrainingSettings:
    """How a stack is trained; the names are the estimator's."""

    max_iter: int
    learning_rate_init: float
    batch_size: int
    beta: float
    alpha: float


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
    optimizer = torch.optim.Adam(
        [parameters.values], lr=settings.learning_rate_init, fused=True
    )
    losses = batches.rows.new_empty(settings.max_iter, vaes.n_models)
    for step in range(settings.max_iter):
        for group in optimizer.param_groups:
            group["lr"] = _cosine_decay(settings.learning_rate_init, step, settings.max_iter)
        rows, noise = batches.next()
        parameters.start_from_gradient(decay)
        losses[step] = vaes.accumulate_gradient(rows, noise, settings.beta)
        optimizer.step()
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
    """Rows and noise for each step, every class's drawn by its own generator."""

    def __init__(self, classes: Sequence[ClassRows], batch_size: int, latent_dim: int) -> None:
        self.classes = classes
        example = classes[0].rows.rows.take(torch.zeros(1, dtype=torch.long))
        self.rows = example.new_empty(len(classes), batch_size, example.shape[1])
        self.noise = example.new_empty(len(classes), batch_size, latent_dim)

    def next(self) -> tuple[Tensor, Tensor]:
        """Return rows (n_models, batch_size, n_features) and noise (..., latent_dim).

        Both are overwritten by the next call.
        """
        size, device = (self.rows.shape[1],), self.rows.device
        for rows, noise, entry in zip(self.rows, self.noise, self.classes, strict=True):
            numbers = torch.randint(
                len(entry.rows), size, generator=entry.generator, device=device
            )
            rows.copy_(entry.rows.draw(numbers, entry.generator))
            noise.normal_(generator=entry.generator)
        return self.rows, self.noise


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


def _cosine_decay(learning_rate_init: float, step: int, max_iter: int) -> float:
    return learning_rate_init * 0.5 * (1 + math.cos(math.pi * step / max_iter))


def _check_finite(losses: Tensor, classes: Sequence[ClassRows], n_steps: int) -> None:
    failures = torch.nonzero(~torch.isfinite(losses))
    if len(failures):
        step, model = failures[0].tolist()
        raise TrainingDivergedError(classes[model].label, min(step + 1, n_steps))
