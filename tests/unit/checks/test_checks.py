"""Every check passes a sound guide and fails the fault that it is there for."""

import importlib
import pkgutil
from dataclasses import replace

import numpy as np
import pytest
from manifold3d import Manifold

import guidegen.checks
from guidegen.checks.bore import check_bores, check_drill, check_side, check_sleeves
from guidegen.checks.breach import check_breach
from guidegen.checks.coverage import check_coverage
from guidegen.checks.cylinder import Cylinder
from guidegen.checks.docking import check_docking, docking_score
from guidegen.checks.every import (
    ALL_CHECKS,
    GUIDE_CHECKS,
    MODEL_CHECKS,
    SOLID_CHECKS,
    run_checks,
)
from guidegen.checks.fit import check_contact, check_overlap
from guidegen.checks.label import check_label, check_side_marks
from guidegen.checks.model import check_model
from guidegen.checks.part import Limits, Part
from guidegen.checks.printable import check_printable
from guidegen.checks.removal import blocked_mm2, check_removal
from guidegen.mesh.io import read_stl, stl_bytes
from guidegen.mesh.surface import Surface
from guidegen.model.bone import Bone
from guidegen.model.findings import CheckReport
from guidegen.model.plan import Plan
from guidegen.procedures.pedicle_screws.checks import check_guide
from guidegen.procedures.pedicle_screws.settings import PedicleSettings
from tests.unit.checks import specimen
from tests.unit.checks.engraved_specimen import ENGRAVED_FAULTS
from tests.unit.checks.knee_specimen import KNEE_FAULTS
from tests.unit.checks.rehearsal_specimen import REHEARSAL_FAULTS
from tests.unit.checks.specimen import (
    OUT,
    PATHS,
    Faults,
    arrays,
    bone,
    box,
    guide,
    hull,
    part,
    path,
)
from tests.unit.checks.template_specimen import TEMPLATE_FAULTS


def shifted(by):
    made = guide()
    return replace(part(), guide=replace(made, vertices_mm=made.vertices_mm + by))


def model(scale=1.0):
    own = bone()
    made = replace(guide(), role="model", vertices_mm=own.vertices_mm * scale, faces=own.faces)
    return Part(made, (own,), (), Limits(min_wall_mm=None))


def failed(findings):
    return {f.code for f in findings if not f.passed}


def deeper(by_mm):
    """The paths with their entries farther from the sleeves."""
    return tuple(replace(p, entry_mm=p.entry_mm + by_mm * p.direction) for p in PATHS)


