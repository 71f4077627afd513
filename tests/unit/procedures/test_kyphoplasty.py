from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.model.bone import SKIN, Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.plan import Path, Skipped
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.kyphoplasty import notices
from guidegen.procedures.kyphoplasty.level import plan_level
from guidegen.procedures.kyphoplasty.meeting import meeting, planned_apart
from guidegen.procedures.kyphoplasty.needle import BodySize, axial_limits, tip_place
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings, NeedleSettings
from guidegen.procedures.kyphoplasty.skin import Back, from_the_skin, operator_angles
from guidegen.procedures.kyphoplasty.template import (
    BONE,
    NONE,
    NOT_PRONE,
    decide_template,
    template_of,
)
from guidegen.procedures.levels import Site

from ..planning.vertebra_shape import Shape, scan

POSE = Pose.from_axes(np.eye(3), (0.0, -22.0, 0.0), PATIENT, "L3")
NEEDLE = NeedleSettings()
PRONE = {"prone": True, "known": True, "sentence": "the patient lay prone (HFP)"}
SUPINE = {"prone": False, "known": True, "sentence": "the patient lay supine (HFS)"}


@lru_cache
def site(radius, axial=12.0, name="L3"):
    """A plain vertebra, scanned."""
    shape = Shape(radius=radius, axial=axial)

    def distance(p):
        return shape.measure(p - POSE.origin_mm)

    volume = scan(distance, (72, 94, 40), (1.2, 0.75, 0.75), cortex_mm=1.2, fine=2)
    pose = Pose.from_axes(np.eye(3), POSE.origin_mm, PATIENT, name)
    bone, level = shape.bone(name=name, pose=pose), shape.level(name=name, pose=pose)
    return Site(volume, bone, (), find_landmarks(bone, level))


@lru_cache
def answers(radius, approach="two-sided", side="both", axial=12.0, name="L3"):
    return plan_level(site(radius, axial, name), approach, side, NEEDLE)


def in_bone(path):
    return POSE.inverse.points(path.tip_mm)


def test_two_needles_of_grade_a_end_in_the_front_third_of_their_own_half():
    left, right = answers(4.0)
    size = BodySize.of(site(4.0).landmarks)
    for path, sign in ((left, 1.0), (right, -1.0)):
        assert path.kind == "needle" and path.grade == "A" and path.breach_mm == 0
        assert path.pilot_diameter_mm == path.diameter_mm and 3.0 <= path.diameter_mm <= 4.5
        x, y, _ = in_bone(path)
        assert sign * x >= NEEDLE.side_margin_mm - 0.31
        assert y <= size.depth_mm * (NEEDLE.front_share - 0.5) + 0.3
        assert y >= -15.0 + NEEDLE.front_margin_mm  # the front wall of the shape
        assert sign * path.entry_mm[0] > 10.0
    assert {left.name, right.name} == {"L3_left", "L3_right"}


def test_one_side_alone_is_planned_on_request():
    (left,) = answers(4.0, side="left")
    assert left.side == "left"


def test_a_pedicle_narrower_than_a_needle_and_its_margin_gets_none():
    for answer in answers(1.9):
        assert isinstance(answer, Skipped) and answer.code == "narrow_pedicle"
        assert "extrapedicular" not in answer.message  # not at a lumbar level
    thoracic = answers(1.9, name="T9")
    assert all("--approach extrapedicular" in answer.message for answer in thoracic)


@pytest.mark.slow
def test_one_sided_takes_one_path_to_the_middle_third_where_the_pedicle_allows_it():
    (path,) = answers(5.5, "one-sided", axial=28.0)
    third = BodySize.of(site(5.5, 28.0).landmarks).width_mm / 6
    assert path.grade == "A" and abs(in_bone(path)[0]) <= third + 0.31


@pytest.mark.slow
def test_one_sided_says_no_where_the_medial_wall_is_in_the_way():
    left, right = answers(2.6, "one-sided", axial=2.0)
    for answer in (left, right):
        assert isinstance(answer, Skipped) and answer.code == "one_sided_infeasible"
        assert "medial wall" in answer.message and "two-sided" in answer.message
    (narrow, _) = answers(1.9, "one-sided")
    assert "half-maximum corridor" in narrow.message  # nor is it possible two-sided
    assert "plan it two-sided" not in narrow.message
    red = [n for n in notices.all_notices([left, right], [], anatomy(), True) if n.red]
    assert [n.code for n in red] == ["one_sided_infeasible"]


