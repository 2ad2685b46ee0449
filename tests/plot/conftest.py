"""Example figures, one for each drawing function, and a browser to look at them."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dlcourse import plot

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = (X[:, 0] > 0).astype(int)
SEEDS = 0.9 + 0.01 * RNG.normal(size=(4, 5))
WEIGHTS = [RNG.normal(size=(3, 12)), np.eye(2, 3)]


def _lines() -> Any:
    fig, ax = plot.axes()
    plot.spread(ax, [1, 2, 4, 8, 16], SEEDS, label="three layers")
    plot.limit_line(ax, 0.95, "best possible: 95.0%")
    ax.set(xscale="log", title="Accuracy", xlabel="width", ylabel="accuracy")
    return fig


def _dots() -> Any:
    fig, ax = plot.axes(height=2)
    plot.dots(ax, {"one layer": SEEDS[0], "two layers": SEEDS[1]}, limit=0.95)
    return fig


def _boundary() -> Any:
    fig, ax = plot.axes()
    plot.scatter(ax, X, Y, class_names=["no", "yes"])
    plot.line_boundary(ax, [1, 0.5], 0.2, extent=(-3, 3, -3, 3))
    return fig


FIGURES: dict[str, Callable[[], Any]] = {
    "lines": _lines,
    "dots": _dots,
    "boundary": _boundary,
    "regions": lambda: plot.decision_regions(
        lambda Z: np.sin(Z[:, 0]) + Z[:, 1], X, Y, bayes=lambda Z: Z[:, 0]
    ),
    "neuron": plot.neuron,
    "network": lambda: plot.network([12, 3, 2], weights=WEIGHTS),
    "biology": plot.biological_neuron,
    "history": lambda: plot.history({"train_loss": [1, 0.5], "val_accuracy": [0.5, 0.8]}),
    "images": lambda: plot.image_grid(np.eye(8)[None].repeat(3, 0), titles=["a", "b", "c"]),
    "confusion": lambda: plot.confusion_matrix([[50, 2], [3, 45]], ["benign", "malignant"]),
}
ALT = "Accuracy rises with width and stays below the best possible 95%"


@pytest.fixture(params=list(FIGURES))
def drawing(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """A function that draws one of the figures afresh."""
    return FIGURES[request.param]


@pytest.fixture(scope="session")
def alt() -> str:
    return ALT


@pytest.fixture(scope="module")  # two at once in one process disturb each other, and asyncio
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "no Chromium: install it, or say where it is in the variable CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 700, "height": 600})
    yield page
    page.close()
