"""What the things to play with in a page share: directive, box and scripts.

Each is a directive with a title, a `:name:`, and data of the chapter's run as `:option: glue NAME`,
JSON in a glued text. Its content, in a box of the class `NAME-still`, is for readers without
JavaScript, and for the ebook.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
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
HELPERS = "elements.js"


class box(nodes.container):
    """The place in the page; what it contains is read where no script runs."""

    kind: ClassVar[str]  # the directive's name, and the class of the box

    def before(self, up: str) -> str:
        """Return markup before the still content; `up` leads to the root of the site."""
        return ""

    def after(self) -> str:
        """Return markup at the end of the still content, in the ebook as well."""
        return ""


class EmbeddedDirective(SphinxDirective):
    """A directive with a title, `:name:`, data, and a sentence as content."""

    box: ClassVar[type[box]]
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = {"name": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        self.node = self.box(title=self.arguments[0], is_div=True)
        self.set_source_info(self.node)
        self.node["told"] = {"data-title": self.arguments[0], **self.told()}
        if "name" in self.options:
            self.add_name(self.node)
        else:
            self.complain("needs a “:name:”")
        self.node += self.parse_content_to_nodes()
        if not self.node.children:
            self.complain("needs a sentence for readers without JavaScript")
        return [self.node]

    def told(self) -> dict[str, str]:
        """Return what the script is told, as attributes of the box."""
        return {}

    def complain(self, message: str) -> None:
        """Warn, with the place, of what is wrong with the directive."""
        told = f"{self.box.kind} “{self.arguments[0]}” {message}"
        LOGGER.warning(told, location=self.node, type=self.box.kind)

    def glued(self, option: str, shape: str, wrong: Callable[[Any], str], nothing: Any) -> Any:
        """Return the data that the chapter glued; `nothing`, and a warning, where they do not fit.

        `wrong` says what is wrong with them, or nothing; what it trips over is not of this `shape`.
        """
        asked = self.options.get(option, "").split()
        if len(asked) != 2 or asked[0] != "glue":
            self.complain(f"needs “:{option}: glue NAME”")
            return nothing
        try:
            text = retrieve_glue_data(self.state.document, asked[1]).data["text/plain"]
        except (RetrievalError, KeyError):
            self.complain(f"asks for “{asked[1]}”, which the chapter does not glue")
            return nothing
        try:
            data = json.loads(ast.literal_eval(text))
            fault = wrong(data)
        except (ValueError, TypeError, SyntaxError, KeyError, AttributeError):
            data, fault = nothing, shape
        if fault:
            self.complain(fault)
            return nothing
        return data


def compact(data: object) -> str:
    """Write data as JSON without needless spaces."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def visit_box(self: HTML5Translator, node: box) -> None:
    if "epub" in self.builder.name:
        self.body.append(self.starttag(node, "div"))
        return
    self.body.append(self.starttag(node, "div", CLASS=node.kind, **node["told"]))
    up = "../" * self.builder.current_docname.count("/")
    self.body.append(f'<div class="{node.kind}-still">\n{node.before(up)}')


def depart_box(self: HTML5Translator, node: box) -> None:
    self.body.append(node.after())
    self.body.append("</div>\n" if "epub" in self.builder.name else "</div></div>\n")


def register(
    app: Sphinx, directive: type[EmbeddedDirective], style: str, scripts: tuple[str, ...]
) -> ExtensionMetadata:
    """Register directive, node and style sheet, and the scripts on the pages that need them.

    They are no modules: browsers refuse modules when a page is opened from a file.
    """
    kind = directive.box

    def add_scripts(
        app: Sphinx,
        page: str,
        template: str,
        context: dict[str, Any],
        doctree: nodes.document | None,
    ) -> None:
        if doctree is not None and next(doctree.findall(kind), None) is not None:
            for script in (HELPERS, *scripts):
                app.add_js_file(script, loading_method="defer")

    app.add_directive(kind.kind, directive)
    app.add_node(kind, html=(visit_box, depart_box))
    app.connect("html-page-context", add_scripts)
    app.add_css_file(style)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
