"""The medial sulcus: a hollow of known place and depth in a smooth epicondyle, or none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.anatomy.condyles import Condyles
from guidegen.anatomy.knee_axes import Axes
from guidegen.anatomy.long_bone import Faces
from guidegen.anatomy.sulcus import find_sulcus
from guidegen.model.bone import Bone

from .leg_shapes import surface

RADII = np.array([40.0, 26.0, 24.0])
BALL_MM = 7.0
HOLLOW = (4.0, -3.0)
"""Behind the highest point and below it."""
TURN = Rotation.from_euler("xyz", (30, -50, 110), degrees=True).as_matrix()


def epicondyle(*hollows: tuple[float, float, float]):
    """A smooth end of a knee, x to medial, with hollows at (y, z) so deep: mesh and floors."""
    balls, floors = [], []
    for y, z, deep in hollows:
        x = RADII[0] * np.sqrt(1 - (y / RADII[1]) ** 2 - (z / RADII[2]) ** 2)
        top = np.array([x, y, z])
        out = top / RADII**2
        out = out / np.linalg.norm(out)
        balls.append(top + (BALL_MM - deep) * out)
        floors.append(top - deep * out)

    def distance(points):
        flat = points / RADII[:, None]
        body = np.maximum((np.linalg.norm(flat, axis=0) - 1.0) * RADII.min(), 20.0 - points[0])
        for ball in balls:
            body = np.maximum(body, BALL_MM - np.linalg.norm(points - ball[:, None], axis=0))
        return body

    return surface(distance, (18, -28, -26), (42, 28, 26), 0.5), floors


def looked_at(mesh, mirrored=False, turn=None, twist_deg=5.0):
    """What is found, in the shape's own frame; the epicondyles turned against the condyles."""
    points, faces = mesh
    flip = np.array([-1.0 if mirrored else 1.0, 1.0, 1.0])
    turn = np.eye(3) if turn is None else turn

    def there(place):
        return (np.asarray(place, dtype=float) * flip) @ turn.T

    faces = faces if mirrored else faces[:, ::-1]
    ends = (there((40, 0, 0)), there((-40, 0, 0)))
    a = np.radians(twist_deg)
    hind = [(np.cos(a), np.sin(a), 0), (-np.sin(a), np.cos(a), 0)]
    axes = Axes(there(hind[0]), there(hind[1]), there((0, 0, 1)))
    zero = np.zeros(3)
    known = Condyles(axes, zero, (zero, zero), (zero, zero), ends)
    found = find_sulcus(Faces.of(Bone("f", there(points), faces)), known)
    return None if found is None else ((turn.T @ found.point) * flip, found)


@pytest.mark.parametrize("mirrored", [False, True], ids=["right", "left"])
@pytest.mark.parametrize("turn", [None, TURN], ids=["as_made", "oblique"])
def test_a_hollow_is_found_where_it_is(mirrored, turn):
    mesh, (floor,) = epicondyle((*HOLLOW, 1.5))
    place, found = looked_at(mesh, mirrored, turn)
    assert np.linalg.norm(place - floor) < 0.8
    assert 0.3 < found.depth_mm < 1.5  # 1.5 mm before it is smoothed
    assert found.spread_mm < 1.5


@pytest.mark.parametrize(
    "hollows",
    [
        pytest.param((), id="smooth"),
        pytest.param(((*HOLLOW, 0.3),), id="within the error of a surface"),
        pytest.param(((-4.0, -3.0, 1.5),), id="before the highest point"),
        pytest.param(((5.0, -5.0, 1.5), (5.0, 5.0, 1.5)), id="two alike"),
        pytest.param(((10.5, -5.0, 1.5),), id="aside of the epicondyle"),
    ],
)
def test_what_can_not_be_told_is_not_told(hollows):
    mesh, _ = epicondyle(*hollows)
    assert looked_at(mesh) is None


@pytest.mark.parametrize("twist_deg", [-1.0, 11.0])
def test_a_hollow_that_would_turn_the_surgical_axis_as_none_is_turned_is_no_sulcus(twist_deg):
    mesh, _ = epicondyle((*HOLLOW, 1.5))
    assert looked_at(mesh, twist_deg=twist_deg) is None
