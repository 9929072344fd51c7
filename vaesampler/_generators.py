"""Class label to trained generator: fitting on encoded rows, and drawing from it."""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from vaesampler._devices import one_thread
from vaesampler._latent import BLOCK_ROWS, LatentSampler, choose_rows
from vaesampler._rejection import Candidates, NeighborCritic, draw_accepted
from vaesampler._rows import EncodedRows
from vaesampler._seeds import Seeds
from vaesampler._settings import GeneratorSettings
from vaesampler._slots import Slots
from vaesampler._smoothing import MAX_ROWS_FOR_SHAPE, SmoothedRows, choose_categories
from vaesampler._table import TableEncoder
from vaesampler._training import ClassRows, train
from vaesampler._vae import StackedVAE

# A small class's rows, smoothed, are reconstructed several times each to tell their errors.
MIN_ROWS_FOR_ERRORS = 256
# Categories are drawn each for itself, given z. Were they all drawn, combinations would come
# up that real rows never have; so most stay as they are in the row that is drawn around.
SHARE_RETAINED = 0.9
# Of very wide rows, fewer are drawn at once.
BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class ClassGenerator:
    """A class's trained VAE with the real rows that it draws around and is judged by."""

    label: Hashable
    vae: StackedVAE  # a stack of one
    rows: SmoothedRows
    losses: np.ndarray  # (n_iter,), nats per row
    encoder: TableEncoder
    critic: NeighborCritic | None
    rejection_strength: float

    @one_thread()
    def draw(
        self,
        n_samples: int,
        latent_sampler: LatentSampler,
        generator: torch.Generator,
        rng: np.random.Generator,
    ) -> np.ndarray:  # (n_samples, n_columns)
        """Draw the cells of rows; the critic, if there is one, rejects some."""
        if n_samples == 0:
            no_rows = np.empty((0, self.vae.slots.width), dtype=np.float32)
            return self.encoder.inverse_transform(no_rows, self.label, rng)
        most = max(1, min(BLOCK_ROWS, BLOCK_CELLS // self.vae.slots.width))

        def draw_block(n_candidates: int) -> Candidates:
            n_drawn = min(n_candidates, most)
            return self._draw_block(n_drawn, most, latent_sampler, generator, rng)

        return draw_accepted(draw_block, self.critic, self.rejection_strength, n_samples, rng)

    @torch.no_grad()
    def _draw_block(
        self,
        n_candidates: int,
        most: int,
        latent_sampler: LatentSampler,
        generator: torch.Generator,
        rng: np.random.Generator,
    ) -> Candidates:
        n_rows = len(self.rows)
        n_around = min(max(n_candidates, n_rows), most)
        numbers = choose_rows(n_rows, n_around, generator)
        around = self.rows.draw(numbers, generator)
        z, chosen = latent_sampler.draw(self.vae, around[None], n_candidates, generator)
        drawn = self.vae.draw(z, generator)[0]
        if chosen is not None:
            self._retain_categories(drawn, around[chosen], generator)
        matrix = drawn.cpu().numpy()
        cells = self.encoder.inverse_transform(matrix, self.label, rng)
        sources = np.full(n_candidates, -1) if chosen is None else numbers[chosen].cpu().numpy()
        # Decoding puts cells back where they are allowed; the critic sees them there.
        return Candidates(cells, self.encoder.transform(cells), sources)

    def _retain_categories(
        self, drawn: Tensor, around: Tensor, generator: torch.Generator
    ) -> None:
        """Give most categories back the level that they have in the row drawn around."""
        slots = self.vae.slots
        if slots.categories.start == slots.width:
            return
        is_retained = choose_categories(slots, len(drawn), SHARE_RETAINED, generator)
        categories = drawn[:, slots.categories]
        categories.copy_(torch.where(is_retained, around[:, slots.categories], categories))


@one_thread()
def fit_generators(
    encoder: TableEncoder,
    encoded: EncodedRows,
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
    encoded : EncodedRows
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
    shared = _pretrain(encoded, encoder.schema_.slots, settings, seeds, device, report)
    vaes = shared.select([0] * len(labels))
    classes = [
        ClassRows(
            label,
            SmoothedRows.fit(
                encoded.subset(np.flatnonzero(y == label)),
                encoder.schema_.slots,
                settings.smoothing,
                device,
            ),
            seeds.torch("training", label, device=device),
        )
        for label in labels
    ]
    losses = train(vaes, classes, settings.training, _reporter(report, classes))
    curves = losses.cpu().numpy()
    return {
        entry.label: ClassGenerator(
            entry.label,
            _calibrate(vaes.select([number]), entry),
            entry.rows,
            curves[:, number].copy(),
            encoder,
            _fit_critic(encoded, y, entry.label, settings.rejection_strength, seeds),
            settings.rejection_strength,
        )
        for number, entry in enumerate(classes)
    }


def _pretrain(
    encoded: EncodedRows,
    slots: Slots,
    settings: GeneratorSettings,
    seeds: Seeds,
    device: torch.device,
    report: Callable[[str], None] | None,
) -> StackedVAE:
    shared = StackedVAE(
        1,
        slots,
        settings.hidden_layer_sizes,
        settings.latent_dim,
        settings.activation,
    )
    shared.initialize([seeds.torch("initial weights")])
    shared.to(device)
    if settings.pretrain_iter > 0:
        rows = SmoothedRows.fit(encoded, slots, smoothing=0, device=device)
        everyone = [ClassRows(None, rows, seeds.torch("pretraining", device=device))]
        training = replace(settings.training, max_iter=settings.pretrain_iter)
        train(shared, everyone, training, _reporter(report, everyone))
    return shared


def _calibrate(vae: StackedVAE, entry: ClassRows) -> StackedVAE:
    n_rows = len(entry.rows)
    n_errors = min(max(n_rows, MIN_ROWS_FOR_ERRORS), MAX_ROWS_FOR_SHAPE)
    numbers = choose_rows(n_rows, n_errors, entry.generator)
    rows = entry.rows.draw(numbers, entry.generator)
    # The decoder's errors on rows that it was trained on are smaller than on new ones, the
    # more so the fewer they were, which is what the bandwidth tells.
    inflation = math.sqrt(1 + entry.rows.bandwidth**2)
    vae.correlate_errors(rows[None], entry.generator, inflation)
    return vae


def _fit_critic(
    encoded: EncodedRows, y: np.ndarray, label: Hashable, strength: float, seeds: Seeds
) -> NeighborCritic | None:
    if strength == 0:
        return None
    is_own = y == label
    return NeighborCritic.fit(
        encoded.subset(np.flatnonzero(is_own)),
        encoded.subset(np.flatnonzero(~is_own)),
        seeds.numpy("critic", label),
    )


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
