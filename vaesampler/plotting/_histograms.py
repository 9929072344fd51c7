"""How the cells of one column are distributed, among real and among synthetic rows."""

import math
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from vaesampler._table.cells import Cells
from vaesampler._table.inference import infer_column
from vaesampler.plotting._samples import DATES
from vaesampler.plotting._style import REAL, REAL_FILL, SYNTHETIC, plain, show_shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes


N_BINS = 25
# Numbers that are not whole are drawn as levels if there are no more different ones.
MOST_NUMBERS_AS_LEVELS = 10
MOST_LEVELS = 8
LONGEST_LEVEL = 16
# Far numbers would squeeze the others into one bin. If the real ones reach so many times
# farther than these quantiles of them, no more than twice the way between those is shown.
CENTRAL = (0.01, 0.99)
FAR = 3
LEAST_BEYOND = 0.0005  # which would be called .1%
# Positive numbers whose quantiles are so many times apart have a logarithmic scale.
MAGNITUDES = 100
SMALL_WHOLE = 10
Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Marginal(ABC):
    """Shares of the real and of the synthetic rows whose cell of a column is such and such.

    Shares are of the cells that are not missing.
    """

    name: str
    real: np.ndarray  # (n_bars,)
    synthetic: np.ndarray  # (n_bars,)
    missing: tuple[float, float]  # real, synthetic

    @abstractmethod
    def draw(self, ax: "Axes") -> tuple[Any, Any]:
        """Draw the shares, and return the artists of the real and of the synthetic ones."""

    def notes(self) -> list[str]:
        """Say what the picture leaves out."""
        if max(self.missing) == 0:
            return []
        return [f"missing: {self.missing[0]:.0%} real, {self.missing[1]:.0%} synthetic"]


@dataclass(frozen=True)
class NumberMarginal(Marginal):
    """Of a column of numbers: the shares in bins."""

    edges: np.ndarray  # (n_bars + 1,)
    unit: str = ""
    is_log: bool = False
    beyond: tuple[float, float] = (0.0, 0.0)

    def draw(self, ax: "Axes") -> tuple[Any, Any]:
        """Draw two histograms over each other."""
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
        """Say what the picture leaves out."""
        if max(self.beyond) < LEAST_BEYOND:
            return super().notes()
        beyond = f"beyond: {self.beyond[0]:.1%} real, {self.beyond[1]:.1%} synthetic"
        return [*super().notes(), beyond]


@dataclass(frozen=True)
class LevelMarginal(Marginal):
    """Of a column of levels: the share of each."""

    levels: tuple[str, ...]  # (n_bars,)

    def draw(self, ax: "Axes") -> tuple[Any, Any]:
        """Draw a pair of bars for each level, the real one above."""
        places = np.arange(len(self.levels))
        real = ax.barh(places - 0.2, self.real, 0.36, facecolor=REAL_FILL, edgecolor=REAL)
        synthetic = ax.barh(
            places + 0.2, self.synthetic, 0.36, facecolor="none", edgecolor=SYNTHETIC
        )
        ax.set_yticks(places, [plain(level, LONGEST_LEVEL) for level in self.levels])
        # The first level is on top; a bar is no thicker for having no others beside it.
        ax.set_ylim(max(len(self.levels), 3) - 0.5, -0.5)
        show_shares(ax.xaxis)
        return real, synthetic


