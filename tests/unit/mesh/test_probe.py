import numpy as np
from scipy.spatial import cKDTree

from guidegen.mesh.probe import Probe
from guidegen.mesh.sdf import signed_distance

from ..planning.vertebra_shape import Shape


def test_sides_are_those_of_the_winding_number_and_distances_exact():
    bone = Shape(radius=3.0, right_radius=4.5).bone()
    points = np.random.default_rng(3).uniform([-40, -18, -16], [40, 60, 16], (3000, 3))
    wanted = signed_distance(points, bone.vertices_mm, bone.faces)
    found, nearest = Probe(bone.vertices_mm, bone.faces).measure(points)
    assert (np.sign(found) == np.sign(wanted)).all()
    assert (np.abs(found - wanted) <= 0.01 * np.abs(found)).all()
    far, _ = cKDTree(bone.vertices_mm).query(points)
    assert (np.abs(found) <= far + 1e-9).all() and (far - np.abs(found)).max() < 0.45
    assert (wanted < 0).any() and (wanted > 0).any()
    assert np.allclose(np.linalg.norm(points - nearest, axis=1), np.abs(found))
