"""Class label to trained generator: fitting on encoded rows, and drawing from it."""

import math
from collections.abc import Generator, Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaesampler._devices import in_order, one_thread, standard_normal
from vaesampler._early_stopping import MAX_ROWS_BY_LOOK, HeldOutRows
from vaesampler._heads import LOWEST_LOG_VAR, TableHead
from vaesampler._latent import BLOCK_ROWS, LatentSampler, Posterior, choose_rows
from vaesampler._marginals import MarginalMatch
from vaesampler._neighbor_critic import NeighborCritic
from vaesampler._network_critic import NetworkCritic
from vaesampler._progress import Progress
from vaesampler._rejection import Candidates, Critic, Strictness, keep
from vaesampler._residuals import Neighborhood, ResidualModel, Residuals
from vaesampler._rows import EncodedRows, SelectedRows
from vaesampler._schema import FeatureSchema
from vaesampler._seeds import Seeds
from vaesampler._settings import GeneratorSettings
from vaesampler._slots import Slots
from vaesampler._smoothing import MAX_ROWS_FOR_SHAPE, SmoothedRows, choose_variables
from vaesampler._table import TableEncoder
from vaesampler._training import SILENCE, ClassRows, TrainingHistory, train
from vaesampler._units import ClassUnits, RowsInClassUnits
from vaesampler._vae import StackedVAE

# Residuals are learned from at least this many smoothed rows, several of each row of a small
# class.
MIN_ROWS_FOR_RESIDUALS = 256
# The leave-one-out likelihood of the share kept is computed for at most this many real rows.
MAX_ROWS_LEFT_OUT = 250
# Columns with a smaller variance, in variances of the class, are constant but for rounding.
LEAST_VARIANCE = 1e-6
# Categories, and which cells are missing, are drawn each for itself, given z. Were they all
# drawn, combinations would come up that real rows never have; so most stay as they are in the
# row that is drawn around.
SHARE_RETAINED = 0.9
# Rows are drawn in blocks: more at once would only leave the processor's caches, fewer make
# threads wait for each other.
MOST_ROWS_BY_BLOCK = 16_384
MOST_CELLS_BY_BLOCK = 4_000_000
# A block has so many candidates for each wanted row, lest the last one be drawn in vain, and
# so many at least: near copies are thinned out among them.
CANDIDATES_BY_ROW = 0.4
MIN_CANDIDATES = 256
# The network judges classes of so many rows in tables of so many, neighbours all others.
MIN_OWN_ROWS_FOR_NETWORK = 100
MIN_ROWS_FOR_NETWORK = 10_000


@dataclass(frozen=True)
class FitQuality:
    """How well a trained VAE describes its class's rows."""

    kl_by_dimension: np.ndarray  # (latent_dim,), nats per row
    loss: float  # nats per row
    loss_of_columns_alone: float  # the best that can be had without latent dimensions


