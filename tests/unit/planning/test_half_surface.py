from functools import lru_cache

import numpy as np
import pytest
from skimage.measure import marching_cubes

from guidegen.planning.half_surface import half_maximum_vertices

from .vertebra_shape import scan


def ball(radius):
    return lambda p: np.linalg.norm(p, axis=-1) - radius


@lru_cache
def mesh(radius):
    g = np.stack(np.meshgrid(*[np.arange(-10, 10.1, 0.7)] * 3, indexing="ij"), axis=-1)
    vertices, faces, _, _ = marching_cubes(ball(radius)(g), 1e-4)
    points = vertices * 0.7 - 10.0
    a, b, c = (points[faces[:, n]] for n in range(3))
    outward = np.einsum("ij,ij->", a, np.cross(b, c)) > 0
    return points, faces if outward else faces[:, ::-1]


@lru_cache
def volume(cortex, noise=0.0):
    return scan(ball(6.0), (22, 22, 22), (0.7, 0.7, 0.7), cortex, noise=noise)


def moved(start, cortex, levels=(0.5,), noise=0.0):
    vertices, faces = mesh(start)
    every = np.arange(len(vertices))
    found = half_maximum_vertices(volume(cortex, noise), vertices, faces, every, levels)
    return [np.linalg.norm(v, axis=1) for v in found]


@pytest.mark.parametrize("start", [5.4, 6.0, 6.6])
def test_the_grey_values_decide_wherever_the_surface_was(start):
    (radius,) = moved(start, 1.8, noise=25.0)
    assert np.median(radius) == pytest.approx(6.0, abs=0.1)
    assert np.abs(radius - 6.0).max() < 0.4


def test_levels_bracket_the_half_maximum():
    half, low, high = moved(6.0, 1.8, (0.5, 0.4, 0.6))
    assert np.median(high) < np.median(half) < np.median(low)


def test_thin_cortex_lies_too_far_out_as_stated():
    (radius,) = moved(6.0, 1.0)
    assert 0.0 < np.median(radius) - 6.0 < 0.25


def test_only_the_chosen_vertices_and_their_neighbours_move():
    vertices, faces = mesh(5.4)
    chosen = np.flatnonzero(vertices[:, 2] > 3.0)
    (found,) = half_maximum_vertices(volume(1.8), vertices, faces, chosen)
    far = vertices[:, 2] < 0.0
    assert np.array_equal(found[far], vertices[far])
    assert np.median(np.linalg.norm(found[chosen], axis=1)) == pytest.approx(6.0, abs=0.15)


def test_no_edge_leaves_a_vertex_alone():
    vertices, faces = mesh(6.0)
    flat = scan(lambda p: np.full(p.shape[:-1], -9.0), (22, 22, 22), (0.7, 0.7, 0.7))
    (found,) = half_maximum_vertices(flat, vertices, faces, np.arange(len(vertices)))
    assert np.array_equal(found, vertices)
