import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from dlcourse import plot
from dlcourse.plot.labels import _log_number, settle


def label_of(ax, text):
    return next(a for a in ax.findobj(plt.Annotation) if a.get_text() == text)


@pytest.mark.parametrize("limit", [-0.5, 0.0, 0.5, 1.0, 2.0])
def test_the_label_of_a_limit_stays_inside_the_figure(limit):
    fig, ax = plot.axes()
    ax.plot([0, 1, 2], [0, 1, 0.2])
    plot.limit_line(ax, limit, "best possible: 97.7%")
    settle(fig)
    fig.draw_without_rendering()
    box = label_of(ax, "best possible: 97.7%").get_window_extent()
    assert fig.bbox.x0 <= box.x0
    assert box.x1 <= fig.bbox.x1
    assert fig.bbox.y0 <= box.y0
    assert box.y1 <= fig.bbox.y1 + 1


def test_the_label_avoids_the_data():
    fig, ax = plot.axes()
    ax.plot([0, 8, 10], [0, 1, 1.02])  # crowds the line's right end
    plot.limit_line(ax, 1.0, "best possible")
    settle(fig)
    fig.draw_without_rendering()
    box = label_of(ax, "best possible").get_window_extent()
    x = np.linspace(0, 10, 500)
    curve = ax.transData.transform(np.column_stack([x, np.interp(x, [0, 8, 10], [0, 1, 1.02])]))
    assert box.count_contains(curve) == 0


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_vertical_limit_has_its_label_above(value):
    fig, ax = plot.axes()
    ax.plot([0, 1], [0, 1])
    plot.limit_line(ax, value, "best possible", orientation="vertical")
    settle(fig)
    fig.draw_without_rendering()
    box = label_of(ax, "best possible").get_window_extent()
    assert box.y0 >= ax.bbox.y1
    assert fig.bbox.x0 <= box.x0
    assert box.x1 <= fig.bbox.x1


def test_labels_at_the_ends_of_lines_do_not_overlap():
    fig, ax = plot.axes()
    for height in (0.50, 0.51, 0.52, 0.9):
        ax.plot([0, 1], [0, height])
        plot.label_line(ax, 1, height, f"ends at {height}", "blue")
    settle(fig)
    fig.draw_without_rendering()
    boxes = sorted((t.get_window_extent() for t in ax.texts), key=lambda box: box.y0)
    assert all(a.y1 <= b.y0 + 2 for a, b in itertools.pairwise(boxes))
    order = sorted(ax.texts, key=lambda t: t.get_window_extent().y0)
    assert [t.get_text() for t in order] == [f"ends at {h}" for h in (0.5, 0.51, 0.52, 0.9)]


def test_bad_limits_are_refused():
    _, ax = plot.axes()
    with pytest.raises(ValueError, match="finite number, got nan"):
        plot.limit_line(ax, np.nan, "best")
    with pytest.raises(ValueError, match="got 'diagonal'"):
        plot.limit_line(ax, 1, "best", orientation="diagonal")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (0.5, "0.5"), (0.01, "0.01"), (1000, "1\u2009000"), (1e-5, "10⁻⁵"), (2e6, "2·10⁶")],
)
def test_numbers_on_a_log_axis_are_plain_text(value, text):
    assert _log_number(value) == text


def test_frames_share_one_layout():
    figures = []
    for label in ("1", "a much longer label\nof two lines"):
        fig, ax = plot.axes()
        ax.set_ylabel(label)
        figures.append(fig)
    settle(*figures)
    places = [fig.axes[0].get_position().bounds for fig in figures]
    assert places[0] == places[1]


def test_titles_stand_on_the_left_above_the_key():
    fig, ax = plot.axes()
    plot.scatter(ax, [[0, 0], [1, 1]], [0, 1], class_names=["a", "b"])
    ax.set_title("Epoch 3")
    settle(fig)
    fig.draw_without_rendering()
    assert ax.get_title("left") == "Epoch 3"
    title = next(t for t in ax.findobj(plt.Text) if t.get_text() == "Epoch 3")
    assert title.get_window_extent().y0 >= ax.get_legend().get_window_extent().y1 - 1
