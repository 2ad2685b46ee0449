"""The word map: a directive for the place, words with coordinates from the run, `word-map.js`.

`{word-map} Title` with `:name:` and `:words: glue NAME`, a JSON list with a row for each word: the
word, x, y (0 to 1000), and the numbers of its nearest words. The content is for readers without
JavaScript.
"""

from __future__ import annotations

import ast
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


class word_map(nodes.container):
    """The place of the map; what it contains is read where no script runs."""


class WordMapDirective(SphinxDirective):
    """`{word-map} Title` with `:name:`, `:words:` and a sentence as content."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = {
        "name": directives.unchanged_required,
        "words": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        self.node = word_map(title=self.arguments[0], is_div=True)
        self.set_source_info(self.node)
        self.node["words"] = json.dumps(self._words(), separators=(",", ":"), ensure_ascii=False)
        if "name" in self.options:
            self.add_name(self.node)
        else:
            self._complain("needs a “:name:”")
        self.node += self.parse_content_to_nodes()
        if not self.node.children:
            self._complain("needs a sentence for readers without JavaScript")
        return [self.node]

    def _complain(self, message: str) -> None:
        told = f"word map “{self.arguments[0]}” {message}"
        LOGGER.warning(told, location=self.node, type="word_map")

    def _words(self) -> list[list[Any]]:
        """Read the glued rows, [word, x, y, [near, ...]], and look whether they fit."""
        asked = self.options.get("words", "").split()
        if len(asked) != 2 or asked[0] != "glue":
            self._complain("needs “:words: glue NAME”")
            return []
        try:
            text = retrieve_glue_data(self.state.document, asked[1]).data["text/plain"]
        except (RetrievalError, KeyError):
            self._complain(f"asks for “{asked[1]}”, which the chapter does not glue")
            return []
        try:
            rows: list[list[Any]] = json.loads(ast.literal_eval(text))
            fit = bool(rows) and all(
                isinstance(word, str)
                and 0 <= min(x, y) <= max(x, y) <= 1000
                and all(0 <= k < len(rows) for k in near)
                for word, x, y, near in rows
            )
        except (ValueError, TypeError, SyntaxError):
            rows, fit = [], False
        if not fit:
            self._complain("needs rows of [word, x, y, [numbers of near words]], x and y to 1000")
            return []
        return rows


def add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the script on pages that have a map.

    It is no module: browsers refuse modules when a page is opened from a file.
    """
    if doctree is not None and next(doctree.findall(word_map), None) is not None:
        app.add_js_file("word-map.js", loading_method="defer")


def visit_map(self: HTML5Translator, node: word_map) -> None:
    if "epub" in self.builder.name:
        self.body.append(self.starttag(node, "div"))
        return
    told = {"data-title": node["title"], "data-words": node["words"]}
    self.body.append(self.starttag(node, "div", CLASS="word-map", **told))
    self.body.append('<div class="word-map-still">\n')


def depart_map(self: HTML5Translator, node: word_map) -> None:
    self.body.append("</div>\n" if "epub" in self.builder.name else "</div></div>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, node, style sheet and script."""
    app.add_directive("word-map", WordMapDirective)
    app.add_node(word_map, html=(visit_map, depart_map))
    app.connect("html-page-context", add_script)
    app.add_css_file("word-map.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
