"""A small book for one directive, whose pages glue data in stored outputs: no kernel is needed."""

import json
import re
import subprocess
import sys
from pathlib import Path

from bs4 import BeautifulSoup

BOOK = Path(__file__).parents[2] / "book"
SENTENCE = "It needs *JavaScript*.\n"
CONF = """
import sys
sys.path.insert(0, {extensions!r})
project, version, copyright, language = "Sample", "1", "nobody", "en-GB"
extensions = ["myst_nb", {name!r}]
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "off"
html_theme = "basic"
html_static_path = [{static!r}]
epub_show_urls = "no"
"""


def notebook(text: str, data: object) -> str:
    """Return a notebook of one text, where `data` are glued as JSON and the name `data`."""
    glued = {
        "output_type": "display_data",
        "data": {"text/plain": repr(json.dumps(data))},
        "metadata": {"scrapbook": {"name": "data", "mime_prefix": ""}},
    }
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {"tags": ["remove-cell"]}}
    cells = [
        {**cell, "source": "pass", "outputs": [glued]},
        {"cell_type": "markdown", "metadata": {}, "source": text},
    ]
    info = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return json.dumps({"cells": cells, "metadata": info, "nbformat": 4, "nbformat_minor": 4})


def build(
    folder: Path, extension: str, pages: list[tuple[str, object]], builder: str = "html"
) -> tuple[Path, list[str]]:
    """Build pages of text and data; return the folder and what Sphinx says of each page.

    The pages are `part/page0`, `part/page1` and so on, under the home page `index`.
    """
    source, out = folder / "source", folder / builder
    (source / "part").mkdir(parents=True)
    conf = CONF.format(extensions=str(BOOK / "_ext"), name=extension, static=str(BOOK / "_static"))
    (source / "conf.py").write_text(conf, "utf-8")
    names = [f"part/page{k}" for k in range(len(pages))]
    toctree = "\n".join(["# Home", "", "```{toctree}", *names, "```", ""])
    (source / "index.md").write_text(toctree, "utf-8")
    for name, (text, data) in zip(names, pages, strict=True):
        (source / f"{name}.ipynb").write_text(notebook(text, data), "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", builder]
    command += ["-d", str(folder / "doctrees"), str(source), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr)
    lines = [line for line in said.splitlines() if "WARNING" in line]
    return out, ["\n".join(one for one in lines if f"{name}.ipynb" in one) for name in names]


def soup(path: Path) -> BeautifulSoup:
    """Read a page."""
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def box(site: Path, selector: str, scripts: list[str]) -> BeautifulSoup:
    """Return the box on the first page, which has a still sentence, and its scripts in order."""
    page = soup(site / "part/page0.html")
    found = page.select_one(selector)
    assert found is not None
    assert "It needs JavaScript." in found.select_one("[class$=-still]").get_text()
    assert found.select("button, input, select, canvas, script, style, [style]") == []

    def loaded(page: BeautifulSoup) -> list[str]:
        here = [s for s in page.select("script[src]") if "_static" in s["src"]]
        here = [s for s in here if s["src"].split("_static/")[1].split("?")[0] in scripts]
        assert all(s.has_attr("defer") for s in here)
        assert all(s.get("type") is None for s in here), "a module would not run from a file"
        return [s["src"].split("_static/")[1].split("?")[0] for s in here]

    assert loaded(page) == scripts
    assert loaded(soup(site / "index.html")) == []
    return found
