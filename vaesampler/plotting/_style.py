"""Colours, panels, legends and labels that displays share."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.gridspec import GridSpec, GridSpecFromSubplotSpec
    from matplotlib.legend import Legend


# Okabe and Ito's palette, whose colours the colour-blind can distinguish.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY_BLUE, BLACK = "#E69F00", "#56B4E9", "#000000"
GREY = "#595959"
COLORS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)
REAL, SYNTHETIC = BLUE, VERMILION
LONGEST_LABEL = 28  # characters
REAL_FILL = (REAL, 0.3)  # pale, so that outlines on top of it are visible
REAL_POINTS = {"color": REAL, "marker": "o", "s": 18, "alpha": 0.6, "linewidths": 0}
SYNTHETIC_POINTS = {"color": SYNTHETIC, "marker": "^", "s": 22, "alpha": 0.6, "linewidths": 0}


def one_axes(ax: "Axes | None", figsize: tuple[float, float]) -> "Axes":
    """Return `ax` or, if it is None, the axes of a new figure. `figsize` is in inches."""
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax


def split_axes(
    ax: "Axes | Sequence[Axes] | npt.NDArray[np.object_] | None",
    shape: tuple[int, int],
    n_panels: int,
    figsize: tuple[float, float],
    sharex: bool = False,
    head: float = 0.0,
) -> "tuple[Axes, npt.NDArray[np.object_]]":  # (n_panels,)
    """Split axes into panels. Return the axes, or the first panel if `ax` is panels, and these.

    Parameters
    ----------
    ax : Axes, sequence of Axes or None
        Axes to split, or the panels. If None, split the axes of a new figure.
    shape : tuple of int
        Number of rows and columns of panels.
    n_panels : int
        Number of panels; the last row may have fewer than the others.
    figsize : tuple of float
        Size of a new figure in inches.
    sharex : bool
        Whether the panels share their x-axis.
    head : float
        Height of the space for a legend above the panels, in heights of a panel.

    Raises
    ------
    ValueError
        If there are too few panels, or if the axes were split before.
    """
    if isinstance(ax, list | tuple | np.ndarray):
        panels = np.asarray(ax, dtype=object).ravel()
        if len(panels) < n_panels:
            raise ValueError(
                f"`ax` must hold {n_panels} axes, one for each panel; found {len(panels)}. "
                "Make more of them, or pass one axes to split."
            )
        return panels[0], panels[:n_panels]
    ax = one_axes(cast("Axes | None", ax), figsize)
    if not ax.axison:
        raise ValueError(
            "`ax` must be axes that nothing else was drawn in; it is split already. Pass "
            "`ax=display.axes_` to draw in its panels."
        )
    ax.set_axis_off()
    grid = _grid_within(ax, shape, head)
    panels = np.empty(n_panels, dtype=object)
    for index in range(n_panels):
        shared = panels[0] if sharex and index > 0 else None
        row, column = divmod(index, shape[1])
        position = grid[row + (head > 0), column]
        panels[index] = ax.figure.add_subplot(position, sharex=shared)
    return ax, panels


def _grid_within(
    ax: "Axes", shape: tuple[int, int], head: float
) -> "GridSpec | GridSpecFromSubplotSpec":
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    heights = [1.0] * shape[0] if head == 0 else [head, *[1.0] * shape[0]]
    options: dict[str, Any] = {"height_ratios": heights}
    # A layout engine computes the spaces; without one, leave some for titles and labels.
    if ax.figure.get_layout_engine() is None:
        options |= {"wspace": 0.4, "hspace": 0.7}
    position = ax.get_subplotspec()
    if position is not None:
        return GridSpecFromSubplotSpec(len(heights), shape[1], subplot_spec=position, **options)
    box = ax.get_position()
    options |= {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
    return ax.figure.add_gridspec(len(heights), shape[1], **options)


def style(
    kind: Literal["line", "points", "image"],
    defaults: Mapping[str, Any],
    chosen: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the keywords of an artist: the defaults, updated with those of the user.

    Aliases ("lw" for "linewidth") are resolved, so that no keyword is passed twice.
    """
    from matplotlib import cbook, collections, image, lines

    artists = {
        "line": lines.Line2D,
        "points": collections.PathCollection,
        "image": image.AxesImage,
    }
    chosen = cbook.normalize_kwargs(dict(chosen or {}), artists[kind])
    if "c" in chosen:
        chosen["color"] = chosen.pop("c")
    return {**defaults, **chosen}


def legend_beside(ax: "Axes", *, handles: Sequence[Any] | None = None) -> "Legend":
    """Put a legend to the right of the axes, where it covers no data."""
    return ax.legend(
        handles=handles or ax.get_legend_handles_labels()[0],
        loc="upper left",
        bbox_to_anchor=(1.01, 1),
        borderaxespad=0,
        frameon=False,
    )


def legend_above(
    ax: "Axes",
    panels: npt.NDArray[np.object_],  # (n_panels,)
    handles: Sequence[Any],
    title: str | None = None,
) -> "Legend":
    """Put a legend at the top of axes that are split, or into them if they are a panel."""
    is_split = ax is not panels[0]
    return ax.legend(
        handles=handles,
        title=title,
        loc="upper center" if is_split else "best",
        borderaxespad=0,
        ncols=len(handles) if is_split else 1,
        frameon=False,
    )


def show_shares(axis: "Axis") -> None:
    """Label the ticks of an axis of shares as percentages."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))


def count(number: int, what: str) -> str:
    """Return a number with a noun in singular or plural: "1 row", "1,234 rows"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def of_class(label: object) -> str:
    """Return " of class" and the label; an empty string if the label is None."""
    return "" if label is None else f" of class {plain(label)}"


def plain(text: object, longest: int = LONGEST_LABEL) -> str:
    """Return a user's text as a label, shortened to at most `longest` characters.

    Dollar signs are escaped: matplotlib takes text between two of them for a formula.
    """
    shown = str(text)
    if len(shown) > longest:
        shown = f"{shown[: longest - 1].rstrip()}…"
    return shown.replace("$", r"\$")
