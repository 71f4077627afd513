from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.errors import PlanError
from guidegen.model.case import Case
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.notice import Notice
from guidegen.model.plan import Path, Plan, Skipped
from guidegen.model.volume import CTVolume, Grid
from guidegen.planning.pedicle import SIDES
from guidegen.procedures.bench import EDITED, SWITCHED_OFF
from guidegen.procedures.kyphoplasty import Kyphoplasty
from guidegen.procedures.kyphoplasty.again import back_of, require_own_numbers
from guidegen.procedures.kyphoplasty.extrapedicular import ROUTE
from guidegen.procedures.kyphoplasty.level import plan_level
from guidegen.procedures.kyphoplasty.settings import KyphoplastySettings
from guidegen.procedures.kyphoplasty.skin import from_the_skin
from guidegen.procedures.levels import Site

from ..planning.vertebra_shape import Shape, scan
from .test_kyphoplasty import POSE, PRONE, SUPINE, box_skin, settings
from .test_screw_bench import codes, path, told

LEFT, BACK, UP = np.eye(3)
SHAPE = Shape(radius=4.4, right_radius=3.8)


@lru_cache
def case(kind="skin", prone=True, accepted=False, radius=4.4):
    """One lumbar vertebra, its left pedicle wider, under a flat skin; planned two-sided."""
    shape = replace(SHAPE, radius=radius)
    volume = scan(
        lambda p: shape.measure(p - POSE.origin_mm),
        (72, 94, 40),
        (1.2, 0.75, 0.75),
        cortex_mm=1.2,
        fine=2,
    )
    bone, level = shape.bone(pose=POSE), shape.level(pose=POSE)
    marks = find_landmarks(bone, level)
    own = settings(kind)
    answers = plan_level(Site(volume, bone, (), marks), "two-sided", "both", own.needle)
    posture = {**(PRONE if prone else SUPINE), **({"accepted": True} if accepted else {})}
    plan = Plan(
        *("test", "kyphoplasty", "", "a", "b"),
        paths=tuple(a for a in answers if isinstance(a, Path)),
        skipped=tuple(a for a in answers if isinstance(a, Skipped)),
        warnings=(Notice("broken_back_wall", "bone stands behind", "L3", red=True),),
        extra={"approach": "two-sided", "posture": posture},
    )
    whole = Case(plan, volume, (bone, box_skin(half=120.0)), (level,), (marks,))
    carried = tuple(from_the_skin(p, back_of(whole), own.needle.skin_reach_mm) for p in plan.paths)
    whole = replace(whole, plan=replace(plan, paths=carried))
    bench = Kyphoplasty().bench(whole, own)
    return replace(whole, plan=bench.finished(whole.plan)), bench


def plan(**kind):
    return case(**kind)[0].plan


def changed(change, name="L3_left", before=None, **kind):
    whole, bench = case(**kind)
    return bench.changed(before or whole.plan, name, change)


@pytest.mark.parametrize("name", ["L3_left", "L3_right"])
def test_a_needle_left_where_it_is_keeps_every_number(name):
    before = path(plan(), name)
    ends = {"entry_mm": list(before.entry_mm), "tip_mm": list(before.tip_mm)}
    after = changed(ends, name)
    assert told(after) == told(plan())
    new = path(after, name)
    assert np.allclose(new.skin_mm, before.skin_mm, atol=1e-6) and "edited" not in new.extra
    assert new.corridor_diameter_mm == pytest.approx(before.corridor_diameter_mm, abs=1e-6)


def test_left_is_the_wider_pedicle():
    left, right = (path(changed({"diameter_mm": 3.2}, n), n) for n in ("L3_left", "L3_right"))
    assert left.corridor_diameter_mm > right.corridor_diameter_mm + 0.6
    assert left.skin_mm[0] > 0 > right.skin_mm[0]


