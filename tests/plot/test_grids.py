import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from dlcourse import plot
from dlcourse.plot.grids import DIVERGING, GRAY, _paint


def hex_of(pixel):
    return "#" + "".join(f"{c:02x}" for c in pixel)


def test_every_pixel_reaches_the_page_once(alt):
    images = np.arange(2 * 4 * 4).reshape(2, 4, 4)
    svg = plot.show(plot.image_grid(images), alt=alt).svg
    pngs = re.findall(r"data:image/png;base64,([^\"]+)", svg)
    drawn = [plt.imread(io.BytesIO(base64.b64decode(png))) for png in pngs]
    (strip,) = drawn  # one picture a row: two tiles of 4 columns, and a column between them
    assert strip.shape == (4, 9, 4)
    assert (strip[:, 4, 3] == 0).all(), "the gap is transparent"
    brightness = np.stack([strip[:, :4, :3].sum(-1), strip[:, 5:, :3].sum(-1)])
    assert (np.diff(brightness.ravel()) < 0).all(), "more ink should be darker, everywhere"
    assert svg.count("pixelated") == 1


def test_a_last_row_may_be_shorter(alt):
    ax = plot.image_grid(np.ones((5, 3, 3)), n_cols=3)
    shapes = [image.get_array().shape for image in ax.images]
    assert shapes == [(3, 11, 4), (3, 7, 4)]
    plot.show(ax, alt=alt)


def test_the_scale_runs_from_paper_to_ink_or_is_symmetrical():
    ends = _paint(np.array([0.0, 1.0]), "gray", 0, 1)
    assert [hex_of(p) for p in ends] == list(GRAY)
    ends = _paint(np.array([-2.0, 0.0, 2.0]), "diverging", -2, 2)
    assert [hex_of(p) for p in ends] == list(DIVERGING)
    ax = plot.image_grid(np.array([[[-1.0, 3.0]]]), cmap="diverging", colorbar=True)
    assert [t.get_text() for t in ax.texts] == ["−3", "3"]


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 20), st.integers(1, 10), st.integers(1, 9), st.integers(1, 9))
def test_images_lie_on_the_sheet_and_never_overlap(n, n_cols, high, wide):
    ax = plot.image_grid(np.zeros((n, high, wide)), n_cols=n_cols, titles=["t"] * n)
    extents = np.array([image.get_extent() for image in ax.images])
    assert len(extents) == -(-n // min(n, n_cols)), "one picture for each row of tiles"
    assert extents[:, :2].min() >= 0
    assert extents[:, 1].max() <= ax.get_xlim()[1] + 1e-6
    assert extents[:, 2].min() >= 0
    for i, a in enumerate(extents):
        for b in extents[i + 1 :]:
            assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]
    plt.close()


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((8, 8)), {}, r"3 dimension\(s\), got shape \(8, 8\)"),
        (np.zeros((2, 8, 8)), {"titles": ["a"]}, "2 images need 2 titles, got 1"),
        (np.zeros((2, 8, 8)), {"n_cols": 0}, "at least 1, got 0"),
        (np.zeros((2, 8, 8)), {"cmap": "jet"}, "'gray' or 'diverging', got 'jet'"),
        (np.zeros((2, 8, 8)), {"limits": (1, 0)}, "low < high"),
    ],
)
def test_bad_images_are_explained(images, options, message):
    with pytest.raises(ValueError, match=message):
        plot.image_grid(images, **options)


def test_counts_stand_in_their_cells_right_ones_blue_wrong_ones_orange():
    ax = plot.confusion_matrix([[98, 2], [0, 50]], ["cat", "dog"])
    texts = [t.get_text() for t in ax.texts]
    assert texts[:3] == ["98", "2", "50"]
    fills = [to_hex(patch.get_facecolor()) for patch in ax.patches]
    names = {light: name for name, (light, _) in plot.PALETTE.items()}
    assert [names[f] for f in fills] == ["blue-3", "orange-1", "faint", "blue-3"]


@pytest.mark.parametrize(
    ("counts", "names", "message"),
    [
        ([[1, 2]], None, r"\(K, K\), got shape \(1, 2\)"),
        ([[1, -2], [0, 1]], None, "whole numbers"),
        ([[1, 0.5], [0, 1]], None, "whole numbers"),
        ([[1, 0], [0, 1]], ["a"], "2 classes need 2 names, got 1"),
    ],
)
def test_bad_counts_are_explained(counts, names, message):
    with pytest.raises(ValueError, match=message):
        plot.confusion_matrix(counts, names)
