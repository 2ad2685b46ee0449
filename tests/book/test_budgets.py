"""What a page weighs, what a chapter takes to run, and what need not be done twice."""

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urldefrag

import pytest
from site_checks import LINKS_THAT_LOAD, LOADS, Page
from small_book import BOOK

PAGE_BYTES = 250_000
CHAPTER_SECONDS = 25
# The budget holds for one chapter on an idle machine. A build runs as many at a time as there are
# cores, on machines that do other things too, so only twice as much is certainly too much.
BUSY = 2


def loaded(page: Page) -> Iterator[Path]:
    """Yield each file that a browser asks for when it opens a page, or may ask for."""
    addresses = set()
    for tag in page.soup.find_all(True):
        if tag.name in LOADS or (tag.name == "link" and LINKS_THAT_LOAD & set(tag.get("rel", []))):
            name = LOADS.get(tag.name, "href")
            addresses.add(urldefrag(str(tag.get(name) or tag.get("xlink:href") or ""))[0])
    files = {
        (page.path.parent / a.split("?")[0]).resolve() for a in addresses if a and ":" not in a
    }
    for file in list(files):
        if file.suffix == ".css":
            inside = re.findall(r"url\(['\"]?(?!data:)([^'\")?#]+)", file.read_text("utf-8"))
            files |= {(file.parent / address).resolve() for address in inside}
    return iter(sorted({page.path.resolve(), *files}))


def weigh(page: Page) -> dict[str, int]:
    """Weigh the files of a page as they travel: text compressed, fonts and images as they are."""
    return {
        file.name: min(len(gzip.compress(file.read_bytes(), mtime=0)), file.stat().st_size)
        for file in loaded(page)
    }


@pytest.mark.site
def test_every_page_is_light_on_first_load(site: Path) -> None:
    faults = []
    for path in sorted(site.rglob("*.html")):
        page = Page(site, path.relative_to(site).as_posix())
        weights = weigh(page)
        assert "site.css" in weights, f"{page.name} has lost its style sheet"
        if sum(weights.values()) > PAGE_BYTES:
            heaviest = sorted(weights.items(), key=lambda item: -item[1])[:5]
            faults.append(f"{page.name} weighs {sum(weights.values()):,} bytes: {heaviest}")
    assert not faults, "\n".join(faults)


def test_a_heavy_page_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "site.css").write_text("a{src:url(a.woff2)}", "utf-8")
    (tmp_path / "a.woff2").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "big.png").write_bytes(b"\0" * 10)
    (tmp_path / "page.html").write_text(
        '<link rel="stylesheet" href="site.css"><svg><image href="big.png?v=1"/></svg>', "utf-8"
    )
    assert set(weigh(Page(tmp_path, "page.html"))) == {
        "page.html",
        "site.css",
        "a.woff2",
        "big.png",
    }


def slow(measured: dict[str, dict[str, float]]) -> list[str]:
    """Complain of chapters that run too long."""
    limit = BUSY * CHAPTER_SECONDS
    return [
        f"{name} runs {m['seconds']:.1f} s, more than {BUSY} × {CHAPTER_SECONDS} s"
        for name, m in measured.items()
        if m["seconds"] > limit
    ]


@pytest.mark.site
def test_every_chapter_runs_in_its_time(site: Path) -> None:
    measured = json.loads((BOOK / "_build/run-times.json").read_text("utf-8"))
    chapters = {name for name in measured if "/" in name}
    assert {"neuron/perceptron", "neuron/activations", "neuron/multilayer"} <= chapters
    assert not slow(measured), "\n".join(slow(measured))


def test_a_slow_chapter_is_named() -> None:
    measured = {"part/fast": {"seconds": 49.9}, "part/slow": {"seconds": 50.1}}
    assert slow(measured) == ["part/slow runs 50.1 s, more than 2 × 25 s"]


@pytest.mark.site
def test_a_rebuild_without_a_change_does_nothing(
    site: Path, build_again: Callable[[], subprocess.CompletedProcess[str]]
) -> None:
    def stamps() -> dict[str, int]:
        # Sphinx writes the search page in every build
        pages = (path for path in site.rglob("*.html") if path.name != "search.html")
        return {path.relative_to(site).as_posix(): path.stat().st_mtime_ns for path in pages}

    build_again()  # the sources may be newer than the site, if another build used a copy of it
    before = stamps()
    done = build_again()
    assert done.returncode == 0, done.stdout
    assert "executing" not in done.stdout
    assert "0 added, 0 changed, 0 removed" in done.stdout
    assert "no targets are out of date" in done.stdout
    assert stamps() == before


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import dlcourse; print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "dlcourse" in done.stdout.split()
    third_party = {name.split(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names
    assert third_party == {"dlcourse"}
