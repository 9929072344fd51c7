"""`ClassGenerator`: a trained VAE, and drawing rows of its class."""

import math
from collections.abc import Generator, Hashable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vaesampler._encoding.class_scaling import ClassUnits
from vaesampler._encoding.encoder import TableEncoder
from vaesampler._encoding.rows import EncodedRows
from vaesampler._generation.calibration import FitQuality
from vaesampler._generation.latent import BLOCK_ROWS, LatentSampler
from vaesampler._generation.quantile_matching import MarginalMatch
from vaesampler._generation.residuals import (
    ResidualModel,
    own_residuals,
)
from vaesampler._rejection.critic import Candidates, Critic
from vaesampler._rejection.rule import Strictness, keep
from vaesampler._runtime.devices import in_order
from vaesampler._runtime.noise import choose_rows, choose_variables
from vaesampler._runtime.seeds import Seeds
from vaesampler._training.loop import TrainingHistory
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._vae.model import StackedVAE

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
