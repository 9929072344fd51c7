"""Rows of many columns as points in a plane."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.decomposition import PCA

from vaesampler.plotting._style import REAL_POINTS, SYNTHETIC_POINTS, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection


@dataclass(frozen=True)
class Projection:
    """Real and synthetic rows in the plane in which the real ones vary most."""

    real: np.ndarray  # (n_real, 2)
    synthetic: np.ndarray  # (n_synthetic, 2)
    variance_shares: tuple[float, float]  # of the real rows' variance

    @property
    def axis_names(self) -> list[str]:
        """What the two directions are, in words."""
        return [
            f"Principal component {number} ({share:.0%} of variance)"
            for number, share in enumerate(self.variance_shares, start=1)
        ]


def project(real: np.ndarray, synthetic: np.ndarray) -> Projection:
    """Find the plane from the real rows, (n_real, n_columns), and put both into it.

    A plane needs three rows that differ: where there are fewer real ones, all tell it.
    """
    rows = real if len(np.unique(real, axis=0)) > 2 else np.concatenate([real, synthetic])
    centre, deviates = rows.mean(axis=0), np.ptp(rows, axis=0).any()
    n_found = min(2, *rows.shape)
    planes = [np.zeros((len(each), 2)) for each in (real, synthetic)]
    shares = np.zeros(2)
    if deviates:
        pca = PCA(n_found, svd_solver="full").fit(rows - centre)
        shares[:n_found] = pca.explained_variance_ratio_
        for plane, each in zip(planes, (real, synthetic), strict=True):
            plane[:, :n_found] = pca.transform(each - centre)
    return Projection(planes[0], planes[1], (float(shares[0]), float(shares[1])))


def draw_points(
    ax: "Axes",
    real: np.ndarray,  # (n_real, 2)
    synthetic: np.ndarray,  # (n_synthetic, 2)
    names: tuple[str, str],
    scatter_kwargs: Mapping[str, Any] | None,
) -> "tuple[PathCollection, PathCollection]":
    """Draw the real rows, and the synthetic ones over them, with their names in the legend."""
    return (
        ax.scatter(*real.T, label=names[0], **style("points", REAL_POINTS, scatter_kwargs)),
        ax.scatter(
            *synthetic.T, label=names[1], **style("points", SYNTHETIC_POINTS, scatter_kwargs)
        ),
    )
