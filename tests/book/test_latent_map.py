"""The latent map's place on a page: whole without JavaScript, and loud when badly written."""

import json
from pathlib import Path

import pytest
from glued_book import SENTENCE, box, build

GIVEN = {
    "side": 2,
    "edge": 2.5,
    "images": [f"{k:x}0f{k:x}" for k in range(9)],
    "says": [["<7>", 10 * k] for k in range(9)],
}
MAP = f"# Page\n\n:::{{latent-map}} Digits\n:name: map\n:map: glue data\n\n{SENTENCE}:::\n"
BAD = [
    (MAP.replace("glue data", "glue other"), GIVEN, "asks for “other”"),
    (MAP.replace(":map: glue data\n", ""), GIVEN, "needs “:map: glue NAME”"),
    (MAP.replace(":name: map\n", ""), GIVEN, "needs a “:name:”"),
    (MAP.replace(SENTENCE, ""), GIVEN, "needs a sentence"),
    (MAP, GIVEN | {"images": GIVEN["images"][:8]}, "needs n × n images"),
    (MAP, GIVEN | {"images": GIVEN["images"][:4], "says": GIVEN["says"][:4]}, "needs n × n images"),
    (MAP, GIVEN | {"images": ["0123"] * 8 + ["012g"]}, "needs 4 hexadecimal digits"),
    (MAP, GIVEN | {"side": 3}, "needs 9 hexadecimal digits"),
    (MAP, GIVEN | {"edge": 0}, "needs an edge above 0"),
    (MAP, GIVEN | {"says": GIVEN["says"][:8]}, "needs a class"),
    (MAP, GIVEN | {"says": [["7", 101]] * 9}, "needs a class"),
    (MAP, {"side": 2}, "needs an object with side"),
    (MAP, "no map", "needs an object with side"),
]


def test_the_map_arrives_and_without_javascript_there_is_a_sentence(tmp_path: Path) -> None:
    out, said = build(tmp_path, "latent_map", [(MAP, GIVEN)])
    assert said == [""]
    found = box(out, "#map.latent-map", ["elements.js", "latent-map.js"])
    assert json.loads(found["data-map"]) == GIVEN
    assert found.select("svg") == []


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    pages = [(text, data) for text, data, _ in BAD]
    return build(tmp_path_factory.mktemp("bad"), "latent_map", pages)[1]


@pytest.mark.parametrize("k", range(len(BAD)))
def test_what_is_badly_written_is_named(complaints: list[str], k: int) -> None:
    assert complaints[k].count("WARNING") == 1
    assert f"latent-map “Digits” {BAD[k][2]}" in complaints[k]
