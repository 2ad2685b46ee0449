"""Trace where a classifier changes its mind, with few vertices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.path import Path
from numpy.typing import NDArray

from .canvas import array
from .style import CYCLE

__all__ = ["Predict", "margins_on_grid", "outline"]

Predict = Callable[[NDArray[np.float32]], Any]


def margins_on_grid(
    predict: Predict, xs: NDArray[Any], ys: NDArray[Any], threshold: float | None
) -> list[NDArray[Any]]:
    """Return, for each class, by how much its score beats the best of the others on the grid."""
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).astype(np.float32)
    raw = predict(grid.reshape(-1, 2))
    scores = array(raw, "the scores that predict returned")
    n = len(grid) ** 2
    if scores.shape not in {(n,), (n, 1)} and (scores.ndim != 2 or len(scores) != n):
        raise ValueError(
            f"predict got points of shape ({n}, 2) and must return scores of shape "
            f"({n},) or ({n}, K), got {scores.shape}"
        )
    if scores.ndim == 2 and scores.shape[1] > 1:
        if scores.shape[1] > len(CYCLE):
            raise ValueError(
                f"at most {len(CYCLE)} classes can be told apart, got {scores.shape[1]}"
            )
        columns = scores
    else:
        score = scores.reshape(n)
        whole = bool((score == np.round(score)).all())
        if threshold is None and whole and 1 < score.max() < len(CYCLE) and score.min() >= 0:
            columns = np.eye(int(score.max()) + 1)[score.astype(int)]
        else:
            middle = 0.5 if score.min() >= 0 and score.max() <= 1 else 0.0
            gap = score - (middle if threshold is None else threshold)
            columns = np.column_stack([-gap, gap])
    margins = []
    for k in range(columns.shape[1]):
        others = np.delete(columns, k, axis=1).max(axis=1)
        margins.append((columns[:, k] - others).reshape(len(ys), len(xs)))
    return margins


def outline(
    xs: NDArray[Any], ys: NDArray[Any], margin: NDArray[Any], steps: bool, *, filled: bool = False
) -> Path | None:
    """Trace where the margin is positive, or where it is zero, with few vertices."""
    if margin.max() <= 0 or (not filled and margin.min() >= 0):
        return None
    tracer = Figure().add_subplot()
    levels = [0.0, float(margin.max()) * 1.01 + 1e-9]
    contours = (
        tracer.contourf(xs, ys, margin, levels) if filled else tracer.contour(xs, ys, margin, [0.0])
    )
    cell = np.array([xs[1] - xs[0], ys[1] - ys[0]])
    # A step function is traced as a staircase along the grid; a smooth score is not.
    tolerance = 0.6 if steps else 0.08
    pieces = []
    for piece in _pieces(contours.get_paths()[0]):
        vertices = np.asarray(piece.vertices)
        kept = _fewer(vertices / cell, tolerance)
        if kept.sum() >= 2:
            codes = np.full(kept.sum(), Path.LINETO)
            codes[0] = Path.MOVETO
            if filled:
                codes[-1] = Path.CLOSEPOLY
            pieces.append(Path(vertices[kept], codes))
    return Path.make_compound_path(*pieces) if pieces else None


def _pieces(path: Path) -> list[Path]:
    vertices = np.asarray(path.vertices)
    starts = np.flatnonzero(path.codes == Path.MOVETO)
    return [Path(part) for part in np.split(vertices, starts[1:]) if len(part)]


def _fewer(vertices: NDArray[Any], tolerance: float) -> NDArray[np.bool_]:
    """Say which vertices the Ramer–Douglas–Peucker algorithm keeps."""
    keep = np.zeros(len(vertices), dtype=bool)
    keep[[0, -1]] = True
    stack = [(0, len(vertices) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        chord, inner = (
            vertices[last] - vertices[first],
            vertices[first + 1 : last] - vertices[first],
        )
        length = np.hypot(*chord)
        if length > 1e-12:
            distance = np.abs(inner[:, 0] * chord[1] - inner[:, 1] * chord[0]) / length
        else:
            distance = np.hypot(*inner.T)
        far = int(distance.argmax())
        if distance[far] > tolerance:
            middle = first + 1 + far
            keep[middle] = True
            stack += [(first, middle), (middle, last)]
    return keep
