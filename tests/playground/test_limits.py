"""The limits that the playground shows, by closed forms and by drawing points."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

Ask = Callable[[list[dict[str, Any]]], list[Any]]
Array = NDArray[np.float64]
N = 20_000  # so that a mean of shares has an error of 0.002 at most
CLOSE = 0.006


def limit(ask: Ask, link: str) -> dict[str, float | None]:
    [[state]] = ask([{"make": "state", "calls": [["parse", link]]}])
    calls = [["accuracy", state], ["loss", state]]
    [[accuracy, loss]] = ask([{"make": "limits", "calls": calls}])
    return {"accuracy": accuracy, "loss": loss}


@pytest.mark.parametrize("noise", [0, 25, 50])
def test_two_clouds(ask: Ask, noise: int) -> None:
    # the mean of a cloud lies 2√2 from the border, in deviations of √(½ + 7·noise)
    expected = ndtr(8**0.5 / (0.5 + 7 * noise / 100) ** 0.5)
    found = limit(ask, f"dataset=gauss&noise={noise}")
    assert found == {"accuracy": pytest.approx(expected, abs=1e-12), "loss": None}


@pytest.mark.parametrize("noise", [0, 25, 50])
def test_two_blobs_on_the_grid(ask: Ask, noise: int) -> None:
    expected = ndtr(3.5 / (0.5 + 3 * noise / 100))
    found = limit(ask, f"dataset=blobs&classes=2&noise={noise}")["accuracy"]
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", ["circle", "xor", "spiral", "moons"])
def test_without_noise_all_can_be_right(ask: Ask, name: str) -> None:
    assert limit(ask, f"dataset={name}&noise=0")["accuracy"] == 1


@pytest.mark.parametrize("link", ["dataset=own", "problem=regression&regDataset=reg-own"])
def test_of_other_points_nothing_is_known(ask: Ask, link: str) -> None:
    assert limit(ask, link) == {"accuracy": None, "loss": None}


def surest(share: Array) -> float:
    return float(np.maximum(share, 1 - share).mean())


@pytest.mark.parametrize("noise", [10, 50])
def test_circle_by_drawing(ask: Ask, noise: int) -> None:
    dice = np.random.default_rng(1)
    r = np.concatenate([dice.uniform(0, 2.5, 1000), dice.uniform(3.5, 5, 1000)])
    angle = dice.uniform(0, 2 * np.pi, 2000)
    shakes = dice.uniform(-5, 5, (2, 2000, 2000)) * noise / 100
    x, y = r * np.sin(angle), r * np.cos(angle)
    inside = np.hypot(x[:, None] + shakes[0], y[:, None] + shakes[1]) < 2.5
    found = limit(ask, f"dataset=circle&noise={noise}")["accuracy"]
    assert found == pytest.approx(surest(inside.mean(axis=1)), abs=0.015)


@pytest.mark.parametrize("noise", [2, 10, 50])
def test_xor_by_drawing(ask: Ask, noise: int) -> None:
    dice = np.random.default_rng(2)
    value = dice.uniform(-5, 5, (2, 10 * N))
    value += 0.3 * np.sign(value)
    plus = np.clip(0.5 + value / (10 * noise / 100), 0, 1)
    share = plus[0] * plus[1] + (1 - plus[0]) * (1 - plus[1])
    found = limit(ask, f"dataset=xor&noise={noise}")["accuracy"]
    assert found == pytest.approx(surest(share), abs=CLOSE)


def by_drawing(arms: list[Array], draw: Callable[[int], Array], density: Callable) -> float:
    """Mean over drawn points of the share of the class that is most dense there."""
    per_arm = N // len(arms[0])
    points = np.concatenate([np.repeat(arm, per_arm, axis=0) for arm in arms])
    points = points + draw(len(points))
    own = np.stack([density(points[:, None] - arm[None]).prod(-1).mean(1) for arm in arms])
    return float((own.max(axis=0) / own.sum(axis=0)).mean())


@pytest.mark.parametrize("noise", [20, 50])
def test_spiral_by_drawing(ask: Ask, noise: int) -> None:
    dice, h = np.random.default_rng(3), noise / 100
    along = np.arange(250) / 250
    arms = []
    for turn in (0, np.pi):
        angle = 3.5 * np.pi * along + turn
        arms.append(5 * along[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1))
    expected = by_drawing(
        arms, lambda n: dice.uniform(-h, h, (n, 2)), lambda d: (np.abs(d) <= h).astype(float)
    )
    found = limit(ask, f"dataset=spiral&noise={noise}")["accuracy"]
    assert found == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("noise", [10, 30])
def test_moons_by_drawing(ask: Ask, noise: int) -> None:
    dice, sd = np.random.default_rng(4), 3 * noise / 100
    angle = (np.arange(400) + 0.5) / 400 * np.pi
    moon = np.stack([np.cos(angle), np.sin(angle)], 1)
    arms = [3 * (moon - [0.5, 0.25]), 3 * (np.array([0.5, 0.25]) - moon)]
    expected = by_drawing(
        arms, lambda n: dice.normal(0, sd, (n, 2)), lambda d: np.exp(-0.5 * (d / sd) ** 2)
    )
    found = limit(ask, f"dataset=moons&noise={noise}")["accuracy"]
    assert found == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("noise", [0, 50])
@pytest.mark.parametrize("name", ["plane", "gauss", "wave"])
def test_the_loss_that_noise_leaves(ask: Ask, name: str, noise: int) -> None:
    """Two targets drawn at one place differ by twice the variance, in the mean of squares."""
    dice, h = np.random.default_rng(5), noise / 100
    x, y = dice.uniform(-6, 6, (2, 200_000))

    def shake() -> Array:
        return dice.uniform(-6, 6, (2, len(x))) * h

    def target() -> Array:
        dx, dy = shake()
        if name == "plane":
            return (x + dx + y + dy) / 10
        if name == "wave":
            return np.sin(x) + dice.normal(0, h, len(x))
        hills = [
            (-4, 2.5, 1),
            (0, 2.5, -1),
            (4, 2.5, 1),
            (-4, -2.5, -1),
            (0, -2.5, 1),
            (4, -2.5, -1),
        ]
        cones = [to * np.maximum(0, 1 - np.hypot(x + dx - a, y + dy - b) / 2) for a, b, to in hills]
        return np.sum(cones, axis=0)  # they do not overlap

    expected = ((target() - target()) ** 2).mean() / 4
    found = limit(ask, f"problem=regression&regDataset=reg-{name}&noise={noise}")
    assert found["accuracy"] is None
    assert found["loss"] == pytest.approx(expected, rel=0.02, abs=1e-12)
