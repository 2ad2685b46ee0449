"""The diagram of a fully connected network."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from numpy.typing import ArrayLike, NDArray

from .canvas import array, sheet
from .style import colour

__all__ = ["network", "node"]

MOST_UNITS = 10
SHOWN_ABOVE, SHOWN_BELOW = 4, 3


def network(
    sizes: Sequence[int],
    *,
    input_labels: Sequence[str] | None = None,
    output_labels: Sequence[str] | None = None,
    weights: Sequence[ArrayLike] | None = None,
    layer_names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a fully connected network, from left to right.

    Parameters
    ----------
    sizes : sequence of int
        Number of units in each layer, inputs first. Of more than ten, seven are drawn and dots.
    input_labels, output_labels : sequence of str, optional
        One label for each unit of the first and of the last layer.
    weights : sequence of array_like, optional
        One matrix of shape (sizes[i + 1], sizes[i]) between layers, as in ``Linear.weight``.
        Width is the weight's size; positive ones are blue and solid, negative orange and dashed.
    layer_names : sequence of str, optional
        Written below the layers; by default the number of units.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If sizes, labels, names or matrices do not fit each other.

    Examples
    --------
    >>> ax = network([2, 2, 1], input_labels=["x₁", "x₂"], output_labels=["ŷ"])
    """
    matrices = _checked_network(sizes, input_labels, output_labels, weights, layer_names)
    rows = [_rows(n) for n in sizes]
    tallest = max(len(row) + (len(row) < n) for row, n in zip(rows, sizes, strict=True))
    gap = min(44.0, 270.0 / max(tallest - 1, 1))
    radius = min(14.0, 0.38 * gap)
    height = max(gap * (tallest - 1), 40) + 2 * radius + 44
    if ax is None:
        _, ax = sheet(height=height / 72)
    left = 24 + 7 * max(map(len, input_labels or [""]))
    right = 364.8 - 7 * max(map(len, output_labels or [""]))
    xs = np.linspace(left, right, len(sizes)) if len(sizes) > 1 else np.array([194.4])
    middle = (height + 26) / 2
    centres = [
        {unit: (x, middle + gap * place) for unit, place in _places(row, n).items()}
        for x, row, n in zip(xs, rows, sizes, strict=True)
    ]
    strongest = max((np.abs(m).max() for m in matrices), default=1.0) or 1.0
    for layer, (here, there) in enumerate(itertools.pairwise(centres)):
        for i, start in here.items():
            for j, end in there.items():
                weight = matrices[layer][j, i] / strongest if matrices else None
                _edge(ax, start, end, weight)
    names = layer_names or [f"{n} unit{'s' if n != 1 else ''}" for n in sizes]
    for layer, (units, x) in enumerate(zip(centres, xs, strict=True)):
        hue = "blue" if layer == 0 else "green" if layer == len(sizes) - 1 else "purple"
        for centre in units.values():
            node(ax, centre, radius, "", hue, f"{hue}-soft")
        if len(units) < sizes[layer]:
            y = middle - gap / 2
            ax.plot(
                [x] * 3, y + np.array([-0.22, 0, 0.22]) * gap, "o", color=colour("muted"), ms=2.6
            )
        ax.text(x, 15, names[layer], ha="center", va="center", fontsize=10.5, color=colour("muted"))
    for labels, units, side in ((input_labels, centres[0], -1), (output_labels, centres[-1], 1)):
        for unit, (x, y) in units.items() if labels else ():
            text = labels[unit] if labels else ""
            ha: Literal["right", "left"] = "right" if side < 0 else "left"
            ax.text(x + side * (radius + 6), y, text, va="center_baseline", ha=ha)
    return ax


def _checked_network(
    sizes: Sequence[int], input_labels: Any, output_labels: Any, weights: Any, layer_names: Any
) -> list[NDArray[Any]]:
    if len(sizes) < 2 or any(int(n) != n or n < 1 for n in sizes):
        raise ValueError(
            f"sizes needs two layers or more, each with a unit or more; got {list(sizes)}"
        )
    for name, labels, wanted in (
        ("input_labels", input_labels, sizes[0]),
        ("output_labels", output_labels, sizes[-1]),
        ("layer_names", layer_names, len(sizes)),
    ):
        if labels is not None and len(labels) != wanted:
            raise ValueError(f"{name} needs {wanted} entries, got {len(labels)}")
    matrices = [array(w, "weights", 2) for w in weights] if weights is not None else []
    shapes = [m.shape for m in matrices]
    wanted_shapes = [(n_out, n_in) for n_in, n_out in itertools.pairwise(sizes)]
    if matrices and shapes != wanted_shapes:
        raise ValueError(f"weights must have the shapes {wanted_shapes}, got {shapes}")
    return matrices


def _rows(n: int) -> list[int]:
    """Which units of a layer are drawn."""
    if n <= MOST_UNITS:
        return list(range(n))
    return [*range(SHOWN_ABOVE), *range(n - SHOWN_BELOW, n)]


def _places(units: list[int], n: int) -> dict[int, float]:
    """Give each unit its height in steps above the middle of the layer."""
    slots = list(range(len(units)))
    if len(units) < n:
        slots = [slot + (slot >= SHOWN_ABOVE) for slot in slots]
    return {unit: slots[-1] / 2 - slot for unit, slot in zip(units, slots, strict=True)}


def _edge(ax: Axes, start: Any, end: Any, weight: float | None) -> None:
    if weight is None:
        style: dict[str, Any] = {
            "color": colour("axis"),
            "linewidth": 0.8,
            "alpha": 0.6,
            "linestyle": "-",
        }
    else:
        positive = weight >= 0
        style = {
            "color": colour("blue" if positive else "orange"),
            "linewidth": 0.4 + 3.2 * abs(weight),
            "linestyle": "-" if positive else (0, (2.2, 1.2)),
        }
    ax.plot(*np.transpose([start, end]), zorder=1, scalex=False, scaley=False, **style)


def node(
    ax: Axes, centre: Any, radius: float, label: str, edge: str, fill: str, *, size: float = 12
) -> None:
    """Draw a circle with a label in it."""
    ax.add_patch(
        Circle(
            centre, radius, facecolor=colour(fill), edgecolor=colour(edge), linewidth=1.6, zorder=3
        )
    )
    if label:
        ax.text(
            centre[0], centre[1], label, ha="center", va="center_baseline", fontsize=size, zorder=4
        )
