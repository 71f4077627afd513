"""Closed surfaces from fields: in place, outward, in one piece, not mirrored."""

import numpy as np
import pytest

from guidegen.bones.surface import closed_isosurface
from guidegen.errors import GeometryError
from guidegen.model.volume import Grid


def _volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, n]] for n in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def _oblique(left_handed: bool) -> Grid:
    turn = np.linalg.qr(np.array([[2.0, 1, 0.3], [-0.4, 1.5, 1], [0.2, -0.8, 1.7]]))[0]
    if (np.linalg.det(turn) < 0) != left_handed:
        turn[:, 2] *= -1
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.array([1.1, 0.6, 0.7])
    matrix[:3, 3] = (11, -35, 190)
    return Grid(matrix, (50, 70, 60))


@pytest.mark.parametrize("left_handed", [False, True])
def test_ellipsoid_with_a_bump_on_its_left(left_handed: bool) -> None:
    grid = _oblique(left_handed)
    place = grid.patient(np.stack(np.indices(grid.shape_kji), axis=-1))
    centre = grid.patient((24.5, 34.5, 29.5))
    offset = place - centre
    body = 12 - np.linalg.norm(offset, axis=-1)
    bump = 4 - np.linalg.norm(offset - np.array([11.0, 0, 0]), axis=-1)
    field = 600 * np.maximum(body, bump)
    vertices, faces = closed_isosurface(field, grid, "ball")
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert _volume(vertices, faces) == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.04)
    reach = (vertices - centre).max(axis=0), (centre - vertices).max(axis=0)
    assert reach[0][0] == pytest.approx(15.0, abs=0.2)
    assert np.allclose([*reach[0][1:], *reach[1]], 12.0, atol=0.2)


def test_hollows_and_crumbs_are_left_out() -> None:
    grid = Grid(np.diag([1.0, 1, 1, 1]), (40, 40, 40))
    distance = np.linalg.norm(np.stack(np.indices(grid.shape_kji), axis=-1) - 16.0, axis=-1)
    crumb = np.linalg.norm(np.stack(np.indices(grid.shape_kji), axis=-1) - 34.0, axis=-1)
    field = np.maximum(np.minimum(12 - distance, distance - 6), 3 - crumb) * 600
    vertices, faces = closed_isosurface(field, grid, "shell")
    assert _volume(vertices, faces) == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.03)
    assert vertices.max() < 29


def test_nothing_inside_is_an_error() -> None:
    grid = Grid(np.eye(4), (5, 5, 5))
    with pytest.raises(GeometryError, match="L3"):
        closed_isosurface(np.full((5, 5, 5), -1.0), grid, "L3")
