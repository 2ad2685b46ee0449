"""Scrubbers on pages: the element from the run, its script and style once for the whole site.

`dlcourse.plot.scrubber` displays itself under a mime type of its own, which MyST-NB does not know.
Here that type becomes raw HTML. Formats without scripts take the last frame, an ordinary image, and
the sentence that says so.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.typing import ExtensionMetadata

MIME = "application/vnd.dlcourse.scrubber+html"
FILES = ("scrubber.js", "scrubber.css")

render_known = NbElementRenderer.render_mime_type


def render_mime_type(self: NbElementRenderer, data: MimeData) -> list[nodes.Element]:
    """Render the output of a cell, also if it is a scrubber."""
    if data.mime_type == MIME:
        return [nodes.raw("", data.string, format="html")]
    rendered: list[nodes.Element] = render_known(self, data)
    still = data.output_metadata.get(MIME, {}).get("still", "")
    if still and data.mime_type == "image/svg+xml":
        rendered.append(nodes.paragraph("", still, classes=["dl-scrubber-still"]))
    return rendered


def prefer_scrubbers(app: Sphinx, config: Config) -> None:
    """Let HTML take the element before the picture of its last frame."""
    config.nb_mime_priority_overrides = [*config.nb_mime_priority_overrides, ("html", MIME, 1)]


def provide_files(app: Sphinx) -> None:
    """Take script and style from the package, where they serve notebooks too."""
    package = importlib.util.find_spec("dlcourse")
    if package is None or not package.submodule_search_locations:
        raise ImportError("the scrubber's files come from the package dlcourse: install it")
    source = Path(package.submodule_search_locations[0], "plot")
    folder = Path(app.doctreedir, "scrubber")
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(source / name, folder / name)
    app.config.html_static_path.append(str(folder))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Teach MyST-NB the mime type, and ship the two files."""
    NbElementRenderer.render_mime_type = render_mime_type
    app.connect("config-inited", prefer_scrubbers)
    app.connect("builder-inited", provide_files)
    app.add_css_file("scrubber.css")
    app.add_js_file("scrubber.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
