import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from guidegen.anatomy.femur import find_femur
from guidegen.anatomy.tibia import find_tibia
from guidegen.errors import PlanError
from guidegen.export.atomic import plain
from guidegen.export.plan_json import plan_from_json, plan_to_json
from guidegen.model.case import Case
from guidegen.model.notice import Notice
from guidegen.model.plan import Plan
from guidegen.planning.alignment import cut_angles_deg
from guidegen.planning.given_pins import PinBone, hold_a_guide, measure_pin
from guidegen.procedures.bench import EDITED
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.knee import Knee
from guidegen.procedures.knee import bench as module
from guidegen.procedures.knee.plan import plan_knee
from guidegen.procedures.knee.settings import KneeSettings
from guidegen.procedures.knee.targets import make_cut, targets_of

from .test_knee_plan import leg
from .test_screw_bench import rounded

SETTINGS = KneeSettings()
TEA = KneeSettings(femur={"rotation": "tea"})


@lru_cache
def case(side="left", settings=SETTINGS):
    """A bent knee in varus, with its automatic plan."""
    bones = leg(side, 4.0, 8.0)
    marks = (find_femur(bones[0]), find_tibia(bones[1]))
    draft = plan_knee(Anatomy(None, bones, marks, ()), settings)
    plan = Plan(
        *("test", "knee", "", "a", "b"),
        paths=draft.paths,
        cuts=draft.cuts,
        measurements=draft.measurements,
        warnings=(Notice("thick_slices", "thick", "series"), *draft.warnings),
        extra={**draft.extra, "axis": "mechanical"},
    )
    return Case(plan, None, bones, (), marks)


@lru_cache
def bench(side="left", settings=SETTINGS):
    return Knee().bench(case(side, settings), settings)


def plan():
    return case().plan


def changed(item, change, before=None):
    return bench().changed(before or plan(), item, change)


def value(plan, name):
    return next(m.value for m in plan.measurements if m.name == name)


def cut(plan, bone):
    return next(c for c in plan.cuts if c.bone == bone)


def codes(plan, subject):
    return {n.code: n.red for n in plan.warnings if n.subject == subject}


def told(plan):
    content = plain(plan_to_json(plan))
    return rounded({**content, "warnings": sorted(content["warnings"], key=json.dumps)})


def test_the_femurs_cut_takes_its_own_targets_and_leaves_the_tibias_alone():
    after = changed("distal_femur_left", {"flexion_deg": 3.0, "resection_mm": 10.0})
    assert value(after, "LFC_left") == pytest.approx(3.0, abs=1e-3)
    assert value(plan(), "LFC_left") == pytest.approx(0.0, abs=1e-3)
    taken = [value(p, "resection_distal_medial_left") for p in (plan(), after)]
    most = [max(value(p, f"resection_distal_{s}_left") for s in ("medial", "lateral"))
            for p in (plan(), after)]  # fmt: skip
    assert most == pytest.approx([7.0, 8.0], abs=1e-3) and taken[1] > taken[0]
    assert cut(after, "tibia_left") is cut(plan(), "tibia_left")
    for name in ("HKA_left", "FTC_left", "LTC_left", "tibial_rotation_left"):
        assert value(after, name) == value(plan(), name)
    assert [m.name for m in after.measurements] == [m.name for m in plan().measurements]
    assert codes(after, "distal_femur_left") == {EDITED: False}
    assert codes(plan(), "distal_femur_left") == {}
    assert ("thick_slices" in codes(after, "series")) and "no_cartilage" in codes(after, "series")


@pytest.mark.parametrize("side", ["left", "right"])
def test_rotation_turns_the_further_planes_outwards_on_both_sides(side):
    name = f"distal_femur_{side}"
    after = bench(side).changed(case(side).plan, name, {"rotation_deg": 6.0})
    assert value(after, f"femoral_rotation_to_PCA_{side}") == pytest.approx(6.0, abs=1e-3)
    before = case(side).plan
    assert np.allclose(cut(after, f"femur_{side}").normal, cut(before, f"femur_{side}").normal)
    old, new = (p.extra["planes"][f"posterior_femur_{side}"]["normal"] for p in (before, after))
    assert np.degrees(np.arccos(np.dot(old, new))) == pytest.approx(3.0, abs=1e-2)
    lateral = f"resection_posterior_lateral_{side}"
    assert value(after, lateral) < value(before, lateral) - 1.0


