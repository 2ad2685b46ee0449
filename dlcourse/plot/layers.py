"""Pack the frames of a sequence into one SVG that holds what they share only once."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from xml.etree import ElementTree as ET

from matplotlib.figure import Figure

from .svg import number_ids

__all__ = ["share_limits", "stack"]


def share_limits(figures: Sequence[Figure]) -> None:
    """Give the same limits to the same panel of every frame, unless the drawing has set its own.

    Parameters
    ----------
    figures : sequence of Figure
        The frames; changed in place.
    """
    for panels in zip(*(figure.axes for figure in figures), strict=True):
        for xy in "xy":
            if all(getattr(ax, f"get_autoscale{xy}_on")() for ax in panels):
                ends = [getattr(ax, f"get_{xy}lim")() for ax in panels]
                low, high = min(map(min, ends)), max(map(max, ends))
                for ax in panels:
                    getattr(ax, f"set_{xy}lim")(low, high)


def stack(roots: Sequence[ET.Element], prefix: str) -> str:
    """Merge the SVG trees of all frames; only the last one is visible.

    What all frames have in common, in the same order, is written once. Between these parts stand
    groups ``<g data-frames="3 4">`` of what belongs to some frames alone.

    Parameters
    ----------
    roots : sequence of Element
        Trees made by `dlcourse.plot.svg.clean`, one for each frame.
    prefix : str
        What every id starts with.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    definitions = {e.attrib["id"]: e for root in roots for e in root[0]}
    frames = [[ET.tostring(element, encoding="unicode") for element in root[1:]] for root in roots]
    shared = frames[0]
    for frame in frames[1:]:
        shared = _common(shared, frame)
    slots = [_slots(frame, shared) for frame in frames]
    body = ""
    for place, static in enumerate([*shared, ""]):
        owners: dict[str, list[int]] = {}
        for number, slot in enumerate(slots):
            if slot[place]:
                owners.setdefault(slot[place], []).append(number)
        for content, numbers in owners.items():
            hidden = "" if len(frames) - 1 in numbers else ' display="none"'
            body += f'<g data-frames="{" ".join(map(str, numbers))}"{hidden}>{content}</g>'
        body += static
    root = ET.Element("svg", roots[-1].attrib)
    defs = ET.SubElement(root, "defs")
    defs.extend(definitions.values())
    ET.SubElement(root, "g")
    text = ET.tostring(root, encoding="unicode").replace("<g />", body)
    return number_ids(text, prefix)


def _common(one: list[str], two: list[str]) -> list[str]:
    blocks = SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
    return [one[i] for block in blocks for i in range(block.a, block.a + block.size)]


def _slots(frame: list[str], shared: list[str]) -> list[str]:
    """Split a frame at its shared parts; join what lies between them."""
    slots = [""]
    for element in frame:
        at = len(slots) - 1
        if at < len(shared) and element == shared[at]:
            slots.append("")
        else:
            slots[-1] += element
    return slots
