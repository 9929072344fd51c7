"""Class label to trained generator: fitting on encoded rows, and drawing from it."""

from collections.abc import Hashable, Sequence

import numpy as np
import torch

from vaesampler._encoding.class_scaling import ClassUnits, RowsInClassUnits
from vaesampler._encoding.encoder import TableEncoder
from vaesampler._encoding.rows import EncodedRows, SelectedRows
from vaesampler._generation.calibration import _calibrate, _match_real_rows
from vaesampler._generation.generator import ClassGenerator
from vaesampler._generation.shared import _hold_out, _pretrain, _standardize
from vaesampler._rejection.choice import _fit_critic
from vaesampler._runtime.devices import one_thread
from vaesampler._runtime.progress import Progress
from vaesampler._runtime.seeds import Seeds
from vaesampler._runtime.settings import GeneratorSettings
from vaesampler._training.early_stopping import MAX_ROWS_BY_LOOK, HeldOutRows
from vaesampler._training.loop import SILENCE, ClassRows, train
from vaesampler._training.smoothing import SmoothedRows


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
