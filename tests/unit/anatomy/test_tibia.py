"""Landmarks of a tibia whose shape is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.anatomy.tibia import find_tibia
from guidegen.phantoms.tibia import Tibia

from .leg_shapes import MOVED, TURNS, placed, surface, truth

TIBIA = Tibia()


@pytest.fixture(scope="module")
def mesh():
    return surface(TIBIA.distance, (-46, -50, -382), (46, 40, 12), 1.5)


@pytest.fixture(scope="module", params=["right", "left"])
def side(request):
    return request.param


@pytest.fixture(scope="module", params=TURNS)
def turn(request):
    return TURNS[request.param]


@pytest.fixture(scope="module")
def found(mesh, side, turn):
    return find_tibia(placed(mesh, side, turn))


def test_landmarks_lie_where_the_shape_has_them(found, side, turn):
    for name, place in truth(TIBIA.landmarks(), side, turn).items():
        off = np.linalg.norm(found[name].position_mm - place)
        assert off < 1.2, (name, off)


def test_the_frame_is_the_bone_s_own(found, turn):
    angles = np.degrees(np.arccos(np.clip((found.patient_from_bone.axes * turn).sum(0), -1, 1)))
    assert angles[2] < 0.3
    assert angles.max() < 3.5  # about its axis: from the tubercle, which stands 2 mm aside


def test_plateaus_lie_at_their_depth_medial_below_lateral(found, side):
    inside = {
        part: found.patient_from_bone.inverse.points(found[f"plateau_{part}"].position_mm)
        for part in ("medial", "lateral")
    }
    out = 1.0 if side == "left" else -1.0
    assert out * inside["lateral"][0] > 20 and out * inside["medial"][0] < -20
    centre = found.patient_from_bone.inverse.points(found["plateau_centre"].position_mm)
    depth = {part: centre[2] - place[2] for part, place in inside.items()}
    assert depth["medial"] - depth["lateral"] == pytest.approx(3.0, abs=0.4)
    assert found["plateau_centre"].values["width_mm"] == pytest.approx(74.0, abs=2.5)


def test_the_cruciate_s_place_is_in_the_notch_of_the_rim(found):
    place = found.patient_from_bone.inverse.points(found["posterior_cruciate"].position_mm)
    assert place[1] > 18 and abs(place[0]) < 3


def _inside(place, side, turn):
    """A patient point in the frame that the shape is made in."""
    return turn.T @ (place - MOVED) * (-1.0 if side == "left" else 1.0, 1.0, 1.0)


def test_the_tubercle_s_medial_third_ends_where_its_round_front_has_it(found, side, turn):
    """The tubercle is a ball of 8 mm: 2.5 mm behind its front it is 11.6 mm wide."""
    place = _inside(found["tubercle_medial_third"].position_mm, side, turn)
    half = np.sqrt(8.0**2 - 5.5**2)
    assert place[0] == pytest.approx(-2.0 - half + 2 / 3 * 2 * half, abs=0.8)
    assert place[1] == pytest.approx(-38.8, abs=0.6)


def test_the_cruciate_s_place_is_the_bottom_of_the_groove_behind(found, side, turn):
    """A groove of 8 mm radius about a line 31 mm behind the middle."""
    place = _inside(found["posterior_cruciate"].position_mm, side, turn)
    assert abs(place[0]) < 1.0 and place[1] == pytest.approx(23.0, abs=1.0)


def test_every_landmark_says_how_and_how_well_it_was_found(found):
    wanted = {"plateau_centre", "tubercle", "tubercle_medial_third", "posterior_cruciate"}
    wanted |= {f"{kind}_{s}" for kind in ("plateau", "eminence") for s in ("medial", "lateral")}
    wanted |= {"ankle_centre", "malleolus_medial"}
    assert wanted <= {mark.name for mark in found.points}
    assert all(mark.spread_mm > 0.0 and mark.method for mark in found.points)
