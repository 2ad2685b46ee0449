import numpy as np
from matplotlib.path import Path

from dlcourse.plot.tracing import _fewer, outline

XS = np.linspace(-2, 2, 150)
RADIUS = 1 - np.hypot(*np.meshgrid(XS, XS))


def test_a_circle_is_traced_by_few_points_that_lie_on_it():
    path = outline(XS, XS, RADIUS, False)
    distances = np.hypot(*path.vertices.T)
    assert np.abs(distances - 1).max() < 0.003
    assert len(path.vertices) < 80


def test_a_staircase_is_smoothed():
    fine = np.linspace(-2, 2, 450)
    hard = np.sign(1 - np.hypot(*np.meshgrid(fine, fine)))
    path = outline(fine, fine, hard, True)
    assert np.abs(np.hypot(*path.vertices.T) - 1).max() < 2 * (fine[1] - fine[0])
    assert len(path.vertices) < 120


def test_a_region_with_a_hole_keeps_it():
    path = outline(XS, XS, -RADIUS, False, filled=True)
    rings = [Path(ring) for ring in path.to_polygons()]
    around = [[int(r.contains_point(at)) for r in rings] for at in ([1.5, 1.5], [0, 0])]
    assert [sum(inside) for inside in around] == [1, 2]
    areas = [
        np.linalg.det(np.stack([r.vertices[:-1], r.vertices[1:]], axis=1)).sum() for r in rings
    ]
    assert areas[0] * areas[1] < 0, "rings of one direction would fill the hole"


def test_nothing_is_traced_where_no_sign_changes():
    assert outline(XS, XS, np.full((150, 150), -1.0), False, filled=True) is None
    assert outline(XS, XS, np.ones((150, 150)), False) is None


def test_points_on_a_straight_line_are_dropped():
    line = np.column_stack([np.arange(10.0), np.arange(10.0)])
    assert _fewer(line, 0.01).nonzero()[0].tolist() == [0, 9]
