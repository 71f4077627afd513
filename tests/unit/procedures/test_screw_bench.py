import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.errors import PlanError
from guidegen.export.atomic import plain
from guidegen.export.plan_json import plan_from_json, plan_to_json
from guidegen.geometry.entering import surface_crossings
from guidegen.model.bone import Bone
from guidegen.model.case import Case
from guidegen.model.notice import Notice
from guidegen.model.plan import Path, Plan, Skipped
from guidegen.planning.line import directions
from guidegen.procedures.bench import EDITED, SWITCHED_OFF, NoBench
from guidegen.procedures.levels import Site, unplanned_notice
from guidegen.procedures.pedicle_screws import PedicleScrews
from guidegen.procedures.pedicle_screws.plan import plan_vertebra
from guidegen.procedures.pedicle_screws.settings import PedicleSettings

from ..planning.vertebra_shape import Shape, scan
from .test_pedicle_screws import POSE

SETTINGS = PedicleSettings()
SHAPE = Shape(radius=4.4, right_radius=3.4, sagittal=4.0)
LEFT, BACK, UP = np.eye(3)


@lru_cache
def case(right_radius=3.4):
    """One lumbar vertebra whose right pedicle is 2 mm narrower, with its automatic plan."""
    shape = replace(SHAPE, right_radius=right_radius)

    def distance(p):
        return shape.measure(p - POSE.origin_mm)

    volume = scan(distance, (72, 94, 40), (1.2, 0.75, 0.75), cortex_mm=1.2, fine=2)
    bone, level = shape.bone(pose=POSE), shape.level(pose=POSE)
    marks = find_landmarks(bone, level)
    answers = plan_vertebra(Site(volume, bone, (), marks), SETTINGS)
    plan = Plan(
        *("test", "pedicle-screws", "", "a", "b"),
        paths=tuple(a for a in answers if isinstance(a, Path)),
        skipped=tuple(a for a in answers if isinstance(a, Skipped)),
        warnings=(Notice("thick_slices", "thick", "series"),),
    )
    return Case(plan, volume, (bone,), (level,), (marks,))


@lru_cache
def bench(right_radius=3.4):
    return PedicleScrews().bench(case(right_radius), SETTINGS)


def plan():
    return case().plan


def path(plan, name="L3_left"):
    return next(p for p in plan.paths if p.name == name)


def codes(plan, name="L3_left"):
    return {n.code: n.red for n in plan.warnings if n.subject == name}


def changed(change, name="L3_left", before=None):
    return bench().changed(before or plan(), name, change)


def told(plan):
    """As plan.json has it to 0.1 um, warnings in no order."""
    content = plain(plan_to_json(plan))
    return rounded({**content, "warnings": sorted(content["warnings"], key=json.dumps)})


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return pytest.approx(value, abs=1e-4) if isinstance(value, float) else value


@pytest.mark.parametrize("name", ["L3_left", "L3_right"])
def test_a_path_left_where_it_is_keeps_every_number(name):
    before = path(plan(), name)
    ends = {"entry_mm": list(before.entry_mm), "tip_mm": list(before.tip_mm)}
    after = path(changed(ends, name), name)
    assert np.allclose(after.entry_mm, before.entry_mm, atol=1e-6)
    assert np.allclose(after.tip_mm, before.tip_mm, atol=1e-6)
    assert (after.grade, after.breach_wall) == (before.grade, before.breach_wall)
    for number in ("corridor_diameter_mm", "clearance_mm", "breach_mm", "axial_angle_deg"):
        assert getattr(after, number) == pytest.approx(getattr(before, number), abs=1e-6)
    assert after.extra == before.extra and after.warnings == before.warnings
    assert "edited" not in after.extra
    assert changed(ends, name).warnings == plan().warnings


def test_left_is_left_a_wide_pedicle_stays_wide():
    paths = [path(plan(), f"L3_{side}") for side in ("left", "right")]
    assert paths[0].entry_mm[0] > 0 > paths[1].entry_mm[0]
    again = [path(changed({"diameter_mm": 4.5}, p.name), p.name) for p in paths]
    assert again[0].corridor_diameter_mm > again[1].corridor_diameter_mm + 1.5


