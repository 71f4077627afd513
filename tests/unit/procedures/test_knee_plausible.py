"""Plans that can't be right are said to be so: a case for every limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidegen.anatomy.femur import find_femur
from guidegen.anatomy.tibia import find_tibia
from guidegen.errors import AnatomyError
from guidegen.model.bone import Bone
from guidegen.model.frames import Pose
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.planning.alignment import Alignment
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.knee.bones import leg_notices, measured_leg
from guidegen.procedures.knee.cuts import cut_femur, cut_tibia
from guidegen.procedures.knee.plan import plan_knee
from guidegen.procedures.knee.plausible import (
    BENT_DEG,
    GAP_MM,
    HKA_DEG,
    OVERSTRETCHED_DEG,
    SIZES_MM,
    TWIST_DEG,
    bone_warnings,
    leg_warnings,
)
from guidegen.procedures.knee.settings import KneeSettings

from .test_knee_plan import leg, turned

STRAIGHT = Alignment(hka=180.0, fta=174.0, flexion=3.0)


@pytest.fixture(scope="module")
def femur():
    bone = leg("left")[0]
    return bone, find_femur(bone)


@pytest.fixture(scope="module")
def marks(femur):
    return {"femur_left": femur[1], "tibia_left": find_tibia(leg("left")[1])}


def codes(notices):
    return {notice.code: notice.red for notice in notices}


def test_a_plain_leg_is_not_doubted(marks):
    assert codes(leg_warnings("left", STRAIGHT, marks)) == {}
    assert codes(leg_warnings("left", None, {})) == {}


@pytest.mark.parametrize(
    ("off", "code", "red"),
    [
        ({"hka": 180.0 - HKA_DEG - 0.5}, "implausible_hka", True),
        ({"hka": 180.0 + HKA_DEG + 0.5}, "implausible_hka", True),
        ({"flexion": BENT_DEG + 1.0}, "bent_knee", False),
        ({"flexion": -OVERSTRETCHED_DEG - 1.0}, "implausible_flexion", True),
    ],
)
def test_axes_that_stand_as_no_leg_s_do_are_told(marks, off, code, red):
    assert codes(leg_warnings("left", replace(STRAIGHT, **off), marks)) == {code: red}


def test_what_is_just_within_the_limits_is_not_doubted(marks):
    edge = Alignment(hka=180.0 - HKA_DEG, fta=154.0, flexion=BENT_DEG)
    assert codes(leg_warnings("left", edge, marks)) == {}


@pytest.mark.parametrize("gap_mm", [GAP_MM[0] - 1.0, GAP_MM[1] + 1.0])
def test_bones_that_lie_apart_or_in_each_other_are_no_knee(marks, gap_mm):
    tibia, notch = marks["tibia_left"], marks["femur_left"]["knee_centre"].position_mm
    down = -tibia.patient_from_bone.axes[:, 2]
    others = [p for p in tibia.points if p.name != "plateau_centre"]
    centre = replace(tibia["plateau_centre"], position_mm=notch + gap_mm * down)
    moved = {**marks, "tibia_left": replace(tibia, points=(*others, centre))}
    assert codes(leg_warnings("left", STRAIGHT, moved)) == {"implausible_joint": True}


@pytest.mark.parametrize("angle", [TWIST_DEG[0] - 1.0, TWIST_DEG[1] + 1.0])
def test_a_twist_that_no_femur_has_is_told(femur, angle):
    cutting = cut_femur(*femur, "left", KneeSettings())
    assert 3.0 < cutting.angles_deg["twist"] < 5.0  # made with 4
    twisted = replace(cutting, angles_deg={**cutting.angles_deg, "twist": angle})
    found = codes(bone_warnings("femur_left", twisted, femur[1]))
    assert found == {"implausible_twist": True, "no_medial_sulcus": False}


@pytest.mark.parametrize("size", SIZES_MM)
@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_size_that_no_adult_has_is_told(femur, size, factor):
    cutting = cut_femur(*femur, "left", KneeSettings())
    low, high = SIZES_MM[size]
    wrong = replace(cutting, sizes_mm={size: (low if factor < 1 else high) * factor})
    assert "implausible_size" in codes(bone_warnings("femur_left", wrong, femur[1]))


@pytest.mark.parametrize(
    ("name", "code", "red"),
    [
        ("medial_sulcus", "no_medial_sulcus", False),
        ("trochlear_groove", "no_trochlear_groove", False),
        ("anterior_cortex", "no_anterior_cortex", True),
    ],
)
def test_landmarks_that_can_not_be_told_are_told_of(femur, name, code, red):
    bone, found = femur
    with_all = replace(found, points=(*found.points, _sulcus(found)))
    less = replace(with_all, points=tuple(p for p in with_all.points if p.name != name))
    cutting = cut_femur(bone, less, "left", KneeSettings())
    assert codes(bone_warnings("femur_left", cutting, less)) == {code: red}
    assert ("anterior" in cutting.faces) == (name != "anterior_cortex")
    assert ("groove" in cutting.angles_deg) == (name != "trochlear_groove")


def _sulcus(found: Landmarks, behind_mm: float = 4.0) -> Landmark:
    """A sulcus behind the medial epicondyle."""
    back = found.patient_from_bone.axes[:, 1]
    place = found["medial_epicondyle"].position_mm + behind_mm * back
    return Landmark("medial_sulcus", place, 1.0, "made", {"depth_mm": 1.0})


def test_the_surgical_axis_is_used_where_the_sulcus_is_told(femur):
    bone, found = femur
    told = replace(found, points=(*found.points, _sulcus(found)))
    tea = KneeSettings(femur={"rotation": "tea"})
    clinical, surgical = (cut_femur(bone, marks, "left", tea) for marks in (found, told))
    for cutting in (clinical, surgical):
        assert cutting.angles_deg["TEA"] == pytest.approx(0.0, abs=1e-6)
    inward = np.degrees(np.arcsin(4.0 / 92.0))  # 4 mm at 92 mm
    assert surgical.angles_deg["clinical_TEA"] == pytest.approx(-inward, abs=0.3)
    assert surgical.angles_deg["twist"] == clinical.angles_deg["twist"]


@pytest.mark.parametrize(("settings", "says"), [({}, "clinical"), ({"sulcus": True}, "surgical")])
def test_the_plan_says_which_epicondylar_axis_it_means(femur, settings, says):
    bone, found = femur
    marks = replace(found, points=(*found.points, _sulcus(found))) if settings else found
    draft = plan_knee(Anatomy(None, (bone,), (marks,), ()), KneeSettings())
    notes = {m.name: m.note for m in draft.measurements}
    assert says in notes["femoral_rotation_to_TEA_left"]
    assert ("no_medial_sulcus" in codes(draft.warnings)) == (says == "clinical")
    assert "condylar_twist_left" in notes and "femoral_rotation_to_groove_left" in notes


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_cut_set_behind_the_cortex_notches_and_is_told(side):
    bone = leg(side)[0]
    marks = find_femur(bone)
    deep = KneeSettings(femur={"anterior_mm": -2.0})
    draft = plan_knee(Anatomy(None, (bone,), (marks,), ()), deep)
    assert codes(draft.warnings)["notching"] is True
    values = {m.name: m.value for m in draft.measurements}
    assert values[f"size_notch_{side}"] == pytest.approx(2.0, abs=1e-3)
    before = cut_femur(bone, marks, side, KneeSettings(femur={"anterior_mm": 1.5}))
    flush = cut_femur(bone, marks, side, KneeSettings())
    grown = before.sizes_mm["component_ap"] - flush.sizes_mm["component_ap"]
    assert grown == pytest.approx(1.5, abs=1e-6) and before.sizes_mm["notch"] == 0.0


def test_half_a_millimetre_of_notch_that_was_asked_for_is_told_too(femur):
    bone, marks = femur
    shallow = KneeSettings(femur={"anterior_mm": -0.5})
    draft = plan_knee(Anatomy(None, (bone,), (marks,), ()), shallow)
    (told,) = (n for n in draft.warnings if n.code == "notching")
    assert told.red and "anterior_mm 0 or more" in told.message


@pytest.mark.parametrize(
    ("kind", "settings", "missed"),
    [
        ("femur", {"frontal_deg": 84.0, "resection_mm": 5.0}, "lateral"),
        ("tibia", {"frontal_deg": 96.0, "resection_mm": 2.0}, "medial"),
    ],
)
def test_a_planned_cut_that_misses_a_side_is_red(femur, marks, kind, settings, missed):
    """Not only one that somebody changed by hand: a worn or crooked knee does it by itself."""
    bone = leg("left")[0 if kind == "femur" else 1]
    found = Anatomy(None, (bone,), (marks[bone.name],), ())
    draft = plan_knee(found, KneeSettings(**{kind: settings}))
    (told,) = (n for n in draft.warnings if n.code == "part_uncut")
    assert told.red and told.subject == draft.cuts[0].name
    assert f"nothing off the {missed} side" in told.message
    assert "part_uncut" not in codes(plan_knee(found, KneeSettings()).warnings)


def test_a_posterior_cut_that_misses_a_condyle_is_told(femur):
    bone, marks = femur
    settings = KneeSettings(femur={"rotation_deg": 9.0, "posterior_mm": 5.0})
    draft = plan_knee(Anatomy(None, (bone,), (marks,), ()), settings)
    assert codes(draft.warnings)["posterior_uncut"] is False


def test_a_whole_plan_of_a_crooked_leg_says_so(femur):
    draft = plan_knee(_anatomy(leg("left", varus_deg=24.0)), KneeSettings())
    found = {n.code: n for n in draft.warnings}
    assert found["implausible_hka"].red and "24 deg of varus" in found["implausible_hka"].message
    assert found["implausible_hka"].subject == "leg_left"


@pytest.mark.slow
def test_a_whole_plan_of_a_bent_leg_and_of_a_giant_one_says_so():
    bent = codes(plan_knee(_anatomy(leg("right", bent_deg=40.0)), KneeSettings()).warnings)
    assert bent["bent_knee"] is False
    (tibia,) = leg("right", 3.0)[1:]
    giant, tiny = (Bone(tibia.name, tibia.vertices_mm * scale, tibia.faces) for scale in (1.4, 0.6))
    assert codes(plan_knee(_anatomy((giant,)), KneeSettings()).warnings)["implausible_size"]
    with pytest.raises(AnatomyError, match="50 to 115 mm wide"):
        find_tibia(tiny)


def _anatomy(bones: tuple[Bone, ...]) -> Anatomy:
    finders = {"femur": find_femur, "tibia": find_tibia}
    marks = tuple(finders[bone.name.split("_")[0]](bone) for bone in bones)
    return Anatomy(None, bones, marks, ())


@pytest.mark.parametrize("there", ["femur", "tibia"])
def test_a_bone_that_is_absent_is_a_warning(there):
    bones = dict(zip(("femur", "tibia"), leg("right"), strict=True))
    found = measured_leg({there: bones[there]}, None, 6.0)
    absent = {"femur": "tibia", "tibia": "femur"}[there]
    (told,) = leg_notices(found, "right", ("left", "right"))
    assert (told.code, told.subject, told.red) == ("bone_absent", f"{absent}_right", False)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_lateral_malleolus_comes_from_the_fibula(side):
    bone = leg(side, 4.0, 0.0, turned(20, -30, 50))[1]
    tibia = find_tibia(bone)
    tip = _fibula(tibia, side)
    found = measured_leg({"tibia": bone, "fibula": tip[0]}, None, 6.0).marks["tibia"]
    place = found["malleolus_lateral"].position_mm
    np.testing.assert_allclose(place, tip[1], atol=0.3)
    assert found["malleolus_lateral"].spread_mm > 0 and found["malleolus_lateral"].method


@pytest.mark.parametrize("wrong", [{"below": -20.0}, {"outward": -1.0}, {"forward": -60.0}])
def test_what_is_no_malleolus_is_not_taken_for_one(wrong):
    bone = leg("left")[1]
    tibia = find_tibia(bone)
    bones = {"tibia": bone, "fibula": _fibula(tibia, "left", **wrong)[0]}
    marks = measured_leg(bones, None, 6.0).marks["tibia"]
    assert "malleolus_lateral" not in marks
    cutting = cut_tibia(bone, marks, "left", KneeSettings())
    assert codes(bone_warnings("tibia_left", cutting, marks)) == {"no_lateral_malleolus": False}


def _fibula(tibia, side, below=22.0, outward=1.0, forward=12.0):
    """A rod beside the ankle that ends in a point: the bone and its tip, patient mm."""
    pose: Pose = tibia.patient_from_bone
    ankle = pose.inverse.points(tibia["ankle_centre"].position_mm)
    out = outward * (1.0 if side == "left" else -1.0)
    tip = ankle + np.array([26.0 * out, forward, -below])
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = np.stack([np.cos(angles) * 7, np.sin(angles) * 7, np.full(16, 20.0)], axis=1)
    up = np.array([0.0, 0.0, 240.0])
    points = np.array([*(tip + ring), *(tip + ring + up), tip, tip + 1.1 * up])
    n = len(ring)
    faces = []
    for a in range(n):
        b = (a + 1) % n
        faces += [(a, b, n + b), (a, n + b, n + a), (2 * n, b, a), (2 * n + 1, n + a, n + b)]
    return Bone("fibula", pose.points(points), np.array(faces)), pose.points(tip)
