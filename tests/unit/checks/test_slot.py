"""A sound knee guide passes its checks; each fault is in ``knee_specimen``, run by test_checks."""

from dataclasses import replace

import numpy as np
import pytest

from guidegen.checks.knee import (
    check_medial_marks,
    check_pins,
    check_rod,
    check_touches,
    check_windows,
)
from guidegen.checks.label import engraved_depth, read_letter
from guidegen.checks.slot import captured_mm, check_blade, check_slot
from guidegen.model.frames import Pose
from tests.unit.checks.knee_specimen import CUT, KneeFaults, knee_part, tilted

CHECKS = (
    check_slot,
    check_blade,
    check_pins,
    check_rod,
    check_windows,
    check_touches,
    check_medial_marks,
)


def values(findings):
    return {f.code: f.value for f in findings}


def moved(part, pose):
    """The same part, bone and plan elsewhere."""
    guide = part.guide
    features = tuple(
        replace(f, point_mm=pose.points(f.point_mm), direction=pose.vectors(f.direction))
        for f in guide.features
    )
    guide = replace(
        guide,
        vertices_mm=pose.points(guide.vertices_mm),
        features=features,
        patient_from_guide=Pose.from_axes(
            pose.matrix[:3, :3] @ guide.patient_from_guide.axes,
            pose.points(guide.patient_from_guide.origin_mm),
            "patient",
            "guide",
        ),
        insertion_direction=pose.vectors(guide.insertion_direction),
    )
    bones = tuple(replace(b, vertices_mm=pose.points(b.vertices_mm)) for b in part.bones)
    paths = tuple(
        replace(p, entry_mm=pose.points(p.entry_mm), tip_mm=pose.points(p.tip_mm))
        for p in part.paths
    )
    cut = part.cuts[0]
    cut = replace(cut, origin_mm=pose.points(cut.origin_mm), normal=pose.vectors(cut.normal))
    marks = part.marks[0]
    frame = Pose.from_axes(pose.matrix[:3, :3], pose.points(np.zeros(3)), "patient", marks.bone)
    points = tuple(replace(p, position_mm=pose.points(p.position_mm)) for p in marks.points)
    marks = replace(marks, patient_from_bone=frame, points=points)
    return replace(part, guide=guide, bones=bones, paths=paths, cuts=(cut,), marks=(marks,))


@pytest.fixture(scope="module")
def sound():
    return knee_part(pin_offset_mm=16.0, pin_spacing_mm=24.0)


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_guide_passes(sound, check):
    found = check(sound)
    assert found and all(f.passed for f in found), [f for f in found if not f.passed]


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_guide_passes_turned_in_space(sound, check):
    axes = np.column_stack([tilted(37.0, v) for v in np.eye(3)[[1, 2, 0]]])
    pose = Pose.from_axes(axes, (120.0, -80.0, 410.0), "patient", "elsewhere")
    assert all(f.passed for f in check(moved(sound, pose)))


@pytest.mark.parametrize(("shift", "tilt"), [(0.03, 0.0), (-0.2, 0.0), (0.0, 0.08), (0.1, -0.4)])
def test_the_slot_s_deviation_is_measured(shift, tilt):
    part = knee_part(KneeFaults(slot_shift=shift, slot_tilt_deg=tilt))
    found = values(check_slot(part))
    ends = [shift + np.tan(np.radians(tilt)) * y for y in (-18.0, -6.0)]
    assert found["slot_offset"] == pytest.approx(np.abs(ends).max(), abs=2e-3)
    assert found["slot_angle"] == pytest.approx(abs(tilt), abs=2e-3)
    assert found["slot_thickness"] == pytest.approx(0.0, abs=2e-3)


def test_captured_depth_is_that_of_the_part(sound):
    deep = captured_mm(sound, sound.features("slot")[0], CUT)
    assert deep == pytest.approx(17.8, abs=0.3)
    part = knee_part(KneeFaults(shallow=True))
    assert captured_mm(part, part.features("slot")[0], CUT) == pytest.approx(10.0, abs=0.3)


def test_the_volume_that_a_thick_blade_meets_is_measured():
    part = knee_part(KneeFaults(slot_mm=1.2))
    met = values(check_blade(part))["blade_met"]
    assert met == pytest.approx(0.1 * (60.0 - 0.2) * (18.0 - 0.2), rel=0.01)


def test_without_a_slot_in_the_settings_none_is_asked_for(sound):
    limits = replace(sound.limits, slot_clearance_mm=None)
    assert check_slot(replace(sound, limits=limits)) == ()
    assert check_blade(replace(sound, limits=limits)) == ()


@pytest.mark.parametrize("letter", ["M", "L"])
def test_letters_are_told_apart(sound, letter):
    mark = next(f for f in sound.features("label") if f.item == letter)
    depth = engraved_depth(sound, mark)[0]
    other = "L" if letter == "M" else "M"
    assert read_letter(depth, letter, ("M", "L")) > 0.1
    assert read_letter(depth, other, ("M", "L")) < -0.1
