"""The playground: a directive that puts the app, or a small embed of it, into a page.

`{playground} Title` with `:name:`, `:small:` for an embed without most controls, and `:preset:`, the
hash of a link to the playground. The content is for readers without JavaScript.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)
PARTS = ("random", "data", "network", "oracle", "simd-wasm", "simd", "engine", "state", "app")


class playground(nodes.container):
    """The place of the app; what it contains is read where no script runs."""


class PlaygroundDirective(SphinxDirective):
    """`{playground} Title` with `:name:`, `:small:`, `:preset:` and a sentence as content."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = {
        "name": directives.unchanged_required,
        "small": directives.flag,
        "preset": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        self.node = playground(title=self.arguments[0], is_div=True)
        self.set_source_info(self.node)
        self.node["small"] = "small" in self.options
        self.node["preset"] = self.options.get("preset", "").lstrip("#")
        if "name" in self.options:
            self.add_name(self.node)
        else:
            self._complain("needs a “:name:”")
        try:
            parse_qsl(self.node["preset"], strict_parsing=bool(self.node["preset"]))
        except ValueError:
            self._complain("needs a “:preset:” like “dataset=xor&networkShape=4,2”")
        self.node += self.parse_content_to_nodes()
        if not self.node.children:
            self._complain("needs a sentence for readers without JavaScript")
        self.env.note_dependency(str(Path(__file__)))
        return [self.node]

    def _complain(self, message: str) -> None:
        LOGGER.warning(
            f"playground “{self.arguments[0]}” {message}", location=self.node, type="playground"
        )


def add_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the scripts, in their order, on pages that have a playground."""
    if doctree is not None and next(doctree.findall(playground), None) is not None:
        for part in PARTS:
            app.add_js_file(f"playground/{part}.js", loading_method="defer")


def visit_playground(self: HTML5Translator, node: playground) -> None:
    if "epub" in self.builder.name:
        self.body.append(self.starttag(node, "div"))
        return
    told = {"data-title": node["title"], "data-preset": node["preset"]}
    kind = "playground playground-small" if node["small"] else "playground"
    self.body.append(self.starttag(node, "div", CLASS=kind, **told))
    self.body.append('<div class="playground-still">\n')


def depart_playground(self: HTML5Translator, node: playground) -> None:
    self.body.append("</div>\n" if "epub" in self.builder.name else "</div></div>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, node and style sheet."""
    app.add_directive("playground", PlaygroundDirective)
    app.add_node(playground, html=(visit_playground, depart_playground))
    app.connect("html-page-context", add_scripts)
    app.add_css_file("playground/app.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
