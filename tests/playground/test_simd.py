"""The fast engine beside the readable one, and the script in which it travels."""

import base64
import itertools
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_in_python import ENGINE, ROOT
from scipy.special import erf
from test_oracle import BATCH, LOSSES, N, case, network, samples

Ask = Callable[[list[dict[str, Any]]], list[Any]]
TOOLS = ROOT / "tools/playground"
LARGEST_WASM = 30_000  # bytes
FEATURES = ["x", "y", "xSquared", "ySquared", "xTimesY", "sinX", "sinY"]
CONFIGURATIONS = {"a": ("circle", FEATURES[:2], [4, 2]), "b": ("spiral", FEATURES, [8] * 6)}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_ten_epochs_lose_the_same_in_both_engines(ask: Ask, name: str, seed: int) -> None:
    data, features, hidden = CONFIGURATIONS[name]
    [[points]] = ask([{"make": "data", "calls": [["draw", data, {"n": 500, "seed": seed}]]}])
    calls: list[Any] = []
    for part in (points[:250], points[250:]):
        calls += [["inputs", part, features], ["targets", part]]
    [[X, Y, X_test, Y_test]] = ask([{"make": "data", "calls": calls}])
    layers = [{"neurons": n, "activation": "tanh"} for n in [*hidden, 1]]
    spec = {"inputs": len(features), "layers": layers, "initialization": "uniform", "seed": seed}
    calls = [["load", "train", X, Y], ["load", "test", X_test, Y_test]]
    epoch = [["train", 250], ["evaluate", "train"], ["evaluate", "test"]]
    calls += [["set", {"learningRate": 0.03, "batchSize": 10}], *epoch * 10]
    slow, fast = ask([{"make": m, "args": [spec], "calls": calls} for m in ("Oracle", "Simd")])
    assert fast[3::3] == slow[3::3] == [250] * 10
    for k in (4, 5):
        assert fast[k::3] == pytest.approx(slow[k::3], abs=1e-5)


WAYS = itertools.product(
    ["linear", "relu", "leaky_relu", "tanh", "sigmoid", "gelu"],
    LOSSES,
    ["sgd", "momentum", "rmsprop", "adam"],
)


def test_every_way_to_learn_is_the_same_in_both_engines(ask: Ask) -> None:
    """Twenty updates with dropout and both penalties; batches of 7 leave lanes empty."""
    ways, cases = list(WAYS), []
    for activation, loss, optimizer in ways:
        settings = {"optimizer": optimizer, "learningRate": 0.01, "l1": 0.01, "l2": 0.02}
        settings["batchSize"] = BATCH
        calls = [["set", settings], ["train", 20 * BATCH], ["evaluate", "train"], ["getParameters"]]
        for engine in ("Oracle", "Simd"):
            spec = network(activation, loss, dropout=0.25)
            cases.append(case(engine, spec, samples(loss), *calls))
    answers = ask(cases)
    for way, slow, fast in zip(ways, answers[::2], answers[1::2], strict=True):
        assert fast[2] == slow[2] == 20 * BATCH
        assert fast[3] == pytest.approx(slow[3], abs=1e-5), way
        # where a gradient is nearly 0, RMSProp and Adam take its sign from its last digits
        close = 1e-4 if way[2] in ("sgd", "momentum") else 1e-2
        assert np.abs(np.array(fast[4]) - np.array(slow[4])).max() < close, way


