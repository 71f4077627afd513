"""Cuts of femora and tibiae of known shape: angles and thicknesses as they were set."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.anatomy.femur import find_femur
from guidegen.anatomy.tibia import find_tibia
from guidegen.phantoms.femur import Femur
from guidegen.phantoms.tibia import Tibia
from guidegen.planning.alignment import cut_angles_deg
from guidegen.procedures.knee.cuts import cut_femur, cut_tibia
from guidegen.procedures.knee.settings import KneeSettings

from ..anatomy.leg_shapes import TURNS, placed, surface

TURN = TURNS["oblique"]
SIDES = ("left", "right")
SETTINGS = KneeSettings(
    femur={"frontal_deg": 91.5, "flexion_deg": 2.5, "rotation_deg": 4.0},
    tibia={"frontal_deg": 88.0, "slope_deg": 6.0},
)


@pytest.fixture(scope="module")
def femora():
    mesh = surface(Femur().distance, (-72, -42, -20), (62, 48, 450), 1.5)
    bones = {side: placed(mesh, side, TURN) for side in SIDES}
    return {side: (bone, find_femur(bone)) for side, bone in bones.items()}


@pytest.fixture(scope="module")
def tibiae():
    mesh = surface(Tibia().distance, (-46, -50, -382), (46, 40, 12), 1.5)
    bones = {side: placed(mesh, side, TURN) for side in SIDES}
    return {side: (bone, find_tibia(bone)) for side, bone in bones.items()}


@pytest.mark.parametrize("side", SIDES)
def test_the_distal_cut_has_the_angles_that_were_set(femora, side):
    found = cut_femur(*femora[side], side, SETTINGS)
    frontal, sagittal = cut_angles_deg(found.planes, found.away, found.cut.normal)
    assert frontal == pytest.approx(91.5, abs=1e-6)
    assert sagittal == pytest.approx(-2.5, abs=1e-6)
    assert found.cut.normal @ found.planes.up < -0.99  # to the bone that is taken away
    assert found.cut.name == f"distal_femur_{side}"


@pytest.mark.parametrize("side", SIDES)
def test_the_more_prominent_condyle_loses_what_was_set_less_the_cartilage(femora, side):
    bone, marks = femora[side]
    found = cut_femur(bone, marks, side, KneeSettings())
    assert found.removed_mm["distal_medial"] == pytest.approx(7.0, abs=1e-6)
    assert found.removed_mm["distal_lateral"] == pytest.approx(4.5, abs=0.3)  # 2.5 mm shorter
    kerf = (bone.vertices_mm - found.cut.origin_mm) @ found.cut.normal
    assert kerf.max() == pytest.approx(7.0 - 1.3 / 2, abs=1e-6)  # origin lies mid-kerf


@pytest.mark.parametrize("side", SIDES)
def test_rotation_is_external_on_both_sides(femora, side):
    found = cut_femur(*femora[side], side, SETTINGS)
    assert found.angles_deg["PCA"] == pytest.approx(4.0, abs=1e-6)
    assert found.angles_deg["TEA"] == pytest.approx(0.0, abs=0.6)  # made 4 deg external
    lateral = found.removed_mm["posterior_lateral"]
    assert found.removed_mm["posterior_medial"] == pytest.approx(7.0, abs=1e-6)
    assert lateral == pytest.approx(7.0 - 46.0 * np.tan(np.radians(4.0)), abs=0.6)


@pytest.mark.parametrize("side", SIDES)
def test_rotation_by_the_epicondyles_lies_along_them(femora, side):
    settings = KneeSettings(femur={"rotation": "tea"})
    found = cut_femur(*femora[side], side, settings)
    assert found.angles_deg["TEA"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("side", SIDES)
def test_the_anterior_cut_is_flush_with_the_cortex(femora, side):
    bone, marks = femora[side]
    found = cut_femur(bone, marks, side, KneeSettings())
    assert found.sizes_mm["notch"] == pytest.approx(0.0, abs=1e-6)
    own = marks.patient_from_bone.inverse.points(found.faces["anterior"].point_mm)
    heights = marks["anterior_cortex"].values
    assert heights["from_mm"] - 1.0 < own[2] < heights["to_mm"] + 1.0 and own[1] < 0.0
    assert 45.0 < found.sizes_mm["component_ap"] < 70.0


@pytest.mark.parametrize("side", SIDES)
def test_the_tibial_cut_slopes_down_to_the_back(tibiae, side):
    bone, marks = tibiae[side]
    found = cut_tibia(bone, marks, side, SETTINGS)
    frontal, slope = cut_angles_deg(found.planes, found.away, found.cut.normal)
    assert (frontal, slope) == pytest.approx((88.0, 6.0), abs=1e-6)
    back = found.planes.back
    low = np.cross(found.cut.normal, found.planes.medial)
    low = low if low @ back > 0 else -low
    assert low @ found.planes.up < 0


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", ["femur", "tibia"])
def test_less_than_90_deg_is_varus_of_both_bones(femora, tibiae, kind, side):
    """A tibia of 87 deg ends lower on the medial side, a femur of 87 deg higher."""
    bone, marks = {"femur": femora, "tibia": tibiae}[kind][side]
    cut = {"femur": cut_femur, "tibia": cut_tibia}[kind]
    square, leant = (cut(bone, marks, side, KneeSettings(**{kind: {"frontal_deg": angle}})).cut
                     for angle in (90.0, 87.0))  # fmt: skip
    pair = ("medial_epicondyle", "lateral_epicondyle")
    inner, outer = (
        marks[name].position_mm
        for name in (pair if kind == "femur" else ("plateau_medial", "plateau_lateral"))
    )
    up = marks.patient_from_bone.axes[:, 2]
    across = inner - outer - (inner - outer) @ up * up

    def rise_deg(normal):
        flat = across - (across @ normal) / (up @ normal) * up  # the cut's own line to medial
        return np.degrees(np.arctan2(flat @ up, np.linalg.norm(across)))

    turned = rise_deg(leant.normal) - rise_deg(square.normal)
    assert turned == pytest.approx(3.0 if kind == "femur" else -3.0, abs=0.05)


@pytest.mark.parametrize("side", SIDES)
def test_the_higher_plateau_loses_what_was_set(tibiae, side):
    bone, marks = tibiae[side]
    found = cut_tibia(bone, marks, side, KneeSettings(tibia={"slope_deg": 0.0}))
    assert found.removed_mm["plateau_lateral"] == pytest.approx(8.0, abs=1e-6)
    assert found.removed_mm["plateau_medial"] == pytest.approx(5.0, abs=0.4)  # 3 mm deeper
    assert found.sizes_mm["tibial_ml"] == pytest.approx(74.0, abs=3.0)
