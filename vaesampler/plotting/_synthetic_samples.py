"""`SyntheticSamplesDisplay`: real and synthetic rows, as images or points."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import numpy.typing as npt

from vaesampler._runtime.optional import require_matplotlib
from vaesampler.metrics._paired_tables import PairedTables
from vaesampler.plotting._projection import draw_points, project
from vaesampler.plotting._samples import (
    MOST_ROWS_SHOWN,
    RandomState,
    count_rows,
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
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.image import AxesImage

    from vaesampler._estimators.oversampler import VAEOversampler

MOST_IMAGES = 16
POINTS_SIZE, IMAGES_SIZE = (7, 4.5), (7, 3.8)  # inches


class SyntheticSamplesDisplay:
    """Real and synthetic rows, as images or as points in a plane.

    Images are drawn in two grids, with a common grey scale. Other rows are projected to the
    first two principal components of the real rows. A value counts in robust deviations from
    the median, logarithmically in the tails, and two different categories are one deviation
    apart. Synthetic points should cover the region of the real ones, and no more; that they do
    so in a plane does not mean that they do in all dimensions.

    Create one with `from_estimator` or `from_samples`. All parameters are stored as attributes.

    Parameters
    ----------
    real : ndarray of shape (n_real, n_pixels) or (n_real, 2)
        Images, one per row, or points.
    synthetic : ndarray of shape (n_synthetic, n_pixels) or (n_synthetic, 2)
        Images or points of the synthetic rows.
    image_shape : tuple of 2 int, default=None
        Height and width of the images in pixels. If None, rows are points.
    axis_names : sequence of 2 str, default=None
        Axis labels for points.
    label : object, default=None
        Class, shown in the titles or the legend.

    Attributes
    ----------
    real_ : matplotlib AxesImage or PathCollection
        Real rows: a mosaic of all images, or points.
    synthetic_ : matplotlib AxesImage or PathCollection
        Synthetic rows.
    axes_ : ndarray of matplotlib Axes
        Panels: two for images, with real ones on the left, and one for points.
    ax_ : matplotlib Axes
        Axes that are split into the panels; the first panel if several axes were given.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    FeatureDistributionDisplay : Draw the distribution of each column.
    LatentSpaceDisplay : Draw the codes of the rows.

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

    real_: "AxesImage | PathCollection"
    synthetic_: "AxesImage | PathCollection"
    axes_: npt.NDArray[np.object_]  # (n_panels,)
    ax_: "Axes"
    figure_: "Figure | SubFigure"

    def __init__(
        self,
        *,
        real: npt.NDArray[np.float64],  # (n_real, n_pixels or 2)
        synthetic: npt.NDArray[np.float64],  # (n_synthetic, n_pixels or 2)
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
            Axes to draw in; for images, axes to split into two panels, or the panels. If None,
            create a new figure.
        scatter_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.scatter`, for points.
        im_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.imshow`, for images. The default "cmap"
            is "gray_r", scaled from the smallest to the largest pixel shown.

        Returns
        -------
        display : SyntheticSamplesDisplay
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
        >>> from vaesampler.plotting import SyntheticSamplesDisplay
        >>> real, synthetic = np.random.default_rng(0).normal(size=(2, 50, 2))
        >>> display = SyntheticSamplesDisplay(
        ...     real=real, synthetic=synthetic, axis_names=["age", "income"]
        ... )
        >>> figure, ax = plt.subplots()
        >>> display.plot(ax, scatter_kwargs={"s": 5}).ax_.get_xlabel()
        'age'
        >>> plt.close(figure)
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
        estimator: "VAEOversampler",
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
        """Draw the rows of a class and synthetic rows.

        Parameters
        ----------
        estimator : VAEOversampler
            Fitted sampler.
        X : {array-like, dataframe, sparse matrix} of shape (n_rows, n_features)
            Rows, of which those of the class are drawn.
        y : array-like of shape (n_rows,)
            Labels.
        label : object, default=None
            Class to draw. May be None if only one class has a VAE.
        image_shape : tuple of 2 int, default=None
            Height and width in pixels, if rows are images.
        n_samples : int, default=None
            Number of synthetic rows. If None, as many as real rows are shown.
        subsample : int, default=None
            Maximum number of real rows to show, chosen at random. If None, show 16 images, or
            1,000 points.
        random_state : int, RandomState instance or None, default=None
            Controls the choice of real rows and the synthetic rows.
        ax : matplotlib Axes, or sequence of 2 of them for images, default=None
            Axes to draw in; for images, axes to split into two panels, or the panels. If None,
            create a new figure.
        scatter_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.scatter`, for points.
        im_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.imshow`, for images.

        Returns
        -------
        display : SyntheticSamplesDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        sklearn.exceptions.NotFittedError
            If the sampler is not fitted.
        ValueError
            If no VAE was fitted for `label`, if y has no row of it, or if the number of pixels
            of `image_shape` is not the number of columns of X.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> from vaesampler.plotting import SyntheticSamplesDisplay
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> display = SyntheticSamplesDisplay.from_estimator(
        ...     sampler, X, y, label=2, n_samples=100, random_state=0
        ... )
        >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
        ['48 real rows of class 2', '100 synthetic rows']
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        subsample = _most_shown(image_shape) if subsample is None else subsample
        label, X_real, X_synthetic = real_and_synthetic(
            estimator, X, y, label, n_samples, subsample, random_state
        )
        return cls.from_samples(
            X_real,
            X_synthetic,
            image_shape=image_shape,
            label=label,
            subsample=max(count_rows(X_real), count_rows(X_synthetic)),
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
        """Draw real rows and the synthetic rows of any sampler.

        Parameters
        ----------
        X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
            Real rows.
        X_synthetic : {array-like, dataframe, sparse matrix} of shape \
                (n_synthetic, n_features)
            Synthetic rows, with the same columns.
        image_shape : tuple of 2 int, default=None
            Height and width in pixels, if rows are images.
        label : object, default=None
            Class, shown in the titles or the legend.
        subsample : int, default=None
            Maximum number of rows of each table to show, chosen at random. If None, show 16
            images, or 1,000 points.
        random_state : int, RandomState instance or None, default=None
            Controls the choice of rows.
        ax : matplotlib Axes, or sequence of 2 of them for images, default=None
            Axes to draw in; for images, axes to split into two panels, or the panels. If None,
            create a new figure.
        scatter_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.scatter`, for points.
        im_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.imshow`, for images.

        Returns
        -------
        display : SyntheticSamplesDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the tables do not have the same columns, or if the number of pixels of
            `image_shape` is not their number.

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
            # The plane is that of all real rows, whether or not they are shown.
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
        self.ax_, self.axes_ = split_axes(ax, (1, 2), 2, IMAGES_SIZE)
        pixels = np.concatenate([self.real, self.synthetic])
        scale = {"cmap": "gray_r", "vmin": pixels.min(), "vmax": pixels.max()}
        mosaics = []
        for panel, images, name, color in zip(
            self.axes_, (self.real, self.synthetic), names, (REAL, SYNTHETIC), strict=True
        ):
            mosaic = _mosaic(images, self.image_shape)
            mosaics.append(panel.imshow(mosaic, **style("image", scale, im_kwargs)))
            panel.set_title(name, color=color)
            panel.set(xticks=[], yticks=[])
            for spine in panel.spines.values():
                spine.set(color=color, linewidth=1.5)
        self.real_, self.synthetic_ = mosaics


def _most_shown(image_shape: tuple[int, int] | None) -> int:
    return MOST_ROWS_SHOWN if image_shape is None else MOST_IMAGES


def _pixels(
    X_real: Any, X_synthetic: Any, image_shape: tuple[int, int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:  # (n_rows, n_pixels) each
    """Return the rows of both tables as matrices of pixels."""
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


def _mosaic(
    images: npt.NDArray[np.float64],  # (n_images, n_pixels)
    shape: tuple[int, int],
) -> "np.ma.MaskedArray[tuple[int, int], np.dtype[np.float64]]":
    """Arrange images in a grid, with masked lines between them."""
    height, width = shape
    n_cols = math.ceil(math.sqrt(len(images) * height / width))
    n_rows = math.ceil(len(images) / n_cols)
    cells = np.full((n_rows * n_cols, height + 1, width + 1), np.nan)
    cells[: len(images), :height, :width] = images.reshape(-1, height, width)
    mosaic = cells.reshape(n_rows, n_cols, height + 1, width + 1).swapaxes(1, 2)
    return np.ma.masked_invalid(
        mosaic.reshape(n_rows * (height + 1), n_cols * (width + 1))[:-1, :-1]
    )
