"""Show a figure: one themable SVG with an alternative text, the same bytes in every run."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .labels import settle
from .style import PALETTE
from .svg import clean, serialize

__all__ = ["Shown", "check_alt", "show"]


@dataclass(frozen=True, repr=False)
class Shown:
    """A finished figure: what a notebook displays and the book prints.

    Attributes
    ----------
    svg : str
        The picture, drawn in the palette's light colours.
    alt : str
        What the picture shows, for readers who do not see it.
    """

    svg: str = field(repr=False)
    alt: str

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.alt}

    def save(self, path: str | Path) -> Path:
        """Write the figure to an SVG file.

        Parameters
        ----------
        path : str or Path
            Where to; must end in ``.svg``.

        Returns
        -------
        Path
            The file written.

        Raises
        ------
        ValueError
            If the path does not end in ``.svg``.
        """
        path = Path(path)
        if path.suffix != ".svg":
            raise ValueError(
                f"a shown figure is an SVG; got {path.name!r}, expected a name in .svg"
                " (for other formats call fig.savefig before plot.show)"
            )
        path.write_text(self.svg + "\n", encoding="utf-8")
        return path


def show(figure: Figure | Axes | np.ndarray[Any, Any], *, alt: str) -> Shown:
    """Finish a figure and hand it to the notebook or the page.

    The pyplot figure is closed, so that nothing is displayed twice. In a plain script call
    ``plt.show()`` first, or open the file that ``show(...).save("figure.svg")`` writes.

    Parameters
    ----------
    figure : Figure, Axes or ndarray of Axes
        What `axes` returned, either part.
    alt : str
        One or two sentences that say what the picture shows, at least 20 characters.

    Returns
    -------
    Shown
        Displays itself as SVG in Jupyter; its ``repr`` is the alternative text.

    Raises
    ------
    TypeError
        If `figure` is no Matplotlib figure.
    ValueError
        If `alt` is missing, too short or a file name.

    Examples
    --------
    >>> from dlcourse.plot import axes
    >>> fig, ax = axes()
    >>> lines = ax.plot([0, 1, 2], [1.0, 0.3, 0.1])
    >>> show(fig, alt="The loss falls from 1.0 to 0.1 within two epochs")
    The loss falls from 1.0 to 0.1 within two epochs
    """
    first = figure.flat[0] if isinstance(figure, np.ndarray) else figure
    fig = first.figure if isinstance(first, Axes) else first
    if not isinstance(fig, Figure):
        raise TypeError(
            f"expected a Matplotlib Figure or Axes to show, got {type(figure).__name__}"
        )
    alt = check_alt(alt)
    settle(fig)
    root = clean(fig)
    plt.close(fig)
    describe(root, alt)
    content = ET.tostring(root, encoding="unicode")
    prefix = "f" + hashlib.sha256(content.encode()).hexdigest()[:8]
    return Shown(serialize(root, prefix), alt)


def describe(root: ET.Element, alt: str) -> None:
    """Put role, name and a backdrop of paper into an SVG tree.

    The backdrop keeps black text readable in a dark notebook; pages may hide ``.dl-backdrop``.
    """
    root.attrib |= {"role": "img", "aria-label": alt}
    title = ET.Element("title")
    title.text = alt
    backdrop = ET.Element(
        "rect",
        {"class": "dl-backdrop", "width": "100%", "height": "100%", "fill": PALETTE["paper"][0]},
    )
    root.insert(0, title)
    root.insert(2, backdrop)


def check_alt(alt: str) -> str:
    """Return a tidied alternative text, or say what is wrong with it.

    Parameters
    ----------
    alt : str
        The text.

    Returns
    -------
    str
        The text with single spaces.

    Raises
    ------
    TypeError, ValueError
        If it is no string, shorter than 20 characters, or looks like a file name.

    Examples
    --------
    >>> check_alt("figure1.png")
    Traceback (most recent call last):
    ...
    ValueError: alt text must say what the figure shows, as a sentence for a reader who cannot see \
it (“The loss falls to 0.1 by step 40, then flattens”); got 'figure1.png'
    """
    if not isinstance(alt, str):
        raise TypeError(f"alt text must be a string, got {type(alt).__name__}")
    text = " ".join(alt.split())
    is_file = re.search(r"\.(png|svg|jpe?g|gif|webp|pdf)$", text, re.IGNORECASE)
    if len(text) < 20 or is_file or " " not in text:
        raise ValueError(
            "alt text must say what the figure shows, as a sentence for a reader who "
            "cannot see it (“The loss falls to 0.1 by step 40, then flattens”); "
            f"got {alt!r}"
        )
    return text
