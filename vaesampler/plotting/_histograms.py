"""Histograms and bars of one column: its distribution among real and synthetic rows."""

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vaesampler._table.cells import Cells
from vaesampler._table.inference import infer_column
from vaesampler.plotting._samples import DATES, as_shown, unit_of
from vaesampler.plotting._style import REAL, REAL_FILL, SYNTHETIC, plain, show_shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.patches import StepPatch


# The sizes of what fits into a panel of `FeatureDistributionDisplay`.
N_BINS = 25
MOST_LEVELS = 8
LONGEST_LEVEL = 16  # characters
# Columns with at most this many different numbers, not all of them whole, are drawn as levels.
MOST_NUMBERS_AS_LEVELS = 10
# Outliers would squeeze all other values into one bin. If the range of the values is more than
# `FAR` times the distance between these quantiles of the real ones, at most twice that distance
# is drawn.
CENTRAL = (0.01, 0.99)
FAR = 3
LEAST_BEYOND = 0.0005  # the smallest share that is not rounded to 0.0%
# The scale of positive values is logarithmic if the ratio of their quantiles is larger.
MAGNITUDES = 100
# Smaller whole numbers would leave bins of a logarithmic scale empty.
SMALL_WHOLE = 10

# Differences of values up to this size, and a few times them, do not overflow.
LARGEST_TO_SUBTRACT = 1e307

Pair = tuple[npt.NDArray[Any], npt.NDArray[Any]]  # values of real and of synthetic rows


@dataclass(frozen=True)
class Marginal(ABC):
    """Distribution of a column: shares of the cells that are not missing."""

    name: str
    real: npt.NDArray[np.float64]  # (n_bars,)
    synthetic: npt.NDArray[np.float64]  # (n_bars,)
    missing: tuple[float, float]  # real, synthetic

    @abstractmethod
    def draw(self, ax: "Axes") -> "tuple[StepPatch | BarContainer, StepPatch | BarContainer]":
        """Draw the shares, and return the artists of real and of synthetic rows."""

    def notes(self) -> list[str]:
        """Return the shares of cells that are not drawn, in words."""
        if max(self.missing) == 0:
            return []
        return [f"missing: {self.missing[0]:.0%} real, {self.missing[1]:.0%} synthetic"]


@dataclass(frozen=True)
class NumberMarginal(Marginal):
    """Distribution of a column of numbers: shares of bins."""

    edges: npt.NDArray[np.float64]  # (n_bars + 1,)
    unit: str = ""
    is_log: bool = False
    beyond: tuple[float, float] = (0.0, 0.0)

    def draw(self, ax: "Axes") -> "tuple[StepPatch, StepPatch]":
        """Draw two histograms on top of each other."""
        real = ax.stairs(self.real, self.edges, fill=True, facecolor=REAL_FILL)
        ax.stairs(self.real, self.edges, color=REAL, linewidth=1)
        synthetic = ax.stairs(self.synthetic, self.edges, color=SYNTHETIC, linewidth=1.6)
        show_shares(ax.yaxis)
        if self.unit == DATES:
            _show_dates(ax)
        elif self.is_log:
            ax.set_xscale("log")
        else:
            _show_numbers(ax, self.edges)
        return real, synthetic

    def notes(self) -> list[str]:
        """Return the shares of cells that are not drawn, in words."""
        if max(self.beyond) < LEAST_BEYOND:
            return super().notes()
        beyond = f"beyond: {self.beyond[0]:.1%} real, {self.beyond[1]:.1%} synthetic"
        return [*super().notes(), beyond]


@dataclass(frozen=True)
class LevelMarginal(Marginal):
    """Distribution of a column of levels: the share of each."""

    levels: tuple[str, ...]  # (n_bars,)

    def draw(self, ax: "Axes") -> "tuple[BarContainer, BarContainer]":
        """Draw a pair of bars for each level, the real one above."""
        positions = np.arange(len(self.levels))
        real = ax.barh(positions - 0.2, self.real, 0.36, facecolor=REAL_FILL, edgecolor=REAL)
        synthetic = ax.barh(
            positions + 0.2, self.synthetic, 0.36, facecolor="none", edgecolor=SYNTHETIC
        )
        ax.set_yticks(positions, [plain(level, LONGEST_LEVEL) for level in self.levels])
        # The first level is on top. Bars of one or two levels are as thick as those of three.
        ax.set_ylim(max(len(self.levels), 3) - 0.5, -0.5)
        show_shares(ax.xaxis)
        return real, synthetic


def marginal_of(name: str, real: Cells, synthetic: Cells) -> Marginal:
    """Return the distribution of a column in both tables.

    Raises
    ------
    ValueError
        If one table has numbers where the other has categories.
    """
    both = real, synthetic
    if real.is_categorical != synthetic.is_categorical:
        kinds = ["categories" if each.is_categorical else "numbers" for each in both]
        raise ValueError(
            f"Column {name!r} must hold the same in both tables; found {kinds[0]} in X_real "
            f"and {kinds[1]} in X_synthetic. Pass both as the sampler takes and returns them."
        )
    unit = unit_of(real)
    real, synthetic = as_shown(real), as_shown(synthetic)
    observed = _observed(real.values), _observed(synthetic.values)
    missing = (
        1 - len(observed[0]) / len(real.values),
        1 - len(observed[1]) / len(synthetic.values),
    )
    column = infer_column(name, real, is_categorical=real.is_categorical)
    # The levels of a column of numbers are the values that repeat; it has none if few do.
    is_scale = 0 < len(column.levels) <= MOST_NUMBERS_AS_LEVELS
    if column.has_levels or (is_scale and not _are_whole(column.levels)):
        return _of_levels(
            name, observed, missing, real.dtype_levels if real.is_ordered else None
        )
    return _of_numbers(name, observed, missing, unit)


