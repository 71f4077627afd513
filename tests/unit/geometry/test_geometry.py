import numpy as np
import pytest

from guidegen.geometry.lines import along_and_beside, line_crossings
from guidegen.geometry.planes import fit_plane


def test_split_along_and_beside_a_line():
    along, beside = along_and_beside(
        np.array([[3.0, 4.0, 0.0]]), np.zeros(3), np.array([1.0, 0.0, 0.0])
    )
    assert along == pytest.approx([3.0])
    assert beside[0] == pytest.approx([0.0, 4.0, 0.0])


def test_crossings_are_sorted_and_signed():
    triangles = np.array([[[-1, -1, z], [3, -1, z], [-1, 3, z]] for z in (5.0, -2.0, 1.0)])
    found = line_crossings(triangles, np.zeros(3), np.array([0.0, 0.0, 1.0]))
    assert found == pytest.approx([-2.0, 1.0, 5.0])
    assert len(line_crossings(triangles, np.array([9.0, 0, 0]), np.array([0.0, 0.0, 1.0]))) == 0


def test_plane_fit_leaves_strays_out():
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.uniform(-20, 20, (80, 2)), rng.normal(0, 0.1, 80)])
    points[:12, 2] += 9.0
    plane = fit_plane(points, np.array([0.0, 0.0, -1.0]))
    assert plane.normal == pytest.approx([0.0, 0.0, -1.0], abs=0.01)
    assert plane.n_kept <= 68
    assert plane.spread_mm < 0.2
