"""Figures of the book: one inline SVG for light and dark, and no figure without words.

Every image must say in its alternative text what it shows, and every figure needs a caption and a
name to refer to; what is missing becomes a warning, which stops the build. HTML pages get SVG
figures inline, with the palette's colours as CSS variables; other formats keep the image.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata
from svg_inline import alt_of, inline_svg

LOGGER = logging.getLogger(__name__)
FILE_NAME = re.compile(r"\S+\.(png|svg|jpe?g|gif|webp|pdf)|[0-9a-f]{16,}", re.IGNORECASE)


@cache
def palette() -> dict[str, tuple[str, str]]:
    """Return the palette of `dlcourse.plot`, without importing Matplotlib for it."""
    package = importlib.util.find_spec("dlcourse")
    if package is None or not package.submodule_search_locations:
        raise ImportError("the figures' colours come from the package dlcourse: install it")
    file = Path(package.submodule_search_locations[0], "plot", "palette.py")
    spec = importlib.util.spec_from_file_location("dlcourse_palette", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(dict[str, tuple[str, str]], module.PALETTE)


def palette_css() -> str:
    """Write the palette as CSS variables: light as the default, dark under the theme's switch."""

    def variables(index: int) -> str:
        return "".join(f"--fig-{name}:{value[index]};" for name, value in palette().items())

    return f'html{{{variables(0)}}}\n@media screen{{html[data-theme="dark"]{{{variables(1)}}}}}\n'


@cache
def names_of_colours() -> dict[str, str]:
    """Return the palette's name of each light colour."""
    return {light.lower(): name for name, (light, _) in palette().items()}


def _file(app: Sphinx, image: nodes.image) -> Path:
    candidates: dict[str, str] = image.get("candidates", {})
    return Path(app.srcdir, candidates.get("*", image["uri"]))


def _is_svg(image: nodes.image) -> bool:
    return str(image["uri"]).endswith((".svg", ".svg.*"))


def check_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Take each image's alternative text from its SVG, and warn of what a reader would miss."""
    for image in doctree.findall(nodes.image):
        if not image.get("alt") and _is_svg(image) and _file(app, image).is_file():
            image["alt"] = alt_of(_file(app, image).read_text(encoding="utf-8"))
        figure = _figure(image)
        caption = figure.next_node(nodes.caption) if figure is not None else None
        for fault in _faults(image, figure, caption, bare=app.env.docname in _bare(app)):
            LOGGER.warning(
                f"{_title(image, figure, caption)} in {app.env.docname} {fault}",
                location=figure if figure is not None and figure.line else image,
                type="figures",
            )


def _bare(app: Sphinx) -> list[str]:
    return cast(list[str], app.config.figures_without_caption)


def _figure(image: nodes.image) -> nodes.figure | None:
    """Return the figure in which an image stands."""
    parent: nodes.Node | None = image.parent
    while parent is not None and not isinstance(parent, nodes.figure):
        parent = parent.parent
    return parent


def _title(image: nodes.image, figure: nodes.figure | None, caption: nodes.caption | None) -> str:
    if figure is not None and figure["names"]:
        return f"figure “{figure['names'][0]}”"
    if caption is not None:
        return f"figure “{caption.astext()[:60]}”"
    return f"image “{image.get('alt') or Path(image['uri']).name}”"


def _faults(
    image: nodes.image, figure: nodes.figure | None, caption: nodes.caption | None, *, bare: bool
) -> list[str]:
    """Say in words what an image lacks."""
    faults = []
    alt = " ".join(str(image.get("alt", "")).split())
    if not alt:
        faults.append(
            "has no alt text: end the cell in plot.show(fig, alt=“what the figure shows”)"
        )
    elif FILE_NAME.fullmatch(alt):
        faults.append(f"has a file name as its alt text: {alt!r}")
    elif caption is not None and _words(alt) == _words(caption.astext()):
        faults.append("repeats its caption as alt text: say what the figure shows instead")
    if bare:
        return faults
    if caption is None:
        faults.append("has no caption: set mystnb: figure: caption in the cell's options")
    if figure is not None and not figure["names"]:
        faults.append("has no name to refer to: set mystnb: figure: name in the cell's options")
    return faults


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


class InlineFigures(SphinxPostTransform):
    """Put SVG figures into HTML pages as markup."""

    # after MyST-NB has chosen among the formats of an output
    default_priority = 150
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        if "epub" in self.app.builder.name:
            return
        images = [
            image
            for image in self.document.findall(nodes.image)
            if _is_svg(image) and _file(self.app, image).is_file()
        ]
        for number, image in enumerate(images, start=1):
            path = _file(self.app, image)
            figure = _figure(image)
            name = figure["ids"][0] if figure is not None and figure["ids"] else f"svg-{number}"
            svg = inline_svg(
                path.read_text(encoding="utf-8"),
                alt=image.get("alt", ""),
                prefix=f"{name}-{number}",
                palette=names_of_colours(),
            )
            image.replace_self(nodes.raw("", svg, format="html"))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the checks and the inlining."""
    app.add_config_value("figures_without_caption", ["index"], "env", types=list)
    app.connect("doctree-read", check_figures, priority=900)
    app.add_post_transform(InlineFigures)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
