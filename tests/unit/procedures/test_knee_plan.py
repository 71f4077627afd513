"""A leg of known shape, put together in varus and valgus, bent and turned in the scanner."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.anatomy.femur import find_femur
from guidegen.anatomy.tibia import find_tibia
from guidegen.model.bone import Bone
from guidegen.phantoms.femur import Femur
from guidegen.phantoms.tibia import Tibia
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.knee.plan import plan_knee
from guidegen.procedures.knee.settings import KneeSettings

from ..anatomy.leg_shapes import placed, surface

BELOW = np.array([0.0, 4.0, -18.0])
"""The tibia's plateaus lie under the femur's condyles."""


STRAIGHT = np.eye(3)


def slow(value):
    """A value that is tried with the slow tests."""
    return pytest.param(value, marks=pytest.mark.slow)


@lru_cache
def meshes():
    return (
        surface(Femur().distance, (-72, -42, -20), (62, 48, 450), 1.5),
        surface(Tibia().distance, (-46, -50, -382), (46, 40, 12), 1.5),
    )


def turned(*angles_deg):
    return Rotation.from_euler("xyz", angles_deg, degrees=True).as_matrix()


def leg(side, varus_deg=0.0, bent_deg=0.0, turn=STRAIGHT):
    """Bones of a leg: the shank bent about the epicondyles and leant, then the whole leg."""
    femur, tibia = meshes()
    out = turned(0, 0, -Femur().epicondyles_deg)
    knee = out @ turned(bent_deg, -varus_deg, 0) @ out.T
    shank = tibia[0] @ knee.T + BELOW, tibia[1]
    bones = {"femur": placed(femur, side, turn), "tibia": placed(shank, side, turn)}
    return tuple(
        Bone(f"{kind}_{side}", bone.vertices_mm, bone.faces) for kind, bone in bones.items()
    )


def planned(bones, without=()):
    finders = {"femur": find_femur, "tibia": find_tibia}
    bones = tuple(bone for bone in bones if bone.name not in without)
    marks = tuple(finders[bone.name.split("_")[0]](bone) for bone in bones)
    draft = plan_knee(Anatomy(None, bones, marks, ()), KneeSettings())
    return draft, {item.name: item.value for item in draft.measurements}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("varus", [slow(-6.0), slow(0.0), 8.0])
def test_hka_is_that_of_the_leg(side, varus):
    _, found = planned(leg(side, varus))
    assert found[f"HKA_{side}"] == pytest.approx(180.0 - varus, abs=0.5)
    assert found[f"FTA_{side}"] == pytest.approx(174.0 + varus, abs=0.7)


@pytest.mark.parametrize("turn", [slow((20, 0, 0)), slow((0, 20, 0)), (15, -10, 20)])
def test_turning_the_leg_in_the_scanner_changes_nothing(turn):
    _, before = planned(leg("left", 5.0))
    _, after = planned(leg("left", 5.0, 0.0, turned(*turn)))
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert after[name] == pytest.approx(value, abs=0.1), name


@pytest.mark.slow
def test_a_bent_knee_keeps_its_frontal_angles():
    _, straight = planned(leg("right", 4.0))
    _, bent = planned(leg("right", 4.0, 20.0))
    assert bent["knee_flexion_right"] - straight["knee_flexion_right"] == pytest.approx(20, abs=0.2)
    for name in ("HKA_right", "FTA_right"):
        assert bent[name] == pytest.approx(straight[name], abs=0.5)
    for name in ("FFC_right", "LFC_right", "FTC_right", "LTC_right"):
        assert bent[name] == pytest.approx(straight[name], abs=0.01)


def test_a_mirrored_leg_has_the_same_numbers_on_the_other_side():
    _, left = planned(leg("left", 3.0))
    _, right = planned(leg("right", 3.0))
    for name, value in left.items():
        assert right[name.replace("left", "right")] == pytest.approx(value, abs=0.05), name


@pytest.mark.parametrize("without", ["femur_left", "tibia_left"])
def test_each_bone_is_planned_on_its_own(without):
    draft, found = planned(leg("left"), (without,))
    (cut,) = draft.cuts
    assert cut.bone != without and "HKA_left" not in found
    whole, _ = planned(leg("left"))
    same = next(c for c in whole.cuts if c.bone == cut.bone)
    np.testing.assert_allclose(same.normal, cut.normal, atol=1e-9)
    np.testing.assert_allclose(same.origin_mm, cut.origin_mm, atol=1e-9)


def test_the_targets_are_met_and_said():
    draft, found = planned(leg("right"))
    assert {cut.name for cut in draft.cuts} == {"distal_femur_right", "proximal_tibia_right"}
    targets = {"FFC": 90.0, "LFC": 0.0, "FTC": 90.0, "LTC": 85.0, "femoral_rotation_to_PCA": 3.0}
    for name, value in targets.items():
        assert found[f"{name}_right"] == pytest.approx(value, abs=1e-3), name
    told = ["no_cartilage", "no_medial_sulcus", "no_lateral_malleolus"]
    assert [n.code for n in draft.warnings] == told
    assert all("supine CT" in m.note for m in draft.measurements if m.name[:3] in ("HKA", "FTA"))
    assert set(draft.extra["planes"]) == {"posterior_femur_right", "anterior_femur_right"}