@dataclass(frozen=True)
class ClassGenerator:
    """A class's trained VAE with the real rows that it draws around and is judged by."""

    label: Hashable
    vae: StackedVAE  # a stack of one
    units: ClassUnits  # that the VAE sees rows in
    rows: SmoothedRows  # in these units
    residuals: ResidualModel
    marginals: MarginalMatch
    fit: FitQuality
    history: TrainingHistory
    encoder: TableEncoder
    critic: Critic | None
    rejection_strength: float
    own_rows: EncodedRows  # without those held out
    held_out_rows: EncodedRows | None

    def cells(self, rows: EncodedRows, rng: np.random.Generator) -> np.ndarray:
        """Decode rows of the class, (n_rows, n_columns)."""
        matrix = rows.take(np.arange(len(rows)))
        return self.encoder.inverse_transform(matrix, self.label, rng)

    @torch.no_grad()
    def codes(self, rows: EncodedRows) -> np.ndarray:  # (n_rows, latent_dim)
        """Return the means of the rows' posteriors."""
        device = next(self.vae.parameters()).device
        blocks = np.array_split(np.arange(len(rows)), len(rows) // BLOCK_ROWS + 1)
        standardized = (self.units.standardize(rows.take(block)) for block in blocks)
        means = [
            self.vae.encode(torch.as_tensor(block, device=device)[None]).mean[0]
            for block in standardized
        ]
        codes: np.ndarray = torch.cat(means).cpu().numpy()
        return codes

    def draw(
        self,
        n_samples: int,
        latent_sampler: LatentSampler,
        seeds: Seeds,
        device: torch.device,
        *purpose: object,
    ) -> Generator[np.ndarray]:  # (n, n_columns)
        """Yield the cells of rows, some at a time; the critic, if there is one, rejects some.

        Each block has random streams of its own, from `seeds` by `purpose`: rows are the same
        however many threads draw them.
        """
        n_candidates = self._block_size(n_samples)

        def draw_block(number: int) -> np.ndarray:
            key = (*purpose, self.label, number)
            generator, rng = seeds.torch(*key, device=device), seeds.numpy(*key)
            return self._draw_block(n_candidates, latent_sampler, generator, rng)

        n_missing = n_samples
        n_threads = self._n_threads(n_samples // n_candidates, device)
        with closing(in_order(draw_block, n_threads)) as blocks:
            while n_missing > 0:
                cells = next(blocks)[:n_missing]
                n_missing -= len(cells)
                yield cells

    def _block_size(self, n_samples: int) -> int:
        most = max(1, min(MOST_ROWS_BY_BLOCK, MOST_CELLS_BY_BLOCK // self.vae.slots.width))
        if self.critic is None:
            return min(most, max(1, n_samples))
        wanted = math.ceil(CANDIDATES_BY_ROW * n_samples)
        return min(most, max(MIN_CANDIDATES, wanted))

    def _n_threads(self, n_blocks: int, device: torch.device) -> int:
        if device.type != "cpu" or not (self.critic is None or self.critic.suits_threads):
            return 1
        return max(1, min(torch.get_num_threads(), n_blocks))

    @torch.no_grad()
    def _draw_block(
        self,
        n_candidates: int,
        latent_sampler: LatentSampler,
        generator: torch.Generator,
        rng: np.random.Generator,
    ) -> np.ndarray:  # (n_kept, n_columns)
        n_rows = len(self.rows)
        n_around = min(n_rows, MOST_ROWS_BY_BLOCK)
        if not latent_sampler.wants_different_rows:
            n_around = max(n_around, n_candidates)
        numbers = choose_rows(n_rows, n_around, generator)
        around = self.rows.draw(numbers, generator)
        z, chosen = latent_sampler.draw(self.vae, around[None], n_candidates, generator)
        drawn_around = None if chosen is None else around.index_select(0, chosen)
        residuals = self._draw_residuals(n_candidates, drawn_around, generator)
        drawn = self.vae.draw(z, generator, residuals)[0]
        if drawn_around is not None:
            self._retain_discrete(drawn, drawn_around, generator)
        matrix = self.marginals.apply(self.units.restore(drawn.cpu().numpy()))
        cells = self.encoder.inverse_transform(matrix, self.label, rng)
        if self.critic is None:
            return cells
        sources = np.full(len(cells), -1) if chosen is None else numbers[chosen].cpu().numpy()
        # Rows are judged as they will be, with the values and levels that they were given.
        verdict = self.critic.judge(Candidates(self.encoder.transform(cells), sources))
        strictness = Strictness.of(self.rejection_strength, n_rows, self.vae.slots.n_columns)
        kept: np.ndarray = cells.take(keep(verdict, strictness, rng), axis=0)
        return kept

    def _draw_residuals(
        self, n_rows: int, around: Tensor | None, generator: torch.Generator
    ) -> Tensor:  # (n_rows, width) to (n_rows, n_normal)
        own = None
        if around is not None and self.residuals.depends_on_row:
            own = own_residuals(self.vae, around[None])
        return self.residuals.draw(n_rows, generator, own)

    def _retain_discrete(
        self, drawn: Tensor, around: Tensor, generator: torch.Generator
    ) -> None:
        """Give most flags and categories back what they are in the row drawn around."""
        slots = self.vae.slots
        if slots.discrete.start == slots.width:
            return
        variables = slots.variable_of_discrete_slot
        is_retained = choose_variables(variables, len(drawn), SHARE_RETAINED, generator)
        discrete = drawn[:, slots.discrete]
        discrete.copy_(torch.where(is_retained, around[:, slots.discrete], discrete))


@one_thread()
def fit_generators(
    encoder: TableEncoder,
    encoded: EncodedRows,
    y: np.ndarray,
    labels: Sequence[Hashable],
    settings: GeneratorSettings,
    seeds: Seeds,
    device: torch.device,
    progress: Progress = SILENCE,
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
    progress : Progress
        Hears of the steps taken.

    Raises
    ------
    TrainingDivergedError
        If a loss is not finite.
    """
    if not labels:
        return {}
    held_out = _hold_out(y, settings, seeds)
    if held_out:
        kept = np.setdiff1d(np.arange(len(y)), np.concatenate(list(held_out.values())))
        held_out_rows = {
            label: encoded.subset(held_out[label]) for label in labels if label in held_out
        }
        encoded, y = SelectedRows(encoded, kept), y[kept]
    else:
        held_out_rows = {}
    slots = encoder.schema_.slots
    units, standardized = _standardize(encoded, y, slots)
    everyone = SmoothedRows.fit(standardized, slots, smoothing=0, device=device)
    shared = _pretrain(everyone, settings, seeds, device, progress)
    vaes = shared.select([0] * len(labels))
    own_rows = {label: encoded.subset(np.flatnonzero(y == label)) for label in labels}
    classes = []
    for label, rows in own_rows.items():
        own = RowsInClassUnits.of(rows, units[label], np.zeros(len(rows), dtype=np.intp))
        classes.append(
            ClassRows(
                label,
                SmoothedRows.fit(own, slots, settings.smoothing, device, everyone.shape),
                seeds.torch("training", label, device=device),
                _to_watch(held_out_rows.get(label), units[label], label, seeds, device),
            )
        )
    histories = train(vaes, classes, settings.training, settings.early_stopping, progress)
    generators = {}
    for number, (entry, history) in enumerate(zip(classes, histories, strict=True)):
        vae = vaes.select([number])
        own = own_rows[entry.label]
        generator = seeds.torch("errors", entry.label, device=device)
        fit, residuals = _calibrate(vae, entry.rows, generator)
        generator = seeds.torch("marginals", entry.label, device=device)
        residuals, marginals = _match_real_rows(
            vae, residuals, entry.rows, units[entry.label], own, encoder, generator
        )
        generators[entry.label] = ClassGenerator(
            entry.label,
            vae,
            units[entry.label],
            entry.rows,
            residuals,
            marginals,
            fit,
            history,
            encoder,
            _fit_critic(encoder.schema_, encoded, own, y, entry.label, seeds)
            if settings.rejection_strength > 0
            else None,
            settings.rejection_strength,
            own,
            held_out_rows.get(entry.label),
        )
    return generators


def _hold_out(
    y: np.ndarray, settings: GeneratorSettings, seeds: Seeds
) -> dict[Hashable, np.ndarray]:  # (n_held_out,) each
    """Choose the rows of each class that are not to be trained on, where there are enough.

    All classes hold some out, so that none feels which others are oversampled.
    """
    if settings.early_stopping is None:
        return {}
    held_out = {}
    for label in np.unique(y).tolist():
        own = np.flatnonzero(y == label)
        n_held_out = math.ceil(settings.early_stopping.validation_fraction * len(own))
        if len(own) - n_held_out >= 2:
            rng = seeds.numpy("held out", label)
            held_out[label] = rng.choice(own, n_held_out, replace=False)
    return held_out


def _standardize(
    encoded: EncodedRows, y: np.ndarray, slots: Slots
) -> tuple[dict[Hashable, ClassUnits], EncodedRows]:
    """Return the units of every class, and all rows, each in those of its class."""
    labels, classes = np.unique(y, return_inverse=True)
    rows_by_class = [
        SelectedRows(encoded, np.flatnonzero(classes == number))
        for number in range(len(labels))
    ]
    units = ClassUnits.fit(rows_by_class, slots)
    by_label = {label: units.of(number) for number, label in enumerate(labels.tolist())}
    return by_label, RowsInClassUnits.of(encoded, units, classes)


def _to_watch(
    rows: EncodedRows | None,
    units: ClassUnits,
    label: Hashable,
    seeds: Seeds,
    device: torch.device,
) -> HeldOutRows | None:
    if rows is None:
        return None
    some = units.standardize(rows.take(np.arange(min(len(rows), MAX_ROWS_BY_LOOK))))
    return HeldOutRows(
        torch.as_tensor(some, device=device), seeds.torch("validation", label, device=device)
    )


def _pretrain(
    everyone: SmoothedRows,
    settings: GeneratorSettings,
    seeds: Seeds,
    device: torch.device,
    progress: Progress,
) -> StackedVAE:
    shared = StackedVAE(
        1,
        everyone.slots,
        settings.hidden_layer_sizes,
        settings.latent_dim,
        settings.activation,
    )
    shared.initialize([seeds.torch("initial weights")])
    shared.to(device)
    if settings.pretrain_iter > 0:
        rows = ClassRows(None, everyone, seeds.torch("pretraining", device=device))
        training = replace(settings.training, max_iter=settings.pretrain_iter)
        train(shared, [rows], training, progress=progress)
    return shared


@torch.no_grad()
def _calibrate(
    vae: StackedVAE, class_rows: SmoothedRows, generator: torch.Generator
) -> tuple[FitQuality, ResidualModel]:
    """Measure how well a class's VAE describes its rows, and learn its residuals."""
    n_rows = min(max(len(class_rows), MIN_ROWS_FOR_RESIDUALS), MAX_ROWS_FOR_SHAPE)
    near = _draw_near(vae, class_rows, n_rows, generator)
    reconstruction = vae.head.negative_log_likelihood(near.output, near.rows)
    quality = FitQuality(
        near.posterior.kl_by_dimension().mean(dim=(0, 1)).cpu().numpy(),
        float((reconstruction + near.posterior.kl_to_prior()).mean()),
        loss_of_columns_alone(vae.head, near.rows),
    )
    # Residuals of rows that the decoder was trained on are smaller than those of new rows, the
    # more so the fewer rows there were, hence the larger the bandwidth.
    inflation = math.sqrt(1 + class_rows.bandwidth**2)
    residuals = Residuals.of(vae.head, near.output, near.rows)
    learned = torch.exp(0.5 * vae.head.normal.log_var)[0, 0]
    return quality, ResidualModel.fit(residuals, near.own, learned, inflation)


def loss_of_columns_alone(head: TableHead, rows: Tensor) -> float:
    """Return the mean loss of the best decoder that ignores z, in nats per row.

    It gives each numeric column its mean and variance, and each category its frequency, in
    `rows` (1, n_rows, width).
    """
    normal, yes_no, groups = head.parts
    counted = head.counted(rows)
    counted = torch.ones_like(rows[0, :, : groups.start]) if counted is None else counted[0]
    share = counted.mean(dim=0)
    weights = counted / counted.sum(dim=0).clamp(min=1)
    values, weights_of_values = rows[0, :, normal], weights[:, normal]
    mean = (weights_of_values * values).sum(dim=0)
    variance = (weights_of_values * (values - mean).square()).sum(dim=0)
    # A constant column tells the two decoders apart by rounding only: it gets what was learned.
    learned = torch.exp(head.normal.log_var)[0, 0]
    fitted = torch.where(variance > LEAST_VARIANCE, variance, learned)
    fitted = fitted.clamp(min=math.exp(LOWEST_LOG_VAR))
    terms = 0.5 * (torch.log(2 * math.pi * fitted) + variance / fitted)
    chance = (weights[:, yes_no] * (rows[0, :, yes_no] > 0)).sum(dim=0)
    entropy = -torch.xlogy(chance, chance) - torch.xlogy(1 - chance, 1 - chance)
    levels = rows[0, :, groups].mean(dim=0)
    loss = (share[normal] * terms).sum() + (share[yes_no] * entropy).sum()
    return float(loss - torch.xlogy(levels, levels).sum())


class _RowsNear(NamedTuple):
    """Smoothed rows of a class, and what the VAE makes of them."""

    sources: Tensor  # (n_rows,), indices of the class's rows
    rows: Tensor  # (1, n_rows, width)
    posterior: Posterior
    output: Tensor  # (1, n_rows, width), of the decoder at a z drawn for each row
    own: Residuals  # at the posterior mean


def own_residuals(vae: StackedVAE, rows: Tensor) -> Residuals:
    """Return the residuals of rows (1, n_rows, width) at their posterior means."""
    return Residuals.of(vae.head, vae.decode(vae.encode(rows).mean), rows)


def _draw_near(
    vae: StackedVAE, class_rows: SmoothedRows, n_rows: int, generator: torch.Generator
) -> _RowsNear:
    sources = choose_rows(len(class_rows), n_rows, generator)
    rows = class_rows.draw(sources, generator)[None]
    posterior = vae.encode(rows)
    output = vae.decode(posterior.draw(standard_normal(posterior.mean.shape, generator)))
    own = Residuals.of(vae.head, vae.decode(posterior.mean), rows)
    return _RowsNear(sources, rows, posterior, output, own)


@torch.no_grad()
def _match_real_rows(
    vae: StackedVAE,
    residuals: ResidualModel,
    class_rows: SmoothedRows,
    units: ClassUnits,
    own_rows: EncodedRows,
    encoder: TableEncoder,
    generator: torch.Generator,
) -> tuple[ResidualModel, MarginalMatch]:
    """Choose the share of residuals that is kept, and match quantiles column by column."""
    near = _draw_near(vae, class_rows, MAX_ROWS_FOR_SHAPE, generator)
    step = math.ceil(len(class_rows) / MAX_ROWS_LEFT_OUT)
    left_out = torch.arange(0, len(class_rows), step, device=near.rows.device)
    normal = vae.slots.normal
    neighborhood = Neighborhood(near.sources, near.output[0, :, normal], near.own)
    residuals = residuals.keeping(
        neighborhood, left_out, class_rows.rows.take(left_out)[:, normal]
    )
    deviations = residuals.draw(len(near.own.values), generator, near.own)
    drawn = units.restore(vae.head.draw(near.output, generator, deviations)[0].cpu().numpy())
    spread = own_rows.spread(MAX_ROWS_FOR_SHAPE)
    marginals = MarginalMatch.fit(
        encoder.levels_by_slot(), spread, drawn, encoder.schema_.slots
    )
    return residuals, marginals


def _fit_critic(
    schema: FeatureSchema,
    encoded: EncodedRows,
    own_rows: EncodedRows,
    y: np.ndarray,
    label: Hashable,
    seeds: Seeds,
) -> Critic:
    other_rows = SelectedRows(encoded, np.flatnonzero(y != label))
    critic: NetworkCritic | NeighborCritic
    if len(own_rows) >= MIN_OWN_ROWS_FOR_NETWORK and len(y) >= MIN_ROWS_FOR_NETWORK:
        critic = NetworkCritic.fit(own_rows, other_rows, seeds.torch("critic", label))
    else:
        critic = NeighborCritic.fit(own_rows, other_rows, seeds.numpy("critic", label))
    # Rows of nothing but categories repeat: one that equals a real row need not be its copy.
    return critic if schema.has_numbers else replace(critic, copy_distance=0.0)
