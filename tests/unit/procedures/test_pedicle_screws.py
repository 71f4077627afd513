import json
from dataclasses import replace
from functools import lru_cache

import nibabel
import numpy as np
import pytest
from pydantic import ValidationError

from guidegen.anatomy.vertebra import find_landmarks
from guidegen.bones.spine import find_spine
from guidegen.bones.surface import extract_bones
from guidegen.errors import AnatomyError, GeometryError, PlanError
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.level import Spine
from guidegen.model.notice import silent
from guidegen.model.plan import Path, Skipped
from guidegen.model.volume import CTVolume, Grid, LabelMap
from guidegen.planning.corridor import measure_corridor
from guidegen.planning.pedicle import SIDES, choose, measured, pedicle_task
from guidegen.planning.width import measure_width
from guidegen.procedures import vertebrae
from guidegen.procedures.contract import Anatomy, Options
from guidegen.procedures.levels import Site
from guidegen.procedures.pedicle_screws import PedicleScrews, notices, pedicle, plan
from guidegen.procedures.pedicle_screws.plan import plan_screws, plan_vertebra
from guidegen.procedures.pedicle_screws.rod import rod_lines
from guidegen.procedures.pedicle_screws.settings import PedicleSettings
from guidegen.procedures.registry import PROCEDURES

from ..planning.vertebra_shape import Shape, scan

POSE = Pose.from_axes(np.eye(3), (0.0, -22.0, 0.0), PATIENT, "L3")
SETTINGS = PedicleSettings()


@lru_cache
def scanned(radius):
    shape = Shape(radius=radius)

    def distance(p):
        return shape.measure(p - POSE.origin_mm)

    volume = scan(distance, (72, 94, 40), (1.2, 0.75, 0.75), cortex_mm=1.2, fine=2)
    bone, level = shape.bone(pose=POSE), shape.level(pose=POSE)
    return volume, bone, level


@lru_cache
def answers(radius):
    volume, bone, level = scanned(radius)
    return plan_vertebra(Site(volume, bone, (), find_landmarks(bone, level)), SETTINGS)


def test_wide_pedicles_get_screws_that_keep_every_rule():
    paths = answers(4.0)
    assert [path.name for path in paths] == ["L3_left", "L3_right"]
    for path in paths:
        assert isinstance(path, Path)
        assert path.grade == "A" and path.breach_mm == 0 and path.breach_wall is None
        corridors = (path.corridor_diameter_mm, path.extra["half_maximum_on_axis_mm"])
        assert path.extra["half_maximum_corridor_mm"] >= corridors[1]
        assert path.diameter_mm <= 0.8 * min(corridors) + 1e-6
        assert path.diameter_mm % 0.5 == pytest.approx(0.0)
        assert path.length_mm / 5 == pytest.approx(round(path.length_mm / 5))
        assert 5.0 <= path.axial_angle_deg <= 25.0
        assert path.axial_angle_deg == pytest.approx(12.0, abs=2.0)
        assert path.clearance_mm == pytest.approx(
            (path.corridor_diameter_mm - path.diameter_mm) / 2
        )
        assert path.pilot_diameter_mm == 2.7
        assert corridors[0] == pytest.approx(8.0, abs=0.5)
        json.dumps(dict(path.extra))


def test_left_and_right_mirror_each_other():
    left, right = answers(4.0)
    assert left.entry_mm[0] > 0 > right.entry_mm[0]
    assert left.axial_angle_deg == pytest.approx(right.axial_angle_deg, abs=1.0)


def test_narrow_pedicles_are_skipped_with_their_width():
    for answer in answers(2.1):
        assert isinstance(answer, Skipped)
        assert answer.code == "narrow_pedicle"
        assert answer.corridor_diameter_mm == pytest.approx(4.2, abs=0.5)
        assert "5.00 mm" in answer.message


