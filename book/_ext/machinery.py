"""Make every page again when an extension, a template or a static file of the book has changed.

Sphinx compares settings between builds, not code: pages that an older extension made would stay.
So a hash of the code becomes a setting.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

FOLDERS = ("_ext", "_templates", "_static")


def fingerprint(book: Path) -> str:
    """Hash the names and contents of all that makes pages, but for the pages' sources."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in FOLDERS for path in (book / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(book).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the hash as a setting on which all pages depend."""
    app.add_config_value("machinery", fingerprint(Path(__file__).parents[1]), "env", types=str)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
