"""A schematic drawing of a biological neuron, made of tapering curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Ellipse, Polygon
from numpy.typing import NDArray

from .canvas import sheet
from .style import colour

__all__ = ["biological_neuron"]

Points = Sequence[tuple[float, float]]

# Control points of cubic Bézier curves on a sheet of 389 x 224 points, and the widths at both ends.
SOMA = (116.0, 112.0)
DENDRITES: list[tuple[Points, float, float]] = [
    ([(112, 118), (88, 134), (78, 152), (48, 166)], 13, 3.4),
    ([(74, 150), (64, 164), (60, 178), (56, 192)], 5, 1.8),
    ([(58, 161), (44, 164), (34, 170), (20, 170)], 4, 1.6),
    ([(110, 112), (86, 112), (64, 116), (34, 108)], 12, 2.4),
    ([(66, 114), (52, 120), (42, 132), (24, 136)], 4.4, 1.6),
    ([(58, 112), (46, 106), (36, 92), (18, 90)], 4.2, 1.6),
    ([(112, 106), (92, 92), (84, 76), (58, 60)], 13, 3.2),
    ([(80, 79), (74, 62), (76, 48), (68, 34)], 5, 1.8),
    ([(66, 66), (52, 62), (40, 52), (24, 52)], 4, 1.6),
    ([(118, 118), (122, 138), (114, 156), (118, 178)], 11, 2),
    ([(118, 150), (128, 160), (134, 168), (138, 182)], 4.4, 1.6),
]
AXON: Points = [(120, 112), (186, 110), (214, 118), (284, 112)]
TERMINALS: list[tuple[Points, float, float]] = [
    ([(280, 112), (298, 114), (304, 136), (326, 140)], 4.4, 2.6),
    ([(282, 112), (300, 112), (310, 110), (330, 110)], 4.4, 2.6),
    ([(280, 112), (298, 110), (304, 84), (322, 78)], 4.4, 2.6),
]
NEXT_CELL: list[tuple[Points, float, float]] = [
    ([(400, 116), (372, 116), (356, 112), (341, 110)], 15, 5.5),
    ([(374, 116), (364, 126), (364, 146), (350, 160)], 7, 3),
    ([(376, 115), (366, 104), (366, 90), (358, 72)], 7, 3),
]


def biological_neuron(ax: Axes | None = None) -> Axes:
    """Draw a nerve cell: dendrites, soma, axon, and a synapse onto the next cell.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        The axes drawn on.

    Examples
    --------
    >>> ax = biological_neuron()
    >>> [text.get_text() for text in ax.texts][::2]
    ['dendrites', 'soma', 'axon', 'synapse']
    """
    if ax is None:
        _, ax = sheet(height=224 / 72)
    next_cell = [_taper(*branch) for branch in NEXT_CELL]
    _cell(ax, next_cell, "axis", "grid")
    outlines: list[Any] = [_taper(*branch) for branch in (*DENDRITES, (AXON, 8.5, 4.4))]
    outlines += [_taper(*branch) for branch in TERMINALS]
    outlines += [Ellipse(SOMA, 46, 42), *(Circle(b[0][-1], 5.2) for b in TERMINALS)]
    _cell(ax, outlines, "blue", "blue-soft")
    ax.add_patch(
        Circle((SOMA[0] - 1, SOMA[1]), 8.5, facecolor=colour("blue"), linewidth=0, zorder=4)
    )
    _myelin(ax)
    for x, y in ((336.6, 113), (337.2, 110), (336.6, 107)):
        ax.add_patch(Circle((x, y), 0.9, facecolor=colour("orange"), linewidth=0, zorder=5))
    _label(ax, "dendrites", "receive", (4, 200), (40, 170), "left")
    _label(ax, "soma", "adds up", (150, 62), (124, 93), "center")
    _label(ax, "axon", "carries the spike", (212, 152), (212, 122), "center")
    _label(ax, "synapse", "passes it on", (336, 40), (336.5, 103), "center")
    return ax


def _bezier(points: Points, t: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return points of a cubic Bézier curve and its unit normals."""
    p, s = np.array(points, dtype=float), t[:, None]
    place = (
        (1 - s) ** 3 * p[0] + 3 * s * (1 - s) ** 2 * p[1] + 3 * s**2 * (1 - s) * p[2] + s**3 * p[3]
    )
    steps = np.diff(p, axis=0)
    slope = (1 - s) ** 2 * steps[0] + 2 * s * (1 - s) * steps[1] + s**2 * steps[2]
    slope /= np.hypot(slope[:, 0], slope[:, 1])[:, None]
    return place, np.column_stack([-slope[:, 1], slope[:, 0]])


def _taper(points: Points, thick: float, thin: float) -> Polygon:
    """Make a branch that narrows from its root to its tip."""
    t = np.linspace(0, 1, 15)
    place, normal = _bezier(points, t)
    half = (thin + (thick - thin) * (1 - t) ** 1.7)[:, None] / 2
    return Polygon(np.concatenate([place + half * normal, (place - half * normal)[::-1]]))


def _cell(ax: Axes, outlines: list[Any], edge: str, fill: str) -> None:
    """Draw all parts with an outline, then all without: together they are one body."""
    for layer, (hue, linewidth) in enumerate(((edge, 3.0), (fill, 0.0))):
        for outline in outlines:
            path = outline.get_path().transformed(outline.get_patch_transform())
            body = Polygon(path.to_polygons()[0], closed=True)
            body.set(facecolor=colour(hue), edgecolor=colour(hue), linewidth=linewidth)
            body.set(joinstyle="round", zorder=2 + layer)
            ax.add_patch(body)


def _myelin(ax: Axes) -> None:
    """Wrap the axon in sheaths, with gaps between them."""
    for start in np.arange(0.24, 0.84, 0.155):
        t = np.linspace(start, start + 0.125, 8)
        place, normal = _bezier(AXON, t)
        around = np.concatenate([place + 5.6 * normal, (place - 5.6 * normal)[::-1]])
        sheath = Polygon(around, facecolor=colour("orange-soft"), edgecolor=colour("orange"))
        sheath.set(linewidth=1.4, joinstyle="round", zorder=4)
        ax.add_patch(sheath)


def _label(
    ax: Axes,
    name: str,
    role: str,
    at: tuple[float, float],
    target: tuple[float, float],
    ha: Literal["left", "center"],
) -> None:
    above = at[1] > target[1]
    foot = (at[0] if ha == "center" else at[0] + 24, at[1] - (16 if above else -13))
    line: dict[str, Any] = {"color": colour("muted"), "linewidth": 0.9, "linestyle": "-"}
    ax.plot(*np.transpose([foot, target]), zorder=6, scalex=False, scaley=False, **line)
    ax.text(*at, name, ha=ha, va="bottom", fontsize=11, weight="bold")
    ax.text(*at, role, ha=ha, va="top", fontsize=10.5, color=colour("muted"))
