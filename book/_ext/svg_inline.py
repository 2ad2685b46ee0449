"""Turn a figure's SVG file into markup for a page: themed, accessible, with ids of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

PAINTS = ("fill", "stroke", "stop-color", "flood-color", "color")
BLACK = {"#000000", "#000", "black"}
WHITE = {"#ffffff", "#fff", "white"}
DROPPED = ("metadata", "title", "desc", "style")
LENGTH = re.compile(r"([\d.]+)(pt|px|)$")
FONT = re.compile(r"(?:(\d{3}|bold) )?([\d.]+)px (.*)")
REFERENCE = re.compile(r"url\(#([^)]+)\)")
LONG_NUMBER = re.compile(r"-?\d*\.\d{3,}")


def alt_of(svg: str) -> str:
    """Return the alternative text that an SVG carries: its label, title or description."""
    try:
        root = ET.fromstring(svg)
    except ET.ParseError:
        return ""
    parts = [root.get("aria-label", "")]
    parts += ["".join(child.itertext()) for child in root if _local(child.tag) in ("title", "desc")]
    return next((" ".join(part.split()) for part in parts if part.strip()), "")


def inline_svg(svg: str, *, alt: str, prefix: str, palette: Mapping[str, str]) -> str:
    """Rewrite an SVG so that it can stand in an HTML page.

    Parameters
    ----------
    svg : str
        The file's text.
    alt : str
        What the figure shows; becomes its accessible name, in place of a title (a tooltip).
    prefix : str
        What every id starts with: the figure's own id.
    palette : mapping
        The name of each exact colour, such as `{"#1d6fb8": "blue"}`; it becomes
        `var(--fig-blue, #1d6fb8)`, and black becomes `currentColor`.

    Returns
    -------
    str
        An `<svg>` element without namespaces, style attributes, scripts or titles.
    """
    root = ET.fromstring(svg)
    size = _natural_size(root)
    for element in root.iter():
        _local_names(element)
    _drop(root)
    for element in root.iter():
        _use_attributes(element)
        _paint(element, palette)
        if "d" in element.attrib:
            element.set("d", LONG_NUMBER.sub(lambda m: f"{float(m[0]):.2f}", element.attrib["d"]))
    _rename_ids(root, prefix)
    box = root.get("viewBox", f"0 0 {size[0]:g} {size[1]:g}")
    root.attrib = {
        "class": "figure",
        "viewBox": box,
        "width": f"{size[0]:g}",
        "height": f"{size[1]:g}",
        "role": "img",
        "aria-label": alt,
        "fill": root.get("fill", "currentColor"),
        "stroke-linejoin": root.get("stroke-linejoin", "round"),
    }
    return ET.tostring(root, encoding="unicode").replace(" />", "/>")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _natural_size(root: ET.Element) -> tuple[float, float]:
    """Return width and height in CSS pixels."""
    sizes = []
    for name, part in (("width", 2), ("height", 3)):
        match = LENGTH.match(root.get(name, ""))
        if match:
            sizes.append(round(float(match[1]) * (4 / 3 if match[2] == "pt" else 1), 1))
        else:
            sizes.append(float(root.get("viewBox", "0 0 640 400").split()[part]))
    return sizes[0], sizes[1]


def _local_names(element: ET.Element) -> None:
    element.tag = _local(element.tag)
    # `xlink:href` has been plain `href` since SVG 2
    element.attrib = {_local(name): value for name, value in element.attrib.items()}
    for part in ("text", "tail"):
        if not (getattr(element, part) or "").strip():
            setattr(element, part, None)


def _drop(root: ET.Element) -> None:
    """Remove what a page must not repeat or show: titles, metadata, the sheet of paper."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in DROPPED or child.tag == "script" or _is_paper(child):
                parent.remove(child)


def _is_paper(element: ET.Element) -> bool:
    """Say whether an element is the background that a figure has for pages that have none."""
    if element.get("class") == "dl-backdrop":
        return True
    fills = {_style(child).get("fill", child.get("fill", "")) for child in element}
    return element.get("id") == "patch_1" and bool(fills) and fills <= WHITE


def _style(element: ET.Element) -> dict[str, str]:
    pairs = (part.partition(":") for part in element.get("style", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _use_attributes(element: ET.Element) -> None:
    """Turn a style attribute, which a strict content policy refuses, into attributes."""
    style = _style(element)
    element.attrib.pop("style", None)
    font = FONT.match(style.pop("font", ""))
    if font:
        style |= {"font-size": font[2], "font-family": font[3]}
        style |= {"font-weight": font[1]} if font[1] else {}
    style.pop("white-space", None)
    for name, value in style.items():
        element.set(name, value)
    # the page's own font is better, but code stays code
    if "mono" not in element.get("font-family", "mono").lower():
        del element.attrib["font-family"]


def _paint(element: ET.Element, palette: Mapping[str, str]) -> None:
    for name in PAINTS:
        value = element.get(name, "").lower()
        if value in BLACK:
            element.set(name, "currentColor")
        elif value in palette:
            element.set(name, f"var(--fig-{palette[value]}, {value})")


def _rename_ids(root: ET.Element, prefix: str) -> None:
    """Give the ids that are used the figure's prefix, and remove the rest."""
    text = ET.tostring(root, encoding="unicode")
    used = set(re.findall(r'url\((?:"|&quot;)?#([^)"&]+)', text))
    used |= set(re.findall(r' href="#([^"]+)"', text))
    new = {old: f"{prefix}-{number}" for number, old in enumerate(_ids(root, used), start=1)}
    for element in root.iter():
        if "id" in element.attrib:
            old = element.attrib.pop("id")
            if old in new:
                element.attrib = {"id": new[old], **element.attrib}
        for name, value in element.attrib.items():
            if name == "href" and value.startswith("#"):
                element.set(name, "#" + new.get(value[1:], value[1:]))
            elif "url(#" in value:
                value = REFERENCE.sub(lambda m: f"url(#{new.get(m[1], m[1])})", value)
                element.set(name, value)


def _ids(root: ET.Element, used: set[str]) -> list[str]:
    ids = (element.get("id", "") for element in root.iter())
    return list(dict.fromkeys(name for name in ids if name in used))
