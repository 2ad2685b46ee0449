"""The playground: a directive that puts the app, or a small embed of it, into a page.

`:small:` is for an embed without most controls, and `:preset:` is the hash of a link to the
playground. The role `{setup}` with such a hash is a link that sets the whole app up; the ebook has
neither.
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import parse_qsl

from docutils import nodes
from docutils.parsers.rst import directives
from embedded import EmbeddedDirective, box, register
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)
PARTS = ["random", "data", "network", "oracle", "simd-wasm", "simd", "engine"]
PARTS += ["state", "limits", "paint", "app"]


class playground(box):
    """The place of the app."""

    kind = "playground"


class PlaygroundDirective(EmbeddedDirective):
    """`{playground} Title` with `:name:`, `:small:`, `:preset:` and a sentence as content."""

    box = playground
    option_spec: ClassVar[Any] = {
        **EmbeddedDirective.option_spec,
        "small": directives.flag,
        "preset": directives.unchanged_required,
    }

    def told(self) -> dict[str, str]:
        if "small" in self.options:
            self.node["classes"].append("playground-small")
        preset = self.options.get("preset", "").lstrip("#")
        if not well_formed(preset):
            self.complain("needs a “:preset:” like “dataset=xor&networkShape=4,2”")
        return {"data-preset": preset}


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


def visit_setup(self: HTML5Translator, node: playground_setup) -> None:
    if "epub" not in self.builder.name:
        kind = "reference internal playground-setup"
        self.body.append(self.starttag(node, "a", "", CLASS=kind, href=f"#{node['hash']}"))
        self.body.append("Set it up</a>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, role, nodes, style sheet and scripts."""
    app.add_role("setup", SetupRole())
    app.add_node(playground_setup, html=(visit_setup, None))
    scripts = tuple(f"playground/{part}.js" for part in PARTS)
    return register(app, PlaygroundDirective, "playground/app.css", scripts)
