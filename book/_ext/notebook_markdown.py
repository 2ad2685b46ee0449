"""Write a resolved document as the Markdown and code of a notebook.

References, numbers, citations and computed values stand in the document as on the page, so the
Markdown says the same, without any directive or role. A node that has no words here stops the
build: a notebook must not lose a part of its chapter silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import exercises
import quizzes
from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.locale import admonitionlabels

SPECIAL = re.compile(r"([\\`*_$<~])")
BLOCK_START = re.compile(r"^([#>+-]|(?:\d+)(?=[.)]\s))(?=[\s.)])")
NOTHING = (
    nodes.comment,
    nodes.target,
    nodes.substitution_definition,
    nodes.colspec,
    nodes.title,
    addnodes.toctree,
    addnodes.index,
    addnodes.highlightlang,
)
THROUGH = (nodes.container, nodes.compound, nodes.inline, nodes.legend, nodes.Structural)
PARAGRAPHS = (nodes.paragraph, nodes.rubric, exercises.part_label, addnodes.compact_paragraph)


@dataclass(frozen=True)
class Piece:
    """A cell to be: Markdown, or the code cell of the chapter with the number `cell`."""

    source: str = ""
    cell: int | None = None
    exercise: int = 0
    """The number of the exercise to which it belongs, or 0."""


@dataclass
class Writer:
    """Writes one document; `number`, `link` and `learner` say how."""

    number: Callable[[nodes.Element], str]
    """Gives the number of a figure, table or equation, such as "1.3"; empty if it has none."""
    link: Callable[[nodes.reference], str]
    """Gives the address of a link, or "" where there is nothing to link to."""
    learner: bool
    """Leave the solutions out, and ask for answers."""
    sources: dict[str, None] = field(default_factory=dict)
    """The works cited so far, in order."""

    def pieces(self, node: nodes.Element, level: int = 0, exercise: int = 0) -> Iterator[Piece]:
        """Yield the Markdown and the cells of a part of the document."""
        for child in node.children:
            if isinstance(child, nodes.section):
                heading = self.inline(child[0])
                yield Piece(f"{'#' * (level + 1)} {heading}")
                yield from self.pieces(child, level + 1, exercise)
            elif isinstance(child, exercises.exercise):
                yield from self.exercise(child, level)
            elif isinstance(child, nodes.container) and child.get("nb_element") == "cell_code":
                yield Piece(cell=child["cell_index"], exercise=exercise)
                for figure in child.findall(nodes.figure):
                    yield Piece("\n\n".join(self.figure(figure)))
            elif isinstance(child, THROUGH) and not isinstance(child, nodes.inline):
                yield from self.pieces(child, level, exercise)
            else:
                yield from (Piece(block) for block in self.block(child))

    def exercise(self, box: exercises.exercise, level: int) -> Iterator[Piece]:
        """Yield an exercise: statement, starter, hints, and the check or the whole solution."""
        shape = "●" * box["difficulty"] + "○" * (exercises.HARDEST - box["difficulty"])
        yield Piece(f"{'#' * (level + 1)} {self.inline(box[0])}")
        yield Piece(f"{shape} difficulty {box['difficulty']} of {exercises.HARDEST}")
        has_code = False
        for part in box.children[1:]:
            is_starter = "starter" in tags_of(part)
            if isinstance(part, exercises.part_label) or (is_starter and not self.learner):
                continue
            has_code = has_code or is_starter
            if not isinstance(part, exercises.fold):
                yield from self.pieces(_holder([part]), level, box["number"])
            elif part["kind"] != "solution":
                yield Piece(_details(part["label"], self.blocks(part)))
            else:
                if not self.learner:
                    yield Piece("**Solution**")
                kept = [p for p in part.children if not self.learner or "check" in tags_of(p)]
                yield from self.pieces(_holder(kept), level, box["number"])
        if self.learner and not has_code:
            yield Piece("*Your answer:*")

    def blocks(self, node: nodes.Element) -> list[str]:
        """Write the children of a node as blocks of Markdown."""
        return [block for child in node.children for block in self.block(child)]

    def block(self, node: nodes.Node) -> list[str]:
        """Write a node as blocks of Markdown."""
        if isinstance(node, NOTHING):
            return []
        if isinstance(node, PARAGRAPHS):
            words = self.inline(node).strip()
            words = f"**{words}**" if isinstance(node, nodes.rubric) else words
            return [BLOCK_START.sub(_escape_start, words)] if words else []
        if isinstance(node, (nodes.literal_block, nodes.doctest_block)):
            return [_fence(node.astext(), node.get("language", ""))]
        if isinstance(node, nodes.math_block):
            number = self.number(node)
            tag = f"\n\\tag{{{number}}}" if number else ""
            return [f"$$\n{node.astext().strip()}{tag}\n$$"]
        if isinstance(node, nodes.Admonition):
            return [self.admonition(node)]
        if isinstance(node, (nodes.bullet_list, nodes.enumerated_list, nodes.definition_list)):
            return [self.items(node)]
        if isinstance(node, nodes.block_quote):
            return [_quote(self.blocks(node))]
        if isinstance(node, nodes.table):
            return self.table(node)
        if isinstance(node, nodes.figure):
            return self.figure(node)
        if isinstance(node, nodes.caption):
            return [f"**Listing {self.number(node.parent)}.** {self.inline(node)}".strip()]
        if isinstance(node, nodes.transition):
            return ["---"]
        if isinstance(node, nodes.footnote):
            label, *content = node.children
            return [f"\\[{label.astext()}\\] " + " ".join(self.inline(c) for c in content)]
        if isinstance(node, quizzes.quiz):
            return self.quiz(node)
        if isinstance(node, exercises.fold):
            return [_details(node["label"], self.blocks(node))]
        if isinstance(node, THROUGH):
            return self.blocks(node)
        raise ExtensionError(f"{_place(node)} has no form in a notebook")

    def admonition(self, node: nodes.Admonition) -> str:
        """Write an admonition as a quotation with a bold title."""
        assert isinstance(node, nodes.Element)
        title = next((c for c in node.children if isinstance(c, nodes.title)), None)
        words = self.inline(title) if title else admonitionlabels.get(str(node.tagname), "Note")
        return _quote([f"**{words}**", *self.blocks(node)])

    def items(self, node: nodes.Element) -> str:
        """Write a list; definitions become items that begin with the term in bold."""
        lines = []
        first = int(node.get("start", 1))
        for count, item in enumerate(node.children, start=first):
            assert isinstance(item, nodes.Element)
            mark = f"{count}. " if isinstance(node, nodes.enumerated_list) else "- "
            if isinstance(item, nodes.definition_list_item):
                terms = [c for c in item.children if isinstance(c, nodes.term)]
                said = [b for c in item.findall(nodes.definition) for b in self.blocks(c)]
                blocks = [", ".join(f"**{self.inline(t)}**" for t in terms) + ":", *said]
                blocks = [" ".join(blocks[:2]), *blocks[2:]]
            else:
                blocks = self.blocks(item)
            indented = "\n\n".join(blocks).replace("\n", "\n" + " " * len(mark))
            lines.append(mark + indented.rstrip())
        return re.sub(r"\n +\n", "\n\n", "\n".join(lines))

    def table(self, node: nodes.table) -> list[str]:
        """Write a table with its caption above it."""
        rows = [
            [" ".join(self.blocks(cell)).replace("|", "\\|") for cell in row.findall(nodes.entry)]
            for row in node.findall(nodes.row)
        ]
        if next(node.findall(nodes.thead), None) is None:
            rows.insert(0, [""] * len(rows[0]))
        rows.insert(1, ["---"] * len(rows[0]))
        grid = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        title = next((c for c in node.children if isinstance(c, nodes.title)), None)
        if title is None:
            return [grid]
        number = self.number(node)
        label = f"**Table {number}.** " if number else ""
        return [label + self.inline(title), grid]

    def figure(self, node: nodes.figure) -> list[str]:
        """Write the caption of a figure; one that no cell draws is described by its alt text."""
        parent: nodes.Node | None = node
        while parent is not None and not (
            isinstance(parent, nodes.container) and parent.get("nb_element") == "cell_code"
        ):
            parent = parent.parent
        captions = [self.inline(caption) for caption in node.findall(nodes.caption)]
        images = [] if parent else node.findall(nodes.image)
        alts = " ".join(SPECIAL.sub(r"\\\1", image.get("alt", "")) for image in images)
        told = f" (On the page only: {alts})" if alts.strip() else ""
        return [f"**Figure {self.number(node)}.** {words}{told}" for words in captions]

    def quiz(self, box: quizzes.quiz) -> list[str]:
        """Write the questions of a quiz, each with its answer folded."""
        blocks = [f"**{self.inline(box[0])}**"]
        for question in box.findall(quizzes.quiz_question):
            options = []
            for part in question.children:
                if isinstance(part, quizzes.quiz_legend):
                    blocks.append(self.inline(part))
                elif isinstance(part, quizzes.quiz_option):
                    options.append(f"- {self.inline(part)}")
                elif isinstance(part, quizzes.quiz_answers):
                    blocks += ["\n".join(options)] if options else []
                    answers = [self.blocks(a) for a in part.findall(quizzes.quiz_answer)]
                    told = "\n".join(f"- {' '.join(answer)}" for answer in answers)
                    blocks.append(_details("Answer", [told]))
                else:
                    blocks += self.block(part)
        return blocks

    def inline(self, node: nodes.Node) -> str:
        """Write the words inside a block."""
        if isinstance(node, nodes.Text):
            return SPECIAL.sub(r"\\\1", str(node)).replace("\n", " ")
        assert isinstance(node, nodes.Element)
        if isinstance(node, (nodes.literal, nodes.math)):
            text = node.astext().strip().replace("\n", " ")
            return f"${text}$" if isinstance(node, nodes.math) else _code(text)
        if isinstance(node, nodes.inline) and "bibtex-citation" in node["classes"]:
            return self.citation(node)
        if isinstance(node, (nodes.image, nodes.raw)):
            raise ExtensionError(f"{_place(node)} has no form in a notebook")
        words = "".join(self.inline(child) for child in node.children)
        for kind, mark in ((nodes.emphasis, "*"), (nodes.strong, "**")):
            if isinstance(node, kind) and words:
                return f"{mark}{words}{mark}"
        if isinstance(node, nodes.reference):
            return self.reference(node, words)
        if isinstance(node, nodes.footnote_reference):
            return f"\\[{words}\\]"
        return words

    def reference(self, node: nodes.reference, words: str) -> str:
        """Write a link; one to an exercise of this chapter names it by its number."""
        if node.get("refid") and not isinstance(node, addnodes.number_reference):
            for box in _document(node).findall(exercises.exercise):
                name = f"Exercise {box['number']}"
                if node["refid"] in box["ids"] and name not in words:
                    return f"{words} ({name})"
        address = self.link(node)
        return f"[{words}]({address})" if address else words

    def citation(self, node: nodes.inline) -> str:
        """Write a citation in round brackets, and remember the works for the list of sources."""
        for reference in node.findall(nodes.reference):
            source = str(reference.get("reftitle", ""))
            if source:
                self.sources[SPECIAL.sub(r"\\\1", " ".join(source.split()))] = None
        words = "".join(self.inline(child) for child in node.children)
        return re.sub(r"^\[(.*)\]$", r"(\1)", words).replace("[", "(").replace("]", ")")


def _escape_start(match: re.Match[str]) -> str:
    """Keep a paragraph from becoming a list, a heading or a quotation."""
    return f"{match[1]}\\" if match[1].isdigit() else f"\\{match[1]}"


def tags_of(node: nodes.Node) -> list[str]:
    """Return the tags of a code cell; none for any other node."""
    metadata: dict[str, Any] = (
        node.get("cell_metadata", {}) if isinstance(node, nodes.container) else {}
    )
    return [str(tag) for tag in metadata.get("tags", [])]


def _holder(parts: Sequence[nodes.Node]) -> nodes.Element:
    """Put nodes into a parent of their own, leaving the document and its labels as they are."""
    holder = nodes.container()
    holder.children = [part for part in parts if not isinstance(part, exercises.part_label)]
    return holder


def _document(node: nodes.Node) -> nodes.document:
    while not isinstance(node, nodes.document):
        assert node.parent is not None
        node = node.parent
    return node


def _place(node: nodes.Node) -> str:
    line = f", line {node.line}" if node.line else ""
    return f"<{node.__class__.__name__}> in {node.source or 'a document'}{line}"


def _details(summary: str, blocks: Sequence[str]) -> str:
    return "\n\n".join([f"<details>\n<summary>{summary}</summary>", *blocks, "</details>"])


def _quote(blocks: Sequence[str]) -> str:
    lines = "\n\n".join(blocks).split("\n")
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _fence(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    known = {"ipython3": "python", "default": "", "none": "", "myst-ansi": ""}
    return f"{ticks}{known.get(language, language)}\n{text.rstrip()}\n{ticks}"


def _code(text: str) -> str:
    ticks = "``" if "`" in text else "`"
    space = " " if "`" in text else ""
    return f"{ticks}{space}{text}{space}{ticks}"
