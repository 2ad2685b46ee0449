"""Figures of the book: arrays in, Axes out, one look for all.

The only part of `dlcourse` that imports Matplotlib. Draw on what `axes` returns, then end with
`show`, which closes the figure and needs a sentence for readers who cannot see it.
"""

from .canvas import axes, dots, spread
from .display import Shown, show
from .labels import label_line, limit_line
from .network import network, neuron
from .regions import decision_regions, line_boundary, scatter
from .style import CYCLE, MARKERS, PALETTE, RC, colour, soft
from .svg import themed

__all__ = [
    "CYCLE",
    "MARKERS",
    "PALETTE",
    "RC",
    "Shown",
    "axes",
    "colour",
    "decision_regions",
    "dots",
    "label_line",
    "limit_line",
    "line_boundary",
    "network",
    "neuron",
    "scatter",
    "show",
    "soft",
    "spread",
    "themed",
]
