"""The word map's place on a page: whole without JavaScript, and loud when badly written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

BOOK = Path(__file__).parents[2] / "book"
WORDS = [["left", 0, 10, [1]], ["<right>", 1000, 20, [0]]]
CONF = f"""
import sys
sys.path.insert(0, {str(BOOK / "_ext")!r})
project, version, copyright, language = "Sample", "1", "nobody", "en-GB"
extensions = ["myst_nb", "word_map"]
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "off"
html_theme = "basic"
html_static_path = [{str(BOOK / "_static")!r}]
"""
MAP = (
    "# Page\n\n:::{word-map} Words\n:name: map\n:words: glue rows\n\nIt needs *JavaScript*.\n:::\n"
)


def notebook(text: str, rows: str) -> str:
    """Return a notebook whose stored output glues the rows, so that no kernel is needed."""
    glued = {
        "output_type": "display_data",
        "data": {"text/plain": repr(rows)},
        "metadata": {"scrapbook": {"name": "rows", "mime_prefix": ""}},
    }
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {"tags": ["remove-cell"]}}
    cells = [
        {**cell, "source": "pass", "outputs": [glued]},
        {"cell_type": "markdown", "metadata": {}, "source": text},
    ]
    info = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return json.dumps({"cells": cells, "metadata": info, "nbformat": 4, "nbformat_minor": 4})


def build(folder: Path, text: str, rows: str) -> tuple[Path, str]:
    source = folder / "source"
    source.mkdir(parents=True)
    (source / "conf.py").write_text(CONF, "utf-8")
    (source / "index.md").write_text("# Home\n\n```{toctree}\npage\n```\n", "utf-8")
    (source / "page.ipynb").write_text(notebook(text, rows), "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", str(source), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html", done.stderr


def test_the_words_arrive_and_without_javascript_there_is_a_sentence(tmp_path: Path) -> None:
    out, warnings = build(tmp_path, MAP, json.dumps(WORDS))
    assert warnings == ""
    page = BeautifulSoup((out / "page.html").read_text("utf-8"), "html.parser")
    box = page.select_one("#map.word-map")
    assert box is not None
    assert json.loads(box["data-words"]) == WORDS
    assert box.select_one(".word-map-still").get_text().strip() == "It needs JavaScript."
    assert box.select("button, input, svg, script, style, [style]") == []
    (script,) = [s for s in page.select("script") if "word-map" in str(s)]
    assert script.has_attr("defer")
    assert script.get("type") is None, "a module would not run from a file"
    assert "word-map.js" not in (out / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "rows", "told"),
    [
        (MAP.replace("glue rows", "glue other"), WORDS, "asks for “other”"),
        (MAP.replace(":words: glue rows\n", ""), WORDS, "needs “:words: glue NAME”"),
        (MAP.replace(":name: map\n", ""), WORDS, "needs a “:name:”"),
        (MAP.replace("It needs *JavaScript*.\n", ""), WORDS, "needs a sentence"),
        (MAP, [["left", 0, 1001, []]], "needs rows of"),
        (MAP, [["left", 0, 0, [1]]], "needs rows of"),
        (MAP, [], "needs rows of"),
        (MAP, "no rows", "needs rows of"),
    ],
)
def test_what_is_badly_written_is_named(
    tmp_path: Path, text: str, rows: list[list[object]], told: str
) -> None:
    _, warnings = build(tmp_path, text, json.dumps(rows))
    assert told in warnings
