"""The game's place on a page: whole without JavaScript, and loud when badly written."""

import json
from pathlib import Path

import pytest
from glued_book import BOOK, SENTENCE, box, build

FIRST = "g" + 63 * "0"
ROUNDS = [[FIRST, 1, 1], [32 * "08", 0, 1]]
INTERVALS = [[0, 84.2], [1.3, 98.7], [15.8, 100]]
FINE = {"rounds": ROUNDS, "intervals": INTERVALS}
GAME = f"# Page\n\n:::{{game}} Real?\n:name: it\n:rounds: glue data\n\n{SENTENCE}:::\n"
BAD = [
    (GAME.replace("glue data", "glue other"), FINE, "asks for “other”"),
    (GAME.replace(":rounds: glue data\n", ""), FINE, "needs “:rounds: glue NAME”"),
    (GAME.replace(":name: it\n", ""), FINE, "needs a “:name:”"),
    (GAME.replace(SENTENCE, ""), FINE, "needs a sentence"),
    (GAME, FINE | {"rounds": [["g", 1, 1], ROUNDS[1]]}, "needs rounds of"),
    (GAME, FINE | {"rounds": [[64 * "h", 1, 1], ROUNDS[1]]}, "needs rounds of"),
    (GAME, FINE | {"rounds": [[FIRST, 2, 1], ROUNDS[1]]}, "needs rounds of"),
    (GAME, FINE | {"intervals": INTERVALS[:2]}, "needs rounds of"),
    (GAME, {"rounds": [], "intervals": [[0, 100]]}, "needs rounds of"),
    (GAME, {"rounds": ROUNDS}, "needs rounds of"),
    (GAME, "no rounds", "needs rounds of"),
]


def test_the_rounds_arrive_and_without_javascript_there_are_images_with_answers(
    tmp_path: Path,
) -> None:
    out, said = build(tmp_path, "game", [(GAME, FINE)])
    assert said == [""]
    found = box(out, "#it.game", ["elements.js", "game.js"])
    assert json.loads(found["data-game"]) == FINE
    still = found.select_one(".game-still")
    assert still.select_one(".game-title").get_text() == "Real?"
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


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    pages = [(text, data) for text, data, _ in BAD]
    return build(tmp_path_factory.mktemp("bad"), "game", pages)[1]


@pytest.mark.parametrize("k", range(len(BAD)))
def test_what_is_badly_written_is_named(complaints: list[str], k: int) -> None:
    assert complaints[k].count("WARNING") == 1
    assert f"game “Real?” {BAD[k][2]}" in complaints[k]


def test_the_script_stores_nothing_and_writes_no_markup() -> None:
    for name in ("game.js", "elements.js"):
        script = (BOOK / "_static" / name).read_text("utf-8")
        for word in ("innerHTML", "localStorage", "sessionStorage", "cookie", "fetch(", ".style"):
            assert word not in script
