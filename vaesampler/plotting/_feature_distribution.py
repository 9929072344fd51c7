"""`FeatureDistributionDisplay`: each column of synthetic rows beside that of real ones."""

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from vaesampler._runtime.optional import require_matplotlib
from vaesampler.plotting._histograms import Marginal, NumberMarginal, find_marginal
from vaesampler.plotting._samples import (
    DURATIONS,
    RandomState,
    n_rows,
    read_both,
    real_and_synthetic,
)
from vaesampler.plotting._style import (
    GREY,
    REAL,
    REAL_FILL,
    SYNTHETIC,
    count,
    legend_at_head,
    of_class,
    plain,
    split_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from vaesampler._estimators.oversampler import VAEOversampler

MOST_PANELS = 12
PANEL_SIZE = (2.7, 2.1)  # inches
MIN_WIDTH = 5.0  # of the legend
HEAD = 0.28  # its height, in heights of a panel


class FeatureDistributionDisplay:
    """How the cells of each column are distributed, among real and among synthetic rows.

    Numbers and times have histograms with the same bins, in shares of the rows; whole numbers
    have bins of as many whole numbers each, and where a few numbers lie far off, those are
    left out of the picture and counted below it. Categories, truth values and columns of few
    numbers have a pair of bars a level; rare levels share one. The share of missing cells
    stands below a column that has any.

    Columns that are right one by one may still go together wrongly:
    `SyntheticSamplesDisplay` shows more of that.

    Use `from_estimator` or `from_samples` to make one. All parameters are kept as attributes.

    Parameters
    ----------
    marginals : list of Marginal
        The distribution of each column shown: its `name`, the shares `real` and `synthetic`,
        the `edges` of bins or the `levels`, and two shares that are `missing`.
    n_real, n_synthetic : int
        How many rows they were taken from.
    n_columns : int
        How many columns the tables have.
    label : object, default=None
        The class, which the legend names.

    Attributes
    ----------
    real_ : list of matplotlib StepPatch or BarContainer
        The real rows in each panel.
    synthetic_ : list of matplotlib StepPatch or BarContainer
        The synthetic rows in each panel.
    axes_ : ndarray of matplotlib Axes
        The panels, one a column.
    ax_ : matplotlib Axes
        The axes whose room the panels share; the first panel if several axes were given.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    SyntheticSamplesDisplay : All columns at once.

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

    real_: list[Any]
    synthetic_: list[Any]
    axes_: np.ndarray
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
            Axes whose room is split, or the panels. None makes a new figure.
        n_cols : int, default=3
            The most panels side by side.

        Returns
        -------
        display : FeatureDistributionDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` does not do.
        """
        require_matplotlib(f"{type(self).__name__}.plot")
        n_panels = len(self.marginals)
        n_cols = min(n_cols, n_panels)
        n_lines = math.ceil(n_panels / n_cols)
        width, height = PANEL_SIZE
        size = (max(width * n_cols, MIN_WIDTH), height * (n_lines + HEAD))
        room, self.axes_ = split_axes(ax, (n_lines, n_cols), n_panels, size, head=HEAD)
        self.ax_ = self.axes_[0] if room is None else room
        self.figure_ = self.ax_.figure
        artists = [
            marginal.draw(panel)
            for marginal, panel in zip(self.marginals, self.axes_, strict=True)
        ]
        self.real_, self.synthetic_ = map(list, zip(*artists, strict=True))
        self._name(room)
        return self

    @classmethod
    def from_estimator(
        cls,
        sampler: "VAEOversampler",
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
        """Draw the columns of a class's rows and of synthetic ones.

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
        columns : sequence of str or int, default=None
            Names or indices of the columns to draw. None draws the first 12.
        n_samples : int, default=None
            How many synthetic rows to draw. None draws as many as there are real ones.
        random_state : int, RandomState instance or None, default=None
            Which synthetic rows are drawn.
        n_cols : int, default=3
            The most panels side by side.
        ax : matplotlib Axes, or sequence of one for each column shown, default=None
            Axes whose room is split, or the panels. None makes a new figure.

        Returns
        -------
        display : FeatureDistributionDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        sklearn.exceptions.NotFittedError
            If the sampler was not fitted.
        ValueError
            If no VAE was fitted for `label`, y holds no row of it, or `columns` names one that
            X does not have.
        """
        require_matplotlib(f"{cls.__name__}.from_estimator")
        label, X_real, X_synthetic = real_and_synthetic(
            sampler, X, y, label, n_samples, None, random_state
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
        """Draw the columns of rows that are real and of rows that are not, of any sampler.

        Parameters
        ----------
        X_real : {array-like, dataframe, sparse matrix} of shape (n_real, n_features)
            Real rows.
        X_synthetic : same columns as X_real, of shape (n_synthetic, n_features)
            Synthetic rows.
        columns : sequence of str or int, default=None
            Names or indices of the columns to draw. None draws the first 12.
        label : object, default=None
            The class, which the legend names.
        n_cols : int, default=3
            The most panels side by side.
        ax : matplotlib Axes, or sequence of one for each column shown, default=None
            Axes whose room is split, or the panels. None makes a new figure.

        Returns
        -------
        display : FeatureDistributionDisplay
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the tables do not have the same columns, or not those of `columns`.

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
                find_marginal(names[number], real[number], synthetic[number])
                for number in _chosen(columns, names)
            ],
            n_real=n_rows(X_real),
            n_synthetic=n_rows(X_synthetic),
            n_columns=len(names),
            label=label,
        )
        return display.plot(ax, n_cols=n_cols)

    def _name(self, room: "Axes | None") -> None:
        for marginal, panel in zip(self.marginals, self.axes_, strict=True):
            is_duration = isinstance(marginal, NumberMarginal) and marginal.unit == DURATIONS
            unit = f" ({DURATIONS})" if is_duration else ""
            panel.set_title(plain(marginal.name) + unit, fontsize="medium")
            panel.tick_params(labelsize="small")
            panel.set_xlabel("\n".join(marginal.notes()), fontsize="small", color=GREY)
        n_shown = len(self.marginals)
        some = "" if n_shown == self.n_columns else f" ({n_shown} of {self.n_columns})"
        title = f"Shares of rows, by column{some}"
        legend_at_head(self.ax_, room, self._handles(), title)

    def _handles(self) -> list[Any]:
        from matplotlib.patches import Patch

        real = f"{count(self.n_real, 'real row')}{of_class(self.label)}"
        synthetic = count(self.n_synthetic, "synthetic row")
        return [
            Patch(facecolor=REAL_FILL, edgecolor=REAL, label=real),
            Patch(facecolor="none", edgecolor=SYNTHETIC, linewidth=1.6, label=synthetic),
        ]


def _chosen(columns: Sequence[str | int] | None, names: Sequence[str]) -> list[int]:
    """Return the numbers of the columns that were asked for."""
    if columns is None:
        return list(range(min(len(names), MOST_PANELS)))
    if isinstance(columns, str) or len(columns) == 0:
        raise ValueError(
            f"`columns` must be a list of at least one name or index; found {columns!r}."
        )
    chosen = []
    for column in columns:
        if isinstance(column, str) and column in names:
            chosen.append(list(names).index(column))
        elif isinstance(column, int | np.integer) and -len(names) <= column < len(names):
            chosen.append(int(column) % len(names))
        else:
            raise ValueError(
                f"`columns` must hold names or indices of columns of X; found {column!r}. "
                f"There are {len(names)} columns, the first of them {list(names[:5])}."
            )
    return chosen
