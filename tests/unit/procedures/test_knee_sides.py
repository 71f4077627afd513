"""Sides by shape against what was asked for and what a label map says."""

from __future__ import annotations

import pytest

from guidegen.errors import AnatomyError
from guidegen.procedures.contract import Options
from guidegen.procedures.knee.anatomy import _notices, _sides, require_asked
from guidegen.procedures.knee.bones import Leg, measured_leg

from .test_knee_plan import leg


@pytest.fixture(scope="module")
def left():
    return measured_leg({"femur": leg("left")[0]}, None, 6.0)


@pytest.fixture(scope="module")
def right():
    return measured_leg({"femur": leg("right")[0]}, None, 6.0)


def test_a_leg_of_a_scan_gets_its_side(left):
    assert _sides({"a": left}) == ({"a": "left"}, ())


def test_a_label_map_that_names_the_other_side_is_refused(left):
    assert _sides({"left": left})[0] == {"left": "left"}
    with pytest.raises(AnatomyError, match="right leg have the shape of a left one: the names"):
        _sides({"right": left})


def test_bones_that_contradict_each_other_are_a_red_warning(left):
    tibia = measured_leg({"tibia": leg("right")[1]}, None, 6.0).marks["tibia"]
    mixed = Leg({"femur": left.marks["femur"], "tibia": tibia})
    sides, told = _sides({"a": mixed, "b": left})
    assert sides == {"b": "left"}
    assert [(n.code, n.subject, n.red) for n in told] == [("side_unclear", "leg_a", True)]


def test_the_side_that_was_asked_for_has_to_be_there(left):
    legs = {"a": left}
    require_asked(legs, {"a": "left"}, ("left", "right"), Options())
    require_asked(legs, {"a": "left"}, ("left",), Options(side="left"))
    with pytest.raises(AnatomyError, match=r"a right leg was asked for, .* shows a left one"):
        require_asked(legs, {"a": "left"}, ("right",), Options(side="right"))


def test_two_legs_of_one_side_are_not_mixed_up(left):
    sides, told = _sides({"a": left, "b": left})
    assert sides == {}
    assert {(n.code, n.subject, n.red) for n in told} == {
        ("side_unclear", "leg_a", True),
        ("side_unclear", "leg_b", True),
    }
    with pytest.raises(AnatomyError, match=r"2 legs in view have the shape of a left one") as error:
        require_asked({"a": left, "b": left}, sides, ("left", "right"), Options(), told)
    assert "--axis" not in str(error.value) and str(error.value).count("2 legs") == 1


def test_legs_on_the_wrong_side_of_each_other_are_red(left, right):
    assert _sides({"a": right, "b": left})[1] == ()
    sides, told = _sides({"a": left, "b": right})
    assert sides == {"a": "left", "b": "right"}
    assert [(n.code, n.red) for n in told] == [("sides_swapped", True)]
    assert _sides({"left": left, "right": right})[1] == ()


def test_a_leg_that_cannot_be_planned_is_no_reason_to_plan_the_other(left):
    """Who asks for the right leg is not sent to the left one if the right one is in view too."""
    none = Leg({}, {"femur": "a femoral head was wanted"})
    with pytest.raises(AnatomyError, match="a right leg was asked for") as error:
        require_asked({"a": none, "b": left}, {"b": "left"}, ("right",), Options(side="right"))
    assert "give --side left" not in str(error.value)
    assert "a femoral head was wanted" in str(error.value)
    assert "--axis anatomical" in str(error.value)


def test_the_reason_why_no_side_is_known_is_said(left):
    tibia = measured_leg({"tibia": leg("right")[1]}, None, 6.0).marks["tibia"]
    mixed = {"a": Leg({"femur": left.marks["femur"], "tibia": tibia})}
    sides, told = _sides(mixed)
    with pytest.raises(AnatomyError, match="the femur a left one and the tibia a right one"):
        require_asked(mixed, sides, ("left", "right"), Options(), told)


def test_another_leg_without_a_plan_is_told_where_both_are_asked_for(left):
    none = Leg({}, {"femur": "a femoral head was wanted", "tibia": "an ankle was wanted"})
    legs, sides = {"a": none, "b": left}, {"b": "left"}
    (told,) = (n for n in _notices(legs, sides, ("left", "right")) if n.subject == "leg_a")
    assert told.code == "leg_not_planned" and not told.red
    assert "head" in told.message and "ankle" in told.message
    assert all(n.subject != "leg_a" for n in _notices(legs, sides, ("left",)))


@pytest.mark.parametrize(
    ("why", "axis", "hinted"),
    [
        ("a femoral head was wanted", None, True),
        ("a femoral head was wanted", "anatomical", False),
        ("the femur is cut off at the side of the field of view: scan the whole knee", None, False),
    ],
)
def test_the_anatomical_axis_is_offered_where_it_helps(why, axis, hinted):
    none = Leg({}, {"femur": why})
    with pytest.raises(AnatomyError, match="no bone of a knee can be planned") as error:
        require_asked({"a": none}, {}, ("left", "right"), Options(axis=axis))
    assert why in str(error.value)
    assert ("--axis anatomical" in str(error.value)) == hinted
