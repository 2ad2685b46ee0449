"""Turn Matplotlib's SVG into small, clean markup that any page can theme.

Matplotlib writes styles into ``style`` attributes and a ``<style>`` element, which a strict
content security policy refuses, and ids that repeat from figure to figure. Here styles become
presentation attributes, ids come from the content, and what draws nothing is dropped.
"""

from __future__ import annotations

import hashlib
import io
import re
from functools import partial
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from .style import INK, PALETTE, RC

__all__ = ["clean", "serialize", "themed"]

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif"
HALO = {"stroke": PALETTE["paper"][0], "stroke-width": "3.2", "paint-order": "stroke"}
INHERITED = (
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-opacity",
    "stroke-width",
    "font-size",
    "text-anchor",
    "clip-path",
)
NUMBER = re.compile(r"-?\d*\.\d+(?:e-?\d+)?")
REFERENCE = re.compile(r"url\(#([^)]+)\)")


def themed(svg: str) -> str:
    """Replace the palette's colours by CSS variables, and black by the colour of the text.

    Parameters
    ----------
    svg : str
        Markup drawn in the light colours of `dlcourse.plot.PALETTE`.

    Returns
    -------
    str
        The same markup, each colour as ``var(--fig-<name>, <light hex>)``.

    Examples
    --------
    >>> themed('<path stroke="#1d6fb8" fill="#000000"/>')
    '<path stroke="var(--fig-blue, #1d6fb8)" fill="currentColor"/>'
    """
    for name, (light, _) in PALETTE.items():
        svg = svg.replace(f'"{light}"', f'"var(--fig-{name}, {light})"')
    return svg.replace(f'"{INK}"', '"currentColor"')


def clean(figure: Figure) -> ET.Element:
    """Draw a figure and return its SVG tree: no styles, no metadata, ids from the content.

    Parameters
    ----------
    figure : Figure
        The figure to draw. It stays open; its background is made transparent.

    Returns
    -------
    Element
        The ``<svg>`` element with local names; its first child is ``<defs>``.
    """
    root = ET.fromstring(_draw(figure))
    for element in root.iter():
        _plain_names(element)
    _gather_definitions(root)
    for element in root.iter():
        _use_attributes(element)
        _shorten(element)
    _halo(root)
    _simplify(root)
    _rename(root)
    width, height = root.attrib["viewBox"].split()[2:]
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "width": f"{float(width) * 4 / 3:.4g}",
        "height": f"{float(height) * 4 / 3:.4g}",
        "font-family": FONTS,
        "fill": INK,
        "stroke-linejoin": "round",
    }
    return root


def serialize(root: ET.Element, prefix: str) -> str:
    """Write an SVG tree as text, its ids counted from one behind `prefix`.

    Parameters
    ----------
    root : Element
        A tree made by `clean`.
    prefix : str
        What every id starts with; two figures on a page need two prefixes.

    Returns
    -------
    str
        An ``<svg>`` element with its namespaces declared.
    """
    return number_ids(ET.tostring(root, encoding="unicode"), prefix)


def number_ids(text: str, prefix: str) -> str:
    """Name the ids of an SVG text ``<prefix>-1``, ``<prefix>-2``, … and declare its namespaces."""
    text = text.replace(" />", "/>")
    ids = dict.fromkeys(re.findall(r' id="([^"]+)"', text))
    for number, old in enumerate(ids, start=1):
        text = text.replace(f'"{old}"', f'"{prefix}-{number}"')
        text = text.replace(f"#{old}", f"#{prefix}-{number}")
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return text.replace("<svg ", f"<svg {names} ", 1)


def _draw(figure: Figure) -> str:
    """Draw once; ``savefig`` would draw twice."""
    buffer, canvas = io.StringIO(), figure.canvas
    for patch in (figure.patch, *(ax.patch for ax in figure.axes)):
        patch.set_visible(False)
    try:
        with matplotlib.rc_context(RC):
            no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            svg: Any = FigureCanvasSVG(figure)
            svg.print_svg(buffer, metadata=no_metadata)
    finally:
        figure.set_canvas(canvas)
    return buffer.getvalue()


def _plain_names(element: ET.Element) -> None:
    element.tag = element.tag.rpartition("}")[2]
    for name in [name for name in element.attrib if "}" in name]:
        element.attrib["xlink:" + name.rpartition("}")[2]] = element.attrib.pop(name)
    for part in ("text", "tail"):
        if not (getattr(element, part) or "").strip():
            setattr(element, part, None)


