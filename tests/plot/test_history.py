from dataclasses import dataclass, field

import numpy as np
import pytest

from dlcourse import plot


@dataclass
class Record:
    device: str = "cpu"
    train_loss: list = field(default_factory=lambda: [1.0, 0.5, 0.3])
    val_loss: list = field(default_factory=lambda: [1.0, 0.6, 0.5])
    val_accuracy: list = field(default_factory=list)


def texts(ax):
    return [t.get_text() for t in ax.texts]


def test_an_object_with_lists_is_drawn_and_empty_lists_are_left_out():
    ax = plot.history(Record())
    assert texts(ax) == ["training", "validation"]
    assert np.allclose(ax.lines[0].get_data(), [[1, 2, 3], [1, 0.5, 0.3]])


def test_losses_and_accuracies_get_a_panel_each_in_the_same_colours():
    loss, accuracy = plot.history(Record(val_accuracy=[0.5, 0.8, 0.9]), limit=0.95)
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert loss.lines[1].get_color() == accuracy.lines[0].get_color()
    assert accuracy.lines[-1].get_ydata()[0] == 0.95


def test_other_keys_are_curves_of_their_own():
    ax = plot.history({"SGD": [1, 2], "Adam": [1, 1.5]}, log=True, limit=(0.5, "entropy"))
    assert texts(ax) == ["SGD", "Adam", "entropy"]
    assert ax.get_yscale() == "log"
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()


def test_on_given_axes_only_the_losses_are_drawn():
    _, ax = plot.axes()
    assert plot.history(Record(val_accuracy=[0.5]), ax=ax) is ax
    assert ax.get_ylabel() == "loss"


def test_bad_records_are_explained():
    with pytest.raises(ValueError, match="nothing to draw"):
        plot.history({})
    with pytest.raises(ValueError, match="train_loss must be finite"):
        plot.history({"train_loss": [1.0, np.nan]})
