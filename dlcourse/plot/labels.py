"""Direct labels: text beside the line it names, placed so that it can be read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import LogFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike

from .style import colour

__all__ = ["label_line", "limit_curve", "limit_line", "settle"]

Orientation = Literal["horizontal", "vertical"]
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def limit_line(
    ax: Axes, value: float, label: str, *, orientation: Orientation = "horizontal"
) -> Line2D:
    """Draw the best value that is possible, the one device that recurs all over the book.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    value : float
        The limit, on the y axis (or on the x axis if `orientation` is ``"vertical"``).
    label : str
        What the limit is, such as ``"best possible: 97.7%"``.
    orientation : {"horizontal", "vertical"}
        Direction of the line.

    Returns
    -------
    Line2D
        The dashed line. Its label finds the emptiest place along it when the figure is drawn.

    Raises
    ------
    ValueError
        If the value is not finite, or the orientation is unknown.

    Examples
    --------
    >>> from dlcourse.plot import axes
    >>> fig, ax = axes()
    >>> limit_line(ax, 0.977, "best possible: 97.7%").get_linestyle()
    '--'
    """
    if not np.isfinite(value):
        raise ValueError(f"a limit is a finite number, got {value}")
    style: dict[str, Any] = {"color": colour("limit"), "linestyle": (0, (4, 2.5)), "linewidth": 1.4}
    style["zorder"] = 2.2
    if orientation == "horizontal":
        line = ax.axhline(float(value), **style)
    elif orientation == "vertical":
        line = ax.axvline(float(value), **style)
    else:
        raise ValueError(f"orientation is 'horizontal' or 'vertical', got {orientation!r}")
    ax.add_artist(_LimitLabel(line, label, vertical=orientation == "vertical"))
    return line


def limit_curve(ax: Axes, x: ArrayLike, y: ArrayLike, label: str, *, at: float = 1.0) -> Line2D:
    """Draw a limit that depends on x, such as a theorem's bound, in the style of `limit_line`.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x, y : array_like of shape (N,)
        The curve.
    label : str
        What the limit is, written beside the curve.
    at : float
        Where along the points the label stands: 0 at the first, 1 at the last.

    Returns
    -------
    Line2D
        The dashed curve.

    Raises
    ------
    ValueError
        If ``x`` and ``y`` differ in length, or ``at`` is not between 0 and 1.

    Examples
    --------
    >>> from dlcourse.plot import axes
    >>> fig, ax = axes()
    >>> limit_curve(ax, [1, 2, 4], [1, 1 / 4, 1 / 16], "bound").get_linestyle()
    '--'
    """
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if xs.shape != ys.shape or xs.ndim != 1 or len(xs) < 2:
        raise ValueError(f"x and y must be equally long lists, got {xs.shape} and {ys.shape}")
    if not 0 <= at <= 1:
        raise ValueError(f"at is a place along the curve from 0 to 1, got {at}")
    (line,) = ax.plot(
        xs, ys, color=colour("limit"), linestyle=(0, (4, 2.5)), linewidth=1.4, zorder=2.2
    )
    i = round(at * (len(xs) - 1))
    ha: Literal["left", "right"] = "right" if at > 0.6 else "left"
    label_line(ax, xs[i], ys[i], label, "limit", offset=(-8 if at > 0.6 else 8, 12), ha=ha)
    return line


def label_line(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    colour_name: str = "ink",
    *,
    offset: tuple[float, float] = (6, 0),
    ha: Literal["left", "center", "right"] = "left",
) -> Annotation:
    """Write a label beside a point of a line, instead of a legend.

    Parameters
    ----------
    ax : Axes
        Where to write.
    x, y : float
        The point, in data units; usually the line's last.
    text : str
        The label.
    colour_name : str
        The line's colour: a name or hex value of the palette.
    offset : tuple of float
        Distance from the point to the text, in points.
    ha : {"left", "center", "right"}
        Which part of the text is beside the point. Labels on the left of their text that would
        overlap are moved apart when the figure is shown.

    Returns
    -------
    Annotation
        The text.

    Examples
    --------
    >>> from dlcourse.plot import axes
    >>> fig, ax = axes()
    >>> label_line(ax, 10, 0.9, "training", "blue").get_text()
    'training'
    """
    return ax.annotate(
        text,
        (x, y),
        xytext=offset,
        textcoords="offset points",
        ha=ha,
        va="center",
        color=colour(colour_name),
        fontsize=10.5,
        annotation_clip=False,
        gid="halo end" if ha == "left" else "halo",
    )


def settle(*figures: Figure) -> None:
    """Make finished figures ready to be drawn: house style, layout fixed, labels moved apart.

    Parameters
    ----------
    *figures : Figure
        One figure, or the frames of a sequence, which all get the last one's layout. Changed in
        place.
    """
    for figure in figures:
        _house_style(figure)
    figures[-1].draw_without_rendering()
    places = [ax.get_position(original=True) for ax in figures[-1].axes]
    for figure in figures:
        figure.set_layout_engine("none")
        for ax, place in zip(figure.axes, places, strict=True):
            ax.set_position(place)
            _move_apart(list(_end_labels(ax)), figure.dpi)


def _house_style(figure: Figure) -> None:
    """Apply what Matplotlib reads from its settings only when a title or a key is made."""
    for ax in figure.axes:
        key = ax.get_legend()
        if key:
            key.set_frame_on(False)
        if title := ax.get_title("center") or ax.get_title("left"):
            ax.set_title("", loc="center")
            pad = 27 if key and key.get_gid() == "above" else 9
            font: dict[str, Any] = {"fontsize": 11, "weight": "bold", "color": colour("ink")}
            ax.set_title(title, loc="left", pad=pad, **font)
        for axis in (ax.xaxis, ax.yaxis):
            if axis.get_scale() == "log" and isinstance(axis.get_major_formatter(), LogFormatter):
                axis.set_major_formatter(_log_number)
                axis.set_minor_formatter(NullFormatter())
                low, high = sorted(axis.get_view_interval())
                if high < 40 * low:
                    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))


def _log_number(value: float, _position: float | None = None) -> str:
    exponent = int(np.floor(np.log10(value) + 1e-9))
    if -2 <= exponent <= 4:
        return f"{value:,.{max(0, -exponent)}f}".replace(",", "\u2009")
    factor = f"{value / 10.0**exponent:.2g}"
    power = f"10{str(exponent).translate(SUPERSCRIPTS)}"
    return power if factor == "1" else f"{factor}·{power}"


def _end_labels(ax: Axes) -> Iterator[Annotation]:
    for text in ax.texts:
        if isinstance(text, Annotation) and text.get_gid() == "halo end":
            yield text


def _move_apart(labels: list[Annotation], dpi: float) -> None:
    """Push labels of one column apart until a line of text fits between their middles."""
    if len(labels) < 2:
        return
    boxes = [label.get_window_extent() for label in labels]
    heights = np.array([(box.y0 + box.y1) / 2 for box in boxes])
    apart = 13 * dpi / 72
    moved = heights.copy()
    upwards = sorted(range(len(labels)), key=lambda i: (heights[i], -i))
    for _ in range(50):
        for i, j in itertools.combinations(upwards, 2):
            beside = boxes[i].x0 < boxes[j].x1 and boxes[j].x0 < boxes[i].x1
            overlap = apart - (moved[j] - moved[i])
            if beside and overlap > 1e-6:
                moved[i] -= overlap / 2
                moved[j] += overlap / 2
    for label, shift in zip(labels, moved - heights, strict=True):
        dx, dy = label.xyann
        label.xyann = (dx, dy + float(shift) * 72 / dpi)


class _LimitLabel(Annotation):
    """The text on a limit line, which looks for the emptiest place along it."""

    def __init__(self, line: Line2D, text: str, *, vertical: bool) -> None:
        ax = line.axes
        assert ax is not None
        super().__init__(
            text,
            (0, 0),
            xycoords="figure pixels",
            textcoords="offset points",
            xytext=(0, 3),
            color=colour("limit"),
            fontsize=10.5,
            annotation_clip=False,
            clip_on=False,
            gid="halo limit",
        )
        self.line, self.vertical, self.host = line, vertical, ax

    def update_positions(self, renderer: Any) -> None:
        place = self._beside_vertical if self.vertical else self._along_horizontal
        place(renderer)
        super().update_positions(renderer)

    def _beside_vertical(self, _renderer: Any) -> None:
        box = self.host.bbox
        x = self.line.get_transform().transform(self.line.get_xydata())[0, 0]
        across = (x - box.x0) / box.width
        self.set_horizontalalignment(
            "left" if across < 0.2 else "right" if across > 0.8 else "center"
        )
        self.xy = (x, box.y1)

    def _along_horizontal(self, renderer: Any) -> None:
        box = self.host.bbox
        y = self.line.get_transform().transform(self.line.get_xydata())[0, 1]
        width, height, _ = renderer.get_text_width_height_descent(
            self.get_text(), self.get_fontproperties(), False
        )
        gap = renderer.points_to_pixels(3)
        others = self._occupied()
        places: list[tuple[float, float, Literal["bottom", "top"]]] = []
        sides: tuple[Literal["bottom", "top"], ...] = ("bottom", "top")
        for across, side in itertools.product((1.0, 0.0, 0.5), sides):
            x0 = box.x0 + across * (box.width - width)
            y0 = y + gap if side == "bottom" else y - gap - height
            spot = Bbox.from_bounds(x0, y0, width, height)
            cost = spot.count_contains(others) + 0.6 * (side == "top") + 1000 * (y0 < box.y0)
            places.append((cost, across, side))
        _, across, side = min(places, key=lambda place: place[0])
        self.xy = (box.x0 + across * box.width, y)
        self.xyann = (0, 3 if side == "bottom" else -3)
        self.set_verticalalignment(side)
        self.set_horizontalalignment("right" if across == 1 else "center" if across else "left")

    def _occupied(self) -> np.ndarray[Any, Any]:
        """Points in pixels where something is drawn, closely spaced along lines."""
        points = [np.empty((0, 2))]
        for line in self.host.lines:
            data = np.asarray(line.get_xydata(), dtype=float)
            if line is not self.line and len(data):
                path = line.get_transform().transform(data)
                at = np.linspace(0, len(path) - 1, max(len(path), 200))
                steps = np.arange(len(path))
                points.append(np.column_stack([np.interp(at, steps, path[:, i]) for i in (0, 1)]))
        for dots in self.host.collections:
            offsets: Any = np.ma.filled(np.ma.asarray(dots.get_offsets(), dtype=float), np.nan)
            points.append(dots.get_offset_transform().transform(offsets))
        return np.concatenate(points)
