"""The one interactive figure: frames drawn by Python, and a slider to move through them."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any, TypeVar
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt

from .canvas import WIDTH, axes
from .display import check_alt, describe
from .labels import settle
from .layers import share_limits, stack
from .style import PALETTE
from .svg import clean, serialize, themed

__all__ = ["SCRUBBER_MIME", "Scrubber", "scrubber"]

SCRUBBER_MIME = "application/vnd.dlcourse.scrubber+html"
"""The key of the mime bundle that holds the element without script and style, for a site."""

Value = TypeVar("Value")
DARK = (
    "body[data-jp-theme-light=false]",  # JupyterLab
    "[data-vscode-theme-kind=vscode-dark]",  # VS Code
    "[data-vscode-theme-kind=vscode-high-contrast]",
    "html[theme=dark]",  # Colab
)
ICONS = {
    "previous": "M11 3L5 8l6 5z",
    "next": "M5 3l6 5-6 5z",
    "play": "M4 2.5v11l9-5.5z",
}


@dataclass(frozen=True, repr=False)
class Scrubber:
    """A finished scrubber, for a notebook and for a page.

    Attributes
    ----------
    html : str
        One element without script or style: a site brings ``scrubber.js`` and ``scrubber.css``.
    svg : str
        The last frame alone, for print and e-books.
    alt : str
        What the last frame shows.
    still : str
        A sentence to stand below the last frame where nothing moves.
    """

    html: str = field(repr=False)
    svg: str = field(repr=False)
    alt: str
    still: str = field(repr=False)

    def __repr__(self) -> str:
        return self.alt

    def _repr_html_(self) -> str:
        package = files("dlcourse.plot")
        style = _palette_css() + (package / "scrubber.css").read_text(encoding="utf-8")
        script = (package / "scrubber.js").read_text(encoding="utf-8")
        return (
            f'<div class="dl-notebook"><style>{style}</style>{self.html}'
            f"<script>{script}</script></div>"
        )

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        data = {
            SCRUBBER_MIME: self.html,
            "text/html": self._repr_html_(),
            "image/svg+xml": self.svg,
            "text/plain": self.alt,
        }
        return data, {SCRUBBER_MIME: {"still": self.still}}


def scrubber(
    draw: Callable[[Any, Value], object],
    values: Sequence[Value],
    *,
    label: str,
    alt: Callable[[Value], str],
    value_text: Callable[[Value], str] = str,
    n_cols: int = 1,
    width: float = WIDTH,
    height: float | None = None,
    square: bool = False,
    key: str = "",
) -> Scrubber:
    """Draw a frame for each value and put them behind a slider.

    Panels that autoscale get the same limits in all frames. Titles and labels should take equally
    many lines in every frame, or the axes will jump.

    Parameters
    ----------
    draw : callable
        Called as ``draw(ax, value)`` with new axes for each frame (an array of two, if `n_cols`
        is 2).
    values : sequence
        One value for each frame, 2 to 200 of them.
    label : str
        What the slider changes, such as ``"Update"``.
    alt : callable
        Turns a value into a sentence about what that frame shows.
    value_text : callable
        Turns a value into the text beside the slider.
    n_cols, width, height, square
        As in `axes`.
    key : str
        Tells apart two scrubbers on a page that are otherwise equal.

    Returns
    -------
    Scrubber
        Displays itself in Jupyter, VS Code and Colab, and on the book's pages.

    Raises
    ------
    TypeError
        If `draw` or `alt` cannot be called.
    ValueError
        If there are too few or too many values, no label, or a frame's alt text says too little.

    Examples
    --------
    >>> def draw(ax, step):
    ...     ax.plot([0, 1], [0, 0.5**step])
    >>> scrubber(draw, range(4), label="Step", alt=lambda s: f"A line that rises to {0.5**s} at 1")
    A line that rises to 0.125 at 1
    """
    if not callable(draw) or not callable(alt):
        raise TypeError("draw and alt must be functions: draw(ax, value) and alt(value) -> str")
    if not 2 <= len(values) <= 200:
        raise ValueError(f"a scrubber has 2 to 200 frames, got {len(values)} values")
    if not label.strip():
        raise ValueError("label is empty: say what the slider changes, such as 'Update'")
    texts = [value_text(value) for value in values]
    alts = [check_alt(alt(value)) for value in values]
    roots = _draw_all(draw, values, {"width": width, "height": height, "square": square}, n_cols)
    content = "".join([key, label, *texts, *alts]) + "".join(map(_text, roots))
    prefix = "s" + hashlib.sha256(content.encode()).hexdigest()[:8]
    still = copy.deepcopy(roots[-1])
    describe(still, alts[-1])
    roots[-1].attrib |= {"role": "img", "aria-label": alts[-1]}
    picture = themed(stack(roots, prefix))
    note = (
        f"The last of {len(values)} pictures ({label.strip()}: {texts[-1]}). On the website, with "
        "JavaScript, and in the notebook a slider leads through all of them."
    )
    html = _element(picture, prefix, label.strip(), texts, alts, note)
    return Scrubber(html, serialize(still, prefix), alts[-1], note)


def _draw_all(
    draw: Callable[[Any, Value], object], values: Sequence[Value], size: Any, n_cols: int
) -> list[ET.Element]:
    figures = []
    for value in values:
        fig, ax = axes(1, n_cols, **size)
        plt.close(fig)  # pyplot forgets it; many open figures would raise a warning
        draw(ax, value)
        figures.append(fig)
    share_limits(figures)
    settle(*figures)
    return [clean(fig) for fig in figures]


def _text(root: ET.Element) -> str:
    return ET.tostring(root, encoding="unicode")


def _element(
    picture: str, prefix: str, label: str, texts: list[str], alts: list[str], still: str
) -> str:
    last, slider = len(texts) - 1, f"{prefix}-slider"
    frames = "".join(
        f'<li data-value="{escape(text)}">{escape(alt)}</li>'
        for text, alt in zip(texts, alts, strict=True)
    )
    return (
        f'<div class="dl-scrubber" role="group" aria-label="{escape(label)}">'
        f'<div class="dl-scrubber-picture">{picture}</div>'
        f'<p class="dl-scrubber-still">{escape(still)}</p>'
        '<div class="dl-scrubber-controls" hidden>'
        f"{_button('play', 'Play')}{_button('previous', 'Previous')}"
        f'<input class="dl-scrubber-slider" id="{slider}" type="range" min="0" max="{last}" '
        f'step="1" value="{last}" aria-valuetext="{escape(texts[-1])}">'
        f"{_button('next', 'Next')}"
        f'<span class="dl-scrubber-reading"><label for="{slider}">{escape(label)}</label> '
        f'<output for="{slider}" aria-live="off">{escape(texts[-1])}</output></span></div>'
        '<p class="dl-scrubber-said" aria-live="polite"></p>'
        f'<ol class="dl-scrubber-frames" hidden>{frames}</ol></div>'
    )


def _button(name: str, text: str) -> str:
    pause = '<path class="dl-icon-pause" d="M4 3h3v10H4zM9 3h3v10H9z"/>' if name == "play" else ""
    return (
        f'<button type="button" class="dl-scrubber-{name}" aria-label="{text}" title="{text}">'
        '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="currentColor">'
        f'<path class="dl-icon" d="{ICONS[name]}"/>{pause}</svg></button>'
    )


def _palette_css() -> str:
    """Define the palette's variables for a notebook, whose theme the book does not know."""
    light = "".join(f"--fig-{name}:{pair[0]};" for name, pair in PALETTE.items())
    dark = "".join(f"--fig-{name}:{pair[1]};" for name, pair in PALETTE.items())
    where = ",".join(f"{theme} .dl-notebook" for theme in DARK)
    return f".dl-notebook{{{light}color:#1b2430}}{where}{{{dark}color:#ced6dd}}\n"