def test_a_thinner_screw_keeps_its_corridor_and_gains_clearance():
    before = path(plan())
    after = changed({"diameter_mm": before.diameter_mm - 1.5})
    assert path(after).corridor_diameter_mm == pytest.approx(before.corridor_diameter_mm)
    assert path(after).clearance_mm == pytest.approx(before.clearance_mm + 0.75)
    assert path(after).extra["edited"] is True
    assert path(after).extra["automatic"]["diameter_mm"] == before.diameter_mm
    assert codes(after)[EDITED] is False
    assert EDITED in path(after).warnings
    assert ("thick_slices", "series") in {(n.code, n.subject) for n in after.warnings}
    assert path(after, "L3_right") is path(plan(), "L3_right")


def test_the_entry_is_put_on_the_bone_along_the_line():
    before = path(plan())
    outside = before.entry_mm - 7.0 * before.direction
    after = path(changed({"entry_mm": list(outside)}))
    assert np.linalg.norm(after.entry_mm - before.entry_mm) < 1e-3
    within = before.entry_mm + 3.0 * before.direction
    assert (
        np.linalg.norm(path(changed({"entry_mm": list(within)})).entry_mm - before.entry_mm) < 1e-3
    )


def off_its_surface(after):
    """How far a path's entry is from the bone, mm."""
    triangles = case().bones[0].vertices_mm[case().bones[0].faces]
    return np.abs(surface_crossings(triangles, after.entry_mm, after.direction)).min()


def test_the_length_that_is_asked_for_is_that_in_the_bone():
    """A path shifted as a whole, off the surface or into it, is as long as before."""
    before = path(plan())
    for shift in (1.5 * UP - 4.0 * before.direction, 3.0 * before.direction - 0.5 * LEFT):
        ends = {"entry_mm": before.entry_mm + shift, "tip_mm": before.tip_mm + shift}
        as_drawn = path(changed(ends))
        assert abs(as_drawn.length_mm - before.length_mm) > 1.0
        assert np.allclose(as_drawn.tip_mm, ends["tip_mm"], atol=1e-6)
        for length in (before.length_mm, 37.3):
            after = path(changed({**ends, "length_mm": length}))
            assert after.length_mm == pytest.approx(length, abs=1e-6)
            assert off_its_surface(after) < 1e-3
            assert np.allclose(after.direction, before.direction, atol=1e-9)
            assert np.allclose(after.entry_mm, as_drawn.entry_mm, atol=1e-3)


def test_what_moves_no_end_keeps_the_length():
    before = path(changed({"length_mm": 37.3}))
    assert before.length_mm == pytest.approx(37.3, abs=1e-6)
    for change in ({"axial_angle_deg": 18.0}, {"sagittal_angle_deg": 7.0}, {"diameter_mm": 4.5}):
        after = path(changed(change, before=changed({"length_mm": 37.3})))
        assert after.length_mm == pytest.approx(37.3, abs=1e-6), change


def test_an_end_that_is_dragged_gives_a_length_of_the_set():
    """The entry may be let go anywhere on the line: the tip is where the set lets it be."""
    before, step = path(plan()), SETTINGS.screw.length_step_mm
    for drawn in (-7.3, 4.1):
        entry = before.entry_mm + drawn * before.direction
        after = path(changed({"entry_mm": entry, "in_set": True}))
        assert np.allclose(after.entry_mm, before.entry_mm, atol=1e-3)
        assert np.allclose(after.tip_mm, before.tip_mm, atol=1e-3)
    for drawn, steps in ((0.4 * step, 0), (0.6 * step, 1), (-0.9 * step, -1)):
        tip = before.tip_mm + drawn * before.direction
        after = changed({"tip_mm": tip, "in_set": True})
        assert path(after).length_mm == pytest.approx(before.length_mm + steps * step, abs=1e-3)
        assert "length_not_in_set" not in codes(after)
    as_drawn = changed({"tip_mm": before.tip_mm - 0.4 * step * before.direction})
    assert "length_not_in_set" in codes(as_drawn)


