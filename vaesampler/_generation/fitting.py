"""`fit_generators`: train and calibrate one VAE per class."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from vaesampler._encoding.bounds import Support
from vaesampler._encoding.class_scaling import ClassScaling, ScaledRows
from vaesampler._encoding.rows import EncodedRows
from vaesampler._generation.calibration import FitQuality, learn_residuals, match_real_rows
from vaesampler._generation.generator import ClassGenerator
from vaesampler._generation.quantile_matching import QuantileMatching
from vaesampler._generation.residuals import ResidualModel
from vaesampler._generation.shared import LabelledRows, SharedFit
from vaesampler._rejection.critic import Critic, FittedCritic, fit_critic, suited_critic
from vaesampler._runtime.caching import ResultCache
from vaesampler._runtime.devices import full_precision, one_thread
from vaesampler._runtime.progress import SILENCE, Progress
from vaesampler._runtime.seeds import Seeds
from vaesampler._runtime.settings import GeneratorSettings
from vaesampler._training.early_stopping import MAX_ROWS_BY_LOOK, HeldOutRows
from vaesampler._training.loop import ClassRows, TrainingHistory
from vaesampler._training.retries import Trained
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._training.stacks import stacks_of, train_in_stacks
from vaesampler._vae.model import StackedVAE

NO_CACHE = ResultCache()


@torch.inference_mode(False)  # whose tensors take no gradients, also outside of it
@one_thread()
@full_precision()
def fit_generators(
    table: LabelledRows,
    supports: Mapping[Hashable, Support],
    settings: GeneratorSettings,
    critic: Critic,
    seeds: Seeds,
    device: torch.device,
    progress: Progress = SILENCE,
    cache: ResultCache = NO_CACHE,
) -> dict[Hashable, ClassGenerator]:
    """Train a VAE on all rows, then a copy of it on the rows of each class.

    Parameters
    ----------
    table : LabelledRows
        All rows of the table, and their labels.
    supports : mapping of label to Support
        The values that drawn cells may have, for each class to train. Each class has at least
        2 rows.
    settings : GeneratorSettings
        Parameters of the VAEs and of training.
    critic : Critic
        Critic to fit for each class, unless the rejection strength is 0.
    seeds : Seeds
        Source of randomness. Each class has random streams of its own.
    device : torch.device
        Device to train on.
    progress : Progress
        Receives the steps taken and the losses.
    cache : ResultCache
        Keeps the trained VAEs and the critics of this table. Results do not depend on it.

    Returns
    -------
    generators : dict of label to ClassGenerator
        A generator for each class, in the order of `supports`.

    Raises
    ------
    TrainingDivergedError
        If a loss is not finite, with smaller steps either.
    """
    if not supports:
        return {}
    training, held_out = table.held_out(supports, settings, seeds)
    own_rows = {label: training.of_class(label) for label in supports}
    # The strength of rejection is one of drawing. Stacks of other classes round otherwise, so
    # the key has all labels.
    of_training = replace(settings, rejection_strength=0.0)
    calibrated = cache.result(
        ("VAEs", list(supports), of_training, seeds.entropy, device.type),
        lambda: _train(training, own_rows, held_out, settings, seeds, device, progress),
    )
    critics: dict[Hashable, FittedCritic] = {}
    if settings.rejection_strength > 0:
        critics = _fit_critics(training, own_rows, settings, critic, seeds, cache)
    return {
        label: ClassGenerator(
            label=label,
            encoder=table.encoder,
            support=support,
            scaling=calibrated[label].scaling,
            vae=calibrated[label].vae,
            rows=calibrated[label].rows,
            residuals=calibrated[label].residuals,
            quantiles=calibrated[label].quantiles,
            critic=critics.get(label),
            rejection_strength=settings.rejection_strength,
            own_rows=own_rows[label],
            held_out_rows=held_out.get(label),
            fit=calibrated[label].fit,
            history=calibrated[label].history,
            table_rows=training.table_rows_of(label),
        )
        for label, support in supports.items()
    }


@dataclass(frozen=True, eq=False, kw_only=True)
class CalibratedVAE:
    """The trained VAE of a class, and what was learned with it; see `ClassGenerator`."""

    scaling: ClassScaling
    vae: StackedVAE
    rows: SmoothedRows
    residuals: ResidualModel
    quantiles: QuantileMatching
    fit: FitQuality
    history: TrainingHistory


def _train(
    training: LabelledRows,
    own_rows: Mapping[Hashable, EncodedRows],
    held_out: Mapping[Hashable, EncodedRows],
    settings: GeneratorSettings,
    seeds: Seeds,
    device: torch.device,
    progress: Progress,
) -> dict[Hashable, CalibratedVAE]:
    """Train and calibrate the VAE of each class."""
    stacks = stacks_of(
        {label: len(rows) for label, rows in own_rows.items()},
        training.encoder.layout.width,
        settings.training.batch_size,
    )
    progress.begin(settings.pretrain_iter + len(stacks) * settings.training.max_iter)
    shared = SharedFit.of(training, settings, seeds, device, progress)
    fitting = _ClassFitting(training, held_out, shared, settings, seeds, device)
    trained = train_in_stacks(
        stacks,
        lambda label: fitting.class_rows(label, own_rows[label]),
        lambda n_models: shared.vae.select([0] * n_models),
        settings.training,
        settings.early_stopping,
        progress,
    )
    return {label: fitting.calibrated(trained[label], rows) for label, rows in own_rows.items()}


def _fit_critics(
    training: LabelledRows,
    own_rows: Mapping[Hashable, EncodedRows],
    settings: GeneratorSettings,
    critic: Critic,
    seeds: Seeds,
    cache: ResultCache,
) -> dict[Hashable, FittedCritic]:
    """Fit the critic of each class."""
    suited = suited_critic(critic, training.encoder.schema)
    # A hash of a user's critic does not tell when its code changes.
    is_own = type(suited).__module__.startswith("vaesampler.")
    own_cache = cache if is_own else NO_CACHE

    def fit(label: Hashable) -> FittedCritic:
        return own_cache.result(
            ("critic", label, suited, settings.early_stopping, seeds.entropy),
            lambda: fit_critic(
                suited,
                label,
                own_rows[label],
                training.of_others(label),
                seeds.stream("critic", label),
            ),
        )

    return {label: fit(label) for label in own_rows}


@dataclass(frozen=True, eq=False)
class _ClassFitting:
    """The steps that are done class by class, before and after training."""

    training: LabelledRows
    held_out: Mapping[Hashable, EncodedRows]
    shared: SharedFit
    settings: GeneratorSettings
    seeds: Seeds
    device: torch.device

    def class_rows(self, label: Hashable, own_rows: EncodedRows) -> ClassRows:
        """Return the rows that the VAE of a class is trained on, scaled and smoothed."""
        scaled = ScaledRows.of(
            own_rows, self.shared.scaling[label], np.zeros(len(own_rows), dtype=np.intp)
        )
        return ClassRows(
            label,
            SmoothedRows.fit(
                scaled,
                self.training.encoder.layout,
                self.settings.smoothing,
                self.device,
                self.shared.shape,
            ),
            self.seeds.torch("training", label, device=self.device),
            self._held_out_rows(label),
        )

    def calibrated(self, trained: Trained, own_rows: EncodedRows) -> CalibratedVAE:
        """Calibrate the trained VAE of a class."""
        vae, entry = trained.vae, trained.rows
        scaling = self.shared.scaling[entry.label]
        fit, estimated = learn_residuals(vae, entry.rows, self._torch("errors", entry.label))
        residuals, quantiles = match_real_rows(
            vae,
            estimated,
            entry.rows,
            scaling,
            own_rows,
            self.training.encoder,
            self._torch("marginals", entry.label),
        )
        return CalibratedVAE(
            scaling=scaling,
            vae=vae,
            rows=entry.rows,
            residuals=residuals,
            quantiles=quantiles,
            fit=fit,
            history=trained.history,
        )

    def _held_out_rows(self, label: Hashable) -> HeldOutRows | None:
        """Return some held-out rows of a class, scaled, for early stopping."""
        if label not in self.held_out:
            return None
        rows = self.held_out[label]
        some = self.shared.scaling[label].standardize(
            rows.take(np.arange(min(len(rows), MAX_ROWS_BY_LOOK)))
        )
        return HeldOutRows(
            torch.as_tensor(some, device=self.device), self._torch("validation", label)
        )

    def _torch(self, purpose: str, label: Hashable) -> torch.Generator:
        return self.seeds.torch(purpose, label, device=self.device)