def test_skin_entry_depths_and_angles_are_those_of_the_drawn_needle():
    before = path(plan())
    after = changed({"tip_mm": list(before.tip_mm + LEFT + 2 * BACK + 3 * UP)})
    new, whole = path(after), case()[0]
    way = new.direction
    depth = (60.0 - new.entry_mm[1]) / -way[1]
    assert np.allclose(new.skin_mm, new.entry_mm - depth * way, atol=1e-3)
    assert new.extra["skin_to_bone_mm"] == pytest.approx(depth, abs=2e-3)
    assert new.extra["skin_to_tip_mm"] == pytest.approx(depth + new.length_mm, abs=2e-3)
    assert new.extra["cranial_caudal_deg"] == pytest.approx(np.degrees(np.arcsin(way[2])), abs=1e-2)
    require_own_numbers(replace(whole, plan=after), settings())
    assert codes(after)[EDITED] is False


def test_any_breach_of_a_needle_is_red():
    before = path(plan())
    for shift, canal in ((3.0 * LEFT, False), (-3.0 * LEFT, True)):
        ends = {"entry_mm": before.entry_mm + shift, "tip_mm": before.tip_mm + shift}
        after = changed(ends)
        assert path(after).grade == "B" and codes(after)["poor_grade"] is True
        assert codes(after).get("canal_breach", False) is canal
    assert "poor_grade" not in codes(changed({"diameter_mm": 3.2}))


def test_a_tip_out_of_its_place_is_told_and_one_near_the_front_is_red():
    before = path(plan())
    short = codes(changed({"length_mm": before.length_mm - 12}))
    assert short["tip_out_of_place"] is False and "front_margin" not in short
    assert codes(changed({"length_mm": before.length_mm + 6}))["front_margin"] is True
    across = codes(changed({"tip_mm": before.tip_mm - [before.tip_mm[0] + 4.0, 0, 0]}))
    assert across["tip_out_of_place"] is False
    assert "tip_out_of_place" not in codes(changed({"diameter_mm": 3.2}))


def test_near_the_front_at_a_slant_both_distances_are_told():
    """The warning's number and the needle's own ``front_mm`` are told apart where they differ."""
    before = path(plan())
    ends = {"tip_mm": before.tip_mm + 2.0 * before.direction}
    after = changed(ends)
    (text,) = (n.message for n in after.warnings if n.code == "front_margin")
    ahead = path(after).extra["front_mm"]
    nearest = float(text.split("the tip is ")[1].split(" mm")[0])
    assert nearest < ahead - 0.1
    assert f"({ahead:.1f} mm straight ahead, nearer at a slant)" in text
    beyond = changed({"tip_mm": before.tip_mm + (ahead + 9.0) * before.direction})
    (text,) = (n.message for n in beyond.warnings if n.code == "front_margin")
    assert "mm beyond the front cortex" in text and "ahead" not in text


def test_a_needle_moved_as_a_whole_keeps_its_length():
    before = path(plan())
    shift = 1.0 * UP - 3.0 * before.direction
    ends = {"entry_mm": before.entry_mm + shift, "tip_mm": before.tip_mm + shift}
    assert abs(path(changed(ends)).length_mm - before.length_mm) > 1.0
    after = path(changed({**ends, "length_mm": before.length_mm}))
    assert after.length_mm == pytest.approx(before.length_mm, abs=1e-6)
    assert after.extra["skin_to_tip_mm"] == pytest.approx(
        after.extra["skin_to_bone_mm"] + before.length_mm, abs=0.01
    )


def test_a_needle_that_the_set_has_not_is_refused():
    with pytest.raises(PlanError, match="diameter_mm must be"):
        changed({"diameter_mm": 5.5})


def test_a_needle_left_out_is_told_of_its_level():
    off = changed({"on": False}, "L3_right")
    assert codes(off, "L3")["needle_left_out"] is False
    assert codes(off, "L3")["broken_back_wall"] is True
    none = changed({"on": False}, "L3_left", off)
    assert codes(none, "L3")["level_without_needle"] is True
    assert "needle_left_out" not in codes(none, "L3")
    assert none.extra["template"]["kind"] == "none" and none.extra["carried_by"] == "models"
    on = changed({"on": True}, "L3_left", changed({"on": True}, "L3_right", none))
    assert told(on) == told(plan())


def test_a_needle_whose_skin_is_out_of_view_refuses_the_template():
    assert plan().extra["template"]["kind"] == "skin" and "carried_by" not in plan().extra
    small = replace(case()[0], bones=(case()[0].bones[0], box_skin(half=25.0)))
    bench = Kyphoplasty().bench(small, settings())
    before = path(plan())
    ends = {"sagittal_angle_deg": 30.0}
    after = bench.changed(plan(), before.name, ends)
    assert path(after).skin_mm is None
    assert codes(after)["skin_entry_out_of_view"] is False
    assert after.extra["template"]["kind"] == "none"
    assert "template_refused" in codes(after, "template")


