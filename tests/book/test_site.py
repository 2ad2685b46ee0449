"""The gates: what every page of the built book, and every chapter's source, must be."""

import importlib
import pkgutil
import re
import statistics
import zlib
from pathlib import Path

import pytest
from site_checks import CHECKS, Page, chapters, first_uses, foreign_in_code, private_paths
from small_book import BOOK

import dlcourse

# the book's `_ext` folder is on the path since small_book was imported
from notebook_source import Cell, Directive, Text, read_chapter  # isort: skip

pytestmark = pytest.mark.site

SOURCES = sorted(p for p in BOOK.rglob("*.md") if not p.relative_to(BOOK).parts[0].startswith("_"))
PAGES = [p.relative_to(BOOK).with_suffix(".html").as_posix() for p in SOURCES] + ["search.html"]
PARTS = ("neuron", "learning", "vision", "sequences", "generative", "labs")
CHAPTERS = [p for p in SOURCES if p.relative_to(BOOK).parts[0] in PARTS]
MODULES = [dlcourse.__name__] + [
    module.name for module in pkgutil.walk_packages(dlcourse.__path__, "dlcourse.")
]
KNOWN: dict[Path, set[str]] = {}  # the ids of each page, read once


def chapter_id(path: Path) -> str:
    return path.relative_to(BOOK).with_suffix("").as_posix()


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {name: Page(site, name) for name in PAGES}


def test_the_site_holds_the_pages_of_the_sources_and_no_other(site: Path) -> None:
    assert sorted(p.relative_to(site).as_posix() for p in site.rglob("*.html")) == sorted(PAGES)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", PAGES)
def test_page(pages: dict[str, Page], name: str, check) -> None:
    page = pages[name]
    faults = list(check(page, KNOWN) if check.__name__ == "links" else check(page))
    assert not faults, "\n".join([f"{name}: {check.__doc__}", *faults])


def test_scripts_and_style_sheets_load_nothing_from_other_sites(site: Path) -> None:
    faults = [
        f"{path.relative_to(site)} {fault}"
        for path in sorted([*site.rglob("*.js"), *site.rglob("*.css"), *site.rglob("*.svg")])
        for fault in foreign_in_code(path.read_text("utf-8"))
    ]
    assert not faults, "\n".join(faults)


def test_no_file_tells_where_it_was_built(site: Path) -> None:
    faults = []
    for path in sorted(p for p in site.rglob("*") if p.is_file()):
        content = path.read_bytes()
        if path.name == "objects.inv":
            content = zlib.decompress(content.split(b"zlib.\n", 1)[1])
        faults += [f"{path.name}: {f}" for f in private_paths(content.decode("utf-8", "replace"))]
    assert not faults, "\n".join(faults)


# --- the sources of the chapters ----------------------------------------------------------------


def lines_of_code(cell: Cell) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def test_there_are_chapters() -> None:
    assert {"neuron/perceptron", "neuron/activations", "neuron/multilayer"} <= set(
        map(chapter_id, CHAPTERS)
    )


def long_cells(path: Path) -> list[str]:
    """Complain of cells that are too long to be read as one idea."""
    cells = [b for b in read_chapter(path) if isinstance(b, Cell) and "remove-cell" not in b.tags]
    faults = [
        f"{path.name}:{cell.line}: a cell of {lines_of_code(cell)} lines, at most 25 are allowed"
        for cell in cells
        if lines_of_code(cell) > 25 and "remove-input" not in cell.tags
    ]
    visible = [c for c in cells if not {"hide-input", "hide-cell", "remove-input"} & set(c.tags)]
    median = statistics.median(map(lines_of_code, visible))
    if median > 5:
        faults.append(f"{path.name}: the median cell has {median} lines, at most 5 are allowed")
    return faults


@pytest.mark.parametrize("path", CHAPTERS, ids=chapter_id)
def test_cells_are_short(path: Path) -> None:
    faults = long_cells(path)
    assert not faults, "\n".join(faults)


