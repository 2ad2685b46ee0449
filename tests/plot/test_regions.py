import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcourse import plot

BOX = (-1.0, 1.0, -1.0, 1.0)


def regions_at(ax, points):
    """Which class is painted at each point: the last patch drawn there, by its fill."""
    fills = [plot.soft(name) for name in plot.CYCLE]
    painted = np.full(len(points), -1)
    for patch in sorted(ax.patches, key=lambda p: p.get_zorder()):
        if patch.get_fill():
            path = patch.get_path().transformed(patch.get_patch_transform())
            colour = "#" + "".join(f"{round(255 * c):02x}" for c in patch.get_facecolor()[:3])
            painted[path.contains_points(points)] = fills.index(colour)
    return painted


@settings(deadline=None, max_examples=15)
@given(st.integers(2, 6), st.integers(0, 1000))
def test_the_plane_is_painted_as_the_model_classifies(n_classes, seed):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-1, 1, size=(n_classes, 2))

    def scores(Z):
        return -((Z[:, None] - centres) ** 2).sum(axis=-1)

    ax = plot.decision_regions(scores, extent=BOX)
    points = rng.uniform(-0.99, 0.99, size=(300, 2))
    ordered = np.sort(scores(points), axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 0.03
    assert (regions_at(ax, points) == scores(points).argmax(axis=1))[clear].all()
    plt.close()


@pytest.mark.parametrize(
    "predict",
    [
        lambda Z: Z[:, 0],
        lambda Z: Z[:, :1],
        lambda Z: 1 / (1 + np.exp(-5 * Z[:, 0])),
        lambda Z: (Z[:, 0] > 0).astype(int),
        lambda Z: np.where(Z[:, 0] > 0, 1, -1),
        lambda Z: np.column_stack([-Z[:, 0], Z[:, 0]]),
    ],
    ids=["logits", "a column", "probabilities", "classes", "signs", "two scores"],
)
def test_all_forms_of_scores_give_the_same_picture(predict):
    ax = plot.decision_regions(predict, extent=BOX)
    points = np.random.default_rng(0).uniform(-0.95, 0.95, size=(200, 2))
    points = points[np.abs(points[:, 0]) > 0.03]
    assert (regions_at(ax, points) == (points[:, 0] > 0)).all()


def test_three_hard_classes_and_a_threshold():
    ax = plot.decision_regions(lambda Z: np.digitize(Z[:, 0], [-0.5, 0.5]), extent=BOX)
    points = np.array([[-0.8, 0], [0, 0], [0.8, 0]])
    assert regions_at(ax, points).tolist() == [0, 1, 2]
    ax = plot.decision_regions(lambda Z: Z[:, 0], extent=BOX, threshold=0.6)
    assert regions_at(ax, np.array([[0.5, 0], [0.7, 0]])).tolist() == [0, 1]


def test_a_model_that_says_the_same_everywhere_has_no_boundary():
    ax = plot.decision_regions(lambda Z: np.ones(len(Z)), extent=BOX)
    assert set(regions_at(ax, np.zeros((1, 2)))) == {1}
    assert all(patch.get_fill() for patch in ax.patches)


def test_predict_gets_float32_points_of_the_plane_and_may_return_tensors():
    import torch

    layer = torch.nn.Linear(2, 3)

    def predict(Z):
        assert Z.dtype == np.float32
        assert Z.shape[1] == 2
        return layer(torch.from_numpy(Z))

    plot.decision_regions(predict, extent=BOX, resolution=20)


def test_bad_scores_and_extents_are_explained():
    with pytest.raises(ValueError, match="give the points X or an extent"):
        plot.decision_regions(lambda Z: Z[:, 0])
    with pytest.raises(ValueError, match=r"must return scores of shape.*got \(3,\)"):
        plot.decision_regions(lambda Z: Z[:3, 0], extent=BOX)
    with pytest.raises(ValueError, match="NaN"):
        plot.decision_regions(lambda Z: Z[:, 0] * np.nan, extent=BOX)
    with pytest.raises(ValueError, match="smaller first"):
        plot.decision_regions(lambda Z: Z[:, 0], extent=(1, -1, -1, 1))
    with pytest.raises(ValueError, match="10 to 1000, got 5"):
        plot.decision_regions(lambda Z: Z[:, 0], extent=BOX, resolution=5)
    with pytest.raises(ValueError, match="at most 6 classes"):
        plot.decision_regions(lambda Z: np.tile(Z, 4), extent=BOX)


def test_points_have_a_colour_and_a_marker_for_each_class():
    _, ax = plot.axes()
    plot.scatter(ax, np.zeros((3, 2)), [0, 1, 2], class_names=["a", "b", "c"])
    assert len({dots.get_paths()[0].vertices.tobytes() for dots in ax.collections}) == 3
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b", "c"]
    _, ax = plot.axes()
    plot.scatter(ax, np.zeros((2, 2)), [-1, 1])
    assert len(ax.collections) == 2


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((2, 3)), [0, 1], r"\(N, 2\) to be drawn in the plane, got \(2, 3\)"),
        (np.zeros((2, 2)), [0], "2 points but y has 1 labels"),
        (np.zeros((2, 2)), [0, 0.5], "whole numbers"),
        (np.zeros((2, 2)), [0, 6], "from 0 to 5"),
    ],
)
def test_bad_points_are_explained(X, y, message):
    _, ax = plot.axes()
    with pytest.raises(ValueError, match=message):
        plot.scatter(ax, X, y)


@settings(deadline=None, max_examples=25)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-1, 1))
def test_the_line_is_where_the_score_is_zero(w1, w2, b):
    w = np.array([w1, w2])
    if np.hypot(w1, w2) < 1e-3:
        w = np.array([1.0, 0.0])
    _, ax = plot.axes()
    plot.line_boundary(ax, w, b, extent=BOX)
    ends = np.column_stack(ax.lines[0].get_data())
    assert np.allclose(ends @ w + b, 0, atol=1e-9)
    assert ax.get_xlim() == BOX[:2]
    plt.close()


def test_the_arrow_points_to_class_one():
    _, ax = plot.axes()
    plot.line_boundary(ax, [2, 1], 0.1, extent=BOX)
    start, tip = ax.patches[0]._posA_posB
    assert np.array([2, 1]) @ (np.array(tip) - start) > 0


def test_a_line_without_direction_is_refused():
    _, ax = plot.axes()
    with pytest.raises(ValueError, match="no boundary"):
        plot.line_boundary(ax, [0, 0], 1, extent=BOX)
    with pytest.raises(ValueError, match=r"shape \(2,\), got \(3,\)"):
        plot.line_boundary(ax, [1, 2, 3], 1, extent=BOX)
