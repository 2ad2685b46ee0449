"""The written pages: without inline styles and scripts, small, the same bytes in every build."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from small_book import SVG, build, complaints, page, write

# the book's `_ext` folder is on the path since small_book was imported
import css  # isort: skip
from assets import Stamps, math_letters, rules  # isort: skip
from polish import polish, unpack  # isort: skip

CHAPTER = """---
file_format: mystnb
kernelspec:
  name: python3
language_info:
  name: python
  pygments_lexer: ipython3
---

# One

See {numref}`fig-loss`, [outside](https://example.org) and {eq}`eq-a`.

$$
\\begin{aligned} a &= \\mathcal{L} \\end{aligned}
$$ (eq-a)

```{code-cell} python
from dlcourse.neuron import perceptron

perceptron.step(z)
```

```{figure} loss.svg
:name: fig-loss

The loss by step.
```

:::{list-table}
:widths: 20 80
* - a
  - b
:::
"""
API = "# Names\n\n```{eval-rst}\n.. autofunction:: dlcourse.neuron.perceptron.step\n```\n"
INDEX = """# Home

```{toctree}
:caption: First
:numbered: 1

one
```

```{toctree}
:caption: Second
:numbered: 1

two
```

```{toctree}
api
```
"""
TWO = "# Two\n\n$$\nb\n$$ (eq-b)\n"


def sources(folder: Path) -> Path:
    files = {"index.md": INDEX, "one.md": CHAPTER, "two.md": TWO, "api.md": API, "loss.svg": SVG}
    return write(folder, files)


def everything(site: Path) -> dict[str, bytes]:
    """Read a built site, without what Sphinx keeps for itself."""
    files = (path for path in site.rglob("*") if path.is_file())
    content = {path.relative_to(site).as_posix(): path.read_bytes() for path in files}
    return {name: data for name, data in content.items() if not name.startswith(".")}


def without_index(content: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out the search index: Sphinx writes its words in another order when it rebuilds."""
    return {name: data for name, data in content.items() if name != "searchindex.js"}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = sources(tmp_path_factory.mktemp("book"))
    done = build(source, "-j", "2")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return source


@pytest.fixture(scope="module")
def pages(book: Path) -> dict[str, str]:
    files = (book / "_build/html").rglob("*.html")
    return {path.name: path.read_text(encoding="utf-8") for path in files}


def test_no_page_has_a_script_or_style_that_a_strict_policy_refuses(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        soup = BeautifulSoup(html, "html.parser")
        assert [tag for tag in soup("script") if not tag.get("src")] == [], name
        assert soup("style") == [], name
        found = {attribute for tag in soup() for attribute in tag.attrs}
        assert not {a for a in found if a == "style" or a.startswith("on")}, name


def test_pages_load_only_what_lies_beside_them(book: Path, pages: dict[str, str]) -> None:
    loaded = set()
    for html in pages.values():
        soup = BeautifulSoup(html, "html.parser")
        loaded |= {tag["src"] for tag in soup.select("[src]")}
        loaded |= {tag["href"] for tag in soup.select("link[rel=stylesheet], link[rel=icon]")}
    files = {url.partition("?")[0] for url in loaded}  # some carry a checksum: site.js?v=0a1b2c3d
    assert [file for file in files if not (book / "_build/html" / file).is_file()] == []
    sheet = (book / "_build/html/_static/site.css").read_text(encoding="utf-8")
    urls = set(re.findall(r"url\(([^)]+)\)", sheet))
    outside = [url for url in urls if not url.strip("\"'").startswith(("data:", "icons", "math"))]
    assert outside == []


def test_only_the_search_page_loads_the_index(pages: dict[str, str]) -> None:
    assert [name for name, html in pages.items() if "searchindex.js" in html] == ["search.html"]


def test_nothing_is_shipped_that_no_page_uses(book: Path) -> None:
    shipped = {path.name for path in (book / "_build/html/_static").rglob("*") if path.is_file()}
    assert shipped == {
        *(
            "site.css",
            "site.js",
            "early.js",
            "measured.js",
            "run-times.js",
            "math.woff2",
            "icons.woff2",
            "favicon.svg",
            "logo.svg",
        ),
        *("documentation_options.js", "doctools.js", "sphinx_highlight.js", "search-setup.js"),
        *("searchtools.js", "language_data.js"),
    }


def test_the_mathematical_font_holds_the_letters_and_sizes_in_use(book: Path) -> None:
    font = TTFont(book / "_build/html/_static/math.woff2")
    assert "MATH" in font
    assert {ord("𝑎"), ord("𝑏"), ord("="), ord("ℒ")} <= set(font.getBestCmap())
    assert ord("ℵ") not in font.getBestCmap()
    assert font["MATH"].table.MathVariants.VertGlyphCoverage.glyphs


def test_code_links_to_the_reference_and_links_outside_tell_nothing(pages: dict[str, str]) -> None:
    soup = BeautifulSoup(pages["one.html"], "html.parser")
    links = [link["href"] for link in soup.select("a.sphinx-codeautolink-a")]
    assert links == ["api.html#dlcourse.neuron.perceptron.step"]
    assert soup.select_one('a[href="https://example.org"]')["rel"] == ["noopener"]


def test_chapters_count_through_all_parts(pages: dict[str, str]) -> None:
    assert "(2.1)" in pages["two.html"]
    assert BeautifulSoup(pages["two.html"], "html.parser").h1.text.startswith("2")


def test_two_builds_give_the_same_bytes_in_parallel_or_not(book: Path) -> None:
    done = build(book, "-j", "1", out="_build/again")
    assert done.returncode == 0, done.stderr
    assert everything(book / "_build/again") == everything(book / "_build/html")


def test_rebuilds_change_only_what_they_must(book: Path) -> None:
    before = without_index(everything(book / "_build/html"))
    assert build(book).returncode == 0
    assert without_index(everything(book / "_build/html")) == before
    # a new number rewrites a page that is not read again; its code must keep its links
    index = book / "index.md"
    swapped = INDEX.replace("one\n", "?\n").replace("two\n", "one\n").replace("?\n", "two\n")
    index.write_text(swapped, encoding="utf-8")
    assert build(book).returncode == 0
    html = page(book, "one.html")
    assert "(2.1)" in html
    assert "sphinx-codeautolink-a" in html
    index.write_text(INDEX, encoding="utf-8")
    assert build(book).returncode == 0
    assert without_index(everything(book / "_build/html")) == before


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# One\n\n[x](nowhere.md)\n", "nowhere.md"),
        ("# One\n\n{numref}`fig-nowhere`\n", "fig-nowhere"),
        ("# One\n\n{term}`neuronn`\n", "neuronn"),
        ("# One\n\n{eq}`eq-nowhere`\n", "eq-nowhere"),
    ],
    ids=["page", "figure", "term", "equation"],
)
def test_a_broken_link_fails_the_build_by_line_and_target(
    tmp_path: Path, text: str, fault: str
) -> None:
    line = next(
        line for line in complaints(write(tmp_path, {"one.md": text})).splitlines() if fault in line
    )
    assert "one.md" in line


