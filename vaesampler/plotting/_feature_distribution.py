"""`FeatureDistributionDisplay`: the distribution of each column, real and synthetic."""

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from vaesampler._runtime.optional import require_matplotlib
from vaesampler.plotting._histograms import Marginal, NumberMarginal, marginal_of
from vaesampler.plotting._samples import (
    DURATIONS,
    RandomState,
    count_rows,
    read_both,
    real_and_synthetic,
)
from vaesampler.plotting._style import (
    GREY,
    REAL,
    REAL_FILL,
    SYNTHETIC,
    count,
    legend_above,
    of_class,
    plain,
    split_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.patches import Patch, StepPatch

    from vaesampler._estimators.oversampler import VAEOversampler

MOST_PANELS = 12
PANEL_SIZE = (2.7, 2.1)  # inches
MIN_WIDTH = 5.0  # of the legend, in inches
HEAD = 0.28  # height of the legend, in heights of a panel


class FeatureDistributionDisplay:
    """Distribution of each column, among real and among synthetic rows.

    Numbers and times are drawn as histograms with common bins. Each bin of whole numbers
    contains the same number of them. Outliers are not drawn; their share is written below the
    panel, as is the share of missing cells. Categories, truth values and columns with few
    different numbers are drawn as a pair of bars per level; rare levels are merged.

    Correct distributions of columns do not imply correct associations between them, for which
    `SyntheticSamplesDisplay` is a better check.

    Create one with `from_estimator` or `from_samples`. All parameters are stored as attributes.

    Parameters
    ----------
    marginals : list of Marginal
        Distribution of each column shown: its `name`, the shares `real` and `synthetic` of each
        bin or level, the `edges` of the bins or the `levels`, and the two shares of `missing`
        cells.
    n_real, n_synthetic : int
        Number of rows.
    n_columns : int
        Number of columns of the tables, shown or not.
    label : object, default=None
        Class, shown in the legend.

    Attributes
    ----------
    real_ : list of matplotlib StepPatch or BarContainer
        Real rows in each panel.
    synthetic_ : list of matplotlib StepPatch or BarContainer
        Synthetic rows in each panel.
    axes_ : ndarray of matplotlib Axes
        Panels, one per column.
    ax_ : matplotlib Axes
        Axes that are split into the panels; the first panel if several axes were given.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    SyntheticSamplesDisplay : Draw all columns at once.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_wine
    >>> from vaesampler import VAEOversampler
    >>> from vaesampler.plotting import FeatureDistributionDisplay
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> sampler = VAEOversampler(random_state=0).fit(X, y)
    >>> display = FeatureDistributionDisplay.from_estimator(
    ...     sampler, X, y, label=2, columns=["alcohol", "hue"], random_state=0
    ... )
    >>> [ax.get_title() for ax in display.axes_]
    ['alcohol', 'hue']
    >>> plt.close(display.figure_)
    """

    real_: "list[StepPatch | BarContainer]"
    synthetic_: "list[StepPatch | BarContainer]"
    axes_: npt.NDArray[np.object_]  # (n_panels,)
    ax_: "Axes"
    figure_: "Figure | SubFigure"

    def __init__(
        self,
        *,
        marginals: Sequence[Marginal],
        n_real: int,
        n_synthetic: int,
        n_columns: int,
        label: Hashable = None,
    ) -> None:
        self.marginals = marginals
        self.n_real = n_real
        self.n_synthetic = n_synthetic
        self.n_columns = n_columns
        self.label = label

    def plot(self, ax: "Axes | Sequence[Axes] | None" = None, *, n_cols: int = 3) -> Self:
        """Draw a panel for each column.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of one for each column shown, default=None
            Axes to split into panels, or the panels. If None, create a new figure.
        n_cols : int, default=3
            Maximum number of panels side by side.

        Returns
        -------
        display : FeatureDistributionDisplay
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
        >>> import pandas as pd
        >>> from vaesampler.plotting import FeatureDistributionDisplay
        >>> real = pd.DataFrame({"plan": ["monthly", "yearly"] * 20, "visits": range(40)})
        >>> synthetic = real.sample(30, random_state=0)
        >>> display = FeatureDistributionDisplay.from_samples(real, synthetic)
        >>> figure, ax = plt.subplots(figsize=(4, 5))
        >>> display.plot(ax, n_cols=1).figure_ is figure
        True
        >>> plt.close("all")
        """
        require_matplotlib(f"{type(self).__name__}.plot")
        n_panels = len(self.marginals)
        n_cols = min(n_cols, n_panels)
        n_rows = math.ceil(n_panels / n_cols)
        width, height = PANEL_SIZE
        size = (max(width * n_cols, MIN_WIDTH), height * (n_rows + HEAD))
        self.ax_, self.axes_ = split_axes(ax, (n_rows, n_cols), n_panels, size, head=HEAD)
        self.figure_ = self.ax_.figure
        artists = [
            marginal.draw(panel)
            for marginal, panel in zip(self.marginals, self.axes_, strict=True)
        ]
        self.real_, self.synthetic_ = map(list, zip(*artists, strict=True))
        self._name()
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: "VAEOversampler",
        X: Any,
        y: Any,
        *,
        label: Hashable = None,
        columns: Sequence[str | int] | None = None,
        n_samples: int | None = None,
        random_state: RandomState = None,
        n_cols: int = 3,
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> Self:
        """Draw the columns of the rows of a class and of synthetic rows.

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
        columns : sequence of str or int, default=None
            Names or indices of the columns to draw. If None, draw the first 12.
        n_samples : int, default=None
            Number of synthetic rows. If None, as many as real rows.
        random_state : int, RandomState instance or None, default=None
            Controls the synthetic rows.
        n_cols : int, default=3
            Maximum number of panels side by side.
        ax : matplotlib Axes, or sequence of one for each column shown, default=None
            Axes to split into panels, or the panels. If None, create a new figure.

        Returns
        -------
        display : FeatureDistributionDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        sklearn.exceptions.NotFittedError
            If the sampler is not fitted.
        ValueError
            If no VAE was fitted for `label`, if y has no row of it, or if X does not have one
            of the `columns`.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> from sklearn.datasets import load_wine
        >>> from vaesampler import VAEOversampler
        >>> from vaesampler.plotting import FeatureDistributionDisplay
        >>> X, y = load_wine(return_X_y=True, as_frame=True)
        >>> sampler = VAEOversampler(random_state=0).fit(X, y)
        >>> display = FeatureDistributionDisplay.from_estimator(
        ...     sampler, X, y, label=2, columns=["hue"], n_samples=200, random_state=0
        ... )
        >>> display.n_real, display.n_synthetic
        (48, 200)
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        label, X_real, X_synthetic = real_and_synthetic(
            estimator, X, y, label, n_samples, None, random_state
        )
        return cls.from_samples(
            X_real, X_synthetic, columns=columns, label=label, n_cols=n_cols, ax=ax
        )

    @classmethod
    def from_samples(
        cls,
        X_real: Any,
        X_synthetic: Any,
        *,
        columns: Sequence[str | int] | None = None,
        label: Hashable = None,
        n_cols: int = 3,
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> Self:
        """Draw the columns of real rows and of the synthetic rows of any sampler.

        Parameters
        ----------
        X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
            Real rows.
        X_synthetic : {array-like, dataframe, sparse matrix} of shape \
                (n_synthetic, n_features)
            Synthetic rows, with the same columns.
        columns : sequence of str or int, default=None
            Names or indices of the columns to draw. If None, draw the first 12.
        label : object, default=None
            Class, shown in the legend.
        n_cols : int, default=3
            Maximum number of panels side by side.
        ax : matplotlib Axes, or sequence of one for each column shown, default=None
            Axes to split into panels, or the panels. If None, create a new figure.

        Returns
        -------
        display : FeatureDistributionDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the tables do not have the same columns, or do not have one of the `columns`.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> import pandas as pd
        >>> from vaesampler.plotting import FeatureDistributionDisplay
        >>> real = pd.DataFrame({"plan": ["monthly", "yearly"] * 20, "visits": range(40)})
        >>> synthetic = real.sample(30, random_state=0)
        >>> display = FeatureDistributionDisplay.from_samples(real, synthetic)
        >>> display.marginals[0].levels
        ('monthly', 'yearly')
        >>> plt.close(display.figure_)
        """
        require_matplotlib(f"{cls.__name__}.from_samples")
        names, real, synthetic = read_both(X_real, X_synthetic)
        display = cls(
            marginals=[
                marginal_of(names[index], real[index], synthetic[index])
                for index in _column_indices(columns, names)
            ],
            n_real=count_rows(X_real),
            n_synthetic=count_rows(X_synthetic),
            n_columns=len(names),
            label=label,
        )
        return display.plot(ax, n_cols=n_cols)

    def _name(self) -> None:
        for marginal, panel in zip(self.marginals, self.axes_, strict=True):
            is_duration = isinstance(marginal, NumberMarginal) and marginal.unit == DURATIONS
            unit = f" ({DURATIONS})" if is_duration else ""
            panel.set_title(plain(marginal.name) + unit, fontsize="medium")
            panel.tick_params(labelsize="small")
            panel.set_xlabel("\n".join(marginal.notes()), fontsize="small", color=GREY)
        n_shown = len(self.marginals)
        some = "" if n_shown == self.n_columns else f" ({n_shown} of {self.n_columns})"
        title = f"Shares of rows, by column{some}"
        legend_above(self.ax_, self.axes_, self._handles(), title)

    def _handles(self) -> "list[Patch]":
        from matplotlib.patches import Patch

        real = f"{count(self.n_real, 'real row')}{of_class(self.label)}"
        synthetic = count(self.n_synthetic, "synthetic row")
        return [
            Patch(facecolor=REAL_FILL, edgecolor=REAL, label=real),
            Patch(facecolor="none", edgecolor=SYNTHETIC, linewidth=1.6, label=synthetic),
        ]


def _column_indices(columns: Sequence[str | int] | None, names: Sequence[str]) -> list[int]:
    """Return the indices of the columns to draw."""
    if columns is None:
        return list(range(min(len(names), MOST_PANELS)))
    if isinstance(columns, str) or len(columns) == 0:
        raise ValueError(
            f"`columns` must be a list of at least one name or index; found {columns!r}."
        )
    column_indices = []
    for column in columns:
        if isinstance(column, str) and column in names:
            column_indices.append(list(names).index(column))
        elif isinstance(column, int | np.integer) and -len(names) <= column < len(names):
            column_indices.append(int(column) % len(names))
        else:
            raise ValueError(
                f"`columns` must hold names or indices of columns of X; found {column!r}. "
                f"There are {len(names)} columns, the first of them {list(names[:5])}."
            )
    return column_indices
