"""Whole guides, measured on their meshes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from guidegen.cad.settings import GuideSettings
from guidegen.mesh.grid import bounded_distance
from guidegen.mesh.sdf import signed_distance
from guidegen.mesh.solid import Solid
from guidegen.mesh.wall import Patch, thinnest_wall
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import silent
from guidegen.procedures.pedicle_screws.guide import build_guides, label_words

OBLIQUE = (20.0, -15.0, 150.0)
CASES = [((0.0, 0.0, 0.0), ("left", "right")), (OBLIQUE, ("left", "right")), (OBLIQUE, ("right",))]


@pytest.fixture(params=CASES, ids=["straight", "oblique", "one_side"], scope="module")
def case(request, build):
    patient, (guide, _) = build(*request.param)
    return patient, guide


def solid(guide: Guide) -> Solid:
    return Solid.from_mesh(guide.vertices_mm - guide.vertices_mm[0], guide.faces)


def test_guide_and_model_a_vertebra(build):
    patient, parts = build()
    assert [p.file for p in parts] == ["guides/L3.stl", "models/L3.stl"]
    assert np.array_equal(parts[1].vertices_mm, patient.bones[1].vertices_mm)
    assert parts[0].label == "demo L3 4f9a" and parts[0].bones == ("L3",)


def test_one_body(case):
    assert len(solid(case[1]).bodies()) == 1
    assert 2000 < solid(case[1]).volume_mm3 < 20000


def test_no_overlap_and_free_removal(case):
    patient, guide = case
    away = guide.patient_from_guide.axes[:, 2]
    assert guide.insertion_direction == pytest.approx(-away)
    origin = guide.vertices_mm[0]
    for bone in patient.bones:
        body = Solid.from_mesh(bone.vertices_mm - origin, bone.faces)
        for lift in (0.0, 0.2, 1.0, 3.0, 9.0):
            moved = Solid.from_mesh(guide.vertices_mm - origin + lift * away, guide.faces)
            assert moved.overlap_mm3(body) == 0.0


def test_gap_and_contact(case):
    patient, guide = case
    bone = patient.bones[1]
    distance = signed_distance(guide.vertices_mm, bone.vertices_mm, bone.faces, 2.0)
    touching = distance[distance < 0.3]
    assert distance[np.isfinite(distance)].min() > 0.12
    assert touching.mean() == pytest.approx(0.2, abs=0.05)
    assert guide.contact_area_mm2 > 150
    contacts = [f for f in guide.features if f.kind == "contact"]
    assert {c.item.rsplit("_", 1)[1] for c in contacts} == {"left", "right"} and len(contacts) >= 4
    assert contacts[0].values["docking"] > 0.2


def test_neighbours_are_kept_clear(case):
    patient, guide = case
    for bone in (patient.bones[0], patient.bones[2]):
        distance = bounded_distance(guide.vertices_mm, bone.vertices_mm, bone.faces, 3.0)
        assert distance.min() > 0.8


def test_bores_lie_on_the_plan(case):
    patient, guide = case
    bores = {f.item: f for f in guide.features if f.kind == "bore"}
    assert set(bores) == {p.name for p in patient.plan.paths}
    for path in patient.plan.paths:
        offset = guide.vertices_mm - path.entry_mm
        along = offset @ -path.direction
        radial = offset + along[:, None] * path.direction
        rim = np.abs(np.linalg.norm(radial, axis=1) - 1.45) < 0.02
        rim &= (along > -2) & (along < 40)
        assert rim.sum() > 300
        top, low = radial[rim & (along > 15)], radial[rim & (along < 10)]
        centre_top, centre_low = (p.min(axis=0) / 2 + p.max(axis=0) / 2 for p in (top, low))
        tilt = np.degrees(np.linalg.norm(centre_top - centre_low) / 15)
        assert np.linalg.norm(centre_top) < 0.03 and tilt < 0.1
        feature = bores[path.name]
        assert feature.direction == pytest.approx(path.direction)
        depth = np.linalg.norm(feature.point_mm - path.tip_mm)
        assert feature.values["drill_depth_mm"] == pytest.approx(depth)
        assert feature.values["length_mm"] >= 20


def test_bore_is_open_and_closed_all_round_at_both_ends(case):
    _, guide = case
    surface = guide.vertices_mm, guide.faces
    turn = np.arange(24) * np.pi / 12
    for f in (f for f in guide.features if f.kind == "bore"):
        x = np.cross(f.direction, guide.patient_from_guide.axes[:, 1])
        x = x / np.linalg.norm(x)
        y = np.cross(f.direction, x)
        round_mm = 2.0 * (np.cos(turn)[:, None] * x + np.sin(turn)[:, None] * y)
        depth = np.concatenate([np.arange(0.3, 4.2, 0.3), np.arange(15.8, 19.8, 0.3)])
        axis = f.point_mm + depth[:, None] * f.direction
        assert signed_distance(axis, *surface).min() > 1.4
        assert signed_distance((axis[:, None] + round_mm).reshape(-1, 3), *surface).max() < 0
        middle = f.point_mm + 10 * f.direction + round_mm
        assert signed_distance(middle, *surface).max() > 0


def test_walls(case):
    _, guide = case
    patches = tuple(
        Patch(f.point_mm, f.direction, None, 2 * f.values["radius_mm"], 0, 1.2)
        for f in guide.features
        if f.kind == "label"
    )
    wall = thinnest_wall(np.array(guide.vertices_mm), np.array(guide.faces), patches)
    assert wall.thickness_mm >= 2.0


def engraved(guide: Guide, mark, x_mm: float, y_mm: float) -> bool:
    """Is there a cut 0.3 mm under the mark's face, x to a viewer's right, y up (to the head)?"""
    normal = mark.direction
    up = guide.patient_from_guide.axes[:, 1]
    up = up - (up @ normal) * normal
    up = up / np.linalg.norm(up)
    right = np.cross(up, normal)
    point = mark.point_mm + x_mm * right + y_mm * up - 0.3 * normal
    return bool(signed_distance(point[None], guide.vertices_mm, guide.faces)[0] > 0)


def test_marks_stand_on_the_right_sides_and_read_right(case):
    patient, guide = case
    marks = {f.item: f for f in guide.features if f.kind == "label" and len(f.item) == 1}
    bone = patient.landmarks.patient_from_bone.inverse
    assert bone.points(marks["L"].point_mm)[0] > 5 > -5 > bone.points(marks["R"].point_mm)[0]
    for path in patient.plan.paths:
        own = marks[path.side[0].upper()]
        line = np.cross(own.point_mm - path.entry_mm, path.direction)
        assert np.linalg.norm(line) < 10
    assert engraved(guide, marks["L"], 0.5, -1.5) and not engraved(guide, marks["L"], 0.7, 1.4)
    assert engraved(guide, marks["L"], -0.85, 1.4)
    assert engraved(guide, marks["R"], 0.1, 1.5) and engraved(guide, marks["R"], -1.05, -1.4)


def test_label_faces_the_surgeon(case):
    _, guide = case
    label = next(f for f in guide.features if f.kind == "label" and len(f.item) > 1)
    assert label.direction @ guide.insertion_direction < -0.99
    assert label.item == guide.label


def test_same_input_same_guide(build):
    patient, (guide, _) = build()
    again = build_guides(patient.plan, patient.bones, (patient.landmarks,), _settings(), silent)[0]
    assert np.array_equal(again.vertices_mm, guide.vertices_mm)
    assert np.array_equal(again.faces, guide.faces)


def _settings(**values):
    return SimpleNamespace(guide=GuideSettings(**values))


def test_label_words_carry_an_unattended_run(build):
    plan = build()[0].plan
    extra = {"plan_sha256": "sha256:ab12cd", "unattended": True}
    assert label_words(replace(plan, extra=extra), "L3") == ("demo", "L3", "ab12", "unattended")


def unmade(plan, patient, landmarks):
    """The reason why L3's guide is not made."""
    found, model = build_guides(plan, patient.bones, landmarks, _settings(), silent)
    assert isinstance(found, Finding) and not found.passed
    assert (found.code, found.subject, model.file) == ("made", "guides/L3.stl", "models/L3.stl")
    return found.reason