def test_polish_clears_what_other_tools_leave() -> None:
    html = polish(
        '<!-- unfinished --><div class="x" id="pst-primary-sidebar">'
        '<summary aria-label="Toggle hidden content"><p>Show the code</p></summary>'
        "<style scoped>\n.a{}\n</style>"
        '<table><tr style="text-align: right;"><th></th><th>a</th></tr>'
        '</table><dl>\n<dd><em class="sig-param">w</em>,</dd>\n</dl><dl><dt>Tensor</dt>\n</dl>'
    )
    assert html == (
        '<div class="x" id="pst-primary-sidebar" role="region" aria-label="Book">'
        "<summary><p>Show the code</p></summary>"
        '<table><tr data-style="text-align: right;"><td></td><th>a</th></tr>'
        '</table><span class="sig-lines"><span class="sig-line"><em class="sig-param">w</em>,'
        "</span>\n</span><dl><dt>Tensor</dt>\n<dd></dd></dl>"
    )


def test_embedded_images_become_files_that_are_shared(tmp_path: Path) -> None:
    image = '<image href="data:image/png;base64,iVBORw0KGgo="/>'
    html = unpack(f"{image}<p/>{image}", tmp_path, depth=1)
    (file,) = (tmp_path / "_images").iterdir()
    assert file.read_bytes() == b"\x89PNG\r\n\x1a\n"
    assert (
        html == f'<image href="../_images/{file.name}"/><p/><image href="../_images/{file.name}"/>'
    )


def test_style_attributes_become_rules() -> None:
    assert rules({"width: 20.0%; "}) == '[data-style="width: 20.0%; "]{width: 20.0%}\n'


@pytest.mark.parametrize(
    ("sheet", "kept"),
    [
        (".used,.unused{a:b}", ".used{a:b}"),
        (".used .unused{a:b}", ""),
        (".used:not(.unused) p{a:b}", ".used:not(.unused) p{a:b}"),
        ("p > a{a:b}", "p > a{a:b}"),
        ("@media print{.unused{a:b}#here{c:d}}", "@media print{#here{c:d}\n}"),
        ("@media print{.unused{a:b}}", ""),
        ('/* .x{ */ .used::after{content:"}"}', '.used::after{content:"}"}'),
        ("@keyframes turn{from{a:b}to{c:d}}", "@keyframes turn{from{a:b}to{c:d}}"),
        (r".used\:wide{a:b}", ""),
        ('@charset "UTF-8";@import url(x.css);.used{a:b}', ".used{a:b}"),
        (":is(.unused, p){a:b}", ":is(.unused, p){a:b}"),
    ],
)
def test_rules_that_nothing_can_match_are_left_out(sheet: str, kept: str) -> None:
    assert css.prune(sheet, {"used", "here"}).strip() == kept


def test_formulas_are_drawn_with_italic_letters() -> None:
    html = "<math><mi>h</mi><mi>α</mi><annotation>\\zeta</annotation><mo>&lt;</mo></math>"
    letters = math_letters(html)
    assert {"ℎ", "𝛼", "<"} <= letters
    assert not {"z", "\\"} & letters


def test_a_file_is_made_again_only_from_other_material(tmp_path: Path) -> None:
    made = []

    def make() -> bytes:
        made.append(1)
        return b"x"

    for material in ("ab", "ba", "abc"):
        Stamps(tmp_path / "stamps.json").write(tmp_path / "font", material, make)
    assert len(made) == 2
