"""The game's place on a page: whole without JavaScript, and loud when badly written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

BOOK = Path(__file__).parents[2] / "book"
FIRST = "g" + 63 * "0"
ROUNDS = [[FIRST, 1, 1], [32 * "08", 0, 1]]
INTERVALS = [[0, 84.2], [1.3, 98.7], [15.8, 100]]
FINE = {"rounds": ROUNDS, "intervals": INTERVALS}
CONF = f"""
import sys
sys.path.insert(0, {str(BOOK / "_ext")!r})
project, version, copyright, language = "Sample", "1", "nobody", "en-GB"
extensions = ["myst_nb", "game"]
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "off"
html_theme = "basic"
html_static_path = [{str(BOOK / "_static")!r}]
"""
GAME = "# Page\n\n:::{game} Real?\n:name: it\n:rounds: glue rounds\n\nIt needs *JavaScript*.\n:::\n"


def notebook(text: str, data: str) -> str:
    """Return a notebook whose stored output glues the rounds, so that no kernel is needed."""
    glued = {
        "output_type": "display_data",
        "data": {"text/plain": repr(data)},
        "metadata": {"scrapbook": {"name": "rounds", "mime_prefix": ""}},
    }
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {"tags": ["remove-cell"]}}
    cells = [
        {**cell, "source": "pass", "outputs": [glued]},
        {"cell_type": "markdown", "metadata": {}, "source": text},
    ]
    info = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return json.dumps({"cells": cells, "metadata": info, "nbformat": 4, "nbformat_minor": 4})


def build(folder: Path, text: str, data: str) -> tuple[Path, str]:
    source = folder / "source"
    source.mkdir(parents=True)
    (source / "conf.py").write_text(CONF, "utf-8")
    (source / "index.md").write_text("# Home\n\n```{toctree}\npage\n```\n", "utf-8")
    (source / "page.ipynb").write_text(notebook(text, data), "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", str(source), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html", done.stderr


def test_the_rounds_arrive_and_without_javascript_there_are_images_with_answers(
    tmp_path: Path,
) -> None:
    out, warnings = build(tmp_path, GAME, json.dumps(FINE))
    assert warnings == ""
    page = BeautifulSoup((out / "page.html").read_text("utf-8"), "html.parser")
    box = page.select_one("#it.game")
    assert box is not None
    assert json.loads(box["data-game"]) == FINE
    still = box.select_one(".game-still")
    assert "It needs JavaScript." in still.get_text()
    assert box.select("button, script, style, [style]") == []
    first, second = still.select("ol.game-list > li")
    assert first.details.p.get_text() == "It is real. The detector was right."
    assert second.details.p.get_text() == "It is generated. The detector was wrong."
    assert not first.details.has_attr("open")
    (path,) = first.select("svg path")
    assert (path["d"], path["fill-opacity"]) == ("M0 0h1v1h-1z", "1")
    (path,) = second.select("svg path")
    assert path["d"].count("M") == 32
    assert path["fill-opacity"] == "0.5"
    assert all(svg["aria-hidden"] == "true" for svg in still.select("svg"))
    (script,) = [s for s in page.select("script") if "game" in str(s)]
    assert script.has_attr("defer")
    assert script.get("type") is None, "a module would not run from a file"
    assert "game.js" not in (out / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "data", "told"),
    [
        (GAME.replace("glue rounds", "glue other"), FINE, "asks for “other”"),
        (GAME.replace(":rounds: glue rounds\n", ""), FINE, "needs “:rounds: glue NAME”"),
        (GAME.replace(":name: it\n", ""), FINE, "needs a “:name:”"),
        (GAME.replace("It needs *JavaScript*.\n", ""), FINE, "needs a sentence"),
        (GAME, FINE | {"rounds": [["g", 1, 1], ROUNDS[1]]}, "needs rounds of"),
        (GAME, FINE | {"rounds": [[64 * "h", 1, 1], ROUNDS[1]]}, "needs rounds of"),
        (GAME, FINE | {"rounds": [[FIRST, 2, 1], ROUNDS[1]]}, "needs rounds of"),
        (GAME, FINE | {"intervals": INTERVALS[:2]}, "needs rounds of"),
        (GAME, {"rounds": [], "intervals": [[0, 100]]}, "needs rounds of"),
        (GAME, {"rounds": ROUNDS}, "needs rounds of"),
        (GAME, "no rounds", "needs rounds of"),
    ],
)
def test_what_is_badly_written_is_named(tmp_path: Path, text: str, data: object, told: str) -> None:
    _, warnings = build(tmp_path, text, json.dumps(data))
    assert told in warnings


def test_the_script_stores_nothing_and_writes_no_markup() -> None:
    script = (BOOK / "_static" / "game.js").read_text("utf-8")
    for word in ("innerHTML", "localStorage", "sessionStorage", "cookie", "fetch(", ".style"):
        assert word not in script