@pytest.mark.parametrize(
    ("shift", "wall"), [(LEFT, "lateral"), (-LEFT, "medial"), (UP, "superior"), (-UP, "inferior")]
)
def test_a_screw_moved_out_of_its_pedicle_is_breached_through_that_wall(shift, wall):
    """Each pedicle is a rod of known radius: the breach is what the shift and radius make it."""
    before = path(plan())
    ends = {"entry_mm": before.entry_mm + 3.0 * shift, "tip_mm": before.tip_mm + 3.0 * shift}
    after = path(changed(ends))
    room = before.corridor_diameter_mm / 2
    # the body's round back and the arch widen the rod's ends: the middle decides
    assert after.breach_mm == pytest.approx(3.0 + after.diameter_mm / 2 - room, abs=0.6)
    assert after.breach_wall == wall
    assert after.clearance_mm < 0


def test_an_axis_outside_the_bone_is_graded_by_its_distance():
    before = path(plan())
    for aside in (7.0, 9.0):
        shift = aside * LEFT - 3.0 * UP
        ends = {"entry_mm": before.entry_mm + shift, "tip_mm": before.tip_mm + shift}
        after = changed(ends)
        screw = path(after)
        assert screw.grade in ("D", "E")
        assert screw.breach_mm == pytest.approx(_rod_gap(screw) + screw.diameter_mm / 2, abs=0.5)
        assert (screw.corridor_diameter_mm, screw.clearance_mm) == (0.0, -screw.diameter_mm / 2)
        assert screw.breach_wall == "lateral"
        assert codes(after)["outside_pedicle"] and codes(after)["poor_grade"]


def _rod_gap(screw):
    """How far the axis leaves the implicit shape."""
    along = np.linspace(3.0, screw.length_mm, 200)[:, None]
    return SHAPE.measure(screw.entry_mm + along * screw.direction - POSE.origin_mm).max()


def test_a_screw_in_the_canal_is_red():
    before = path(plan())
    ends = {"entry_mm": before.entry_mm - 5.0 * LEFT, "tip_mm": before.tip_mm - 5.0 * LEFT}
    after = changed(ends)
    assert codes(after)["canal_breach"] is True
    assert path(after).breach_wall == "medial"
    assert "canal_breach" not in codes(changed({"diameter_mm": 4.0}))


def test_right_is_mirrored():
    before = path(plan(), "L3_right")
    for shift, wall in ((-LEFT, "lateral"), (LEFT, "medial")):
        ends = {"entry_mm": before.entry_mm + 3 * shift, "tip_mm": before.tip_mm + 3 * shift}
        assert path(changed(ends, "L3_right"), "L3_right").breach_wall == wall


def test_a_tip_too_near_to_the_front_or_beyond_it_is_red():
    length = path(plan()).length_mm
    inside, beyond = changed({"length_mm": length + 5}), changed({"length_mm": length + 20})
    assert codes(inside)["front_margin"] and codes(beyond)["front_margin"]
    assert "depth_out_of_range" in codes(inside)
    assert path(beyond).breach_wall == "anterior" and path(beyond).grade == "E"
    assert "front_margin" not in codes(changed({"length_mm": length - 5}))


def test_angles_turn_about_the_entry():
    before = path(plan())
    after = path(changed({"axial_angle_deg": 20.0, "sagittal_angle_deg": 1.0}))
    assert (after.axial_angle_deg, after.sagittal_angle_deg) == pytest.approx((20.0, 1.0))
    assert np.allclose(after.entry_mm, before.entry_mm, atol=1e-6)
    assert after.length_mm == pytest.approx(before.length_mm)
    assert np.allclose(after.direction, directions(20.0, 1.0, 1.0), atol=1e-3)
    assert "axial_angle_out_of_range" in codes(changed({"axial_angle_deg": 28.0}))
    assert "axial_angle_out_of_range" not in codes(changed({"axial_angle_deg": 20.0}))


def test_a_high_entry_and_sizes_that_no_set_has_are_told():
    before = path(plan())
    up = {"entry_mm": before.entry_mm + 5 * UP, "tip_mm": before.tip_mm + 5 * UP}
    assert codes(changed(up))["high_entry"] is False
    odd = codes(changed({"diameter_mm": 4.7, "length_mm": before.length_mm - 3}))
    assert {"diameter_not_in_set", "length_not_in_set"} <= set(odd)
    even = codes(changed({"diameter_mm": 4.5, "length_mm": before.length_mm - 5}))
    assert not {"diameter_not_in_set", "length_not_in_set"} & set(even)