def words(text: str) -> int:
    """Count the words of Markdown, a formula as one word."""
    text = re.sub(r"\$\$.*?\$\$|\$[^$]+\$", "x", text, flags=re.DOTALL)
    text = re.sub(r"```.*?```|<!--.*?-->|\{[\w:+-]+\}|\]\([^)]*\)", " ", text, flags=re.DOTALL)
    return len(re.findall(r"[\w’'-]*\w", text))


def n_words(path: Path) -> int:
    """Count the words that a reader of a chapter reads."""
    # exercises, their solutions and quizzes are work, not reading
    work = {"exercise", "solution", "hint", "quiz", "literalinclude", "figure"}
    return sum(
        words(block.source if isinstance(block, Text) else block.body)
        for block in read_chapter(path)
        if isinstance(block, Text) or (isinstance(block, Directive) and block.name not in work)
    )


@pytest.mark.parametrize("path", CHAPTERS, ids=chapter_id)
def test_a_chapter_is_of_readable_length(path: Path) -> None:
    n = n_words(path)
    assert 1500 <= n <= 4000, f"{path.name} has {n:,} words, expected 1,500 to 4,000"


def test_planted_lengths_are_seen(tmp_path: Path) -> None:
    def chapter(*cells: int, words: int = 0) -> Path:
        code = ["```{code-cell} python\n" + "x = 1\n" * n + "```\n" for n in cells]
        quiz = ":::{exercise} Not reading\nNo word of this counts.\n:::\n"
        path = tmp_path / "planted.md"
        path.write_text("\n".join(["word " * words, *code, quiz]), "utf-8")
        return path

    assert long_cells(chapter(5, 5, 25)) == []
    assert long_cells(chapter(5, 5, 26)) == [
        "planted.md:19: a cell of 26 lines, at most 25 are allowed"
    ]
    assert long_cells(chapter(6, 6)) == [
        "planted.md: the median cell has 6.0 lines, at most 5 are allowed"
    ]
    assert n_words(chapter(5, words=1234)) == 1234


# --- the reference pages ------------------------------------------------------------------------


def is_public(module: str) -> bool:
    """Say whether readers import from a module: of a package that offers names, only from there."""
    package = module.rpartition(".")[0]
    return not package or not getattr(importlib.import_module(package), "__all__", [])


@pytest.mark.parametrize("module", [name for name in MODULES if is_public(name)])
def test_every_public_name_stands_in_the_reference(pages: dict[str, Page], module: str) -> None:
    offered = importlib.import_module(module)
    listed = pages["reference/api.html"].ids
    missing = []
    for name in getattr(offered, "__all__", []):
        home = getattr(getattr(offered, name), "__module__", module)
        if not {f"{module}.{name}", f"{home}.{name}"} & listed:
            missing.append(name)
    assert not missing, f"reference/api has no entry for {', '.join(missing)} of {module}"


def test_every_module_says_what_is_public() -> None:
    modules = [importlib.import_module(name) for name in MODULES]
    silent = [
        m.__name__ for m in modules if not hasattr(m, "__path__") and not hasattr(m, "__all__")
    ]
    assert not silent, f"no __all__ in {', '.join(silent)}"


def test_terms_are_linked_where_the_book_first_uses_them(site: Path) -> None:
    in_order = chapters(site)
    assert {page.path.with_suffix("").relative_to(site).as_posix() for page in in_order} == set(
        map(chapter_id, CHAPTERS)
    ), "the contents should list every chapter"
    faults = list(first_uses(in_order, Page(site, "reference/glossary.html")))
    assert not faults, "\n".join(faults)


def test_every_term_of_the_glossary_is_used(site: Path) -> None:
    glossary = Page(site, "reference/glossary.html")
    known = {tag["id"] for tag in glossary.soup.select("dt[id^=term-]")}
    used = set()
    for path in site.rglob("*.html"):
        used |= set(re.findall(r"glossary\.html#(term-[\w-]+)", path.read_text("utf-8")))
    assert known, "the glossary is empty"
    assert not known - used, f"defined but never linked: {', '.join(sorted(known - used))}"
