"""Read a chapter's source as a list of blocks: text, code cells and directives.

The Sphinx build sees chapters through MyST-NB. The tests of the exercises and the learner notebooks
need the same chapters as data, without a build: `read_chapter` splits a file exactly where MyST-NB
does, and `find_exercises` gathers what belongs to each exercise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.directives import parse_directive_text
from myst_parser.parsers.mdit import create_md_parser

BLOCK_EXTENSIONS = ("attrs_block", "colon_fence", "deflist", "dollarmath")  # as in conf.py


@dataclass(frozen=True)
class Text:
    """Markdown between cells and directives; `line` is where it starts in the file, from 1."""

    source: str
    line: int


@dataclass(frozen=True)
class Cell:
    """A code cell; `line` is the line of its first line of code."""

    source: str
    line: int
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def tags(self) -> list[str]:
        """The tags of the cell, in the order in which they are written."""
        return list(self.metadata.get("tags", []))


@dataclass(frozen=True)
class Directive:
    """A top-level directive other than a code cell; `line` is the line of its opening fence."""

    name: str
    argument: str
    options: dict[str, Any]
    body: str
    line: int


Block = Text | Cell | Directive


@dataclass(frozen=True)
class Exercise:
    """An exercise and its parts: the blocks from `start` up to `stop` (excluded) of a chapter."""

    statement: Directive
    start: int
    stop: int
    starter: list[Cell]
    hints: list[Directive]
    solution: list[Cell | Directive]
    check: list[Cell]

    @property
    def name(self) -> str:
        """The label that the rest of the book refers to."""
        return str(self.statement.options.get("name", ""))

    @property
    def solution_cells(self) -> list[Cell]:
        """The code of the solution, without its prose."""
        return [block for block in self.solution if isinstance(block, Cell)]


class _AnyDirective:
    """Accepts what any directive may be given: one line of argument, options, a body."""

    option_spec: ClassVar[dict[str, bool]] = {"options": True}
    required_arguments = 0
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True


def read_chapter(path: str | Path) -> list[Block]:
    """Read the blocks of a chapter in the order of the source.

    Parameters
    ----------
    path : str or Path
        A MyST Markdown file, with or without notebook front matter.

    Returns
    -------
    list of Text, Cell and Directive
        Everything but the front matter and blank lines. Fences inside lists or other directives
        stay in the text or body around them.

    Raises
    ------
    ValueError
        If the options of a cell or directive cannot be read; the message names file and line.
    """
    text = Path(path).read_text("utf-8")
    lines = text.splitlines()
    config = MdParserConfig(enable_extensions=set(BLOCK_EXTENSIONS), disable_syntax=["inline"])
    blocks: list[Block] = []
    text_start = depth = 0
    for token in create_md_parser(config, RendererHTML).parse(text + "\n"):
        depth += token.nesting
        info = re.match(r"\{([^}]+)\}\s*(.*)", token.info.strip())
        is_fence = token.type in ("fence", "colon_fence") and info is not None
        if depth or token.map is None or not (is_fence or token.type == "front_matter"):
            continue
        first, last = token.map
        blocks += _text(lines, text_start, first)
        text_start = last
        if info:
            block = _directive(info[1], info[2], token.content, f"{path}:{first + 1}", first + 1)
            blocks.append(block)
    return blocks + _text(lines, text_start, len(lines))


def _text(lines: list[str], start: int, stop: int) -> list[Text]:
    while start < stop and not lines[start].strip():
        start += 1
    source = "\n".join(lines[start:stop]).rstrip()
    return [Text(source, start + 1)] if source else []


def _directive(name: str, argument: str, content: str, where: str, line: int) -> Cell | Directive:
    is_cell = name == "code-cell"
    directive_class: Any = _AnyDirective
    parsed = parse_directive_text(
        directive_class, "" if is_cell else argument, content, validate_options=False
    )
    if parsed.warnings:
        raise ValueError(f"{where}: {{{name}}} cannot be read: {parsed.warnings[0].msg}")
    body = "\n".join(parsed.body)
    if is_cell:
        return Cell(body, line + 1 + _offset(content, parsed.body), parsed.options)
    return Directive(name, argument, parsed.options, body.strip("\n"), line)


def _offset(content: str, body: list[str]) -> int:
    """How many lines of options and blanks stand between the opening fence and the body."""
    return len(content.rstrip("\n").splitlines()) - len("\n".join(body).rstrip("\n").splitlines())


def find_exercises(blocks: Sequence[Block]) -> list[Exercise]:
    """Gather each exercise with the starters, hints, solutions and checks that follow it.

    An exercise ends at the first block that is none of these; Markdown comments and cells that are
    removed from the page do not count.
    """
    found = []
    for start, block in enumerate(blocks):
        if isinstance(block, Directive) and block.name == "exercise":
            exercise = Exercise(block, start, _end(blocks, start), [], [], [], [])
            for part in blocks[start + 1 : exercise.stop]:
                _add(exercise, part)
            found.append(exercise)
    return found


def _end(blocks: Sequence[Block], start: int) -> int:
    stop = start + 1
    for index in range(start + 1, len(blocks)):
        if role_of(blocks[index]):
            stop = index + 1
        elif not _is_invisible(blocks[index]):
            break
    return stop


def role_of(block: Block) -> str:
    """Say what a block is to an exercise: starter, hint, solution, check, or nothing ("")."""
    if isinstance(block, Cell):
        return next((tag for tag in ("starter", "solution", "check") if tag in block.tags), "")
    if isinstance(block, Directive) and block.name in ("hint", "solution"):
        return block.name
    return ""


def _is_invisible(block: Block) -> bool:
    if isinstance(block, Cell):
        return "remove-cell" in block.tags
    return isinstance(block, Text) and all(
        line.startswith("%") for line in block.source.splitlines() if line.strip()
    )


def _add(exercise: Exercise, part: Block) -> None:
    role = role_of(part)
    if isinstance(part, Directive):
        (exercise.hints if role == "hint" else exercise.solution).append(part)
    elif isinstance(part, Cell) and role == "starter":
        exercise.starter.append(part)
    elif isinstance(part, Cell) and role == "check":
        exercise.check.append(part)
    elif isinstance(part, Cell) and role == "solution":
        exercise.solution.append(part)
