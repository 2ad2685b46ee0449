"""What the page talks to: steps, curves, and messages, without a page."""

from collections.abc import Callable
from typing import Any

from test_oracle import BATCH, N, flat, network, samples

Ask = Callable[[list[dict[str, Any]]], list[Any]]


def runner(ask: Ask, *calls: Any, dropout: float = 0.0, batch: int = BATCH) -> list[Any]:
    rows = [flat(t) for t in samples("squared")]
    begin = [
        ["create", network("tanh", "squared", dropout), {"batchSize": batch}],
        ["load", rows, rows],
    ]
    [answer] = ask([{"make": "Runner", "args": [], "calls": [*begin, *calls]}])
    return list(answer[2:])


def test_steps_of_a_sample_a_batch_and_an_epoch(ask: Ask) -> None:
    units = ["sample", "batch", "batch", "epoch", "epoch", "sample", "epoch"]
    calls = [call for unit in units for call in (["step", unit], ["look"])]
    looks = runner(ask, *calls)[1::2]
    seen = [(look["epoch"], look["position"], look["updates"]) for look in looks]
    assert seen == [
        (0, 1, 0),
        (0, BATCH, 1),
        (0, 2 * BATCH, 2),
        (1, 0, 6),
        (2, 0, 12),
        (2, 1, 12),
        (3, 0, 18),
    ]
    assert [epoch for epoch, _, _ in looks[-1]["curve"]] == [0, 1, 2, 3]
    assert looks[-1]["losses"] == looks[-1]["curve"][-1][1:]


def test_a_link_gives_the_same_weights_and_curve(ask: Ask) -> None:
    look = runner(ask, *[["step", "epoch"]] * 30, ["look"], dropout=0.1)[-1]
    calls = [*[["step", "batch"]] * 17, ["reset"], *[["step", "epoch"]] * 30, ["look"]]
    again = runner(ask, *calls, dropout=0.1)[-1]
    assert again == look
    other = runner(ask, ["reset", 9], *[["step", "epoch"]] * 30, ["look"], dropout=0.1)[-1]
    assert other["parameters"] != look["parameters"]


def test_a_long_curve_is_thinned_out_evenly(ask: Ask) -> None:
    calls = [*[["step", "epoch"]] * 1500, ["look"]]
    curve = runner(ask, *calls, batch=N)[-1]["curve"]
    assert [epoch for epoch, _, _ in curve] == list(range(0, 1501, 4))


def test_the_rate_changes_without_a_reset(ask: Ask) -> None:
    calls = [
        *[["step", "epoch"]] * 3,
        ["set", {"learningRate": 0}],
        ["look"],
        ["step", "epoch"],
        ["look"],
    ]
    _, _, _, _, before, _, after = runner(ask, *calls)
    assert after["epoch"] == before["epoch"] + 1 == 4
    assert after["parameters"] == before["parameters"]


def test_data_stay_when_the_network_changes(ask: Ask) -> None:
    calls = [["create", network("relu", "squared"), {}], ["step", "epoch"], ["look"]]
    assert runner(ask, *calls)[-1]["epoch"] == 1


def test_an_error_comes_back_as_an_answer(ask: Ask) -> None:
    bad = {"id": 3, "name": "set", "args": [{"optimizer": "lion"}]}
    good = {"id": 4, "name": "predict", "args": [[0, 0, 0]]}
    wrong, right = runner(ask, ["answer", bad], ["answer", good])
    assert wrong["id"] == 3
    assert wrong["error"].startswith("optimizer is one of sgd")
    assert right["id"] == 4
    assert len(right["value"]) == 1


def test_without_webassembly_the_readable_engine_takes_over(ask: Callable[..., list[Any]]) -> None:
    calls = [["create", network("tanh", "squared")]]
    cases = [{"make": "Runner", "args": [], "calls": calls}]
    assert ask(cases) == [["WebAssembly"]]
    assert ask(cases, WITHOUT_WASM="1") == [["JavaScript"]]