def test_an_accepted_posture_stays_accepted_though_the_template_goes_and_comes_back():
    kind = {"prone": False, "accepted": True}
    assert codes(plan(**kind), "template") == {"posture_accepted": True}
    off = changed({"on": False}, "L3_left", **kind)
    off = changed({"on": False}, "L3_right", off, **kind)
    assert codes(off, "template") == {}
    on = changed({"on": True}, "L3_left", off, **kind)
    assert on.extra["template"]["words"] == ["NOT PRONE"]
    assert codes(on, "template") == {"posture_accepted": True}
    refused = changed({"diameter_mm": 3.2}, prone=False)
    assert codes(refused, "template") == {"template_refused": False}


def test_wires_follow_the_level_and_are_no_items():
    whole, bench = case(kind="bone")
    wires = [p.name for p in whole.plan.paths if p.kind == "pin"]
    assert wires and all("kwire" in name for name in wires)
    assert [item.name for item in bench.items(whole.plan)] == ["L3_left", "L3_right"]
    off = changed({"on": False}, "L3_left", changed({"on": False}, "L3_right", kind="bone"),
                  kind="bone")  # fmt: skip
    assert not off.paths
    on = changed({"on": True}, "L3_left", off, kind="bone")
    assert [p.name for p in on.paths] == ["L3_left", *wires]
    with pytest.raises(PlanError, match="follows the other paths"):
        changed({"length_mm": 20.0}, wires[0], kind="bone")


def test_a_one_sided_needle_is_moved_to_the_other_side_and_back():
    whole, bench = case()
    alone = bench.finished(replace(whole.plan, paths=whole.plan.paths[:1]))
    moved = bench.changed(alone, "L3_left", {"side": "right"})
    assert [p.name for p in moved.paths] == ["L3_right"]
    assert [(s.name, s.code) for s in moved.skipped] == [("L3_left", SWITCHED_OFF)]
    back = bench.changed(moved, "L3_left", {"automatic": True})
    back = bench.changed(back, "L3_right", {"automatic": True})
    assert told(back) == told(alone)


class Wingless(Shape):
    """Without transverse processes, in whose way a needle beside the pedicle would come."""

    def measure(self, p):
        wing = np.maximum(np.abs(np.abs(p[..., 0]) - 30.0) - 9.0, 21.0 - p[..., 1])
        return np.maximum(super().measure(p), -np.maximum(wing, p[..., 1] - 34.0))


WITHOUT_WINGS = Wingless(radius=4.4, right_radius=3.8)


@lru_cache
def thoracic(filled_hu=None, shape=None):
    """The same vertebra as T8 in a wide view; a slab of tissue of another kind at its left side."""
    whole, _ = case()
    shape = shape or WITHOUT_WINGS
    pose = Pose.from_axes(np.eye(3), POSE.origin_mm, PATIENT, "T8")
    bone, level = shape.bone(name="T8", pose=pose), shape.level(name="T8", pose=pose)
    pad = np.array([30, 90, 160])
    hu = np.pad(whole.volume.hu, [(n, n) for n in pad], constant_values=40)
    matrix = whole.volume.grid.patient_from_kji.copy()
    matrix[:3, 3] = whole.volume.grid.patient(-pad)
    grid = Grid(matrix, hu.shape)
    if filled_hu is not None:
        x = grid.patient(np.stack(np.indices(hu.shape), axis=-1))[..., 0]
        hu = np.where((x > 45) & (x < 52), filled_hu, hu).astype(np.int16)
    skipped = tuple(
        Skipped(f"T8_{side}", "T8", side, "no_way_beside", None, "none") for side, _ in SIDES
    )
    plan = Plan(
        *("test", "kyphoplasty", "", "a", "b"),
        skipped=skipped,
        extra={"approach": ROUTE, "posture": PRONE},
    )
    marks = find_landmarks(bone, level)
    bones = (bone, box_skin(half=160.0))
    return Case(plan, CTVolume(hu, grid), bones, (level,), (marks,))


