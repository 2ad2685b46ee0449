"""The word map: words with coordinates from the run, and `word-map.js`.

`:words:` is a list with a row for each word: the word, x, y (0 to 1000), and the numbers of its
nearest words.
"""

from __future__ import annotations

from typing import Any, ClassVar

from docutils.parsers.rst import directives
from embedded import EmbeddedDirective, box, compact, register
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

SHAPE = "needs rows of [word, x, y, [numbers of near words]], x and y to 1000"


class word_map(box):
    """The place of the map."""

    kind = "word-map"


class WordMapDirective(EmbeddedDirective):
    """`{word-map} Title` with `:name:`, `:words:` and a sentence as content."""

    box = word_map
    option_spec: ClassVar[Any] = {
        **EmbeddedDirective.option_spec,
        "words": directives.unchanged_required,
    }

    def told(self) -> dict[str, str]:
        return {"data-words": compact(self.glued("words", SHAPE, wrong, []))}


def wrong(rows: list[list[Any]]) -> str:
    """Say what is wrong with the data, or nothing."""
    fit = bool(rows) and all(
        isinstance(word, str)
        and 0 <= min(x, y) <= max(x, y) <= 1000
        and all(0 <= k < len(rows) for k in near)
        for word, x, y, near in rows
    )
    return "" if fit else SHAPE


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register directive, node, style sheet and script."""
    return register(app, WordMapDirective, "word-map.css", ("word-map.js",))