def test_bone_in_the_drills_way_is_red():
    before = path(plan())
    block = Bone("L2", SHAPE.bone().vertices_mm + before.entry_mm - 30 * before.direction,
                 SHAPE.bone().faces)  # fmt: skip
    above = replace(SHAPE.level(pose=POSE), name="L2")
    crowded = replace(case(), bones=(*case().bones, block), levels=(above, *case().levels))
    after = (
        PedicleScrews().bench(crowded, SETTINGS).changed(plan(), "L3_left", {"diameter_mm": 4.5})
    )
    assert codes(after)["approach_blocked"] is True
    assert "approach_blocked" not in codes(changed({"diameter_mm": 4.5}))


def test_screws_that_meet_are_red_until_one_moves():
    left, right = path(plan()), path(plan(), "L3_right")
    tip = (left.tip_mm + right.tip_mm) / 2
    crossed = changed({"tip_mm": tip - LEFT})
    crossed = changed({"tip_mm": tip + LEFT}, "L3_right", crossed)
    meeting = [n for n in crossed.warnings if n.code == "paths_meet"]
    assert len(meeting) == 1 and meeting[0].red
    apart = changed({"automatic": True}, "L3_right", crossed)
    apart = changed({"automatic": True}, "L3_left", apart)
    assert not [n for n in apart.warnings if n.code == "paths_meet"]


def test_back_to_the_automatic_plan():
    moved = changed({"entry_mm": path(plan()).entry_mm + 2 * UP})
    moved = changed({"diameter_mm": 5.0}, before=moved)
    assert path(moved).extra["automatic"]["grade"] == "A"
    assert told(changed({"automatic": True}, before=moved)) == told(plan())


def test_off_and_on_again():
    off = changed({"on": False})
    (left,) = (s for s in off.skipped if s.name == "L3_left")
    assert left.code == SWITCHED_OFF and left.extra["path"]["name"] == "L3_left"
    assert [p.name for p in off.paths] == ["L3_right"]
    assert codes(off) == {EDITED: False}
    read = plan_from_json(json.loads(json.dumps(plain(plan_to_json(off)))))
    on = changed({"on": True}, before=read)
    assert [p.name for p in on.paths] == ["L3_left", "L3_right"]
    assert np.allclose(path(on).entry_mm, path(plan()).entry_mm, atol=1e-5)
    assert "edited" not in path(on).extra and EDITED not in codes(on)
    with pytest.raises(PlanError, match="no path that could be left out"):
        changed({"on": False}, before=off)


def test_an_edited_path_that_was_off_comes_back_edited():
    thin = changed({"diameter_mm": 4.5})
    again = changed({"on": True}, before=changed({"on": False}, before=thin))
    assert path(again).diameter_mm == 4.5 and path(again).extra["edited"] is True
    assert path(changed({"automatic": True}, before=again)).diameter_mm == path(plan()).diameter_mm


def test_a_skipped_pedicle_is_given_a_path_and_goes_back():
    plan = case(2.1).plan
    assert [s.code for s in plan.skipped] == ["narrow_pedicle"]
    on = bench(2.1).changed(plan, "L3_right", {"on": True})
    screw = path(on, "L3_right")
    assert screw.diameter_mm == 4.0 and screw.extra["edited"] is True
    assert screw.extra["automatic"]["code"] == "narrow_pedicle"
    assert 2.0 < screw.corridor_diameter_mm < 4.7
    assert codes(on, "L3_right")["narrow_pedicle"] is True
    assert [p.name for p in on.paths] == ["L3_left", "L3_right"]
    back = bench(2.1).changed(on, "L3_right", {"automatic": True})
    assert told(back) == told(plan)
    ends = {"entry_mm": screw.entry_mm, "tip_mm": screw.tip_mm}
    drawn = bench(2.1).changed(plan, "L3_right", ends)
    assert path(drawn, "L3_right").length_mm == pytest.approx(screw.length_mm)


