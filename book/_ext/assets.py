"""One style sheet and two small fonts, made from what the pages of the book really use.

The theme's style sheets hold some thousand icons and components that no page shows. Their rules
are kept if some page or script names their classes; all sheets become `site.css`. Style attributes,
which a strict content policy refuses, come here as rules. Whatever no page asks for is not shipped.
"""

from __future__ import annotations

import hashlib
import html as html_module
import json
import re
from collections.abc import Callable, Iterable, Mapping, Set
from pathlib import Path

import css
import fonts
from figures import palette_css
from sphinx.application import Sphinx

THEME_SHEETS = ("basic.css", "styles/pydata-sphinx-theme.css")
ICONS = "vendor/fontawesome/webfonts/fa-solid-900.woff2"
KEPT = {"site.css", "early.js", "site.js", "icons.woff2", "math.woff2", "favicon.svg", "logo.svg"}
FONT_FACE = re.compile(r"@font-face *\{[^}]*\}\n?")
ICON = re.compile(r"\\(f[0-9a-f]{3})\b|([\ue000-\uf8ff])")
ATTRIBUTE = re.compile(r'\b(?:class|id)="([^"]*)"')
DATA_STYLE = re.compile(r' data-style="([^"]*)"')
STATIC = re.compile(r'"(?:\.\./)*_static/([^"?#]+)')
MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
ANNOTATION = re.compile(r"<annotation\b.*?</annotation>", re.DOTALL)
IDENTIFIER = re.compile(r"<mi>(.)</mi>")
TAG = re.compile(r"<[^>]*>")
ALWAYS = "0123456789()[]{}|+\N{MINUS SIGN}-=,.·…′√∑∫"
OUR_FACES = """@font-face{font-family:"Font Awesome 7 Free";font-weight:900;src:url(icons.woff2)}
@font-face{font-family:"STIX Two Math";src:url(math.woff2)}
"""


def make(app: Sphinx, pages: Mapping[Path, str]) -> None:
    """Write the style sheet and the fonts, and remove what no page asks for."""
    static = Path(app.outdir, "_static")
    icons = static / ICONS
    if icons.is_file():  # else nothing was written in this build, and all is as it was
        styles = {style for html in pages.values() for style in DATA_STYLE.findall(html)}
        letters = set().union(*(math_letters(html) for html in pages.values()))
        source = style_sources(static, _sheets(app))
        used = names(static, pages)
        stamps = Stamps(Path(app.doctreedir, "assets.json"))
        site = static / "site.css"
        stamps.write(site, [source, *used, *styles], lambda: site_css(source, used, styles))
        found = ICON.finditer(site.read_text(encoding="utf-8"))
        codes = {chr(int(match[1], 16)) if match[1] else match[2] for match in found}
        stamps.write(static / "icons.woff2", codes, lambda: fonts.icon_font(icons, codes))
        stamps.write(static / "math.woff2", letters, lambda: fonts.math_font(letters))
    remove_unused(static, pages)


def _sheets(app: Sphinx) -> list[str]:
    """Return the names of the style sheets in the order in which the pages would load them."""
    registered = sorted(app.builder._css_files, key=lambda sheet: sheet.priority)  # type: ignore[attr-defined]
    names = [str(sheet.filename).removeprefix("_static/") for sheet in registered]
    return list(dict.fromkeys([*THEME_SHEETS, *names]))


def style_sources(static: Path, sheets: Iterable[str]) -> str:
    """Join the style sheets as they are."""
    files = [static / name for name in sheets]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())


def names(static: Path, pages: Mapping[Path, str]) -> set[str]:
    """Return the classes and ids of the pages, and the words of the scripts, which may set more."""
    used = {value for html in pages.values() for value in ATTRIBUTE.findall(html)}
    used = {name for value in used for name in value.split()}
    for script in sorted(static.rglob("*.js")):
        used |= set(re.findall(r"[\w-]+", script.read_text(encoding="utf-8")))
    return used


def site_css(source: str, used: Set[str], styles: Iterable[str]) -> bytes:
    """Write the book's style sheet: only rules that some page or script of it can use."""
    kept = FONT_FACE.sub("", css.prune(source, used))
    return (OUR_FACES + palette_css() + kept + rules(styles)).encode()


def rules(styles: Iterable[str]) -> str:
    """Write the style attributes of the pages as rules."""
    lines = []
    for style in sorted(styles):
        value = html_module.unescape(style)
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'[data-style="{quoted}"]{{{value.rstrip("; ")}}}\n')
    return "".join(lines)


def math_letters(html: str) -> set[str]:
    """Return the characters that the formulas of a page are drawn with."""
    letters = set(ALWAYS)
    for formula in MATH.findall(html):
        formula = ANNOTATION.sub("", formula)
        letters |= {fonts.italics(html_module.unescape(c)) for c in IDENTIFIER.findall(formula)}
        letters |= set(html_module.unescape(TAG.sub("", formula)))
    return letters - set("\n")


class Stamps:
    """Remembers from what each file was made, to make it again only when that changes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}

    def write(self, path: Path, material: Iterable[str], make: Callable[[], bytes]) -> None:
        """Write `path` unless it is there and was made from the same material."""
        stamp = hashlib.sha256("\n".join(sorted(material)).encode()).hexdigest()
        if path.is_file() and self.known.get(path.name) == stamp:
            return
        path.write_bytes(make())
        self.known[path.name] = stamp
        self.file.write_text(json.dumps(self.known, sort_keys=True), encoding="utf-8")


def remove_unused(static: Path, pages: Mapping[Path, str]) -> None:
    """Remove the static files that no page links to."""
    linked = {name for html in pages.values() for name in STATIC.findall(html)}
    for path in sorted(static.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(static).as_posix() not in KEPT | linked:
            path.unlink()
