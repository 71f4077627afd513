"""Exact solids."""

import numpy as np
import pytest

from guidegen.errors import GeometryError
from guidegen.mesh.solid import Solid, perpendicular
from guidegen.model.bone import closed_surface


def box(low=(0, 0, 0), high=(1, 1, 1)):
    """Corners and outward faces of a box."""
    a, b = np.array(low, float), np.array(high, float)
    corners = np.array([[(a, b)[i >> n & 1][n] for n in range(3)] for i in range(8)])
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    return corners, np.array([t for q in quads for t in ((q[0], q[1], q[2]), (q[0], q[2], q[3]))])


def test_volume_and_round_trip():
    solid = Solid.from_mesh(*box((0, 0, 0), (2, 3, 4)))
    assert solid.volume_mm3 == pytest.approx(24)
    points, _ = closed_surface(*solid.arrays(), "box")
    assert points.max() == 4


def test_inside_out_is_refused():
    points, faces = box()
    with pytest.raises(GeometryError, match="inside out"):
        Solid.from_mesh(points, faces[:, ::-1])


def test_open_surface_is_refused():
    points, faces = box()
    with pytest.raises(GeometryError, match="not sound"):
        Solid.from_mesh(points, faces[1:])


def test_cutting_everything_away_is_refused():
    with pytest.raises(GeometryError, match="empty"):
        Solid.from_mesh(*box()).minus([Solid.from_mesh(*box((-1, -1, -1), (2, 2, 2)))])


def test_overlap_and_bodies():
    one, two = Solid.from_mesh(*box()), Solid.from_mesh(*box((0.5, 0, 0), (3, 1, 1)))
    assert one.overlap_mm3(two) == pytest.approx(0.5)
    assert one.overlap_mm3(Solid.from_mesh(*box((5, 5, 5), (6, 6, 6)))) == 0.0
    apart = Solid.union([one, Solid.from_mesh(*box((5, 5, 5), (7, 6, 6)))])
    assert [b.volume_mm3 for b in apart.bodies()] == pytest.approx([2.0, 1.0])


def test_cylinder_is_round_to_two_hundredths():
    axis = np.array([1.0, 2.0, -0.5]) / np.linalg.norm([1.0, 2.0, -0.5])
    start = np.array([3.0, 1.0, 2.0])
    solid = Solid.cylinder(start, axis, 20.0, 2.9)
    points, _ = solid.arrays()
    along = (points - start) @ axis
    radial = np.linalg.norm(points - start - along[:, None] * axis, axis=1)
    assert np.abs(radial - 1.45).max() < 0.002
    assert along.min() == pytest.approx(0, abs=1e-9) and along.max() == pytest.approx(20)
    assert solid.volume_mm3 == pytest.approx(np.pi * 1.45**2 * 20, rel=1e-9)


def test_perpendicular_is_right_handed():
    for direction in np.eye(3):
        x, y = perpendicular(direction)
        assert np.cross(x, y) == pytest.approx(direction)


def test_extrude_with_a_hole():
    square = np.array([(0, 0), (4, 0), (4, 4), (0, 4)], float)
    hole = np.array([(1, 1), (1, 3), (3, 3), (3, 1)], float)
    pose = np.eye(4)
    pose[:3, 3] = (10, 0, 5)
    solid = Solid.extrude([square, hole], 2.0, pose)
    assert solid.volume_mm3 == pytest.approx(24)
    assert solid.arrays()[0].min(axis=0) == pytest.approx((10, 0, 5))
