"""Make sphinx-codeautolink keep its links in Markdown books and in rebuilds.

It forgets the links of every document that is no `.rst`, and it links only documents whose source
is newer than their page. So a page that is written again for another reason, such as a changed
number or an included file, would lose its links. Both are put right here, and names that were
resolved once stay so, because resolving imports PyTorch, which takes longer than a rebuild: an
edit of the prose must not.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from execute_cache import fingerprint
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata
from sphinx_codeautolink import extension as autolink_extension
from sphinx_codeautolink.extension import SphinxCodeAutoLink
from sphinx_codeautolink.extension.block import CodeExample, Name, SourceTransform
from sphinx_codeautolink.extension.cache import DataCache
from sphinx_codeautolink.extension.resolve import CouldNotResolve, resolve_location

import dlcourse

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


class Resolver:
    """Say what names in the code stand for, and remember it while the package stays the same."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, str]] = {}
        self.package = ""

    def recall(self, app: Sphinx, env: BuildEnvironment) -> None:
        """Take up what the last build found out, if it was about this very package."""
        objects = "\n".join(sorted(env.domains["py"].objects)).encode()
        sources = fingerprint([Path(dlcourse.__file__).parent])
        self.package = f"{sources} {hashlib.sha256(objects).hexdigest()[:16]}"
        file = self._file(app)
        self.known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if set(self.known) != {self.package}:
            self.known = {self.package: {}}

    def resolve(self, name: Name, inventory: dict[str, str]) -> str:
        """Find the documented object; of other libraries no inventory is at hand to link to."""
        if name.import_components[0] != "dlcourse":
            return ""
        path = ".".join(name.import_components)
        found = self.known[self.package]
        if path not in found:
            try:
                found[path] = resolve_location(name, inventory) or ""
            except CouldNotResolve:
                found[path] = ""
        return found[path]

    def remember(self, app: Sphinx, exception: Exception | None) -> None:
        """Write down what is known, for the next build."""
        if exception is None and self.package:
            text = json.dumps(self.known, sort_keys=True, indent=1)
            self._file(app).write_text(text, encoding="utf-8")

    def _file(self, app: Sphinx) -> Path:
        return Path(app.doctreedir, "autolink-names.json")


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
    resolver = Resolver()
    autolink_extension.resolve_location = resolver.resolve
    app.connect("env-updated", resolver.recall, priority=400)
    app.connect("build-finished", resolver.remember)
    app.connect("build-finished", link_written_pages, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