def find_marginal(name: str, real: Cells, synthetic: Cells) -> Marginal:
    """Return how the cells of one column are distributed in both tables.

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
    observed = _observed(real.values), _observed(synthetic.values)
    missing = (
        1 - len(observed[0]) / len(real.values),
        1 - len(observed[1]) / len(synthetic.values),
    )
    column = infer_column(name, real, is_categorical=real.is_categorical)
    is_scale = column.kind == "discrete" and len(column.levels) <= MOST_NUMBERS_AS_LEVELS
    if column.has_levels or (is_scale and not _are_whole(column.levels)):
        return _of_levels(name, observed, missing)
    return _of_numbers(name, observed, missing, real.note)


def _of_levels(name: str, observed: Pair, missing: tuple[float, float]) -> LevelMarginal:
    real, synthetic = (Counter(cells.tolist()) for cells in observed)
    levels = sorted(real | synthetic, key=lambda level: -real[level])
    n_shown = len(levels) if len(levels) <= MOST_LEVELS else MOST_LEVELS - 1
    shown, others = levels[:n_shown], levels[n_shown:]
    if all(isinstance(level, Real) for level in shown):
        shown = sorted(shown)
    names = [f"{level:g}" if isinstance(level, float) else str(level) for level in shown]
    if others:
        names.append(f"{len(others):,} others")

    def shares(counts: Counter) -> np.ndarray:
        of_others = [sum(counts[level] for level in others)] if others else []
        numbers = [*(counts[level] for level in shown), *of_others]
        return np.array(numbers, dtype=np.float64) / max(counts.total(), 1)

    return LevelMarginal(name, shares(real), shares(synthetic), missing, tuple(names))


def _of_numbers(
    name: str, observed: Pair, missing: tuple[float, float], unit: str
) -> NumberMarginal:
    is_log = unit == "" and _spans_magnitudes(*observed)
    edges = _log_edges(*observed) if is_log else _edges(*observed)
    shares = [np.histogram(cells, bins=edges)[0] / max(len(cells), 1) for cells in observed]

    def beyond(cells: np.ndarray) -> float:
        return float(((cells < edges[0]) | (cells > edges[-1])).sum() / max(len(cells), 1))

    return NumberMarginal(
        name,
        shares[0],
        shares[1],
        missing,
        edges,
        unit,
        is_log,
        (beyond(observed[0]), beyond(observed[1])),
    )


def _spans_magnitudes(real: np.ndarray, synthetic: np.ndarray) -> bool:
    """Tell whether numbers are all positive, and most of them fill two orders of magnitude."""
    low, high = np.quantile(real, CENTRAL)
    # Small whole numbers would leave bins of a logarithmic scale empty.
    least = SMALL_WHOLE if _are_whole(real) else 0
    are_positive = (real > 0).all() and (synthetic > 0).all()
    return bool(are_positive and low > least and high > MAGNITUDES * low)


def _log_edges(real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:  # (n_bins + 1,)
    together = np.concatenate([real, synthetic])
    edges: np.ndarray = np.geomspace(together.min(), together.max(), N_BINS + 1)
    edges[[0, -1]] = together.min(), together.max()  # which rounding may have moved
    return edges


def _edges(real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:  # (n_bins + 1,)
    together = np.concatenate([real, synthetic])
    lowest, highest = float(together.min()), float(together.max())
    low, high = np.quantile(real, CENTRAL)
    if highest - lowest > FAR * (high - low) > 0:
        way = high - low
        lowest, highest = max(lowest, low - way / 2), min(highest, high + way / 2)
    if _are_whole(together):
        # Bins of unequal numbers of whole numbers would make a comb of the histogram.
        width = math.ceil((highest - lowest + 1) / N_BINS)
        return np.arange(math.floor(lowest) - 0.5, highest + width, width)
    return np.histogram_bin_edges(together, N_BINS, (lowest, highest))


def _observed(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "O":
        return values[[value is not None for value in values]]
    numbers = values if values.dtype.kind == "b" else values.astype(np.float64)
    return numbers[~np.isnan(numbers)] if numbers.dtype.kind == "f" else numbers


def _are_whole(numbers: np.ndarray) -> bool:
    return bool((numbers == np.round(numbers.astype(np.float64))).all())


def _show_numbers(ax: "Axes", edges: np.ndarray) -> None:
    from matplotlib.ticker import EngFormatter, MaxNLocator

    is_whole = edges[0] % 1 == 0.5
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=is_whole))
    if (
        np.abs(edges).max() >= 10_000
    ):  # 20k is shorter than 20000, whose neighbours it would touch
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))


def _show_dates(ax: "Axes") -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # matplotlib, too, counts days since 1970.
    locator = AutoDateLocator(minticks=2, maxticks=6)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
