"""Fonts cut down to what the pages use: mathematics from STIX Two Math, icons from the theme."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from pathlib import Path

import ziamath
from fontTools import subset
from fontTools.ttLib import TTFont

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table
MATH_FONT = Path(ziamath.__file__).parent / "fonts" / "STIXTwoMath-Regular.ttf"

# Mathematical italics that Unicode put elsewhere, long before the rest of their alphabet.
ELSEWHERE = {"h": "\u210e"}


def italics(letter: str) -> str:
    """Return the character that a browser draws for a single letter in `<mi>`."""
    code = ord(letter)
    if letter in ELSEWHERE:
        return ELSEWHERE[letter]
    for first, last, base in (("A", "Z", 0x1D434), ("a", "z", 0x1D44E), ("Α", "Ω", 0x1D6E2), ("α", "ω", 0x1D6FC)):
        if ord(first) <= code <= ord(last):
            return chr(base + code - ord(first))
    return {"∂": "𝜕", "ϵ": "𝜖", "ϑ": "𝜗", "ϰ": "𝜘", "ϕ": "𝜙", "ϱ": "𝜚", "ϖ": "𝜛", "ı": "𝚤", "ȷ": "𝚥"}.get(letter, letter)


def math_font(characters: Iterable[str]) -> bytes:
    """Cut the mathematical font to some characters, with their larger sizes and the MATH table."""
    options = subset.Options()
    options.flavor = "woff2"
    options.hinting = False
    options.layout_features = ["ssty", "math", "flac", "dtls", "ccmp", "mark", "mkmk"]
    options.name_IDs = [0, 13, 14]  # whose font this is, and its licence
    options.notdef_outline = True
    return _cut(MATH_FONT, characters, options)


def icon_font(file: Path, characters: Iterable[str]) -> bytes:
    """Cut a font of icons to some of them."""
    options = subset.Options()
    options.flavor = "woff2"
    options.hinting = False
    options.layout_features = []
    options.name_IDs = [0, 13, 14]
    return _cut(file, characters, options)


def _cut(file: Path, characters: Iterable[str], options: subset.Options) -> bytes:
    font = TTFont(file, recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=sorted({ord(character) for character in characters}))
    subsetter.subset(font)
    font.flavor = "woff2"
    buffer = io.BytesIO()
    font.save(buffer, reorderTables=False)
    return buffer.getvalue()
