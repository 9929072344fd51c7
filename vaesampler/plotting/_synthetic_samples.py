"""`SyntheticSamplesDisplay`: synthetic rows beside real ones."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from vaesampler._runtime.optional import require_matplotlib
from vaesampler.metrics._paired_tables import PairedTables
from vaesampler.plotting._projection import draw_points, project
from vaesampler.plotting._samples import (
    MOST_ROWS_SHOWN,
    RandomState,
    n_rows,
    read_both,
    real_and_synthetic,
    take_some,
)
from vaesampler.plotting._style import (
    REAL,
    SYNTHETIC,
    count,
    legend_beside,
    of_class,
    one_axes,
    split_axes,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from vaesampler._estimators.oversampler import VAEOversampler

MOST_IMAGES = 16
POINTS_SIZE, IMAGES_SIZE = (7, 4.5), (7, 3.8)  # inches


class SyntheticSamplesDisplay:
    """Synthetic rows beside real ones: as images, or as points in a plane.

    Rows that are images are drawn as such, in two grids, with one scale of grey. Other rows
    are drawn as points in the plane in which the real rows vary most: the first two principal
    components of columns made comparable, in which two categories that differ count as much as
    two numbers one deviation apart, and far numbers by their logarithm. Synthetic
    points should lie among the real ones, and all over them; that they do so in a plane does
    not mean that they do in all columns.

    Use `from_estimator` or `from_samples` to make one. All parameters are kept as attributes.

    Parameters
    ----------
    real : ndarray of shape (n_real, n_pixels) or (n_real, 2)
        Images, one a row, or points.
    synthetic : ndarray of shape (n_synthetic, n_pixels) or (n_synthetic, 2)
        The same of synthetic rows.
    image_shape : tuple of 2 int, default=None
        Height and width of the images in pixels; None stands for points.
    axis_names : sequence of 2 str, default=None
        What the points' coordinates are.
    label : object, default=None
        The class, which the titles or the legend name.

    Attributes
    ----------
    real_ : matplotlib AxesImage or PathCollection
        The real rows: one picture of all images, or points.
    synthetic_ : matplotlib AxesImage or PathCollection
        The synthetic rows.
    axes_ : ndarray of matplotlib Axes
        The panels: two for images, real ones left, and one for points.
    ax_ : matplotlib Axes
        The axes whose room the panels share; the first panel if several axes were given.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    FeatureDistributionDisplay : The same column by column.
    LatentSpaceDisplay : The same in latent space.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from vaesampler import VAEOversampler
    >>> from vaesampler.plotting import SyntheticSamplesDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> sampler = VAEOversampler(sampling_strategy={1: 200}, random_state=0).fit(X, y)
    >>> display = SyntheticSamplesDisplay.from_estimator(
    ...     sampler, X, y, label=1, image_shape=(8, 8), random_state=0
    ... )
    >>> [ax.get_title() for ax in display.axes_]
    ['16 real rows of class 1', '16 synthetic rows']
    >>> plt.close(display.figure_)
    """

    real_: Any
    synthetic_: Any
    axes_: np.ndarray
    ax_: "Axes"
    figure_: "Figure | SubFigure"

    def __init__(
        self,
        *,
        real: np.ndarray,
        synthetic: np.ndarray,
        image_shape: tuple[int, int] | None = None,
        axis_names: Sequence[str] | None = None,
        label: Hashable = None,
    ) -> None:
        self.real = real
        self.synthetic = synthetic
        self.image_shape = image_shape
        self.axis_names = axis_names
        self.label = label

    def plot(
        self,
        ax: "Axes | Sequence[Axes] | None" = None,
        *,
        scatter_kwargs: Mapping[str, Any] | None = None,
        im_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the rows.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of 2 of them for images, default=None
            Axes to draw in; images split the room of one. None makes a new figure.
        scatter_kwargs : dict, default=None
            Keywords of `matplotlib.axes.Axes.scatter`, for points.
        im_kwargs : dict, default=None
            Keywords of `matplotlib.axes.Axes.imshow`, for images; "cmap" is "gray_r" and the
            scale goes from the smallest to the largest pixel shown.

        Returns
        -------
        display : SyntheticSamplesDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` does not do.
        """
        require_matplotlib(f"{type(self).__name__}.plot")
        names = (
            f"{count(len(self.real), 'real row')}{of_class(self.label)}",
            count(len(self.synthetic), "synthetic row"),
        )
        if self.image_shape is None:
            self._draw_points(ax, names, scatter_kwargs)
        else:
            self._draw_images(ax, names, im_kwargs)
        self.figure_ = self.ax_.figure
        return self

    @classmethod
    def from_estimator(
        cls,
        sampler: "VAEOversampler",
        X: Any,
        y: Any,
        *,
        label: Hashable = None,
        image_shape: tuple[int, int] | None = None,
        n_samples: int | None = None,
        subsample: int | None = None,
        random_state: RandomState = None,
        ax: "Axes | Sequence[Axes] | None" = None,
        scatter_kwargs: Mapping[str, Any] | None = None,
        im_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw a class's rows and synthetic ones.

        Parameters
        ----------
        sampler : VAEOversampler
            A fitted sampler.
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Rows, of which those of the class are shown.
        y : array-like of shape (n_rows,)
            Their labels.
        label : object, default=None
            The class; it must be named where VAEs of several were fitted.
        image_shape : tuple of 2 int, default=None
            Height and width in pixels, if rows are images.
        n_samples : int, default=None
            How many synthetic rows to draw. None draws as many as real ones are shown.
        subsample : int, default=None
            The most real rows to show; of more, so many are picked at random. None stands for
            16 images, or 1,000 points.
        random_state : int, RandomState instance or None, default=None
            Which real rows are picked and which synthetic ones are drawn.
        ax : matplotlib Axes, or sequence of 2 of them for images, default=None
            Axes to draw in; images split the room of one. None makes a new figure.
        scatter_kwargs : dict, default=None
            Keywords of `matplotlib.axes.Axes.scatter`, for points.
        im_kwargs : dict, default=None
            Keywords of `matplotlib.axes.Axes.imshow`, for images.

        Returns
        -------
        display : SyntheticSamplesDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        sklearn.exceptions.NotFittedError
            If the sampler was not fitted.
        ValueError
            If no VAE was fitted for `label`, y holds no row of it, or `image_shape` does not
            have as many pixels as X has columns.
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        subsample = _most_shown(image_shape) if subsample is None else subsample
        label, X_real, X_synthetic = real_and_synthetic(
            sampler, X, y, label, n_samples, subsample, random_state
        )
        return cls.from_samples(
            X_real,
            X_synthetic,
            image_shape=image_shape,
            label=label,
            subsample=max(n_rows(X_real), n_rows(X_synthetic)),
            ax=ax,
            scatter_kwargs=scatter_kwargs,
            im_kwargs=im_kwargs,
        )

    @classmethod
    def from_samples(
        cls,
        X_real: Any,
        X_synthetic: Any,
        *,
        image_shape: tuple[int, int] | None = None,
        label: Hashable = None,
        subsample: int | None = None,
        random_state: RandomState = None,
        ax: "Axes | Sequence[Axes] | None" = None,
        scatter_kwargs: Mapping[str, Any] | None = None,
        im_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw rows that are real and rows that are not, of any sampler.

        Parameters
        ----------
        X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
            Real rows.
        X_synthetic : same columns as X_real, of shape (n_synthetic, n_features)
            Synthetic rows.
        image_shape : tuple of 2 int, default=None
            Height and width in pixels, if rows are images.
        label : object, default=None
            The class, which the titles or the legend name.
        subsample : int, default=None
            The most rows to show of each table; of more, so many are picked at random. None
            stands for 16 images, or 1,000 points.
        random_state : int, RandomState instance or None, default=None
            Which rows are picked.
        ax : matplotlib Axes, or sequence of 2 of them for images, default=None
            Axes to draw in; images split the room of one. None makes a new figure.
        scatter_kwargs : dict, default=None
            Keywords of `matplotlib.axes.Axes.scatter`, for points.
        im_kwargs : dict, default=None
            Keywords of `matplotlib.axes.Axes.imshow`, for images.

        Returns
        -------
        display : SyntheticSamplesDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the tables do not have the same columns, or `image_shape` does not have as many
            pixels as they have columns.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from imblearn.over_sampling import SMOTE
        >>> from sklearn.datasets import load_breast_cancer
        >>> from vaesampler.plotting import SyntheticSamplesDisplay
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> X_resampled, _ = SMOTE(random_state=0).fit_resample(X, y)
        >>> display = SyntheticSamplesDisplay.from_samples(X[y == 0], X_resampled[len(X) :])
        >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
        ['212 real rows', '145 synthetic rows']
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_samples")
        subsample = _most_shown(image_shape) if subsample is None else subsample
        if image_shape is not None:
            real, synthetic = _pixels(X_real, X_synthetic, image_shape)
            display = cls(
                real=take_some(real, subsample, random_state),
                synthetic=take_some(synthetic, subsample, random_state),
                image_shape=image_shape,
                label=label,
            )
        else:
            # All real rows tell the plane, and some of them are shown in it.
            tables = PairedTables.read({"X_real": X_real, "X_synthetic": X_synthetic})
            projection = project(*tables.matrices)
            display = cls(
                real=take_some(projection.real, subsample, random_state),
                synthetic=take_some(projection.synthetic, subsample, random_state),
                axis_names=projection.axis_names,
                label=label,
            )
        return display.plot(ax, scatter_kwargs=scatter_kwargs, im_kwargs=im_kwargs)

    def _draw_points(
        self,
        ax: "Axes | Sequence[Axes] | None",
        names: tuple[str, str],
        scatter_kwargs: Mapping[str, Any] | None,
    ) -> None:
        if isinstance(ax, Sequence | np.ndarray):
            _, (ax,) = split_axes(ax, (1, 1), 1, POINTS_SIZE)
        self.ax_ = one_axes(cast("Axes | None", ax), POINTS_SIZE)
        self.axes_ = np.array([self.ax_], dtype=object)
        self.real_, self.synthetic_ = draw_points(
            self.ax_, self.real, self.synthetic, names, scatter_kwargs
        )
        if self.axis_names is not None:
            self.ax_.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        legend_beside(self.ax_)

    def _draw_images(
        self,
        ax: "Axes | Sequence[Axes] | None",
        names: tuple[str, str],
        im_kwargs: Mapping[str, Any] | None,
    ) -> None:
        assert self.image_shape is not None
        room, self.axes_ = split_axes(ax, (1, 2), 2, IMAGES_SIZE)
        self.ax_ = self.axes_[0] if room is None else room
        together = np.concatenate([self.real, self.synthetic])
        scale = {"cmap": "gray_r", "vmin": together.min(), "vmax": together.max()}
        pictures = []
        for panel, images, name, color in zip(
            self.axes_, (self.real, self.synthetic), names, (REAL, SYNTHETIC), strict=True
        ):
            mosaic = _mosaic(images, self.image_shape)
            pictures.append(panel.imshow(mosaic, **style("image", scale, im_kwargs)))
            panel.set_title(name, color=color)
            panel.set(xticks=[], yticks=[])
            for spine in panel.spines.values():
                spine.set(color=color, linewidth=1.5)
        self.real_, self.synthetic_ = pictures


def _most_shown(image_shape: tuple[int, int] | None) -> int:
    return MOST_ROWS_SHOWN if image_shape is None else MOST_IMAGES


def _pixels(
    X_real: Any, X_synthetic: Any, image_shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of both tables as matrices of numbers, if they are images."""
    names, *both = read_both(X_real, X_synthetic)
    if len(image_shape) != 2 or math.prod(image_shape) != len(names):
        raise ValueError(
            "image_shape must be a height and a width, in pixels, that make as many pixels as "
            f"a row has columns; found {image_shape} and {len(names)} columns."
        )
    for columns in both:
        for name, cells in zip(names, columns, strict=True):
            if cells.is_categorical:
                raise ValueError(
                    f"Images are rows of numbers; column {name!r} holds categories. Leave "
                    "`image_shape` out."
                )
    real, synthetic = (
        np.column_stack([cells.values.astype(np.float64) for cells in columns])
        for columns in both
    )
    return real, synthetic


def _mosaic(images: np.ndarray, shape: tuple[int, int]) -> np.ma.MaskedArray:
    """Put images, (n_images, n_pixels), into one, with empty lines between them."""
    height, width = shape
    n_cols = math.ceil(math.sqrt(len(images) * height / width))
    n_rows = math.ceil(len(images) / n_cols)
    cells = np.full((n_rows * n_cols, height + 1, width + 1), np.nan)
    cells[: len(images), :height, :width] = images.reshape(-1, height, width)
    mosaic = cells.reshape(n_rows, n_cols, height + 1, width + 1).swapaxes(1, 2)
    return np.ma.masked_invalid(
        mosaic.reshape(n_rows * (height + 1), n_cols * (width + 1))[:-1, :-1]
    )
