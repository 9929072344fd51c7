"""`ValidationDisplay`: memorizing and weakness against a parameter."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length

from vaesampler._runtime.optional import require_matplotlib
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.labels import labels_of, take_labels
from vaesampler.plotting._samples import RandomState, take_rows
from vaesampler.plotting._style import (
    BLUE,
    GREY,
    VERMILION,
    legend_beside,
    plain,
    show_shares,
    split_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

    from vaesampler._estimators.oversampler import VAEOversampler
    from vaesampler.metrics._report import SyntheticReport

IDEAL_NEAR_COPIES = 0.05
IDEAL_AUC = 0.5
MIN_SYNTHETIC_ROWS = 500
MAX_SYNTHETIC_ROWS = 2_000


class ValidationDisplay:
    """How much a sampler memorizes, and how weak it is, against one of its parameters.

    The upper panel shows the share of near copies: synthetic rows that are nearer to a real
    row trained on than 95% of new real rows are. Above 5% the sampler hands back what it has
    seen. The lower panel shows how well a classifier tells synthetic rows from new real ones:
    an area under the ROC curve (AUC) of .5 is a guess, and the farther above, the less the
    synthetic rows are like real ones. A good value of the parameter is low in both.

    Use `from_estimator` or `from_reports` to make one. All parameters are kept as attributes.

    Parameters
    ----------
    param_name : str
        The parameter.
    param_range : list of length n_values
        Its values.
    near_copies : ndarray of shape (n_values, n_repeats)
        Share of near copies for each value, in each repeat; NaN where it is not known.
    auc : ndarray of shape (n_values, n_repeats)
        Area under the ROC curve of telling synthetic from real rows.

    Attributes
    ----------
    lines_ : list of 2 matplotlib Line2D
        Means over the repeats: of near copies, and of the AUC.
    points_ : list of 2 matplotlib Line2D
        Each repeat; empty where there is one.
    ideal_lines_ : list of 2 matplotlib Line2D
        What new real rows would get.
    axes_ : ndarray of 2 matplotlib Axes
        The panels: near copies above, AUC below.
    ax_ : matplotlib Axes
        The axes whose room the panels share; the upper panel if two axes were given.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    vaesampler.synthetic_report : The figures, and others, in words.
    sklearn.model_selection.ValidationCurveDisplay : The score of a classifier against a
        parameter, which may be one of the sampler before it.

    References
    ----------
    David Lopez-Paz, Maxime Oquab (2017). Revisiting Classifier Two-Sample Tests.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import VAEOversampler
    >>> from vaesampler.plotting import ValidationDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> display = ValidationDisplay.from_estimator(
    ...     VAEOversampler(random_state=0), X, y, param_range=[1, 4], label=2, n_repeats=1
    ... )
    >>> display.param_range
    [1, 4]
    >>> plt.close(display.figure_)
    """

    lines_: "list[Line2D]"
    points_: "list[Line2D]"
    ideal_lines_: "list[Line2D]"
    axes_: np.ndarray
    ax_: "Axes"
    figure_: "Figure | SubFigure"

    def __init__(
        self,
        *,
        param_name: str,
        param_range: Sequence[Any],
        near_copies: np.ndarray,
        auc: np.ndarray,
    ) -> None:
        self.param_name = param_name
        self.param_range = param_range
        self.near_copies = near_copies
        self.auc = auc

    def plot(self, ax: "Axes | Sequence[Axes] | None" = None) -> Self:
        """Draw both figures against the parameter, whose values stand at even distances.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of 2 of them, default=None
            Axes whose room is split, or the two panels. None makes a new figure.

        Returns
        -------
        display : ValidationDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` does not do.
        """
        require_matplotlib(f"{type(self).__name__}.plot")
        room, self.axes_ = split_axes(ax, (2, 1), 2, (7, 5), sharex=True)
        self.ax_ = self.axes_[0] if room is None else room
        self.figure_ = self.ax_.figure
        self.lines_, self.points_, self.ideal_lines_ = [], [], []
        upper, lower = self.axes_
        self._draw(upper, self.near_copies, IDEAL_NEAR_COPIES, "s", VERMILION)
        self._draw(lower, self.auc, IDEAL_AUC, "o", BLUE)
        self._name()
        return self

    @classmethod
    def from_estimator(
        cls,
        sampler: "VAEOversampler",
        X: Any,
        y: Any,
        *,
        param_name: str = "latent_dim",
        param_range: Sequence[Any],
        label: Hashable = None,
        test_size: float | int = 0.25,
        n_repeats: int = 3,
        random_state: RandomState = None,
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> Self:
        """Fit the sampler with each value of a parameter, and judge what it draws.

        Some rows of the class are held out, the sampler is fitted to all others, and
        :func:`vaesampler.synthetic_report` compares its synthetic rows with both. That is
        repeated with other rows held out, because the figures of few rows are uncertain.

        Parameters
        ----------
        sampler : VAEOversampler
            A sampler, fitted or not; clones of it are fitted.
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Rows of all classes.
        y : array-like of shape (n_rows,)
            Their labels.
        param_name : str, default="latent_dim"
            The parameter of the sampler.
        param_range : sequence
            The values that it shall take.
        label : object, default=None
            The class. None stands for the one with the fewest rows.
        test_size : float or int, default=0.25
            Share, or number, of the class's rows that are held out.
        n_repeats : int, default=3
            How many times.
        random_state : int, RandomState instance or None, default=None
            Which rows are held out and which synthetic ones are drawn. The sampler's own
            `random_state` stays as it is.
        ax : matplotlib Axes, or sequence of 2 of them, default=None
            Axes whose room is split, or the two panels. None makes a new figure.

        Returns
        -------
        display : ValidationDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If y holds fewer than 4 rows of the class, `param_range` is empty, `n_repeats` is
            below 1, or the sampler adds no rows to the class or has no such parameter.
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        from vaesampler.metrics._report import synthetic_report

        if n_repeats < 1:
            raise ValueError(f"n_repeats must be at least 1; found {n_repeats}.")
        labels = np.asarray(labels_of(y))
        check_consistent_length(X, labels)
        label = _rarest(labels) if label is None else label
        own, others = np.flatnonzero(labels == label), np.flatnonzero(labels != label)
        _check_class(label, len(own))
        seeds = Seeds.from_random_state(random_state)
        values = list(param_range)
        reports: list[list[SyntheticReport]] = [[] for _ in values]
        for repeat in range(n_repeats):
            seed = seeds.integer("hold out", repeat)
            train, held_out = train_test_split(own, test_size=test_size, random_state=seed)
            rows = np.sort(np.concatenate([others, train]))
            X_fit, y_fit = take_rows(X, rows), take_labels(y, rows)
            X_train, X_held_out = take_rows(X, np.sort(train)), take_rows(X, np.sort(held_out))
            n_samples = int(np.clip(len(train), MIN_SYNTHETIC_ROWS, MAX_SYNTHETIC_ROWS))
            for value, found in zip(values, reports, strict=True):
                fitted = clone(sampler).set_params(**{param_name: value}).fit(X_fit, y_fit)
                synthetic = fitted.sample(label, n_samples, random_state=seed)
                found.append(
                    synthetic_report(
                        X_train,
                        synthetic,
                        X_held_out,
                        categorical_features=fitted.categorical_features,
                        random_state=seed,
                    )
                )
        return cls._of(values, reports, param_name).plot(ax)

    @classmethod
    def from_reports(
        cls,
        reports: "Mapping[Any, SyntheticReport | Sequence[SyntheticReport]]",
        *,
        param_name: str = "latent_dim",
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> Self:
        """Draw the figures of reports.

        Parameters
        ----------
        reports : dict of value to SyntheticReport, or to a sequence of them
            For each value of the parameter one report, or as many for each as there were
            repeats.
        param_name : str, default="latent_dim"
            The parameter.
        ax : matplotlib Axes, or sequence of 2 of them, default=None
            Axes whose room is split, or the two panels. None makes a new figure.

        Returns
        -------
        display : ValidationDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are no reports, not as many for each value, or none could tell anything.
        """
        require_matplotlib(f"{cls.__name__}.from_reports")
        repeats = [
            list(found) if isinstance(found, Sequence) else [found]
            for found in reports.values()
        ]
        return cls._of(list(reports), repeats, param_name).plot(ax)

    @classmethod
    def _of(
        cls, values: list[Any], reports: "list[list[SyntheticReport]]", param_name: str
    ) -> Self:
        numbers = {len(found) for found in reports}
        if len(numbers) != 1 or 0 in numbers:
            raise ValueError(
                "There must be at least one value of the parameter, and as many reports, at "
                f"least 1, for each; found {sorted(numbers)} for {len(reports)} values."
            )
        near_copies, auc = (
            np.array([[getattr(report, name) for report in found] for found in reports])
            for name in ("share_near_copies", "two_sample_auc")
        )
        if np.isnan(auc).all() and np.isnan(near_copies).all():
            raise ValueError(
                "The reports must know the share of near copies or the AUC, and none does: "
                "their rows were too few. Hold out more rows of the class."
            )
        return cls(param_name=param_name, param_range=values, near_copies=near_copies, auc=auc)

    def _draw(
        self, panel: "Axes", figures: np.ndarray, ideal: float, marker: str, color: str
    ) -> None:
        places = np.arange(len(self.param_range))
        if figures.shape[1] > 1:
            self.points_ += panel.plot(
                np.repeat(places, figures.shape[1]),
                figures.ravel(),
                marker,
                color=color,
                alpha=0.35,
                markersize=5,
                markeredgewidth=0,
            )
        # A figure that no repeat knows is left out; `nanmean` would warn of it.
        is_known = ~np.isnan(figures)
        means = np.where(is_known, figures, 0).sum(axis=1) / np.maximum(is_known.sum(axis=1), 1)
        means[~is_known.any(axis=1)] = np.nan
        self.lines_ += panel.plot(places, means, f"{marker}-", color=color)
        self.ideal_lines_.append(panel.axhline(ideal, color=GREY, linestyle="--", linewidth=1))

    def _name(self) -> None:
        from matplotlib.lines import Line2D

        upper, lower = self.axes_
        upper.set_title("Memorizing? Higher is learned by heart", loc="left", fontsize="medium")
        upper.set_ylabel("Near copies\n(share of rows)")
        show_shares(upper.yaxis)
        upper.set_ylim(0, max(0.12, 1.1 * upper.dataLim.ymax))
        upper.tick_params(labelbottom=False)
        lower.set_title(
            "Too weak? Higher is less like real rows", loc="left", fontsize="medium"
        )
        lower.set_ylabel("AUC of telling\nsynthetic from real")
        lower.set_ylim(min(0.45, lower.dataLim.ymin - 0.05), 1.02)
        lower.set_xticks(range(len(self.param_range)), [plain(one) for one in self.param_range])
        lower.set_xlim(-0.4, len(self.param_range) - 0.6)
        lower.set_xlabel(plain(self.param_name))
        for panel, line, ideal, name in zip(
            self.axes_, self.lines_, self.ideal_lines_, ("5%", "0.5"), strict=True
        ):
            line.set_label("one split")
            ideal.set_label(f"new real rows: {name}")
            handles = [line, ideal]
            if self.points_:
                line.set_label(f"mean of {self.auc.shape[1]} splits")
                each = Line2D([], [], linestyle="", alpha=0.35, markeredgewidth=0, markersize=5)
                each.set(marker=line.get_marker(), color=line.get_color(), label="each split")
                handles.insert(1, each)
            legend_beside(panel, handles=handles)


def _rarest(labels: np.ndarray) -> Hashable:
    values, counts = np.unique(labels, return_counts=True)
    rarest: Hashable = values[counts.argmin()].item()
    return rarest


def _check_class(label: Hashable, n_rows: int) -> None:
    if n_rows < 4:
        raise ValueError(
            f"Class {label!r} has {n_rows} rows in y; at least 4 are needed to hold some out "
            "and train on the others. Name another class in `label`."
        )
