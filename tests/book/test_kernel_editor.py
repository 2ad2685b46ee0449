"""The kernel editor's place on a page: whole without JavaScript, and loud when badly written."""

import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

BOOK = Path(__file__).parents[2] / "book"
IMAGES = {"china", "flower", "micrograph"}
LARGEST_SCRIPT = 20_480  # bytes
LARGEST_IMAGE = 150_000
PRESETS = {"edge": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], "<wide>": [[0.04] * 5] * 5}

CONF = f"""
import sys
sys.path.insert(0, {str(BOOK / "_ext")!r})
project, version, copyright, language = "Sample", "1", "nobody", "en-GB"
extensions = ["myst_nb", "kernel_editor"]
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "off"
html_theme = "basic"
html_static_path = [{str(BOOK / "_static")!r}]
epub_show_urls = "no"
"""
EDITOR = """# Page

:::{kernel-editor} Play
:name: editor
:presets: glue presets

It needs *JavaScript*.
:::
"""


def notebook(text: str) -> str:
    """Return a notebook whose stored output glues the presets, so that no kernel is needed."""
    glued = {
        "output_type": "display_data",
        "data": {"text/plain": repr(json.dumps(PRESETS))},
        "metadata": {"scrapbook": {"name": "presets", "mime_prefix": ""}},
    }
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {"tags": ["remove-cell"]}}
    cells = [
        {**cell, "source": "pass", "outputs": [glued]},
        {"cell_type": "markdown", "metadata": {}, "source": text},
    ]
    info = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return json.dumps({"cells": cells, "metadata": info, "nbformat": 4, "nbformat_minor": 4})


def build(folder: Path, text: str, builder: str = "html") -> tuple[Path, str]:
    source = folder / "source"
    (source / "part").mkdir(parents=True, exist_ok=True)
    (source / "conf.py").write_text(CONF, "utf-8")
    (source / "index.md").write_text("# Home\n\n```{toctree}\npart/page\nplain\n```\n", "utf-8")
    (source / "plain.md").write_text("# Plain\n\nNothing.\n", "utf-8")
    (source / "part/page.ipynb").write_text(notebook(text), "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", builder]
    command += ["-d", str(folder / "doctrees"), str(source), str(folder / builder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder / builder, done.stderr


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out, warnings = build(tmp_path_factory.mktemp("editor"), EDITOR)
    assert warnings == ""
    return out


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def test_without_javascript_there_is_a_sentence_and_no_control(small: Path) -> None:
    box = soup(small / "part/page.html").select_one("#editor.kernel-editor")
    assert box is not None
    assert box.select_one(".kernel-still").get_text().strip() == "It needs JavaScript."
    assert box.select("button, input, select, canvas, script, style, [style]") == []
    assert box.select_one("ul.kernel-images").has_attr("hidden")


def test_the_presets_arrive_as_the_chapter_glued_them(small: Path) -> None:
    box = soup(small / "part/page.html").select_one(".kernel-editor")
    assert json.loads(box["data-presets"]) == PRESETS


def test_only_the_page_with_an_editor_loads_the_script(small: Path) -> None:
    loads = {
        name: [s for s in soup(small / name).select("script") if "kernel-editor" in str(s)]
        for name in ("part/page.html", "plain.html")
    }
    (script,) = loads["part/page.html"]
    assert script.has_attr("defer")
    assert script.get("type") is None, "a module would not run from a file"
    assert loads["plain.html"] == []


def test_the_images_stand_beside_the_page_and_are_small(small: Path) -> None:
    page = small / "part/page.html"
    items = soup(page).select(".kernel-images li")
    assert {item["data-name"] for item in items} == IMAGES
    for item in items:
        file = (page.parent / item["data-src"]).resolve()
        code = file.read_text("utf-8")
        assert len(code) < LARGEST_IMAGE
        form = (
            r'\(window\.kernelImages \?\?= \{\}\)\["(\w+)"\] = \["(image/\w+)", "([\w+/=]+)"\];\n'
        )
        name, mime, data = re.fullmatch(form, code).groups()
        image = Image.open(io.BytesIO(base64.b64decode(data)))
        assert name == item["data-name"]
        assert Image.MIME[image.format] == mime
        assert image.mode == "L"
        assert max(image.size) <= 512
        assert np.asarray(image).std() > 20, "an image shows something"


def test_the_pictures_are_the_same_in_every_build(small: Path) -> None:
    sys.path.insert(0, str(BOOK / "_ext"))
    try:
        import kernel_editor
    finally:
        sys.path.remove(str(BOOK / "_ext"))
    for name in IMAGES:
        data = kernel_editor.picture(name)[1]
        code = (small / f"_static/kernel-editor/{name}.js").read_text("utf-8")
        assert base64.b64encode(data).decode() in code


def test_the_script_stays_small() -> None:
    assert len((BOOK / "_static/kernel-editor.js").read_bytes()) < LARGEST_SCRIPT


def test_an_ebook_has_the_sentence_alone(tmp_path: Path) -> None:
    out, warnings = build(tmp_path, EDITOR, "epub")
    assert "kernel" not in warnings
    text = (out / "part/page.xhtml").read_text("utf-8")
    assert "It needs <em>JavaScript</em>." in text
    assert "data-src" not in text
    assert "data-presets" not in text


@pytest.mark.parametrize(
    ("sound", "broken", "said"),
    [
        (":name: editor\n", "", "needs a “:name:”"),
        ("It needs *JavaScript*.\n", "", "needs a sentence for readers without JavaScript"),
        ("glue presets", "glue others", "asks for “others”, which the chapter does not glue"),
        (":presets: glue presets\n", "", "needs “:presets:”, kernels of 3 x 3 or 5 x 5"),
        ("glue presets", '{"a": [[1, 2], [3, 4]]}', "needs “:presets:”"),
        ("glue presets", '{"a": [[1, 2, 3], [3, 4, 5], [1]]}', "needs “:presets:”"),
        ("glue presets", "{no json", "needs “:presets:”"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, sound: str, broken: str, said: str) -> None:
    _, warnings = build(tmp_path, EDITOR.replace(sound, broken, 1))
    assert "kernel editor “Play”" in warnings
    assert said in warnings