def _of_levels(
    name: str,
    observed: Pair,
    missing: tuple[float, float],
    order: Sequence[object] | None,
) -> LevelMarginal:
    real, synthetic = (Counter(cells.tolist()) for cells in observed)
    levels = sorted(real | synthetic, key=lambda level: -real[level])
    n_shown = len(levels) if len(levels) <= MOST_LEVELS else MOST_LEVELS - 1
    shown, others = levels[:n_shown], levels[n_shown:]
    if order is not None:
        rank_of = {level: rank for rank, level in enumerate(order)}
        shown = sorted(shown, key=lambda level: rank_of.get(level, len(rank_of)))
    elif all(isinstance(level, Real) for level in shown):
        shown = sorted(shown)
    names = [f"{level:g}" if isinstance(level, float) else str(level) for level in shown]
    if others:
        names.append(f"{len(others):,} others")

    def shares(counts: Counter[Any]) -> npt.NDArray[np.float64]:  # (n_bars,)
        of_others = [sum(counts[level] for level in others)] if others else []
        of_bars = [*(counts[level] for level in shown), *of_others]
        return np.array(of_bars, dtype=np.float64) / max(counts.total(), 1)

    return LevelMarginal(name, shares(real), shares(synthetic), missing, tuple(names))


def _of_numbers(
    name: str, observed: Pair, missing: tuple[float, float], unit: str
) -> NumberMarginal:
    is_log = unit == "" and _spans_magnitudes(*observed)
    edges = _log_edges(*observed) if is_log else _edges(*observed)
    shares = [np.histogram(values, bins=edges)[0] / max(len(values), 1) for values in observed]

    def share_beyond(values: npt.NDArray[np.float64]) -> float:
        is_beyond = (values < edges[0]) | (values > edges[-1])
        return float(is_beyond.sum() / max(len(values), 1))

    return NumberMarginal(
        name=name,
        real=shares[0],
        synthetic=shares[1],
        missing=missing,
        edges=edges,
        unit=unit,
        is_log=is_log,
        beyond=(share_beyond(observed[0]), share_beyond(observed[1])),
    )


def _spans_magnitudes(
    real: npt.NDArray[np.float64], synthetic: npt.NDArray[np.float64]
) -> bool:  # (n_real,) and (n_synthetic,)
    """Return whether all values are positive, and most span two orders of magnitude."""
    low, high = np.quantile(real, CENTRAL)
    least = SMALL_WHOLE if _are_whole(real) else 0
    are_positive = (real > 0).all() and (synthetic > 0).all()
    return bool(are_positive and low > least and high / MAGNITUDES > low)


def _log_edges(
    real: npt.NDArray[np.float64], synthetic: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:  # (n_real,) and (n_synthetic,) to (n_bins + 1,)
    together = np.concatenate([real, synthetic])
    edges: npt.NDArray[np.float64] = np.geomspace(together.min(), together.max(), N_BINS + 1)
    edges[[0, -1]] = together.min(), together.max()  # `geomspace` rounds them
    return edges


def _edges(
    real: npt.NDArray[np.float64], synthetic: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:  # (n_real,) and (n_synthetic,) to (n_bins + 1,)
    together = np.concatenate([real, synthetic])
    largest = float(np.abs(together).max())
    if largest > LARGEST_TO_SUBTRACT:
        return 8 * _edges(real / 8, synthetic / 8)
    lowest, highest = float(together.min()), float(together.max())
    low, high = np.quantile(real, CENTRAL)
    if highest - lowest > FAR * (high - low) > 0:
        margin = (high - low) / 2
        lowest, highest = max(lowest, low - margin), min(highest, high + margin)
    # Bins that floats can tell apart.
    margin = max(0, N_BINS * 2 * float(np.spacing(largest)) - (highest - lowest)) / 2
    if margin > 0:
        lowest, highest = lowest - margin, highest + margin
    elif _are_whole(together):
        # Bins with different numbers of whole numbers would give a ragged histogram.
        width = math.ceil((highest - lowest + 1) / N_BINS)
        return np.arange(math.floor(lowest) - 0.5, highest + width, width)
    return np.histogram_bin_edges(together, N_BINS, (lowest, highest))


def _observed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:  # (n_rows,) to (n_observed,)
    if values.dtype.kind == "O":
        return values[[value is not None for value in values]]
    if values.dtype.kind == "b":
        return values
    numbers = values.astype(np.float64)
    return numbers[~np.isnan(numbers)]


def _are_whole(values: npt.NDArray[Any]) -> bool:
    return bool((values == np.round(values.astype(np.float64))).all())


def _show_numbers(ax: "Axes", edges: npt.NDArray[np.float64]) -> None:  # (n_bins + 1,)
    from matplotlib.ticker import EngFormatter, MaxNLocator

    is_whole = edges[0] % 1 == 0.5
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=is_whole))
    # Labels such as 20000 would touch each other; 20k is shorter.
    if np.abs(edges).max() >= 10_000:
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))


def _show_dates(ax: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # matplotlib's dates are days since 1970, too.
    locator = AutoDateLocator(minticks=2, maxticks=6)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
