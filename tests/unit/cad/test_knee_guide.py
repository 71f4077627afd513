"""Whole knee guides on femora and tibiae of known shape, measured on their meshes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from guidegen.cad import knee_solid
from guidegen.cad.contact import docking
from guidegen.cad.knee_contact import choose_places, find_places, strength
from guidegen.cad.knee_design import make_design
from guidegen.cad.knee_footprint import Seat, find_seat
from guidegen.cad.knee_guide import build_knee_guide, staying
from guidegen.cad.knee_insertion import parallel_pins
from guidegen.cad.knee_proud import proud_mm
from guidegen.cad.knee_solid import make_solid, thin_mouths
from guidegen.checks.every import KNEE_CHECKS, run_checks
from guidegen.checks.part import Limits, Part
from guidegen.errors import GeometryError
from guidegen.geometry.knee import CutAxes, medial_way
from guidegen.mesh.grid import bounded_distance
from guidegen.mesh.io import as_float32
from guidegen.mesh.solid import Solid
from guidegen.model.bone import Bone

from ..knee_parts import bumped, planned

CASES = {
    "femur_left_oblique": ("femur", "left", "oblique", True),
    "femur_right_pins": ("femur", "right", "as_made", False),
    "tibia_right": ("tibia", "right", "as_made", True),
    "tibia_left_oblique": ("tibia", "left", "oblique", True),
}
WORDS = ("demo", "4f9a")


pytestmark = pytest.mark.slow


@cache
def built(*wish):
    case = planned(*wish)
    anatomy = (case.bone, ())
    guide = build_knee_guide(anatomy, case.marks, case.cut, case.pins, WORDS, case.settings)
    vertices, faces = as_float32(guide.vertices_mm, guide.faces)
    return case, replace(guide, vertices_mm=vertices, faces=faces)


IN_CI = "tibia_left_oblique"


@pytest.fixture(
    scope="module",
    params=[pytest.param(c, marks=[pytest.mark.ci] if c == IN_CI else []) for c in CASES],
)
def made(request):
    return built(*CASES[request.param])


def part_of(case, guide):
    own = case.settings
    limits = Limits(
        min_wall_mm=own.min_wall_mm,
        bore_clearance_mm=own.bore_clearance_mm,
        gap_mm=own.fit_gap_mm / 2,
        slot_clearance_mm=own.slot_clearance_mm if own.slot else None,
        pin_offset_mm=None if own.slot else own.pin_offset_mm,
    )
    return Part(guide, (case.bone,), case.pins, limits, (case.cut,), (case.marks,))


def test_every_check_passes(made):
    found = run_checks(part_of(*made), KNEE_CHECKS)
    assert [f for f in found if not f.passed] == []
    values = {f.code: f.value for f in found}
    assert values["docking"] > 0.15
    assert values["contacts"] == 12


def test_the_guide_slides_off_without_meeting_bone(made):
    case, guide = made
    origin = guide.vertices_mm[0]
    bone = Solid.from_mesh(case.bone.vertices_mm - origin, case.bone.faces)
    for lift in (0.0, 0.3, 2.0, 10.0, 30.0):
        moved = guide.vertices_mm - origin - lift * guide.insertion_direction
        assert Solid.from_mesh(moved, guide.faces).overlap_mm3(bone) == 0.0


@pytest.mark.ci
def test_the_mouth_of_a_bore_with_a_thin_lip_is_chamfered_all_round(monkeypatch):
    """Where the first carving is thin beside a bore, its lip goes; other bores stay as they are."""
    case, _ = built(*CASES[IN_CI])
    design = make_design((case.bone, ()), case.marks, case.cut, case.pins, WORDS, case.settings)
    lip = design.sleeves[0].at(design.sleeves[0].foot_mm)[None]
    assert thin_mouths(design, lip, case.settings) == design.sleeves[:1]
    assert thin_mouths(design, lip + 40.0 * design.axes.stay, case.settings) == ()
    monkeypatch.setattr(knee_solid, "thin_spots", lambda *_: lip)
    vertices, _ = make_solid(design, case.settings, case.bone.name).arrays()
    low = [bare_mm(design, vertices, sleeve) for sleeve in design.sleeves]
    assert low[0] > case.settings.fit_gap_mm + 1.0 > max(low[1:])


def bare_mm(design, vertices, sleeve):
    """How near to the bone the wall of a sleeve's bore comes."""
    offset = vertices - sleeve.entry_mm
    away = np.linalg.norm(offset - (offset @ sleeve.out)[:, None] * sleeve.out, axis=1)
    wall = vertices[np.abs(away - sleeve.bore_mm / 2) < 0.02]
    assert len(wall) > 20
    return bounded_distance(wall, *design.scene.own, 6.0).min()


def test_contact_area_is_that_of_the_designed_contacts(made):
    """Sleeve feet touch, too, but they are no part of what holds the guide in its place."""
    _, guide = made
    areas = [f.values["area_mm2"] for f in guide.features if f.kind == "contact"]
    assert guide.contact_area_mm2 == pytest.approx(sum(areas))


def test_medial_is_marked_medial_and_rod_points_along_the_bone(made):
    case, guide = made
    features = {f.item: f for f in guide.features if f.kind in ("label", "rod")}
    across = features["M"].point_mm - features["L"].point_mm
    assert across @ medial_way(case.marks) > 20
    up = case.marks.patient_from_bone.axes[:, 2]
    assert abs(features["rod"].direction @ up) == pytest.approx(1.0, abs=1e-9)


