"""The figures extension, being written."""

from __future__ import annotations

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register nothing yet."""
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
