"""Sequence logos: each letter stands where its number says."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.patches import PathPatch

from dlcourse import plot


def letters(ax):
    return [patch for patch in ax.patches if isinstance(patch, PathPatch)]


def drawn(heights):
    fig, ax = plot.axes(height=1.6)
    try:
        plot.logo(ax, heights)
    finally:
        plt.close(fig)
    return ax


@given(st.integers(1, 12), st.integers(0, 20))
def test_stacks_are_as_high_as_their_sums(width, seed):
    heights = np.random.default_rng(seed).uniform(-1, 1, (4, width)).round(1)
    heights[0] = 1.0
    ax = drawn(heights)
    boxes = [patch.get_path().get_extents() for patch in letters(ax)]
    assert len(boxes) == np.count_nonzero(heights)
    for k in range(width):
        here = [box for box in boxes if k + 0.5 < box.x0 and box.x1 < k + 1.5]
        column = heights[:, k]
        assert max(box.y1 for box in here) == pytest.approx(column.clip(min=0).sum())
        assert min(box.y0 for box in here) == pytest.approx(column.clip(max=0).sum())
        assert sum(box.height for box in here) == pytest.approx(np.abs(column).sum())


def test_the_highest_letter_is_on_top_and_has_its_colour():
    ax = drawn([[0.5], [0.1], [1.2], [0.0]])
    low, middle, top = sorted(letters(ax), key=lambda patch: patch.get_path().get_extents().y0)
    hues = [patch.get_facecolor() for patch in (low, middle, top)]
    assert [tuple(hue) for hue in hues] == [
        tuple(PathPatch(top.get_path(), fc=plot.colour(name)).get_facecolor())
        for name in ("blue", "green", "orange")
    ]


def test_specks_are_left_out():
    assert len(letters(drawn([[2.0], [0.001], [0.0], [0.3]]))) == 2


@pytest.mark.parametrize(
    ("heights", "message"),
    [
        ([[1.0], [2.0], [3.0]], r"shape \(4, width\), got \(3, 1\)"),
        ([1.0, 2.0], "2 dimension"),
        ([[np.nan]] * 4, "finite"),
    ],
)
def test_what_is_no_logo_is_refused(heights, message):
    with pytest.raises(ValueError, match=message):
        drawn(heights)
