import numpy as np
import pytest

from dlcourse import plot
from dlcourse.plot.neuron import ACTIVATIONS


def places(ax):
    return {t.get_text(): t.get_position() for t in ax.texts}


def test_five_stages_stand_in_order_each_with_its_number():
    at = places(plot.neuron())
    names = ["inputs", "weights", "sum", "non-linearity", "output"]
    assert np.all(np.diff([at[name][0] for name in names]) > 0)
    assert [at[name][0] for name in names] == [
        at[n][0] if n != "1" else at["inputs"][0] for n in "12345"
    ]


def test_the_bias_is_a_weight_on_a_constant_one():
    ax = plot.neuron(["x₁", "x₂"])
    ones = [t for t in ax.texts if t.get_text() == "1"]
    assert len(ones) == 2, "the stage's number and the constant"
    at = places(ax)
    assert at["w₀"][1] > at["w₁"][1] > at["w₂"][1]


@pytest.mark.parametrize("n_inputs", [1, 3, 6])
def test_no_two_texts_overlap(n_inputs):
    ax = plot.neuron([f"x{i}" for i in range(n_inputs)])
    ax.figure.draw_without_rendering()
    boxes = [t.get_window_extent().padded(-1.5) for t in ax.texts if t.get_text()]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_curve_stays_in_its_circle(name):
    ax = plot.neuron(activation=name)
    curve = ax.lines[-1]
    circle = max(ax.patches, key=lambda p: getattr(p, "radius", 0) or 0)
    reach = np.hypot(*(np.array(curve.get_data()).T - circle.center).T)
    assert reach.max() < circle.radius


def test_bad_labels_are_explained():
    with pytest.raises(ValueError, match="2 inputs need 3 weight labels, the bias first; got 2"):
        plot.neuron(["a", "b"], ["w1", "w2"])
    with pytest.raises(ValueError, match="one to six inputs, got 7"):
        plot.neuron("abcdefg")
    with pytest.raises(ValueError, match="unknown activation 'stp'; choose from step"):
        plot.neuron(activation="stp")
