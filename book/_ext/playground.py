"""The playground: a directive that puts the app, or a small embed of it, into a page.

`{playground} Title` with `:name:`, `:small:` for an embed without most controls, and `:preset:`, the
hash of a link to the playground. The content is for readers without JavaScript. On the page of the
whole app, the role `{setup}` with such a hash is a link that sets it up; elsewhere it is nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)
PARTS = ("random", "data", "network", "oracle", "simd-wasm", "simd", "engine", "state", "app")


class playground(nodes.container):
    """The place of the app; what it contains is read where no script runs."""


class playground_setup(nodes.inline):
    """A link that sets the playground up; it has no text where there is no playground."""


class SetupRole(SphinxRole):
    """`{setup}` with the hash of a link."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        self.node = playground_setup(hash=self.text.lstrip("#"))
        self.set_source_info(self.node)
        if not well_formed(self.node["hash"]):
            LOGGER.warning(
                f"{{setup}} needs a hash like “dataset=xor”, not “{self.text}”",
                location=self.node,
                type="playground",
            )
        return [self.node], []


def well_formed(text: str) -> bool:
    """Whether a text is keys and values, as in `dataset=xor&networkShape=4,2`."""
    try:
        parse_qsl(text, strict_parsing=bool(text), keep_blank_values=True)
    except ValueError:
        return False
    return True


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
        if not well_formed(self.node["preset"]):
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


def visit_setup(self: HTML5Translator, node: playground_setup) -> None:
    if "epub" not in self.builder.name:
        kind = "reference internal playground-setup"
        self.body.append(self.starttag(node, "a", "", CLASS=kind, href=f"#{node['hash']}"))
        self.body.append("Set it up</a>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, role, nodes and style sheet."""
    app.add_role("setup", SetupRole())
    app.add_node(playground_setup, html=(visit_setup, None))
    app.add_directive("playground", PlaygroundDirective)
    app.add_node(playground, html=(visit_playground, depart_playground))
    app.connect("html-page-context", add_scripts)
    app.add_css_file("playground/app.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
