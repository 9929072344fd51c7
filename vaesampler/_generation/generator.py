"""`ClassGenerator`: draws rows of a class from its trained VAE."""

import math
from collections.abc import Generator, Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vaesampler._encoding.bounds import Support
from vaesampler._encoding.class_scaling import ClassScaling
from vaesampler._encoding.encoder import TableEncoder
from vaesampler._encoding.rows import EncodedRows
from vaesampler._generation.calibration import FitQuality
from vaesampler._generation.conditions import Condition
from vaesampler._generation.filters import (
    Acceptance,
    RowFilter,
    Selection,
    accepted_by_all,
    too_few_accepted,
)
from vaesampler._generation.latent import (
    BLOCK_ROWS,
    LatentSampler,
    PriorSampling,
    draw_codes,
)
from vaesampler._generation.quantile_matching import QuantileMatching
from vaesampler._generation.residuals import ResidualModel, Residuals
from vaesampler._rejection.critic import Candidates, FittedCritic, Verdict, judge
from vaesampler._rejection.rule import LEAST_SHARE_KEPT, keep, rejection_power
from vaesampler._runtime.devices import full_precision, in_order, one_thread, usable_threads
from vaesampler._runtime.noise import choose_rows, choose_variables
from vaesampler._runtime.seeds import Seeds
from vaesampler._training.loop import TrainingHistory
from vaesampler._training.smoothing import SmoothedRows
from vaesampler._vae.model import StackedVAE

# Probability that a flag or a category is copied from the source row. The decoder draws them
# independently given z; drawing all of them would produce combinations that no real row has.
# Chosen with benchmarks/mixed.py.
SHARE_RETAINED = 0.9
# Number of candidates in the first block, at most and for each row of the class; the size
# doubles from block to block. Near copies are thinned out within a block, which needs more than
# a few candidates.
FIRST_BLOCK = 500
FIRST_BLOCK_BY_ROW = 64
# Size of the largest block: larger blocks exceed CPU caches, with smaller ones threads wait.
# At powers of 2, columns collide in the caches, and a candidate takes a fifth longer.
# Chosen with tests/benchmarks/bench_hot_paths.py -k draw.
MOST_ROWS_BY_BLOCK = 8_000
MOST_CELLS_BY_BLOCK = 4_000_000
# Rows are drawn in chunks, which are independent and of known numbers of rows. Only a part of
# the last block of each is used, so small chunks would take longer.
MOST_ROWS_BY_CHUNK = 250_000
MOST_CELLS_BY_CHUNK = 10_000_000
# Number of rows from which on another thread pays.
ROWS_BY_THREAD = 4_096


@dataclass(frozen=True)
class DrawRequest:
    """How rows are drawn, whichever class they are of."""

    latent_sampler: LatentSampler
    seeds: Seeds
    device: torch.device
    purpose: tuple[object, ...]  # of the draw, for random streams of its own
    filters: tuple[RowFilter, ...] = ()  # all of which accept every row
    # Indices of the rows to draw around, all of one class; None for all rows of the class.
    around: npt.NDArray[np.intp] | None = None


class DrawnCells(NamedTuple):
    """Cells of drawn rows, and the rows that they were drawn around."""

    cells: npt.NDArray[np.float64]  # (n_rows, n_columns)
    sources: npt.NDArray[np.intp]  # (n_rows,), indices of rows of the class; -1 for none
    acceptance: Acceptance = Acceptance()  # of all candidates of the block, by the filters

    def first(self, n_rows: int) -> "DrawnCells":
        """Return the first rows."""
        return self._replace(cells=self.cells[:n_rows], sources=self.sources[:n_rows])