def test_missing_landmarks_are_named(build):
    patient = build()[0]
    assert "L3 needs the vertebra's landmarks" in unmade(patient.plan, patient, ())


def test_colliding_sleeves_are_refused(build):
    patient = build()[0]
    left, right = patient.plan.paths
    shift = 0.38 * (right.entry_mm - left.entry_mm)
    near = tuple(
        replace(p, entry_mm=p.entry_mm + s * shift, tip_mm=p.tip_mm + s * shift)
        for p, s in ((left, 1), (right, -1))
    )
    plan = replace(patient.plan, paths=near)
    assert "between their" in unmade(plan, patient, (patient.landmarks,))


def test_one_level_that_fails_leaves_the_others_alone(build):
    patient, (guide, _) = build()
    other = replace(patient.plan.paths[0], name="L2_left", bone="L2")
    plan = replace(patient.plan, paths=(*patient.plan.paths, other))
    found = build_guides(plan, patient.bones, (patient.landmarks,), _settings(), silent)
    assert isinstance(found[0], Finding) and found[0].subject == "guides/L2.stl"
    assert [p.file for p in found[1:]] == ["models/L2.stl", "guides/L3.stl", "models/L3.stl"]
    assert np.array_equal(found[2].vertices_mm, guide.vertices_mm)


def test_arithmetic_that_breaks_on_one_bone_fails_that_guide(build, monkeypatch):
    from guidegen.procedures.pedicle_screws import guide as module

    patient = build()[0]
    monkeypatch.setattr(module, "make_design", lambda *_: np.zeros(0).max())
    assert "ValueError" in unmade(patient.plan, patient, (patient.landmarks,))
