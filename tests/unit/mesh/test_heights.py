import numpy as np
import pytest

from guidegen.errors import GeometryError
from guidegen.mesh.heights import closed_under
from guidegen.mesh.quality import is_sound, topology


def map_of(nx=6, nz=5):
    x, z = np.arange(nx) * 2.0, np.arange(nz) * 3.0
    return x, z, np.full((nx, nz), 4.0)


def test_flat_map_is_a_box():
    vertices, faces = closed_under(*map_of(), -1.0)
    assert is_sound(vertices, faces)
    assert topology(vertices, faces).volume_mm3 == pytest.approx(10 * 12 * 5)


def test_heights_are_kept_and_the_top_faces_back():
    x, z, heights = map_of(9, 9)
    heights = heights + np.random.default_rng(1).uniform(0, 3, heights.shape)
    vertices, faces = closed_under(x, z, heights, 0.0)
    assert is_sound(vertices, faces)
    top = vertices[vertices[:, 1] > 0]
    i, k = np.rint(top[:, 0] / 2).astype(int), np.rint(top[:, 2] / 3).astype(int)
    assert np.array_equal(heights[i, k], top[:, 1])


def test_holes_and_corners_stay_closed():
    x, z, heights = map_of(12, 12)
    heights[4, 4] = np.nan
    heights[:5, 8:] = np.nan
    vertices, faces = closed_under(x, z, heights, 0.0)
    assert is_sound(vertices, faces)


def test_cells_that_meet_in_a_corner_do_not_make_a_crowded_edge():
    x, z, heights = map_of(9, 9)
    heights[:4, 5:] = np.nan
    heights[5:, :4] = np.nan
    vertices, faces = closed_under(x, z, heights, 0.0)
    assert is_sound(vertices, faces)


def test_the_largest_piece_is_taken():
    x, z, heights = map_of(12, 6)
    heights[8] = np.nan
    vertices, faces = closed_under(x, z, heights, 0.0)
    assert topology(vertices, faces).n_bodies == 1
    assert vertices[:, 0].max() == 14.0


def test_nothing_whole_is_refused():
    x, z, heights = map_of()
    heights[::2] = np.nan
    with pytest.raises(GeometryError, match="without a single whole cell"):
        closed_under(x, z, heights, 0.0)
