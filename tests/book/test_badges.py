"""The badges of a chapter, the table of run times, and that nothing measured stands in a page."""

import json
import re
from pathlib import Path

import pytest
import small_book
from bs4 import BeautifulSoup

# the book's `_ext` folder is on the path since small_book was imported
from reading import Counts  # isort: skip

FRONT = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
"""
WORDS = "word " * 400
CODE = "\n".join(f"x{i} = {i}" for i in range(24))
CHAPTER = f"""{FRONT}gpu: optional
prerequisites: school algebra & Python
---
# A chapter

{WORDS}

```{{code-cell}} python
{CODE}
```

```{{code-cell}} python
:tags: [hide-input]
hidden = 1
also = 2
```

:::{{exercise}} One
:name: ex-one
:difficulty: 1
Pen and paper.
:::

:::{{solution}}
{WORDS}
:::
"""
TABLE = "# Run times\n\n```{run-times}\n```\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small book of one chapter, with the page of run times."""
    pages = {"part/one.md": CHAPTER, "part/two.md": "# Two\n\nNo code.\n"}
    toctree = "```{toctree}\n:numbered: 1\n\npart/one\npart/two\n```\n"
    table = "```{toctree}\nreference/run-times\n```\n"
    others = {
        "index.md": f"# Home\n\nTake {{all-notebooks}}`all notebooks`.\n\n{toctree}\n{table}",
        "reference/run-times.md": TABLE,
    }
    folder = small_book.write(tmp_path_factory.mktemp("badges"), pages | others)
    done = small_book.build(folder)
    assert done.returncode == 0, done.stderr
    return folder


def soup(folder: Path, page: str) -> BeautifulSoup:
    return BeautifulSoup(small_book.page(folder, page), "lxml")


def badges(page: BeautifulSoup) -> list[str]:
    return [item.get_text() for item in page.select("ul.badges > li")]


def test_badges_say_what_a_chapter_takes(small: Path) -> None:
    page = soup(small, "part/one.html")
    assert badges(page) == [
        "4 min to read",  # 400 words at 200 a minute, 24 lines at 12; folds do not count
        "runs in under a minute",
        "GPU: optional",
        "needs: school algebra & Python",
        "Notebook",
        "Notebook with solutions",
    ]
    heading = page.select_one("article h1")
    assert heading is not None
    assert heading.find_next_sibling().get("aria-label") == "About this chapter"


def test_pages_that_are_no_chapters_have_no_badges(small: Path) -> None:
    for name in ("index.html", "part/two.html", "reference/run-times.html"):
        assert badges(soup(small, name)) == []


def test_the_links_to_notebooks_lead_to_files(small: Path) -> None:
    for name in ("part/one.html", "index.html"):
        links = soup(small, name).select("a[download]")
        assert links
        for link in links:
            assert (small / "_build/html" / name).parent.joinpath(link["href"]).is_file()


def test_services_are_linked_only_by_a_site_that_knows_its_repository(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not re.search("colab|binder", small_book.page(small, "part/one.html"))
    monkeypatch.setenv("BOOK_REPOSITORY", "someone/course")
    done = small_book.build(small, "-d", str(small / "public"), out="_build/public")
    assert done.returncode == 0, done.stderr
    page = BeautifulSoup(small_book.page(small, "part/one.html", out="_build/public"), "lxml")
    links = {a.get_text(): a["href"] for a in page.select("ul.badges a")}
    colab, binder = links["Open in Colab"], links["Open in Binder"]
    assert colab.endswith("/github/someone/course/blob/notebooks/part/one.ipynb")
    assert binder.endswith("/gh/someone/course/notebooks?labpath=part/one.ipynb")
    notebook = (small / "_build/public/notebooks/part/one.ipynb").read_text("utf-8")
    assert '%pip install -q \\"dlcourse @ git+https://github.com/someone/course\\"' in notebook


def test_an_unknown_word_for_the_gpu_stops_the_build(tmp_path: Path) -> None:
    book = small_book.write(tmp_path, {"one.md": CHAPTER.replace("gpu: optional", "gpu: maybe")})
    said = small_book.build(book).stderr
    assert "“gpu” should be one of no use, optional, not 'maybe'" in said


def test_the_table_lists_chapters_and_what_is_counted(small: Path) -> None:
    rows = soup(small, "reference/run-times.html").select("table.run-times tbody tr")
    cells = [[cell.get_text(strip=True) for cell in row.select("td")] for row in rows]
    assert len(cells) == 1
    title, seconds, memory, n_cells, words, minutes = cells[0]
    assert title == "1\N{EN SPACE}A chapter"
    assert (seconds, memory) == ("under a minute", "not known")
    assert (n_cells, minutes) == ("2", "4")
    assert 400 < int(words) < 420


def test_the_table_follows_a_changed_chapter(tmp_path: Path) -> None:
    pages = {"part/one.md": CHAPTER, "reference/run-times.md": TABLE}
    book = small_book.write(tmp_path, pages)
    assert small_book.build(book).returncode == 0
    small_book.write(tmp_path, {**pages, "part/one.md": CHAPTER.replace("# A", "# Another")})
    assert small_book.build(book).returncode == 0
    table = soup(book, "reference/run-times.html").select_one("table.run-times")
    assert table is not None
    assert "Another chapter" in table.get_text()


def test_reading_takes_at_least_a_minute() -> None:
    assert Counts(words=10, code_lines=0, cells=1).minutes == 1
    assert Counts(words=2000, code_lines=120, cells=1).minutes == 20


# --- the book -----------------------------------------------------------------------------------


def measured(site: Path) -> dict[str, dict[str, dict[str, float]]]:
    text = (site / "_static/run-times.js").read_text("utf-8")
    return json.loads(re.search(r"= (\{.*\});", text, re.DOTALL)[1])


@pytest.mark.site
def test_the_file_of_measured_figures_covers_every_chapter(site: Path) -> None:
    found = measured(site)
    notebooks = {p.relative_to(site / "notebooks") for p in site.glob("notebooks/*/*.ipynb")}
    chapters = {p.with_suffix("").as_posix() for p in notebooks if "-solutions" not in p.stem}
    assert set(found["chapters"]) == chapters
    for name, figures in found["chapters"].items():
        assert figures["seconds"] > 0, name
        assert 100 < figures["peak_mb"] < 16_000, f"{name}: {figures['peak_mb']} MB"
    assert re.search(r"\d processor cores? .*Python 3\.\d+", found["machine"])


@pytest.mark.site
def test_pages_hold_limits_and_load_what_was_measured(site: Path) -> None:
    for name in [*measured(site)["chapters"], "reference/run-times"]:
        page = BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "lxml")
        scripts = [str(tag.get("src", "")) for tag in page.find_all("script")]
        assert "../_static/run-times.js" in scripts
        assert any(script.startswith("../_static/measured.js") for script in scripts)
        for place in page.select("[data-measured]"):
            assert not re.search(r"\d", place.get_text()), f"{name}: {place}"


@pytest.mark.site
def test_no_other_page_loads_the_measured_figures(site: Path) -> None:
    named = {f"{name}.html" for name in [*measured(site)["chapters"], "reference/run-times"]}
    for path in site.rglob("*.html"):
        if path.relative_to(site).as_posix() not in named:
            assert "run-times.js" not in path.read_text("utf-8"), path