def test_slope_and_frontal_angle_of_the_tibia():
    after = changed("proximal_tibia_left", {"slope_deg": 7.0, "frontal_deg": 88.0})
    assert value(after, "LTC_left") == pytest.approx(83.0, abs=1e-3)
    assert value(after, "FTC_left") == pytest.approx(88.0, abs=1e-3)
    (note,) = (m.note for m in after.measurements if m.name == "FTC_left")
    assert note.endswith("medial: 2.0 deg varus")
    assert next(m.note for m in plan().measurements if m.name == "FTC_left").endswith("medial")
    assert cut(after, "tibia_left").extra["automatic"]["slope_deg"] == 5.0
    found = cut(after, "tibia_left")
    made = make_cut(case().bones[1], case().landmarks[1], targets_of(found, SETTINGS), SETTINGS)
    assert np.allclose(made.cut.normal, found.normal) and made.cut.kerf_mm == found.kerf_mm


def test_back_to_the_automatic_plan_with_its_pins():
    after = changed("distal_femur_left", {"flexion_deg": 3.0})
    after = changed("distal_femur_left", {"resection_mm": 11.0}, bench().settle(after))
    assert set(cut(after, "femur_left").extra["automatic"]) == {
        *("flexion_deg", "frontal_deg", "rotation_deg", "resection_mm")
    }
    back = bench().settle(changed("distal_femur_left", {"automatic": True}, after))
    assert told(back) == told(plan())
    same = changed("distal_femur_left", {"flexion_deg": 0.0})
    assert same is plan()


def test_pins_wait_in_red_until_they_are_settled():
    after = changed("distal_femur_left", {"resection_mm": 13.0})
    assert codes(after, "femur_left")["pins_wait"] is True
    waiting = {item.name: item.waiting for item in bench().items(after)}
    assert waiting["femur_left_pin_1"] and not waiting["tibia_left_pin_1"]
    settled = bench().settle(after)
    assert "pins_wait" not in codes(settled, "femur_left")
    assert not any(item.waiting for item in bench().items(settled))
    stay = -cut(settled, "femur_left").normal
    for pin in settled.paths:
        if pin.bone == "femur_left":
            ends = (np.array([pin.entry_mm, pin.tip_mm]) - cut(settled, pin.bone).origin_mm) @ stay
            assert ends.min() > SETTINGS.guide.pin_clear_mm
    moved = [np.linalg.norm(a.entry_mm - b.entry_mm)
             for a, b in zip(plan().paths, settled.paths, strict=True)]  # fmt: skip
    assert min(moved[:3]) > 0.5 and max(moved[3:]) == 0.0
    assert bench().settle(settled) is settled


def test_a_bone_without_a_place_for_pins_says_so(monkeypatch):
    def refuse(*_):
        raise PlanError("no place")

    monkeypatch.setattr(module, "plan_pins", refuse)
    settled = bench().settle(changed("distal_femur_left", {"resection_mm": 13.0}))
    assert codes(settled, "femur_left")["no_pins"] is True
    assert {p.bone for p in settled.paths} == {"tibia_left"}
    monkeypatch.undo()
    again = bench().settle(changed("distal_femur_left", {"resection_mm": 9.0}, settled))
    assert "no_pins" not in codes(again, "femur_left") and len(again.paths) == 6
    assert [p.name for p in again.paths] == [p.name for p in plan().paths]


def test_a_notch_is_warned_of_anew():
    settings = KneeSettings(femur={"anterior_mm": -2.0})
    notched = case("left", settings).plan
    assert codes(notched, "femur_left")["notching"] is True
    after = bench("left", settings).changed(notched, "distal_femur_left", {"flexion_deg": 10.0})
    for one in (notched, after):
        said = [n.message for n in one.warnings if n.code == "notching"]
        assert len(said) == 1 and f"{value(one, 'size_notch_left'):.1f} mm" in said[0]
    clean = changed("distal_femur_left", {"flexion_deg": 2.0})
    assert "notching" not in codes(clean, "femur_left")


