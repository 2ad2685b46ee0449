"""Styled axes, and the two pictures that compare methods: a band over seeds and a dot plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike

from .labels import label_line, limit_line
from .style import CYCLE, LINE_STYLES, MARKERS, RC, colour

__all__ = ["array", "axes", "dots", "sheet", "spread"]

WIDTH = 5.4
ROW_HEIGHT = {1: 3.4, 2: 2.7}
Share = bool | Literal["row", "col"]


def axes(
    n_rows: int = 1,
    n_cols: int = 1,
    *,
    width: float = WIDTH,
    height: float | None = None,
    share_x: Share = False,
    share_y: Share = False,
    square: bool = False,
) -> tuple[Figure, Any]:
    """Make a figure in the book's style.

    Parameters
    ----------
    n_rows, n_cols : int
        Number of panels; at most two columns, because a phone is about 360 pixels wide.
    width, height : float, optional
        Size of the whole figure in inches. The height defaults to 3.4 for a single column and to
        2.7 for each row of two.
    share_x, share_y : bool or {"row", "col"}
        Whether panels share an axis, as in ``plt.subplots``.
    square : bool
        Whether one unit is as long on the x axis as on the y axis.

    Returns
    -------
    fig : Figure
        The figure, to be handed to `show`.
    ax : Axes or ndarray of Axes
        One Axes, or an array of shape (n_cols,), (n_rows,) or (n_rows, n_cols).

    Raises
    ------
    ValueError
        If there are no panels, or more than two columns.

    Examples
    --------
    >>> fig, ax = axes()
    >>> fig.get_size_inches().tolist()
    [5.4, 3.4]
    >>> fig, (left, right) = axes(1, 2)
    """
    if n_rows < 1 or n_cols not in ROW_HEIGHT:
        raise ValueError(
            f"a figure has at least one row, and one or two columns to be legible on "
            f"a phone; got {n_rows} x {n_cols}"
        )
    height = height or n_rows * ROW_HEIGHT[n_cols]
    with matplotlib.rc_context(RC):
        fig, ax = plt.subplots(
            n_rows,
            n_cols,
            figsize=(width, height),
            sharex=share_x,
            sharey=share_y,
            layout="constrained",
        )
    frame(fig, square=square)
    return fig, ax


def frame(fig: Figure, *, square: bool = False) -> None:
    """Set the outer margin of a figure, and the aspect of its axes."""
    engine: Any = fig.get_layout_engine()
    engine.set(w_pad=0.05, h_pad=0.05, wspace=0.06, hspace=0.06)
    for ax in fig.axes:
        if square:
            ax.set_aspect("equal", adjustable="datalim")


def sheet(width: float = WIDTH, height: float = ROW_HEIGHT[1]) -> tuple[Figure, Axes]:
    """Make an empty drawing sheet without axes, on which one unit is one point (1/72 inch)."""
    with matplotlib.rc_context(RC):
        fig = plt.figure(figsize=(width, height))
        ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width * 72), ylim=(0, height * 72), aspect="equal")
    ax.set_axis_off()
    return fig, ax


def array(values: Any, name: str, n_dims: int | None = None) -> np.ndarray[Any, Any]:
    """Turn a list, array or tensor into a finite float array, or say what is wrong with it."""
    values = values.detach() if hasattr(values, "detach") else values
    try:
        result = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be numbers, got {type(values).__name__}") from error
    if n_dims is not None and result.ndim != n_dims:
        raise ValueError(f"{name} must have {n_dims} dimension(s), got shape {result.shape}")
    if result.size == 0:
        raise ValueError(f"{name} is empty: shape {result.shape}")
    if not np.isfinite(result).all():
        raise ValueError(f"{name} must be finite, but has NaN or infinite entries")
    return result


def spread(
    ax: Axes,
    x: ArrayLike,
    values: ArrayLike,
    *,
    label: str,
    index: int = 0,
    band: Literal["range", "sd"] = "range",
) -> None:
    """Draw the mean over seeds as a line, inside a band that shows their spread.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : array_like of shape (n_x,)
        What was varied.
    values : array_like of shape (n_seeds, n_x)
        What was measured, one row for each seed.
    label : str
        Written at the end of the line.
    index : int
        Which colour, marker and line style of the cycle to use, from 0 to 5.
    band : {"range", "sd"}
        ``"range"`` from the least to the greatest seed; ``"sd"`` one standard deviation (with
        n − 1) each way. Say in the caption which it is.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `band` or `index` is unknown.

    Examples
    --------
    >>> fig, ax = axes()
    >>> spread(ax, [8, 16, 32], [[0.8, 0.9, 0.95], [0.7, 0.9, 0.97]], label="one hidden layer")
    """
    x, seeds = array(x, "x", 1), array(values, "values", 2)
    if seeds.shape[1] != len(x):
        raise ValueError(f"values must have shape (n_seeds, {len(x)}) to fit x, got {seeds.shape}")
    if not 0 <= index < len(CYCLE):
        raise ValueError(
            f"index counts the cycle's colours from 0 to {len(CYCLE) - 1}, got {index}"
        )
    mean = seeds.mean(axis=0)
    if band == "range":
        low, high = seeds.min(axis=0), seeds.max(axis=0)
    elif band == "sd":
        deviation = seeds.std(axis=0, ddof=1) if len(seeds) > 1 else np.zeros_like(mean)
        low, high = mean - deviation, mean + deviation
    else:
        raise ValueError(f"band is 'range' or 'sd', got {band!r}")
    name = CYCLE[index]
    ax.fill_between(x, low, high, color=colour(name), alpha=0.18, linewidth=0, linestyle="-")
    ax.plot(
        x,
        mean,
        color=colour(name),
        linestyle=LINE_STYLES[index],
        linewidth=2,
        marker=MARKERS[index] if len(x) <= 30 else "",
        markeredgecolor=colour("paper"),
        markeredgewidth=0.8,
        markersize=6.5,
    )
    label_line(ax, x[-1], mean[-1], label, name)


def dots(
    ax: Axes,
    groups: Mapping[str, Sequence[float]],
    *,
    limit: tuple[float, str] | float | None = None,
    percent: bool = True,
) -> None:
    """Compare methods: one row each, a dot for each seed, a tick and a number at their mean.

    A row needs half an inch: ``axes(height=0.9 + 0.5 * len(groups))``.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    groups : mapping of str to sequence of float
        Name of each method → its score for each seed; drawn from top to bottom.
    limit : float or (float, str), optional
        The best score that is possible, with its label if it has one of its own.
    percent : bool
        Whether scores are fractions to be written as per cent.

    Raises
    ------
    ValueError
        If there are no groups, or one of them is empty.

    Examples
    --------
    >>> fig, ax = axes(height=2)
    >>> dots(ax, {"perceptron": [0.93, 0.95], "three layers": [0.98, 0.97]}, limit=0.99)
    """
    if not groups:
        raise ValueError("groups is empty: give one method or more, each with its scores")

    def number(value: float, digits: int = 1) -> str:
        return f"{100 * value:.{digits}f}%" if percent else f"{value:.3g}"

    best, label = limit if isinstance(limit, tuple) else (limit, None)
    everything = [float(x) for given in groups.values() for x in given]
    everything += [] if best is None else [best]
    near = 0.04 * (max(everything, default=0) - min(everything, default=0))
    for row, (name, given) in enumerate(groups.items()):
        scores, hue = array(given, f"the scores of {name!r}", 1), CYCLE[row % len(CYCLE)]
        mean = scores.mean()
        # a number that would stand on the limit's line steps aside
        side = 0 if best is None or abs(mean - best) > near else 1 if mean > best else -1
        ax.plot(
            scores,
            np.full_like(scores, row),
            linestyle="",
            color=colour(hue),
            alpha=0.75,
            marker=MARKERS[row % len(MARKERS)],
            markersize=6,
            markeredgewidth=0,
        )
        ax.plot([mean], [row], "|", color=colour("ink"), markersize=17, markeredgewidth=1.8)
        ax.annotate(
            number(mean),
            (mean, row),
            xytext=(3 * side, 10),
            textcoords="offset points",
            ha={0: "center", 1: "left", -1: "right"}[side],
            va="bottom",
            fontsize=10.5,
            gid="halo",
            color=colour("ink"),
        )
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_ylim(len(groups) - 0.5, -0.75)
    ax.tick_params(axis="y", labelsize=10.5, labelcolor=colour("ink"))
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False, axis="x")
    if percent:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}%"))
    if best is not None:
        limit_line(ax, best, label or f"best possible: {number(best)}", orientation="vertical")
    ax.margins(x=0.08)
