"""Number the chapters through all parts of the book.

Sphinx starts again at 1 in each `toctree` with `:numbered:`. Here a document's numbered toctrees
count as one, so that Part II goes on where Part I ends, and figures and equations with them.
"""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector
from sphinx.util.typing import ExtensionMetadata

restart_in_each = TocTreeCollector.assign_section_numbers


def number_through(self: TocTreeCollector, env: BuildEnvironment) -> list[str]:
    """Assign section numbers as Sphinx does, to joined toctrees."""
    read = env.get_doctree

    def read_joined(docname: str) -> nodes.document:
        return joined(read(docname))

    env.get_doctree = read_joined  # type: ignore[method-assign]
    try:
        return restart_in_each(self, env)
    finally:
        del env.get_doctree


def joined(doctree: nodes.document) -> nodes.document:
    """Move the entries of all numbered toctrees into the first of them."""
    first, *others = [
        tree for tree in doctree.findall(addnodes.toctree) if tree.get("numbered")
    ] or [addnodes.toctree(entries=[])]
    for tree in others:
        first["entries"] = [*first["entries"], *tree["entries"]]
        tree["numbered"] = 0
    return doctree


def setup(app: Sphinx) -> ExtensionMetadata:
    """Replace the way in which Sphinx assigns section numbers."""
    TocTreeCollector.assign_section_numbers = number_through  # type: ignore[method-assign]
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
