"""What all classes share: held-out rows, class scaling, and the pretrained VAE."""

import math
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from vaesampler._encoding.class_scaling import ClassScaling, ScaledRows
from vaesampler._encoding.encoder import TableEncoder
from vaesampler._encoding.rows import EncodedRows, RepeatedRows, SelectedRows
from vaesampler._runtime.progress import Progress
from vaesampler._runtime.seeds import Seeds
from vaesampler._runtime.settings import GeneratorSettings
from vaesampler._table.labels import Labels
from vaesampler._training.loop import ClassRows
from vaesampler._training.retries import train_with_retries
from vaesampler._training.shrinkage import ShrunkNormal
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._training.stacks import suited_batch_size
from vaesampler._vae.model import StackedVAE


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """The encoded rows of a table, and their labels."""

    encoder: TableEncoder
    rows: EncodedRows
    labels: Labels
    # Of a sample of a table: number of rows of the table by row of each class.
    weights: Mapping[Hashable, float] | None = None
    # Indices of the rows in the table, (n_rows,); None if these are all rows, in order.
    table_rows: npt.NDArray[np.intp] | None = None

    def of_class(self, label: Hashable) -> EncodedRows:
        """Return the rows of a class, without the other rows."""
        return self.rows.subset(self.labels.rows_of(label))

    def table_rows_of(self, label: Hashable) -> npt.NDArray[np.intp] | None:  # (n_own_rows,)
        """Return the indices in the table of the rows of a class; None of a sample of it."""
        if self.weights is not None:
            return None
        own = self.labels.rows_of(label)
        return own if self.table_rows is None else self.table_rows[own]

    def of_others(self, label: Hashable) -> EncodedRows:
        """Return the rows of all other classes, in proportion to those of the class."""
        others = SelectedRows(self.rows, np.flatnonzero(~self.labels.is_class(label)))
        if self.weights is None:
            return others
        n_rows = sum(
            self.weights[one] * int(count)
            for one, count in zip(self.labels.classes, self.labels.counts, strict=True)
            if one != label
        )
        return RepeatedRows(others, max(1, round(n_rows / self.weights[label])))

    def held_out(
        self, labels: Collection[Hashable], settings: GeneratorSettings, seeds: Seeds
    ) -> tuple[Self, dict[Hashable, EncodedRows]]:
        """Return the rows to train on, and the held-out rows of each class in `labels`.

        Rows of all classes are held out, unless fewer than 2 would be left. The rows drawn for
        a class therefore do not depend on which other classes are oversampled.
        """
        if settings.early_stopping is None:
            return self, {}
        chosen = {}
        for label in self.labels.classes:
            own = self.labels.rows_of(label)
            n_held_out = math.ceil(settings.early_stopping.validation_fraction * len(own))
            if len(own) - n_held_out >= 2:
                rng = seeds.numpy("held out", label)
                chosen[label] = rng.choice(own, n_held_out, replace=False)
        if not chosen:
            return self, {}
        kept = np.setdiff1d(np.arange(len(self.labels)), np.concatenate(list(chosen.values())))
        training = replace(
            self,
            rows=SelectedRows(self.rows, kept),
            labels=self.labels.take(kept),
            table_rows=kept,
        )
        return training, {
            label: self.rows.subset(chosen[label]) for label in labels if label in chosen
        }


@dataclass(frozen=True, eq=False)
class SharedFit:
    """What is estimated from the rows of all classes."""

    scaling: dict[Hashable, ClassScaling]  # by label
    shape: ShrunkNormal  # of all rows, each standardized by its class
    vae: StackedVAE  # a stack of one

    @classmethod
    def of(
        cls,
        training: LabelledRows,
        settings: GeneratorSettings,
        seeds: Seeds,
        device: torch.device,
        progress: Progress,
    ) -> Self:
        """Fit the scaling of each class, and pretrain a VAE on all rows."""
        layout = training.encoder.layout
        labels, class_indices = training.labels.classes, training.labels.codes
        scaling = ClassScaling.fit(
            [
                SelectedRows(training.rows, np.flatnonzero(class_indices == index))
                for index in range(len(labels))
            ],
            layout,
        )
        scaled = ScaledRows.of(training.rows, scaling, class_indices)
        all_rows = SmoothedRows.fit(scaled, layout, smoothing=0, device=device)
        return cls(
            {label: scaling.of(index) for index, label in enumerate(labels)},
            all_rows.shape,
            _pretrain(all_rows, settings, seeds, device, progress),
        )


def _pretrain(
    all_rows: SmoothedRows,
    settings: GeneratorSettings,
    seeds: Seeds,
    device: torch.device,
    progress: Progress,
) -> StackedVAE:
    """Return a VAE trained on all rows."""

    def make_vaes(n_models: int) -> StackedVAE:
        vaes = StackedVAE(
            n_models,
            all_rows.layout,
            settings.hidden_layer_sizes,
            settings.latent_dim,
            settings.activation,
        )
        return vaes.initialize([seeds.torch("initial weights")] * n_models).to(device)

    def rows_of(label: Hashable) -> ClassRows:
        return ClassRows(label, all_rows, seeds.torch("pretraining", device=device))

    if settings.pretrain_iter == 0:
        return make_vaes(1)
    batch_size = suited_batch_size(
        settings.training.batch_size, len(all_rows), all_rows.layout.width
    )
    training = replace(
        settings.training, max_iter=settings.pretrain_iter, batch_size=batch_size
    )
    trained = train_with_retries([None], rows_of, make_vaes, training, progress=progress)
    return trained[None].vae
