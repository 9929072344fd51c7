"""How displays look, and the room that they are drawn in."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis


# Okabe and Ito's colours, which the colour-blind tell apart.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY_BLUE, BLACK = "#E69F00", "#56B4E9", "#000000"
GREY = "#595959"
COLORS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)
REAL, SYNTHETIC = BLUE, VERMILION
LONGEST_LABEL = 28  # characters
REAL_FILL = (REAL, 0.3)  # pale, so that what lies on top can be seen
REAL_POINTS = {"color": REAL, "marker": "o", "s": 18, "alpha": 0.6, "linewidths": 0}
SYNTHETIC_POINTS = {"color": SYNTHETIC, "marker": "^", "s": 22, "alpha": 0.6, "linewidths": 0}


def one_axes(ax: "Axes | None", figsize: tuple[float, float]) -> "Axes":
    """Return the user's axes, or those of a new figure of a size in inches."""
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax


def split_axes(
    ax: "Axes | Sequence[Axes] | np.ndarray | None",
    shape: tuple[int, int],
    n_panels: int,
    figsize: tuple[float, float],
    sharex: bool = False,
    head: float = 0.0,
) -> "tuple[Axes | None, np.ndarray]":
    """Return the axes whose room is split, None if panels were given, and the panels.

    Parameters
    ----------
    ax : Axes, sequence of Axes or None
        Axes whose room is taken; or the panels themselves; or None for a new figure.
    shape : tuple of int
        Rows and columns of panels.
    n_panels : int
        How many of them are wanted: the last row may have fewer.
    figsize : tuple of float
        Size of a new figure in inches.
    sharex : bool
        Whether the panels have their horizontal axis in common.
    head : float
        Room left above the panels for a legend, in heights of a panel.

    Raises
    ------
    ValueError
        If there are too few panels, or the room was split before.
    """
    if isinstance(ax, list | tuple | np.ndarray):
        panels = np.asarray(ax, dtype=object).ravel()
        if len(panels) < n_panels:
            raise ValueError(
                f"`ax` must hold {n_panels} axes, one for each panel; found {len(panels)}. "
                "Make more of them, or pass one axes, whose room is then split."
            )
        return None, panels[:n_panels]
    ax = one_axes(cast("Axes | None", ax), figsize)
    if not ax.axison:
        raise ValueError(
            "`ax` must be axes that nothing else was drawn in; its room is split already. Pass "
            "`ax=display.axes_` to draw in the panels that are there."
        )
    ax.set_axis_off()
    grid = _grid_within(ax, shape, head)
    panels = np.empty(n_panels, dtype=object)
    for number in range(n_panels):
        shared = panels[0] if sharex and number > 0 else None
        line, column = divmod(number, shape[1])
        place = grid[line + (head > 0), column]
        panels[number] = ax.figure.add_subplot(place, sharex=shared)
    return ax, panels


def _grid_within(ax: "Axes", shape: tuple[int, int], head: float) -> Any:
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    heights = [1.0] * shape[0] if head == 0 else [head, *[1.0] * shape[0]]
    options: dict[str, Any] = {"height_ratios": heights}
    # A layout engine finds the spaces itself; without one they must do for titles and labels.
    if ax.figure.get_layout_engine() is None:
        options |= {"wspace": 0.4, "hspace": 0.7}
    room = ax.get_subplotspec()
    if room is not None:
        return GridSpecFromSubplotSpec(len(heights), shape[1], subplot_spec=room, **options)
    box = ax.get_position()
    options |= {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
    return ax.figure.add_gridspec(len(heights), shape[1], **options)


def style(kind: str, defaults: Mapping[str, Any], chosen: Mapping[str, Any] | None) -> dict:
    """Return default keywords of a kind of artist, overruled by those the user chose.

    Aliases ("lw" for "linewidth") are resolved, so that none is given twice.
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


def legend_beside(ax: "Axes", *, handles: Sequence[Any] | None = None) -> Any:
    """Put a legend to the right of the axes, where it hides nothing."""
    return ax.legend(
        handles=handles or ax.get_legend_handles_labels()[0],
        loc="upper left",
        bbox_to_anchor=(1.01, 1),
        borderaxespad=0,
        frameon=False,
    )


def legend_at_head(
    ax: "Axes", room: "Axes | None", handles: Sequence[Any], title: str | None = None
) -> Any:
    """Put a legend into the room above the panels; inside `ax`, the first, if there is none."""
    return ax.legend(
        handles=handles,
        title=title,
        loc="best" if room is None else "upper center",
        borderaxespad=0,
        ncols=1 if room is None else len(handles),
        frameon=False,
    )


def show_shares(axis: "Axis") -> None:
    """Name the ticks of an axis of shares in per cent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))


def count(number: int, what: str) -> str:
    """Say how many: "1 row", "1,234 rows"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def of_class(label: object) -> str:
    """Say whose rows they are, where that is known."""
    return "" if label is None else f" of class {plain(label)}"


def plain(text: object, longest: int = LONGEST_LABEL) -> str:
    """Return a text of the user's as a label, cut if it is longer than so many characters.

    What stands between two dollar signs would be taken for a formula.
    """
    shown = str(text)
    if len(shown) > longest:
        shown = f"{shown[: longest - 1].rstrip()}…"
    return shown.replace("$", r"\$")
