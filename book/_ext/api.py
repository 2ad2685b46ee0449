"""Module docstrings in the API reference: their headings stand in the text, not in the outline."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

UNDERLINE = re.compile(r"-{3,}\s*")


def headings_to_rubrics(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Turn underlined headings of a module's docstring into rubrics.

    Two modules with "References" would otherwise give the page two sections of one name.
    """
    if what != "module":
        return
    for index in range(len(lines) - 1, 0, -1):
        title = lines[index - 1]
        if title.strip() and UNDERLINE.fullmatch(lines[index]):
            lines[index - 1 : index + 1] = ["", f".. rubric:: {title.strip()}", ""]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Rewrite docstrings before numpydoc sees them."""
    app.connect("autodoc-process-docstring", headings_to_rubrics, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
