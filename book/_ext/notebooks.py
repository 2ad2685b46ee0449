"""A notebook of each chapter for learners, another with the solutions, and an archive of all.

They are written together with the pages, from the same resolved documents, so numbers, references
and computed values agree with the page. Nothing in them needs this book's build: plain Markdown,
plain code, no outputs. The same chapter always gives the same bytes.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import posixpath
import textwrap
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import nbformat
from docutils import nodes
from myst_nb.core.read import create_nb_reader
from notebook_markdown import Piece, Writer
from notebook_names import needed
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxRole
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

FOLDER = "notebooks"
ARCHIVE = "all-notebooks.zip"
REPOSITORY = "https://github.com/{}"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
INSTALL = """\
# The code of the book, unless it is there already.
import importlib.util

if importlib.util.find_spec("dlcourse") is None:
    {}"""
FROM_REPOSITORY = '%pip install -q "dlcourse @ git+{}"'
FROM_WHEEL = """\
from pathlib import Path

    wheels = [w for up in (".", "..", "../..") for w in Path(up).glob("dlcourse-*.whl")]
    if not wheels:
        raise ModuleNotFoundError(
            "This notebook needs the book's package dlcourse: put its file dlcourse-….whl "
            "beside the notebook, or run `pip install .` in the book's folder."
        )
    %pip install -q {wheels[0]}"""
CHECK = """\
# Run this cell to check your answer.
try:
{code}
except AssertionError as _what:
    print(f"✗ Exercise {number}, not yet: {{_what}}")
else:
    print("✓ Exercise {number}: right")"""


def is_chapter(env: BuildEnvironment, docname: str) -> bool:
    """Say whether a document is a chapter: numbered, and with code that runs."""
    number = env.toc_secnumbers.get(docname, {}).get("")
    return bool(number) and "kernelspec" in env.metadata.get(docname, {})


def chapters(env: BuildEnvironment) -> list[str]:
    """Return the chapters in the order of the book."""
    found = [docname for docname in env.found_docs if is_chapter(env, docname)]
    return sorted(found, key=lambda docname: (env.toc_secnumbers[docname][""], docname))


def files_of(docname: str) -> dict[bool, str]:
    """Return the two files of a chapter, below the site; the learner's is under True."""
    stem = f"{FOLDER}/{docname}"
    return {True: f"{stem}.ipynb", False: f"{stem}-solutions.ipynb"}