def test_a_cut_that_misses_a_side_is_red():
    low = changed("proximal_tibia_left", {"resection_mm": 2.0, "frontal_deg": 96.0})
    removed = min(value(low, f"resection_plateau_{s}_left") for s in ("medial", "lateral"))
    assert removed < 0 and codes(low, "proximal_tibia_left")["part_uncut"] is True
    again = changed("proximal_tibia_left", {"slope_deg": 6.0}, low)
    assert [n.code for n in again.warnings].count("part_uncut") == 1
    other = changed("distal_femur_left", {"flexion_deg": 1.0}, low)
    assert [n.code for n in other.warnings].count("part_uncut") == 1
    back = bench().settle(changed("proximal_tibia_left", {"automatic": True}, low))
    assert told(back) == told(plan())
    enough = changed("proximal_tibia_left", {"resection_mm": 9.0})
    assert "part_uncut" not in codes(enough, "proximal_tibia_left")


def test_what_is_said_of_the_other_bone_is_said_once():
    settings = KneeSettings(femur={"rotation_deg": 9.0, "posterior_mm": 5.0})
    before = case("left", settings).plan
    assert [n.code for n in before.warnings].count("posterior_uncut") == 1
    after = bench("left", settings).changed(before, "proximal_tibia_left", {"slope_deg": 7.0})
    assert [n.code for n in after.warnings].count("posterior_uncut") == 1
    told_twice = [(n.code, n.subject) for n in after.warnings]
    assert len(told_twice) == len(set(told_twice))


@pytest.mark.parametrize(("bone", "item"), [(0, "distal_femur_left"), (1, "proximal_tibia_left")])
@pytest.mark.parametrize("flip", [1.0, -1.0])
def test_a_drawn_plane_becomes_targets(bone, item, flip):
    name = case().bones[bone].name
    wanted = {"frontal_deg": 91.5, "resection_mm": 9.7}
    wanted |= {"flexion_deg": 2.2, "rotation_deg": 3.0} if bone == 0 else {"slope_deg": 3.3}
    made = make_cut(case().bones[bone], case().landmarks[bone], wanted, SETTINGS).cut
    aside = np.cross(made.normal, [0.3, 0.2, 0.5])  # another point of the same plane
    drawn = {"origin_mm": list(made.origin_mm + 20 * aside), "normal": list(flip * made.normal)}
    after = cut(changed(item, drawn), name)
    assert np.allclose(after.normal, made.normal, atol=1e-9)
    assert (after.origin_mm - made.origin_mm) @ made.normal == pytest.approx(0.0, abs=1e-6)
    for target, number in wanted.items():
        assert after.extra[target] == pytest.approx(number, abs=1e-6)


def test_planes_that_are_no_cut_are_refused():
    normal = cut(plan(), "femur_left").normal
    origin = cut(plan(), "femur_left").origin_mm
    across = np.cross(normal, [1.0, 0.0, 0.0])
    for change, words in (
        ({"origin_mm": origin, "normal": across}, "more than 45 deg off"),
        ({"origin_mm": origin - 40 * normal, "normal": normal}, "resection_mm must be"),
        ({"origin_mm": origin}, "both origin_mm and normal"),
        ({"normal": normal}, "both origin_mm and normal"),
        ({"flexion_deg": 40.0}, "flexion_deg must be -3 to 10 deg"),
        ({"slope_deg": 4.0}, "slope_deg can't be changed"),
        ({"on": False}, "can't be changed"),
        ({}, "say what"),
    ):
        with pytest.raises(PlanError, match=words):
            changed("distal_femur_left", change)
    with pytest.raises(PlanError, match="no cut or pin"):
        changed("distal_femur_right", {"flexion_deg": 1.0})


def test_a_femur_turned_by_its_epicondyles_can_be_turned_by_hand():
    before = case("left", TEA).plan
    fields = {f.name: f for f in bench("left", TEA).items(before)[0].fields}
    assert fields["rotation_deg"].value == value(before, "femoral_rotation_to_PCA_left")
    after = bench("left", TEA).changed(before, "distal_femur_left", {"rotation_deg": 1.0})
    assert value(after, "femoral_rotation_to_PCA_left") == pytest.approx(1.0, abs=1e-3)
    assert EDITED in codes(after, "distal_femur_left")
    back = bench("left", TEA).changed(after, "distal_femur_left", {"automatic": True})
    assert told(bench("left", TEA).settle(back)) == told(before)
    tilted = bench("left", TEA).changed(before, "distal_femur_left", {"flexion_deg": 1.0})
    assert value(tilted, "femoral_rotation_to_TEA_left") == pytest.approx(
        value(before, "femoral_rotation_to_TEA_left"), abs=0.2
    )


