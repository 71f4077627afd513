"""Pins of femora and tibiae of known shape: in bone, clear of the cut, where a block wants them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.errors import PlanError
from guidegen.geometry.knee import CutAxes, beside_tendon, medial_way
from guidegen.mesh.sdf import signed_distance
from guidegen.planning import pins
from guidegen.planning.pins import plan_pins, way_in

from ..knee_parts import lateral, planned

CASES = [
    (kind, side, turn)
    for kind in ("femur", "tibia")
    for side, turn in (("left", "oblique"), ("right", "as_made"), ("left", "as_made"))
]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request):
    return planned(*request.param)


def test_three_pins_two_of_them_parallel_to_the_cut(case):
    one, two, three = (p.direction for p in case.pins)
    assert [p.kind for p in case.pins] == ["pin"] * 3
    assert [p.extra["role"] for p in case.pins] == ["parallel", "parallel", "oblique"]
    np.testing.assert_allclose(one, two, atol=1e-9)
    assert abs(one @ case.cut.normal) < 1e-9
    angle = np.degrees(np.arccos(one @ three))
    assert angle == pytest.approx(case.settings.pin_oblique_deg, abs=1e-6)


def test_pins_start_on_the_bone_and_stay_in_it(case):
    for pin in case.pins:
        depth = np.append(np.arange(8.0, pin.length_mm, 1.0), pin.length_mm)
        axis = pin.entry_mm + depth[:, None] * pin.direction
        points = np.vstack([pin.entry_mm, axis])
        distance = signed_distance(points, case.bone.vertices_mm, case.bone.faces)
        assert abs(distance[0]) < 1e-3
        room = -distance[1:].max() - pin.diameter_mm / 2
        assert room > case.settings.pin_bone_mm - 0.1
        assert pin.clearance_mm == pytest.approx(room, abs=0.3)


def test_pins_are_clear_of_the_cut_and_of_each_other(case):
    lines = []
    for pin in case.pins:
        ends = np.array([pin.entry_mm, pin.tip_mm])
        rise = (ends - case.cut.origin_mm) @ -case.cut.normal
        assert rise.min() - pin.diameter_mm / 2 >= 5.0
        lines.append(pin.entry_mm + np.arange(0, pin.length_mm, 0.5)[:, None] * pin.direction)
    for n, one in enumerate(lines):
        for other in lines[n + 1 :]:
            apart = np.linalg.norm(one[:, None] - other[None], axis=2).min()
            assert apart > case.settings.pin_diameter_mm


def test_the_way_in_is_from_the_front_at_the_tibia_from_medial():
    for kind, turn in (("femur", 0.0), ("tibia", 30.0)):
        case = planned(kind, "left", "oblique")
        way = way_in(case.marks, 30.0)
        back = case.marks.patient_from_bone.axes[:, 1]
        assert np.degrees(np.arccos(way @ back)) == pytest.approx(turn, abs=1e-4)
        assert way @ lateral(case) == pytest.approx(np.sin(np.radians(turn)), abs=1e-6)


@pytest.mark.parametrize("kind", ["femur", "tibia"])
def test_a_turned_bone_gets_the_same_pins(kind):
    one, two = planned(kind, "left", "oblique"), planned(kind, "left", "as_made")
    for a, b in zip(one.pins, two.pins, strict=True):
        places = [
            CutAxes.of(c.marks, c.cut, c.pins[0].direction).local(p.entry_mm)
            for c, p in ((one, a), (two, b))
        ]
        np.testing.assert_allclose(*places, atol=0.05)


@pytest.mark.parametrize("kind", ["femur", "tibia"])
def test_a_mirrored_bone_gets_mirrored_pins(kind):
    one, two = planned(kind, "left", "as_made"), planned(kind, "right", "as_made")
    for a, b in zip(one.pins, two.pins, strict=True):
        ends = [(p.entry_mm - c.cut.origin_mm) @ -c.cut.normal for c, p in ((one, a), (two, b))]
        assert ends[0] == pytest.approx(ends[1], abs=4.1)
    assert medial_way(one.marks) @ medial_way(two.marks) < -0.9


def test_pins_keep_medial_of_the_tendon():
    case = planned("tibia", "left", "as_made")
    free = beside_tendon(case.marks, case.settings.tendon_mm)
    room = free.room_mm(np.array([p.entry_mm for p in case.pins]))
    assert room.min() > case.settings.sleeve_outer_mm / 2
    assert beside_tendon(planned("femur", "left", "as_made").marks, 6.0) is None


@pytest.mark.parametrize(("spacing", "offset"), [(36.0, 15.0), (25.4, 20.1234567)])
def test_a_standard_block_s_distances_are_kept_exactly(spacing, offset):
    """Blocks are made in inches too."""
    case = planned("femur", "left", "as_made")
    block = KneeGuideSettings(slot=False, pin_spacing_mm=spacing, pin_offset_mm=offset)
    one, two, _ = plan_pins(case.bone, case.marks, case.cut, block)
    axes = CutAxes.of(case.marks, case.cut, one.direction)
    places = axes.local(np.array([one.entry_mm, two.entry_mm]))
    np.testing.assert_allclose(places[:, 2], offset, atol=1e-6)
    assert abs(places[0, 0] - places[1, 0]) == pytest.approx(spacing)


@pytest.mark.parametrize("most", [24.0, 24.7])
def test_with_a_slot_the_parallel_pins_are_at_most_as_far_apart_as_was_set(most):
    case = planned("femur", "left", "as_made")
    one, two, _ = plan_pins(case.bone, case.marks, case.cut, KneeGuideSettings(pin_spacing_mm=most))
    axes = CutAxes.of(case.marks, case.cut, one.direction)
    places = axes.local(np.array([one.entry_mm, two.entry_mm]))
    assert 14.0 <= abs(places[0, 0] - places[1, 0]) <= most + 1e-6


def test_where_room_is_short_the_third_pin_is_shorter_or_less_oblique(monkeypatch):
    case = planned("tibia", "left", "as_made")
    monkeypatch.setattr(pins, "_SIGHT_MM", 22.0)
    one, two, third = plan_pins(case.bone, case.marks, case.cut, case.settings)
    assert one.direction @ two.direction == pytest.approx(1.0)
    angle = np.degrees(np.arccos(one.direction @ third.direction))
    assert 10.0 < angle <= case.settings.pin_oblique_deg + 1e-6
    assert 0.7 * case.settings.pin_depth_mm - 1e-9 <= third.length_mm
    monkeypatch.setattr(pins, "_LADDER", pins._LADDER[:1])
    monkeypatch.setattr(pins, "_SIGHT_MM", 60.0)
    with pytest.raises(PlanError, match=r"third pin.*nor a shorter or less oblique one"):
        plan_pins(case.bone, case.marks, case.cut, case.settings)


def test_no_place_is_said_plainly():
    case = planned("femur", "left", "as_made")
    settings = KneeGuideSettings(slot=False, pin_spacing_mm=50.0, pin_depth_mm=60.0)
    with pytest.raises(PlanError, match=r"50 mm apart.*shorten pin_depth_mm"):
        plan_pins(case.bone, case.marks, case.cut, settings)
    far = replace(case.cut, origin_mm=case.cut.origin_mm + 60 * case.cut.normal)
    with pytest.raises(PlanError, match="found no place"):
        plan_pins(case.bone, case.marks, far, KneeGuideSettings(slot=False, pin_offset_mm=8.0))
