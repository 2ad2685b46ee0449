"""The playground's place on a page: whole without JavaScript, and loud when badly written."""

import gzip
from pathlib import Path

import pytest
from glued_book import BOOK, SENTENCE, box, build, soup

STATIC = BOOK / "_static"
PARTS = ["random", "data", "network", "oracle", "simd-wasm", "simd", "engine"]
PARTS += ["state", "limits", "paint", "app"]
SCRIPTS = ["elements.js", *(f"playground/{part}.js" for part in PARTS)]
LARGEST = 60_000  # bytes, gzip, all scripts and the style sheet
APP = f"""# Page

:::{{playground}} Play
:name: play
:small:
:preset: dataset=xor&networkShape=4,2

{SENTENCE}:::

{{setup}}`dataset=gauss&seed=2`
"""
BAD = [
    (APP.replace(":name: play\n", ""), "playground “Play” needs a “:name:”"),
    (APP.replace(SENTENCE, ""), "playground “Play” needs a sentence"),
    (APP.replace("dataset=xor&", "dataset&"), "playground “Play” needs a “:preset:”"),
    (APP.replace("dataset=gauss", "dataset"), "{setup} needs a hash"),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out, said = build(tmp_path_factory.mktemp("playground"), "playground", [(APP, None)])
    assert said == [""]
    return out


def test_without_javascript_there_is_a_sentence_and_no_control(small: Path) -> None:
    found = box(small, "#play.playground.playground-small", SCRIPTS)
    assert found["data-preset"] == "dataset=xor&networkShape=4,2"


def test_a_link_sets_the_playground_up(small: Path) -> None:
    link = soup(small / "part/page0.html").select_one("a.playground-setup")
    assert (link["href"], link.get_text()) == ("#dataset=gauss&seed=2", "Set it up")


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    pages = [(text, None) for text, _ in BAD]
    return build(tmp_path_factory.mktemp("bad"), "playground", pages)[1]


@pytest.mark.parametrize("k", range(len(BAD)))
def test_what_is_badly_written_is_named(complaints: list[str], k: int) -> None:
    assert complaints[k].count("WARNING") == 1
    assert BAD[k][1] in complaints[k]


def test_the_ebook_has_the_sentence_alone(tmp_path: Path) -> None:
    out, said = build(tmp_path, "playground", [(APP, None)], "epub")
    assert said == [""]
    page = (out / "part/page0.xhtml").read_text("utf-8")
    assert "It needs <em>JavaScript</em>." in page
    assert "data-preset" not in page
    assert "Set it up" not in page


def test_the_whole_is_small() -> None:
    files = [STATIC / name for name in [*SCRIPTS, "playground/app.css"]]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= LARGEST