def beside(entry, tip, side="left", filled_hu=None, shape=None):
    """Draw a needle in the vertebra's own frame; right mirrors it."""
    sign = np.array([1.0 if side == "left" else -1.0, 1.0, 1.0])
    ends = {"entry_mm": POSE.points(sign * entry), "tip_mm": POSE.points(sign * tip)}
    whole = thoracic(filled_hu, shape)
    bench = Kyphoplasty().bench(whole, KyphoplastySettings())
    return bench.changed(whole.plan, f"T8_{side}", ends)


ENTRY, TIP = np.array([40.8, 14.0, 5.0]), np.array([8.0, -9.0, 5.0])


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_needle_drawn_beside_the_pedicle_has_no_grade(side):
    after = beside(ENTRY, TIP, side)
    new = path(after, f"T8_{side}")
    assert (new.route, new.grade, new.breach_mm) == (ROUTE, None, None)
    assert new.axial_angle_deg == pytest.approx(55.0, abs=0.5)
    inner = POSE.inverse.points(new.entry_mm)
    assert abs(WITHOUT_WINGS.measure(inner)) < 0.5 and np.sign(inner[0]) == (
        1 if side == "left" else -1
    )
    red = {code for code, is_red in codes(after, new.name).items() if is_red}
    assert not red & {"canal_breach", "nerve_root", "lung_in_the_way", "approach_blocked"}
    assert new.extra["canal_clearance_mm"] > 10 and new.skin_mm is not None
    back = Kyphoplasty().bench(thoracic(), KyphoplastySettings())
    longer = path(back.changed(after, new.name, {"length_mm": new.length_mm + 1.3}), new.name)
    assert longer.length_mm == pytest.approx(new.length_mm + 1.3, abs=1e-3)
    out = {"entry_mm": new.entry_mm - 4.0 * new.direction, "in_set": True}
    assert path(back.changed(after, new.name, out), new.name).length_mm % 1.0 in (
        pytest.approx(0.0, abs=1e-3),
        pytest.approx(1.0, abs=1e-3),
    )
    again = back.changed(after, new.name, {"automatic": True})
    assert again.skipped == thoracic().plan.skipped


def test_every_red_of_a_needle_beside_the_pedicle_has_its_case():
    through = codes(beside([8.0, 45.0, 5.0], [8.0, -8.0, 5.0]), "T8_left")
    assert through["canal_breach"] is True
    under = codes(beside([40.8, 14.0, -11.0] + 12 * BACK, TIP - 12 * UP), "T8_left")
    assert under["nerve_root"] is True
    deep = codes(beside(ENTRY, TIP - 5.5 * BACK - 7.9 * LEFT), "T8_left")
    assert deep["front_margin"] is True
    wing = codes(beside([33.0, 26.0, 5.0], [4.0, -7.0, 5.0], shape=SHAPE), "T8_left")
    assert wing["approach_blocked"] is True
    short = codes(beside(ENTRY, [20.5, -0.5, 5.0]), "T8_left")
    assert short["outside_pedicle"] is True


def test_lung_and_ribs_on_the_way_are_told():
    assert codes(beside(ENTRY, TIP, filled_hu=-850), "T8_left")["lung_in_the_way"] is True
    assert "lung_in_the_way" not in codes(beside(ENTRY, TIP, "right", -850), "T8_right")
    ribbed = beside(ENTRY, TIP, filled_hu=600)
    assert codes(ribbed, "T8_left")["through_rib"] is False
    assert "through_rib" in path(ribbed, "T8_left").warnings


def test_beside_the_pedicle_there_is_no_axis_to_start_from_and_no_lumbar_level():
    bench = Kyphoplasty().bench(thoracic(), KyphoplastySettings())
    with pytest.raises(PlanError, match="draw its entry"):
        bench.changed(thoracic().plan, "T8_left", {"on": True})
    lumbar, _ = case()
    own = Kyphoplasty().bench(lumbar, KyphoplastySettings())
    wide = replace(lumbar.plan, extra={**lumbar.plan.extra, "approach": ROUTE})
    with pytest.raises(PlanError, match="thoracic levels"):
        own.changed(wide, "L3_left", {"diameter_mm": 3.2})