def test_a_path_is_moved_to_the_other_pedicle():
    off = changed({"on": False}, "L3_right")
    moved = changed({"bone": "L3", "side": "right"}, "L3_left", off)
    assert [p.name for p in moved.paths] == ["L3_right"]
    assert path(moved, "L3_right").entry_mm[0] < 0
    assert path(moved, "L3_right").diameter_mm == path(plan(), "L3_right").diameter_mm
    assert path(moved, "L3_right").grade == "A"
    assert [(s.name, s.code) for s in moved.skipped] == [("L3_left", SWITCHED_OFF)]
    with pytest.raises(PlanError, match="has a path already"):
        changed({"side": "right"}, "L3_left")
    with pytest.raises(PlanError, match="not among the planned levels"):
        changed({"bone": "L9"}, "L3_left")


def test_a_level_that_could_not_be_planned_is_said_again_without_its_path():
    """The red warning goes with a path by hand, and comes back when that goes."""
    both = [p.name for p in plan().paths]
    why = "the walls were not found"
    before = replace(
        plan(),
        paths=(),
        skipped=tuple(Skipped(name, "L3", name[3:], "planning_failed", None, why) for name in both),
        warnings=(*plan().warnings, unplanned_notice("L3", "screw", why)),
    )
    drawn = changed({"on": True}, "L3_left", before)
    assert codes(drawn, "L3") == {} and path(drawn).grade == "A"
    for back in ({"automatic": True}, {"on": False}):
        again = changed(back, "L3_left", drawn)
        assert [n for n in again.warnings if n.subject == "L3"] == [before.warnings[-1]]
    off = changed({"on": False}, "L3_right", changed({"on": True}, "L3_right", again))
    assert codes(off, "L3") == {"level_not_planned": True}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "say what"),
        ({"colour": 3}, "can't be changed"),
        ({"entry_mm": [1, 2]}, "three numbers"),
        ({"tip_mm": [0, 0, float("nan")]}, "three numbers"),
        ({"tip_mm": [0, 0, 10**400]}, "three numbers"),
        ({"diameter_mm": 10**400}, "must be"),
        ({"tip_mm": [0, 0, True]}, "three numbers"),
        ({"tip_mm": "here"}, "three numbers"),
        ({"diameter_mm": 40.0}, "must be 4 to 7.5 mm"),
        ({"diameter_mm": "thick"}, "must be"),
        ({"on": "no"}, "true or false"),
        ({"side": 3}, "wants a name"),
        ({"side": "up"}, "no up pedicle"),
        ({"entry_mm": [300, 40, 0], "tip_mm": [300, -20, 0]}, "does not meet the bone"),
        ({"entry_mm": [15, -50, 5], "tip_mm": [15, 20, 5]}, "from the back to the front"),
    ],
)
def test_what_is_no_change_is_one_sentence(change, words):
    with pytest.raises(PlanError, match=words):
        changed(change)


def test_a_tip_on_its_entry_is_refused():
    with pytest.raises(PlanError, match="apart"):
        changed({"tip_mm": path(plan()).entry_mm})


def test_an_unknown_item_names_those_there_are():
    with pytest.raises(PlanError, match="L3_left, L3_right"):
        changed({"on": False}, "L4_left")


def test_items_tell_what_can_be_set():
    left, _ = bench().items(plan())
    assert (left.name, left.kind, left.bone, left.on) == ("L3_left", "path", "L3", True)
    assert left.places == (("L3", "right"),) and not left.edited and left.can_switch
    values = {field.name: field.value for field in left.fields}
    assert values["diameter_mm"] == path(plan()).diameter_mm
    assert values["length_mm"] == pytest.approx(path(plan()).length_mm)
    off = changed({"on": False})
    item = next(i for i in bench().items(off) if i.name == "L3_left")
    assert not item.on and item.can_switch and item.edited and item.places == ()
    json.dumps(item.told())


def test_rod_lines_are_measured_anew(monkeypatch):
    from guidegen.procedures.pedicle_screws import bench as module

    seen = []
    monkeypatch.setattr(
        module, "rod_lines", lambda paths, limit: (seen.append(len(paths)), ())[1:] * 2
    )
    changed({"on": False})
    assert seen == [1]


def test_a_procedure_without_a_bench_refuses():
    with pytest.raises(PlanError, match="can't be changed by hand"):
        NoBench().changed(plan(), "L3_left", {"on": False})
    assert NoBench().items(plan()) == () and NoBench().settle(plan()) is plan()
