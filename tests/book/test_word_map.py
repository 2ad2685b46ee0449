"""The word map's place on a page: whole without JavaScript, and loud when badly written."""

import json
from pathlib import Path

import pytest
from glued_book import SENTENCE, box, build

WORDS = [["left", 0, 10, [1]], ["<right>", 1000, 20, [0]]]
MAP = f"# Page\n\n:::{{word-map}} Words\n:name: map\n:words: glue data\n\n{SENTENCE}:::\n"
BAD = [
    (MAP.replace("glue data", "glue other"), WORDS, "asks for “other”"),
    (MAP.replace(":words: glue data\n", ""), WORDS, "needs “:words: glue NAME”"),
    (MAP.replace(":name: map\n", ""), WORDS, "needs a “:name:”"),
    (MAP.replace(SENTENCE, ""), WORDS, "needs a sentence"),
    (MAP, [["left", 0, 1001, []]], "needs rows of"),
    (MAP, [["left", 0, 0, [1]]], "needs rows of"),
    (MAP, [], "needs rows of"),
    (MAP, "no rows", "needs rows of"),
]


def test_the_words_arrive_and_without_javascript_there_is_a_sentence(tmp_path: Path) -> None:
    out, said = build(tmp_path, "word_map", [(MAP, WORDS)])
    assert said == [""]
    found = box(out, "#map.word-map", ["elements.js", "word-map.js"])
    assert json.loads(found["data-words"]) == WORDS
    assert found.select("svg") == []


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    pages = [(text, data) for text, data, _ in BAD]
    return build(tmp_path_factory.mktemp("bad"), "word_map", pages)[1]


@pytest.mark.parametrize("k", range(len(BAD)))
def test_what_is_badly_written_is_named(complaints: list[str], k: int) -> None:
    assert complaints[k].count("WARNING") == 1
    assert f"word-map “Words” {BAD[k][2]}" in complaints[k]
