"""Levels at the ends, one-sided levels, drills in a neighbour's way."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from skimage.measure import marching_cubes

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.checks.bore import check_bores, check_side
from guidegen.checks.part import Part
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.notice import silent
from guidegen.model.plan import Path, Plan, Skipped
from guidegen.procedures.levels import Site
from guidegen.procedures.pedicle_screws.guide import build_guides
from guidegen.procedures.pedicle_screws.plan import plan_vertebra
from guidegen.procedures.pedicle_screws.settings import PedicleSettings

from ..planning.vertebra_shape import Shape, scan

POSE = Pose.from_axes(np.eye(3), (0.0, -22.0, 0.0), PATIENT, "L3")
SETTINGS = PedicleSettings()


@lru_cache
def vertebra(shape, name):
    def distance(p):
        return shape.measure(p - POSE.origin_mm)

    volume = scan(distance, (72, 94, 40), (1.2, 0.75, 0.75), cortex_mm=1.2, fine=2)
    bone = shape.bone("L3", POSE)
    landmarks = find_landmarks(bone, shape.level("L3", POSE))
    return volume, replace(bone, name=name), landmarks


@lru_cache
def planned(shape, name):
    volume, bone, landmarks = vertebra(shape, name)
    return plan_vertebra(Site(volume, bone, (), landmarks), SETTINGS)


@pytest.mark.parametrize(
    ("name", "axial", "low", "high"),
    [
        ("S1", 30.0, 25.0, 35.0),
        ("S1", 20.0, 25.0, 35.0),
        ("T1", 20.0, 0.0, 25.0),
        ("T1", 30.0, 0.0, 25.0),
        ("L5", 30.0, 5.0, 25.0),
        ("L5", 2.0, 5.0, 25.0),
        ("V3", 20.0, 0.0, 25.0),
        ("C7", 20.0, 0.0, 25.0),
    ],
)
def test_convergence_stays_in_the_levels_own_limits(name, axial, low, high):
    for path in planned(Shape(radius=5.0, axial=axial), name):
        assert isinstance(path, Path), path
        assert low - 1e-6 <= path.axial_angle_deg <= high + 1e-6
        assert path.axial_angle_deg == pytest.approx(np.clip(axial, low, high), abs=4.0)
        assert path.grade == "A"


def test_the_thickest_screw_depends_on_the_region():
    shape = Shape(radius=5.0)
    assert {p.diameter_mm for p in planned(shape, "L3")} == {7.5}
    assert {p.diameter_mm for p in planned(shape, "T9")} == {6.5}


@pytest.fixture(scope="module", params=["left", "right"])
def one_sided(request):
    """A vertebra whose other pedicle is too narrow, its plan and its guide."""
    left, right = (4.0, 2.1) if request.param == "left" else (2.1, 4.0)
    shape = Shape(radius=left, right_radius=right)
    _, bone, landmarks = vertebra(shape, "L3")
    answers = planned(shape, "L3")
    paths = tuple(a for a in answers if isinstance(a, Path))
    plan = Plan("demo", "pedicle-screws", "", "", "", paths=paths, extra={"plan_sha256": "4f9a0c"})
    guide, _ = build_guides(plan, (bone,), (landmarks,), SETTINGS, silent)
    return request.param, answers, guide, Part(guide, (bone,), paths)


def test_one_narrow_pedicle_leaves_the_other_its_screw(one_sided):
    side, answers, _, _ = one_sided
    other = "right" if side == "left" else "left"
    (path,) = (a for a in answers if isinstance(a, Path))
    (skipped,) = (a for a in answers if isinstance(a, Skipped))
    assert (path.name, path.side) == (f"L3_{side}", side)
    assert (skipped.name, skipped.code) == (f"L3_{other}", "narrow_pedicle")
    assert skipped.corridor_diameter_mm < 5.0 <= path.extra["half_maximum_corridor_mm"]


def test_a_one_sided_guide_has_one_bore_on_the_right_side(one_sided):
    side, _, guide, part = one_sided
    bores = [f for f in guide.features if f.kind == "bore"]
    assert [b.item for b in bores] == [f"L3_{side}"]
    assert (bores[0].point_mm[0] > 0) == (side == "left")
    findings = [*check_bores(part), *check_side(part)]
    assert {f.code for f in findings} >= {"bores", "bore_side", "bore_angle"}
    assert all(f.passed for f in findings), [f for f in findings if not f.passed]


def wall(y_mm, above_mm=-45.0):
    """A neighbour: a wall 4 mm thick behind the whole vertebra, or behind all above a height."""
    axes = [np.arange(a, b, 1.5) for a, b in ((-48, 48), (y_mm - 5, y_mm + 9), (-48, 80))]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    inside = [np.abs(x) - 45.0, np.abs(y - y_mm - 2.0) - 2.0, above_mm - z, z - 75.0]
    vertices, faces, _, _ = marching_cubes(np.maximum.reduce(inside) + 1e-4, 0.0)
    points = vertices * 1.5 + [a[0] for a in axes]
    a, b, c = (points[faces[:, n]] for n in range(3))
    outward = np.einsum("ij,ij->", a, np.cross(b, c)) > 0
    return Bone("L2", POSE.points(points), faces if outward else faces[:, ::-1])


def test_bone_of_a_neighbour_behind_both_pedicles_blocks_every_drill():
    shape = Shape(radius=4.0)
    volume, bone, landmarks = vertebra(shape, "L3")
    blocked = plan_vertebra(Site(volume, bone, (wall(62.0),), landmarks), SETTINGS)
    assert [(a.name, a.code) for a in blocked] == [
        ("L3_left", "drill_blocked"),
        ("L3_right", "drill_blocked"),
    ]
    assert "in the way" in blocked[0].message
    free = plan_vertebra(Site(volume, bone, (wall(125.0),), landmarks), SETTINGS)
    assert all(isinstance(a, Path) for a in free)


def test_a_drill_goes_under_a_neighbour():
    volume, bone, landmarks = vertebra(Shape(radius=5.0), "L3")
    free = planned(Shape(radius=5.0), "L3")[0]
    roof = wall(50.0, float(free.entry_mm[2]) + 1.0)
    taken = plan_vertebra(Site(volume, bone, (roof,), landmarks), SETTINGS)[0]
    assert isinstance(taken, Path)

    def room(path):
        axis = path.entry_mm - np.arange(0.0, 45.0, 0.5)[:, None] * path.direction
        return np.linalg.norm(axis[:, None] - roof.vertices_mm[None], axis=2).min()

    assert room(free) < SETTINGS.guide.sleeve_outer_mm / 2 - 0.5
    assert room(taken) > SETTINGS.guide.sleeve_outer_mm / 2 - 0.1
