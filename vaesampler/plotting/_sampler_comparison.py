"""`SamplerComparisonDisplay`: scores of several samplers on each fold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from vaesampler._runtime.optional import require_matplotlib
from vaesampler.comparison import paired_differences, summarize
from vaesampler.plotting._style import (
    BLUE,
    GREY,
    VERMILION,
    count,
    legend_above,
    plain,
    split_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import ErrorbarContainer
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D
    from pandas import DataFrame

CONFIDENCE = 0.95
ZERO = "no sampler: zero"  # a name that no sampler has
N_COLS = 3
PANEL_WIDTH, LINE_HEIGHT = 2.6, 0.32  # inches
HEAD = 0.5  # height of the legend, in inches
LONGEST_SAMPLER = 24  # characters
ACRONYMS = {
    "brier": "Brier",
    "roc": "ROC",
    "auc": "AUC",
    "ovr": "OVR",
    "ovo": "OVO",
    "f1": "F1",
}
FOLD_LOOK: dict[str, Any] = {
    "linestyle": "",
    "marker": "o",
    "markersize": 5,
    "markeredgewidth": 0,
    "alpha": 0.35,
}


@dataclass(frozen=True)
class FoldScores:
    """Scores of a sampler in one metric, or their differences to those of the baseline.

    The mean and the ends of its 95% confidence interval are NaN if there are too few folds.
    """

    sampler: str
    metric: str
    scores: npt.NDArray[np.float64]  # (n_folds,), without those that failed
    mean: float
    low: float
    high: float
    n_failed: int

    @property
    def color(self) -> str:
        """Blue if the interval is above zero, vermilion if it is below, else grey."""
        if self.low > 0:
            return BLUE
        return VERMILION if self.high < 0 else GREY


class SamplerComparisonDisplay:
    """Scores of samplers: a panel per metric, a dot per fold, and means with intervals.

    With a baseline, draw the differences to its scores on the same folds, which vary less than
    the scores because some folds are hard for all samplers. Intervals above zero are blue,
    intervals below zero vermilion: such a difference is significant unless it is one of many.

    The 95% confidence intervals are those of :func:`vaesampler.comparison.paired_differences`.
    They are wider than for independent scores, because the training rows of folds overlap. The
    interval of a score is that of its difference to zero.

    Create one with `from_comparison`. All parameters are stored as attributes.

    Parameters
    ----------
    fold_scores : list of FoldScores
        For each metric and sampler: its `scores` or their differences to those of the baseline,
        their `mean`, the ends `low` and `high` of its confidence interval, and the number of
        folds that failed, `n_failed`.
    baseline : str, default=None
        Sampler whose scores are subtracted. If None, scores are shown.

    Attributes
    ----------
    folds_ : list of matplotlib Line2D
        Dots of all folds, one artist for each of `fold_scores`.
    means_ : list of matplotlib ErrorbarContainer
        Means with their intervals, one for each of `fold_scores`.
    axes_ : ndarray of matplotlib Axes
        Panels, one per metric.
    ax_ : matplotlib Axes
        Axes that are split into the panels; the first panel if several axes were given.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    vaesampler.compare_samplers : Compute the scores.
    vaesampler.comparison.paired_differences : Compute the intervals.

    References
    ----------
    Claude Nadeau, Yoshua Bengio (2003). Inference for the Generalization Error.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from imblearn.over_sampling import SMOTE
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from vaesampler import VAEOversampler
    >>> from vaesampler.comparison import compare_samplers
    >>> from vaesampler.plotting import SamplerComparisonDisplay
    >>> X, y = make_classification(n_samples=400, weights=[0.9], random_state=0)
    >>> comparison = compare_samplers(
    ...     [None, SMOTE(random_state=0), VAEOversampler(random_state=0)],
    ...     X,
    ...     y,
    ...     estimator=LogisticRegression(),
    ...     cv=3,
    ...     scoring=["roc_auc", "balanced_accuracy"],
    ...     random_state=0,
    ... )
    >>> display = SamplerComparisonDisplay.from_comparison(comparison, baseline="none")
    >>> [ax.get_title() for ax in display.axes_]
    ['ROC AUC', 'Balanced accuracy']
    >>> plt.close(display.figure_)
    """

    folds_: "list[Line2D]"
    means_: "list[ErrorbarContainer]"
    axes_: npt.NDArray[np.object_]  # (n_panels,)
    ax_: "Axes"
    figure_: "Figure | SubFigure"

    def __init__(
        self, *, fold_scores: Sequence[FoldScores], baseline: str | None = None
    ) -> None:
        self.fold_scores = fold_scores
        self.baseline = baseline

    def plot(self, ax: "Axes | Sequence[Axes] | None" = None) -> Self:
        """Draw a panel for each metric, with a line for each sampler.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of one for each metric, default=None
            Axes to split into panels, or the panels. If None, create a new figure.

        Returns
        -------
        display : SamplerComparisonDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` has too few panels, or is split already.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from imblearn.over_sampling import RandomOverSampler
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> from vaesampler import compare_samplers
        >>> from vaesampler.plotting import SamplerComparisonDisplay
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> comparison = compare_samplers(
        ...     {"none": None, "random": RandomOverSampler(random_state=0)},
        ...     *(X, y),
        ...     estimator=DecisionTreeClassifier(random_state=0),
        ...     scoring=["accuracy", "f1"],
        ... )
        >>> display = SamplerComparisonDisplay.from_comparison(comparison)
        >>> figure, axes = plt.subplots(1, 2)
        >>> [ax.get_title() for ax in display.plot(axes).axes_]
        ['Accuracy', 'F1']
        >>> plt.close("all")
        """
        require_matplotlib(f"{type(self).__name__}.plot")
        metrics = list(dict.fromkeys(entry.metric for entry in self.fold_scores))
        samplers = list(dict.fromkeys(entry.sampler for entry in self.fold_scores))
        n_cols = min(len(metrics), 2 if len(metrics) == 4 else N_COLS)
        n_rows = math.ceil(len(metrics) / n_cols)
        height = LINE_HEIGHT * len(samplers) + 0.8
        size = (PANEL_WIDTH * n_cols + 1.4, height * n_rows + HEAD)
        self.ax_, self.axes_ = split_axes(
            ax, (n_rows, n_cols), len(metrics), size, head=HEAD / height
        )
        self.figure_ = self.ax_.figure
        self.folds_, self.means_ = [], []
        panels = dict(zip(metrics, self.axes_, strict=True))
        for entry in self.fold_scores:
            self._draw(panels[entry.metric], samplers.index(entry.sampler), entry)
        for index, (metric, panel) in enumerate(panels.items()):
            self._name(panel, metric, samplers if index % n_cols == 0 else None)
            panel.set_ylim(len(samplers) - 0.5, -0.5)  # the first sampler on top
        legend_above(self.ax_, self.axes_, self._handles())
        return self

    @classmethod
    def from_comparison(
        cls,
        comparison: "DataFrame",
        *,
        baseline: str | None = None,
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> Self:
        """Draw the result of :func:`~vaesampler.compare_samplers`.

        Parameters
        ----------
        comparison : pandas DataFrame
            Result of :func:`~vaesampler.compare_samplers`, or several of them with the same
            folds, concatenated.
        baseline : str, default=None
            Sampler whose scores are subtracted. If None, draw the scores.
        ax : matplotlib Axes, or sequence of one for each metric, default=None
            Axes to split into panels, or the panels. If None, create a new figure.

        Returns
        -------
        display : SamplerComparisonDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If a column is missing, if a sampler has two scores in a fold, if `baseline` is not
            one of the samplers or is the only one, or if their folds differ.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from imblearn.over_sampling import RandomOverSampler
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> from vaesampler import compare_samplers
        >>> from vaesampler.plotting import SamplerComparisonDisplay
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> comparison = compare_samplers(
        ...     {"none": None, "random": RandomOverSampler(random_state=0)},
        ...     *(X, y),
        ...     estimator=DecisionTreeClassifier(random_state=0),
        ...     scoring=["accuracy", "f1"],
        ... )
        >>> display = SamplerComparisonDisplay.from_comparison(comparison, baseline="none")
        >>> [entry.sampler for entry in display.fold_scores]
        ['random', 'random']
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_comparison")
        summarize(comparison)  # raises an error if it is malformed
        display = cls(fold_scores=_fold_scores(comparison, baseline), baseline=baseline)
        if not display.fold_scores:
            raise ValueError(
                "There must be a sampler to show, and one besides the baseline; found "
                f"{comparison['sampler'].unique().tolist()} with `baseline={baseline!r}`."
            )
        return display.plot(ax)

    def _draw(self, panel: "Axes", position: int, entry: FoldScores) -> None:
        color = BLUE if self.baseline is None else entry.color
        self.folds_ += panel.plot(
            entry.scores,
            np.full(len(entry.scores), position),
            color=GREY if self.baseline is None else color,
            **FOLD_LOOK,
        )
        # The interval may be unknown.
        interval = [[entry.mean - entry.low], [entry.high - entry.mean]]
        self.means_.append(
            panel.errorbar(
                entry.mean,
                position,
                xerr=None if np.isnan(interval).any() else interval,
                fmt="D",
                color=color,
                markersize=5,
                capsize=3,
                linewidth=1.6,
            )
        )
        if len(entry.scores) == 0:
            panel.text(
                *(0.03, position, "failed"),
                transform=panel.get_yaxis_transform(),
                va="center",
                color=GREY,
                fontsize="small",
            )

    def _handles(self) -> "list[Line2D]":
        from matplotlib.lines import Line2D

        color = BLUE if self.baseline is None else GREY
        mean = Line2D([], [], color=color, marker="D", markersize=5)
        mean.set_label(f"mean, with its {CONFIDENCE:.0%} interval")
        return [Line2D([], [], color=GREY, label="a fold", **FOLD_LOOK), mean]

    def _name(self, panel: "Axes", metric: str, samplers: Sequence[str] | None) -> None:
        from matplotlib.ticker import MaxNLocator

        panel.set_title(_in_words(metric), fontsize="medium")
        panel.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        panel.tick_params(labelsize="small")
        panel.grid(axis="y", linewidth=0.4, alpha=0.4)
        panel.set_axisbelow(True)
        n_samplers = len({entry.sampler for entry in self.fold_scores})
        names = [] if samplers is None else [plain(one, LONGEST_SAMPLER) for one in samplers]
        panel.set_yticks(range(n_samplers), names or [""] * n_samplers)
        what = "score"
        if self.baseline is not None:
            panel.axvline(0, color=GREY, linestyle="--", linewidth=1)
            what = f"score above that of {plain(self.baseline, LONGEST_SAMPLER)}"
        failures = [
            f"{plain(entry.sampler)}: {count(entry.n_failed, 'fold')} failed"
            for entry in self.fold_scores
            if entry.metric == metric and entry.n_failed and len(entry.scores) > 0
        ]
        panel.set_xlabel("\n".join([what, *failures]), fontsize="small")


def _fold_scores(comparison: "DataFrame", baseline: str | None) -> list[FoldScores]:
    import pandas as pd

    if baseline is None:
        # A score is the difference to a sampler that always scores 0.
        baseline = ZERO
        zeros = comparison.drop_duplicates(["fold", "metric"])
        zeros = zeros.assign(sampler=baseline, score=0.0)
        comparison = pd.concat([comparison, zeros], ignore_index=True)
    means = paired_differences(comparison, baseline, confidence_level=CONFIDENCE)
    means = means.set_index(["metric", "sampler"])
    found = []
    for metric, of_metric in comparison.groupby("metric", sort=False):
        scores = of_metric.pivot(index="fold", columns="sampler", values="score")
        for sampler in of_metric["sampler"].unique():
            if (metric, sampler) in means.index:
                mean = means.loc[(metric, sampler)]
                differences = (scores[sampler] - scores[baseline]).to_numpy(dtype=np.float64)
                is_known = ~np.isnan(differences)
                found.append(
                    FoldScores(
                        sampler=str(sampler),
                        metric=str(metric),
                        scores=differences[is_known],
                        mean=float(mean["mean_difference"]),
                        low=float(mean["ci_low"]),
                        high=float(mean["ci_high"]),
                        n_failed=int((~is_known).sum()),
                    )
                )
    return found


def _in_words(metric: str) -> str:
    words = [ACRONYMS.get(word, word) for word in metric.split("_")]
    return plain(" ".join([words[0][:1].upper() + words[0][1:], *words[1:]]))