def write(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the two notebooks of a chapter beside its page."""
    if app.builder.name != "html" or not is_chapter(app.env, docname):
        return
    for learner, name in files_of(docname).items():
        path = Path(app.outdir, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(serialize(export(app, doctree, docname, learner)), encoding="utf-8")


def serialize(notebook: dict[str, Any]) -> str:
    """Write a valid notebook as text, always in the same way."""
    nbformat.validate(notebook)
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def export(
    app: Sphinx, doctree: nodes.document, docname: str, learner: bool = True
) -> dict[str, Any]:
    """Make the notebook of a chapter, for learners or with the solutions."""
    cells = read_cells(app.env, docname)
    writer = Writer(numbers(app.env, docname), links(app, docname, learner), learner)
    pieces = list(writer.pieces(doctree))
    if writer.sources:
        pieces += [Piece("## Sources"), Piece("\n".join(f"- {s}" for s in writer.sources))]
    pieces.append(Piece(closing(app, docname)))
    pieces = with_hidden(pieces, cells, docname)
    made = [code_cell(INSTALL.format(installation(app)), [])]
    words: list[str] = []
    for piece in [*pieces, None]:
        starts_cell = piece is None or piece.cell is not None or piece.source.startswith("#")
        if starts_cell and words:
            made.append({"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(words)})
            words = []
        if piece is None:
            break
        if piece.cell is None:
            words.append(piece.source)
            continue
        tags = cells[piece.cell].metadata.get("tags", [])
        if "skip-execution" in tags and not piece.exercise:
            words.append(f"```python\n{piece.source}\n```")
        else:
            is_check = "check" in tags and piece.exercise
            code = check(piece.source, piece.exercise) if is_check else piece.source
            made.append(code_cell(code, tags))
    return {
        "cells": with_ids(made, docname),
        "metadata": {"kernelspec": KERNEL, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def code_cell(source: str, tags: Iterable[str]) -> dict[str, Any]:
    """Make a code cell; of the tags, that of an intended exception stays."""
    kept = [tag for tag in tags if tag == "raises-exception"]
    metadata = {"tags": kept} if kept else {}
    empty: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": metadata, "source": source, **empty}


def with_ids(cells: list[dict[str, Any]], docname: str) -> list[dict[str, Any]]:
    """Give each cell an id that other cells do not change, unless they say the same."""
    seen: Counter[str] = Counter()
    for cell in cells:
        words = f"{docname}\n{cell['cell_type']}\n{cell['source']}"
        seen[words] += 1
        cell["id"] = hashlib.sha256(f"{words}\n{seen[words]}".encode()).hexdigest()[:16]
    return cells


def read_cells(env: BuildEnvironment, docname: str) -> list[Any]:
    """Read the cells of a chapter as MyST-NB does, the hidden ones too."""
    path = str(env.doc2path(docname))
    text = Path(path).read_text(encoding=env.config.source_encoding)
    reader = create_nb_reader(path, env.myst_config, env.mystnb_config, text)  # type: ignore[attr-defined]
    return [] if reader is None else list(reader.read(text).cells)


def with_hidden(pieces: list[Piece], cells: list[Any], docname: str) -> list[Piece]:
    """Fill in the code, and put what is needed of hidden cells where these stand."""
    shown = {piece.cell for piece in pieces}
    hidden = {
        index
        for index, cell in enumerate(cells)
        if cell.cell_type == "code" and "remove-cell" in cell.metadata.get("tags", [])
    }
    part_of_exercise = {"starter", "solution", "check", "remove-cell"}
    for index, cell in enumerate(cells):
        tags = part_of_exercise.intersection(cell.metadata.get("tags", []))
        if cell.cell_type == "code" and index not in shown and not tags:
            raise ExtensionError(f"{docname}: the notebook lacks the cell\n{cell.source}")
    order: list[Piece] = []
    waiting = sorted(hidden)
    for piece in pieces:
        while piece.cell is not None and waiting and waiting[0] < piece.cell:
            order.append(Piece(cell=waiting.pop(0)))
        order.append(piece)
    run = [p.cell for p in order if p.cell is not None]
    keep = needed(((i, cells[i].source, i in hidden) for i in run), docname)
    sources = {i: keep.get(i, "") if i in hidden else cells[i].source for i in run}
    return [
        p if p.cell is None else Piece(sources[p.cell], p.cell, p.exercise)
        for p in order
        if p.cell is None or sources[p.cell]
    ]


def check(code: str, number: int) -> str:
    """Wrap a check so that it answers in one line instead of a traceback."""
    return CHECK.format(code=indented(code), number=number)


def indented(code: str) -> str:
    """Indent code without changing the text of strings that span lines."""
    plain = textwrap.indent(code, "    ")
    tree = ast.parse(code)
    block = cast(ast.If, ast.parse(f"if True:\n{plain}").body[0])
    if ast.dump(ast.Module(block.body, [])) == ast.dump(tree):
        return plain
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and node.end_lineno:
            inside |= set(range(node.lineno + 1, node.end_lineno + 1))
    lines = enumerate(code.split("\n"), start=1)
    return "\n".join(line if n in inside or not line else "    " + line for n, line in lines)


def numbers(env: BuildEnvironment, docname: str) -> Callable[[nodes.Element], str]:
    """Return what gives figures, tables, listings and equations their numbers."""
    known = env.toc_fignumbers.get(docname, {})

    def number(node: nodes.Element) -> str:
        for kind in known.values():
            for name in node["ids"]:
                if name in kind:
                    return ".".join(map(str, kind[name]))
        return ""

    return number


def links(app: Sphinx, docname: str, learner: bool) -> Callable[[nodes.reference], str]:
    """Return what leads from one notebook to another, to the public site, or nowhere."""
    builder, base = app.builder, str(app.config.html_baseurl)
    here = builder.get_target_uri(docname)
    pages = {builder.get_target_uri(name): name for name in chapters(app.env)}

    def link(node: nodes.reference) -> str:
        address = str(node.get("refuri", ""))
        if not address or not node.get("internal"):
            return address
        page, _, anchor = address.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), page))
        if not page or target == here:
            return ""
        if target in pages:
            there = files_of(pages[target])[learner]
            return posixpath.relpath(there, posixpath.dirname(files_of(docname)[learner]))
        return f"{base}{target}{'#' * bool(anchor)}{anchor}" if base else ""

    return link


def installation(app: Sphinx) -> str:
    """Return the lines that install the package."""
    repository = str(app.config.notebooks_repository)
    return FROM_REPOSITORY.format(REPOSITORY.format(repository)) if repository else FROM_WHEEL


def closing(app: Sphinx, docname: str) -> str:
    """Say where the notebook comes from."""
    base, title = str(app.config.html_baseurl), str(app.config.project)
    if base:
        title = f"[{title}]({base}{app.builder.get_target_uri(docname)})"
    return f"---\n\nA chapter of *{title}*: {app.config.copyright}."


class archive_link(nodes.TextElement):
    """Words that lead to the archive, where there is one."""


class AllNotebooksRole(SphinxRole):
    """`{all-notebooks}`, with the words of a link to the archive."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [archive_link(self.text, self.text, docname=self.env.docname)], []


def visit_archive_link(self: HTML5Translator, node: archive_link) -> None:
    if self.builder.name == "html":
        page = self.builder.get_target_uri(node["docname"])
        address = posixpath.relpath(f"{FOLDER}/{ARCHIVE}", posixpath.dirname(page) or ".")
        self.body.append(f'<a href="{address}" download>')


def depart_archive_link(self: HTML5Translator, node: archive_link) -> None:
    if self.builder.name == "html":
        self.body.append("</a>")


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Remove the notebooks of chapters that are gone, and pack the others into an archive."""
    if exception is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir, FOLDER)
    names = sorted(name for doc in chapters(app.env) for name in files_of(doc).values())
    for path in sorted(folder.rglob("*.ipynb")):
        if path.relative_to(app.outdir).as_posix() not in names:
            path.unlink()
    if not names:
        return
    with zipfile.ZipFile(folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name)  # dated 1980, whenever it is made
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, Path(app.outdir, name).read_bytes())


def setup(app: Sphinx) -> ExtensionMetadata:
    """Write the notebooks with the pages, the archive at the end."""
    repository = os.environ.get("BOOK_REPOSITORY", "")
    app.add_config_value("notebooks_repository", repository, "html", str)
    app.add_role("all-notebooks", AllNotebooksRole())
    app.add_node(archive_link, html=(visit_archive_link, depart_archive_link))
    app.connect("doctree-resolved", cast(Any, write), priority=900)
    app.connect("build-finished", finish, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
