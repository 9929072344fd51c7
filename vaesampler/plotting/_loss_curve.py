"""`LossCurveDisplay`: the loss of each VAE during training."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from vaesampler._runtime.optional import require_matplotlib
from vaesampler._training.curves import LossCurve
from vaesampler.plotting._samples import fitted_label
from vaesampler.plotting._style import COLORS, GREY, legend_beside, plain, split_axes, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.lines import Line2D
    from matplotlib.typing import ColorType

    from vaesampler._estimators.oversampler import VAEOversampler

PARTS = {"reconstruction": "Reconstruction", "kl": "KL divergence"}
# The running mean is taken over this share of the steps: short enough to follow the curve, and
# at least 2 steps of a curve that is smoothed at all.
SMOOTHED_SHARE = 0.05
MIN_SMOOTHED_STEPS = 40


class LossCurveDisplay:
    r"""The two parts of the VAEs' loss against the optimizer step.

    The upper panel shows the reconstruction loss: the negative log-likelihood of the rows given
    their reconstruction. The lower panel shows the KL divergence between their posteriors and
    the prior. Each step is computed from other rows and other noise, so that the curve of all
    steps is drawn pale, with its running mean on top. The curve of held-out rows, if there are
    any, is dashed: the VAE overfits if it rises while the other one falls.

    Create one with `from_estimator` or `from_curves`. All parameters are stored as attributes.

    Parameters
    ----------
    curves : dict of label to LossCurve
        Curves of the training rows.
    validation_curves : dict of label to LossCurve, default=None
        Curves of the held-out rows.

    Attributes
    ----------
    lines_ : dict of label to list of 2 matplotlib Line2D
        Running means of reconstruction loss and KL divergence.
    raw_lines_ : dict of label to list of 2 matplotlib Line2D
        Their values at each step; an empty dict if no curve was smoothed.
    validation_lines_ : dict of label to list of 2 matplotlib Line2D
        Their values for the held-out rows.
    axes_ : ndarray of 2 matplotlib Axes
        Panels: reconstruction loss above, KL divergence below.
    ax_ : matplotlib Axes
        Axes that are split into the panels; the upper panel if two axes were given.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    vaesampler.LossCurve : The data of a curve.

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
    axes_: npt.NDArray[np.object_]  # (n_panels,)
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
            Axes to split into two panels, or the panels. If None, create a new figure.
        smoothing_window : int or "auto", default="auto"
            Number of steps of the running mean of the training curve; with 1, it is not
            smoothed. "auto" means 5% of the steps, or 1 if there are fewer than 40.
        line_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.plot`, for all curves.

        Returns
        -------
        display : LossCurveDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `smoothing_window` is not a whole number of at least 1, or if `ax` has too few
            panels or is split already.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> from vaesampler.plotting import LossCurveDisplay
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> display = LossCurveDisplay(curves=sampler.loss_curves_)
        >>> figure, axes = plt.subplots(2)
        >>> sorted(display.plot(axes, smoothing_window=25).lines_)
        [0, 2]
        >>> plt.close(figure)
        """
        require_matplotlib(f"{type(self).__name__}.plot")
        windows = {
            label: _window(smoothing_window, len(curve)) for label, curve in self.curves.items()
        }
        self.ax_, self.axes_ = split_axes(ax, (2, 1), 2, (7, 5), sharex=True)
        self.figure_ = self.ax_.figure
        self.lines_, self.raw_lines_, self.validation_lines_ = {}, {}, {}
        validation_curves = self.validation_curves or {}
        for index, (label, curve) in enumerate(self.curves.items()):
            look = style("line", {"color": self._color(index), "linewidth": 1.8}, line_kwargs)
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
        estimator: "VAEOversampler",
        label: Hashable = None,
        *,
        smoothing_window: int | Literal["auto"] = "auto",
        ax: "Axes | Sequence[Axes] | None" = None,
        line_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the curves of a fitted sampler.

        Parameters
        ----------
        estimator : VAEOversampler
            Fitted sampler.
        label : object, default=None
            Class whose curves to draw. If None, draw those of all classes.
        smoothing_window : int or "auto", default="auto"
            Number of steps of the running mean of the training curve, as in `plot`.
        ax : matplotlib Axes, or sequence of 2 of them, default=None
            Axes to split into two panels, or the panels. If None, create a new figure.
        line_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.plot`, for all curves.

        Returns
        -------
        display : LossCurveDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        sklearn.exceptions.NotFittedError
            If the sampler is not fitted.
        ValueError
            If no VAE was fitted for `label`, or for any class.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> from vaesampler.plotting import LossCurveDisplay
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> display = LossCurveDisplay.from_estimator(sampler, label=2)
        >>> list(display.lines_)
        [2]
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        curves, validation_curves = estimator.loss_curves_, estimator.validation_curves_
        labels = list(curves) if label is None else [fitted_label(estimator, label)]
        return cls.from_curves(
            {one: curves[one] for one in labels},
            {one: validation_curves[one] for one in labels if one in validation_curves},
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
        """Draw curves, for example to compare several samplers.

        Parameters
        ----------
        curves : dict of label to LossCurve
            Curves of the training rows. The labels are shown in the legend.
        validation_curves : dict of label to LossCurve, default=None
            Curves of the held-out rows, with the same labels.
        smoothing_window : int or "auto", default="auto"
            Number of steps of the running mean of the training curve, as in `plot`.
        ax : matplotlib Axes, or sequence of 2 of them, default=None
            Axes to split into two panels, or the panels. If None, create a new figure.
        line_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.plot`, for all curves.

        Returns
        -------
        display : LossCurveDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are no curves, or if a label of `validation_curves` is not one of
            `curves`.

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

    def _color(self, index: int) -> "ColorType":
        import matplotlib

        if len(self.curves) <= len(COLORS):
            return COLORS[index]
        return matplotlib.colormaps["viridis"](index / len(self.curves))

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
        """Return the entries of the legend: the colour of each class, then the line styles."""
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
    # matplotlib omits names that begin with an underscore from legends.
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


def _running_mean(
    values: npt.NDArray[np.floating], window: int
) -> npt.NDArray[np.floating]:  # (n_looks,) to the same
    """Return centred means over `window` values, or over those that there are at the ends."""
    if window == 1:
        return values
    first = np.arange(len(values)) - window // 2
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    low = np.clip(first, 0, None)
    high = np.clip(first + window, None, len(values))
    means: npt.NDArray[np.float64] = (sums[high] - sums[low]) / (high - low)
    return means
