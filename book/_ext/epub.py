"""The book for e-readers: one ePub 3 file, from the same documents and the same run as the site.

Sphinx writes the chapters; here each becomes well-formed XHTML in a plain page, and the package
around them is made: only files that a page uses, each with the properties that the format asks
for, in a fixed order and with fixed dates. The same sources always give the same bytes.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from epub_package import Item, navigation, package, write_archive
from lxml import etree
from polish import mend
from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder
from sphinx.config import Config
from sphinx.highlighting import PygmentsBridge
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

LOGGER = logging.getLogger(__name__)
MATHML, SVG = "http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2000/svg"
STYLE = "style.css"
STYLE_SHEET = Path(__file__).parents[1] / "_static" / "epub.css"
CODE_COLOURS = "github-light"  # as on the site

SUMMARY = re.compile(
    r"<summary[^>]*>\s*<p class=\"collapsed[^>]*>(.*?)</p>.*?</summary>", re.DOTALL
)
MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
STYLES = ("displaystyle", "scriptlevel")
KEEPS = {"mstyle": STYLES, "mtable": ("displaystyle",)}
STYLED = re.compile(r" (?:displaystyle|scriptlevel)=")


class BookEpub(Epub3Builder):
    """Writes plain pages, and the package around them without anything that no page uses."""

    def get_outdated_docs(self) -> Iterator[str]:
        """Write every page anew, so that none is left over from another state of the book."""
        yield from self.env.found_docs

    def copy_assets(self) -> None:
        """Copy nothing: pages have one style sheet of their own, and no script."""
        Path(self.outdir, "_static").mkdir(parents=True, exist_ok=True)  # MyST-NB writes there

    def handle_page(
        self, pagename: str, addctx: dict[str, Any], *args: Any, **options: Any
    ) -> None:
        """Write a page from a template that has none of the site's furniture."""
        addctx["body"] = as_xhtml(str(addctx["body"]))
        addctx["book_style"] = posixpath.relpath(STYLE, posixpath.dirname(pagename) or ".")
        options.pop("templatename", None)
        super().handle_page(pagename, addctx, "epub.html", *args[1:], **options)

    def handle_finish(self) -> None:
        """Put the book together."""
        self.ignored_files: list[str] = []
        self.get_toc()
        self._number_chapters()
        pages = [self._page(name) for name in self._order()]
        used = {name for _, images in pages for name in images}
        images = [Item(name, Path(self.outdir, name).read_bytes()) for name in sorted(used)]
        chapters = [page for page, _ in pages]
        items = [
            navigation(self.build_navlist(self.refnodes), self.config.epub_language, STYLE),
            Item(STYLE, style_sheet()),
            *chapters,
            *images,
        ]
        path = Path(self.outdir, f"{self.config.epub_basename}.epub")
        write_archive(path, package(self.config, items, chapters), items)
        LOGGER.info("\nThe ePub: %s (%.1f MB)", path, path.stat().st_size / 1e6)

    def _number_chapters(self) -> None:
        """Put the numbers of the chapters before their titles in the contents."""
        numbers = self.env.toc_secnumbers
        of_page = {self.get_target_uri(name): numbers[name].get("") for name in numbers}
        for node in self.refnodes:
            number = of_page.get(unescape(node["refuri"]))
            if number:
                node["text"] = f"{'.'.join(map(str, number))} {node['text']}"

    def _order(self) -> list[str]:
        """Return the pages in the order of the contents, then those that no contents list."""
        listed = (unescape(str(node["refuri"])).partition("#")[0] for node in self.refnodes)
        found = sorted(self.get_target_uri(name) for name in self.env.found_docs)
        return list(dict.fromkeys([*listed, *found]))

    def _page(self, name: str) -> tuple[Item, set[str]]:
        """Read a written page, and note which images it shows."""
        data = Path(self.outdir, name).read_bytes()
        try:
            root = etree.fromstring(data)
        except etree.XMLSyntaxError as error:
            LOGGER.warning(f"{name} is not well-formed: {error}", type="epub")
            return Item(name, data), set()
        spaces = {etree.QName(element).namespace for element in root.iter(etree.Element)}
        properties = [word for word, space in (("mathml", MATHML), ("svg", SVG)) if space in spaces]
        folder = posixpath.dirname(name)
        images = {
            posixpath.normpath(posixpath.join(folder, unquote(image.get("src", ""))))
            for image in root.iter("{*}img")
            if not urlsplit(image.get("src", "")).scheme
        }
        return Item(name, data, " ".join(properties)), images


def as_xhtml(body: str) -> str:
    """Mend what browsers allow and an ePub does not."""
    return MATH.sub(_as_mathml, SUMMARY.sub(r"<summary>\1</summary>", mend(body)))


def _as_mathml(match: re.Match[str]) -> str:
    """Put a formula into its namespace, its styles where MathML 3 has them: in `mstyle`."""
    math = match[0].replace("<math", f'<math xmlns="{MATHML}"', 1)
    if not STYLED.search(math):
        return math
    root = etree.fromstring(math)
    for element in list(root.iterdescendants()):
        kept = KEEPS.get(etree.QName(element).localname, ())
        style = {k: element.attrib.pop(k) for k in STYLES if k in element.attrib and k not in kept}
        if style:
            around = etree.Element(f"{{{MATHML}}}mstyle", style)
            around.tail, element.tail = element.tail, None
            element.getparent().replace(element, around)
            around.append(element)
    return str(etree.tostring(root, encoding="unicode"))


def style_sheet() -> bytes:
    """Join the book's small style sheet and the colours of code."""
    colours = PygmentsBridge("html", CODE_COLOURS).get_stylesheet()
    return f"{STYLE_SHEET.read_text(encoding='utf-8')}\n{colours}\n".encode()


def prefer_pictures(app: Sphinx, config: Config) -> None:
    """Let the ePub take the picture of an output before its HTML: scrubbers need a script."""
    config.nb_mime_priority_overrides = [
        *config.nb_mime_priority_overrides,
        ("epub", "image/svg+xml", 1),
    ]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Put this builder in the place of Sphinx's own."""
    app.add_builder(BookEpub, override=True)
    app.connect("config-inited", prefer_pictures)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
