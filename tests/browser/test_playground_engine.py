"""The playground's engine in Chromium: from a server, under a strict policy, and from a file."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "book/_static"
PARTS = ("random", "data", "network", "oracle", "simd-wasm", "simd", "engine")
# train until the circle is learnt; a frame with maps of all neurons comes in between
TRAIN = """async (worker) => {
  const { data, Engine } = playground, engine = new Engine({ worker });
  const layers = [4, 2, 1].map((neurons) => ({ neurons, activation: "tanh" }));
  const name = await engine.call("create", { inputs: 2, layers, initialization: "uniform" });
  const points = data.draw("circle", { n: 500, seed: 1 });
  const rows = (part) => [data.inputs(part, ["x", "y"]), data.targets(part)];
  await engine.call("load", rows(points.slice(0, 250)), rows(points.slice(250)));
  await engine.call("run");
  const grid = data.inputs(points, ["x", "y"]);
  let look;
  do look = await engine.call("look", grid); while (look.losses[1] > 0.02 && look.epoch < 1e5);
  const problem = await engine.call("set", { optimizer: "lion" }).catch((error) => error.message);
  engine.close();
  const { losses, maps, curve } = look;
  const { place } = engine;
  return { name, place, loss: losses[1], maps: maps.length, first: curve[0][0], problem };
}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(STATIC / "favicon.svg", tmp_path)
    scripts = ""
    for part in PARTS:
        shutil.copy(STATIC / f"playground/{part}.js", tmp_path)
        scripts += f'<script src="{part}.js"></script>'
    head = '<meta charset="utf-8"><title>Engine</title><link rel="icon" href="favicon.svg">'
    (tmp_path / "page.html").write_text(f"<!doctype html>{head}{scripts}", "utf-8")
    return tmp_path


@pytest.mark.parametrize("worker", [True, False], ids=["worker", "page"])
@pytest.mark.parametrize(("scheme", "name"), [
    ("http", "WebAssembly"), ("strict", "JavaScript"), ("file", "WebAssembly"),
])  # fmt: skip
def test_the_engine_learns(
    read: Callable, serve_folder: Callable, folder: Path, scheme: str, name: str, worker: bool
) -> None:
    with serve_folder(folder, scheme == "strict") as address:
        start = folder.as_uri() if scheme == "file" else address
        told = read().open(f"{start}/page.html").evaluate(TRAIN, worker)
    assert (told["name"], told["place"]) == (name, "worker" if worker else "page")
    assert told["loss"] <= 0.02
    assert told["maps"] == 7 * 500
    assert told["first"] == 0
    assert told["problem"].startswith("optimizer is one of")
