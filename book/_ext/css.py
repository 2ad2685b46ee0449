"""Just enough CSS reading to leave out the rules that no page can match."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
CHARSET = re.compile(r'@charset "[^"]*";|@import [^;]*;')
NOT = re.compile(r":not\((?:[^()]|\([^()]*\))*\)")
NAME = re.compile(r"[.#]((?:[\w-]|\\.)+)")
NESTING = ("@media", "@supports", "@layer", "@container")


def blocks(css: str) -> Iterator[tuple[str, str]]:
    """Yield the prelude and the body of each block at the top level."""
    start = position = depth = 0
    prelude = ""
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[{}]', css):
        if match[0] == "{":
            if depth == 0:
                prelude = css[start : match.start()].rpartition(";")[2].strip()
                position = match.end()
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if depth == 0:
                yield prelude, css[position : match.start()]
                start = match.end()


def prune(css: str, used: Set[str]) -> str:
    """Keep the rules whose selectors need only classes and ids that are used.

    Selectors without classes or ids always stay, and what stands in `:not(...)` does not count.
    """
    css = CHARSET.sub("", COMMENT.sub("", css))
    return "".join(_kept(prelude, body, used) for prelude, body in blocks(css))


def _kept(prelude: str, body: str, used: Set[str]) -> str:
    if prelude.startswith(NESTING):
        inner = "".join(_kept(*block, used) for block in blocks(body))
        return f"{prelude}{{{inner}}}\n" if inner else ""
    if prelude.startswith("@"):
        return f"{prelude}{{{body.strip()}}}\n"
    selectors = [selector for selector in split(prelude) if _may_match(selector, used)]
    return f"{','.join(selectors)}{{{body.strip()}}}\n" if selectors and body.strip() else ""


def split(selectors: str) -> list[str]:
    """Split a list of selectors at its commas, not at those in parentheses."""
    parts, depth, start = [], 0, 0
    for index, sign in enumerate(selectors):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            parts.append(selectors[start:index].strip())
            start = index + 1
    return [*parts, selectors[start:].strip()]


def _may_match(selector: str, used: Set[str]) -> bool:
    if ":is(" in selector or ":where(" in selector:
        return True
    names = NAME.findall(NOT.sub("", selector))
    return all(name.replace("\\", "") in used for name in names)
