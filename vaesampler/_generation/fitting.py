"""`fit_generators`: train and calibrate one VAE per class."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from vaesampler._encoding.bounds import Support
from vaesampler._encoding.class_scaling import ScaledRows
from vaesampler._encoding.rows import EncodedRows
from vaesampler._generation.calibration import learn_residuals, match_real_rows
from vaesampler._generation.generator import ClassGenerator
from vaesampler._generation.shared import LabelledRows, SharedFit
from vaesampler._rejection.critic import Critic, fit_critic, suited_critic
from vaesampler._runtime.devices import full_precision, one_thread
from vaesampler._runtime.progress import SILENCE, Progress
from vaesampler._runtime.seeds import Seeds
from vaesampler._runtime.settings import GeneratorSettings
from vaesampler._training.early_stopping import MAX_ROWS_BY_LOOK, HeldOutRows
from vaesampler._training.loop import ClassRows
from vaesampler._training.retries import Trained
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._training.stacks import stacks_of, train_in_stacks


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
    stacks = stacks_of(
        {label: len(rows) for label, rows in own_rows.items()},
        table.encoder.layout.width,
        settings.training.batch_size,
    )
    progress.begin(settings.pretrain_iter + len(stacks) * settings.training.max_iter)
    shared = SharedFit.of(training, settings, seeds, device, progress)
    suited = suited_critic(critic, table.encoder.schema)
    fitting = _ClassFitting(training, held_out, shared, settings, suited, seeds, device)
    trained = train_in_stacks(
        stacks,
        lambda label: fitting.class_rows(label, own_rows[label]),
        lambda n_models: shared.vae.select([0] * n_models),
        settings.training,
        settings.early_stopping,
        progress,
    )
    return {
        label: fitting.generator(trained[label], own_rows[label], support)
        for label, support in supports.items()
    }


@dataclass(frozen=True, eq=False)
class _ClassFitting:
    """The steps that are done class by class, before and after training."""

    training: LabelledRows
    held_out: Mapping[Hashable, EncodedRows]
    shared: SharedFit
    settings: GeneratorSettings
    critic: Critic
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

    def generator(
        self,
        trained: Trained,
        own_rows: EncodedRows,
        support: Support,
    ) -> ClassGenerator:
        """Calibrate the trained VAE of a class, and fit its critic."""
        vae, entry = trained.vae, trained.rows
        label, encoder = entry.label, self.training.encoder
        scaling = self.shared.scaling[label]
        fit, estimated = learn_residuals(vae, entry.rows, self._torch("errors", label))
        residuals, quantiles = match_real_rows(
            vae,
            estimated,
            entry.rows,
            scaling,
            own_rows,
            encoder,
            self._torch("marginals", label),
        )
        critic = None
        if self.settings.rejection_strength > 0:
            others = self.training.of_others(label)
            random = self.seeds.stream("critic", label)
            critic = fit_critic(self.critic, label, own_rows, others, random)
        return ClassGenerator(
            label=label,
            encoder=encoder,
            support=support,
            scaling=scaling,
            vae=vae,
            rows=entry.rows,
            residuals=residuals,
            quantiles=quantiles,
            critic=critic,
            rejection_strength=self.settings.rejection_strength,
            own_rows=own_rows,
            held_out_rows=self.held_out.get(label),
            fit=fit,
            history=trained.history,
            table_rows=self.training.table_rows_of(label),
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
