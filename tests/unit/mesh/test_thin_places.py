"""Thin places are found where they are; the banded distance knows inside from outside."""

import numpy as np
import pytest

from guidegen.mesh.grid import Lattice, banded_distance
from guidegen.mesh.sdf import signed_distance
from guidegen.mesh.solid import Solid
from guidegen.mesh.wall import Patch, thin_places, thin_walls, thinnest_wall
from tests.unit.checks.specimen import arrays, box


def test_a_thin_blade_on_a_block_is_found_in_its_middle():
    shape = box((-10, -10, -10), (10, 10, 0)) + box((-10, -0.6, -1), (10, 0.6, 10))
    vertices, faces = arrays(shape.refine_to_length(2.0))
    thin = thin_places(vertices, faces, 2.0)
    assert len(thin) > 500
    assert np.abs(thin[:, 1]).max() < 0.02 and thin[:, 2].min() > -0.7
    assert len(thin_places(vertices, faces, 1.1)) == 0
    near = thin_places(vertices, faces, 2.0, near_mm=np.array([[0.0, 0.0, 5.0]]))
    assert 10 < len(near) < 200
    assert np.linalg.norm(near - [0, 0, 5], axis=1).max() < 2.1


@pytest.mark.parametrize(("facing", "found"), [(95.0, True), (150.0, False)])
def test_a_crest_is_thin_if_asked_for(facing, found):
    roof = Solid.hull(np.array([(x, y, z) for x in (-9, 9) for y, z in ((-5, 0), (5, 0), (0, 9))]))
    vertices, faces = roof.refined(1.0).arrays()
    thin = thin_places(vertices, faces, 2.0, facing_deg=facing)
    crest = thin[(thin[:, 2] > 5) & (np.abs(thin[:, 0]) < 7)]
    assert (len(crest) > 0) == found


def test_the_banded_distance_is_exact_near_and_signed_everywhere():
    shape = box((-9, -8, -7), (9, 8, 7)) + box((14, -3, -3), (20, 3, 3))
    vertices, faces = arrays(shape)
    lattice = Lattice.around((-13, -12, -11), (24, 12, 11), 0.6)
    field = banded_distance(lattice, vertices, faces, 1.8)
    nodes = lattice.points(np.ones(lattice.shape, dtype=bool))
    exact = signed_distance(nodes, vertices, faces)
    assert field.ravel() == pytest.approx(np.clip(exact, -1.8, 1.8), abs=0.005)


def test_balls_hulls_and_centres():
    ball = Solid.ball(np.array([3.0, -2.0, 7.0]), 2.0)
    assert ball.centre_mm == pytest.approx((3, -2, 7), abs=1e-9)
    assert ball.volume_mm3 == pytest.approx(4 / 3 * np.pi * 8, rel=0.03)
    cube = Solid.hull(np.array([(x, y, z) for x in (0, 2) for y in (0, 2) for z in (0, 2)]))
    assert cube.volume_mm3 == pytest.approx(8.0)
    assert cube.centre_mm == pytest.approx((1, 1, 1))
    vertices, faces = cube.refined(0.5).arrays()
    edges = np.linalg.norm(vertices[faces] - vertices[np.roll(faces, 1, axis=1)], axis=2)
    assert edges.max() <= 1.0 and len(faces) > 100


@pytest.mark.parametrize(("half", "least"), [(0.9, 2.0), (1.1, 2.0), (1.6, 3.5), (1.6, 3.1)])
def test_thin_walls_are_found_exactly_if_the_thinnest_is_thin(half, least):
    shape = box((-10, -10, -10), (10, 10, 0)) + box((-10, -half, -1), (10, half, 10))
    vertices, faces = arrays(shape.refine_to_length(2.0))
    thinnest = thinnest_wall(vertices, faces)
    assert thinnest.thickness_mm == pytest.approx(2 * half, abs=0.03)
    thin = thin_walls(vertices, faces, (), least)
    assert (len(thin) > 0) == (thinnest.thickness_mm < least)
    assert np.abs(thin[:, 1]).max(initial=0) < 0.05
    whole = Patch(np.zeros(3), np.array([0.0, 1.0, 0.0]), None, 60.0, 0.0, 60.0)
    assert len(thin_walls(vertices, faces, (whole,), least)) == 0


def test_volume_beyond_others():
    cube = Solid.hull(np.array([(x, y, z) for x in (0, 2) for y in (0, 2) for z in (0, 2)]))
    half = Solid.hull(np.array([(x, y, z) for x in (-1, 1) for y in (-1, 3) for z in (-1, 3)]))
    assert cube.beyond_mm3([half]) == pytest.approx(4.0)
    assert cube.beyond_mm3([half, cube]) == pytest.approx(0.0, abs=1e-9)
