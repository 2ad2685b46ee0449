"""Diagrams of one artificial neuron and of networks of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch
from numpy.typing import ArrayLike, NDArray

from .canvas import array, sheet
from .style import colour

__all__ = ["network", "neuron"]

ACTIVATIONS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "step": lambda z: np.where(z > 0, 1.0, 0.0),
    "sign": lambda z: np.where(z > 0, 1.0, -1.0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-4 * z)),
    "tanh": lambda z: np.tanh(3 * z),
    "relu": lambda z: np.maximum(z, 0),
    "identity": lambda z: z,
}
MOST_UNITS = 10
SHOWN_ABOVE, SHOWN_BELOW = 4, 3
STAGE_COLOURS = ("blue", "orange", "purple", "green", "ink")


def neuron(
    input_labels: Sequence[str] = ("x₁", "x₂", "x₃"),
    weight_labels: Sequence[str] | None = None,
    *,
    activation: str = "step",
    output_label: str = "ŷ",
    ax: Axes | None = None,
) -> Axes:
    """Draw one neuron in its five stages: inputs, weights, sum, non-linearity, output.

    Parameters
    ----------
    input_labels : sequence of str
        One label for each input, at most six. The constant 1 is added in front.
    weight_labels : sequence of str, optional
        One label for each weight, the bias first: one more than inputs. By default w₀, w₁, ….
    activation : {"step", "sign", "sigmoid", "tanh", "relu", "identity"}
        The curve in the fourth stage.
    output_label : str
        What the neuron returns.
    ax : Axes, optional
        Where to draw; a new figure if there is none.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If the numbers of labels do not fit, or the activation is unknown.

    Examples
    --------
    >>> ax = neuron(["x₁", "x₂"], ["w₀", "w₁", "w₂"], activation="sigmoid")
    """
    n_inputs = len(input_labels)
    if weight_labels is None:
        weight_labels = ["w" + _subscript(i) for i in range(n_inputs + 1)]
    if not 1 <= n_inputs <= 6:
        raise ValueError(f"a neuron is drawn with one to six inputs, got {n_inputs}")
    if len(weight_labels) != n_inputs + 1:
        raise ValueError(
            f"{n_inputs} inputs need {n_inputs + 1} weight labels, the bias first; "
            f"got {len(weight_labels)}"
        )
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}; choose from {', '.join(ACTIVATIONS)}")
    gap, top = 40, 66
    height = top + gap * n_inputs + 22
    if ax is None:
        _, ax = sheet(height=height / 72)
    columns = (34.0, 116.0, 198.0, 278.0, 358.0)
    ys = [height - top - gap * row for row in range(n_inputs + 1)]
    middle = (ys[0] + ys[-1]) / 2
    _stage_names(ax, columns, height - 18)
    for y, label, weight in zip(ys, ["1", *input_labels], weight_labels, strict=True):
        bias = y == ys[0]
        name = "muted" if bias else "blue"
        _arrow(ax, (columns[0] + 15, y), _towards((columns[2], middle), (columns[0], y), 27), name)
        _node(ax, (columns[0], y), 15, label, name, "grid" if bias else "blue-soft")
        at = 0.50
        x_weight = columns[0] + at * (columns[2] - columns[0])
        ax.text(
            x_weight,
            y + at * (middle - y),
            weight,
            ha="center",
            va="center_baseline",
            color=colour("orange"),
            gid="halo",
            fontsize=12,
            weight="bold",
        )
    _arrow(ax, (columns[2] + 25, middle), (columns[3] - 27, middle))
    _arrow(ax, (columns[3] + 27, middle), (columns[4] - 17, middle))
    ax.text((columns[2] + columns[3]) / 2, middle + 6, "z", ha="center", style="italic")
    _node(ax, (columns[2], middle), 25, "Σ", "purple", "purple-soft", size=19)
    _node(ax, (columns[3], middle), 27, "", "green", "green-soft")
    _curve(ax, (columns[3], middle), 27, ACTIVATIONS[activation])
    _node(ax, (columns[4], middle), 16, output_label, "ink", "paper", size=13)
    for x, text in ((columns[2], "z = w₀ + Σ wᵢ xᵢ"), (columns[3] + 40, f"{output_label} = g(z)")):
        ax.text(
            x, middle - 46, text, ha="center", va="center", fontsize=10.5, color=colour("muted")
        )
    return ax


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
            _node(ax, centre, radius, "", hue, f"{hue}-soft")
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


def _stage_names(ax: Axes, columns: Sequence[float], y: float) -> None:
    names = ("inputs", "weights", "sum", "non-linearity", "output")
    for number, (x, name) in enumerate(zip(columns, names, strict=True), start=1):
        hue = STAGE_COLOURS[number - 1]
        ax.add_patch(Circle((x, y + 5), 8.5, facecolor=colour(hue), linewidth=0))
        ax.text(
            x,
            y + 4.6,
            str(number),
            ha="center",
            va="center_baseline",
            fontsize=10,
            weight="bold",
            color=colour("paper"),
        )
        ax.text(x, y - 14, name, ha="center", va="center_baseline", fontsize=11, color=colour(hue))


def _node(
    ax: Axes, centre: Any, radius: float, label: str, edge: str, fill: str, *, size: float = 12
) -> None:
    ax.add_patch(
        Circle(
            centre, radius, facecolor=colour(fill), edgecolor=colour(edge), linewidth=1.6, zorder=3
        )
    )
    if label:
        ax.text(
            centre[0], centre[1], label, ha="center", va="center_baseline", fontsize=size, zorder=4
        )


def _towards(target: Any, start: Any, distance: float) -> tuple[float, float]:
    """Find the point at a distance before the target, coming from the start."""
    way = np.subtract(target, start)
    x, y = target - distance * way / np.hypot(*way)
    return float(x), float(y)


def _arrow(ax: Axes, start: Any, end: Any, name: str = "ink") -> None:
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=10,
            shrinkA=0,
            shrinkB=0,
            linewidth=1.4,
            color=colour(name),
            zorder=2,
        )
    )


def _curve(ax: Axes, centre: Any, radius: float, g: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    """Draw a small graph of the activation inside its circle."""
    z = np.linspace(-1, 1, 201)
    value = g(z)
    low, high = min(value.min(), 0.0), value.max()
    scale = 0.95 * radius / (high - low)
    x, y = centre[0] + 0.62 * radius * z, centre[1] + (value - (low + high) / 2) * scale
    zero = centre[1] - (low + high) / 2 * scale
    thin: dict[str, Any] = {
        "color": colour("muted"),
        "linewidth": 0.8,
        "linestyle": "-",
        "zorder": 4,
    }
    ax.plot([centre[0] - 0.7 * radius, centre[0] + 0.7 * radius], [zero, zero], **thin)
    ax.plot([centre[0]] * 2, [centre[1] - 0.6 * radius, centre[1] + 0.65 * radius], **thin)
    thick: dict[str, Any] = {"color": colour("green"), "linewidth": 2.4, "linestyle": "-"}
    ax.plot(x, y, zorder=5, solid_capstyle="round", solid_joinstyle="round", **thick)


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
