import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from dlcourse import plot
from dlcourse.plot.canvas import array, sheet


def test_panels_come_in_one_or_two_columns():
    fig, axs = plot.axes(2, 2)
    assert axs.shape == (2, 2)
    assert fig.get_size_inches().tolist() == [5.4, 5.4]
    assert not axs[0, 0].spines["top"].get_visible()
    for n_rows, n_cols in [(1, 3), (0, 1), (1, 0)]:
        with pytest.raises(ValueError, match="one or two columns"):
            plot.axes(n_rows, n_cols)


def test_square_axes_have_equal_units():
    fig, ax = plot.axes(square=True)
    ax.plot([0, 1], [0, 1])
    fig.draw_without_rendering()
    unit = np.diff(ax.transData.transform([(0, 0), (1, 1)]), axis=0)[0]
    assert unit[0] == pytest.approx(unit[1])


def test_one_unit_of_a_sheet_is_a_point():
    fig, ax = sheet(3, 2)
    ends = ax.transData.transform([(0, 0), (72, 72)]) / fig.dpi
    assert np.allclose(ends, [[0, 0], [1, 1]])


SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 8))


@settings(deadline=None, max_examples=20)
@given(npst.arrays(float, SHAPES, elements=st.floats(0, 1)))
def test_the_line_is_the_mean_and_the_band_is_what_was_asked(values):
    x = np.arange(values.shape[1])
    for band, low in [("range", values.min(0)), ("sd", None)]:
        _, ax = plot.axes()
        plot.spread(ax, x, values, label="seeds", band=band)
        assert np.allclose(ax.lines[0].get_ydata(), values.mean(0))
        edge = ax.collections[0].get_paths()[0].vertices[:, 1]
        if low is None:
            sd = values.std(0, ddof=1) if len(values) > 1 else 0
            low = values.mean(0) - sd
        assert edge.min() == pytest.approx(low.min(), abs=1e-12)
        plt.close()


def test_spread_says_what_does_not_fit():
    _, ax = plot.axes()
    with pytest.raises(ValueError, match=r"\(n_seeds, 2\) to fit x, got \(1, 3\)"):
        plot.spread(ax, [1, 2], [[1, 2, 3]], label="a")
    with pytest.raises(ValueError, match="NaN"):
        plot.spread(ax, [1], [[np.nan]], label="a")
    with pytest.raises(ValueError, match="from 0 to 5, got 6"):
        plot.spread(ax, [1], [[1]], label="a", index=6)
    with pytest.raises(ValueError, match="'range' or 'sd'"):
        plot.spread(ax, [1], [[1]], label="a", band="iqr")


def test_each_method_is_a_row_with_its_mean_in_words():
    _, ax = plot.axes()
    plot.dots(ax, {"a": [0.9, 0.92], "b": [0.8]}, limit=(0.95, "Bayes"))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    texts = [t.get_text() for t in ax.findobj(plt.Annotation)]
    assert {"91.0%", "80.0%", "Bayes"} <= set(texts)
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first row is not on top"


def test_dots_want_groups_with_scores():
    _, ax = plot.axes()
    with pytest.raises(ValueError, match="groups is empty"):
        plot.dots(ax, {})
    with pytest.raises(ValueError, match="scores of 'a' is empty"):
        plot.dots(ax, {"a": []})


def test_tensors_lists_and_arrays_become_arrays():
    import torch

    weights = torch.ones(2, 2, requires_grad=True)
    assert array(weights, "weights").tolist() == [[1, 1], [1, 1]]
    with pytest.raises(TypeError, match="names must be numbers, got list"):
        array(["a"], "names")
    with pytest.raises(ValueError, match=r"x must have 1 dimension\(s\), got shape \(1, 2\)"):
        array([[1, 2]], "x", 1)
