"""`ValidationDisplay`: near copies, two-sample AUC and log-density against a parameter."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length

from vaesampler._runtime.optional import require_matplotlib
from vaesampler._runtime.seeds import Seeds
from vaesampler._table.labels import labels_of, take_labels
from vaesampler.metrics._novelty import NEAR_SHARE
from vaesampler.metrics._report import SyntheticReport, synthetic_report
from vaesampler.metrics._two_sample import CHANCE_AUC
from vaesampler.plotting._samples import RandomState, take_rows
from vaesampler.plotting._style import (
    BLUE,
    GREEN,
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

# With fewer synthetic rows, a share of 5% varies by more than a percentage point by chance. By
# default, reports compare at most 2,000 rows.
MIN_SYNTHETIC_ROWS = 500
MAX_SYNTHETIC_ROWS = 2_000
# The least number of rows of which some can be held out and some trained on.
MIN_ROWS = 4


class ValidationDisplay:
    """Near copies, two-sample AUC and log-density against a parameter of the sampler.

    The first panel shows the share of near copies: synthetic rows that are closer to a training
    row than 95% of new real rows are. If it exceeds 5% by more than chance explains, the
    sampler memorizes. The second panel shows the area under the ROC curve (AUC) of a classifier
    that separates synthetic rows from new real ones: .5 is chance, and the higher it is, the
    less realistic the synthetic rows. The third panel shows the mean log-density of new real
    rows according to the VAE: the higher it is, the better the VAE has learned the distribution
    of the class. A good value of the parameter is low in the first two panels, and high in the
    third.

    Create one with `from_estimator` or `from_reports`. All parameters are stored as attributes.

    Parameters
    ----------
    param_name : str
        Name of the parameter.
    param_range : list of length n_values
        Values of the parameter.
    near_copies : ndarray of shape (n_values, n_repeats)
        Share of near copies; NaN if unknown.
    auc : ndarray of shape (n_values, n_repeats)
        AUC of a classifier that separates synthetic from real rows; NaN if unknown.
    log_density : ndarray of shape (n_values, n_repeats), default=None
        Mean log-density of held-out rows, in nats; NaN if unknown. If None, there is no third
        panel.

    Attributes
    ----------
    lines_ : list of 2 or 3 matplotlib Line2D
        Means over the repeats, of near copies, of the AUC and of the log-density.
    splits_ : list of 2 or 3 matplotlib Line2D
        The values of each repeat, joined by lines; an empty list if there is one repeat.
    ideal_lines_ : list of 2 matplotlib Line2D
        Expected near copies and AUC of new real rows.
    axes_ : ndarray of 2 or 3 matplotlib Axes
        Panels: near copies, AUC, log-density.
    ax_ : matplotlib Axes
        Axes that are split into the panels; the first panel if several axes were given.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    vaesampler.synthetic_report : Compute near copies, AUC and other figures.
    vaesampler.VAEOversampler.log_density : Compute the log-density.
    sklearn.model_selection.ValidationCurveDisplay : Plot the score of a classifier, for example
        after a sampler in a pipeline, against a parameter.

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
    splits_: "list[Line2D]"
    ideal_lines_: "list[Line2D]"
    axes_: npt.NDArray[np.object_]  # (n_panels,)
    ax_: "Axes"
    figure_: "Figure | SubFigure"

    def __init__(
        self,
        *,
        param_name: str,
        param_range: Sequence[Any],
        near_copies: npt.NDArray[np.float64],  # (n_values, n_repeats)
        auc: npt.NDArray[np.float64],  # (n_values, n_repeats)
        log_density: npt.NDArray[np.float64] | None = None,  # (n_values, n_repeats)
    ) -> None:
        self.param_name = param_name
        self.param_range = param_range
        self.near_copies = near_copies
        self.auc = auc
        self.log_density = log_density

    def plot(self, ax: "Axes | Sequence[Axes] | None" = None) -> Self:
        """Draw the figures against the values of the parameter, evenly spaced.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of one for each panel, default=None
            Axes to split into panels, or the panels. If None, create a new figure.

        Returns
        -------
        display : ValidationDisplay
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
        >>> import numpy as np
        >>> from vaesampler.plotting import ValidationDisplay
        >>> display = ValidationDisplay(
        ...     param_name="latent_dim",
        ...     param_range=[1, 2, 4],
        ...     near_copies=np.array([[0.04], [0.05], [0.08]]),
        ...     auc=np.array([[0.8], [0.7], [0.6]]),
        ... )
        >>> display.plot().axes_[1].get_xlabel()
        'latent_dim'
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{type(self).__name__}.plot")
        n_panels = 2 if self.log_density is None else 3
        size = (7, 2.5 * n_panels)
        self.ax_, self.axes_ = split_axes(ax, (n_panels, 1), n_panels, size, sharex=True)
        self.figure_ = self.ax_.figure
        self.lines_, self.splits_, self.ideal_lines_ = [], [], []
        self._draw_near_copies(self.axes_[0])
        self._draw_auc(self.axes_[1])
        if self.log_density is not None:
            self._draw_log_density(self.axes_[2], self.log_density)
        self._name_values()
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: "VAEOversampler",
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
        """Fit the sampler with each value of a parameter, and draw figures of its rows.

        Hold out some rows of the class, fit the sampler to all others, compare its synthetic
        rows with both by :func:`vaesampler.synthetic_report`, and compute the log-density of
        the held-out rows. Repeat this with other rows held out, because figures of few rows are
        uncertain.

        Parameters
        ----------
        estimator : VAEOversampler
            Sampler, fitted or not. Clones of it are fitted.
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Rows of all classes.
        y : array-like of shape (n_rows,)
            Labels.
        param_name : str, default="latent_dim"
            Name of the parameter.
        param_range : sequence
            Values of the parameter.
        label : object, default=None
            Class to draw rows of. If None, use the class with the fewest rows.
        test_size : float or int, default=0.25
            Share or number of rows of the class to hold out.
        n_repeats : int, default=3
            Number of repeats.
        random_state : int, RandomState instance or None, default=None
            Controls the choice of held-out rows and the synthetic rows. The sampler keeps its
            own `random_state`.
        ax : matplotlib Axes, or sequence of 3 of them, default=None
            Axes to split into three panels, or the panels. If None, create a new figure.

        Returns
        -------
        display : ValidationDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If y has fewer than 4 rows of the class, if `param_range` is empty, if `n_repeats`
            is below 1, or if the sampler adds no rows to the class or has no such parameter.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> from vaesampler.plotting import ValidationDisplay
        >>> X, y = load_wine(return_X_y=True)
        >>> display = ValidationDisplay.from_estimator(
        ...     VAEOversampler(sampling_strategy={2: 60}, random_state=0),
        ...     *(X, y),
        ...     param_name="beta",
        ...     param_range=[1, 4],
        ...     n_repeats=1,
        ...     random_state=0,
        ... )
        >>> display.near_copies.shape
        (2, 1)
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        if n_repeats < 1:
            raise ValueError(f"n_repeats must be at least 1; found {n_repeats}.")
        labels = labels_of(y)
        check_consistent_length(X, labels.codes)
        label = labels.classes[labels.counts.argmin()] if label is None else label
        is_own = labels.is_class(label)
        _check_class(label, is_own.sum())
        seeds = Seeds.from_random_state(random_state)
        values = list(param_range)
        of_repeats = [
            _judge(
                (clone(estimator).set_params(**{param_name: value}) for value in values),
                *(X, y, is_own, label, test_size),
                seed=seeds.integer("hold out", repeat),
            )
            for repeat in range(n_repeats)
        ]
        judged = list(zip(*of_repeats, strict=True))  # by value, then by repeat
        reports = [[report for report, _ in of_value] for of_value in judged]
        log_density = np.array([[density for _, density in of_value] for of_value in judged])
        return cls._of(values, reports, param_name, log_density).plot(ax)

    @classmethod
    def from_reports(
        cls,
        reports: Mapping[Any, SyntheticReport | Sequence[SyntheticReport]],
        *,
        param_name: str = "latent_dim",
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> Self:
        """Draw near copies and AUC of reports.

        Parameters
        ----------
        reports : dict of value to SyntheticReport, or to a sequence of them
            A report for each value of the parameter, or the same number of reports for each.
        param_name : str, default="latent_dim"
            Name of the parameter.
        ax : matplotlib Axes, or sequence of 2 of them, default=None
            Axes to split into two panels, or the panels. If None, create a new figure.

        Returns
        -------
        display : ValidationDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are no reports, if their number differs between values, or if no report
            has a share of near copies or an AUC.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from vaesampler import synthetic_report
        >>> from vaesampler.plotting import ValidationDisplay
        >>> rng = np.random.default_rng(0)
        >>> X_real, X_holdout = rng.normal(size=(2, 100, 3))
        >>> noise = rng.normal(size=(100, 3))
        >>> reports = {}
        >>> for level in (0.01, 1):
        ...     noisy = X_real + level * noise
        ...     reports[level] = synthetic_report(X_real, noisy, X_holdout, random_state=0)
        >>> display = ValidationDisplay.from_reports(reports, param_name="noise")
        >>> bool(display.near_copies[0, 0] > display.near_copies[1, 0])
        True
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_reports")
        repeats = [
            list(found) if isinstance(found, Sequence) else [found]
            for found in reports.values()
        ]
        return cls._of(list(reports), repeats, param_name).plot(ax)

    @classmethod
    def _of(
        cls,
        values: list[Any],
        reports: list[list[SyntheticReport]],
        param_name: str,
        log_density: npt.NDArray[np.float64] | None = None,  # (n_values, n_repeats)
    ) -> Self:
        n_repeats = {len(of_value) for of_value in reports}
        if len(n_repeats) != 1 or 0 in n_repeats:
            raise ValueError(
                "There must be at least one value of the parameter, and the same number of "
                f"reports, at least 1, for each; found {sorted(n_repeats)} for {len(reports)} "
                "values."
            )
        near_copies = np.array(
            [[report.share_near_copies for report in of_value] for of_value in reports]
        )
        auc = np.array([[report.two_sample_auc for report in of_value] for of_value in reports])
        if np.isnan(auc).all() and np.isnan(near_copies).all():
            raise ValueError(
                "A report must have a share of near copies or an AUC, and none has: there were "
                "too few rows. Hold out more rows of the class."
            )
        return cls(
            param_name=param_name,
            param_range=values,
            near_copies=near_copies,
            auc=auc,
            log_density=log_density,
        )

    def _draw_near_copies(self, panel: "Axes") -> None:
        self._draw(panel, self.near_copies, "s", VERMILION)
        panel.set_title("Memorizing? Higher is learned by heart", loc="left", fontsize="medium")
        panel.set_ylabel("Near copies\n(share of rows)")
        self._draw_ideal(panel, NEAR_SHARE, f"{NEAR_SHARE:.0%}")
        show_shares(panel.yaxis)
        panel.set_ylim(0, max(0.12, 1.1 * panel.dataLim.ymax))

    def _draw_auc(self, panel: "Axes") -> None:
        self._draw(panel, self.auc, "o", BLUE)
        panel.set_title(
            "Too weak? Higher is less like real rows", loc="left", fontsize="medium"
        )
        panel.set_ylabel("AUC of telling\nsynthetic from real")
        self._draw_ideal(panel, CHANCE_AUC, f"{CHANCE_AUC}")
        panel.set_ylim(min(0.45, panel.dataLim.ymin - 0.05), 1.02)

    def _draw_log_density(
        self,
        panel: "Axes",
        log_density: npt.NDArray[np.float64],  # (n_values, n_repeats)
    ) -> None:
        self._draw(panel, log_density, "D", GREEN)
        panel.set_title(
            "Learned? Higher is a better model of new rows", loc="left", fontsize="medium"
        )
        panel.set_ylabel("Log-density of\nheld-out rows (nats)")

    def _draw(
        self,
        panel: "Axes",
        figures: npt.NDArray[np.float64],  # (n_values, n_repeats)
        marker: str,
        color: str,
    ) -> None:
        """Draw the mean of known figures and, if there are several splits, each of them."""
        positions = np.arange(len(self.param_range))
        n_repeats = figures.shape[1]
        # `nanmean` would warn if none is known.
        is_known = ~np.isnan(figures)
        means = np.where(is_known, figures, 0).sum(axis=1) / np.maximum(is_known.sum(axis=1), 1)
        means[~is_known.any(axis=1)] = np.nan
        label = "one split" if n_repeats == 1 else f"mean of {n_repeats} splits"
        self.lines_ += panel.plot(positions, means, f"{marker}-", color=color, label=label)
        if n_repeats > 1:
            gap = np.full((1, n_repeats), np.nan)  # between the lines of two splits
            self.splits_ += panel.plot(
                np.tile(np.append(positions, np.nan), n_repeats),
                np.concatenate([figures, gap]).T.ravel(),
                f"{marker}-",
                color=color,
                alpha=0.35,
                linewidth=1,
                markersize=4,
                markeredgewidth=0,
                label="each split",
                zorder=1,
            )

    def _draw_ideal(self, panel: "Axes", ideal: float, shown: str) -> None:
        line = panel.axhline(ideal, color=GREY, linestyle="--", linewidth=1)
        line.set_label(f"new real rows: {shown}")
        self.ideal_lines_.append(line)

    def _name_values(self) -> None:
        last = self.axes_[-1]
        for panel in self.axes_:
            panel.tick_params(labelbottom=panel is last)
            legend_beside(panel)
        last.set_xticks(range(len(self.param_range)), [plain(one) for one in self.param_range])
        last.set_xlim(-0.4, len(self.param_range) - 0.6)
        last.set_xlabel(plain(self.param_name))


def _judge(
    samplers: "Iterable[VAEOversampler]",
    X: Any,
    y: Any,
    is_own: npt.NDArray[np.bool_],  # (n_rows,), whether a row is of the class
    label: Hashable,
    test_size: float | int,
    seed: int,
) -> list[tuple[SyntheticReport, float]]:
    """Hold out rows of a class, and fit each sampler to the others.

    Return a report on its rows, and the mean log-density of the held-out ones.
    """
    train, held_out = train_test_split(
        np.flatnonzero(is_own), test_size=test_size, random_state=seed
    )
    scored = np.sort(held_out[:MAX_SYNTHETIC_ROWS])
    train, held_out = np.sort(train), np.sort(held_out)
    fitted = np.sort(np.concatenate([np.flatnonzero(~is_own), train]))
    X_fit, y_fit = take_rows(X, fitted), take_labels(y, fitted)
    X_train, X_holdout, X_scored = (take_rows(X, rows) for rows in (train, held_out, scored))
    n_samples = int(np.clip(len(train), MIN_SYNTHETIC_ROWS, MAX_SYNTHETIC_ROWS))
    judged = []
    for sampler in samplers:
        X_synthetic = sampler.fit(X_fit, y_fit).sample(label, n_samples, random_state=seed)
        report = synthetic_report(
            X_train,
            X_synthetic,
            X_holdout,
            categorical_features=sampler.categorical_features,
            random_state=seed,
        )
        judged.append((report, _mean_log_density(sampler, label, X_scored, seed)))
    return judged


def _mean_log_density(sampler: "VAEOversampler", label: Hashable, X: Any, seed: int) -> float:
    try:
        return float(sampler.log_density(label, X, random_state=seed).mean())
    except ValueError:  # only held-out rows have a level, or a missing cell in some column
        return math.nan


def _check_class(label: Hashable, n_rows: int) -> None:
    if n_rows < MIN_ROWS:
        raise ValueError(
            f"Class {label!r} has {n_rows} rows in y; at least {MIN_ROWS} are needed to hold "
            "some out and train on the others. Name another class in `label`."
        )
