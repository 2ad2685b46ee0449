"""Colours, markers and Matplotlib settings that every figure of the book shares.

Each colour has a name and two hex values, one for light pages and one for dark. Figures are drawn
in the light ones; a page turns each exact light hex into a CSS variable, and black into the colour
of the text, so that one picture serves both. Nothing here changes Matplotlib's global state.
"""

from __future__ import annotations

from typing import Any

from matplotlib.rcsetup import cycler

from .palette import INK, PALETTE

__all__ = ["CYCLE", "INK", "MARKERS", "PALETTE", "RC", "colour", "soft"]

CYCLE = ("blue", "orange", "green", "purple", "red", "sky")
"""Class and line colours, in the order in which they are used."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""The marker that goes with each colour of `CYCLE`, so that colour never stands alone."""

LINE_STYLES: tuple[Any, ...] = (
    "-",
    (0, (7, 1.6)),
    (0, (1.2, 1.2)),
    "-.",
    (0, (4, 1, 1, 1, 1, 1)),
    "--",
)


def colour(name: str) -> str:
    """Look up the light hex value of a colour of the palette.

    Parameters
    ----------
    name : str
        A key of `PALETTE`, or ``"ink"`` for the colour of the text. A hex value that belongs to
        the palette is given back unchanged.

    Returns
    -------
    str
        A hex colour such as ``"#1d6fb8"``.

    Raises
    ------
    ValueError
        If the palette has no such colour. Other colours would not follow the page's theme.

    Examples
    --------
    >>> colour("blue")
    '#1d6fb8'
    """
    if name == "ink" or name == INK:
        return INK
    if name in PALETTE:
        return PALETTE[name][0]
    if name in {light for light, _ in PALETTE.values()}:
        return name
    raise ValueError(f"no colour {name!r} in the palette; choose from ink, {', '.join(PALETTE)}")


def soft(name: str) -> str:
    """Look up the pale fill that belongs to a colour.

    Parameters
    ----------
    name : str
        A colour of `CYCLE`.

    Returns
    -------
    str
        The hex value of the fill.

    Examples
    --------
    >>> soft("blue") == PALETTE["blue-soft"][0]
    True
    """
    return colour(f"{name}-soft")


RC: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "dlcourse",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "figure.facecolor": "none",
    "figure.dpi": 100,
    "savefig.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": colour("axis"),
    "axes.linewidth": 0.9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelsize": 11,
    "axes.labelpad": 5,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.titlecolor": INK,
    "axes.prop_cycle": cycler(color=[colour(name) for name in CYCLE])
    + cycler(linestyle=LINE_STYLES)
    + cycler(linewidth=[2.0] * len(CYCLE)),
    "grid.color": colour("grid"),
    "grid.linewidth": 0.8,
    "xtick.color": colour("axis"),
    "ytick.color": colour("axis"),
    "xtick.labelcolor": colour("muted"),
    "ytick.labelcolor": colour("muted"),
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "ytick.major.pad": 5,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.5,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "legend.handlelength": 1.6,
    "image.interpolation": "none",
}
"""The book's Matplotlib settings, for ``matplotlib.rc_context(RC)``; `axes` applies them."""