FAULTS = {
    "check_overlap": [("overlap", lambda: check_overlap(shifted(-0.5 * OUT)))],
    "check_contact": [
        ("gap_typical", lambda: check_contact(part(Faults(gap=0.6)))),
        ("contact_area", lambda: check_contact(part(Faults(gap=0.6)))),
        ("gap_tight", lambda: check_contact(part(Faults(gap=0.05)))),
        ("gap_smallest", lambda: check_contact(shifted(-0.24 * OUT))),
    ],
    "check_docking": [("docking", lambda: check_docking(part(Faults(gap=0.6))))],
    "check_removal": [
        ("removal", lambda: check_removal(part(Faults(hook=True)))),
        ("removal", lambda: check_removal(part(bones=[bone(), neighbour(over=True)]))),
        ("removal", lambda: check_removal(part(insertion_direction=None))),
    ],
    "check_bores": [
        ("bore_offset_entry", lambda: check_bores(part(Faults(bore_shift=(0.1, 0, 0))))),
        ("bore_offset_top", lambda: check_bores(part(Faults(bore_shift=(0.1, 0, 0))))),
        ("bore_offset_entry", lambda: check_bores(part(Faults(bore_shift=(0.06, 0, 0))))),
        ("bore_angle", lambda: check_bores(part(Faults(bore_tilt_deg=0.15)))),
        ("bore_diameter", lambda: check_bores(part(Faults(bore_mm=2.8)))),
        ("bore_angle", lambda: check_bores(part(Faults(bores=("left",))))),
        ("bores", lambda: check_bores(part(Faults(bores=("left",))))),
        ("bores", lambda: check_bores(part(paths=PATHS[:1]))),
        ("bore_angle", lambda: check_bores(part(undrilled(), paths=PATHS))),
    ],
    "check_sleeves": [
        ("bore_closed", lambda: check_sleeves(part(Faults(slot="top")))),
        ("bore_closed", lambda: check_sleeves(part(Faults(slot="foot")))),
        ("sleeve_length", lambda: check_sleeves(part(Faults(short=True)))),
        ("foot_gap", lambda: check_sleeves(part(paths=deeper(13.0)))),
        ("sleeve_wall", lambda: check_sleeves(part(Faults(outer_mm=3.7)))),
        ("sleeve_wall", lambda: check_sleeves(part(undrilled()))),
    ],
    "check_drill": [
        ("drill_play", lambda: check_drill(part(Faults(bar_over=True)))),
        ("drill_play", lambda: check_drill(part(Faults(bore_mm=2.6)))),
        ("drill_play", lambda: check_drill(part(undrilled()))),
        ("drill_play", lambda: check_drill(part(Faults(bore_tilt_deg=0.5)))),
    ],
    "check_side": [("bore_side", lambda: check_side(wrong_sides()))],
    "check_breach": [("breach", lambda: check_breach(part(bones=[bone(solid=narrow_bone())])))],
    "check_label": [
        ("label_depth", lambda: check_label(part(Faults(label=False)))),
        ("label_share", lambda: check_label(part(Faults(label=False)))),
        ("label_depth", lambda: check_label(part(features=()))),
    ],
    "check_side_marks": [
        ("side_mark_read", lambda: check_side_marks(part(Faults(mirrored=True)))),
        ("side_mark_read", lambda: check_side_marks(part(Faults(marks=("R", "L"))))),
        ("side_mark_read", lambda: check_side_marks(part(Faults(marks=("", ""))))),
        (
            "side_mark_side",
            lambda: check_side_marks(
                part(Faults(marks=("R", "L"), marks_from_left=("R", "L"))),
            ),
        ),
    ],
    "check_model": [
        ("model_distance", lambda: check_model(model(1.01))),
        ("model_volume", lambda: check_model(model(1.01))),
    ],
    "check_coverage": [("path_in_one_guide", lambda: check_coverage(plan(), ()))],
    "check_printable": [
        ("open_edges", lambda: printable(box((0, 0, 0), (9, 9, 9)), drop=1)),
        ("volume", lambda: printable(box((0, 0, 0), (9, 9, 9)), flip=True)),
        ("bodies", lambda: printable(box((0, 0, 0), (9, 9, 9)) + box((20, 0, 0), (29, 9, 9)))),
        ("min_wall", lambda: printable(box((0, 0, 0), (20, 20, 1.9)))),
        ("largest_size", lambda: printable(box((0, 0, 0), (250, 20, 5)))),
        ("smallest_size", lambda: printable(box((0, 0, 0), (20, 20, 0.5)))),
        ("self_intersections", lambda: lobes()),
        ("open_edges", lambda: check_printable(np.empty((0, 3)), np.empty((0, 3), int), "a")),
        ("open_edges", lambda: check_printable(np.full((4, 3), np.nan), [[0, 1, 2]], "a")),
    ],
    **TEMPLATE_FAULTS,
    **REHEARSAL_FAULTS,
    **KNEE_FAULTS,
    **ENGRAVED_FAULTS,
}


def neighbour(over):
    return bone("L2", box((-40, 30, 8), (40, 40, 40)) if over else box((-40, 30, 16), (40, 40, 40)))


def undrilled():
    return Faults(bores=())


def wrong_sides():
    named = (path("left", "L3_right"), path("right", "L3_left"))
    sides = {"L3_right": "right", "L3_left": "left"}
    named = tuple(replace(p, side=sides[p.name]) for p in named)
    return part(paths=named)


def narrow_bone():
    return hull([(x * 0.2, y, z) for x, y, z in specimen.BASE + specimen.RIDGE])


def plan(paths=PATHS):
    return Plan("demo", "pedicle-screws", "", "", "", paths=paths)


def printable(solid, drop=0, flip=False):
    vertices, faces = arrays(solid)
    return check_printable(vertices, faces[drop:, ::-1] if flip else faces[drop:], "a.stl")


def lobes():
    vertices, faces = arrays(Manifold.sphere(10, 40))
    other = vertices + np.array([15, 1, 2])
    both = np.concatenate([vertices, other]), np.concatenate([faces, faces + len(vertices)])
    return check_printable(*both, "a.stl")


def every_check():
    found = {}
    for module in pkgutil.iter_modules(guidegen.checks.__path__, "guidegen.checks."):
        for name, item in vars(importlib.import_module(module.name)).items():
            if name.startswith("check_") and callable(item):
                found[name] = item
    return found


