"""The kernel editor: a directive for the place, images as scripts, and `kernel-editor.js`.

`{kernel-editor} Title` with `:name:` and `:presets: glue NAME`, a JSON object of the run that gives
each preset its rows of weights. The content is for readers without JavaScript.

The images come as small scripts, fetched when they are wanted: a page that is opened from a file
may not read the pixels of an image file, and a strict policy refuses `data:` addresses, but both
may run a script that stands beside the page.
"""

from __future__ import annotations

import ast
import base64
import importlib
import io
import json
from pathlib import Path
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
FOLDER = "kernel-editor"
IMAGES = {"china": "Pavilion", "flower": "Dahlia", "micrograph": "Molecules"}
SIDES = (3, 5)


class kernel_editor(nodes.container):
    """The place of the editor; what it contains is read where no script runs."""


class KernelEditorDirective(SphinxDirective):
    """`{kernel-editor} Title` with `:name:`, `:presets:` and a sentence as content."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = {
        "name": directives.unchanged_required,
        "presets": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        self.node = kernel_editor(title=self.arguments[0], is_div=True)
        self.set_source_info(self.node)
        self.node["presets"] = json.dumps(self._presets(), separators=(",", ":"))
        if "name" in self.options:
            self.add_name(self.node)
        else:
            self._complain("needs a “:name:”")
        self.node += self.parse_content_to_nodes()
        if not self.node.children:
            self._complain("needs a sentence for readers without JavaScript")
        write_images(Path(self.env.doctreedir, FOLDER))
        self.env.note_dependency(str(Path(__file__)))
        return [self.node]

    def _complain(self, message: str) -> None:
        LOGGER.warning(
            f"kernel editor “{self.arguments[0]}” {message}",
            location=self.node,
            type="kernel_editor",
        )

    def _presets(self) -> dict[str, list[list[float]]]:
        """Read the presets: JSON, or the glued value of the chapter's run."""
        text = self.options.get("presets", "")
        words = text.split()
        if len(words) == 2 and words[0] == "glue":
            try:
                text = retrieve_glue_data(self.state.document, words[1]).data["text/plain"]
            except (RetrievalError, KeyError):
                self._complain(f"asks for “{words[1]}”, which the chapter does not glue")
                return {}
            text = ast.literal_eval(text)
        try:
            presets: dict[str, list[list[float]]] = json.loads(text)
            kernels = list(presets.values())
            fit = all(len(rows) in SIDES for rows in kernels) and all(
                len(row) == len(rows) for rows in kernels for row in rows
            )
        except (ValueError, TypeError, AttributeError):
            presets, fit = {}, False
        if not presets or not fit:
            self._complain("needs “:presets:”, kernels of 3 x 3 or 5 x 5 by name")
            return {}
        return presets


def write_images(folder: Path) -> None:
    """Write each image as a script that hands its file to the editor."""
    for name in IMAGES:
        mime, data = picture(name)
        text = base64.b64encode(data).decode()
        script = f'(window.kernelImages ??= {{}})["{name}"] = ["{mime}", "{text}"];\n'
        path = folder / FOLDER / f"{name}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")


def picture(name: str) -> tuple[str, bytes]:
    """Return the type and the bytes of an image file: grey, at most 512 x 512."""
    data: Any = importlib.import_module("dlcourse.data")  # torch is imported only for this
    image: Any = importlib.import_module("PIL.Image")
    if name == "micrograph":
        pixels = data.micrograph(seed=0).image * 0.12 + 0.5
    else:
        pixels = data.photograph(name)[:, 64:576]
    grey = image.fromarray((255 * pixels).round().clamp(0, 255).byte().numpy())
    file = io.BytesIO()
    if name == "micrograph":  # noise is the point of it, and JPEG would smooth it
        grey.save(file, "PNG", optimize=True)
        return "image/png", file.getvalue()
    grey.save(file, "JPEG", quality=85, optimize=True)
    return "image/jpeg", file.getvalue()


def provide_folder(app: Sphinx) -> None:
    """Ship what the directive writes."""
    folder = Path(app.doctreedir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    app.config.html_static_path.append(str(folder))


def add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the script on pages that have an editor.

    It is no module: browsers refuse modules when a page is opened from a file.
    """
    if doctree is not None and next(doctree.findall(kernel_editor), None) is not None:
        app.add_js_file("kernel-editor.js", loading_method="defer")


def visit_editor(self: HTML5Translator, node: kernel_editor) -> None:
    if "epub" in self.builder.name:
        self.body.append(self.starttag(node, "div"))
        return
    told = {"data-title": node["title"], "data-presets": node["presets"]}
    self.body.append(self.starttag(node, "div", CLASS="kernel-editor", **told))
    up = "../" * self.builder.current_docname.count("/")
    files = "".join(
        f'<li data-src="{up}_static/{FOLDER}/{name}.js" data-name="{name}">{title}</li>'
        for name, title in IMAGES.items()
    )
    self.body.append(f'<ul class="kernel-images" hidden>{files}</ul><div class="kernel-still">\n')


def depart_editor(self: HTML5Translator, node: kernel_editor) -> None:
    self.body.append("</div>\n" if "epub" in self.builder.name else "</div></div>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, node, style sheet and script."""
    app.add_directive("kernel-editor", KernelEditorDirective)
    app.add_node(kernel_editor, html=(visit_editor, depart_editor))
    app.connect("builder-inited", provide_folder)
    app.connect("html-page-context", add_script)
    app.add_css_file("kernel-editor.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