def test_a_close_call_is_warned_of_on_either_side():
    volume, bone, level = scanned(4.0)
    labels = LabelMap(np.zeros((2, 2, 2), dtype=np.uint16), Grid(np.eye(4), (2, 2, 2)), {})
    spine = Spine(labels, (level,), np.zeros((2, 3)))
    anatomy = Anatomy(spine, (bone,), (find_landmarks(bone, level),), ("L3",))

    def codes(min_corridor_mm):
        screw = SETTINGS.screw.model_copy(update={"min_corridor_mm": min_corridor_mm})
        draft = plan_screws(volume, anatomy, SETTINGS.model_copy(update={"screw": screw}))
        calls = [n.subject for n in draft.warnings if n.code == "close_call"]
        return [s.code for s in draft.skipped], calls

    widths = [path.extra["half_maximum_corridor_mm"] for path in answers(4.0)]
    both = ["L3_left", "L3_right"]
    assert codes(min(widths) - 0.1) == ([], both)
    assert codes(max(widths) + 0.1) == (["narrow_pedicle"] * 2, both)
    assert codes(min(widths) - 1.0) == ([], [])


def limits(landmarks, side):
    return pedicle.path_limits("L3", landmarks[f"pedicle_{side}"], SETTINGS)


@lru_cache
def tried(shift_mm, approach_mm, deep):
    """One pedicle whose corridor stands ``shift_mm`` beside the pedicle's axis."""
    volume, bone, level = scanned(4.0)
    landmarks = find_landmarks(bone, level)
    vertices = landmarks.patient_from_bone.inverse.points(bone.vertices_mm)
    task = pedicle_task(
        vertices, bone, np.zeros((0, 3)), landmarks, SIDES[0], limits(landmarks, "left")
    )
    line = replace(task.start, point=task.start.point + np.array([0.0, 0.0, shift_mm]))
    corridor = replace(measure_corridor(task, line), approach_mm=approach_mm, deep_enough=deep)
    width = measure_width(volume, bone, landmarks, task, [task.start])
    return measured(volume, bone, landmarks, task, corridor, width)


def test_the_first_corridor_that_is_free_sound_and_deep_is_taken():
    good = tried(0.0, 2.0, True)
    off, blocked, short = tried(3.5, 2.0, True), tried(0.0, -2.0, True), tried(0.0, 2.0, False)
    assert off.breach(4.0)[0] > 0.05 and off.breach(4.0)[1] == "superior"
    assert good.breach(4.0) == (0.0, None)
    joined = replace(good, corridor=replace(good.corridor, diameter_mm=good.on_axis_mm + 1.5))
    assert joined.unlike_ct and not good.unlike_ct
    for bad in (off, blocked, short, joined):
        assert choose([bad, good], 4.0) is good
    assert choose([blocked, off, short], 4.0) is short
    assert choose([blocked, off], 4.0) is off
    path = pedicle.decide(scanned(4.0)[0], joined, SETTINGS)
    assert "surface_unlike_ct" in path.warnings and "surface_unlike_ct" in notices._RED
    assert [n.red for n in notices.notices_of([path]) if n.code == "surface_unlike_ct"] == [True]


def test_the_width_does_not_depend_on_the_planners_surface():
    volume, bone, level = scanned(4.0)
    landmarks = find_landmarks(bone, level)
    out = np.cross(
        bone.vertices_mm[bone.faces[:, 1]] - bone.vertices_mm[bone.faces[:, 0]],
        bone.vertices_mm[bone.faces[:, 2]] - bone.vertices_mm[bone.faces[:, 0]],
    )
    normals = np.zeros_like(bone.vertices_mm)
    for n in range(3):
        np.add.at(normals, bone.faces[:, n], out)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    thin = Bone("L3", bone.vertices_mm - 0.4 * normals, bone.faces)

    def widths(surface):
        for side in SIDES:
            vertices = landmarks.patient_from_bone.inverse.points(surface.vertices_mm)
            task = pedicle_task(
                vertices, surface, np.zeros((0, 3)), landmarks, side, limits(landmarks, side[0])
            )
            yield measure_width(volume, surface, landmarks, task, [task.start]).corridor_mm

    for right, wrong in zip(widths(bone), widths(thin), strict=True):
        assert wrong == pytest.approx(right, abs=0.15)