def test_every_check_is_in_the_list():
    assert every_check().keys() == {c.__name__ for c in ALL_CHECKS}
    assert set(every_check().values()) == set(ALL_CHECKS)


def test_every_check_has_a_case_that_must_fail_it():
    assert FAULTS.keys() == {c.__name__ for c in ALL_CHECKS}


@pytest.mark.parametrize(
    ("code", "measure"), [(c, m) for cases in FAULTS.values() for c, m in cases]
)
def test_fault_is_found(code, measure):
    assert code in failed(measure())


@pytest.fixture(scope="module")
def sound():
    return part()


def test_sound_guide_passes_everything(sound):
    found = run_checks(sound, GUIDE_CHECKS)
    assert failed(found) == set()
    assert CheckReport(found).passed
    seen = {f.code for f in found}
    own = {check.__name__ for check in (*SOLID_CHECKS, *GUIDE_CHECKS)}
    assert {code for name in own for code, _ in FAULTS[name]} <= seen


def test_every_fault_code_is_measured_on_its_own_subject(sound):
    for finding in run_checks(sound, GUIDE_CHECKS):
        assert finding.subject.split("#")[0] == "guides/L3.stl"
        assert finding.unit


def test_window_in_the_middle_is_allowed():
    assert failed(check_sleeves(part(Faults(slot="window")))) == set()
    assert failed(check_bores(part(Faults(slot="window")))) == set()


def test_parts_share_the_trees_of_a_bone():
    own = bone()
    one, two = part(bones=[own]), part(bones=[own])
    assert one.bone_surfaces["L3"] is two.bone_surfaces["L3"]
    assert one.bone_surfaces["L3"] is not part(bones=[bone()]).bone_surfaces["L3"]


def test_a_model_with_the_bones_corners_but_a_face_missing_is_measured():
    own = bone()
    made = replace(guide(), role="model", vertices_mm=own.vertices_mm, faces=own.faces)
    lost = int(own.faces[0, 0])
    fewer = own.faces[(own.faces != lost).all(axis=1)]
    object.__setattr__(made, "faces", fewer)
    found = {f.code: f.value for f in check_model(Part(made, (own,), (), Limits()))}
    assert found["model_distance"] > 0.05


def test_model_of_the_bone_passes():
    assert failed(check_model(model())) == set()
    assert failed(run_checks(model(), MODEL_CHECKS)) == set()


def test_all_paths_in_one_guide_pass():
    assert failed(check_coverage(plan(), (guide(),))) == set()


def test_neighbour_out_of_the_way_passes():
    assert failed(check_removal(part(bones=[bone(), neighbour(over=False)]))) == set()


def test_a_named_bone_that_is_missing_fails():
    assert "overlap" in failed(check_overlap(part(neighbours=("L4",))))
    assert "removal" in failed(check_removal(none()))


def none():
    return Part(guide(), (), PATHS, Limits())


def test_overlap_is_the_exact_volume():
    one = Surface(*arrays(box((500, 500, 500), (510, 510, 510))))
    other = Surface(*arrays(box((509, 509, 509.5), (520, 520, 520))))
    from guidegen.checks.fit import overlap_mm3

    assert overlap_mm3(one, other) == pytest.approx(0.5, abs=1e-9)
    apart = Surface(*arrays(box((510.001, 500, 500), (520, 510, 510))))
    assert overlap_mm3(one, apart) == 0.0


@pytest.mark.parametrize("tilt", [0, 5, 10, 20, 30])
def test_removal_agrees_with_a_swept_boolean(tilt):
    """A cap on a cone of half angle 20 degrees comes off up to 20 degrees of tilt, not beyond."""
    cone = Manifold.cylinder(20, 15, 15 - 20 * np.tan(np.radians(20)), 64).rotate((-90, 0, 0))
    cap = box((-20, 4, -20), (20, 24, 20)) - cone.scale((1.02, 1, 1.02)).translate((0, 0.2, 0))
    way = np.array([np.sin(np.radians(tilt)), np.cos(np.radians(tilt)), 0.0])
    swept = max((cap.translate(tuple(way * s)) ^ cone).volume() for s in np.arange(0, 40, 0.5))
    blocked = blocked_mm2(Surface(*arrays(cap)), Surface(*arrays(cone)), way)
    assert (blocked > 0) == (swept > 1e-6)
    assert (blocked > 0) == (tilt > 20)


