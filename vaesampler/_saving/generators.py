"""`SavedGenerator`: what a file holds of a `ClassGenerator`, and back.

What follows from the rest is left out: the layout of rows, and the rows as the VAE sees them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from vaesampler._encoding.bounds import Support
from vaesampler._encoding.class_scaling import ClassScaling, ScaledRows
from vaesampler._encoding.encoder import TableEncoder
from vaesampler._encoding.layout import Layout
from vaesampler._encoding.look_up import LookUpTable
from vaesampler._encoding.rows import DenseRows, EncodedRows, LazyRows, TableCells
from vaesampler._generation.calibration import FitQuality
from vaesampler._generation.generator import ClassGenerator
from vaesampler._generation.quantile_matching import QuantileMatching
from vaesampler._generation.residuals import ResidualModel
from vaesampler._rejection.critic import FittedCritic
from vaesampler._rejection.forest import FittedForestCritic, Tree, TreeNodes
from vaesampler._rejection.near_copies import NearCopies
from vaesampler._rejection.neighbors import FittedNeighborCritic
from vaesampler._rejection.network import HIDDEN_LAYER_SIZES, FittedNetworkCritic
from vaesampler._saving.checks import (
    check_forest,
    check_generator,
    check_neighbors,
    check_rows,
    check_sources,
    require,
)
from vaesampler._training.loop import TrainingHistory
from vaesampler._training.shrinkage import ShrunkNormal
from vaesampler._training.smoothing import RowSource, SmoothedRows
from vaesampler._vae.layers import StackedMLP
from vaesampler._vae.model import StackedVAE

Floats32: TypeAlias = npt.NDArray[np.float32]
# Encoded rows, or cells of a sparse table; if they are left out, their number.
SavedRows: TypeAlias = Floats32 | sparse.csr_array | int
Weights: TypeAlias = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class LeftOutRows(EncodedRows):
    """Stands for rows that were left out of a file: only their number is known."""

    n_rows: int
    n_slots: int

    def __len__(self) -> int:
        return self.n_rows

    @property
    def width(self) -> int:
        """Number of slots."""
        return self.n_slots

    def take(self, indices: npt.NDArray[np.intp]) -> Floats32:
        """Return no rows.

        Raises
        ------
        ValueError
            If `indices` are not empty.
        """
        if len(indices) > 0:
            raise ValueError(
                "The real rows were left out when the sampler was saved. Save it with "
                "`include_rows=True`, or fit it again."
            )
        return np.empty((0, self.n_slots), dtype=np.float32)

    def subset(self, indices: npt.NDArray[np.intp]) -> "LeftOutRows":
        """Return rows that were left out."""
        return LeftOutRows(len(indices), self.n_slots)


@dataclass(frozen=True, eq=False, kw_only=True)
class SavedForest:
    """A `FittedForestCritic`."""

    trees: list[TreeNodes]
    are_out_of_bag: npt.NDArray[np.bool_]  # (n_trees, n_own_rows + 1)
    share: float
    copy_distance: float


@dataclass(frozen=True, eq=False, kw_only=True)
class SavedNeighbors:
    """A `FittedNeighborCritic`."""

    reference: Floats32  # (n_reference, width)
    n_neighbors: int
    is_own: npt.NDArray[np.bool_]  # (n_reference,)
    source_indices: npt.NDArray[np.intp]  # (n_reference,)
    share: float
    copy_distance: float


@dataclass(frozen=True, eq=False, kw_only=True)
class SavedNetwork:
    """A `FittedNetworkCritic`."""

    weights: Weights
    share: float
    copy_distance: float


@dataclass(frozen=True, eq=False, kw_only=True)
class SavedGenerator:
    """A `ClassGenerator`."""

    label: Any
    support: Support
    class_center: Floats32  # (1, n_normal), of `ClassScaling`
    class_deviation: Floats32  # (1, n_normal)
    hidden_layer_sizes: tuple[int, ...]
    latent_dim: int
    activation: str
    weights: Weights
    center: Tensor  # (n_normal,), of `SmoothedRows`
    shape: ShrunkNormal
    bandwidth: float
    residuals: ResidualModel
    edges: dict[int, npt.NDArray[np.float64]]  # and all below of `QuantileMatching`
    shifted: npt.NDArray[np.intp]
    shifts: LookUpTable
    critic: SavedForest | SavedNeighbors | SavedNetwork | None
    rejection_strength: float
    own_rows: SavedRows
    held_out_rows: SavedRows | None
    fit: FitQuality
    history: TrainingHistory
    table_rows: npt.NDArray[np.intp] | None = None


def saved_generator(generator: ClassGenerator, *, include_rows: bool) -> SavedGenerator:
    """Return what a file holds of a generator.

    Raises
    ------
    TypeError
        If the critic is not one of this library.
    """
    vae, rows, quantiles = generator.vae, generator.rows, generator.quantiles
    held_out = generator.held_out_rows
    return SavedGenerator(
        label=generator.label,
        support=generator.support,
        class_center=generator.scaling.center,
        class_deviation=generator.scaling.deviation,
        hidden_layer_sizes=vae.hidden_layer_sizes,
        latent_dim=vae.latent_dim,
        activation=vae.activation,
        weights=dict(vae.state_dict()),
        center=rows.center,
        shape=rows.shape,
        bandwidth=rows.bandwidth,
        residuals=generator.residuals,
        edges=dict(quantiles.edges),
        shifted=quantiles.shifted,
        shifts=quantiles.shifts,
        critic=_saved_critic(generator.critic),
        rejection_strength=generator.rejection_strength,
        own_rows=_saved_rows(generator.own_rows, include_rows),
        held_out_rows=None
        if held_out is None or not include_rows
        else _saved_rows(held_out, include_rows),
        fit=generator.fit,
        history=generator.history,
        table_rows=generator.table_rows,
    )


def restored_generator(
    saved: SavedGenerator, encoder: TableEncoder, device: torch.device
) -> ClassGenerator:
    """Undo `saved_generator`.

    Raises
    ------
    ValueError
        If parts do not fit together.
    """
    layout = encoder.layout
    check_generator(saved, encoder)
    scaling = ClassScaling(layout, saved.class_center, saved.class_deviation)
    own_rows = _restored_rows(saved.own_rows, encoder)
    check_sources(saved, len(own_rows))
    levels = encoder.numeric.levels_by_slot()
    return ClassGenerator(
        label=saved.label,
        encoder=encoder,
        support=saved.support,
        scaling=scaling,
        vae=_restored_vae(saved, layout).to(device),
        rows=SmoothedRows(
            _row_source(own_rows, scaling, device),
            layout,
            saved.center.to(device),
            _moved(saved.shape, device),
            saved.bandwidth,
        ),
        residuals=ResidualModel(
            _moved(saved.residuals.shape, device),
            saved.residuals.learned.to(device),
            saved.residuals.mean_square,
            saved.residuals.share_of_rows,
            saved.residuals.share_kept,
        ),
        quantiles=QuantileMatching(levels, saved.edges, saved.shifted, saved.shifts),
        critic=_restored_critic(saved.critic, own_rows, layout.width),
        rejection_strength=saved.rejection_strength,
        own_rows=own_rows,
        held_out_rows=None
        if saved.held_out_rows is None
        else _restored_rows(saved.held_out_rows, encoder),
        fit=saved.fit,
        history=saved.history,
        table_rows=saved.table_rows,
    )


def _saved_rows(rows: EncodedRows, include_rows: bool) -> SavedRows:
    if isinstance(rows, LeftOutRows) or not include_rows:
        return len(rows)
    if isinstance(rows, DenseRows):
        return rows.matrix
    assert isinstance(rows, LazyRows)  # of a sparse table
    return sparse.csr_array(rows.cells.matrix)


def _restored_rows(saved: SavedRows, encoder: TableEncoder) -> EncodedRows:
    check_rows(saved, encoder)
    if isinstance(saved, int):
        return LeftOutRows(saved, encoder.layout.width)
    if isinstance(saved, np.ndarray):
        return DenseRows(saved)
    return LazyRows(TableCells(saved, encoder.schema.read_values), encoder.encode)


def _row_source(
    own_rows: EncodedRows, scaling: ClassScaling, device: torch.device
) -> RowSource:
    """Return the rows as the VAE sees them; zeros if they were left out."""
    if isinstance(own_rows, LeftOutRows):
        zeros = torch.zeros(1, own_rows.width, device=device, dtype=torch.float32)
        return RowSource(zeros.expand(len(own_rows), -1), device)
    indices = np.zeros(len(own_rows), dtype=np.intp)
    return RowSource.of(ScaledRows.of(own_rows, scaling, indices), device)


def _moved(shape: ShrunkNormal, device: torch.device) -> ShrunkNormal:
    return ShrunkNormal(shape.root.to(device), shape.deviation.to(device), shape.share_apart)


def _restored_vae(saved: SavedGenerator, layout: Layout) -> StackedVAE:
    hidden, latent_dim = saved.hidden_layer_sizes, saved.latent_dim
    _check_widths(saved.weights, "encoder.", [layout.width, *hidden, 2 * latent_dim])
    _check_widths(saved.weights, "decoder.", [latent_dim, *reversed(hidden), layout.width])
    vae = StackedVAE(1, layout, hidden, latent_dim, saved.activation)
    vae.load_state_dict(saved.weights)
    return vae


def _check_widths(weights: Mapping[str, Tensor], prefix: str, widths: Sequence[int]) -> None:
    """Check the shapes of weights before layers of these widths are made."""
    for index, ends in enumerate(pairwise(widths)):
        weight = weights[f"{prefix}layers.{index}.weight"]
        require(tuple(weight.shape) == (1, *ends), "weights")


def _saved_critic(
    critic: FittedCritic | None,
) -> SavedForest | SavedNeighbors | SavedNetwork | None:
    if critic is None:
        return None
    if type(critic) is FittedNeighborCritic:
        return SavedNeighbors(
            reference=critic.reference,
            n_neighbors=critic.n_neighbors,
            is_own=critic.is_own,
            source_indices=critic.source_indices,
            share=critic.share,
            copy_distance=critic.copy_distance,
        )
    if type(critic) is FittedForestCritic:
        return SavedForest(
            trees=[tree.nodes for tree in critic.trees],
            are_out_of_bag=np.array([tree.is_out_of_bag for tree in critic.trees]),
            share=critic.share,
            copy_distance=critic.copies.distance,
        )
    if type(critic) is FittedNetworkCritic:
        return SavedNetwork(
            weights=dict(critic.network.state_dict()),
            share=critic.share,
            copy_distance=critic.copies.distance,
        )
    raise TypeError(f"found a critic of {type(critic).__name__}")


def _restored_critic(
    saved: SavedForest | SavedNeighbors | SavedNetwork | None, own_rows: EncodedRows, width: int
) -> FittedCritic | None:
    if saved is None:
        return None
    if isinstance(saved, SavedNeighbors):
        check_neighbors(saved, len(own_rows), width)
        return FittedNeighborCritic(
            saved.reference,
            saved.n_neighbors,
            saved.is_own,
            saved.source_indices,
            saved.share,
            saved.copy_distance,
        )
    copies = NearCopies(own_rows, saved.copy_distance)
    if isinstance(saved, SavedForest):
        check_forest(saved, len(own_rows), width)
        trees = map(Tree, saved.trees, saved.are_out_of_bag)
        return FittedForestCritic(list(trees), saved.share, copies)
    widths = [width, *HIDDEN_LAYER_SIZES, 1]
    _check_widths(saved.weights, "", widths)
    network = StackedMLP(1, widths, "relu")
    network.load_state_dict(saved.weights)
    return FittedNetworkCritic(network, saved.share, copies)