def test_the_same_plan_bit_for_bit():
    volume, bone, level = scanned(4.0)
    again = plan_vertebra(Site(volume, bone, (), find_landmarks(bone, level)), SETTINGS)
    for a, b in zip(answers(4.0), again, strict=True):
        assert np.array_equal(a.entry_mm, b.entry_mm)
        assert np.array_equal(a.tip_mm, b.tip_mm)
        assert a.extra == b.extra


def test_a_bone_without_landmarks_is_answered():
    volume, bone, level = scanned(4.0)
    labels = LabelMap(np.zeros((2, 2, 2), dtype=np.uint16), Grid(np.eye(4), (2, 2, 2)), {})
    spine = Spine(labels, (level,), np.zeros((2, 3)))
    draft = plan_screws(volume, Anatomy(spine, (bone,), (), ("L3",)), SETTINGS)
    assert [s.code for s in draft.skipped] == ["no_landmarks", "no_landmarks"]
    with pytest.raises(PlanError, match="no level"):
        plan_screws(volume, Anatomy(spine, (bone,), (), ()), SETTINGS)


def test_settings_refuse_unknown_keys_and_empty_ranges():
    with pytest.raises(ValidationError):
        PedicleSettings.model_validate({"screw": {"pilot": 3}})
    with pytest.raises(ValidationError, match="below the second"):
        PedicleSettings.model_validate({"screw": {"sagittal_deg": [10, 5]}})


def test_every_setting_reaches_the_report_with_unit_and_reason():
    rows = PedicleScrews().setting_rows(SETTINGS)
    names = [row.name for row in rows]
    assert "screw.min_corridor_mm" in names and "guide.fit_gap_mm" in names
    assert all(row.source for row in rows)
    assert all(row.unit for row in rows if row.name.startswith("screw."))


def test_registry_names_match():
    assert PROCEDURES["pedicle-screws"].name == "pedicle-screws"
    assert all(name == procedure.name for name, procedure in PROCEDURES.items())


def screw(n, x, side="left"):
    entry = np.array([x, 0.0, 30.0 * n])
    return Path(f"L{n}_{side}", f"L{n}", "screw", side, entry, entry - (0, 40.0, 0), 6.0)


def test_rod_line_finds_the_screw_that_stands_out():
    straight = [screw(n, 20.0) for n in range(1, 7)]
    lines, notices = rod_lines(straight, 6.0)
    assert lines[0].name == "rod_line_left" and lines[0].value < 0.01 and not notices
    bent = [screw(n, 20.0 + 14.0 * (n == 3)) for n in range(1, 7)]
    lines, notices = rod_lines(bent, 6.0)
    assert lines[0].value > 6.0
    assert [n.subject for n in notices] == ["L3_left"]
    assert rod_lines(straight[:2], 6.0) == ((), ())


def lps(path):
    image = nibabel.load(path)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    return np.asarray(image.dataobj).transpose(2, 1, 0), affine[:, [2, 1, 0, 3]]


def test_real_l3_screws_run_in_arch_and_body(shared_data):
    folder = shared_data / "ct" / "tptbox_lumbar_crop_1.5mm"
    hu, matrix = lps(folder / "sub-ct_label-22_ct.nii.gz")
    names, _ = lps(folder / "sub-ct_seg-vert_label-22_msk.nii.gz")
    parts, _ = lps(folder / "sub-ct_seg-subreg_label-22_msk.nii.gz")
    grid = Grid(matrix, hu.shape)
    volume = CTVolume(np.round(hu).astype(np.int16), grid)
    labels = LabelMap(np.ascontiguousarray(names.astype(np.uint16)), grid, {22: "L3"})
    spine = find_spine(volume, labels=labels)
    (bone,) = extract_bones(volume, spine, ("L3",))
    landmarks = find_landmarks(bone, spine.level("L3"))
    for path in plan_vertebra(Site(volume, bone, (), landmarks), SETTINGS):
        assert isinstance(path, Path), path
        along = np.arange(3.0, path.length_mm + 1e-6, 0.1)
        kji = np.round(grid.kji(path.entry_mm + along[:, None] * path.direction)).astype(int)
        assert set(np.unique(parts[tuple(kji.T)])) <= {41, 49, 50}, path.name
        assert path.grade == "A"


