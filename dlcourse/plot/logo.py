"""Sequence logos: stacks of letters, as high as a number for each letter and place."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from numpy.typing import ArrayLike

from .canvas import array
from .style import colour

__all__ = ["logo"]

HUES = {"A": "green", "C": "blue", "G": "orange", "T": "red"}


def logo(ax: Axes, heights: ArrayLike) -> None:
    """Draw a sequence logo: at each place the four bases, each as high as its number.

    Positive letters stand above zero, the highest on top; negative ones hang below it, the deepest
    lowest. Letters below a hundredth of the highest stack are left out.

    Parameters
    ----------
    ax : Axes
        Where to draw; place k is centred on x = k, counted from 1.
    heights : array_like of shape (4, width)
        One row each for A, C, G, T: bits, say, or log-odds.

    Raises
    ------
    ValueError
        If there are not four rows.

    References
    ----------
    T. D. Schneider, R. M. Stephens (1990), "Sequence logos: a new way to display consensus
    sequences", Nucleic Acids Res. 18, 6097-6100, doi:10.1093/nar/18.20.6097.

    Examples
    --------
    >>> from dlcourse.plot import axes
    >>> fig, ax = axes(height=1.6)
    >>> logo(ax, [[0, 2, 0, 2], [0, 0, 0, 0], [2, 0, 0, 0], [0, 0, 2, 0]])  # GATA
    """
    values = array(heights, "heights", 2)
    if values.shape[0] != 4:
        raise ValueError(f"heights must have shape (4, width), got {values.shape}")
    stacks = np.stack([values.clip(min=0).sum(0), values.clip(max=0).sum(0)])
    least = 0.01 * np.abs(stacks).max()
    for (k, column), up in itertools.product(enumerate(values.T), (True, False)):
        base = 0.0
        for row in np.argsort(np.abs(column), kind="stable"):
            height = float(column[row])
            if height and (height > 0) == up:
                if abs(height) > least:
                    corner = (k + 0.53, min(base, base + height))
                    outline = _letter("ACGT"[row], 0.94, abs(height), *corner)
                    ax.add_patch(PathPatch(outline, fc=colour(HUES["ACGT"[row]]), lw=0))
                base += height
    ax.axhline(0, color=colour("axis"), lw=0.9, ls="-")
    ax.grid(visible=False, axis="x")
    low, high = float(stacks[1].min()), float(stacks[0].max())
    ax.set(xlim=(0.4, values.shape[1] + 0.6), ylim=(1.05 * low, 1.05 * high or 1.0))
    ax.set_xticks(range(1, values.shape[1] + 1))


def _letter(name: str, wide: float, high: float, left: float, low: float) -> Path:
    """Return a letter's outline, stretched to a box."""
    unit = _outline(name)
    return Path(np.asarray(unit.vertices) * (wide, high) + (left, low), unit.codes)


@cache
def _outline(name: str) -> Path:
    """Return a letter's outline, stretched to the unit square."""
    path = TextPath((0, 0), name, size=1, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    corners = np.asarray(path.vertices)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Path((corners - low) / (high - low), path.codes)
