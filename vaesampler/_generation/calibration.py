"""How well a trained VAE fits, and how what it draws is matched to real rows."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaesampler._encoding.class_scaling import ClassUnits
from vaesampler._encoding.encoder import TableEncoder
from vaesampler._encoding.rows import EncodedRows
from vaesampler._generation.quantile_matching import MarginalMatch
from vaesampler._generation.residuals import Neighborhood, ResidualModel, Residuals
from vaesampler._runtime.noise import choose_rows, standard_normal
from vaesampler._training.smoothing import MAX_ROWS_FOR_SHAPE, SmoothedRows
from vaesampler._vae.heads import TableHead
from vaesampler._vae.likelihoods import LOWEST_LOG_VAR
from vaesampler._vae.model import StackedVAE
from vaesampler._vae.posterior import Posterior

# Residuals are learned from at least this many smoothed rows, several of each row of a small
# class.
MIN_ROWS_FOR_RESIDUALS = 256
# The leave-one-out likelihood of the share kept is computed for at most this many real rows.
MAX_ROWS_LEFT_OUT = 250
# Columns with a smaller variance, in variances of the class, are constant but for rounding.
LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class FitQuality:
    """How well a trained VAE describes its class's rows."""

    kl_by_dimension: np.ndarray  # (latent_dim,), nats per row
    loss: float  # nats per row
    loss_of_columns_alone: float  # the best that can be had without latent dimensions


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
