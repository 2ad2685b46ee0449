"""The playground's links, tables and exported code: what they mean, and that none does harm."""

import contextlib
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[[list[dict[str, Any]]], list[Any]]
ANCHOR = [
    "activation",
    "regularization",
    "batchSize",
    "dataset",
    "regDataset",
    "learningRate",
    "regularizationRate",
    "noise",
    "networkShape",
    "seed",
    "showTestData",
    "discretize",
    "percTrainData",
    "x",
    "y",
    "xTimesY",
    "xSquared",
    "ySquared",
    "cosX",
    "sinX",
    "cosY",
    "sinY",
    "collectStats",
    "tutorial",
    "problem",
    "initZero",
    "hideText",
]
N_FUZZED = 10_000


def call(ask: Ask, name: str, *args: Any) -> Any:
    [[answer]] = ask([{"make": "state", "calls": [[name, *args]]}])
    return answer


def test_the_keys_of_the_anchor(ask: Ask) -> None:
    state = call(ask, "parse", "")
    assert len(ANCHOR) == 27
    assert list(state)[:27] == ANCHOR


def test_a_link_of_the_anchor(ask: Ask) -> None:
    link = (
        "#activation=relu&batchSize=12&dataset=spiral&regDataset=reg-plane&learningRate=0.1"
        "&regularization=L2&regularizationRate=0.001&noise=10&networkShape=6,5,2&seed=0.47021"
        "&showTestData=true&discretize=false&percTrainData=70&x=true&y=false&sinX=true"
        "&problem=classification&initZero=false&hideText=false&playButton_hide=true"
    )
    state = call(ask, "parse", link)
    assert state["activation"] == "relu"
    assert state["networkShape"] == [6, 5, 2]
    assert (state["noise"], state["percTrainData"], state["batchSize"]) == (10, 70, 12)
    shown = [state[key] for key in ("x", "y", "sinX", "showTestData")]
    assert shown == [True, False, True, True]
    assert state["hidden"] == ["playButton"]
    assert call(ask, "settings", state) == {
        "optimizer": "sgd", "learningRate": 0.1, "batchSize": 12, "l1": 0, "l2": 0.001,
    }  # fmt: skip
    spec = call(ask, "spec", state, 1)
    assert spec["inputs"] == 2
    assert [layer["neurons"] for layer in spec["layers"]] == [6, 5, 2, 1]
    assert [layer["activation"] for layer in spec["layers"]] == ["relu"] * 3 + ["tanh"]
    drawn = call(ask, "draw", state)
    assert (len(drawn["train"]), len(drawn["test"])) == (350, 150)


@pytest.mark.parametrize(
    ("pair", "key"),
    [
        ("learningRate=-1", "learningRate"),
        ("learningRate=", "learningRate"),
        ("networkShape=33", "networkShape"),
        ("batchSize=1.5", "batchSize"),
        ("dataset=constructor", "dataset"),
        ("seed=%3Cb%3E", "seed"),
    ],
)
def test_what_is_wrong_keeps_its_first_value(ask: Ask, pair: str, key: str) -> None:
    assert call(ask, "parse", pair)[key] == call(ask, "parse", "")[key]


def test_a_table(ask: Ask) -> None:
    told = call(ask, "csv", "x,y,class\n1,2,a\n10;0;b\n# note\n0 0 a\n-5\t5\tb\n")
    assert told["scale"] == 0.5
    assert told["points"] == [[0.5, 1, 0], [5, 0, 1], [0, 0, 0], [-2.5, 2.5, 1]]


@pytest.mark.parametrize(
    ("table", "reason"),
    [("1,2,3", "At least four"), ("1,2,3\n1,b,2", "Line 2"), ("0,0,1\n" * 2001, "More than 2000")],
)
def test_a_bad_table_is_explained(ask: Ask, table: str, reason: str) -> None:
    assert call(ask, "csv", table)["error"].startswith(reason)


@pytest.mark.parametrize("labels", [(0, 1), (1, 2), (-1, 1), (3, 7)])
def test_two_classes_become_minus_one_and_one(ask: Ask, labels: tuple[int, int]) -> None:
    state = call(ask, "parse", "dataset=own")
    state["points"] = [[k, 0, labels[k % 2]] for k in range(6)]
    drawn = call(ask, "draw", state)
    points = drawn["train"] + drawn["test"]
    assert {x: label for x, _, label in points} == {k: 2 * (k % 2) - 1 for k in range(6)}


@pytest.mark.parametrize("write", ["asPyTorch", "asDlcourse"])
def test_exported_code_runs_and_answers_as_the_engine(ask: Ask, write: str) -> None:
    state = call(ask, "parse", "networkShape=3,2&xTimesY=true")
    spec = call(ask, "spec", state, 1)
    parameters = [0.1 * (-1) ** k * k for k in range(3 * 4 + 2 * 4 + 3)]
    calls = [["setParameters", parameters], ["predict", [1, 2, 2]]]
    [[_, [theirs]]] = ask([{"make": "Oracle", "args": [spec], "calls": calls}])
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(call(ask, write, state, spec, parameters), {})
    ours = float(said.getvalue().split("[[")[1].split("]")[0].split(",")[0])
    assert ours == pytest.approx(theirs, abs=2e-4)


def test_the_export_as_json(ask: Ask) -> None:
    state = call(ask, "parse", "networkShape=2")
    spec = call(ask, "spec", state, 1)
    told = json.loads(call(ask, "asJson", state, spec, list(range(9))))
    assert told["layers"][0]["W"] == [[0, 1], [2, 3]]
    assert told["layers"][1]["b"] == [8]


def test_links_and_tables_that_nobody_should_trust(node: str) -> None:
    script = Path(__file__).with_name("fuzz_state.js")
    done = subprocess.run(
        [node, str(script), str(N_FUZZED)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"cases": N_FUZZED, "wrong": []}
