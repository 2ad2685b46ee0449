"""The latent map: a directive for the place, a grid of decoded images, `latent-map.js`.

`{latent-map} Title` with `:name:` and `:map: glue NAME`, a JSON object: `side`, pixels to a side of
an image; `edge`, the greatest coordinate of the square map; `images`, a string for each of n × n
places, row by row from the top left, with a hexadecimal digit (0 paper, f ink) for each pixel; and
`says`, for each place a class and a per cent. The content is for readers without JavaScript.
"""

from __future__ import annotations

import ast
import json
import math
import re
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


class latent_map(nodes.container):
    """The place of the map; what it contains is read where no script runs."""


class LatentMapDirective(SphinxDirective):
    """`{latent-map} Title` with `:name:`, `:map:` and a sentence as content."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = {
        "name": directives.unchanged_required,
        "map": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        self.node = latent_map(title=self.arguments[0], is_div=True)
        self.set_source_info(self.node)
        self.node["map"] = json.dumps(self._map(), separators=(",", ":"), ensure_ascii=False)
        if "name" in self.options:
            self.add_name(self.node)
        else:
            self._complain("needs a “:name:”")
        self.node += self.parse_content_to_nodes()
        if not self.node.children:
            self._complain("needs a sentence for readers without JavaScript")
        return [self.node]

    def _complain(self, message: str) -> None:
        told = f"latent map “{self.arguments[0]}” {message}"
        LOGGER.warning(told, location=self.node, type="latent_map")

    def _map(self) -> dict[str, Any]:
        """Read the glued map, and look whether its parts fit; an empty one if they do not."""
        asked = self.options.get("map", "").split()
        if len(asked) != 2 or asked[0] != "glue":
            self._complain("needs “:map: glue NAME”")
            return {}
        try:
            text = retrieve_glue_data(self.state.document, asked[1]).data["text/plain"]
        except (RetrievalError, KeyError):
            self._complain(f"asks for “{asked[1]}”, which the chapter does not glue")
            return {}
        try:
            given: dict[str, Any] = json.loads(ast.literal_eval(text))
            fault = wrong(given)
        except (ValueError, TypeError, SyntaxError, KeyError):
            given, fault = {}, "needs an object with side, edge, images and says"
        if fault:
            self._complain(fault)
            return {}
        return given


def wrong(given: dict[str, Any]) -> str:
    """Say what is wrong with a map, or nothing."""
    side, edge, images, says = (given[name] for name in ("side", "edge", "images", "says"))
    n = math.isqrt(len(images))
    if n < 3 or n % 2 == 0 or n * n != len(images):
        return f"needs n × n images, n odd and at least 3; got {len(images)}"
    if not all(re.fullmatch(rf"[0-9a-f]{{{side * side}}}", image) for image in images):
        return f"needs {side * side} hexadecimal digits for each image"
    if not (isinstance(edge, int | float) and edge > 0):
        return f"needs an edge above 0, got {edge}"
    if len(says) != len(images) or not all(
        isinstance(name, str) and 0 <= sure <= 100 for name, sure in says
    ):
        return "needs a class (a string) and a per cent for each image"
    return ""


def add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the script on pages that have a map.

    It is no module: browsers refuse modules when a page is opened from a file.
    """
    if doctree is not None and next(doctree.findall(latent_map), None) is not None:
        app.add_js_file("latent-map.js", loading_method="defer")


def visit_map(self: HTML5Translator, node: latent_map) -> None:
    if "epub" in self.builder.name:
        self.body.append(self.starttag(node, "div"))
        return
    told = {"data-title": node["title"], "data-map": node["map"]}
    self.body.append(self.starttag(node, "div", CLASS="latent-map", **told))
    self.body.append('<div class="latent-map-still">\n')


def depart_map(self: HTML5Translator, node: latent_map) -> None:
    self.body.append("</div>\n" if "epub" in self.builder.name else "</div></div>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, node, style sheet and script."""
    app.add_directive("latent-map", LatentMapDirective)
    app.add_node(latent_map, html=(visit_map, depart_map))
    app.connect("html-page-context", add_script)
    app.add_css_file("latent-map.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
