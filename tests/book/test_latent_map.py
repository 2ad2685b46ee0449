"""The latent map's place on a page: whole without JavaScript, and loud when badly written."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

BOOK = Path(__file__).parents[2] / "book"
GIVEN = {
    "side": 2,
    "edge": 2.5,
    "images": [f"{k:x}0f{k:x}" for k in range(9)],
    "says": [["<7>", 10 * k] for k in range(9)],
}
CONF = f"""
import sys
sys.path.insert(0, {str(BOOK / "_ext")!r})
project, version, copyright, language = "Sample", "1", "nobody", "en-GB"
extensions = ["myst_nb", "latent_map"]
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "off"
html_theme = "basic"
html_static_path = [{str(BOOK / "_static")!r}]
"""
SENTENCE = "It needs *JavaScript*.\n"
MAP = f"# Page\n\n:::{{latent-map}} Digits\n:name: map\n:map: glue tiles\n\n{SENTENCE}:::\n"


def notebook(text: str, given: str) -> str:
    """Return a notebook whose stored output glues the map, so that no kernel is needed."""
    glued = {
        "output_type": "display_data",
        "data": {"text/plain": repr(given)},
        "metadata": {"scrapbook": {"name": "tiles", "mime_prefix": ""}},
    }
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {"tags": ["remove-cell"]}}
    cells = [
        {**cell, "source": "pass", "outputs": [glued]},
        {"cell_type": "markdown", "metadata": {}, "source": text},
    ]
    info = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return json.dumps({"cells": cells, "metadata": info, "nbformat": 4, "nbformat_minor": 4})


def build(folder: Path, text: str, given: str) -> tuple[Path, str]:
    source = folder / "source"
    source.mkdir(parents=True)
    (source / "conf.py").write_text(CONF, "utf-8")
    (source / "index.md").write_text("# Home\n\n```{toctree}\npage\n```\n", "utf-8")
    (source / "page.ipynb").write_text(notebook(text, given), "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", str(source), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html", done.stderr


def test_the_map_arrives_and_without_javascript_there_is_a_sentence(tmp_path: Path) -> None:
    out, warnings = build(tmp_path, MAP, json.dumps(GIVEN))
    assert warnings == ""
    page = BeautifulSoup((out / "page.html").read_text("utf-8"), "html.parser")
    box = page.select_one("#map.latent-map")
    assert box is not None
    assert json.loads(box["data-map"]) == GIVEN
    assert box.select_one(".latent-map-still").get_text().strip() == "It needs JavaScript."
    assert box.select("button, input, svg, canvas, script, style, [style]") == []
    (script,) = [s for s in page.select("script") if "latent-map" in str(s)]
    assert script.has_attr("defer")
    assert script.get("type") is None, "a module would not run from a file"
    assert "latent-map.js" not in (out / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        (MAP.replace("glue tiles", "glue other"), GIVEN, "asks for “other”"),
        (MAP.replace(":map: glue tiles\n", ""), GIVEN, "needs “:map: glue NAME”"),
        (MAP.replace(":name: map\n", ""), GIVEN, "needs a “:name:”"),
        (MAP.replace(SENTENCE, ""), GIVEN, "needs a sentence"),
        (MAP, GIVEN | {"images": GIVEN["images"][:8]}, "needs n × n images"),
        (MAP, GIVEN | {"images": GIVEN["images"][:4], "says": GIVEN["says"][:4]}, "n odd"),
        (MAP, GIVEN | {"images": ["0123"] * 8 + ["012g"]}, "needs 4 hexadecimal digits"),
        (MAP, GIVEN | {"side": 3}, "needs 9 hexadecimal digits"),
        (MAP, GIVEN | {"edge": 0}, "needs an edge above 0"),
        (MAP, GIVEN | {"says": GIVEN["says"][:8]}, "needs a class"),
        (MAP, GIVEN | {"says": [["7", 101]] * 9}, "needs a class"),
        (MAP, {"side": 2}, "needs an object with side"),
        (MAP, "no map", "needs an object with side"),
    ],
)
def test_what_is_badly_written_is_named(
    tmp_path: Path, text: str, given: dict[str, Any] | str, told: str
) -> None:
    _, warnings = build(tmp_path, text, json.dumps(given))
    assert told in warnings
