"""`ValidationDisplay`: near copies and two-sample AUC against a parameter."""

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
    """Near copies and two-sample AUC against a parameter of the sampler.

    The upper panel shows the share of near copies: synthetic rows that are closer to a training
    row than 95% of new real rows are. Well above 5%, the sampler memorizes. The lower panel
    shows the area under the ROC curve (AUC) of a classifier that separates synthetic rows from
    new real ones: .5 is chance, and the higher it is, the less realistic the synthetic rows. A
    good value of the parameter is low in both panels.

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

    Attributes
    ----------
    lines_ : list of 2 matplotlib Line2D
        Means over the repeats, of near copies and of the AUC.
    points_ : list of 2 matplotlib Line2D
        The values of each repeat; an empty list if there is one repeat.
    ideal_lines_ : list of 2 matplotlib Line2D
        Expected values of new real rows.
    axes_ : ndarray of 2 matplotlib Axes
        Panels: near copies above, AUC below.
    ax_ : matplotlib Axes
        Axes that are split into the panels; the upper panel if two axes were given.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    vaesampler.synthetic_report : Compute both figures, and others.
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
    points_: "list[Line2D]"
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
    ) -> None:
        self.param_name = param_name
        self.param_range = param_range
        self.near_copies = near_copies
        self.auc = auc

    def plot(self, ax: "Axes | Sequence[Axes] | None" = None) -> Self:
        """Draw both figures against the values of the parameter, evenly spaced.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of 2 of them, default=None
            Axes to split into two panels, or the panels. If None, create a new figure.

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
        self.ax_, self.axes_ = split_axes(ax, (2, 1), 2, (7, 5), sharex=True)
        self.figure_ = self.ax_.figure
        self.lines_, self.points_, self.ideal_lines_ = [], [], []
        upper, lower = self.axes_
        self._draw(upper, self.near_copies, NEAR_SHARE, "s", VERMILION)
        self._draw(lower, self.auc, CHANCE_AUC, "o", BLUE)
        self._name()
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

        Hold out some rows of the class, fit the sampler to all others, and compare its
        synthetic rows with both by :func:`vaesampler.synthetic_report`. Repeat this with other
        rows held out, because figures of few rows are uncertain.

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
            _reports(
                (clone(estimator).set_params(**{param_name: value}) for value in values),
                *(X, y, is_own, label, test_size),
                seed=seeds.integer("hold out", repeat),
            )
            for repeat in range(n_repeats)
        ]
        reports = list(map(list, zip(*of_repeats, strict=True)))
        return cls._of(values, reports, param_name).plot(ax)

    @classmethod
    def from_reports(
        cls,
        reports: Mapping[Any, SyntheticReport | Sequence[SyntheticReport]],
        *,
        param_name: str = "latent_dim",
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> Self:
        """Draw figures of reports.

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
        cls, values: list[Any], reports: list[list[SyntheticReport]], param_name: str
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
        return cls(param_name=param_name, param_range=values, near_copies=near_copies, auc=auc)

    def _draw(
        self,
        panel: "Axes",
        figures: npt.NDArray[np.float64],  # (n_values, n_repeats)
        ideal: float,
        marker: str,
        color: str,
    ) -> None:
        positions = np.arange(len(self.param_range))
        if figures.shape[1] > 1:
            self.points_ += panel.plot(
                np.repeat(positions, figures.shape[1]),
                figures.ravel(),
                marker,
                color=color,
                alpha=0.35,
                markersize=5,
                markeredgewidth=0,
            )
        # The mean of known figures; `nanmean` would warn if none is known.
        is_known = ~np.isnan(figures)
        means = np.where(is_known, figures, 0).sum(axis=1) / np.maximum(is_known.sum(axis=1), 1)
        means[~is_known.any(axis=1)] = np.nan
        self.lines_ += panel.plot(positions, means, f"{marker}-", color=color)
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
        expected = f"{NEAR_SHARE:.0%}", f"{CHANCE_AUC}"
        for panel, line, ideal, of_real in zip(
            self.axes_, self.lines_, self.ideal_lines_, expected, strict=True
        ):
            line.set_label("one split")
            ideal.set_label(f"new real rows: {of_real}")
            handles = [line, ideal]
            if self.points_:
                line.set_label(f"mean of {self.auc.shape[1]} splits")
                each = Line2D([], [], linestyle="", alpha=0.35, markeredgewidth=0, markersize=5)
                each.set(marker=line.get_marker(), color=line.get_color(), label="each split")
                handles.insert(1, each)
            legend_beside(panel, handles=handles)


def _reports(
    samplers: "Iterable[VAEOversampler]",
    X: Any,
    y: Any,
    is_own: npt.NDArray[np.bool_],  # (n_rows,), whether a row is of the class
    label: Hashable,
    test_size: float | int,
    seed: int,
) -> list[SyntheticReport]:
    """Hold out rows of a class, fit each sampler to the others, and report on its rows."""
    train, held_out = map(
        np.sort,
        train_test_split(np.flatnonzero(is_own), test_size=test_size, random_state=seed),
    )
    fitted = np.sort(np.concatenate([np.flatnonzero(~is_own), train]))
    X_fit, y_fit = take_rows(X, fitted), take_labels(y, fitted)
    X_train, X_holdout = take_rows(X, train), take_rows(X, held_out)
    n_samples = int(np.clip(len(train), MIN_SYNTHETIC_ROWS, MAX_SYNTHETIC_ROWS))
    return [
        synthetic_report(
            X_train,
            sampler.fit(X_fit, y_fit).sample(label, n_samples, random_state=seed),
            X_holdout,
            categorical_features=sampler.categorical_features,
            random_state=seed,
        )
        for sampler in samplers
    ]


def _check_class(label: Hashable, n_rows: int) -> None:
    if n_rows < MIN_ROWS:
        raise ValueError(
            f"Class {label!r} has {n_rows} rows in y; at least {MIN_ROWS} are needed to hold "
            "some out and train on the others. Name another class in `label`."
        )