def test_items_tell_targets_and_limits():
    items = {item.name: item for item in bench().items(plan())}
    assert list(items)[:2] == ["distal_femur_left", "proximal_tibia_left"]
    fields = {field.name: field for field in items["proximal_tibia_left"].fields}
    assert set(fields) == {"slope_deg", "frontal_deg", "resection_mm"}
    slope = fields["slope_deg"]
    assert (slope.value, slope.min, slope.max, slope.unit) == (5.0, -2.0, 12.0, "deg")
    assert items["femur_left_pin_1"].kind == "path" and not items["femur_left_pin_1"].can_switch
    after = changed("proximal_tibia_left", {"slope_deg": 6.0})
    item = next(i for i in bench().items(after) if i.name == "proximal_tibia_left")
    assert item.edited and {f.name: f.value for f in item.fields}["slope_deg"] == 6.0


def test_a_plan_with_a_changed_cut_survives_its_file():
    after = changed("distal_femur_left", {"flexion_deg": 2.0})
    content = json.loads(json.dumps(plain(plan_to_json(after))))
    assert content["cuts"][0]["flexion_deg"] == 2.0 and content["cuts"][0]["edited"] is True
    read = plan_from_json(content)
    again = changed("distal_femur_left", {"resection_mm": 10.0}, read)
    assert cut(again, "femur_left").extra["flexion_deg"] == 2.0


def pin(plan, name):
    return next(p for p in plan.paths if p.name == name)


def test_a_pin_left_where_it_is_keeps_every_number():
    for before in plan().paths:
        ends = {"entry_mm": list(before.entry_mm), "tip_mm": list(before.tip_mm)}
        after = pin(changed(before.name, ends), before.name)
        assert np.allclose(after.entry_mm, before.entry_mm, atol=1e-6)
        assert after.clearance_mm == pytest.approx(before.clearance_mm, abs=1e-6)
        assert "edited" not in after.extra and after.grade is None
        assert changed(before.name, ends).warnings == plan().warnings


def test_a_pin_is_measured_as_the_planner_measures_it():
    for bone, marks, own in zip(case().bones, case().landmarks, plan().cuts, strict=True):
        ready = PinBone.of(bone, marks)
        for one in (p for p in plan().paths if p.bone == bone.name):
            found = measure_pin(ready, own, (one.entry_mm, one.tip_mm), SETTINGS.guide)
            assert found.bone_mm == pytest.approx(one.clearance_mm, rel=0.01)
            assert found.cut_mm >= SETTINGS.guide.pin_clear_mm - 1e-6 and found.free


def test_a_parallel_pin_stays_parallel_when_it_is_dragged():
    before = pin(plan(), "femur_left_pin_1")
    up = -cut(plan(), "femur_left").normal
    after = changed(before.name, {"entry_mm": list(before.entry_mm + 2 * up)})
    assert np.allclose(pin(after, before.name).direction, before.direction)
    assert hold_a_guide([p for p in after.paths if p.bone == "femur_left"], after.cuts[0])
    assert "pins_not_parallel" not in codes(after, "femur_left")
    assert codes(after, before.name)[EDITED] is False
    both = {"entry_mm": before.entry_mm, "tip_mm": before.tip_mm + 3 * up}
    turned = changed(before.name, both)
    assert codes(turned, "femur_left")["pins_not_parallel"] is True
    back = changed(before.name, {"automatic": True}, turned)
    assert told(back) == told(plan())


def test_parallel_pins_off_a_standard_blocks_holes_are_red():
    settings = KneeSettings(guide={"slot": False, "pin_offset_mm": 20.0})
    own, before = bench("left", settings), case("left", settings).plan
    one, two, _ = (p for p in before.paths if p.bone == "femur_left")
    apart = (two.entry_mm - one.entry_mm) / settings.guide.pin_spacing_mm
    for shift, red in ((0.5 * apart, True), (0.01 * apart, False)):
        after = own.changed(before, one.name, {"entry_mm": one.entry_mm + shift})
        assert ("pins_unlike_block" in codes(after, "femur_left")) is red
    after = own.changed(before, one.name, {"entry_mm": one.entry_mm + 0.5 * apart})
    assert codes(after, "femur_left")["pins_unlike_block"] is True
    back = own.changed(after, one.name, {"automatic": True})
    assert told(back) == told(before)
    slotted = pin(plan(), "femur_left_pin_1")
    aside = slotted.entry_mm + 0.5 * apart
    assert "pins_unlike_block" not in codes(
        changed(slotted.name, {"entry_mm": aside}), "femur_left"
    )