def _gather_definitions(root: ET.Element) -> None:
    """Move every definition into one ``<defs>`` in front, once each."""
    found: dict[str, ET.Element] = {}
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("defs", "metadata"):
                parent.remove(child)
                found |= {e.attrib["id"]: e for e in child if "id" in e.attrib}
    definitions = ET.Element("defs")
    definitions.extend(found.values())
    root.insert(0, definitions)


def _use_attributes(element: ET.Element) -> None:
    for declaration in element.attrib.pop("style", "").split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font-family" and "mono" not in value.lower():
            continue  # the page's own font is better
        if name and name != "white-space":
            element.set(name, value)
    if element.attrib.get("font-size", "").endswith("px"):
        element.set("font-size", element.attrib["font-size"][:-2])
    if element.tag == "text" and re.match(r"rotate\(-?0 ", element.attrib.get("transform", "")):
        del element.attrib["transform"]


def _rounded(digits: int, number: re.Match[str]) -> str:
    return f"{float(number[0]):.{digits}f}".rstrip("0").rstrip(".")


def _shorten(element: ET.Element) -> None:
    """Round coordinates to a hundredth of a point: far below what a screen can show."""
    for name, value in element.attrib.items():
        if name in ("d", "x", "y", "width", "height", "transform", "font-size", "stroke-width"):
            digits = 4 if name == "transform" else 2
            value = NUMBER.sub(partial(_rounded, digits), value)
            value = re.sub(r"(?<![\d.])-0(?![\d.])", "0", value)
        if name == "d":
            value = re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(value.split()))
            while (joined := re.sub(r"([LC])([^A-Za-z]+)\1", r"\1\2 ", value)) != value:
                value = joined
        if name == "xlink:href" and value.startswith("data:"):
            value = "".join(value.split())
        element.set(name, value)


def _halo(root: ET.Element) -> None:
    """Give direct labels an outline of paper, so that lines pass behind them."""
    for group in root.iter("g"):
        if group.attrib.get("id", "").startswith("halo"):
            for text in group.iter("text"):
                text.attrib |= HALO


def _simplify(root: ET.Element) -> None:
    used = {match for e in root.iter() for v in e.attrib.values() for match in REFERENCE.findall(v)}
    used |= {e.attrib["xlink:href"][1:] for e in root.iter("use")}
    for element in root.iter():
        if element.attrib.get("id") not in used:
            element.attrib.pop("id", None)
    definitions = root[0]
    definitions[:] = [e for e in definitions if "id" in e.attrib]
    own = {e.attrib["id"]: e.attrib for e in definitions}
    for use in root.iter("use"):
        for name in own[use.attrib["xlink:href"][1:]]:
            if name in INHERITED:
                use.attrib.pop(name, None)
    body = ET.Element("g")
    body.extend(root[1:])
    root[1:] = _flatten(body)


def _flatten(element: ET.Element) -> list[ET.Element]:
    """Return what is left of an element: itself, its children, or nothing."""
    if element.tag != "g":
        invisible = element.attrib.get("fill") == "none" and "stroke" not in element.attrib
        return [] if element.tag == "path" and invisible else [element]
    element[:] = [left for child in element for left in _flatten(child)]
    if len(element) > 1:
        for name in INHERITED:
            values = {child.attrib.get(name) for child in element}
            if len(values) == 1 and None not in values and name not in element.attrib:
                element.set(name, values.pop() or "")
                for child in element:
                    del child.attrib[name]
    elif len(element) == 1 and _may_merge(element.attrib, element[0]):
        element[0].attrib |= element.attrib
        element.attrib.clear()
    return [element] if element.attrib and len(element) else list(element)


def _may_merge(outer: dict[str, str], child: ET.Element) -> bool:
    moved = child.tag == "use" or "transform" in child.attrib  # would move the clip path too
    return not set(outer) & set(child.attrib) and not (moved and "clip-path" in outer)


def _rename(root: ET.Element) -> None:
    new = {}
    for definition in root[0]:
        old = definition.attrib.pop("id")
        new[old] = "x" + hashlib.sha256(ET.tostring(definition)).hexdigest()[:12]
        definition.attrib = {"id": new[old], **definition.attrib}
    root[0][:] = {e.attrib["id"]: e for e in root[0]}.values()
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "xlink:href" and value.startswith("#"):
                element.set(name, "#" + new[value[1:]])
            elif "url(#" in value:
                element.set(name, REFERENCE.sub(lambda m: f"url(#{new[m[1]]})", value))
