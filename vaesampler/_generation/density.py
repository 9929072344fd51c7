"""`log_density`: how likely rows are, according to the VAE of a class."""

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vaesampler._encoding.rows import LazyRows
from vaesampler._generation.generator import ClassGenerator
from vaesampler._runtime.devices import full_precision, one_thread
from vaesampler._runtime.noise import standard_normal
from vaesampler._table.columns import MOST_LEVELS_APART

# Rows are scored in blocks of at most this many slots, which bounds memory.
MOST_SLOTS_BY_BLOCK = 1_000_000
# Log-variances of posteriors are clipped, so that those of rows far from the class do not
# overflow. The result is a lower bound with any proposal.
LOG_VAR_BOUNDS = (-20.0, 10.0)


@torch.no_grad()
@one_thread()
@full_precision()
def log_density(
    generator: ClassGenerator, rows: LazyRows, n_draws: int, random: torch.Generator
) -> npt.NDArray[np.float64]:  # (n_rows,)
    """Return the importance-weighted lower bound of log p(row), in nats.

    It is::

        log (1 / K) sum_k p(x | z_k) p(z_k) / q(z_k | x),  z_k ~ q(z | x)

    plus the log-determinant of the encoding. All rows get the same noise, so that the result
    for a row does not depend on the others.

    References
    ----------
    Yuri Burda, Roger Grosse, Ruslan Salakhutdinov (2016). Importance Weighted Autoencoders.
    """
    noise = standard_normal((n_draws, 1, 1, generator.vae.latent_dim), random)
    n_by_block = max(1, MOST_SLOTS_BY_BLOCK // generator.encoder.layout.width)
    found = np.empty(len(rows))
    for start in range(0, len(rows), n_by_block):
        block = np.arange(start, min(start + n_by_block, len(rows)))
        cells = rows.cells.take(block)
        encoded = rows.encode(cells)
        found[block] = _bound(generator, cells, encoded, noise) + _log_determinant(
            generator, cells, encoded
        )
    return found


def _bound(
    generator: ClassGenerator,
    cells: npt.NDArray[np.float64],
    encoded: npt.NDArray[np.float32],
    noise: Tensor,
) -> npt.NDArray[np.float64]:  # (n_rows, n_columns), (n_rows, width) to (n_rows,)
    """Return the bound for encoded rows; `noise` is (n_draws, 1, 1, latent_dim)."""
    vae, scaling = generator.vae, generator.scaling
    rows = torch.as_tensor(scaling.standardize(encoded), device=noise.device)[None]
    counted = vae.head.counted(rows)
    is_observed = torch.ones_like(rows) if counted is None else counted
    ranges = _standardized_ranges(generator, cells)
    # Constant columns are certain; the levels of discrete ones have probabilities.
    elsewhere = [*generator.encoder.numeric.indices_of_constants, *ranges]
    as_density = is_observed.clone()
    as_density[..., elsewhere] = 0
    is_level = is_observed[0, :, list(ranges)].cpu().double()
    mean, log_var = vae.encode(rows)
    log_var = log_var.clamp(*LOG_VAR_BOUNDS)
    total = torch.full((len(encoded),), -torch.inf, dtype=torch.float64)
    for one in noise:
        z = mean + torch.exp(0.5 * log_var) * one
        output = vae.decode(z)
        log_weight = -vae.head.negative_log_likelihood(output, rows, as_density)
        # log p(z) - log q(z | x)
        log_weight += 0.5 * (one.square() + log_var - z.square()).sum(dim=-1)
        of_draw = log_weight[0].cpu().double()
        if ranges:
            of_draw += _log_probability_of_levels(generator, output, ranges, is_level)
        total = torch.logaddexp(total, of_draw)
    bound: npt.NDArray[np.float64] = (total - math.log(len(noise))).numpy()
    return bound


def _standardized_ranges(
    generator: ClassGenerator, cells: npt.NDArray[np.float64]
) -> dict[int, Tensor]:  # of (2, n_rows) each, by slot
    """Return the ranges of the levels of discrete columns, standardized by the class."""
    numeric, scaling = generator.encoder.numeric, generator.scaling
    ranges = numeric.level_ranges(cells[:, numeric.column_indices])
    return {
        slot: torch.from_numpy((ends - scaling.center[0, slot]) / scaling.deviation[0, slot])
        for slot, ends in ranges.items()
    }


def _log_probability_of_levels(
    generator: ClassGenerator, output: Tensor, ranges: dict[int, Tensor], is_level: Tensor
) -> Tensor:  # (1, n_rows, width), ..., (n_rows, n_discrete) to (n_rows,)
    """Return the log-probability of the levels of discrete columns, given z."""
    slots = list(ranges)
    deviation = torch.exp(0.5 * generator.vae.head.normal.log_var[0, :, slots]).cpu().double()
    location = output[0, :, slots].cpu().double()
    ends = torch.stack(list(ranges.values()), dim=-1)  # (2, n_rows, n_discrete)
    lower, upper = (ends - location) / deviation
    # In the lower tail, where the distribution function is exact.
    is_above = lower > -upper
    lower, upper = (
        torch.where(is_above, -upper, lower),
        torch.where(is_above, -lower, upper),
    )
    above, below = torch.special.log_ndtr(upper), torch.special.log_ndtr(lower)
    log_probability = above + torch.log1p(-torch.exp(below - above))
    return torch.where(is_level > 0, log_probability, 0).sum(dim=-1)


def _log_determinant(
    generator: ClassGenerator,
    cells: npt.NDArray[np.float64],
    encoded: npt.NDArray[np.float32],
) -> npt.NDArray[np.float64]:  # (n_rows, n_columns), (n_rows, width) to (n_rows,)
    """Return log |d encoded / d cells| of the values that count.

    Of a rare level that shares its slot with others, it is the log of its share of them.
    """
    encoder, numeric = generator.encoder, generator.encoder.numeric
    of_values = numeric.log_slopes(cells[:, numeric.column_indices])
    is_value = ~encoder.layout.is_silenced(encoded)
    elsewhere = [*numeric.indices_of_constants, *numeric.levels_by_slot()]
    is_value[:, elsewhere] = False
    of_values -= np.log(generator.scaling.deviation[0])
    total: npt.NDArray[np.float64] = np.where(is_value, of_values, 0).sum(axis=1)
    for index, rare_levels in generator.support.rare_levels.items():
        first, n_levels = MOST_LEVELS_APART - 1, len(encoder.schema.columns[index].levels)
        counts = np.bincount(rare_levels.astype(np.intp), minlength=n_levels)[first:]
        shares = (counts + 1) / (counts + 1).sum()
        is_rare = cells[:, index] >= first
        total[is_rare] += np.log(shares[cells[is_rare, index].astype(np.intp) - first])
    return total
