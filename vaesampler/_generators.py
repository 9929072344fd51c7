"""Class label to trained generator: fitting on encoded rows, and drawing from it."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vaesampler._latent import BLOCK_ROWS, LatentSampler
from vaesampler._seeds import Seeds
from vaesampler._training import ClassRows, TrainingSettings, train
from vaesampler._vae import StackedVAE


@dataclass(frozen=True)
class NetworkShape:
    """The shape of every class's VAE; the names are the estimator's."""

    hidden_layer_sizes: Sequence[int]
    latent_dim: int
    activation: str


@dataclass(frozen=True)
class ClassGenerator:
    """A class's trained VAE together with the real rows that it draws around."""

    label: Hashable
    vae: StackedVAE  # a stack of one
    rows: Tensor  # (n_rows, n_features), encoded
    losses: np.ndarray  # (n_iter,), nats per row

    @torch.no_grad()
    def draw(
        self, n_samples: int, latent_sampler: LatentSampler, generator: torch.Generator
    ) -> np.ndarray:  # (n_samples, n_features)
        """Draw encoded rows, a block at a time."""
        drawn = np.empty((n_samples, self.vae.n_features), dtype=np.float32)
        if n_samples == 0:
            return drawn
        z = latent_sampler.draw(self.vae, self.rows[None], n_samples, generator)
        start = 0
        for block in z.split(BLOCK_ROWS, dim=1):
            stop = start + block.shape[1]
            drawn[start:stop] = self.vae.draw(block, generator)[0].cpu().numpy()
            start = stop
        return drawn


def fit_generators(
    rows_by_class: Mapping[Hashable, np.ndarray],
    shape: NetworkShape,
    settings: TrainingSettings,
    seeds: Seeds,
    device: torch.device,
    report: Callable[[str], None] | None = None,
) -> dict[Hashable, ClassGenerator]:
    """Train one VAE for each class, all of them as one stack.

    Parameters
    ----------
    rows_by_class : dict of label to ndarray of shape (n_rows, n_features)
        Encoded rows, float32; at least 2 a class.
    shape, settings : NetworkShape, TrainingSettings
        What is trained, and how.
    seeds : Seeds
        A class's randomness comes from its own streams.
    device : torch.device
        Where to train.
    report : callable, default=None
        Called with a line on the progress now and then.

    Raises
    ------
    TrainingDivergedError
        If a class's loss is not finite.
    """
    if not rows_by_class:
        return {}
    classes = [
        ClassRows(
            label,
            torch.as_tensor(rows, device=device),
            seeds.torch("training", label, device=device),
        )
        for label, rows in rows_by_class.items()
    ]
    n_features = classes[0].rows.shape[1]
    vaes = StackedVAE(
        len(classes), n_features, shape.hidden_layer_sizes, shape.latent_dim, shape.activation
    )
    vaes.initialize([seeds.torch("initial weights", entry.label) for entry in classes])
    vaes.to(device)

    def report_steps(steps_done: int, losses: Tensor) -> None:
        if report is not None:
            values = ", ".join(
                f"{entry.label!r}: {loss:.2f}"
                for entry, loss in zip(classes, losses.tolist(), strict=True)
            )
            report(f"step {steps_done}/{settings.max_iter}, nats per row by class: {values}")

    losses = train(vaes, classes, settings, report_steps).cpu().numpy()
    return {
        entry.label: ClassGenerator(
            entry.label, vaes.select(k), entry.rows, losses[:, k].copy()
        )
        for k, entry in enumerate(classes)
    }