def test_beside_the_pedicle_is_for_thoracic_levels_only():
    for answer in answers(4.0, "extrapedicular"):
        assert isinstance(answer, Skipped) and answer.code == "not_thoracic"


def test_limits_follow_level_and_approach():
    assert axial_limits("T8", "two-sided", NEEDLE) == NEEDLE.thoracic_axial_deg
    assert axial_limits("L2", "two-sided", NEEDLE) == NEEDLE.lumbar_axial_deg
    assert axial_limits("L2", "one-sided", NEEDLE) == NEEDLE.one_sided_axial_deg
    size = BodySize(42.0, 30.0)
    assert tip_place(size, "one-sided", NEEDLE) == (
        pytest.approx(-5.5, abs=0.02),
        pytest.approx((-7.0, 7.0), abs=0.02),
    )
    low, high = tip_place(size, "two-sided", NEEDLE)[1]
    assert low == 2.0
    front = -15.0 * np.sqrt(1 - (high / 21.0) ** 2)  # the wall of an elliptic body at that place
    assert -5.5 - front == pytest.approx(NEEDLE.front_margin_mm + 0.5, abs=0.03)
    flat = BodySize(30.0, 16.0)
    assert tip_place(flat, "two-sided", NEEDLE)[1] == (2.0, 5.0)


def anatomy(**failed):
    return Anatomy(None, (), (), ("L3",), failed)


def needle(side="left", skin=True, bone="L3", **further):
    sign = 1.0 if side == "left" else -1.0
    return Path(
        name=f"{bone}_{side}",
        bone=bone,
        kind="needle",
        side=side,
        entry_mm=np.array([sign * 20.0, 10.0, 0.0]),
        tip_mm=np.array([sign * 10.0, -20.0, 3.0]),
        diameter_mm=4.0,
        pilot_diameter_mm=4.0,
        skin_mm=np.array([sign * 34.0, 50.0, -4.0]) if skin else None,
        **further,
    )


@pytest.mark.parametrize("side", ["left", "right"])
def test_angles_as_the_operator_reads_them(side):
    found = operator_angles(needle(side))
    assert found["medial_inclination_deg"] == pytest.approx(np.degrees(np.arctan2(10.0, 30.0)))
    rise = np.degrees(np.arctan2(3.0, np.hypot(10.0, 30.0)))
    assert found["cranial_caudal_deg"] == pytest.approx(rise)


