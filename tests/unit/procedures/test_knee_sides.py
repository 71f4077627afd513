"""Sides by shape against what was asked for and what a label map says."""

from __future__ import annotations

import pytest

from guidegen.errors import AnatomyError
from guidegen.procedures.contract import Options
from guidegen.procedures.knee.anatomy import _sides, require_asked
from guidegen.procedures.knee.bones import Leg, measured_leg

from .test_knee_plan import leg


@pytest.fixture(scope="module")
def left():
    return measured_leg({"femur": leg("left")[0]}, None, 6.0)


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


@pytest.mark.parametrize(
    ("why", "axis", "hinted"),
    [
        ("a femoral head was wanted", None, True),
        ("a femoral head was wanted", "anatomical", False),
        ("the femur is cut off at the side of the field of view", None, False),
    ],
)
def test_the_anatomical_axis_is_offered_where_it_helps(why, axis, hinted):
    none = Leg({}, {"femur": why})
    with pytest.raises(AnatomyError, match="no bone of a knee can be planned") as error:
        require_asked({"a": none}, {}, ("left", "right"), Options(axis=axis))
    assert why in str(error.value)
    assert ("--axis anatomical" in str(error.value)) == hinted
