"""The game "real or generated?": a directive for the place, rounds from the run, `game.js`.

`{game} Title` with `:name:` and `:rounds: glue NAME`, JSON with two lists. `rounds` has a row for
each image: 64 letters, 0 (paper) to g (ink, 16/16), row by row; 1 if it is real, else 0; and the
detector's answer likewise. `intervals` has [low, high] in per cent for 0, 1, … right answers.
The content, and after it all images with their answers folded in, are for readers without
JavaScript.
"""

from __future__ import annotations

import ast
import html
import json
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from myst_nb.core.variables import RetrievalError
from myst_nb.ext.glue.utils import retrieve_glue_data
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)
LEVELS = "0123456789abcdefg"
SIDE = 8
SHAPE = "needs rounds of [64 letters from 0 to g, 0 or 1, 0 or 1], and an interval for each score"


class game(nodes.container):
    """The place of the game; what it contains is read where no script runs."""


class GameDirective(SphinxDirective):
    """`{game} Title` with `:name:`, `:rounds:` and a sentence as content."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = {
        "name": directives.unchanged_required,
        "rounds": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        self.node = game(title=self.arguments[0], is_div=True)
        self.set_source_info(self.node)
        self.node["data"] = self._data()
        if "name" in self.options:
            self.add_name(self.node)
        else:
            self._complain("needs a “:name:”")
        self.node += self.parse_content_to_nodes()
        if not self.node.children:
            self._complain("needs a sentence for readers without JavaScript")
        return [self.node]

    def _complain(self, message: str) -> None:
        told = f"game “{self.arguments[0]}” {message}"
        LOGGER.warning(told, location=self.node, type="game")

    def _data(self) -> dict[str, Any]:
        """Read what the chapter glued, and look whether it fits."""
        nothing: dict[str, Any] = {"rounds": [], "intervals": []}
        asked = self.options.get("rounds", "").split()
        if len(asked) != 2 or asked[0] != "glue":
            self._complain("needs “:rounds: glue NAME”")
            return nothing
        try:
            text = retrieve_glue_data(self.state.document, asked[1]).data["text/plain"]
        except (RetrievalError, KeyError):
            self._complain(f"asks for “{asked[1]}”, which the chapter does not glue")
            return nothing
        try:
            data: dict[str, Any] = json.loads(ast.literal_eval(text))
            fit = fits(data)
        except (ValueError, TypeError, SyntaxError, KeyError):
            data, fit = nothing, False
        if not fit:
            self._complain(SHAPE)
            return nothing
        return data


def fits(data: dict[str, Any]) -> bool:
    """Tell whether rounds and intervals have the shape that the script expects."""
    rounds, intervals = data["rounds"], data["intervals"]
    return (
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


def add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the script on pages that have a game.

    It is no module: browsers refuse modules when a page is opened from a file.
    """
    if doctree is not None and next(doctree.findall(game), None) is not None:
        app.add_js_file("game.js", loading_method="defer")


def visit_game(self: HTML5Translator, node: game) -> None:
    if "epub" in self.builder.name:
        self.body.append(self.starttag(node, "div"))
        return
    data = json.dumps(node["data"], separators=(",", ":"))
    told = {"data-title": node["title"], "data-game": data}
    self.body.append(self.starttag(node, "div", CLASS="game", **told))
    self.body.append('<div class="game-still">\n')
    self.body.append(f'<p class="game-title">{html.escape(node["title"])}</p>\n')


def depart_game(self: HTML5Translator, node: game) -> None:
    self.body.append(answers(node["data"]))
    self.body.append("</div>\n" if "epub" in self.builder.name else "</div></div>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, node, style sheet and script."""
    app.add_directive("game", GameDirective)
    app.add_node(game, html=(visit_game, depart_game))
    app.connect("html-page-context", add_script)
    app.add_css_file("game.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
