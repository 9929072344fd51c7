"""`LatentSpaceDisplay`: the codes of rows in the latent space of a class."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from vaesampler._runtime.optional import require_matplotlib
from vaesampler.plotting._projection import draw_points, project
from vaesampler.plotting._samples import MOST_ROWS_SHOWN, RandomState, real_and_synthetic
from vaesampler.plotting._style import (
    REAL,
    REAL_FILL,
    SYNTHETIC,
    count,
    legend_beside,
    of_class,
    one_axes,
    show_shares,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.patches import StepPatch

    from vaesampler._estimators.oversampler import VAEOversampler

N_BINS = 25


class LatentSpaceDisplay:
    """Codes of real and synthetic rows in the latent space of a class's VAE.

    A code is the mean of a row's posterior. One latent dimension is drawn as histograms, two as
    a scatter plot. Codes of more dimensions are projected to the first two principal components
    of the real codes; the axis labels give their share of the variance.

    Synthetic rows should cover the region of the real rows, and no more. Real rows without
    synthetic ones close by are not represented.

    Create one with `from_estimator` or `from_codes`. All parameters are stored as attributes.

    Parameters
    ----------
    codes_real : ndarray of shape (n_real, latent_dim)
        Codes of real rows.
    codes_synthetic : ndarray of shape (n_synthetic, latent_dim)
        Codes of synthetic rows.
    label : object, default=None
        Class, shown in the legend.

    Attributes
    ----------
    real_ : matplotlib PathCollection or StepPatch
        Real rows: points, or a histogram if there is one latent dimension.
    synthetic_ : matplotlib PathCollection or StepPatch
        Synthetic rows.
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    SyntheticSamplesDisplay : Draw the rows instead of their codes.

    References
    ----------
    Diederik P. Kingma, Max Welling (2014). Auto-Encoding Variational Bayes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import VAEOversampler
    >>> from vaesampler.plotting import LatentSpaceDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> sampler = VAEOversampler(latent_dim=2, random_state=0).fit(X, y)
    >>> display = LatentSpaceDisplay.from_estimator(sampler, X, y, label=2, random_state=0)
    >>> display.ax_.get_xlabel()
    'Latent dimension 1'
    >>> plt.close(display.figure_)
    """

    real_: "PathCollection | StepPatch"
    synthetic_: "PathCollection | StepPatch"
    ax_: "Axes"
    figure_: "Figure | SubFigure"

    def __init__(
        self,
        *,
        codes_real: npt.NDArray[np.float64],  # (n_real, latent_dim)
        codes_synthetic: npt.NDArray[np.float64],  # (n_synthetic, latent_dim)
        label: Hashable = None,
    ) -> None:
        self.codes_real = codes_real
        self.codes_synthetic = codes_synthetic
        self.label = label

    def plot(
        self, ax: "Axes | None" = None, *, scatter_kwargs: Mapping[str, Any] | None = None
    ) -> Self:
        """Draw the codes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, create a new figure.
        scatter_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.scatter`, for both kinds of rows.

        Returns
        -------
        display : LatentSpaceDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from vaesampler.plotting import LatentSpaceDisplay
        >>> codes_real, codes_synthetic = np.random.default_rng(0).normal(size=(2, 50, 2))
        >>> display = LatentSpaceDisplay(codes_real=codes_real, codes_synthetic=codes_synthetic)
        >>> figure, ax = plt.subplots()
        >>> display.plot(ax, scatter_kwargs={"s": 5}).ax_ is ax
        True
        >>> plt.close(figure)
        """
        require_matplotlib(f"{type(self).__name__}.plot")
        self.ax_ = one_axes(ax, (7, 4.5))
        self.figure_ = self.ax_.figure
        names = (
            f"{count(len(self.codes_real), 'real row')}{of_class(self.label)}",
            count(len(self.codes_synthetic), "synthetic row"),
        )
        if self.codes_real.shape[1] == 1:
            self._draw_histograms(names)
        else:
            self._draw_points(names, scatter_kwargs)
        legend_beside(self.ax_)
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: "VAEOversampler",
        X: Any,
        y: Any,
        *,
        label: Hashable = None,
        n_samples: int | None = None,
        subsample: int | None = MOST_ROWS_SHOWN,
        random_state: RandomState = None,
        ax: "Axes | None" = None,
        scatter_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw the codes of the rows of a class and of synthetic rows.

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
        n_samples : int, default=None
            Number of synthetic rows. If None, as many as real rows are shown.
        subsample : int or None, default=1_000
            Maximum number of real rows to show, chosen at random. If None, show all of them.
        random_state : int, RandomState instance or None, default=None
            Controls the choice of real rows and the synthetic rows.
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, create a new figure.
        scatter_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.scatter`, for both kinds of rows.

        Returns
        -------
        display : LatentSpaceDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        sklearn.exceptions.NotFittedError
            If the sampler is not fitted.
        ValueError
            If no VAE was fitted for `label`, if y has no row of it, or if X has other columns
            than the sampler was fitted on.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> from vaesampler.plotting import LatentSpaceDisplay
        >>> X, y = load_wine(return_X_y=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> display = LatentSpaceDisplay.from_estimator(sampler, X, y, label=2, random_state=0)
        >>> display.codes_real.shape, display.codes_synthetic.shape
        ((48, 4), (48, 4))
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        label, X_real, X_synthetic = real_and_synthetic(
            estimator, X, y, label, n_samples, subsample, random_state
        )
        return cls.from_codes(
            estimator.encode(label, X_real),
            estimator.encode(label, X_synthetic),
            label=label,
            ax=ax,
            scatter_kwargs=scatter_kwargs,
        )

    @classmethod
    def from_codes(
        cls,
        codes_real: Any,
        codes_synthetic: Any,
        *,
        label: Hashable = None,
        ax: "Axes | None" = None,
        scatter_kwargs: Mapping[str, Any] | None = None,
    ) -> Self:
        """Draw codes that `VAEOversampler.encode` returned.

        Parameters
        ----------
        codes_real : array-like of shape (n_real, latent_dim)
            Codes of real rows.
        codes_synthetic : array-like of shape (n_synthetic, latent_dim)
            Codes of synthetic rows.
        label : object, default=None
            Class, shown in the legend.
        ax : matplotlib Axes, default=None
            Axes to draw in. If None, create a new figure.
        scatter_kwargs : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.scatter`, for both kinds of rows.

        Returns
        -------
        display : LatentSpaceDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the codes are not two matrices with the same number of columns.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> import numpy as np
        >>> from vaesampler.plotting import LatentSpaceDisplay
        >>> rng = np.random.default_rng(0)
        >>> display = LatentSpaceDisplay.from_codes(
        ...     rng.normal(size=(50, 2)), rng.normal(size=(80, 2)), label="rare"
        ... )
        >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
        ['50 real rows of class rare', '80 synthetic rows']
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_codes")
        both = [np.asarray(codes, dtype=np.float64) for codes in (codes_real, codes_synthetic)]
        shapes = [codes.shape for codes in both]
        if any(codes.ndim != 2 or 0 in codes.shape for codes in both) or (
            shapes[0][1] != shapes[1][1]
        ):
            raise ValueError(
                "Codes must be matrices with a column for each latent dimension; found shapes "
                f"{shapes[0]} and {shapes[1]}. Pass what `VAEOversampler.encode` returns."
            )
        display = cls(codes_real=both[0], codes_synthetic=both[1], label=label)
        return display.plot(ax, scatter_kwargs=scatter_kwargs)

    def _draw_points(
        self, names: tuple[str, str], scatter_kwargs: Mapping[str, Any] | None
    ) -> None:
        real, synthetic = self.codes_real, self.codes_synthetic
        axis_names = ["Latent dimension 1", "Latent dimension 2"]
        if real.shape[1] > 2:
            projection = project(real, synthetic)
            real, synthetic = projection.real, projection.synthetic
            axis_names = projection.axis_names
        self.real_, self.synthetic_ = draw_points(
            self.ax_, real, synthetic, names, scatter_kwargs
        )
        self.ax_.set(xlabel=axis_names[0], ylabel=axis_names[1])

    def _draw_histograms(self, names: tuple[str, str]) -> None:
        together = np.concatenate([self.codes_real, self.codes_synthetic])
        edges = np.histogram_bin_edges(together, bins=N_BINS)
        shares = [
            np.histogram(codes, bins=edges)[0] / len(codes)
            for codes in (self.codes_real, self.codes_synthetic)
        ]
        self.real_ = self.ax_.stairs(
            shares[0], edges, fill=True, facecolor=REAL_FILL, label=names[0]
        )
        self.synthetic_ = self.ax_.stairs(
            shares[1], edges, color=SYNTHETIC, linewidth=1.8, label=names[1]
        )
        self.ax_.stairs(shares[0], edges, color=REAL, linewidth=1)
        self.ax_.set(xlabel="Latent dimension 1", ylabel="Share of rows")
        show_shares(self.ax_.yaxis)
