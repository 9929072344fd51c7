"""Projection of rows to a plane, drawn as a scatter plot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

from vaesampler.plotting._style import REAL_POINTS, SYNTHETIC_POINTS, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection


@dataclass(frozen=True)
class Projection:
    """Coordinates on the first two principal components of the real rows."""

    real: npt.NDArray[np.float64]  # (n_real, 2)
    synthetic: npt.NDArray[np.float64]  # (n_synthetic, 2)
    variance_shares: tuple[float, float]  # of the real rows' variance

    @property
    def axis_names(self) -> list[str]:
        """Labels of the axes."""
        return [
            f"Principal component {component} ({share:.0%} of variance)"
            for component, share in enumerate(self.variance_shares, start=1)
        ]


def project(
    real: npt.NDArray[np.float64],  # (n_real, width)
    synthetic: npt.NDArray[np.float64],  # (n_synthetic, width)
) -> Projection:
    """Project both tables to the first two principal components of the real rows.

    If fewer than three real rows differ, use the principal components of both tables.
    """
    rows = real if len(np.unique(real, axis=0)) > 2 else np.concatenate([real, synthetic])
    centre, n_components = rows.mean(axis=0), min(2, *rows.shape)
    projected = [np.zeros((len(table), 2)) for table in (real, synthetic)]
    shares = np.zeros(2)
    if np.ptp(rows, axis=0).any():
        pca = PCA(n_components, svd_solver="full").fit(rows - centre)
        shares[:n_components] = pca.explained_variance_ratio_
        for coordinates, table in zip(projected, (real, synthetic), strict=True):
            coordinates[:, :n_components] = pca.transform(table - centre)
    return Projection(projected[0], projected[1], (float(shares[0]), float(shares[1])))


def draw_points(
    ax: "Axes",
    real: npt.NDArray[np.float64],  # (n_real, 2)
    synthetic: npt.NDArray[np.float64],  # (n_synthetic, 2)
    names: tuple[str, str],
    scatter_kwargs: Mapping[str, Any] | None,
) -> "tuple[PathCollection, PathCollection]":
    """Draw synthetic rows on top of real ones, with the labels `names`."""
    return (
        ax.scatter(*real.T, label=names[0], **style("points", REAL_POINTS, scatter_kwargs)),
        ax.scatter(
            *synthetic.T, label=names[1], **style("points", SYNTHETIC_POINTS, scatter_kwargs)
        ),
    )
