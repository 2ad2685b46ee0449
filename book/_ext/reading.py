"""How much there is to read in a chapter, counted when Sphinx reads it."""

from __future__ import annotations

from typing import NamedTuple, cast

from docutils import nodes
from exercises import fold
from quizzes import quiz_answers
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

WORDS_A_MINUTE = 200
LINES_A_MINUTE = 12


class Counts(NamedTuple):
    """What there is to read in a chapter."""

    words: int
    code_lines: int
    cells: int

    @property
    def minutes(self) -> int:
        """How long reading takes: prose at one speed, visible lines of code at another."""
        return max(1, round(self.words / WORDS_A_MINUTE + self.code_lines / LINES_A_MINUTE))


def count(doctree: nodes.document) -> Counts:
    """Count words and lines that a reader sees without opening a fold."""
    words = code_lines = cells = 0
    waiting: list[nodes.Node] = [doctree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.container):
            cells += node.get("nb_element") == "cell_code"
            if node.get("nb_element") == "cell_code_output":
                words += sum(len(c.astext().split()) for c in node.findall(nodes.caption))
                continue
        if isinstance(node, nodes.literal_block):
            code_lines += sum(bool(line.strip()) for line in node.astext().splitlines())
        elif isinstance(node, (nodes.Text, nodes.math, nodes.math_block)):
            words += len(node.astext().split()) if isinstance(node, nodes.Text) else 1
        elif not isinstance(node, (fold, quiz_answers, nodes.comment, nodes.raw)):
            waiting += [child for child in node.children if not _is_hidden(node, child)]
    return Counts(words, code_lines, cells)


def _is_hidden(parent: nodes.Node, child: nodes.Node) -> bool:
    """Say whether a part of a cell is folded on the page."""
    if not (isinstance(parent, nodes.container) and isinstance(child, nodes.container)):
        return False
    mode = str(parent.get("hide_mode", ""))
    return mode == "all" or ("input" in mode and child.get("nb_element") == "cell_code_source")


def note_counts(app: Sphinx, doctree: nodes.document) -> None:
    """Remember what there is to read in a document that has been read."""
    found = count(doctree)
    if found.cells:
        counts_of(app.env)[app.env.docname] = found


def counts_of(env: BuildEnvironment) -> dict[str, Counts]:
    """Return the counts of all documents with code."""
    if not hasattr(env, "reading_counts"):
        env.reading_counts = {}  # type: ignore[attr-defined]
    return cast(dict[str, Counts], env.reading_counts)  # type: ignore[attr-defined]


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop what is known of a document that is read again or gone."""
    counts_of(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    """Take over what a parallel reader found."""
    counts_of(env).update({d: c for d, c in counts_of(other).items() if d in docnames})


def setup(app: Sphinx) -> ExtensionMetadata:
    """Count in every document."""
    app.connect("doctree-read", note_counts)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
