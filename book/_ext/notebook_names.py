"""Which hidden definitions a notebook needs: a static reading of its cells.

A chapter has cells that no page shows. Learners do not get them, unless a visible cell uses a name
that only a hidden one gives it; then that one statement, and what it needs, must stay.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sphinx.errors import ExtensionError

BUILD_ONLY = {"glue"}


@dataclass
class Statement:
    """One statement at the top level of a cell."""

    cell: int
    source: str
    hidden: bool
    binds: set[str]
    uses: set[str]
    later: set[str]
    """Names used inside of functions, which may be bound after the function is."""
    reaching: dict[str, Statement | None] = field(default_factory=dict)
    """What each used name was last bound by."""


def needed(cells: Iterable[tuple[int, str, bool]], where: str) -> dict[int, str]:
    """Return the code that must be kept of each hidden cell.

    Parameters
    ----------
    cells : iterable of (int, str, bool)
        Number, code and hidden or not, of all cells in the order in which they run.
    where : str
        The chapter, for messages.

    Returns
    -------
    dict of int to str
        The statements to keep, by the number of the hidden cell in which they stand.

    Raises
    ------
    ExtensionError
        If a needed statement serves the build of the book too, and so cannot be kept.
    """
    statements = [s for cell in cells for s in _statements(*cell, where)]
    last: dict[str, Statement] = {}
    for statement in statements:
        statement.reaching = {name: last.get(name) for name in statement.uses | statement.later}
        last.update(dict.fromkeys(statement.binds, statement))
    first = {name: s for s in reversed(statements) for name in s.binds}
    kept: set[int] = set()

    def keep(user: Statement) -> None:
        for name, binder in sorted(user.reaching.items(), key=lambda item: item[0]):
            found = binder or (first.get(name) if name in user.later else None)
            if found is None or not found.hidden or id(found) in kept:
                continue
            if BUILD_ONLY & (found.uses | found.later | found.binds):
                raise ExtensionError(
                    f"{where}: a visible cell needs “{name}”, which a hidden cell defines in one "
                    f"statement with “glue”. Put the definition into a statement, or into a "
                    f"visible cell, of its own:\n{found.source}\nIt is needed by:\n{user.source}"
                )
            kept.add(id(found))
            keep(found)

    for statement in statements:
        if not statement.hidden:
            keep(statement)
    code: dict[int, list[str]] = {}
    for statement in statements:
        if id(statement) in kept:
            code.setdefault(statement.cell, []).append(statement.source)
    return {cell: "\n".join(sources) for cell, sources in code.items()}


def _statements(cell: int, code: str, hidden: bool, where: str) -> Iterator[Statement]:
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise ExtensionError(f"{where}: a cell is no plain Python: {error}\n{code}") from error
    lines = code.splitlines()
    for node in tree.body:
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        source = "\n".join(lines[start - 1 : node.end_lineno])
        binds, uses, later = _names(ast.unparse(node))
        yield Statement(cell, source, hidden, binds, uses, later)


def _names(source: str) -> tuple[set[str], set[str], set[str]]:
    """Return the names that a statement binds, uses at once, and uses when a function runs."""
    top = symtable.symtable(source, "cell", "exec")
    binds = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    uses = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    later = set()
    inner = list(top.get_children())
    while inner:
        scope = inner.pop()
        inner += scope.get_children()
        later |= {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
        binds |= {s.get_name() for s in scope.get_symbols() if s.is_declared_global()}
    return binds, uses, later
