"""Learning curves: loss and accuracy against the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from .canvas import array, axes
from .labels import label_line, limit_line
from .style import CYCLE, LINE_STYLES, colour

__all__ = ["history"]

SPLITS = {"train": "training", "val": "validation", "test": "test"}


def history(
    record: Mapping[str, Any] | Any,
    *,
    ax: Axes | None = None,
    limit: float | tuple[float, str] | None = None,
    log: bool = False,
) -> Any:
    """Draw what training recorded, one value for each epoch.

    Parameters
    ----------
    record : mapping or object
        Lists of numbers, by key or by attribute: ``train_loss``, ``val_loss``, ``val_accuracy``
        and so on. Any other key names a curve of its own, such as ``{"SGD": …, "Adam": …}``.
        Empty lists are left out.
    ax : Axes, optional
        Where to draw the losses (the accuracies, if there are no losses). Without it, losses and
        accuracies each get a panel.
    limit : float or (float, str), optional
        The best that is possible, with its label: an accuracy if there are accuracies, otherwise
        a loss.
    log : bool
        Whether the losses' axis is logarithmic.

    Returns
    -------
    Axes or ndarray of Axes
        The axes drawn on: one, or two if there are losses and accuracies.

    Raises
    ------
    ValueError
        If there is nothing to draw.

    Examples
    --------
    >>> ax = history({"train_loss": [0.7, 0.4, 0.3], "val_loss": [0.7, 0.5, 0.45]})
    >>> ax.get_ylabel()
    'loss'
    """
    curves = _curves(record)
    losses = {name: v for name, v in curves.items() if not name.endswith("accuracy")}
    accuracies = {name: v for name, v in curves.items() if name.endswith("accuracy")}
    given = ax is not None
    panels: Any
    if ax is not None:
        panels = [ax]
    elif losses and accuracies:
        panels = axes(1, 2)[1]
    else:
        panels = [axes()[1]]
    kinds = [("loss", losses)] * bool(losses) + [("accuracy", accuracies)] * bool(accuracies)
    for panel, (kind, named) in zip(panels, kinds, strict=False):
        _draw(panel, kind, named)
        if log and kind == "loss":
            panel.set_yscale("log")
    if limit is not None:
        value, label = limit if isinstance(limit, tuple) else (limit, None)
        best = f"{100 * value:.1f}%" if accuracies and not (given and losses) else f"{value:.3g}"
        limit_line(panels[-1], value, label or f"best possible: {best}")
    return panels if len(panels) > 1 else panels[0]


def _curves(record: Any) -> dict[str, NDArray[Any]]:
    items = record if isinstance(record, Mapping) else vars(record)
    curves = {
        str(name): array(values, str(name), 1)
        for name, values in items.items()
        if np.ndim(values) == 1 and len(values)
    }
    if not curves:
        raise ValueError("nothing to draw: expected lists such as train_loss, one value an epoch")
    return curves


def _draw(ax: Axes, kind: str, curves: dict[str, NDArray[Any]]) -> None:
    for number, (name, values) in enumerate(curves.items()):
        split = name.removesuffix(f"_{kind}")
        index = list(SPLITS).index(split) if split in SPLITS else number % len(CYCLE)
        hue = CYCLE[index]
        epochs = np.arange(1, len(values) + 1)
        marker = "o" if len(values) == 1 else ""
        style: dict[str, Any] = {"color": colour(hue), "linestyle": LINE_STYLES[index]}
        ax.plot(epochs, values, marker=marker, linewidth=2, **style)
        label_line(ax, epochs[-1], values[-1], SPLITS.get(split, split), hue)
    ax.set(xlabel="epoch", ylabel=kind)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    if kind == "accuracy":
        ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g}%")
