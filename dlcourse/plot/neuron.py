"""The diagram of one artificial neuron, in its five stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch
from numpy.typing import NDArray

from .canvas import sheet
from .network import node
from .style import colour

__all__ = ["neuron"]

ACTIVATIONS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "step": lambda z: np.where(z > 0, 1.0, 0.0),
    "sign": lambda z: np.where(z > 0, 1.0, -1.0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-4 * z)),
    "tanh": lambda z: np.tanh(3 * z),
    "relu": lambda z: np.maximum(z, 0),
    "identity": lambda z: z,
}
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
        node(ax, (columns[0], y), 15, label, name, "grid" if bias else "blue-soft")
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
    node(ax, (columns[2], middle), 25, "Σ", "purple", "purple-soft", size=19)
    node(ax, (columns[3], middle), 27, "", "green", "green-soft")
    _curve(ax, (columns[3], middle), 27, ACTIVATIONS[activation])
    node(ax, (columns[4], middle), 16, output_label, "ink", "paper", size=13)
    for x, text in ((columns[2], "z = w₀ + Σ wᵢ xᵢ"), (columns[3] + 40, f"{output_label} = g(z)")):
        ax.text(
            x, middle - 46, text, ha="center", va="center", fontsize=10.5, color=colour("muted")
        )
    return ax


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
