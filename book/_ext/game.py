"""The game "real or generated?": images from the run, and `game.js`.

`:rounds:` is an object with two lists. `rounds` has a row for each image: 64 letters, 0 (paper) to
g (ink, 16/16), row by row; 1 if it is real, else 0; and the detector's answer likewise. `intervals`
has [low, high] in per cent for 0, 1, … right answers. Without JavaScript the page shows all images,
with their answers folded in.
"""

from __future__ import annotations

import html
from typing import Any, ClassVar

from docutils.parsers.rst import directives
from embedded import EmbeddedDirective, box, compact, register
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

LEVELS = "0123456789abcdefg"
SIDE = 8
SHAPE = "needs rounds of [64 letters from 0 to g, 0 or 1, 0 or 1], and an interval for each score"


class game(box):
    """The place of the game."""

    kind = "game"

    def before(self, up: str) -> str:
        return f'<p class="game-title">{html.escape(self["title"])}</p>\n'

    def after(self) -> str:
        return answers(self["data"])


class GameDirective(EmbeddedDirective):
    """`{game} Title` with `:name:`, `:rounds:` and a sentence as content."""

    box = game
    option_spec: ClassVar[Any] = {
        **EmbeddedDirective.option_spec,
        "rounds": directives.unchanged_required,
    }

    def told(self) -> dict[str, str]:
        data = self.glued("rounds", SHAPE, wrong, {"rounds": [], "intervals": []})
        self.node["data"] = data
        return {"data-game": compact(data)}


def wrong(data: dict[str, Any]) -> str:
    """Say what is wrong with the data, or nothing."""
    rounds, intervals = data["rounds"], data["intervals"]
    fit = (
        bool(rounds)
        and len(intervals) == len(rounds) + 1
        and all(0 <= low <= high <= 100 for low, high in intervals)
        and all(
            len(pixels) == SIDE * SIDE
            and set(pixels) <= set(LEVELS)
            and real in (0, 1)
            and detector in (0, 1)
            for pixels, real, detector in rounds
        )
    )
    return "" if fit else SHAPE


def picture(pixels: str) -> str:
    """Return an image as SVG, one path for each level; hidden, for its text stands beside it."""
    squares: dict[int, str] = {}
    for place, letter in enumerate(pixels):
        level = LEVELS.index(letter)
        if level:
            row, column = divmod(place, SIDE)
            squares[level] = squares.get(level, "") + f"M{column} {row}h1v1h-1z"
    paths = "".join(
        f'<path d="{path}" fill-opacity="{level / 16:g}"/>'
        for level, path in sorted(squares.items())
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="game-picture" aria-hidden="true" '
        f'viewBox="0 0 {SIDE} {SIDE}" width="64" height="64" shape-rendering="crispEdges">'
        f'<rect class="game-paper" width="{SIDE}" height="{SIDE}" fill="#f1f3f6"/>'
        f'<g fill="#1a2330">{paths}</g></svg>'
    )


def answers(data: dict[str, Any]) -> str:
    """Return all images as a list, each with its answer folded in."""
    items = []
    for number, (pixels, real, detector) in enumerate(data["rounds"], start=1):
        truth = "real" if real else "generated"
        verdict = "right" if real == detector else "wrong"
        told = f"It is {truth}. The detector was {verdict}."
        items.append(
            f"<li>{picture(pixels)}<details><summary>Image {number}: the answer</summary>"
            f"<p>{told}</p></details></li>"
        )
    return f'<ol class="game-list">{"".join(items)}</ol>\n'


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, node, style sheet and script."""
    return register(app, GameDirective, "game.css", ("game.js",))