def test_bore_is_measured_to_a_hundredth():
    found = {f.code: f for f in check_bores(part(Faults(bore_shift=(0.1, 0, 0)), paths=PATHS[:1]))}
    across = np.array([0.1, 0, 0]) - PATHS[0].direction[0] * 0.1 * PATHS[0].direction
    assert found["bore_offset_top"].value == pytest.approx(np.linalg.norm(across), abs=0.003)
    found = {f.code: f for f in check_bores(part(Faults(bore_tilt_deg=0.3), paths=PATHS[:1]))}
    assert found["bore_angle"].value == pytest.approx(0.3, abs=0.01)
    found = {f.code: f for f in check_bores(part(Faults(bore_mm=3.1), paths=PATHS[:1]))}
    assert found["bore_diameter"].value == pytest.approx(0.2, abs=0.005)


def test_docking_scores():
    rng = np.random.default_rng(0)
    flat = np.column_stack([rng.uniform(-10, 10, (200, 2)), np.zeros(200)])
    up = np.tile([0.0, 0, 1], (200, 1))
    assert docking_score(flat, up) < 1e-9
    ball = rng.normal(size=(500, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    assert docking_score(10 * ball, ball) < 1e-6
    rail = np.column_stack([rng.uniform(-10, 10, (200, 1)), np.zeros((200, 2))])
    walls = np.where(rng.random((200, 1)) < 0.5, [[0.0, 0.7071, 0.7071]], [[0.0, -0.7071, 0.7071]])
    assert docking_score(rail, walls) < 1e-6
    side = rng.integers(0, 6, 600)
    normals = np.concatenate([np.eye(3), -np.eye(3)])[side]
    points = rng.uniform(-10, 10, (600, 3))
    points[np.arange(600), side % 3] = 10 * normals[np.arange(600), side % 3]
    assert 0.5 < docking_score(points, normals) < 1.2
    assert docking_score(points[:5], normals[:5]) == 0.0


def test_a_check_that_breaks_counts_as_failed(sound):
    def check_broken(tested):
        raise ZeroDivisionError

    found = run_checks(sound, (check_broken,))
    assert found[-1].code == "broken" and not found[-1].passed


def test_through_the_file_and_the_settings(tmp_path):
    made = guide()
    file = tmp_path / "L3.stl"
    file.write_bytes(stl_bytes(made.vertices_mm, made.faces, "guidegen"))
    vertices, faces = read_stl(file)
    back = replace(made, vertices_mm=vertices, faces=faces)
    found = check_guide(back, plan(), (bone(),), PedicleSettings())
    assert failed(found) <= {"min_wall"}
    own = bone()
    copy = replace(back, role="model", vertices_mm=own.vertices_mm, faces=own.faces)
    found = check_guide(copy, plan(), (own,), PedicleSettings())
    assert failed(found) == set()
    assert all(f.subject == "models/L3.stl" for f in found)


def test_bone_of_two_sides_is_left_right_in_any_posture():
    """The patient lies turned by 40 degrees in the scan: sides are still told apart."""
    turn = np.radians(40)
    rotation = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    made, own = guide(), bone()
    turned = replace(
        made,
        vertices_mm=made.vertices_mm @ rotation.T,
        insertion_direction=rotation @ -OUT,
        features=tuple(
            replace(f, point_mm=rotation @ f.point_mm, direction=rotation @ f.direction)
            for f in made.features
        ),
    )
    paths = tuple(
        replace(p, entry_mm=rotation @ p.entry_mm, tip_mm=rotation @ p.tip_mm) for p in PATHS
    )
    tested = Part(turned, (Bone("L3", own.vertices_mm @ rotation.T, own.faces),), paths, Limits())
    assert failed(check_side(tested)) == set()
    assert failed(check_side_marks(tested)) == set()


def test_breach_is_that_of_the_screw_s_side():
    wide = tuple(replace(p, diameter_mm=8.0) for p in PATHS)
    assert [f.value for f in check_breach(part(paths=wide))] == [0.0, 0.0]
    slab = bone(solid=box((-40, -20, -3), (40, 19, 3)))
    straight = tuple(replace(p, tip_mm=p.entry_mm - 25 * OUT, diameter_mm=8.0) for p in PATHS)
    tested = part(bones=[slab], paths=straight)
    tested.__dict__["cylinders"] = {
        p.name: Cylinder(p.entry_mm, p.direction, 2.9, 0.0) for p in straight
    }
    assert [f.value for f in check_breach(tested)] == pytest.approx([1.0, 1.0], abs=1e-6)
