"""What went wrong in a chapter, told so that its author can go straight to the line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
FRAME = re.compile(
    r"^\s*(?:Cell In\[(?P<count>\d+)\], line (?P<cell_line>\d+)"
    r"|File (?P<file>.+?):(?P<line>\d+))(?:, in (?P<function>[\w.<>]+).*)?$",
    re.MULTILINE,
)
WARNING = re.compile(r"^.+?:(?P<line>\d+): (?P<title>\w+: .*)$", re.MULTILINE)
LAST_TRACEBACK = "Traceback (most recent call last)"
CONTEXT = 8  # lines of the cell shown before and after the failing one
FRAMES = 3  # frames shown below the cell


@dataclass(frozen=True)
class Fault:
    """One cell that stops the build."""

    title: str
    cell_index: int
    """Position among all cells of the notebook, Markdown included."""
    cell_line: int | None = None
    """Failing line of the cell, from 1; None where it is not known."""
    frames: tuple[str, ...] = ()


def raised(cell: Any, index: int, *, ename: str, evalue: str) -> Fault:
    """Describe the exception that ended a cell."""
    title = f"{ename}: {ANSI.sub('', evalue)}".rstrip(": \n")
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if not errors:
        return Fault(title, index)
    text = ANSI.sub("", "\n".join(errors[-1].traceback))
    # of chained exceptions, the last one is the one that came out of the cell
    frames = list(FRAME.finditer(text, max(text.rfind(LAST_TRACEBACK), 0)))
    here = [
        position
        for position, frame in enumerate(frames)
        if frame["count"] and int(frame["count"]) == cell.execution_count
    ]
    if not here:
        return Fault(title, index)
    below = frames[here[-1] + 1 :]
    return Fault(
        title,
        index,
        cell_line=int(frames[here[-1]]["cell_line"]),
        frames=tuple(_one_line(frame) for frame in below[-FRAMES:]),
    )


def _one_line(frame: re.Match[str]) -> str:
    place = (
        f"{frame['file']}:{frame['line']}"
        if frame["file"]
        else f"In[{frame['count']}] of this chapter, line {frame['cell_line']}"
    )
    return f"{place}, in {frame['function']}" if frame["function"] else place


def warned(cell: Any, index: int) -> Fault | None:
    """Describe what a cell wrote to stderr, which is a warning or worse; None for a quiet cell."""
    text = "".join(
        output.text
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    )
    text = ANSI.sub("", text).strip()
    if not text:
        return None
    warning = WARNING.search(text)
    if warning is None:
        return Fault(f"the cell wrote to stderr: {_shorten(text)}", index)
    # Python repeats the warning line below the message: without that echo, the number may
    # belong to another file than this cell
    source = cell.source.splitlines()
    number = int(warning["line"])
    echo = text[warning.end() :].strip().split("\n", 1)[0].strip()
    inside = 1 <= number <= len(source) and source[number - 1].strip() == echo
    return Fault(_shorten(warning["title"]), index, cell_line=number if inside else None)


def _shorten(text: str, n_lines: int = 6) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:n_lines], *(["…"] if len(lines) > n_lines else [])])


def describe(fault: Fault, notebook: Any, docname: str, path: Path) -> str:
    """Write a fault out: chapter, cell, line of the file, message, and the cell's source."""
    code_cells = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    cell = notebook.cells[fault.cell_index]
    first = first_line(notebook, fault.cell_index, path)
    line = first + (fault.cell_line or 1) - 1
    source = cell.source.splitlines() or [""]
    marked = fault.cell_line if fault.cell_line and fault.cell_line <= len(source) else None
    start = max((marked or 1) - CONTEXT, 1)
    end = min((marked or CONTEXT) + CONTEXT, len(source))
    width = len(str(first + end - 1))
    listing = [
        f"  {'>' if number == marked else ' '} {first + number - 1:{width}d} | {source[number - 1]}"
        for number in range(start, end + 1)
    ]
    if end < len(source):
        listing.append(f"    {'…':>{width}}")
    number = code_cells.index(fault.cell_index) + 1
    return "\n".join(
        [
            f"{docname}, code cell {number} of {len(code_cells)} ({_relative(path)}:{line})",
            *(f"  {text}" for text in _shorten(fault.title, 12).splitlines()),
            *listing,
            *(f"  by {frame}" for frame in fault.frames),
        ]
    )


def first_line(notebook: Any, index: int, path: Path) -> int:
    """Find the line of the file, from 1, on which the source of a cell begins.

    MyST-NB's source map points at the line below the fence: the cell's options may come first.
    """
    start: int = notebook.metadata.get("source_map", [0] * len(notebook.cells))[index]
    source = notebook.cells[index].source.splitlines()
    try:
        lines = path.read_text(encoding="utf8").splitlines()
    except OSError:
        return start + 1
    for first in range(start, len(lines) - len(source) + 1):
        if lines[first : first + len(source)] == source:
            return first + 1
    return start + 1


def _relative(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
