import re
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
from hypothesis import given
from hypothesis import strategies as st

from dlcourse.plot.layers import share_limits, stack


def tree(letters):
    root = ET.Element("svg", {"viewBox": "0 0 1 1"})
    root.append(ET.Element("defs"))
    root.extend(ET.Element(letter) for letter in letters)
    return root


def visible_in(svg, frame):
    """The elements that a reader sees in a frame, in the order in which they are painted."""
    seen = []
    for element in list(ET.fromstring(svg))[1:]:
        owners = element.get("data-frames")
        if owners is None:
            seen.append(element.tag)
        elif frame in map(int, owners.split()):
            seen += [child.tag for child in element]
    return "".join(tag.rpartition("}")[2] for tag in seen)


@given(st.lists(st.text("abcd", max_size=8), min_size=2, max_size=6))
def test_every_frame_can_be_had_back_in_painting_order(frames):
    svg = stack([tree(letters) for letters in frames], "p")
    assert [visible_in(svg, i) for i in range(len(frames))] == frames


def test_what_frames_share_is_written_once_and_only_the_last_is_visible():
    svg = stack([tree("axb"), tree("ayb"), tree("ayb")], "p")
    assert svg.count("<a/>") == svg.count("<y/>") == 1
    assert re.findall(r'data-frames="([\d ]+)"( display="none")?', svg) == [
        ("0", ' display="none"'),
        ("1 2", ""),
    ]


def test_frames_share_limits_unless_they_set_their_own():
    figures = []
    for top in (1, 5):
        fig, ax = plt.subplots()
        ax.plot([0, 1], [0, top])
        ax.set_xlim(0, top)
        figures.append(fig)
    share_limits(figures)
    limits = [(fig.axes[0].get_xlim(), fig.axes[0].get_ylim()) for fig in figures]
    assert limits[0][1] == limits[1][1]
    assert [x for x, _ in limits] == [(0, 1), (0, 5)]