def test_pins_only_comes_off_along_the_parallel_pins():
    case, guide = built(*CASES["femur_right_pins"])
    np.testing.assert_allclose(guide.insertion_direction, case.pins[0].direction, atol=1e-9)
    assert not [f for f in guide.features if f.kind == "slot"]


@pytest.mark.ci
def test_a_mirrored_guide_fails_its_marks():
    case, guide = built(*CASES["tibia_right"])
    middle = guide.vertices_mm.mean(axis=0)
    medial = medial_way(case.marks)

    def flip(points):
        return points - 2 * ((points - middle) @ medial)[..., None] * medial

    features = tuple(
        replace(
            f,
            point_mm=flip(f.point_mm),
            direction=f.direction - 2 * (f.direction @ medial) * medial,
        )
        for f in guide.features
    )
    mirrored = replace(
        guide,
        vertices_mm=flip(guide.vertices_mm),
        faces=guide.faces[:, ::-1],
        features=features,
    )
    found = run_checks(part_of(case, mirrored), KNEE_CHECKS)
    failed = {f.code for f in found if not f.passed}
    assert {"medial_mark_read", "medial_mark_side", "overlap", "bore_offset_entry"} <= failed


def test_no_contact_on_an_osteophyte():
    case = planned("tibia", "right", "as_made")
    axes = CutAxes.of(case.marks, case.cut, parallel_pins(case.pins)[0].direction)
    seat = find_seat(case.bone, case.marks, axes, case.settings)
    inside = np.flatnonzero(seat.allowed)
    local = axes.local(seat.points_mm[inside])
    at = inside[np.argmin(np.abs(local[:, 2] - 24.0) + np.abs(local[:, 0] - 12.0))]
    spot, normal = seat.points_mm[at], seat.normals[at]
    grown = bumped(case.bone, spot, normal, 2.5, 3.5)
    after = find_seat(grown, case.marks, axes, case.settings)
    near = np.linalg.norm(after.points_mm - (spot + 2.5 * normal), axis=1) < 2.0
    assert near.sum() > 5 and not after.allowed[near].any()
    far = np.linalg.norm(after.points_mm - spot, axis=1) > 16
    assert after.allowed[far].sum() > 0.9 * seat.allowed.sum() - 800


@pytest.mark.parametrize(("high", "wide"), [(2.0, 3.0), (3.0, 4.0), (0.3, 3.0)])
def test_a_bump_s_height_is_seen(high, wide):
    x, y = (g.ravel() for g in np.meshgrid(*[np.arange(-20, 20.1, 1.0)] * 2))
    bump = high * np.exp(-(x**2 + y**2) / wide**2)
    points = np.column_stack([x, y, 0.01 * x**2 - 0.005 * x * y + bump])
    normals = np.tile([0.0, 0.0, 1.0], (len(x), 1))
    at = int(np.argmin(x**2 + y**2))
    found = proud_mm(points, normals, points[[at, 5]], normals[[at, 5]])
    assert found[0] == pytest.approx(high, abs=0.25 * high)
    assert abs(found[1]) < 0.3


def test_chosen_contacts_leave_no_way_free():
    """On a ball with three fins no slide or turn is free; on a bare ball turns are."""
    rng = np.random.default_rng(1)
    way = rng.normal(size=(60000, 3))
    way = way[way[:, 2] > 0]
    way /= np.linalg.norm(way, axis=1)[:, None]
    ball = Seat(40 * way, way, np.ones(len(way), dtype=bool))
    flat = np.stack(np.meshgrid(*[np.arange(-24, 25.0)] * 2), axis=-1).reshape(-1, 2)
    faces = [np.column_stack([flat, np.full(len(flat), 26.0)])]
    faces += [faces[0][:, [2, 0, 1]], faces[0][:, [1, 2, 0]]]
    normals = np.repeat(np.eye(3)[[2, 0, 1]], len(flat), axis=0)
    cube = Seat(np.concatenate(faces), normals, np.ones(len(normals), dtype=bool))
    found = []
    for seat in (ball, cube):
        places = find_places(seat, 4.0, np.zeros(len(seat.points_mm), dtype=bool))
        chosen = choose_places(places, np.ones(len(seat.points_mm), dtype=bool), 8)
        members = np.unique(places.patches[chosen].indices)
        index = docking(seat.points_mm[members], seat.normals[members])
        found.append((strength(places, chosen), index, len(chosen)))
    assert found[0][2] >= 6 and found[0][1] < 0.05 and found[0][0] < 0.1
    assert found[1][2] == 8 and found[1][1] > 0.5 and found[1][0] > 0.5


def test_only_the_fibula_of_the_same_side_stays():
    bone = planned("tibia", "left", "as_made").bone
    others = [
        Bone(name, bone.vertices_mm, bone.faces)
        for name in ("fibula_left", "fibula_right", "femur_left", "patella_left")
    ]
    assert [b.name for b in staying(bone, others)] == ["fibula_left"]
    assert staying(planned("femur", "left", "as_made").bone, others) == ()


def test_what_can_t_be_made_is_said():
    case = planned("tibia", "left", "as_made")
    with pytest.raises(GeometryError, match="at least three pins"):
        build_knee_guide((case.bone, ()), case.marks, case.cut, case.pins[:2], WORDS, case.settings)
    few = case.settings.model_copy(update={"contact_radius_mm": 8.0})
    with pytest.raises(GeometryError, match="at least 6 separate contacts"):
        build_knee_guide((case.bone, ()), case.marks, case.cut, case.pins, WORDS, few)