def two_levels(monkeypatch, broken):
    """Procedure and volume of L3 with a neighbour L4, whose work ``broken`` breaks."""
    volume, bone, level = scanned(4.0)
    low = Pose.from_axes(np.eye(3), (0.0, -22.0, -34.0), PATIENT, "L4")
    pairs = [(bone, level), (Shape(radius=4.0).bone("L4", low), Shape(radius=4.0).level("L4", low))]
    labels = LabelMap(np.zeros((2, 2, 2), dtype=np.uint16), Grid(np.eye(4), (2, 2, 2)), {})
    spine = Spine(labels, tuple(b for _, b in pairs), np.zeros((2, 3)))

    def surfaces(volume, spine, names, progress):
        if broken == "surface" and "L4" in names:
            raise GeometryError("L4: no bone surface was found inside its label")
        return tuple(b for b, _ in pairs if b.name in names)

    monkeypatch.setattr(vertebrae, "find_spine", lambda *_: spine)
    monkeypatch.setattr(vertebrae, "extract_bones", surfaces)
    return PedicleScrews(), volume


def breaks_for(name, work, error):
    def broken(*arguments, **settings):
        if any(getattr(getattr(a, "bone", a), "name", "") == name for a in arguments):
            raise error
        return work(*arguments, **settings)

    return broken


@pytest.mark.parametrize(
    ("broken", "code", "reason"),
    [
        ("surface", "no_landmarks", "no bone surface was found"),
        ("landmarks", "no_landmarks", "endplate is not in view"),
        ("plan", "planning_failed", "L4 can't be computed"),
    ],
)
def test_one_vertebra_that_fails_is_answered_and_the_others_planned(
    monkeypatch, broken, code, reason
):
    procedure, volume = two_levels(monkeypatch, broken)
    if broken == "landmarks":
        error = AnatomyError("L4: the lower endplate is not in view: leave this level out")
        monkeypatch.setattr(vertebrae, "find_landmarks", breaks_for("L4", find_landmarks, error))
    if broken == "plan":
        error = ZeroDivisionError("no depth")
        monkeypatch.setattr("os.cpu_count", lambda: 1)  # what is patched here stays here
        monkeypatch.setattr(plan, "plan_vertebra", breaks_for("L4", plan_vertebra, error))
    anatomy = procedure.find_anatomy(volume, Options(levels="L3,L4"), SETTINGS, silent)
    draft = procedure.plan(volume, anatomy, SETTINGS, silent)
    assert [p.name for p in draft.paths] == ["L3_left", "L3_right"]
    assert [(s.name, s.code) for s in draft.skipped] == [("L4_left", code), ("L4_right", code)]
    (red,) = (n for n in draft.warnings if n.red)
    assert (red.code, red.subject) == ("level_not_planned", "L4") and reason in red.message


def test_a_neighbour_without_surface_is_a_red_warning(monkeypatch):
    procedure, volume = two_levels(monkeypatch, "surface")
    anatomy = procedure.find_anatomy(volume, Options(levels="L3"), SETTINGS, silent)
    draft = procedure.plan(volume, anatomy, SETTINGS, silent)
    assert [(n.code, n.subject) for n in draft.warnings if n.red] == [
        ("neighbour_without_surface", "L4")
    ]


def test_no_pedicle_at_all_says_why(monkeypatch):
    procedure, volume = two_levels(monkeypatch, "surface")
    with pytest.raises(AnatomyError, match="no pedicle can be planned on L4: L4: no bone surface"):
        procedure.find_anatomy(volume, Options(levels="L4"), SETTINGS, silent)