def box_skin(half=80.0, back=60.0):
    """A block whose hind face is the skin, patient LPS."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
    points = signs * [half, 1.0, half]
    points[:, 1] = np.where(signs[:, 1] > 0, back, -40.0)
    faces = [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)]
    faces += [(2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)]
    return Bone(SKIN, points, np.array(faces))


def test_a_needle_is_carried_on_to_the_skin():
    tips = np.array([[0.0, 60.0, 20.0], [0.0, 60.0, -20.0]])
    behind = Back(box_skin(), POSE, tips)
    found = from_the_skin(needle(skin=False), behind, 200.0)
    depth = 50.0 / abs(found.direction[1])
    assert found.skin_mm == pytest.approx(found.entry_mm - depth * found.direction)
    assert found.extra["skin_to_bone_mm"] == pytest.approx(depth, abs=1e-3)
    assert found.extra["skin_to_tip_mm"] == pytest.approx(depth + found.length_mm, abs=1e-3)
    assert found.extra["skin_to_midline_mm"] == pytest.approx(abs(found.skin_mm[0]), abs=0.05)


def test_a_needle_without_skin_keeps_its_way_in_bone():
    no_tips = np.zeros((0, 3))
    none = from_the_skin(needle(skin=False), Back(None, POSE, no_tips), 200.0)
    far = from_the_skin(needle(skin=False), Back(box_skin(), POSE, no_tips), 30.0)
    for path in (none, far):
        assert path.skin_mm is None and "skin_to_bone_mm" not in path.extra
        assert "medial_inclination_deg" in path.extra


def settings(kind="skin"):
    return KyphoplastySettings(template_kind=kind)


def wire(name="upper"):
    entry, tip = np.array([0.0, 40.0, 0.0]), np.array([0.0, 25.0, 0.0])
    return Path(f"L3_kwire_{name}", "L3", "pin", "", entry, tip, 1.8, route="spinous_process")


@pytest.mark.parametrize(
    ("paths", "posture", "accepted", "kind", "made", "code"),
    [
        ([needle()], PRONE, False, "skin", "skin", None),
        ([needle()], SUPINE, False, "skin", NONE, "template_refused"),
        ([needle()], SUPINE, True, "skin", "skin", "posture_accepted"),
        ([needle(skin=False)], PRONE, False, "skin", NONE, "template_refused"),
        ([needle(skin=False)], SUPINE, True, "skin", NONE, "template_refused"),
        ([needle()], PRONE, False, "none", NONE, None),
        ([], PRONE, False, "skin", NONE, None),
        ([needle(), wire(), wire("lower")], SUPINE, False, "bone", BONE, None),
        ([needle(), wire()], PRONE, False, "bone", BONE, "single_wire"),
        ([needle()], PRONE, False, "bone", NONE, "template_refused"),
        ([needle(), needle(bone="L2"), wire()], PRONE, False, "bone", NONE, "template_refused"),
    ],
)
def test_which_template_is_made(paths, posture, accepted, kind, made, code):
    found = decide_template(paths, posture, accepted, settings(kind))
    assert found.kind == made
    assert [n.code for n in found.notices] == ([code] if code else [])
    assert [n.red for n in found.notices] == [code in ("posture_accepted", "single_wire")] * len(
        found.notices
    )
    assert (NOT_PRONE in found.words) == (code == "posture_accepted")
    assert (found.extra.get("carried_by") == "models") == (made == NONE)
    again = template_of(found.extra)
    assert (again.kind, again.words) == (found.kind, found.words)


def test_what_was_said_of_no_template_is_no_template():
    for facts in ({}, {"template": None}, {"template": {"kind": "wax"}}):
        assert template_of(facts).kind == NONE


def test_notices_of_paths_and_skin():
    rib = replace(
        needle(), warnings=("through_rib",), extra={"through_rib_mm": 6.0}, route="extrapedicular"
    )
    found = notices.all_notices([rib], [rib, needle("right", skin=False)], anatomy(), True)
    assert [n.code for n in found] == ["through_rib", "skin_entry_out_of_view"]
    unseen = replace(rib, skin_mm=None)
    (lung,) = [n for n in notices.all_notices([unseen], [unseen], anatomy(), False) if n.red]
    assert lung.code == "lung_unseen"
    assert not notices.all_notices([rib], [needle(skin=False)], anatomy(), False)


def pair_of_levels(gap_mm, tilt=0.0):
    """Left needles of two levels, their skin entries ``gap_mm`` apart."""
    upper = needle(bone="L2")
    shift = np.array([0.0, 0.0, -gap_mm])
    turned = np.array([0.0, 0.0, -tilt])
    return upper, replace(
        upper,
        name="L3_left",
        bone="L3",
        entry_mm=upper.entry_mm + shift,
        tip_mm=upper.tip_mm + shift + turned,
        skin_mm=upper.skin_mm + shift - 0.5 * turned,
    )


def test_needles_that_meet_over_the_skin():
    assert meeting(pair_of_levels(30.0), settings()) == ()
    assert meeting(pair_of_levels(8.0), settings()) == (("L2_left", "L3_left"),)
    leaning = pair_of_levels(16.0, 16.0)
    assert meeting(leaning, settings()) == (("L2_left", "L3_left"),)
    found = decide_template(leaning, PRONE, False, settings())
    assert found.kind == NONE and "each level by itself" in found.notices[0].message


def test_levels_that_meet_are_planned_again_if_no_needle_is_lost():
    near, far = list(pair_of_levels(8.0)), list(pair_of_levels(30.0))
    skipped = [near[0], Skipped("L3_left", "L3", "left", "narrow_pedicle")]
    same = planned_apart(near, tuple, lambda levels: far, settings())
    assert [a.skin_mm[2] for a in same] == [a.skin_mm[2] for a in far]
    lost = planned_apart(near, tuple, lambda levels: skipped, settings())
    assert lost[1] is near[1] and lost[0] is skipped[0]
    assert planned_apart(far, tuple, lambda levels: pytest.fail(), settings()) is far


def test_a_level_without_needle_is_red_and_one_needle_of_two_is_said():
    narrow = Skipped("L3_right", "L3", "right", "narrow_pedicle", 3.0, "too narrow")
    other = replace(narrow, name="L3_left", side="left")
    (one,) = notices.all_notices([needle(), narrow], [needle()], anatomy(), True)
    assert (one.code, one.red) == ("needle_left_out", False) and "right: too narrow" in one.message
    (none,) = notices.all_notices([other, narrow], [], anatomy(), True)
    assert (none.code, none.red, none.subject) == ("level_without_needle", True, "L3")
