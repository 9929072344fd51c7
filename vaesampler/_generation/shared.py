"""What all classes share: rows held out, class scaling, and the pretrained VAE."""

import math
from collections.abc import Hashable
from dataclasses import replace

import numpy as np
import torch

from vaesampler._encoding.class_scaling import ClassUnits, RowsInClassUnits
from vaesampler._encoding.rows import EncodedRows, SelectedRows
from vaesampler._runtime.progress import Progress
from vaesampler._runtime.seeds import Seeds
from vaesampler._runtime.settings import GeneratorSettings
from vaesampler._table.layout import Slots
from vaesampler._training.loop import ClassRows, train
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._vae.model import StackedVAE


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
