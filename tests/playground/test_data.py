"""The playground's data sets: where their points lie, and that a seed brings them back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Ask = Callable[[list[dict[str, Any]]], list[Any]]
NAMES = ["circle", "xor", "gauss", "spiral", "moons", "blobs", "plane", "hills"]


def draw(ask: Ask, name: str, **options: Any) -> np.ndarray:
    [[points]] = ask([{"make": "data", "calls": [["draw", name, {"n": 400, "seed": 3} | options]]}])
    return np.array(points)


def test_names(ask: Ask) -> None:
    [[names]] = ask([{"make": "data", "calls": [["names"]]}])
    assert names == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_brings_the_same_points_back(ask: Ask, name: str) -> None:
    one = draw(ask, name, noise=0.2)
    assert one.shape == (400, 3)
    assert np.isfinite(one).all()
    assert (one == draw(ask, name, noise=0.2)).all()
    assert not (one == draw(ask, name, noise=0.2, seed=4)).all()


@pytest.mark.parametrize("name", ["circle", "gauss", "spiral", "moons"])
def test_two_classes_are_of_one_size_and_mixed(ask: Ask, name: str) -> None:
    labels = draw(ask, name)[:, 2]
    assert sorted(set(labels)) == [-1, 1]
    assert labels.sum() == 0
    assert 0 < (labels[:200] == 1).sum() < 200


def test_circle(ask: Ask) -> None:
    x, y, label = draw(ask, "circle").T
    r = np.hypot(x, y)
    assert (r[label == 1] <= 2.5).all()
    assert ((r[label == -1] >= 3.5) & (r[label == -1] <= 5)).all()
    x, y, label = draw(ask, "circle", noise=0.5).T
    assert 0.02 < np.mean((np.hypot(x, y) < 2.5) != (label == 1)) < 0.4


def test_xor(ask: Ask) -> None:
    x, y, label = draw(ask, "xor").T
    assert (np.abs([x, y]) >= 0.3).all()
    assert (np.abs([x, y]) <= 5.3).all()
    assert (np.sign(x * y) == label).all()


@pytest.mark.parametrize(("noise", "variance"), [(0, 0.5), (0.5, 4)])
def test_gauss(ask: Ask, noise: float, variance: float) -> None:
    x, y, label = draw(ask, "gauss", noise=noise, n=20_000).T
    for axis in (x, y):
        assert (axis - 2 * label).mean() == pytest.approx(0, abs=0.05)
        assert (axis - 2 * label).var() == pytest.approx(variance, rel=0.05)


def test_spiral(ask: Ask) -> None:
    x, y, label = draw(ask, "spiral").T
    r = np.hypot(x, y)
    assert sorted(r[label == 1].round(9)) == pytest.approx([k / 40 for k in range(200)])
    angle = 3.5 * np.pi * r / 5 + np.where(label < 0, np.pi, 0)
    assert np.abs(np.array([x, y]) - r * np.array([np.sin(angle), np.cos(angle)])).max() < 1e-12


def test_moons_are_those_of_scikit_learn(ask: Ask) -> None:
    x, y, label = draw(ask, "moons").T
    x, y = x / 3 + 0.5, y / 3 + 0.25
    cx, cy = np.where(label < 0, 0, 1), np.where(label < 0, 0, 0.5)
    assert np.hypot(x - cx, y - cy) == pytest.approx(np.ones(400))
    assert ((y - cy) * label <= 1e-9).all()


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_blobs(ask: Ask, classes: int) -> None:
    points = draw(ask, "blobs", classes=classes, n=10_000)
    for k in range(classes):
        cloud = points[points[:, 2] == k, :2]
        assert len(cloud) == pytest.approx(10_000 / classes, abs=1)
        turn = 2 * np.pi * k / classes
        centre = 3.5 * np.array([np.sin(turn), np.cos(turn)])
        assert cloud.mean(0) == pytest.approx(centre, abs=0.05)
        assert cloud.std(0) == pytest.approx([0.5, 0.5], rel=0.1)


def test_plane(ask: Ask) -> None:
    x, y, label = draw(ask, "plane").T
    assert label == pytest.approx((x + y) / 10)
    assert np.abs([x, y]).max() <= 6


def test_hills(ask: Ask) -> None:
    x, y, label = draw(ask, "hills", n=5000).T
    assert np.abs(label).max() <= 1
    for cx, cy, to in [(-4, 2.5, 1), (0, 2.5, -1), (4, -2.5, -1)]:
        near = np.hypot(x - cx, y - cy) < 1.9
        assert label[near] == pytest.approx(to * (1 - np.hypot(x - cx, y - cy)[near] / 2))


def test_features_and_targets(ask: Ask) -> None:
    points, names = [[2, 3, 1]], ["x", "y", "xSquared", "ySquared", "xTimesY", "sinX", "sinY"]
    calls = [["inputs", points, names], ["targets", points], ["targets", points, 3]]
    [[inputs, target, one_hot]] = ask([{"make": "data", "calls": calls}])
    assert inputs == pytest.approx([2, 3, 4, 9, 6, np.sin(2), np.sin(3)])
    assert target == [1]
    assert one_hot == [0, 1, 0]


def test_an_unknown_name_is_refused(ask: Ask) -> None:
    [answer] = ask([{"make": "data", "calls": [["draw", "toString", {"n": 3}]]}])
    assert answer["error"].startswith("RangeError: data is one of circle, xor")
