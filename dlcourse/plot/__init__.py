"""Figures of the book: arrays in, Axes out, one look for all.

The only part of `dlcourse` that imports Matplotlib. Draw on what `axes` returns, then end with
`show`, which closes the figure and needs a sentence for readers who cannot see it.
"""

from .biology import biological_neuron
from .canvas import axes, dots, spread
from .display import Shown, show
from .grids import confusion_matrix, image_grid
from .history import history
from .labels import label_line, limit_curve, limit_line
from .logo import logo
from .network import network
from .neuron import neuron
from .regions import decision_regions, line_boundary, scatter
from .scrubber import SCRUBBER_MIME, Scrubber, scrubber
from .style import CYCLE, MARKERS, PALETTE, RC, colour, soft
from .svg import themed

__all__ = [
    "CYCLE",
    "MARKERS",
    "PALETTE",
    "RC",
    "SCRUBBER_MIME",
    "Scrubber",
    "Shown",
    "axes",
    "biological_neuron",
    "colour",
    "confusion_matrix",
    "decision_regions",
    "dots",
    "history",
    "image_grid",
    "label_line",
    "limit_curve",
    "limit_line",
    "line_boundary",
    "logo",
    "network",
    "neuron",
    "scatter",
    "scrubber",
    "show",
    "soft",
    "spread",
    "themed",
]
