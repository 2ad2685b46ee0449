"""Make sphinx-codeautolink keep its links in Markdown books and in rebuilds.

It forgets the links of every document that is no `.rst`, and it links only documents whose source
is newer than their page. So a page that is written again for another reason, such as a changed
number or an included file, would lose its links. Both are put right here, and names that were
resolved once stay so, because resolving imports PyTorch, which takes longer than a rebuild.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx_codeautolink import extension as autolink_extension
from sphinx_codeautolink.extension import SphinxCodeAutoLink, resolve_location
from sphinx_codeautolink.extension.block import CodeExample, Name, SourceTransform
from sphinx_codeautolink.extension.cache import DataCache

UNFINISHED = "<!-- unfinished -->"
"""What the layout puts into a page, until the page has been through every step."""


def read_every_document(self: DataCache) -> None:
    """Restore what was found in documents of any suffix."""
    file = Path(self.cache_dir, self.cache_filename)
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for document, transforms in found.items():
        self.transforms[document] = [
            SourceTransform(
                **transform
                | {
                    "example": CodeExample(**transform["example"]),
                    "names": [Name(**name) for name in transform["names"]],
                }
            )
            for transform in transforms
        ]


def resolve_once(name: Name, inventory: dict[str, str]) -> str:
    """Say what a name in the code stands for, from the last build if that knew."""
    if name.resolved_location in inventory:
        return cast(str, name.resolved_location)
    if name.import_components[0] != "dlcourse":
        return ""  # of other libraries no inventory is at hand: nothing to link to, or to import
    return cast(str, resolve_location(name, inventory))


def link_written_pages(app: Sphinx, exception: Exception | None) -> None:
    """Have exactly the pages linked that have been written."""
    if exception is not None:
        return
    for listener in app.events.listeners["build-finished"]:
        owner: Any = getattr(listener.handler, "__self__", None)
        if isinstance(owner, SphinxCodeAutoLink) and owner.cache is not None:
            documents = app.env.found_docs
            owner.outdated_docs = {name for name in documents if _is_written(app, name)}
            for gone in set(owner.cache.transforms) - documents:
                del owner.cache.transforms[gone]


def _is_written(app: Sphinx, document: str) -> bool:
    page = Path(app.outdir, app.builder.get_target_uri(document))
    return page.is_file() and UNFINISHED in page.read_text(encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Repair sphinx-codeautolink, which must be loaded before this."""
    DataCache.read = read_every_document
    autolink_extension.resolve_location = resolve_once
    app.connect("build-finished", link_written_pages, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
