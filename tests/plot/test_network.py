import numpy as np
import pytest
from matplotlib.patches import Circle

from dlcourse import plot


def circles(ax):
    return [p for p in ax.patches if isinstance(p, Circle)]


def edges(ax):
    return [line for line in ax.lines if len(line.get_xdata()) == 2]


def test_units_and_connections_are_complete():
    ax = plot.network([2, 3, 1])
    assert len(circles(ax)) == 6
    assert len(edges(ax)) == 2 * 3 + 3 * 1


def test_large_layers_are_cut_short_and_say_how_large_they_are():
    ax = plot.network([64, 5])
    assert len(circles(ax)) == 7 + 5
    assert "64 units" in [t.get_text() for t in ax.texts]
    dots = [line for line in ax.lines if len(line.get_xdata()) == 3]
    ys = sorted(c.center[1] for c in circles(ax)[:7])
    gap = np.argmax(np.diff(ys))
    assert ys[gap] < dots[0].get_ydata().min() < dots[0].get_ydata().max() < ys[gap + 1]


def test_sign_and_size_of_a_weight_can_be_seen_without_colour():
    ax = plot.network([1, 3], weights=[[[1.0], [-1.0], [0.1]]])
    strong, negative, weak = edges(ax)
    assert strong.get_linewidth() == negative.get_linewidth() > 3 * weak.get_linewidth()
    assert strong.get_linestyle() != negative.get_linestyle()


@pytest.mark.parametrize("sizes", [[3, 10, 4], [64, 16, 10], [2, 1], [10, 10, 10, 10]])
def test_circles_never_touch_and_labels_stay_on_the_sheet(sizes):
    labels = [f"class {k}" for k in range(sizes[-1])]
    ax = plot.network(sizes, output_labels=labels)
    ax.figure.draw_without_rendering()
    drawn = circles(ax)
    for i, one in enumerate(drawn):
        for two in drawn[i + 1 :]:
            apart = np.hypot(*np.subtract(one.center, two.center))
            assert apart > one.radius + two.radius
    for text in ax.texts:
        box = text.get_window_extent()
        assert ax.figure.bbox.x0 <= box.x0
        assert box.x1 <= ax.figure.bbox.x1


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ([3], {}, "two layers or more"),
        ([3, 0], {}, "each with a unit or more"),
        ([2, 1], {"input_labels": ["x"]}, "input_labels needs 2 entries, got 1"),
        ([2, 1], {"weights": [np.ones((2, 1))]}, r"shapes \[\(1, 2\)\], got \[\(2, 1\)\]"),
        ([2, 1], {"layer_names": ["a"]}, "layer_names needs 2"),
    ],
)
def test_what_does_not_fit_is_explained(sizes, options, message):
    with pytest.raises(ValueError, match=message):
        plot.network(sizes, **options)
