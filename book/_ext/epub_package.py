"""The parts of an ePub that are no pages: what it is, what is in it, and the archive of it all."""

from __future__ import annotations

import os
import posixpath
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from sphinx.builders.epub3 import NavPoint
from sphinx.config import Config

MEDIA_TYPES = {
    ".css": "text/css",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".xhtml": "application/xhtml+xml",
}
LONG_AGO = 315532800  # 1 January 1980, the earliest date that a zip archive knows

CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="content.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="{uid}" \
xml:lang="{language}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="{uid}">{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:language>{language}</dc:language>
<dc:creator>{author}</dc:creator>
<dc:description>{description}</dc:description>
<dc:rights>{rights}</dc:rights>
<meta property="dcterms:modified">{modified}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">structuralNavigation</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Every figure has a text that says what it shows, \
and every formula is MathML.</meta>
</metadata>
<manifest>
{manifest}
</manifest>
<spine>
{spine}
</spine>
</package>
"""
CONTENTS = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" \
lang="{language}" xml:lang="{language}">
<head><title>Contents</title><link rel="stylesheet" type="text/css" href="{style}"/></head>
<body>
<nav epub:type="toc" role="doc-toc" aria-label="Contents">
<h1>Contents</h1>
{entries}
</nav>
</body>
</html>
"""


class Item(NamedTuple):
    """A file of the package, and what the manifest must say of it."""

    name: str
    data: bytes
    properties: str = ""


def navigation(points: Iterable[NavPoint], language: str, style: str) -> Item:
    """Write the page of contents, by which readers find their way."""
    text = CONTENTS.format(entries=contents(points), language=escape(language), style=style)
    return Item("nav.xhtml", text.encode(), "nav")


def contents(points: Iterable[NavPoint]) -> str:
    """Write the contents as nested lists; texts and addresses come escaped."""
    entries = (
        f'<li><a href="{point.refuri}">{point.text}</a>'
        f"{contents(point.children) if point.children else ''}</li>"
        for point in points
    )
    return "<ol>\n" + "\n".join(entries) + "\n</ol>"


def package(config: Config, items: list[Item], chapters: list[Item]) -> str:
    """Write what the book is, its files, and the order in which it is read."""
    ids = {item.name: f"item-{number}" for number, item in enumerate(items, start=1)}
    manifest = [
        f"<item id={quoteattr(ids[item.name])} href={quoteattr(item.name)} "
        f"media-type={quoteattr(MEDIA_TYPES[posixpath.splitext(item.name)[1]])}"
        + (f" properties={quoteattr(item.properties)}" if item.properties else "")
        + "/>"
        for item in items
    ]
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", LONG_AGO))
    return PACKAGE.format(
        uid=escape(config.epub_uid),
        identifier=escape(config.epub_identifier),
        title=escape(config.epub_title),
        language=escape(config.epub_language),
        author=escape(config.epub_author),
        description=escape(config.epub_description),
        rights=escape(config.epub_copyright),
        modified=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)),
        manifest="\n".join(manifest),
        spine="\n".join(f'<itemref idref="{ids[item.name]}"/>' for item in chapters),
    )


def write_archive(path: Path, description: str, items: Iterable[Item]) -> None:
    """Write the files into one archive; its first tells what it is, and stands uncompressed."""
    files = [
        Item("META-INF/container.xml", CONTAINER.encode()),
        Item("content.opf", description.encode()),
        *sorted(items),
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(_entry("mimetype"), "application/epub+zip", zipfile.ZIP_STORED)
        for item in files:
            archive.writestr(_entry(item.name), item.data, zipfile.ZIP_DEFLATED)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # dated 1980, whenever it is made
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return entry
