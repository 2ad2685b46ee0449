"""Grids of small images, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from .canvas import WIDTH, array, sheet
from .style import colour

__all__ = ["confusion_matrix", "image_grid"]

# The same in both themes, like a photograph: ink on paper; orange, paper, blue.
GRAY = ("#f1f3f6", "#1a2330")
DIVERGING = ("#a04a00", "#f4f5f7", "#125a9c")


def image_grid(
    images: ArrayLike,
    *,
    titles: Sequence[str] | None = None,
    n_cols: int = 8,
    cmap: Literal["gray", "diverging"] = "gray",
    limits: tuple[float, float] | None = None,
    colorbar: bool = False,
    width: float = WIDTH,
) -> Axes:
    """Show small images side by side, all on one scale.

    Parameters
    ----------
    images : array_like of shape (N, H, W)
        The images. Every pixel is drawn as a sharp square.
    titles : sequence of str, optional
        One short title for each image, written above it.
    n_cols : int
        Images in a row.
    cmap : {"gray", "diverging"}
        ``"gray"`` draws ink on paper, from the least value (paper) to the greatest (ink);
        ``"diverging"`` orange below zero, blue above, symmetrical: for weights.
    limits : tuple of float, optional
        Values for both ends of the scale, instead of those found in the images.
    colorbar : bool
        Whether to draw the scale below the images.
    width : float
        Width of the figure in inches.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If the shape is not (N, H, W), or titles, columns, map or limits do not fit.

    Examples
    --------
    >>> ax = image_grid(np.eye(8).reshape(1, 8, 8), titles=["a diagonal"])
    """
    pixels = array(images, "images", 3)
    n, n_high, n_wide = pixels.shape
    if titles is not None and len(titles) != n:
        raise ValueError(f"{n} images need {n} titles, got {len(titles)}")
    if n_cols < 1:
        raise ValueError(f"n_cols must be at least 1, got {n_cols}")
    low, high = _limits(pixels, cmap, limits)
    n_cols = min(n_cols, n)
    n_rows = -(-n // n_cols)
    head, foot = 16.0 if titles is not None else 0.0, 30.0 if colorbar else 0.0
    gap = max(1, n_wide // 8)  # between tiles, in pixels of the images
    n_across = n_cols * (n_wide + gap) - gap
    dot = min((width * 72 - 10) / n_across, 110 / n_wide)  # side of a pixel, in points
    step = dot * (n_high + gap) + head
    height = n_rows * step + foot + 5
    left = (width * 72 - dot * n_across) / 2
    _, ax = sheet(width, height / 72)
    for row in range(n_rows):  # one picture a row: a page should not ask for hundreds of files
        tiles = pixels[row * n_cols : (row + 1) * n_cols]
        y = height - (row + 1) * step
        strip = _side_by_side([_paint(tile, cmap, low, high) for tile in tiles], gap)
        _image(ax, strip, (left, left + dot * strip.shape[1], y, y + dot * n_high))
        for col in range(len(tiles) if titles is not None else 0):
            assert titles is not None
            middle = left + dot * (col * (n_wide + gap) + n_wide / 2)
            title = titles[row * n_cols + col]
            ax.text(middle, y + dot * n_high + 3.5, title, ha="center", fontsize=10, va="baseline")
    if colorbar:
        _scale(ax, cmap, low, high, (left, left + dot * n_across))
    return ax


def confusion_matrix(
    counts: ArrayLike, class_names: Sequence[str] | None = None, *, width: float = 4.6
) -> Axes:
    """Show which classes are taken for which: rows are the truth, columns the prediction.

    Blue cells are right and orange ones wrong; darker means a greater part of the row.

    Parameters
    ----------
    counts : array_like of shape (K, K)
        ``counts[i, j]`` examples of class i were classified as j.
    class_names : sequence of str, optional
        One short name for each class; by default 0 … K−1.
    width : float
        Greatest width of the figure in inches.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If the counts are no square of whole numbers ≥ 0, or the names do not fit.

    Examples
    --------
    >>> ax = confusion_matrix([[50, 2], [3, 45]], ["benign", "malignant"])
    """
    table = array(counts, "counts", 2)
    K = len(table)
    if table.shape != (K, K) or (table < 0).any() or (table != table.round()).any():
        raise ValueError(f"counts must be whole numbers of shape (K, K), got shape {table.shape}")
    names = [str(k) for k in range(K)] if class_names is None else list(class_names)
    if len(names) != K:
        raise ValueError(f"{K} classes need {K} names, got {len(names)}")
    left, top = 30 + 6.2 * max(map(len, names)), 44.0
    cell = min((width * 72 - left - 8) / K, 62.0)
    _, ax = sheet((left + cell * K + 8) / 72, (cell * K + top + 8) / 72)
    height = cell * K + top + 8
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    for i, j in np.ndindex(K, K):
        x, y = left + j * cell, height - top - (i + 1) * cell
        fill = _cell_fill(share[i, j], right=bool(i == j))
        ax.add_patch(
            Rectangle((x + 1, y + 1), cell - 2, cell - 2, facecolor=colour(fill), linewidth=0)
        )
        if table[i, j]:
            text = f"{int(table[i, j])}"
            ax.text(x + cell / 2, y + cell / 2, text, ha="center", va="center", fontsize=10.5)
    for k, name in enumerate(names):
        x, y = left + (k + 0.5) * cell, height - top - (k + 0.5) * cell
        ax.text(left - 6, y, name, ha="right", va="center", fontsize=10.5)
        ax.text(x, height - top + 6, name, ha="center", va="bottom", fontsize=10.5)
    middle = left + cell * K / 2
    quiet: dict[str, Any] = {"color": colour("muted"), "fontsize": 10.5, "va": "center"}
    ax.text(middle, height - 12, "predicted class", ha="center", **quiet)
    ax.text(11, height - top - cell * K / 2, "true class", ha="center", rotation=90, **quiet)
    return ax


def _limits(
    pixels: NDArray[Any], cmap: str, limits: tuple[float, float] | None
) -> tuple[float, float]:
    if cmap not in ("gray", "diverging"):
        raise ValueError(f"cmap is 'gray' or 'diverging', got {cmap!r}")
    low, high = limits if limits is not None else (float(pixels.min()), float(pixels.max()))
    if cmap == "diverging" and limits is None:
        high = float(np.abs(pixels).max())
        low = -high
    if limits is not None and low >= high:
        raise ValueError(f"limits are (low, high) with low < high, got {limits}")
    return (low, high) if high > low else (low, low + 1.0)


def _paint(values: NDArray[Any], cmap: str, low: float, high: float) -> NDArray[np.uint8]:
    anchors = np.array([to_rgb(c) for c in (GRAY if cmap == "gray" else DIVERGING)])
    at = np.clip((values - low) / (high - low), 0, 1)
    steps = np.linspace(0, 1, len(anchors))
    colours = np.stack([np.interp(at, steps, anchors[:, c]) for c in range(3)], axis=-1)
    return (255 * colours).round().astype(np.uint8)


def _side_by_side(tiles: list[NDArray[np.uint8]], gap: int) -> NDArray[np.uint8]:
    """Put painted tiles into one RGBA picture, with transparent columns between them."""
    high, wide, _ = tiles[0].shape
    strip = np.zeros((high, len(tiles) * (wide + gap) - gap, 4), dtype=np.uint8)
    for i, tile in enumerate(tiles):
        across = slice(i * (wide + gap), i * (wide + gap) + wide)
        strip[:, across, :3], strip[:, across, 3] = tile, 255
    return strip


def _image(ax: Axes, pixels: NDArray[np.uint8], extent: tuple[float, float, float, float]) -> None:
    view = ax.get_xlim(), ax.get_ylim()
    ax.imshow(pixels, extent=extent, aspect="equal", interpolation="none")
    ax.set(xlim=view[0], ylim=view[1])


def _scale(ax: Axes, cmap: str, low: float, high: float, ends: tuple[float, float]) -> None:
    left, right = ends
    third = (right - left) / 3
    left, right = left + third, right - third
    strip = _paint(np.linspace(low, high, 64)[None], cmap, low, high)
    _image(ax, strip, (left, right, 10, 18))
    for x, value, ha in ((left - 6, low, "right"), (right + 6, high, "left")):
        side: Any = ha
        text = f"{value:.3g}".replace("-", "−")
        ax.text(x, 14, text, ha=side, va="center", fontsize=10, color=colour("muted"))


def _cell_fill(share: float, *, right: bool) -> str:
    """Choose among three steps, so that the text on it always has enough contrast."""
    if right:
        return f"blue-{1 + (share >= 0.5) + (share >= 0.9)}"
    return f"orange-{1 + (share >= 0.03) + (share >= 0.1)}" if share > 0 else "faint"
