"""Changes by hand, kept when the case is planned again."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.model.bone import Bone
from guidegen.model.case import Case
from guidegen.model.edits import Edits
from guidegen.model.plan import Path, Plan
from guidegen.procedures.bench import SWITCHED_OFF, NoBench
from guidegen.procedures.kept import LOST, kept_edits
from guidegen.procedures.levels import Site
from guidegen.procedures.pedicle_screws import PedicleScrews
from guidegen.procedures.pedicle_screws.plan import plan_vertebra

from . import test_knee_bench as knee
from .test_screw_bench import SETTINGS, bench, case, changed, codes, path, plan, told

UP = np.array([0.0, 0.0, 1.0])


def edits(old, bones=None):
    bones = case().bones if bones is None else bones
    return Edits(old, {bone.name: bone.vertices_mm.mean(axis=0) for bone in bones})


def again(old, new=None, bones=None):
    return kept_edits(new or plan(), bones or case().bones, edits(old), bench)


@lru_cache
def moved():
    first = changed({"entry_mm": path(plan()).entry_mm + 2 * UP, "diameter_mm": 5.0})
    return changed({"on": False}, "L3_right", first)


@lru_cache
def renamed():
    """The same vertebra, now called L4, planned anew."""
    before = case()
    pose = before.landmarks[0].patient_from_bone
    bone = Bone("L4", before.bones[0].vertices_mm, before.bones[0].faces)
    level = replace(before.levels[0], name="L4")
    marks = find_landmarks(bone, level)
    paths = plan_vertebra(Site(before.volume, bone, (), marks), SETTINGS)
    assert np.allclose(marks.patient_from_bone.matrix, pose.matrix)
    new = Plan("test", "pedicle-screws", "", "a", "b", paths=tuple(paths))
    return Case(new, before.volume, (bone,), (level,), (marks,))


def test_what_was_drawn_and_left_out_is_the_same_again():
    after = again(moved())
    assert told(after) == told(moved())
    assert path(after).extra["automatic"] == path(moved()).extra["automatic"]
    assert [(s.name, s.code) for s in after.skipped] == [("L3_right", SWITCHED_OFF)]


def test_a_plan_without_changes_asks_for_no_bench():
    def refuse():
        raise AssertionError("nothing is to be kept")

    assert kept_edits(plan(), case().bones, edits(plan()), refuse) is plan()


def test_a_renamed_level_keeps_what_was_changed():
    new = renamed()
    own = PedicleScrews().bench(new, SETTINGS)
    after = kept_edits(new.plan, new.bones, edits(moved()), lambda: own)
    assert np.allclose(path(after, "L4_left").entry_mm, path(moved()).entry_mm, atol=1e-4)
    assert path(after, "L4_left").diameter_mm == 5.0
    assert path(after, "L4_left").extra["automatic"]["name"] == "L4_left"
    assert [(s.name, s.code) for s in after.skipped] == [("L4_right", SWITCHED_OFF)]
    assert not [n for n in after.warnings if n.code == LOST]


def test_the_place_decides_not_the_name():
    """All levels were called one too high: L3 is another bone now, L4 the one that was drawn on."""
    new = renamed()
    above = Bone("L3", new.bones[0].vertices_mm + 35 * UP, new.bones[0].faces)
    own = PedicleScrews().bench(new, SETTINGS)
    after = kept_edits(new.plan, (above, *new.bones), edits(moved()), lambda: own)
    assert path(after, "L4_left").extra["edited"] is True


@pytest.mark.parametrize("shift", [35 * UP, 12 * UP])
def test_a_bone_that_is_gone_is_named_in_red(shift):
    bones = [Bone("L3", case().bones[0].vertices_mm + shift, case().bones[0].faces)]
    after = again(moved(), bones=bones)
    lost = {n.subject: n for n in after.warnings if n.code == LOST}
    assert set(lost) == {"L3_left", "L3_right"} and all(n.red for n in lost.values())
    assert "no bone lies any more where L3 lay" in lost["L3_left"].message
    assert told(replace(after, warnings=())) == told(replace(plan(), warnings=()))


def test_a_path_that_has_no_pedicle_any_more_is_named_in_red():
    only_right = replace(plan(), paths=plan().paths[1:])
    after = again(changed({"diameter_mm": 5.0}), only_right)
    assert codes(after)[LOST] is True and [p.name for p in after.paths] == ["L3_right"]


def test_without_the_old_surface_the_name_decides():
    after = kept_edits(plan(), case().bones, Edits(moved()), bench)
    assert told(after) == told(moved())


def test_a_plan_that_could_not_be_read_is_told():
    after = kept_edits(plan(), case().bones, Edits(None, why="it is no JSON"), bench)
    (lost,) = (n for n in after.warnings if n.code == LOST)
    assert lost.red and "it is no JSON" in lost.message
    assert after.paths == plan().paths


def test_a_procedure_without_a_bench_loses_them_and_says_so():
    after = kept_edits(plan(), case().bones, edits(moved()), NoBench)
    assert codes(after)[LOST] is True


def test_a_drawn_path_that_was_left_out_comes_back_drawn():
    off = changed({"on": False}, before=changed({"diameter_mm": 4.5}))
    on = changed({"on": True}, before=again(off))
    assert path(on).diameter_mm == 4.5 and path(on).extra["edited"] is True


def test_a_path_by_hand_where_the_planner_has_one_now_stays_the_drawn_one():
    narrow, own = case(2.1), bench(2.1)
    drawn = own.changed(narrow.plan, "L3_right", {"on": True})
    after = kept_edits(narrow.plan, narrow.bones, edits(drawn, narrow.bones), lambda: own)
    assert isinstance(path(after, "L3_right"), Path)
    assert told(after) == told(drawn)


def test_cuts_and_pins_of_a_knee_are_kept_and_settled():
    old = knee.changed("distal_femur_left", {"flexion_deg": 2.0, "resection_mm": 10.0})
    old = knee.bench().settle(old)
    name = "tibia_left_pin_3"
    length = knee.pin(old, name).length_mm - 2
    old = knee.changed(name, {"length_mm": length}, old)
    centres = {bone.name: bone.vertices_mm.mean(axis=0) for bone in knee.case().bones}
    after = kept_edits(knee.plan(), knee.case().bones, Edits(old, centres), knee.bench)
    assert knee.told(after) == knee.told(old)
    assert "pins_wait" not in knee.codes(after, "femur_left")
