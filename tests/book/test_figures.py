"""Figures: themed inline SVG with an accessible name, and no figure without words."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bs4 import BeautifulSoup
from small_book import SVG, build, complaints, page, write

from dlcourse import plot

# the book's `_ext` folder is on the path since small_book was imported
from figures import palette, palette_css  # isort: skip
from svg_inline import alt_of, inline_svg  # isort: skip

COLOURS = {"#1d6fb8": "blue"}
DRAWING = """<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
     width="144pt" height="72pt" viewBox="0 0 144 72"><!-- by a tool -->
<metadata>when</metadata><title>What it shows</title><style>*{stroke-linejoin: round}</style>
<defs><clipPath id="clip"><rect width="9" height="9"/></clipPath><path id="mark" d="M0 1"/></defs>
<g id="patch_1"><path d="M0 0h9" style="fill: #ffffff"/></g>
<g id="unused" clip-path="url(#clip)">
<path d="M0.123456 1.98765L2 3" style="fill: none; stroke: #1D6FB8"/>
<use xlink:href="#mark" style="fill: #123456; stroke: #000000"/>
<text style="font: 700 12px 'DejaVu Sans'; white-space: pre">Loss</text></g></svg>"""


def inlined(prefix: str = "fig-a") -> ET.Element:
    return ET.fromstring(inline_svg(DRAWING, alt="What it shows", prefix=prefix, palette=COLOURS))


def test_exact_colours_become_variables_and_black_the_text_colour() -> None:
    path, use = inlined().find(".//g/path"), inlined().find(".//use")
    assert path.get("stroke") == "var(--fig-blue, #1d6fb8)"
    assert use.attrib == {"href": "#fig-a-2", "fill": "#123456", "stroke": "currentColor"}


def test_nothing_remains_that_a_page_must_not_repeat_or_a_policy_refuses() -> None:
    root = inlined()
    assert {e.tag for e in root.iter()} == {
        "svg",
        "defs",
        "clipPath",
        "rect",
        "path",
        "g",
        "use",
        "text",
    }
    assert not [e for e in root.iter() if "style" in e.attrib]
    assert "#ffffff" not in ET.tostring(root, encoding="unicode")
    assert root.find(".//text").attrib == {"font-size": "12", "font-weight": "700"}


def test_ids_that_are_used_get_the_figures_prefix() -> None:
    ids = {e.get("id") for e in inlined("fig-b").iter()} - {None}
    assert ids == {"fig-b-1", "fig-b-2"}
    assert inlined("fig-b").find(".//g").get("clip-path") == "url(#fig-b-1)"


def test_the_figure_has_its_natural_size_in_pixels_and_a_name() -> None:
    root = inlined()
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == (
        "192",
        "96",
        "0 0 144 72",
    )
    assert (root.get("role"), root.get("aria-label")) == ("img", "What it shows")


def test_coordinates_are_rounded_to_two_decimals() -> None:
    assert inlined().find(".//g/path").get("d") == "M0.12 1.99L2 3"


@pytest.mark.parametrize(
    ("inside", "alt"),
    [("<title>A  title</title>", "A title"), ("<desc>Said</desc>", "Said"), ("<g/>", "")],
)
def test_the_alternative_text_is_read_from_the_drawing(inside: str, alt: str) -> None:
    assert alt_of(f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>') == alt


def test_figures_of_the_package_are_themed_completely() -> None:
    fig, ax = plot.axes()
    ax.plot([0, 1], [1, 0])
    plot.limit_line(ax, 0.5, "best possible: 0.5")
    shown = plot.show(fig, alt="A line falls from 1 to 0 across the limit at 0.5")
    names = {light: name for name, (light, _) in palette().items()}
    svg = inline_svg(shown.svg, alt=shown.alt, prefix="fig-x", palette=names)
    assert alt_of(shown.svg) == shown.alt
    assert "var(--fig-limit, " in svg
    assert not re.findall(r'(?:fill|stroke)="#', svg)
    assert "style=" not in svg


def test_every_colour_is_distinct_and_has_a_dark_partner() -> None:
    lights = [light for light, _ in palette().values()]
    assert len(set(lights)) == len(lights)
    for name, (light, dark) in palette().items():
        assert f"--fig-{name}:{light};" in palette_css()
        assert f"--fig-{name}:{dark};" in palette_css()


FIGURE = """# One

See {{numref}}`fig-loss`.

```{{figure}} loss.svg
{options}

{caption}
```
"""
NAMED = ":name: fig-loss"


def chapter(*, options: str = NAMED, caption: str = "The loss by step.", svg: str = "loss") -> str:
    text = FIGURE.format(options=options, caption=caption).replace("loss.svg", f"{svg}.svg")
    return text if NAMED in options else text.replace("See {numref}`fig-loss`.", "")


def test_a_complete_figure_stands_inline_and_keeps_its_number(tmp_path: Path) -> None:
    source = write(tmp_path, {"one.md": chapter(), "loss.svg": SVG})
    done = build(source)
    assert done.returncode == 0, done.stderr
    soup = BeautifulSoup(page(source, "one.html"), "html.parser")
    figure = soup.select_one("figure#fig-loss")
    assert figure.svg["aria-label"] == "The loss falls to 0.1 by step 40, then flattens"
    assert figure.select_one(".caption-number").text.strip() == "Figure 1.1"
    assert soup.select_one('a[href="#fig-loss"]').text == "Figure 1.1"
    assert not soup.select("img[src*=loss]")
    assert not (source / "_build/html/_images").exists()


def test_other_formats_keep_the_image_and_its_alternative_text(tmp_path: Path) -> None:
    source = write(tmp_path, {"one.md": chapter(), "loss.svg": SVG})
    done = build(source, builder="pseudoxml")
    assert done.returncode == 0, done.stderr
    text = page(source, "one.pseudoxml")
    assert '<image alt="The loss falls to 0.1 by step 40, then flattens"' in text


FAULTY = {
    "has no alt text": chapter(svg="mute"),
    "has a file name as its alt text: 'loss-final.svg'": chapter(
        options=f"{NAMED}2\n:alt: loss-final.svg"
    ),
    "repeats its caption as alt text": chapter(options=f"{NAMED}3\n:alt: 'the loss, by step'"),
    "has no name to refer to": chapter(options=":class: wide"),
    "has no caption": chapter(options=":name: fig-plain", caption=""),
}
TITLES = ["fig-loss", "fig-loss2", "fig-loss3", "The loss by step.", "fig-plain"]


def test_each_figure_that_lacks_words_fails_the_build_by_page_line_and_name(tmp_path: Path) -> None:
    pages = {f"page-{number}.md": text for number, text in enumerate(FAULTY.values())}
    mute = SVG.replace("<title>", "<g>").replace("</title>", "</g>")
    said = complaints(write(tmp_path, {**pages, "loss.svg": SVG, "mute.svg": mute})).splitlines()
    for number, (fault, title) in enumerate(zip(FAULTY, TITLES, strict=True)):
        line = next(line for line in said if fault in line)
        assert f"page-{number}.md:" in line
        assert f"figure “{title}” in page-{number} {fault}" in line
    assert len([line for line in said if "[figures]" in line]) == len(FAULTY)
