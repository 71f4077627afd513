"""Lattices, distances and isosurfaces."""

import numpy as np
import pytest

from guidegen.errors import GeometryError
from guidegen.mesh.grid import (
    Lattice,
    bounded_distance,
    distance_to_zero,
    isosurface,
    mend_signs,
)
from guidegen.mesh.solid import Solid


@pytest.fixture(scope="module")
def sphere():
    """Lattice, exact field and surface of a ball of 5 mm."""
    lattice = Lattice.around((-8, -8, -8), (8, 8, 8), 0.4)
    points = lattice.points(np.ones(lattice.shape, dtype=bool))
    field = (np.linalg.norm(points, axis=1) - 5).reshape(lattice.shape).astype(np.float32)
    return lattice, field, isosurface(lattice, field)


def test_isosurface_is_closed_outward_and_exact(sphere):
    vertices, faces = sphere[2]
    assert np.abs(np.linalg.norm(vertices, axis=1) - 5).max() < 0.01
    assert Solid.from_mesh(vertices, faces).volume_mm3 == pytest.approx(
        4 / 3 * np.pi * 125, rel=0.01
    )


def test_isosurface_closes_at_the_grid_border():
    lattice = Lattice.around((0, 0, 0), (4, 4, 4), 1.0)
    field = np.full(lattice.shape, -1.0, dtype=np.float32)
    assert Solid.from_mesh(*isosurface(lattice, field)).volume_mm3 > 60


def test_isosurface_of_nothing_is_an_error():
    lattice = Lattice.around((0, 0, 0), (4, 4, 4), 1.0)
    with pytest.raises(GeometryError, match="inside the grid"):
        isosurface(lattice, np.ones(lattice.shape, dtype=np.float32))


def test_isosurface_takes_values_exactly_on_the_level():
    lattice = Lattice.around((-3, -3, -3), (3, 3, 3), 1.0)
    points = lattice.points(np.ones(lattice.shape, dtype=bool))
    field = (np.abs(points).sum(axis=1) - 2).reshape(lattice.shape).astype(np.float32)
    assert Solid.from_mesh(*isosurface(lattice, field)).volume_mm3 > 8


def test_bounded_distance_inside_and_outside(sphere):
    near = np.array([[0, 0, 4.0], [0, 0, 6.5], [0, 0, 7.9], [0, 0, 30.0]])
    found = bounded_distance(near, *sphere[2], 2.0)
    assert found == pytest.approx([-1.0, 1.5, 2.0, 2.0], abs=0.01)


def test_faces_far_from_the_points_do_not_change_their_distance(sphere):
    surface = sphere[2]
    everywhere = np.random.default_rng(1).uniform(-9, 9, (4000, 3))
    corner = everywhere[(everywhere > 1.0).all(axis=1)]
    whole = dict(
        zip(map(tuple, everywhere), bounded_distance(everywhere, *surface, 2.0), strict=True)
    )
    assert [whole[tuple(p)] for p in corner] == bounded_distance(corner, *surface, 2.0).tolist()
    assert bounded_distance(corner + 100, *surface, 2.0).tolist() == [2.0] * len(corner)


def test_signs_are_mended(sphere):
    lattice, field, surface = sphere
    wrong = field.copy()
    at = tuple(np.argwhere((field > 0.8) & (field < 1.0))[10])
    wrong[at] = -wrong[at]
    assert mend_signs(lattice, wrong, *surface)[at] == pytest.approx(field[at], abs=0.02)
    nowhere = np.zeros(lattice.shape, dtype=bool)
    assert mend_signs(lattice, wrong, *surface, nowhere)[at] == wrong[at]


def test_distance_to_zero_is_sub_voxel(sphere):
    lattice, field, _ = sphere
    where = (field < -0.4) & (field > -1.5)
    found = distance_to_zero(lattice, field, where, 3.0)
    assert np.abs(found[where] + field[where]).max() < 0.06
    assert (found[~where] == 3.0).all()


def test_resample_and_sample_reproduce_a_linear_field():
    coarse = Lattice.around((0, 0, 0), (10, 8, 6), 1.0)
    points = coarse.points(np.ones(coarse.shape, dtype=bool))
    field = (points @ [1.0, -2.0, 0.5]).reshape(coarse.shape).astype(np.float32)
    fine = Lattice.around((1, 1, 1), (7, 5, 4), 0.4)
    want = fine.points(np.ones(fine.shape, dtype=bool)) @ [1.0, -2.0, 0.5]
    assert coarse.resample(field, fine).ravel() == pytest.approx(want, abs=1e-4)
    assert coarse.sample(field, np.array([[2.3, 4.1, 3.3]])) == pytest.approx([-4.25], abs=1e-4)


def test_box_outside_the_lattice_is_empty():
    lattice = Lattice.around((0, 0, 0), (4, 4, 4), 1.0)
    assert np.zeros(lattice.shape)[lattice.box((9, 9, 9), (12, 12, 12))].size == 0
