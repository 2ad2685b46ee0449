import re
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from dlcourse.plot.style import CYCLE, PALETTE, colour
from dlcourse.plot.svg import clean, number_ids, serialize, themed


def text_of(figure):
    return serialize(clean(figure), "t")


def busy_figure():
    """Everything that Matplotlib styles in its own way, but text, whose font differs."""
    fig, ax = plt.subplots(figsize=(5, 3))
    ax.plot([0, 1, 2], [0, 2, 1], "s--", color=colour("blue"), clip_on=True)
    ax.fill_between([0, 1, 2], [0, 1, 0], [1, 2, 1], color=colour("orange"), alpha=0.3)
    ax.scatter([0.5, 1.5], [1, 1], c=[colour("red"), colour("green")], s=90, edgecolors="w")
    ax.bar([0.2], [1], width=0.2, hatch="//", facecolor=colour("sky-soft"))
    ax.imshow(np.eye(4), extent=(1.6, 2, 0, 0.6), interpolation="none", aspect="auto")
    ax.annotate("", (2, 2), (1.2, 1.2), arrowprops={"arrowstyle": "-|>"})
    ax.set(xlim=(0, 2.1), ylim=(0.1, 1.8), xticklabels=[], yticklabels=[])
    return fig


def screenshot(page, svg, path):
    page.set_content(f'<!doctype html><body style="margin:0">{svg}')
    page.locator("svg").screenshot(path=path)
    return plt.imread(path)[..., :3]


def test_a_cleaned_figure_looks_the_same_in_a_browser(page, tmp_path):
    fig = busy_figure()
    fig.savefig(tmp_path / "raw.svg", transparent=True)
    raw = (tmp_path / "raw.svg").read_text().split("?>", 1)[1].split('.dtd">', 1)[1]
    before = screenshot(page, raw, tmp_path / "raw.png")
    after = screenshot(page, text_of(fig), tmp_path / "clean.png")
    assert before.shape == after.shape
    assert before.std() > 0.05, "the picture is empty"
    differing = (np.abs(before - after).max(axis=-1) > 0.2).mean()
    assert differing < 0.002, f"{100 * differing:.2f} % of the pixels differ"


def test_there_are_no_styles_dates_or_metadata(drawing):
    drawn = drawing()
    svg = text_of(drawn if isinstance(drawn, Figure) else np.ravel(drawn)[0].figure)
    assert not re.search(r" style=|<style|<metadata|<!--|DOCTYPE|20\d\d-\d\d-\d\d|atplotlib", svg)


def test_every_reference_has_its_id_once_and_every_id_is_used():
    svg = text_of(busy_figure())
    ids = re.findall(r' id="([^"]+)"', svg)
    used = set(re.findall(r"#(t-\d+)", svg))
    assert len(ids) == len(set(ids)) > 3
    assert set(ids) == used


def test_coordinates_are_short():
    assert not re.search(r"\.\d{5}", text_of(busy_figure()).replace("base64", ""))


def test_a_white_background_is_not_drawn():
    fig, _ = plt.subplots(facecolor="white")
    assert "#ffffff" not in text_of(fig)


def test_direct_labels_have_a_halo_of_paper():
    fig, ax = plt.subplots()
    ax.text(0.5, 0.5, "named", gid="halo")
    named = next(e for e in clean(fig).iter("text") if e.text == "named")
    assert named.attrib["paint-order"] == "stroke"
    assert named.attrib["stroke"] == PALETTE["paper"][0]


@pytest.mark.parametrize("name", CYCLE)
def test_palette_colours_become_variables(name):
    light = PALETTE[name][0]
    assert themed(f'<g fill="{light}"/>') == f'<g fill="var(--fig-{name}, {light})"/>'


def test_theming_twice_changes_nothing_more():
    once = themed(text_of(busy_figure()))
    assert themed(once) == once
    assert "currentColor" in once


def test_ids_are_numbered_behind_the_prefix():
    text = number_ids('<svg><a id="x1"/><b id="x2"/><use xlink:href="#x2"/></svg>', "p")
    assert 'id="p-1"' in text
    assert 'xlink:href="#p-2"' in text
    ET.fromstring(number_ids("<svg ><use xlink:href='#a'/></svg>", "p"))
