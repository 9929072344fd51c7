"""`LossCurveDisplay`: how training went."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from vaesampler._runtime.optional import require_matplotlib
from vaesampler._training.curves import LossCurve
from vaesampler.plotting._samples import fitted_label
from vaesampler.plotting._style import COLORS, GREY, legend_beside, plain, split_axes, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D

    from vaesampler._estimators.oversampler import VAEOversampler

PARTS = {"reconstruction": "Reconstruction", "kl": "KL divergence"}
# A curve is smoothed over this share of its steps, if it has so many.
SMOOTHED_SHARE = 0.05
MIN_SMOOTHED_STEPS = 40


class LossCurveDisplay:
    r"""Loss of the VAEs against the step of training, in its two parts.

    The upper panel shows how unlikely the rows are under what is decoded for them, the lower
    one how far their codes are from the prior. Each step sees other rows with other noise, so
    the curve of all steps is drawn pale, and a running mean of it on top. Rows that were held
    out from training, where there are such, have a dashed curve: training goes too far when
    it rises while the other one falls.

    Use `from_estimator` or `from_curves` to make one. All parameters are kept as attributes.

    Parameters
    ----------
    curves : dict of label to LossCurve
        Of the rows that were trained on.
    validation_curves : dict of label to LossCurve, default=None
        Of the rows that were held out.

    Attributes
    ----------
    lines_ : dict of label to list of 2 matplotlib Line2D
        Running means, of reconstruction and of KL divergence.
    raw_lines_ : dict of label to list of 2 matplotlib Line2D
        The same at each step; an empty dict where nothing was smoothed.
    validation_lines_ : dict of label to list of 2 matplotlib Line2D
        Of the rows that were held out.
    axes_ : ndarray of 2 matplotlib Axes
        The panels: reconstruction above, KL divergence below.
    ax_ : matplotlib Axes
        The axes whose room the panels share; the upper panel if two axes were given.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    vaesampler.LossCurve : What is shown.

    References
    ----------
    Diederik P. Kingma, Max Welling (2014). Auto-Encoding Variational Bayes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import VAEOversampler
    >>> from vaesampler.plotting import LossCurveDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> sampler = VAEOversampler(early_stopping=True, random_state=0).fit(X, y)
    >>> display = LossCurveDisplay.from_estimator(sampler)
    >>> display.axes_[0].get_ylabel()
    'Reconstruction\n(nats per row)'
    >>> plt.close(display.figure_)
    """

    lines_: "dict[Hashable, list[Line2D]]"
    raw_lines_: "dict[Hashable, list[Line2D]]"
    validation_lines_: "dict[Hashable, list[Line2D]]"
    axes_: np.ndarray
    ax_: "Axes"
    figure_: "Figure | SubFigure"

    def __init__(
        self,
        *,
        curves: Mapping[Hashable, LossCurve],
        validation_curves: Mapping[Hashable, LossCurve] | None = None,
    ) -> None:
        self.curves = curves
        self.validation_curves = validation_curves

    def plot(
        self,
        ax: "Axes | Sequence[Axes] | None" = None,
        *,
        smoothing_window: int | Literal["auto"] = "auto",
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of 2 of them, default=None
            Axes whose room is split, or the two panels. None makes a new figure.
        smoothing_window : int or "auto", default="auto"
            How many steps the running mean of the training curve is taken over; 1 leaves it
            as it is. "auto" is a twentieth of the steps, or 1 if there are fewer than 40.
        line_kwargs : dict, default=None
            Keywords of `matplotlib.axes.Axes.plot`, for all curves.

        Returns
        -------
        display : LossCurveDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `smoothing_window` is not a whole number of at least 1, or `ax` does not do.
        """
        require_matplotlib(f"{type(self).__name__}.plot")
        windows = {
            label: _window(smoothing_window, len(curve)) for label, curve in self.curves.items()
        }
        room, self.axes_ = split_axes(ax, (2, 1), 2, (7, 5), sharex=True)
        self.ax_ = self.axes_[0] if room is None else room
        self.figure_ = self.ax_.figure
        self.lines_, self.raw_lines_, self.validation_lines_ = {}, {}, {}
        validation_curves = self.validation_curves or {}
        for number, (label, curve) in enumerate(self.curves.items()):
            look = style("line", {"color": self._color(number), "linewidth": 1.8}, line_kwargs)
            if windows[label] > 1:
                pale = {**look, "linewidth": 0.7, "alpha": 0.3}
                self.raw_lines_[label] = self._draw(curve, 1, pale)
            self.lines_[label] = self._draw(curve, windows[label], look)
            if label in validation_curves:
                dashed = {**look, "linestyle": "--"}
                self.validation_lines_[label] = self._draw(validation_curves[label], 1, dashed)
        self._name(max(windows.values()))
        return self

    @classmethod
    def from_estimator(
        cls,
        sampler: "VAEOversampler",
        label: Hashable = None,
        *,
        smoothing_window: int | Literal["auto"] = "auto",
        ax: "Axes | Sequence[Axes] | None" = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves of a fitted sampler.

        Parameters
        ----------
        sampler : VAEOversampler
            A fitted sampler.
        label : object, default=None
            The class whose curves to draw. None draws those of all classes.
        smoothing_window : int or "auto", default="auto"
            How many steps the running mean of the training curve is taken over; see `plot`.
        ax : matplotlib Axes, or sequence of 2 of them, default=None
            Axes whose room is split, or the two panels. None makes a new figure.
        line_kwargs : dict, default=None
            Keywords of `matplotlib.axes.Axes.plot`, for all curves.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        sklearn.exceptions.NotFittedError
            If the sampler was not fitted.
        ValueError
            If no VAE was fitted for `label`, or none at all.
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        check_is_fitted(sampler)
        labels = list(sampler.loss_curves_)
        if label is not None:
            labels = [fitted_label(sampler, label)]
        return cls.from_curves(
            {one: sampler.loss_curves_[one] for one in labels},
            {
                one: sampler.validation_curves_[one]
                for one in labels
                if one in sampler.validation_curves_
            },
            smoothing_window=smoothing_window,
            ax=ax,
            line_kwargs=line_kwargs,
        )

    @classmethod
    def from_curves(
        cls,
        curves: Mapping[Hashable, LossCurve],
        validation_curves: Mapping[Hashable, LossCurve] | None = None,
        *,
        smoothing_window: int | Literal["auto"] = "auto",
        ax: "Axes | Sequence[Axes] | None" = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw curves, for example of several samplers to compare.

        Parameters
        ----------
        curves : dict of label to LossCurve
            Of the rows that were trained on. The labels are the names in the legend.
        validation_curves : dict of label to LossCurve, default=None
            Of the rows that were held out, under the same labels.
        smoothing_window : int or "auto", default="auto"
            How many steps the running mean of the training curve is taken over; see `plot`.
        ax : matplotlib Axes, or sequence of 2 of them, default=None
            Axes whose room is split, or the two panels. None makes a new figure.
        line_kwargs : dict, default=None
            Keywords of `matplotlib.axes.Axes.plot`, for all curves.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are no curves, or a validation curve has no other beside it.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> from vaesampler.plotting import LossCurveDisplay
        >>> X, y = load_wine(return_X_y=True)
        >>> curves = {}
        >>> for beta in (1, 4):
        ...     sampler = VAEOversampler(beta=beta, random_state=0).fit(X, y)
        ...     curves[f"beta={beta}"] = sampler.loss_curves_[2]
        >>> display = LossCurveDisplay.from_curves(curves)
        >>> list(display.lines_)
        ['beta=1', 'beta=4']
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_curves")
        if not curves:
            raise ValueError(
                "`curves` must hold at least one curve; found none. A sampler has them for the "
                "classes that its `sampling_strategy` adds rows to."
            )
        alone = [label for label in validation_curves or {} if label not in curves]
        if alone:
            raise ValueError(
                f"`validation_curves` must have the labels of `curves`, {list(curves)}; found "
                f"{alone} besides."
            )
        display = cls(curves=curves, validation_curves=validation_curves)
        return display.plot(ax, smoothing_window=smoothing_window, line_kwargs=line_kwargs)

    def _color(self, number: int) -> Any:
        import matplotlib

        if len(self.curves) <= len(COLORS):
            return COLORS[number]
        return matplotlib.colormaps["viridis"](number / len(self.curves))

    def _draw(self, curve: LossCurve, window: int, look: Mapping[str, Any]) -> "list[Line2D]":
        return [
            panel.plot(curve.step, _running_mean(getattr(curve, part), window), **look)[0]
            for panel, part in zip(self.axes_, PARTS, strict=True)
        ]

    def _name(self, window: int) -> None:
        upper, lower = self.axes_
        for panel, name in zip(self.axes_, PARTS.values(), strict=True):
            panel.set_ylabel(f"{name}\n(nats per row)")
        lower.set_xlabel("Optimizer step")
        upper.tick_params(labelbottom=False)
        legend_beside(upper, handles=self._handles(window))

    def _handles(self, window: int) -> "list[Line2D]":
        """Return what the legend shows: a colour for each class, then the kinds of line."""
        from matplotlib.lines import Line2D

        handles = [
            Line2D([], [], color=lines[0].get_color(), label=_name_of(label))
            for label, lines in self.lines_.items()
        ]
        if self.raw_lines_:
            mean = f"mean of {window} steps"
            handles += [
                Line2D([], [], color=GREY, label=mean),
                Line2D([], [], color=GREY, linewidth=0.7, alpha=0.5, label="each step"),
            ]
        elif self.validation_lines_:
            handles.append(Line2D([], [], color=GREY, label="trained on"))
        if self.validation_lines_:
            handles.append(Line2D([], [], color=GREY, linestyle="--", label="held out"))
        return handles


def _name_of(label: Hashable) -> str:
    # matplotlib leaves names that begin with an underscore out of legends.
    is_name = isinstance(label, str) and not label.startswith("_")
    return plain(label) if is_name else f"class {plain(label)}"


def _window(wanted: int | str, n_steps: int) -> int:
    if wanted == "auto":
        return int(SMOOTHED_SHARE * n_steps) if n_steps >= MIN_SMOOTHED_STEPS else 1
    if isinstance(wanted, bool) or not isinstance(wanted, int | np.integer) or wanted < 1:
        raise ValueError(
            "smoothing_window must be 'auto' or a whole number of steps of at least 1; found "
            f"{wanted!r}."
        )
    return int(wanted)


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:  # (n_looks,)
    """Return the mean of the values around each, of fewer towards the ends."""
    if window == 1:
        return values
    first = np.arange(len(values)) - window // 2
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    low = np.clip(first, 0, None)
    high = np.clip(first + window, None, len(values))
    means: np.ndarray = (sums[high] - sums[low]) / (high - low)
    return means
