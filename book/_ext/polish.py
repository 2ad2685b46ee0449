"""The last hand on the written pages: accessible, self-contained, without inline styles.

The layout marks each page that it writes as unfinished. When all is written, the pages that bear
the mark are polished, then the assets are made that all pages together need (see `assets`). A
build that ends with a warning is forgotten, so that the next one does not take it for good.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import assets
from autolink import UNFINISHED
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

INLINE_STYLE = re.compile(r'(<[a-zA-Z][^<>]*?) style="([^"]*)"')
SCOPED_STYLE = re.compile(r"<style scoped(?:=\"\")?>.*?</style>\s*", re.DOTALL)
OUTSIDE_LINK = re.compile(r'<a ([^>]*\bhref="https?://[^>]*)>')
LONE_TERM = re.compile(r"</dt>\s*</dl>")
SIGNATURE = re.compile(r'<dl>\s*((?:<dd><em class="sig-param.*?</dd>\s*)+)</dl>', re.DOTALL)
EMPTY_HEADER = re.compile(r"<th[^>]*>\s*(?:<p>\s*</p>)?\s*</th>")
EMBEDDED = re.compile(r'(href|src)="data:image/(png|webp|jpeg);base64,([^"]+)"')
ONLY_WITH = {
    "design-tabs.js": "sd-tab-set",
    "scrubber.js": "dl-scrubber",
}
THEME_SCRIPTS = (
    "doctools.js",
    "documentation_options.js",
    "sphinx_highlight.js",
    "scripts/sphinx-book-theme.js",
)


def polish(html: str) -> str:
    """Clear the faults that the theme and other tools leave in a page."""
    html = mend(html.replace(UNFINISHED, ""))
    html = OUTSIDE_LINK.sub(_without_referrer, html)
    html = _name_landmarks(html)
    return INLINE_STYLE.sub(r'\1 data-style="\2"', html)


def mend(html: str) -> str:
    """Clear the faults in the text of a page, whatever stands around it."""
    html = html.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    html = SCOPED_STYLE.sub("", html)
    html = LONE_TERM.sub("</dt>\n<dd></dd></dl>", html)
    html = SIGNATURE.sub(_as_lines, html)
    html = EMPTY_HEADER.sub("<td></td>", html)
    return html.replace(' role="doc-biblioentry"', ' role="listitem"')


def _as_lines(match: re.Match[str]) -> str:
    """Write a signature of several lines as lines, not as definitions without a term."""
    lines = match[1].replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>")
    return f'<span class="sig-lines">{lines}</span>'


def _without_referrer(match: re.Match[str]) -> str:
    attributes = match[1]
    return match[0] if " rel=" in f" {attributes}" else f'<a {attributes} rel="noopener">'


def _name_landmarks(html: str) -> str:
    """Say what the left column is, so that a screen reader can jump to it."""
    return re.sub(
        r'(<div (?=[^>]*id="pst-primary-sidebar")[^>]*?)>',
        r'\1 role="region" aria-label="Book">',
        html,
        count=1,
    )


def unpack(html: str, site: Path, depth: int) -> str:
    """Write images embedded in a page to files: a strict policy refuses `data:` addresses."""

    def write(match: re.Match[str]) -> str:
        data = base64.b64decode(match[3])
        name = f"_images/{hashlib.sha256(data).hexdigest()[:16]}.{match[2]}"
        (site / "_images").mkdir(exist_ok=True)
        (site / name).write_bytes(data)
        return f'{match[1]}="{"../" * depth}{name}"'

    return EMBEDDED.sub(write, html)


def choose_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Leave out scripts that `site.js` replaces or that the page does not use."""
    body = str(context.get("body", ""))
    context["script_files"] = [
        script for script in context["script_files"] if _is_needed(script, body)
    ]


def _is_needed(script: Any, body: str) -> bool:
    name = str(getattr(script, "filename", "") or "").removeprefix("_static/")
    if not name:
        return "DOCUMENTATION_OPTIONS" not in str(getattr(script, "attributes", ""))
    if name in ONLY_WITH:
        return ONLY_WITH[name] in body
    return name not in THEME_SCRIPTS


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Polish the pages that were written, then make what they need."""
    if exception is not None or app.builder.name != "html":
        return
    pages = {}
    for path in sorted(Path(app.outdir).rglob("*.html")):
        html = path.read_text(encoding="utf-8")
        if UNFINISHED in html:
            depth = len(path.relative_to(app.outdir).parts) - 1
            html = unpack(polish(html), Path(app.outdir), depth)
            path.write_text(html, encoding="utf-8")
        pages[path] = html
    assets.make(app, pages)
    if app._fail_on_warnings and app._warncount:
        forget(app)


def forget(app: Sphinx) -> None:
    """Remove what a rebuild starts from: after a failure it must see every fault again."""
    for path in Path(app.doctreedir).glob("*.pickle"):
        path.unlink()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the last steps of a build."""
    app.connect("html-page-context", choose_scripts, priority=900)
    app.connect("build-finished", finish, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
