"""The playground's place on a page: whole without JavaScript, and loud when badly written."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

BOOK = Path(__file__).parents[2] / "book"
STATIC = BOOK / "_static/playground"
PARTS = ["random", "data", "network", "oracle", "simd-wasm", "simd", "engine", "state", "app"]
LARGEST = 60_000  # bytes, gzip, all scripts and the style sheet
CONF = f"""
import sys
sys.path.insert(0, {str(BOOK / "_ext")!r})
project, version, copyright, language = "Sample", "1", "nobody", "en-GB"
extensions = ["myst_parser", "playground"]
myst_enable_extensions = ["colon_fence"]
html_theme = "basic"
html_static_path = [{str(BOOK / "_static")!r}]
epub_show_urls = "no"
"""
APP = """# Page

:::{playground} Play
:name: play
:small:
:preset: dataset=xor&networkShape=4,2

It needs *JavaScript*.
:::
"""


def build(folder: Path, text: str, builder: str = "html") -> tuple[Path, str]:
    source = folder / "source"
    source.mkdir(parents=True)
    (source / "conf.py").write_text(CONF, "utf-8")
    (source / "index.md").write_text("# Home\n\n```{toctree}\npage\n```\n", "utf-8")
    (source / "page.md").write_text(text, "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", builder, str(source)]
    done = subprocess.run(
        [*command, str(folder / builder)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / builder, done.stderr


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out, warnings = build(tmp_path_factory.mktemp("playground"), APP)
    assert warnings == ""
    return out


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def test_without_javascript_there_is_a_sentence_and_no_control(small: Path) -> None:
    box = soup(small / "page.html").select_one("#play.playground.playground-small")
    assert box is not None
    assert box["data-preset"] == "dataset=xor&networkShape=4,2"
    assert box.select_one(".playground-still").get_text().strip() == "It needs JavaScript."
    assert box.select("button, input, select, canvas, script, style, [style]") == []


def test_only_the_page_with_a_playground_loads_the_scripts_in_order(small: Path) -> None:
    def scripts(name: str) -> list[str]:
        found = [s for s in soup(small / name).select("script[src]") if "/playground/" in s["src"]]
        assert all(s.has_attr("defer") and s.get("type") is None for s in found)
        return [s["src"].split("/")[-1].split(".js")[0] for s in found]

    assert scripts("page.html") == PARTS
    assert scripts("index.html") == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (APP.replace(":name: play\n", ""), "needs a “:name:”"),
        (APP.replace("It needs *JavaScript*.\n", ""), "needs a sentence"),
        (APP.replace("dataset=xor&", "dataset&"), "needs a “:preset:”"),
    ],
)
def test_what_is_badly_written_is_complained_of(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaint in build(tmp_path, text)[1]


def test_the_ebook_has_the_sentence_alone(tmp_path: Path) -> None:
    out, _ = build(tmp_path, APP, "epub")
    page = (out / "page.xhtml").read_text("utf-8")
    assert "It needs <em>JavaScript</em>." in page
    assert "data-preset" not in page


def test_the_whole_is_small() -> None:
    files = [STATIC / f"{part}.js" for part in PARTS] + [STATIC / "app.css"]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= LARGEST
