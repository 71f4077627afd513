import numpy as np
import pytest

from guidegen.mesh.rays import RayTarget
from guidegen.planning.grade import gertzbein_robbins
from guidegen.planning.half_maximum import Axis, measure_profile

from .vertebra_shape import scan


def tube(radius):
    """A rod along y (front to back), closed at both ends."""

    def distance(p):
        return np.maximum(np.hypot(p[..., 0], p[..., 2]) - radius, np.abs(p[..., 1]) - 14.0)

    return distance


def surface(radius):
    from skimage.measure import marching_cubes

    g = np.stack(np.meshgrid(*[np.arange(-18, 18.1, 0.6)] * 3, indexing="ij"), axis=-1)
    vertices, faces, _, _ = marching_cubes(tube(radius)(g), 1e-4)
    return RayTarget(vertices * 0.6 - 18.0, faces)


AXIS = Axis(np.array([0.0, 14.0, 0.0]), np.array([0.0, -1.0, 0.0]), 22.0, np.array([-1.0, 0, 0]))


@pytest.mark.parametrize("radius", [2.5, 3.5])
def test_thick_cortex_is_unbiased(radius):
    volume = scan(tube(radius), (14, 36, 14), (0.5, 0.5, 0.5), cortex_mm=1.8, noise=25.0)
    profile = measure_profile(volume, surface(radius), AXIS, 3.0)
    assert profile.corridor_mm(3.0) == pytest.approx(2 * radius, abs=0.35)
    assert np.median(profile.radii_mm[2:-2]) == pytest.approx(radius, abs=0.1)
    assert profile.seen > 0.95


def test_thin_cortex_lies_too_far_out_as_stated():
    volume = scan(tube(3.0), (14, 36, 14), (0.5, 0.5, 0.5), cortex_mm=1.0)
    profile = measure_profile(volume, surface(3.0), AXIS, 3.0)
    bias = np.median(profile.radii_mm[2:-2]) - 3.0
    assert 0.0 < bias < 0.25


def test_a_surface_that_is_wrong_does_not_move_the_edge():
    volume = scan(tube(3.0), (14, 36, 14), (0.5, 0.5, 0.5), cortex_mm=1.8)
    right = measure_profile(volume, surface(3.0), AXIS, 3.0)
    wrong = measure_profile(volume, surface(4.0), AXIS, 3.0)
    assert np.median(wrong.radii_mm[3:-3]) == pytest.approx(
        np.median(right.radii_mm[3:-3]), abs=0.02
    )


def test_breach_names_wall_and_size():
    volume = scan(tube(3.0), (14, 36, 14), (0.5, 0.5, 0.5), cortex_mm=1.8)
    moved = Axis(AXIS.entry_mm + np.array([-1.0, 0.0, 0.0]), AXIS.direction, 22.0, AXIS.medial)
    breach, wall = measure_profile(volume, surface(3.0), moved, 3.0).breach(6.0, 3.0)
    assert breach == pytest.approx(1.0, abs=0.2)
    assert wall == "medial"
    assert measure_profile(volume, surface(3.0), AXIS, 3.0).breach(5.0, 3.0) == (0.0, None)


def test_a_tip_through_the_front_is_an_anterior_breach():
    volume = scan(tube(3.0), (14, 40, 14), (0.5, 0.5, 0.5), cortex_mm=1.8)
    deep = Axis(AXIS.entry_mm, AXIS.direction, 29.5, AXIS.medial)
    breach, wall = measure_profile(volume, surface(3.0), deep, 3.0).breach(4.0, 3.0)
    assert wall == "anterior"
    assert breach == pytest.approx(1.5, abs=0.4)


def test_grades():
    values = (0.0, 0.049, 0.05, 1.99, 2.0, 3.99, 4.0, 5.99, 6.0)
    assert "".join(gertzbein_robbins(v) for v in values) == "AABBCCDDE"