class _Drawn(NamedTuple):
    """Drawn rows, encoded and scaled by class, and the rows that they were drawn around."""

    rows: Tensor  # (n_rows, width)
    sources: Tensor | None  # (n_rows,), indices of the rows of the class; None if around none


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassGenerator:
    """The trained VAE of a class, and all else that is needed to draw rows of the class."""

    label: Hashable
    encoder: TableEncoder
    support: Support
    scaling: ClassScaling
    vae: StackedVAE  # a stack of one
    rows: SmoothedRows  # the rows of the class, scaled by class, to draw around
    residuals: ResidualModel
    quantiles: QuantileMatching
    critic: FittedCritic | None
    rejection_strength: float
    own_rows: EncodedRows  # the rows of the class without the held-out rows
    held_out_rows: EncodedRows | None
    fit: FitQuality
    history: TrainingHistory
    # Indices of `own_rows` in the table of `fit`, (n_own_rows,); None if they are unknown.
    table_rows: npt.NDArray[np.intp] | None = None

    def cells(
        self, rows: EncodedRows, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:  # (n_rows, n_columns)
        """Return the decoded cells of rows of the class."""
        return self.encoder.decode(rows.take(np.arange(len(rows))), self.support, rng)

    @torch.no_grad()
    @one_thread()
    @full_precision()
    def codes(self, rows: EncodedRows) -> npt.NDArray[np.float32]:  # (n_rows, latent_dim)
        """Return the posterior means of rows."""
        device = next(self.vae.parameters()).device
        blocks = np.array_split(np.arange(len(rows)), len(rows) // BLOCK_ROWS + 1)
        standardized = (self.scaling.standardize(rows.take(block)) for block in blocks)
        means = [
            self.vae.encode(torch.as_tensor(block, device=device)[None]).mean[0]
            for block in standardized
        ]
        codes: npt.NDArray[np.float32] = torch.cat(means).cpu().numpy()
        return codes

    def select(
        self, conditions: Sequence[Condition], latent_sampler: LatentSampler, seeds: Seeds
    ) -> Selection:
        """Return how rows that meet conditions are drawn: around real rows that meet them all.

        They are drawn around all rows if no row of the class meets them, and if the codes do
        not depend on rows.
        """
        if isinstance(latent_sampler, PriorSampling):
            return Selection(tuple(conditions))
        masks = self._real_rows_accepted(conditions, seeds.numpy("given", self.label))
        seen = [
            replace(one, seen=f" and {int(mask.sum()):,} of {len(mask):,} real rows")
            for one, mask in zip(conditions, masks, strict=True)
        ]
        around = np.flatnonzero(masks.all(axis=0))
        n_least = 2 if latent_sampler.wants_different_rows else 1
        return Selection(tuple(seen), around if len(around) >= n_least else None)

    def _real_rows_accepted(
        self, filters: Sequence[RowFilter], rng: np.random.Generator
    ) -> npt.NDArray[np.bool_]:  # (n_filters, n_rows)
        """Return which rows of the class each filter accepts.

        The rows are decoded for this. Rare levels, which share a slot, are drawn at random.
        """
        n_rows = len(self.own_rows)
        blocks = np.array_split(np.arange(n_rows), n_rows // MOST_ROWS_BY_BLOCK + 1)
        masks = []
        for block in blocks:
            cells = self.encoder.decode(self.own_rows.take(block), self.support, rng)
            masks.append([one.accepts(cells) for one in filters])
        return np.concatenate(masks, axis=1)

    def draw(self, n_samples: int, request: DrawRequest) -> Generator[DrawnCells]:
        """Yield `n_samples` rows, block by block.

        The rows are those of `draw_chunk` for one chunk after another. Hence fewer rows are the
        first of more rows.
        """
        for chunk, n_rows in enumerate(self.chunk_sizes(n_samples)):
            yield from self.draw_chunk(chunk, n_rows, request)

    def sources_in_table(
        self, sources: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.intp]:  # (n_rows,), both
        """Return the indices in the table of `fit` of the rows with these indices; -1 for -1.

        Raises
        ------
        ValueError
            If they are unknown.
        """
        if self.table_rows is None:
            raise ValueError(
                "The positions of real rows in the table of `fit` are not known: the sampler "
                "was fitted to a dask collection, or loaded from a file without them. Fit it "
                "again to a table in memory."
            )
        in_table: npt.NDArray[np.intp] = np.where(sources < 0, -1, self.table_rows[sources])
        return in_table

    def chunk_sizes(self, n_samples: int) -> list[int]:
        """Return the number of rows of each chunk of `n_samples` rows."""
        most = min(MOST_ROWS_BY_CHUNK, MOST_CELLS_BY_CHUNK // len(self.encoder.schema.columns))
        n_whole, n_left = divmod(n_samples, max(1, most))
        return [max(1, most)] * n_whole + [n_left] * (n_left > 0)

    def draw_chunk(
        self, chunk: int, n_samples: int, request: DrawRequest
    ) -> Generator[DrawnCells]:
        """Yield the first `n_samples` rows of a chunk, block by block.

        Blocks are independent: the size of a block depends only on its index, and its random
        streams only on the seeds and the purpose, the class, the chunk and the index. Hence
        the rows do not depend on the number of threads, nor on where the chunk is drawn.

        Raises
        ------
        ValueError
            If the filters of the request accept fewer than 1 in 1,000 candidates.
        """
        if chunk > 0:
            request = replace(request, purpose=(*request.purpose, "chunk", chunk))
        n_wanted, acceptance = n_samples, Acceptance()
        n_blocks = None if request.filters and n_samples > 0 else self._n_blocks(n_samples)
        n_threads = self._n_threads(n_samples, request.device)
        draw_block = partial(self.draw_block, request=request)
        with closing(in_order(draw_block, n_blocks, n_threads)) as blocks:
            for drawn in blocks:
                yield drawn.first(n_wanted)
                n_wanted -= len(drawn.cells)
                if n_wanted <= 0:
                    return
                acceptance = acceptance.plus(drawn.acceptance)
                if acceptance.is_too_small:
                    raise too_few_accepted(self.label, request.filters, acceptance)

    def draw_block(self, block: int, request: DrawRequest) -> DrawnCells:
        """Return the block of a chunk with this index."""
        key = (*request.purpose, self.label, block)
        generator = request.seeds.torch(*key, device=request.device)
        rng = request.seeds.numpy(*key)
        return self._draw_block(self._block_size(block), request, generator, rng)

    @property
    def _largest_block(self) -> int:
        """Number of candidates in the largest block."""
        return max(1, min(MOST_ROWS_BY_BLOCK, MOST_CELLS_BY_BLOCK // self.encoder.layout.width))

    def _block_size(self, block: int) -> int:
        """Return the number of candidates in the block with this index."""
        n_doublings = min(block, MOST_ROWS_BY_BLOCK.bit_length())
        first = min(FIRST_BLOCK, FIRST_BLOCK_BY_ROW * len(self.rows))
        return min(first << n_doublings, self._largest_block)

    def _n_blocks(self, n_samples: int) -> int:
        """Return the number of blocks that suffice, however many candidates are rejected."""
        share = 1.0 if self.critic is None else LEAST_SHARE_KEPT
        n_blocks, n_rows = 0, 0
        while n_rows < n_samples and self._block_size(n_blocks) < self._largest_block:
            n_rows += math.ceil(share * self._block_size(n_blocks))
            n_blocks += 1
        n_by_block = math.ceil(share * self._largest_block)
        return n_blocks + max(0, -(-(n_samples - n_rows) // n_by_block))

    def _n_threads(self, n_samples: int, device: torch.device) -> int:
        """Return the number of threads that draw blocks."""
        if device.type != "cpu" or not (self.critic is None or self.critic.suits_threads):
            return 1
        return max(1, min(usable_threads(), n_samples // ROWS_BY_THREAD))

    @torch.no_grad()
    def _draw_block(
        self,
        n_candidates: int,
        request: DrawRequest,
        generator: torch.Generator,
        rng: np.random.Generator,
    ) -> DrawnCells:
        """Draw candidates, decode them; return those that filters accept and the critic keeps.

        The critic judges accepted candidates only.
        """
        drawn = self._draw_encoded(n_candidates, request, generator)
        rows = self.quantiles.apply(self.scaling.restore(drawn.rows.cpu().numpy()))
        cells = self.encoder.decode(rows, self.support, rng)
        sources = np.full(len(cells), -1, dtype=np.intp)
        if drawn.sources is not None:
            sources = drawn.sources.cpu().numpy()
        self._inherit(cells, sources)
        acceptance = Acceptance()
        if request.filters:
            is_accepted, acceptance = accepted_by_all(request.filters, cells)
            rows, cells = rows[is_accepted], cells[is_accepted]
            sources = sources[is_accepted]
        if self.critic is None or len(cells) == 0:
            return DrawnCells(cells, sources, acceptance)
        candidates = Candidates(self.encoder.encode_drawn(rows, cells), sources)
        kept = keep(self._judge(self.critic, candidates), self._power, rng)
        return DrawnCells(cells.take(kept, axis=0), sources[kept], acceptance)

    def _inherit(
        self, cells: npt.NDArray[np.float64], sources: npt.NDArray[np.intp]
    ) -> None:  # (n_rows, n_columns), (n_rows,)
        """Set the cells of inherited columns, in place."""
        inherited = self.encoder.schema.inherited
        if inherited and (sources < 0).any():
            raise ValueError(
                "Rows without sources were drawn, which cannot inherit the columns in "
                "`inherited_features`. Use a latent sampler that returns `sources`."
            )
        for index, column in inherited.items():
            cells[:, index] = column.cells_of(self.sources_in_table(sources))

    def _draw_encoded(
        self, n_candidates: int, request: DrawRequest, generator: torch.Generator
    ) -> _Drawn:
        """Draw codes, decode them and add residuals."""
        latent_sampler = request.latent_sampler
        n_rows = len(self.rows) if request.around is None else len(request.around)
        n_around = min(n_rows, MOST_ROWS_BY_BLOCK)
        if not latent_sampler.wants_different_rows:
            n_around = max(n_around, n_candidates)
        indices = choose_rows(n_rows, n_around, generator)
        if request.around is not None:
            indices = torch.as_tensor(request.around, device=indices.device)[indices]
        around = self.rows.draw(indices, generator)
        z, chosen = draw_codes(
            latent_sampler, self.label, self.vae, around[None], n_candidates, generator
        )
        if chosen is None:
            residuals = self.residuals.draw(n_candidates, generator)
            return _Drawn(self.vae.draw(z, generator, residuals)[0], None)
        sources = around.index_select(0, chosen)
        own = self._own_residuals(sources) if self.residuals.depends_on_row else None
        residuals = self.residuals.draw(n_candidates, generator, own)
        drawn = self.vae.draw(z, generator, residuals)[0]
        self._retain_discrete(drawn, sources, generator)
        return _Drawn(drawn, indices[chosen])

    def _own_residuals(self, rows: Tensor) -> Residuals:  # (n_rows, width)
        """Return the residuals of rows at their posterior means."""
        vae = self.vae
        return Residuals.of(vae.head, vae.decode(vae.encode(rows[None]).mean), rows[None])

    def _retain_discrete(
        self, drawn: Tensor, sources: Tensor, generator: torch.Generator
    ) -> None:  # (n_rows, width), both
        """Copy most flags and categories from the source rows, in place."""
        layout = self.vae.layout
        if layout.discrete.start == layout.width:
            return
        variables = layout.variable_of_discrete_slot
        is_retained = choose_variables(variables, len(drawn), SHARE_RETAINED, generator)
        discrete = drawn[:, layout.discrete]
        discrete.copy_(torch.where(is_retained, sources[:, layout.discrete], discrete))

    def _judge(self, critic: FittedCritic, candidates: Candidates) -> Verdict:
        verdict = judge(critic, self.label, candidates)
        if self.encoder.schema.has_numeric:
            return verdict
        # Real rows of categories often repeat, so a row that equals one is no copy.
        return verdict._replace(is_copy=np.zeros(len(verdict.is_copy), dtype=bool))

    @property
    def _power(self) -> float:
        """How strictly candidates are rejected."""
        n_columns = self.encoder.layout.n_columns
        return rejection_power(self.rejection_strength, len(self.rows), n_columns)
