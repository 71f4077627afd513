"""Legs of known shape, whole, without hip or ankle, and in blocks."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.errors import AnatomyError
from guidegen.mesh.solid import Solid
from guidegen.model.bone import Bone
from guidegen.model.leg import LegBone, Legs
from guidegen.model.volume import Grid, LabelMap
from guidegen.procedures.contract import Options
from guidegen.procedures.knee.anatomy import _cut, require_asked
from guidegen.procedures.knee.bones import Leg, leg_notices, measured_leg

from .test_knee_plan import leg

VALGUS_DEG = 6.0


def _between(bone: Bone, low: float, high: float) -> Bone:
    """What lies between two heights of a leg that stands as it was made."""
    z = bone.vertices_mm[:, 2]
    ends = [(high, z.max() + 50), (z.min() - 50, low)]
    blocks = [
        Solid.hull(np.array([(x, y, z) for x in (-900.0, 900) for y in (-900.0, 900) for z in end]))
        for end in ends
    ]
    vertices, faces = Solid.from_mesh(bone.vertices_mm, bone.faces).minus(blocks).arrays()
    return Bone(bone.name, vertices, faces, complete=False)


@pytest.fixture(scope="module", params=["left", "right"])
def bones(request):
    return dict(zip(("femur", "tibia"), leg(request.param), strict=True)), request.param


def _knee_only(bones):
    middle = bones["femur"].vertices_mm[:, 2].min()
    return {kind: _between(bone, middle - 190, middle + 150) for kind, bone in bones.items()}


def test_a_whole_leg_tells_its_side(bones):
    found = measured_leg(bones[0], None, VALGUS_DEG)
    assert found.side == bones[1] and not found.failed and not found.anatomical
    assert leg_notices(found, bones[1], ("left", "right")) == ()


def test_without_hip_and_ankle_nothing_is_planned_unless_it_is_accepted(bones):
    knee = _knee_only(bones[0])
    refused = measured_leg(knee, None, VALGUS_DEG)
    assert not refused.marks and set(refused.failed) == {"femur", "tibia"}
    with pytest.raises(AnatomyError, match="none tells its side"):
        assert refused.side
    found = measured_leg(knee, "anatomical", VALGUS_DEG)
    assert found.side == bones[1] and found.anatomical == ("femur", "tibia")
    told = leg_notices(found, bones[1], (bones[1],))
    assert [n.code for n in told if n.red][:2] == ["anatomical_axis"] * 2
    assert "ASSUMED 6.0 deg to medial" in told[0].message and "ASSUMED" not in told[1].message
    assert leg_notices(found, bones[1], ()) == ()


def test_the_assumed_axis_leans_to_medial_of_the_shaft(bones):
    whole = measured_leg(bones[0], None, VALGUS_DEG).marks["femur"]
    part = measured_leg(_knee_only(bones[0]), "anatomical", VALGUS_DEG).marks["femur"]
    true, taken = (m.patient_from_bone.axes[:, 2] for m in (whole, part))
    shaft = np.array(part["shaft"].values["along"])
    assert np.degrees(np.arccos(shaft @ taken)) == pytest.approx(VALGUS_DEG, abs=0.01)
    assert np.degrees(np.arccos(true @ taken)) < 2.0  # made with 6 deg


def test_three_blocks_are_measured_as_one_leg(bones):
    femur, tibia = bones[0]["femur"], bones[0]["tibia"]
    low, high = femur.vertices_mm[:, 2].min(), femur.vertices_mm[:, 2].max()
    foot = tibia.vertices_mm[:, 2].min()
    blocks = {
        "femur": _between(femur, low - 300, low + 130),
        "femur_proximal": _between(femur, high - 110, high + 300),
        "tibia": _between(tibia, low - 130, low + 200),
        "tibia_distal": _between(tibia, foot - 300, foot + 90),
    }
    whole = measured_leg(bones[0], None, VALGUS_DEG)
    found = measured_leg(blocks, None, VALGUS_DEG)
    assert found.side == bones[1] and not found.failed
    for kind in ("femur", "tibia"):
        axes = [m.marks[kind].patient_from_bone.axes for m in (whole, found)]
        angles = np.degrees(np.arccos(np.clip((axes[0] * axes[1]).sum(axis=0), -1, 1)))
        assert angles.max() < 0.3, kind


def test_bones_of_two_sides_are_no_leg():
    left = measured_leg({"femur": leg("left")[0]}, None, VALGUS_DEG)
    right = measured_leg({"tibia": leg("right")[1]}, None, VALGUS_DEG)
    mixed = Leg({"femur": left.marks["femur"], "tibia": right.marks["tibia"]})
    with pytest.raises(AnatomyError, match="the femur a left one and the tibia a right one"):
        assert mixed.side


@pytest.mark.parametrize(
    ("name", "cut_at", "kinds"),
    [
        ("femur_a", ("above",), set()),
        ("femur_a", ("below",), {"femur"}),
        ("femur_a_proximal", ("below", "above"), set()),
        ("tibia_a", ("above", "below"), {"tibia"}),
        ("tibia_a_distal", ("above",), set()),
        ("tibia_a_distal", ("side",), {"tibia"}),
        ("femur_b", ("below",), set()),
        ("fibula_a", ("above",), set()),
    ],
)
def test_where_the_scan_may_not_cut_a_bone_off(name, cut_at, kinds):
    labels = LabelMap(np.ones((1, 1, 1), np.uint16), Grid(np.eye(4), (1, 1, 1)), {1: name})
    assert set(_cut("a", Legs(labels, (LegBone(name, cut_at),), {}))) == kinds


def test_a_bone_without_its_joint_surface_is_not_planned(bones):
    """Its flat end looks like worn condyles or plateaus: the cut would lie millimetres too deep."""
    femur, tibia = bones[0]["femur"], bones[0]["tibia"]
    low, high = femur.vertices_mm[:, 2].min(), tibia.vertices_mm[:, 2].max()
    short = {
        "femur": _between(femur, low + 8, low + 900),
        "tibia": _between(tibia, high - 900, high - 5),
    }
    off = {"femur": "at the knee: scan", "tibia": "at the knee: scan"}
    for axis in (None, "anatomical"):
        found = measured_leg(short, axis, VALGUS_DEG, off)
        assert not found.marks
        assert found.failed["femur"] == "the femur is cut off at the knee: scan the whole knee"
    with pytest.raises(AnatomyError, match="cut off at the knee") as error:
        require_asked({"a": found}, {}, ("left", "right"), Options())
    assert "--axis" not in str(error.value)


def test_a_bone_that_lies_across_the_body_is_no_legs(bones):
    knee = {"tibia": _knee_only(bones[0])["tibia"]}
    for turn_deg, refused in ((50.0, False), (75.0, True)):
        c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
        about_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        own = knee["tibia"]
        turned = Bone(own.name, own.vertices_mm @ about_y.T, own.faces, complete=False)
        found = measured_leg({"tibia": turned}, "anatomical", VALGUS_DEG)
        assert ("tibia" in found.failed) == refused
        if refused:
            assert "along the body was wanted" in found.failed["tibia"]
