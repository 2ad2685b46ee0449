"""Points in the plane, and how a classifier divides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, PathPatch, Rectangle
from numpy.typing import ArrayLike, NDArray

from .canvas import array, axes
from .style import CYCLE, MARKERS, colour, soft
from .tracing import Predict, margins_on_grid, outline

__all__ = ["decision_regions", "line_boundary", "scatter"]

Extent = tuple[float, float, float, float]


def scatter(
    ax: Axes,
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    class_names: Sequence[str] | None = None,
    size: float = 28,
) -> None:
    """Draw points of the plane, each class with a colour and a marker of its own.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    X : array_like of shape (N, 2)
        The points.
    y : array_like of shape (N,), optional
        Their classes 0 … K−1 (K ≤ 6), or −1 and 1; without them all points look alike.
    class_names : sequence of str, optional
        Names for a key above the axes, in the order of the classes.
    size : float
        Area of a marker in square points.

    Raises
    ------
    ValueError
        If shapes do not fit, labels are no whole numbers, or there are more than six classes.

    Examples
    --------
    >>> fig, ax = axes()
    >>> scatter(ax, [[0, 0], [1, 1]], [0, 1], class_names=["benign", "malignant"])
    """
    points, labels = _points(X, y)
    for k in np.unique(labels):
        name = class_names[k] if class_names is not None and k < len(class_names) else None
        ax.scatter(
            points[labels == k, 0],
            points[labels == k, 1],
            s=size,
            marker=MARKERS[k],
            color=colour(CYCLE[k]),
            edgecolors=colour("paper"),
            linewidths=0.7,
            label=name,
            zorder=3,
        )
    if class_names is not None:
        key(ax)


def key(ax: Axes) -> None:
    """Put a key in one row above the axes, where no data can be."""
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(range(len(handles)), key=lambda i: isinstance(handles[i], Line2D))
    ax.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=6,
        fontsize=10.5,
        frameon=False,
        borderpad=0,
        borderaxespad=0.4,
        handlelength=1.4,
        handletextpad=0.2,
        columnspacing=1.2,
    ).set_gid("above")


def decision_regions(
    predict: Predict,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    ax: Axes | None = None,
    extent: Extent | None = None,
    resolution: int = 150,
    threshold: float | None = None,
    bayes: Predict | None = None,
    class_names: Sequence[str] | None = None,
) -> Axes:
    """Fill the plane with the class that a model chooses, and draw the boundary.

    Parameters
    ----------
    predict : callable
        Takes float32 points of shape (N, 2). Returns scores of shape (N, K), of which the largest
        wins; one score of shape (N,) or (N, 1), class 1 where it is above `threshold`; or whole
        numbers of shape (N,), the classes themselves (0 … K−1, or −1 and 1).
    X, y : array_like of shape (N, 2) and (N,), optional
        Points to draw on top, and their classes.
    ax : Axes, optional
        Where to draw; a new figure if there is none.
    extent : (x_min, x_max, y_min, y_max), optional
        The part of the plane; by default that of `X` and a margin.
    resolution : int
        Number of grid points along each side, 10 to 1000.
    threshold : float, optional
        For a single score; by default 0.5 if all scores are in [0, 1], and 0 otherwise. Give it
        if your logits might happen to lie in [0, 1].
    bayes : callable, optional
        The true posterior, in the same forms; its boundary is drawn dashed: the best possible.
    class_names : sequence of str, optional
        Names for the key above the axes.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If there is neither `X` nor `extent`, or scores have a wrong shape or are not finite.

    Examples
    --------
    >>> ax = decision_regions(lambda X: X[:, 0] - X[:, 1], extent=(-1, 1, -1, 1))
    >>> len(ax.patches)  # two regions and a boundary
    3
    """
    if not 10 <= resolution <= 1000:
        raise ValueError(f"resolution is a number of grid points from 10 to 1000, got {resolution}")
    if extent is None:
        if X is None:
            raise ValueError("give the points X or an extent (x_min, x_max, y_min, y_max)")
        extent = _around(_points(X, None)[0])
    x_min, x_max, y_min, y_max = _checked_extent(extent)
    ax = ax if ax is not None else axes(width=4.6, height=4.0)[1]
    xs, ys = np.linspace(x_min, x_max, resolution), np.linspace(y_min, y_max, resolution)
    margins = margins_on_grid(predict, xs, ys, threshold)
    if steps := len(np.unique(margins)) < 2 * len(CYCLE):  # hard decisions: sample more finely
        xs, ys = (np.linspace(end[0], end[-1], 3 * resolution) for end in (xs, ys))
        margins = margins_on_grid(predict, xs, ys, threshold)
    ax.add_patch(
        Rectangle(
            (x_min, y_min),
            x_max - x_min,
            y_max - y_min,
            linewidth=0,
            facecolor=soft(CYCLE[0]),
            zorder=0.1,
        )
    )
    for k, margin in enumerate(margins[1:], start=1):
        if region := outline(xs, ys, margin, steps, filled=True):
            ax.add_patch(PathPatch(region, facecolor=soft(CYCLE[k]), linewidth=0, zorder=0.2))
    for margin in margins[1:] if len(margins) == 2 else margins:
        if line := outline(xs, ys, margin, steps):
            ax.add_patch(
                PathPatch(line, fill=False, edgecolor=colour("ink"), linewidth=1.3, zorder=2)
            )
    if bayes is not None:
        for margin in margins_on_grid(bayes, xs, ys, None)[1:]:
            if line := outline(xs, ys, margin, steps):
                ax.add_patch(
                    PathPatch(
                        line,
                        fill=False,
                        edgecolor=colour("limit"),
                        linewidth=1.6,
                        linestyle=(0, (4, 2.5)),
                        zorder=2.1,
                    )
                )
        ax.plot(
            [],
            [],
            color=colour("limit"),
            linestyle=(0, (4, 2.5)),
            linewidth=1.6,
            label="best possible",
        )
    if X is not None:
        scatter(ax, X, y, class_names=class_names)
    if bayes is not None:
        key(ax)
    ax.set(xlim=(x_min, x_max), ylim=(y_min, y_max))
    ax.grid(visible=False)
    return ax


def line_boundary(
    ax: Axes,
    w: ArrayLike,
    b: float,
    *,
    extent: Extent,
    arrow: bool = True,
    colour_name: str = "ink",
    linestyle: Any = "-",
    label: str = "w",
) -> None:
    """Draw the line w·x + b = 0, and the arrow of its normal w.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    w : array_like of shape (2,)
        The weights; not both zero.
    b : float
        The bias.
    extent : (x_min, x_max, y_min, y_max)
        The part of the plane in which the line is drawn.
    arrow : bool
        Whether to draw the normal, which points to the side of class 1.
    colour_name : str
        A colour of the palette.
    linestyle : str or tuple
        As in Matplotlib.
    label : str
        Written at the tip of the arrow.

    Raises
    ------
    ValueError
        If `w` has no two entries, or both are zero: then there is no boundary.

    Examples
    --------
    >>> fig, ax = axes()
    >>> line_boundary(ax, [1, -1], 0, extent=(-1, 1, -1, 1))
    """
    w, (x_min, x_max, y_min, y_max) = array(w, "w", 1), _checked_extent(extent)
    if w.shape != (2,):
        raise ValueError(f"w must have shape (2,), got {w.shape}")
    if not w.any():
        raise ValueError("w is (0, 0): w·x + b is the same everywhere, so there is no boundary")
    middle = np.array([(x_min + x_max) / 2, (y_min + y_max) / 2])
    reach = np.hypot(x_max - x_min, y_max - y_min)
    unit = w / np.hypot(*w)
    foot = middle - (middle @ w + b) / (w @ w) * w
    ends = foot + np.outer([-reach, reach], [-unit[1], unit[0]])
    style: dict[str, Any] = {"color": colour(colour_name), "linewidth": 1.8, "zorder": 2.5}
    ax.plot(*ends.T, linestyle=linestyle, scalex=False, scaley=False, **style)
    ax.set(xlim=(x_min, x_max), ylim=(y_min, y_max))
    inside = x_min < foot[0] < x_max and y_min < foot[1] < y_max
    if arrow and inside:
        tip = foot + 0.13 * reach * unit
        ax.add_patch(
            FancyArrowPatch(
                foot, tip, arrowstyle="-|>", mutation_scale=13, shrinkA=0, shrinkB=0, **style
            )
        )
        ax.annotate(
            label,
            tip,
            xytext=9 * unit,
            textcoords="offset points",
            ha="center",
            va="center",
            color=colour(colour_name),
            style="italic",
            gid="halo",
        )


def _points(X: ArrayLike, y: ArrayLike | None) -> tuple[NDArray[Any], NDArray[np.int_]]:
    points = array(X, "X", 2)
    if points.shape[1] != 2:
        raise ValueError(f"X must have shape (N, 2) to be drawn in the plane, got {points.shape}")
    if y is None:
        return points, np.zeros(len(points), dtype=int)
    given = array(y, "y", 1)
    if len(given) != len(points):
        raise ValueError(f"X has {len(points)} points but y has {len(given)} labels")
    labels = given.astype(int)
    if (labels != given).any():
        raise ValueError("y must hold whole numbers, the classes 0, 1, 2, …")
    if labels.min() == -1 and set(labels) <= {-1, 1}:
        labels = (labels + 1) // 2
    if labels.min() < 0 or labels.max() >= len(CYCLE):
        raise ValueError(
            f"y must hold classes from 0 to {len(CYCLE) - 1} (or -1 and 1), "
            f"got {labels.min()} to {labels.max()}"
        )
    return points, labels


def _around(X: NDArray[Any]) -> Extent:
    low, high = X.min(axis=0), X.max(axis=0)
    pad = np.where(high > low, 0.08 * (high - low), 1.0)
    return low[0] - pad[0], high[0] + pad[0], low[1] - pad[1], high[1] + pad[1]


def _checked_extent(extent: Extent) -> Extent:
    ends = array(extent, "extent", 1)
    if ends.shape != (4,) or ends[0] >= ends[1] or ends[2] >= ends[3]:
        raise ValueError(f"extent is (x_min, x_max, y_min, y_max), smaller first; got {extent}")
    return tuple(ends.tolist())
