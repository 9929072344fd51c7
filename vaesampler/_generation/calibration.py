"""Calibrate a trained VAE: quality of the fit, residuals, and quantiles."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vaesampler._encoding.class_scaling import ClassScaling
from vaesampler._encoding.encoder import TableEncoder
from vaesampler._encoding.rows import EncodedRows
from vaesampler._generation.quantile_matching import QuantileMatching
from vaesampler._generation.residuals import Neighborhood, ResidualModel, Residuals
from vaesampler._runtime.noise import choose_rows, standard_normal
from vaesampler._training.smoothing import MAX_ROWS_FOR_SHAPE, SmoothedRows
from vaesampler._vae.model import StackedVAE
from vaesampler._vae.posterior import Posterior

# Minimum number of smoothed rows that residuals are estimated from. Several of them come from
# the same row of a small class.
MIN_ROWS_FOR_RESIDUALS = 256
# Maximum number of real rows whose leave-one-out likelihood is computed.
MAX_ROWS_LEFT_OUT = 250


@dataclass(frozen=True, eq=False)
class FitQuality:
    """How well a trained VAE describes the rows of its class, in nats per row.

    Attributes
    ----------
    kl_by_dimension : ndarray of float32, of shape (latent_dim,)
        Mean Kullback-Leibler divergence of the posterior from the prior.
    loss : float
        Negative evidence lower bound.
    marginal_loss : float
        Negative log-likelihood of the best decoder that ignores z.
    """

    kl_by_dimension: npt.NDArray[np.float32]
    loss: float
    marginal_loss: float


class DecodedRows(NamedTuple):
    """Smoothed rows of a class, encoded and decoded by its VAE."""

    sources: Tensor  # (n_rows,), indices of the rows of the class
    rows: Tensor  # (1, n_rows, width)
    posterior: Posterior
    output: Tensor  # (1, n_rows, width), of the decoder at a z drawn from each posterior
    own: Residuals  # of the rows, at their posterior means

    @classmethod
    def draw(
        cls, vae: StackedVAE, class_rows: SmoothedRows, n_rows: int, generator: torch.Generator
    ) -> Self:
        """Draw smoothed rows, encode and decode them."""
        sources = choose_rows(len(class_rows), n_rows, generator)
        rows = class_rows.draw(sources, generator)[None]
        posterior = vae.encode(rows)
        output = vae.decode(posterior.draw(standard_normal(posterior.mean.shape, generator)))
        own = Residuals.of(vae.head, vae.decode(posterior.mean), rows)
        return cls(sources, rows, posterior, output, own)


@torch.no_grad()
def learn_residuals(
    vae: StackedVAE, class_rows: SmoothedRows, generator: torch.Generator
) -> tuple[FitQuality, ResidualModel]:
    """Measure how well the VAE of a class describes its rows, and estimate its residuals."""
    n_rows = min(max(len(class_rows), MIN_ROWS_FOR_RESIDUALS), MAX_ROWS_FOR_SHAPE)
    near = DecodedRows.draw(vae, class_rows, n_rows, generator)
    reconstruction = vae.head.negative_log_likelihood(near.output, near.rows)
    quality = FitQuality(
        kl_by_dimension=near.posterior.kl_by_dimension().mean(dim=(0, 1)).cpu().numpy(),
        loss=float((reconstruction + near.posterior.kl_to_prior()).mean()),
        marginal_loss=float(vae.head.marginal_loss(near.rows)),
    )
    # Residuals of training rows are smaller than those of new rows, the more so the fewer rows
    # there are. The bandwidth h grows as well: the factor sqrt(1 + h ** 2) corrects them.
    inflation = math.sqrt(1 + class_rows.bandwidth**2)
    residuals = Residuals.of(vae.head, near.output, near.rows)
    learned = torch.exp(0.5 * vae.head.normal.log_var)[0, 0]
    return quality, ResidualModel.fit(residuals, near.own, learned, inflation)


@torch.no_grad()
def match_real_rows(
    vae: StackedVAE,
    residuals: ResidualModel,
    class_rows: SmoothedRows,
    scaling: ClassScaling,
    own_rows: EncodedRows,
    encoder: TableEncoder,
    generator: torch.Generator,
) -> tuple[ResidualModel, QuantileMatching]:
    """Choose the share of the residual that drawn rows inherit, and fit quantile matching."""
    near = DecodedRows.draw(vae, class_rows, MAX_ROWS_FOR_SHAPE, generator)
    step = math.ceil(len(class_rows) / MAX_ROWS_LEFT_OUT)
    left_out = torch.arange(0, len(class_rows), step, device=near.rows.device)
    normal = vae.layout.normal
    chosen = residuals.keeping(
        Neighborhood(near.sources, near.output[0, :, normal], near.own),
        left_out,
        class_rows.rows.take(left_out)[:, normal],
    )
    drawn_residuals = chosen.draw(len(near.own.values), generator, near.own)
    drawn = vae.head.draw(near.output, generator, drawn_residuals)[0].cpu().numpy()
    quantiles = QuantileMatching.fit(
        encoder.numeric.levels_by_slot(),
        own_rows.spread(MAX_ROWS_FOR_SHAPE),
        scaling.restore(drawn),
        encoder.layout,
    )
    return chosen, quantiles
