"""A model of a bone's end with engraved cuts: read back against bone and plan, and its failures."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from guidegen.cad.cut_model import CutModelSettings, build_cut_model
from guidegen.cad.strut import square_axes
from guidegen.checks.engraving import check_engraved
from guidegen.checks.every import CUT_MODEL_CHECKS, run_checks
from guidegen.checks.part import Limits, Part
from guidegen.errors import GeometryError
from guidegen.mesh.solid import Solid
from guidegen.mesh.surface import Surface
from guidegen.model.bone import Bone
from guidegen.model.plan import Cut

from ..knee_parts import planned
from .engraved_specimen import engraved_part

WORDS = ("case7", "femur_left", "ab12")


def further(case):
    """A second plane, square to the main one, through the middle of the joint's side."""
    main = case.cut
    behind = case.marks.patient_from_bone.axes[:, 1]
    behind = behind - (behind @ main.normal) * main.normal
    origin = main.origin_mm + 20 * behind
    return Cut("posterior", main.bone, origin, behind, main.kerf_mm)


@cache
def made(kind="femur", side="left", turn="oblique"):
    case = planned(kind, side, turn)
    cuts = (case.cut, further(case)) if kind == "femur" else (case.cut,)
    model = build_cut_model(case.bone, cuts, WORDS, CutModelSettings())
    return case, cuts, model


def judged(model, case, cuts):
    part = Part(model, (case.bone,), (), Limits(None), cuts)
    return {(f.code, f.subject.partition("#")[2]): f for f in run_checks(part, CUT_MODEL_CHECKS)}


def failed(model, case, cuts):
    return {code for (code, _), f in judged(model, case, cuts).items() if not f.passed}


@pytest.mark.parametrize(
    ("kind", "side", "turn"), [("femur", "left", "oblique"), ("tibia", "right", "as_made")]
)
def test_a_model_is_the_bone_with_its_cuts_engraved(kind, side, turn):
    case, cuts, model = made(kind, side, turn)
    assert model.role == "model" and model.file == f"models/{kind}_{side}.stl"
    found = judged(model, case, cuts)
    assert all(f.passed for f in found.values()), [f for f in found.values() if not f.passed]
    assert found["model_distance", ""].value < 0.005
    for cut in cuts:
        assert found["groove_offset", cut.name].value < 0.005
        assert found["groove_angle", cut.name].value < 0.02
        assert found["groove_round", cut.name].value > 0.95


def test_the_model_keeps_the_joint_and_ends_level_with_the_cut():
    case, cuts, model = made()
    away = -cuts[0].normal
    height = (model.vertices_mm - cuts[0].origin_mm) @ away
    assert height.max() == pytest.approx(CutModelSettings().length_mm, abs=1e-6)
    joint = ((case.bone.vertices_mm - cuts[0].origin_mm) @ away).min()
    assert height.min() == pytest.approx(joint, abs=1e-6)


def test_a_groove_takes_kerf_and_depth_and_no_more():
    case, cuts, model = made()
    bone, own = (Surface(m.vertices_mm, m.faces) for m in (case.bone, model))
    depth = -bone.nearest(model.vertices_mm)[0]
    off = np.min([np.abs((model.vertices_mm - c.origin_mm) @ c.normal) for c in cuts], axis=0)
    end = (model.vertices_mm - cuts[0].origin_mm) @ -cuts[0].normal
    grooved = (off < cuts[0].kerf_mm / 2 + 1e-6) & (end < 60)
    deepest = CutModelSettings().groove_mm + cuts[0].kerf_mm / 2  # where the surface slopes
    assert depth[grooved].max() <= deepest
    assert own.solid.volume_mm3 < bone.solid.volume_mm3


def without_grooves(case, cut):
    whole = Solid.from_mesh(case.bone.vertices_mm - cut.origin_mm, case.bone.faces)
    end = 70.0 * -cut.normal
    vertices, faces = whole.kept_beyond(end, cut.normal).bodies()[0].arrays()
    return vertices + cut.origin_mm, faces


def test_a_model_without_grooves_fails():
    case, cuts, model = made()
    vertices, faces = without_grooves(case, cuts[0])
    blank = replace(model, vertices_mm=vertices, faces=faces)
    assert {"groove_offset", "groove_round", "label_depth"} <= failed(blank, case, cuts)


@pytest.mark.parametrize(("shift_mm", "turn_deg"), [(0.08, 0.0), (0.0, 0.3)])
def test_a_groove_beside_the_plan_fails(shift_mm, turn_deg):
    case, cuts, model = made()
    main = cuts[0]
    axes = square_axes(main.normal, np.eye(3)[0])
    a = np.radians(turn_deg)
    normal = np.cos(a) * main.normal + np.sin(a) * axes[:, 0]
    moved = replace(main, origin_mm=main.origin_mm + shift_mm * main.normal, normal=normal)
    wrong = failed(model, case, (moved, cuts[1]))
    assert ("groove_offset" in wrong) == (shift_mm > 0)
    assert ("groove_angle" in wrong) == (turn_deg > 0)


def test_a_cut_of_the_plan_that_is_not_engraved_fails():
    case, cuts, model = made()
    more = replace(cuts[0], name="another")
    assert "grooves" in failed(model, case, (*cuts, more))
    assert "grooves" in failed(model, case, cuts[:1])


def test_a_mirrored_or_scaled_model_fails():
    case, cuts, model = made()
    middle = model.vertices_mm.mean(axis=0)
    flipped = (model.vertices_mm - middle) * (-1, 1, 1) + middle
    mirrored = replace(model, vertices_mm=flipped, faces=model.faces[:, ::-1])
    assert "model_distance" in failed(mirrored, case, cuts)
    larger = replace(model, vertices_mm=(model.vertices_mm - middle) * 1.005 + middle)
    assert "model_distance" in failed(larger, case, cuts)


def test_bone_that_ends_at_the_cut_is_refused():
    case, cuts, _ = made()
    vertices, faces = without_grooves(case, cuts[0])
    whole = Solid.from_mesh(vertices - cuts[0].origin_mm, faces)
    short = whole.kept_beyond(12.0 * -cuts[0].normal, cuts[0].normal).bodies()[0]
    points, faces = short.arrays()
    bone = Bone("femur_left", points + cuts[0].origin_mm, faces, "left")
    with pytest.raises(GeometryError, match="beyond the cut"):
        build_cut_model(bone, cuts, WORDS, CutModelSettings())


def test_a_label_too_large_for_the_end_stands_on_a_plate():
    case, cuts, _ = made("tibia", "right", "as_made")
    words = ("a-case-of-a-long-name-and-more", "tibia_right", "ab12", "ANAT", "unattended")
    model = build_cut_model(case.bone, cuts, words, CutModelSettings(length_mm=90.0))
    found = judged(model, case, cuts)
    assert all(f.passed for f in found.values()), [f for f in found.values() if not f.passed]
    height = (model.vertices_mm - cuts[0].origin_mm) @ -cuts[0].normal
    assert height.max() == pytest.approx(93.0, abs=1e-6)


def test_the_sound_specimen_passes():
    assert all(f.passed for f in check_engraved(engraved_part()))
