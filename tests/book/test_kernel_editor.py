"""The kernel editor's place on a page: whole without JavaScript, and loud when badly written."""

import base64
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from glued_book import BOOK, SENTENCE, box, build, soup
from PIL import Image

IMAGES = {"china", "flower", "micrograph"}
LARGEST_SCRIPT = 20_480  # bytes
LARGEST_IMAGE = 150_000
PRESETS = {"edge": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], "<wide>": [[0.04] * 5] * 5}
EDITOR = f"""# Page

:::{{kernel-editor}} Play
:name: editor
:presets: glue data

{SENTENCE}:::
"""
BAD = [
    (EDITOR.replace(":name: editor\n", ""), PRESETS, "needs a “:name:”"),
    (EDITOR.replace(SENTENCE, ""), PRESETS, "needs a sentence for readers without JavaScript"),
    (
        EDITOR.replace("glue data", "glue others"),
        PRESETS,
        "asks for “others”, which the chapter does not glue",
    ),
    (EDITOR.replace(":presets: glue data\n", ""), PRESETS, "needs “:presets: glue NAME”"),
    (EDITOR, {"a": [[1, 2], [3, 4]]}, "needs kernels of 3 x 3 or 5 x 5 by name"),
    (EDITOR, {"a": [[1, 2, 3], [3, 4, 5], [1]]}, "needs kernels of"),
    (EDITOR, {}, "needs kernels of"),
    (EDITOR, "no kernels", "needs kernels of"),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out, said = build(tmp_path_factory.mktemp("editor"), "kernel_editor", [(EDITOR, PRESETS)])
    assert said == [""]
    return out


def test_the_presets_arrive_and_without_javascript_there_is_a_sentence(small: Path) -> None:
    found = box(small, "#editor.kernel-editor", ["elements.js", "kernel-editor.js"])
    assert json.loads(found["data-presets"]) == PRESETS
    assert found.select_one("ul.kernel-images").has_attr("hidden")


def test_the_images_stand_beside_the_page_and_are_small(small: Path) -> None:
    page = small / "part/page0.html"
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
    out, said = build(tmp_path, "kernel_editor", [(EDITOR, PRESETS)], "epub")
    assert said == [""]
    text = (out / "part/page0.xhtml").read_text("utf-8")
    assert "It needs <em>JavaScript</em>." in text
    assert "data-src" not in text
    assert "data-presets" not in text


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    pages = [(text, data) for text, data, _ in BAD]
    return build(tmp_path_factory.mktemp("bad"), "kernel_editor", pages)[1]


@pytest.mark.parametrize("k", range(len(BAD)))
def test_a_mistake_is_named(complaints: list[str], k: int) -> None:
    assert complaints[k].count("WARNING") == 1
    assert f"kernel-editor “Play” {BAD[k][2]}" in complaints[k]
