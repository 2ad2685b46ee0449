"""Fonts cut down to what the pages use: mathematics from STIX Two Math, icons from the theme."""

from __future__ import annotations

import importlib.util
import io
import logging
import unicodedata
from collections.abc import Iterable
from pathlib import Path

# Mathematical italics, by the letter that each stands for; h has long been elsewhere in Unicode.
ITALIC = {
    chr(int(unicodedata.decomposition(chr(code)).split()[1], 16)): chr(code)
    for code in (*range(0x1D434, 0x1D455), *range(0x1D456, 0x1D468), *range(0x1D6A4, 0x1D71C))
    if not 0x1D6A6 <= code <= 0x1D6E1
} | {"h": "\N{PLANCK CONSTANT}"}


def italics(letter: str) -> str:
    """Return the character that a browser draws for a single letter in `<mi>`."""
    return ITALIC.get(letter, letter)


def math_font(characters: Iterable[str]) -> bytes:
    """Cut the mathematical font to some characters, with their larger sizes and the MATH table."""
    spec = importlib.util.find_spec("ziamath")
    if spec is None or spec.origin is None:
        raise ImportError("the mathematical font comes from the package ziamath: install it")
    features = ["ssty", "math", "flac", "dtls", "ccmp", "mark", "mkmk"]
    return _cut(Path(spec.origin).parent / "fonts/STIXTwoMath-Regular.ttf", characters, features)


def icon_font(file: Path, characters: Iterable[str]) -> bytes:
    """Cut a font of icons to some of them."""
    return _cut(file, characters, [])


def _cut(file: Path, characters: Iterable[str], features: list[str]) -> bytes:
    # imported late: most builds change no font
    from fontTools import subset
    from fontTools.ttLib import TTFont

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table
    options = subset.Options()
    options.flavor = "woff2"
    options.hinting = False
    options.layout_features = features
    options.name_IDs = [0, 13, 14]  # whose font this is, and its licence
    font = TTFont(file, recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=sorted({ord(character) for character in characters}))
    subsetter.subset(font)
    font.flavor = "woff2"
    buffer = io.BytesIO()
    font.save(buffer, reorderTables=False)
    return buffer.getvalue()