@pytest.mark.parametrize("batch", [1, 3, 13, N, 10_000])
def test_any_batch_size_in_pieces_of_any_size(ask: Ask, batch: int) -> None:
    rounds = [["train", k] for k in (1, 2, 5, 100, 3, 4 * N)]
    calls = [["set", {"batchSize": batch}], *rounds]
    calls += [["evaluate", "train"], ["epoch"], ["position"], ["updates"], ["seen"]]
    data = samples("squared")
    slow, fast = ask(
        [case(m, network("tanh", "squared"), data, *calls) for m in ("Oracle", "Simd")]
    )
    assert fast[8] == pytest.approx(slow[8], abs=1e-5)
    assert fast[9:] == slow[9:]
    assert fast[9:11] == [271 // N, 271 % N]


def test_large_batches_go_through_in_tiles(ask: Ask) -> None:
    X, Y = (t.repeat(5, 1) for t in samples("softmax"))
    calls = [["set", {"batchSize": 5 * N}], ["train", 50 * N], ["evaluate", "train"]]
    slow, fast = ask(
        [case(m, network("gelu", "softmax"), (X, Y), *calls) for m in ("Oracle", "Simd")]
    )
    assert fast[3] == pytest.approx(slow[3], abs=1e-5)


def test_maps_and_predictions_agree(ask: Ask) -> None:
    X, _ = samples("softmax")
    rows = X[:37].flatten().tolist()
    calls = [["maps", rows], ["predict", rows], ["predict", rows[:3]], ["maps", rows]]
    data = samples("softmax")
    slow, fast = ask(
        [case(m, network("relu", "softmax"), data, *calls) for m in ("Oracle", "Simd")]
    )
    for k in range(1, 5):
        assert fast[k] == pytest.approx(slow[k], abs=1e-5)
    maps = np.array(fast[1]).reshape(12, 37)
    assert maps[9:].T.flatten() == pytest.approx(np.array(fast[2]))


@pytest.mark.parametrize(
    ("activation", "exact", "error"),
    [
        ("tanh", np.tanh, 9e-6),
        ("sigmoid", lambda z: 1 / (1 + np.exp(-z)), 5e-6),
        ("gelu", lambda z: z * (1 + erf(z / 2**0.5)) / 2, 3e-6),
    ],
)
def test_fast_functions_are_as_exact_as_they_say(
    ask: Ask, activation: str, exact: Callable[[Any], Any], error: float
) -> None:
    z = np.linspace(-12, 12, 20_001).astype(np.float32).astype(np.float64)
    spec = {"inputs": 1, "layers": [{"neurons": 1, "activation": activation}]}
    calls = [["setParameters", [1, 0]], ["maps", z.tolist()], ["maps", [-1e30, 1e30]]]
    [answer] = ask([{"make": "Simd", "args": [spec], "calls": calls}])
    assert np.abs(np.array(answer[1]) - exact(z)).max() < error
    if activation != "gelu":
        assert answer[2] == pytest.approx([-1 if activation == "tanh" else 0, 1], abs=error)


def test_parameters_come_back_as_they_were_set(ask: Ask) -> None:
    spec = {"inputs": 5, "layers": [{"neurons": 3}, {"neurons": 7}, {"neurons": 2}]}
    n = 3 * 6 + 7 * 4 + 2 * 8
    values = [k / 64 for k in range(n)]
    [answer] = ask(
        [{"make": "Simd", "args": [spec], "calls": [["setParameters", values], ["getParameters"]]}]
    )
    assert answer[1] == values


def npm() -> str:
    found = shutil.which("npm")
    if not found:
        pytest.fail("npm was not found: install it (on Debian: apt-get install npm)", pytrace=False)
    return found


def install(folder: Path) -> None:
    """Install the compiler into a folder, as its lock says."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(TOOLS / name, folder / name)
    command = [npm(), "ci", "--prefer-offline", "--no-progress", "--loglevel=error"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"the compiler could not be installed:\n{done.stderr}"


def test_the_script_is_what_its_source_compiles_to(node: str, tmp_path: Path) -> None:
    install(tmp_path)
    for name in ("build.mjs", "simd.ts"):
        shutil.copy(TOOLS / name, tmp_path)
    done = subprocess.run(
        [node, "build.mjs", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "simd-wasm.js").read_bytes()
    same = made == (ENGINE / "simd-wasm.js").read_bytes()
    assert same, "simd.ts has changed: run node tools/playground/build.mjs"


def test_the_module_is_small_and_needs_nothing() -> None:
    text = (ENGINE / "simd-wasm.js").read_text("utf-8")
    found = re.search(r'wasm = "([^"]+)"', text)
    assert found
    wasm = base64.b64decode(found[1])
    assert wasm.startswith(b"\0asm")
    assert len(wasm) <= LARGEST_WASM