def test_the_depth_of_a_pin_is_that_in_the_bone():
    before = pin(plan(), "femur_left_pin_3")
    shift = -5.0 * before.direction + 1.5 * cut(plan(), "femur_left").normal
    ends = {"entry_mm": before.entry_mm + shift, "tip_mm": before.tip_mm + shift}
    assert abs(pin(changed(before.name, ends), before.name).length_mm - before.length_mm) > 1.0
    for length in (before.length_mm, 31.0):
        after = pin(changed(before.name, {**ends, "length_mm": length}), before.name)
        assert after.length_mm == pytest.approx(length, abs=1e-6)
        assert np.allclose(after.direction, before.direction, atol=1e-9)
    out = {"entry_mm": before.entry_mm - 5.0 * before.direction, "in_set": True}
    after = pin(changed(before.name, out), before.name)
    assert after.length_mm == pytest.approx(round(before.length_mm), abs=1e-6)


def test_every_red_of_a_pin_has_its_case():
    cutting = cut(plan(), "femur_left")
    one, other = pin(plan(), "femur_left_pin_1"), pin(plan(), "femur_left_pin_2")

    def shifted(name, vector):
        path = pin(plan(), name)
        ends = {"entry_mm": path.entry_mm + vector, "tip_mm": path.tip_mm + vector}
        return codes(changed(name, ends), name)

    to_cut = ((one.entry_mm - cutting.origin_mm) @ cutting.normal + 4.0) * -cutting.normal
    assert shifted(one.name, to_cut)["pin_near_cut"] is True
    assert shifted(one.name, 0.8 * (other.entry_mm - one.entry_mm))["pins_meet"] is True
    deep = changed(one.name, {"length_mm": 90.0})
    assert codes(deep, one.name)["pin_out_of_bone"] is True
    tibial = pin(plan(), "tibia_left_pin_1")
    lateral = -case().landmarks[1].patient_from_bone.axes[:, 0]
    if (case().landmarks[1]["plateau_lateral"].position_mm - tibial.entry_mm) @ lateral < 0:
        lateral = -lateral
    assert shifted(tibial.name, 30.0 * lateral)["pin_near_tendon"] is True
    assert not {"pin_near_cut", "pins_meet", "pin_out_of_bone", "pin_near_tendon"} & set(
        codes(changed(one.name, {"length_mm": one.length_mm - 3}), one.name)
    )
    with pytest.raises(PlanError, match="does not meet the bone"):
        shifted(one.name, 200 * cutting.normal)


def test_bone_beside_a_sleeve_is_red(monkeypatch):
    from guidegen.planning import given_pins

    monkeypatch.setattr(given_pins, "sleeve_is_free", lambda *_: np.array([False]))
    name = "femur_left_pin_1"
    length = pin(plan(), name).length_mm - 3.5  # measured by no other test
    assert codes(changed(name, {"length_mm": length}), name)["pin_blocked"] is True


def test_a_drawn_pin_stays_when_its_cut_changes():
    before = pin(plan(), "femur_left_pin_3")
    drawn = changed(before.name, {"length_mm": before.length_mm - 4})
    after = bench().settle(changed("distal_femur_left", {"resection_mm": 12.0}, drawn))
    kept = pin(after, before.name)
    assert np.allclose(kept.entry_mm, before.entry_mm) and kept.extra["edited"] is True
    assert kept.extra["automatic"] != pin(drawn, before.name).extra["automatic"]
    assert codes(after, before.name)[EDITED] is False
    assert "edited" not in pin(after, "femur_left_pin_1").extra


def test_fewer_than_three_pins_hold_no_guide():
    pins = [p for p in plan().paths if p.bone == "femur_left"]
    assert hold_a_guide(pins, plan().cuts[0])
    assert not hold_a_guide(pins[:2], plan().cuts[0])
    third = replace(pins[2], tip_mm=pins[2].entry_mm + 30 * pins[0].direction)
    assert not hold_a_guide([*pins[:2], third], plan().cuts[0])
    frontal, _ = cut_angles_deg(
        make_cut(case().bones[0], case().landmarks[0], targets_of(plan().cuts[0], SETTINGS),
                 SETTINGS).planes,
        case().landmarks[0].patient_from_bone.axes[:, 2], plan().cuts[0].normal,
    )  # fmt: skip
    assert frontal == pytest.approx(90.0, abs=1e-6)
