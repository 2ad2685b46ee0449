import pytest

from dlcourse import plot


def test_each_part_is_named_once_and_inside_the_sheet():
    ax = plot.biological_neuron()
    ax.figure.draw_without_rendering()
    for name in ("dendrites", "soma", "axon", "synapse"):
        (text,) = [t for t in ax.texts if t.get_text() == name]
        box = text.get_window_extent()
        assert ax.figure.bbox.x0 <= box.x0
        assert box.x1 <= ax.figure.bbox.x1
        assert box.y1 <= ax.figure.bbox.y1


def test_the_axon_leaves_the_soma_to_the_right_towards_the_synapse():
    at = {t.get_text(): t.get_position()[0] for t in plot.biological_neuron().texts}
    assert at["dendrites"] < at["soma"] < at["axon"] < at["synapse"]


def test_it_can_be_drawn_beside_another_figure():
    _, ax = plot.axes()
    assert plot.biological_neuron(ax) is ax
    assert len(ax.patches) == pytest.approx(55, abs=15)
