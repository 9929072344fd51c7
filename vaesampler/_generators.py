"""Class label to trained generator: fitting on encoded rows, and drawing from it."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from vaesampler._latent import BLOCK_ROWS, LatentSampler
from vaesampler._rejection import Candidates, NeighborCritic, draw_accepted
from vaesampler._seeds import Seeds
from vaesampler._table import TableEncoder
from vaesampler._training import ClassRows, TrainingSettings, train
from vaesampler._vae import StackedVAE


@dataclass(frozen=True)
class GeneratorSettings:
    """What is trained, and how; the names are the estimator's."""

    hidden_layer_sizes: Sequence[int]
    latent_dim: int
    activation: str
    pretrain_iter: int
    training: TrainingSettings
    rejection_strength: float


@dataclass(frozen=True)
class ClassGenerator:
    """A class's trained VAE with the real rows that it draws around and is judged by."""

    label: Hashable
    vae: StackedVAE  # a stack of one
    rows: Tensor  # (n_rows, n_features), encoded
    losses: np.ndarray  # (n_iter,), nats per row
    encoder: TableEncoder
    critic: NeighborCritic | None
    rejection_strength: float

    def draw(
        self,
        n_samples: int,
        latent_sampler: LatentSampler,
        generator: torch.Generator,
        rng: np.random.Generator,
    ) -> np.ndarray:  # (n_samples, n_features)
        """Draw rows in the table's own units; the critic, if there is one, rejects some."""

        def draw_candidates(n_candidates: int) -> Candidates:
            return self._draw_candidates(n_candidates, latent_sampler, generator)

        if self.critic is None or n_samples == 0:
            return draw_candidates(n_samples).rows
        return draw_accepted(
            draw_candidates, self.critic, self.rejection_strength, n_samples, rng
        )

    @torch.no_grad()
    def _draw_candidates(
        self, n_candidates: int, latent_sampler: LatentSampler, generator: torch.Generator
    ) -> Candidates:
        matrix = np.empty((n_candidates, self.vae.n_features), dtype=np.float32)
        sources = np.full(n_candidates, -1)
        if n_candidates > 0:
            z, drawn_from = latent_sampler.draw(
                self.vae, self.rows[None], n_candidates, generator
            )
            if drawn_from is not None:
                sources = drawn_from.cpu().numpy()
            start = 0
            for block in z.split(BLOCK_ROWS, dim=1):
                stop = start + block.shape[1]
                matrix[start:stop] = self.vae.draw(block, generator)[0].cpu().numpy()
                start = stop
        rows = self.encoder.inverse_transform(matrix, self.label)
        # Decoding puts cells back where they are allowed; the critic sees them there.
        return Candidates(rows, self.encoder.transform(rows), sources)


def fit_generators(
    encoder: TableEncoder,
    encoded: np.ndarray,
    y: np.ndarray,
    labels: Sequence[Hashable],
    settings: GeneratorSettings,
    seeds: Seeds,
    device: torch.device,
    report: Callable[[str], None] | None = None,
) -> dict[Hashable, ClassGenerator]:
    """Train one VAE on all rows, then one for each class from there on, as one stack.

    Parameters
    ----------
    encoder : TableEncoder
        What `encoded` was encoded with.
    encoded : ndarray of shape (n_rows, n_features), float32
        All rows of the table.
    y : ndarray of shape (n_rows,)
        Their labels.
    labels : sequence
        The classes to train; each has at least 2 rows.
    settings : GeneratorSettings
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
        If a loss is not finite.
    """
    if not labels:
        return {}
    shared = _pretrain(encoded, settings, seeds, device, report)
    vaes = shared.select([0] * len(labels))
    classes = [
        ClassRows(
            label,
            torch.as_tensor(encoded[y == label], device=device),
            seeds.torch("training", label, device=device),
        )
        for label in labels
    ]
    losses = train(vaes, classes, settings.training, _reporter(report, classes))
    curves = losses.cpu().numpy()
    return {
        entry.label: ClassGenerator(
            entry.label,
            vaes.select([number]),
            entry.rows,
            curves[:, number].copy(),
            encoder,
            _fit_critic(encoded, y, entry.label, settings.rejection_strength, seeds),
            settings.rejection_strength,
        )
        for number, entry in enumerate(classes)
    }


def _pretrain(
    encoded: np.ndarray,
    settings: GeneratorSettings,
    seeds: Seeds,
    device: torch.device,
    report: Callable[[str], None] | None,
) -> StackedVAE:
    shared = StackedVAE(
        1,
        encoded.shape[1],
        settings.hidden_layer_sizes,
        settings.latent_dim,
        settings.activation,
    )
    shared.initialize([seeds.torch("initial weights")])
    shared.to(device)
    if settings.pretrain_iter > 0:
        rows = torch.as_tensor(encoded, device=device)
        everyone = [ClassRows(None, rows, seeds.torch("pretraining", device=device))]
        training = replace(settings.training, max_iter=settings.pretrain_iter)
        train(shared, everyone, training, _reporter(report, everyone))
    return shared


def _fit_critic(
    encoded: np.ndarray, y: np.ndarray, label: Hashable, strength: float, seeds: Seeds
) -> NeighborCritic | None:
    if strength == 0:
        return None
    is_own = y == label
    return NeighborCritic.fit(encoded[is_own], encoded[~is_own], seeds.numpy("critic", label))


def _reporter(
    report: Callable[[str], None] | None, classes: Sequence[ClassRows]
) -> Callable[[int, Tensor], None] | None:
    if report is None:
        return None

    def report_losses(steps_done: int, losses: Tensor) -> None:
        values = ", ".join(
            f"{'all classes' if entry.label is None else f'class {entry.label!r}'} {loss:.2f}"
            for entry, loss in zip(classes, losses.tolist(), strict=True)
        )
        report(f"step {steps_done}, nats per row: {values}")

    return report_losses
