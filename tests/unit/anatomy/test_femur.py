"""Landmarks of a femur whose shape is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.anatomy.femur import find_femur, side_of
from guidegen.errors import AnatomyError
from guidegen.model.bone import Bone
from guidegen.phantoms.femur import Femur

from .leg_shapes import MOVED, TURNS, placed, surface, truth

FEMUR = Femur()
WITHIN_MM = {"femoral_head_centre": 0.2, "knee_centre": 3.0}


@pytest.fixture(scope="module")
def mesh():
    return surface(FEMUR.distance, (-72, -42, -20), (62, 48, 450), 1.5)


@pytest.fixture(scope="module", params=["right", "left"])
def side(request):
    return request.param


@pytest.fixture(scope="module", params=TURNS)
def turn(request):
    return TURNS[request.param]


@pytest.fixture(scope="module")
def found(mesh, side, turn):
    return find_femur(placed(mesh, side, turn))


def test_landmarks_lie_where_the_shape_has_them(found, side, turn):
    for name, place in truth(FEMUR.landmarks(), side, turn).items():
        off = np.linalg.norm(found[name].position_mm - place)
        assert off < WITHIN_MM.get(name, 1.5), (name, off)


def test_the_frame_is_the_bone_s_own(found, side, turn):
    angles = np.degrees(np.arccos(np.clip((found.patient_from_bone.axes * turn).sum(0), -1, 1)))
    assert angles[2] < 0.5  # mechanical axis
    assert angles.max() < 0.7


def test_the_side_comes_from_shape(found, side):
    assert side_of(found) == side


def test_the_head_is_a_sphere_of_its_size(found):
    assert found["femoral_head_centre"].values["radius_mm"] == pytest.approx(24.0, abs=0.1)
    assert found["femoral_head_centre"].spread_mm < 0.3


def test_the_epicondylar_axis_is_turned_as_made(found):
    ends = {
        n: [found[n.format(s)].position_mm for s in ("medial", "lateral")]
        for n in ("{}_epicondyle", "posterior_condyle_{}")
    }
    up = found.patient_from_bone.axes[:, 2]
    flat = [a - b - ((a - b) @ up) * up for a, b in ends.values()]
    cosine = flat[0] @ flat[1] / np.linalg.norm(flat[0]) / np.linalg.norm(flat[1])
    assert np.degrees(np.arccos(cosine)) == pytest.approx(FEMUR.epicondyles_deg, abs=0.5)


def test_terraces_as_slices_leave_them_move_no_landmark_far(side):
    way = np.array([np.sin(np.radians(20.0)), 0.0, np.cos(np.radians(20.0))])
    wave = 2 * np.pi * way / 7.0
    rough = surface(
        lambda p: FEMUR.distance(p) + 0.3 * np.sin(wave @ p), (-72, -42, -20), (62, 48, 450), 1.5
    )
    seen = find_femur(placed(rough, side, np.eye(3)))
    for name, place in truth(FEMUR.landmarks(), side, np.eye(3)).items():
        if "epicondyle" in name or name == "knee_centre":
            off = np.linalg.norm(seen[name].position_mm - place)
            assert off < WITHIN_MM.get(name, 1.5), (name, off)


def _inside(place, side, turn):
    """A patient point in the frame that the shape is made in."""
    return turn.T @ (np.asarray(place) - MOVED) * (-1.0 if side == "left" else 1.0, 1.0, 1.0)


def test_the_deepest_line_of_the_trochlea_runs_along_its_rounded_floor(found, side, turn):
    """The floor is a cylinder across the knee, between two ridges."""
    groove = found["trochlear_groove"]
    axis = np.array([-8.4, np.sqrt(13.0**2 - 8.4**2)])
    places = [groove.position_mm, groove.values["top_mm"], groove.values["bottom_mm"]]
    local = [_inside(place, side, turn) for place in places]
    for place in local:
        assert np.linalg.norm(place[1:] - axis) == pytest.approx(13.0, abs=0.3)
        assert abs(place[0]) < 3.0
    middle, top, bottom = local
    assert top[1] < middle[1] < bottom[1]
    assert top[1] < -12.0 and np.linalg.norm(bottom) < 3.0  # from in front to the notch
    along = turn.T @ np.array(groove.values["along"])
    assert along[1] > 0.95 and groove.spread_mm < 2.0


def test_the_anterior_cortex_is_the_foremost_bone_above_the_trochlea(found, side, turn):
    cortex = found["anterior_cortex"]
    place = _inside(cortex.position_mm, side, turn)
    assert 0.5 < (place[2] + 2.0) / 95.0 < 0.6  # of the knee's width, 95 mm
    x, y = np.meshgrid(np.arange(-15.0, 8.0, 0.5), np.arange(-30.0, -10.0, 0.02), indexing="ij")
    top = np.full(x.size, place[2] + 2.0)  # of the 4 mm it is the foremost of: the shaft leans
    inside = FEMUR.distance(points := np.stack([x.ravel(), y.ravel(), top])) < 0.0
    assert place[1] == pytest.approx(points[1][inside].min(), abs=0.3)
    assert cortex.values["from_mm"] < cortex.values["to_mm"]


def test_every_landmark_says_how_and_how_well_it_was_found(found):
    wanted = {"femoral_head_centre", "knee_centre", "intercondylar_notch", "trochlear_groove"}
    wanted |= {f"{side}_epicondyle" for side in ("medial", "lateral")} | {"anterior_cortex"}
    wanted |= {f"{k}_condyle_{s}" for k in ("posterior", "distal") for s in ("medial", "lateral")}
    assert wanted <= {mark.name for mark in found.points}
    assert all(mark.spread_mm > 0.0 and mark.method for mark in found.points)


def test_a_femur_without_a_sulcus_has_none(found):
    assert "medial_sulcus" not in found


def test_a_distal_half_is_refused(mesh):
    """Its condyles are so round that one may pass for a head; then it has no condyles."""
    points, faces = mesh
    low = points[:, 2] < 150
    kept = faces[low[faces].all(axis=1)]
    half = Bone("f", *_capped(points, kept))
    with pytest.raises(AnatomyError, match="wanted, none"):
        find_femur(half)


def _capped(points, faces):
    """Close a surface that was cut straight with a fan."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    known = {tuple(edge) for edge in edges}
    rim = np.array([(b, a) for a, b in known if (b, a) not in known])
    middle = points[rim[:, 0]].mean(axis=0)
    fan = np.column_stack([rim, np.full(len(rim), len(points))])
    points = np.vstack([points, middle]) + MOVED
    faces = np.vstack([faces, fan])
    used, place = np.unique(faces, return_inverse=True)
    points, faces = points[used], place.reshape(faces.shape)
    corners = points[faces]
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    return points, faces if volume > 0 else faces[:, ::-1]
