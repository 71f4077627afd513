"""Whole legs from a CT of a phantom: landmarks, alignment and planned angles against the truth."""

from __future__ import annotations

import pytest

from tests.validation.legs import (
    COARSE,
    LIMITS_DEG,
    POSES,
    LegWish,
    angle_errors,
    known,
    landmark_errors,
    limit_deg,
    planned_leg,
    posed,
    within_mm,
)

slow, ci = pytest.mark.slow, pytest.mark.ci


@pytest.fixture(scope="module")
def leg(tmp_path_factory):
    """Plan a leg; each wish once."""
    place = tmp_path_factory.mktemp("legs")
    return lambda wish: planned_leg(wish, place)


def too_far(case) -> dict[str, float]:
    """Landmarks that are farther off than they may be."""
    found = landmark_errors(case)
    assert len(found) > 8
    return {name: off for name, off in found.items() if off > within_mm(name.split()[1])}


def wrong_angles(case) -> dict[str, float]:
    """Angles that are farther off than they may be."""
    found = angle_errors(case)
    assert set(LIMITS_DEG) <= {name.rsplit("_", 1)[0] for name in found}
    return {name: off for name, off in found.items() if abs(off) > limit_deg(name)}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("straight", marks=[slow, ci]),
        *(pytest.param(n, marks=slow) for n in ("varus", "valgus", "touching", "blocks")),
    ],
)
def test_a_leg_is_planned_as_it_was_made(name, leg):
    case = leg(LegWish(known(name), COARSE))
    sides = {f"{bone}_{side}" for side in case.wish.definition.legs for bone in ("femur", "tibia")}
    assert {cut["bone"] for cut in case.plan["cuts"]} == sides
    assert not too_far(case)
    assert not wrong_angles(case)


@slow
@pytest.mark.parametrize("pose", [pose for pose in POSES if pose != "as it lay"])
def test_the_same_leg_in_another_position_has_the_same_plan(pose, leg):
    plain, other = (leg(LegWish(posed(p), COARSE)) for p in ("as it lay", pose))
    assert not wrong_angles(other)
    side = "left" if pose == "mirrored" else "right"
    for name, limit in LIMITS_DEG.items():
        change = other.measured[f"{name}_{side}"] - plain.measured[f"{name}_right"]
        assert abs(change) <= limit, (name, change)


@slow
def test_a_leg_without_its_hip_is_planned_about_its_shafts_if_asked(leg):
    plain = leg(LegWish(known("hipless"), COARSE))
    asked = leg(LegWish(known("hipless"), COARSE, axis="anatomical"))
    assert [cut["bone"] for cut in plain.plan["cuts"]] == ["tibia_left"]
    assert set(known("hipless").expect.warnings) <= plain.codes
    assert {cut["bone"] for cut in asked.plan["cuts"]} == {"femur_left", "tibia_left"}
    assert set(known("hipless").expect.anatomical_warnings) <= asked.codes


@slow
@pytest.mark.parametrize("name", ["stem", "implant"])
def test_metal_is_a_red_warning(name, leg):
    case = leg(LegWish(known(name), COARSE))
    red = {w["code"] for w in case.plan["warnings"] if w.get("red")}
    assert "metal" in red
