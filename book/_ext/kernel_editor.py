"""The kernel editor: images as scripts, and `kernel-editor.js`.

`:presets:` is an object that gives each preset its rows of weights.

The images come as small scripts, fetched when they are wanted: a page that is opened from a file
may not read the pixels of an image file, and a strict policy refuses `data:` addresses, but both
may run a script that stands beside the page.
"""

from __future__ import annotations

import base64
import importlib
import io
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from embedded import EmbeddedDirective, box, compact, register
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

FOLDER = "kernel-editor"
IMAGES = {"china": "Pavilion", "flower": "Dahlia", "micrograph": "Molecules"}
SIDES = (3, 5)
SHAPE = "needs kernels of 3 x 3 or 5 x 5 by name"


class kernel_editor(box):
    """The place of the editor, which begins with the addresses of the images."""

    kind = "kernel-editor"

    def before(self, up: str) -> str:
        files = "".join(
            f'<li data-src="{up}_static/{FOLDER}/{name}.js" data-name="{name}">{title}</li>'
            for name, title in IMAGES.items()
        )
        return f'<ul class="kernel-images" hidden>{files}</ul>'


class KernelEditorDirective(EmbeddedDirective):
    """`{kernel-editor} Title` with `:name:`, `:presets:` and a sentence as content."""

    box = kernel_editor
    option_spec: ClassVar[Any] = {
        **EmbeddedDirective.option_spec,
        "presets": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        write_images(Path(self.env.doctreedir, FOLDER))
        self.env.note_dependency(str(Path(__file__)))
        return super().run()

    def told(self) -> dict[str, str]:
        return {"data-presets": compact(self.glued("presets", SHAPE, wrong, {}))}


def wrong(presets: dict[str, list[list[float]]]) -> str:
    """Say what is wrong with the data, or nothing."""
    kernels = list(presets.values())
    fit = all(len(rows) in SIDES for rows in kernels) and all(
        len(row) == len(rows) for rows in kernels for row in rows
    )
    return "" if kernels and fit else SHAPE


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


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, node, style sheet and script."""
    app.connect("builder-inited", provide_folder)
    return register(app, KernelEditorDirective, "kernel-editor.css", ("kernel-editor.js",))
