import gzip
import re
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import pytest

from dlcourse import plot
from dlcourse.plot.display import check_alt


def test_two_renderings_have_the_same_bytes(drawing, alt):
    first, second = plot.show(drawing(), alt=alt), plot.show(drawing(), alt=alt)
    assert first.svg == second.svg


def test_a_shown_figure_is_well_formed_named_and_small(drawing, alt):
    svg = plot.show(drawing(), alt=alt).svg
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == alt
    assert root[0].tag.endswith("title")
    assert root[0].text == alt
    assert len(gzip.compress(svg.encode())) <= 12_000
    assert "$" not in svg, "mathtext would not be shown as text"


def test_the_figure_is_closed_and_ids_of_two_figures_differ(alt):
    fig, ax = plot.axes()
    number = fig.number
    ax.plot([1, 2], "o")
    one = plot.show(fig, alt=alt)
    assert not plt.fignum_exists(number)
    fig, ax = plot.axes()
    ax.plot([2, 1], "o")
    two = plot.show(ax, alt=alt)
    ids = [set(re.findall(r' id="([^"]+)"', shown.svg)) for shown in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_it_displays_as_svg_and_reads_as_its_alt_text(alt, tmp_path):
    shown = plot.show(plot.axes()[0], alt=alt + "\n  and more")
    assert repr(shown) == alt + " and more"
    assert set(shown._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}
    assert ET.parse(shown.save(tmp_path / "figure.svg")).getroot().get("role") == "img"
    with pytest.raises(ValueError, match=r"figure.png.*savefig"):
        shown.save(tmp_path / "figure.png")


@pytest.mark.parametrize("text", ["", "too short", "figure_final_version_2.png", "x" * 40])
def test_alt_text_must_say_something(text):
    with pytest.raises(ValueError, match="what the figure shows"):
        check_alt(text)


def test_alt_text_is_text_and_what_is_shown_a_figure(alt):
    with pytest.raises(TypeError, match="NoneType"):
        check_alt(None)
    with pytest.raises(TypeError, match="Figure or Axes to show, got str"):
        plot.show("figure", alt=alt)


def test_angle_brackets_in_the_alt_text_do_no_harm():
    shown = plot.show(plot.axes()[0], alt='The loss is < 0.1 & "flat" after epoch 10')
    assert ET.fromstring(shown.svg).get("aria-label") == shown.alt
