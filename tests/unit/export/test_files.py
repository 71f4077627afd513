"""Atomic files, case.toml, NIfTI, landmarks, markups, coverage."""

from __future__ import annotations

import errno
import json
import math
import os
import tomllib
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from guidegen.checks.coverage import check_coverage
from guidegen.errors import FrameError, InputError, PlanError
from guidegen.export import atomic
from guidegen.export.folder import CaseFolder, new_case
from guidegen.export.landmarks_json import read_landmarks, write_landmarks
from guidegen.export.manifest import write_checks
from guidegen.export.nifti import nifti_bytes, on_grid, ras_from_ijk
from guidegen.export.record import order_sha256, read_record, toml_lines, write_record
from guidegen.export.slicer import colour_table, line_markup
from guidegen.model.findings import CheckReport, Finding
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.guide import Feature, Guide
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.level import Level
from guidegen.model.plan import Cut, Path, Plan
from guidegen.model.volume import LabelMap
from tests.fake_procedure import CENTRE_MM, ball_volume, box


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "plan.json"
    atomic.write_text(path, "old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="disk is full"):
        atomic.write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["plan.json"]


def test_a_kill_before_the_rename_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "plan.json"
    atomic.write_text(path, "old")

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        atomic.write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["plan.json"]


def test_json_knows_numpy_and_has_no_nan():
    text = atomic.json_text({"a": np.float64(1 / 3), "b": np.arange(3), "c": math.nan, "d": -0.0})
    assert json.loads(text) == {"a": 0.333333, "b": [0, 1, 2], "c": None, "d": 0.0}
    assert "-0" not in text


def test_folder_names_become_case_ids(tmp_path):
    for name, wanted in (("demo", "demo"), ("Fall 7 ü", "Fall_7"), ("...", "case")):
        assert CaseFolder(tmp_path / name).case_id == wanted


def test_a_scan_may_lie_in_its_case(tmp_path):
    scan = tmp_path / "dicom"
    scan.mkdir()
    (scan / "1.dcm").write_text("")
    with new_case(tmp_path, source=scan) as folder:
        assert folder.root == tmp_path
    with pytest.raises(InputError, match="not empty"), new_case(tmp_path):
        pass


scalars = st.one_of(
    st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), st.text(max_size=20)
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
tables = st.recursive(
    st.dictionaries(st.text(max_size=8), values, max_size=4),
    lambda inner: st.dictionaries(st.text(max_size=8), st.one_of(values, inner), max_size=4),
    max_leaves=8,
)


@given(tables)
def test_toml_comes_back(table):
    assert tomllib.loads("\n".join(toml_lines(table))) == table


def test_record_comes_back(planned, tmp_path):
    record = read_record(planned / "case.toml")
    write_record(tmp_path / "case.toml", record)
    again = read_record(tmp_path / "case.toml")
    assert again == record
    assert order_sha256(again) == order_sha256(record)
    (tmp_path / "case.toml").write_text("procedure = 'ball'")
    with pytest.raises(InputError, match="input"):
        read_record(tmp_path / "case.toml")


def test_nifti_lies_where_the_volume_lies(tmp_path):
    volume = ball_volume()
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(nifti_bytes(volume.hu, volume.grid))
    image = nibabel.load(path)
    values = np.asarray(image.dataobj)
    ras = nibabel.affines.apply_affine(image.affine, np.argwhere(values > 350)).mean(axis=0)
    np.testing.assert_allclose(ras * [-1, -1, 1], CENTRE_MM, atol=0.1)
    kji = np.array([3, 5, 7])
    assert values[7, 5, 3] == volume.hu[3, 5, 7]
    lps = nibabel.affines.apply_affine(ras_from_ijk(volume.grid), kji[::-1]) * [-1, -1, 1]
    np.testing.assert_allclose(lps, volume.grid.patient(kji))
    assert nifti_bytes(volume.hu, volume.grid) == path.read_bytes()


def test_labels_move_to_another_grid():
    volume = ball_volume()
    labels = LabelMap((volume.hu > 350).astype(np.uint16), volume.grid, {1: "L3"})
    near = volume.around(CENTRE_MM + np.array([[-5.0] * 3, [5.0] * 3]), 10.0)
    assert near.hu.shape < volume.hu.shape
    moved = on_grid(labels, near.grid)
    np.testing.assert_array_equal(moved.labels, near.hu > 350)
    back = on_grid(moved, volume.grid)
    np.testing.assert_array_equal(back.labels, labels.labels)


def test_landmarks_come_back(tmp_path):
    pose = Pose.from_axes(np.eye(3), [1, 2, 3], PATIENT, "L3")
    point = Landmark("pedicle_left", [4, 5, 6], 0.4, "isthmus", {"normal": (0.0, 0.0, 1.0)})
    path = tmp_path / "landmarks.json"
    write_landmarks(path, [Landmarks("L3", pose, (point,))], [Level("L3", pose, (-9.0, 8.0))])
    (found,), (level,) = read_landmarks(path)
    assert found.patient_from_bone.source == "L3"
    np.testing.assert_allclose(found["pedicle_left"].position_mm, [4, 5, 6])
    assert found["pedicle_left"].values == {"normal": (0.0, 0.0, 1.0)}
    assert level.limits_mm == (-9.0, 8.0)
    content = json.loads(path.read_text())
    assert content["schema"] == "guidegen.landmarks/1"
    assert content["bones"]["L3"]["pedicle_left"]["spread_mm"] == 0.4
    path.write_text("{}")
    with pytest.raises(PlanError):
        read_landmarks(path)


def test_axes_of_any_turn_come_back_from_six_decimals(tmp_path):
    """What rounding makes of two axes' product can be more than a pose may be off."""
    turns = Rotation.random(300, random_state=3).as_matrix()
    poses = [Pose.from_axes(turn, [1, 2, 3], PATIENT, f"V{n}") for n, turn in enumerate(turns)]
    off = [np.round(turn, 6) @ np.round(turn, 6).T - np.eye(3) for turn in turns]
    assert max(np.abs(np.triu(one, 1)).max() for one in off) > 1e-6
    file = tmp_path / "landmarks.json"
    levels = [Level(pose.source, pose, (-9.0, 8.0)) for pose in poses]
    write_landmarks(file, [Landmarks(pose.source, pose, ()) for pose in poses], levels)
    found, read = read_landmarks(file)
    for pose, marks, level in zip(poses, found, read, strict=True):
        assert marks.patient_from_bone.axes == pytest.approx(pose.axes, abs=1e-6)
        assert level.patient_from_level.axes == pytest.approx(pose.axes, abs=1e-6)


@pytest.mark.parametrize("axes", [np.diag([1.0, 1.0, -1.0]), np.eye(3) * 1.001, np.zeros((3, 3))])
def test_axes_that_are_none_are_refused(tmp_path, axes):
    pose = Pose.from_axes(np.eye(3), [1, 2, 3], PATIENT, "L3")
    file = tmp_path / "landmarks.json"
    write_landmarks(file, [Landmarks("L3", pose, ())], [Level("L3", pose, (-9.0, 8.0))])
    content = json.loads(file.read_text())
    for n in range(3):
        content["frames"]["L3"]["patient_from_bone"][n][:3] = axes[n].tolist()
    file.write_text(json.dumps(content))
    with pytest.raises(FrameError, match="right-handed"):
        read_landmarks(file)


def test_axes_read_back_are_square_again(tmp_path):
    axes = Rotation.from_euler("xyz", [31.234, -17.1, 48.7], degrees=True).as_matrix()
    pose = Pose.from_axes(axes, [1, 2, 3], PATIENT, "L3")
    file = tmp_path / "landmarks.json"
    write_landmarks(file, [Landmarks("L3", pose, ())], [Level("L3", pose, (-9.0, 8.0))])
    (found,), (level,) = read_landmarks(file)
    for read in (found.patient_from_bone, level.patient_from_level):
        np.testing.assert_allclose(read.axes @ read.axes.T, np.eye(3), atol=1e-14)
        np.testing.assert_allclose(read.axes, axes, atol=2e-6)


def path(name: str = "L3_left") -> Path:
    return Path(name, "L3", "screw", "left", [0, 0, 0], [0, -40, 0], 6.0)


def test_markup_is_a_line_in_lps():
    markup = atomic.plain(line_markup(path()))["markups"][0]
    assert markup["type"] == "Line"
    assert markup["coordinateSystem"] == "LPS"
    assert [p["position"] for p in markup["controlPoints"]] == [[0, 0, 0], [0, -40, 0]]


def test_colour_table_names_labels():
    volume = ball_volume()
    labels = LabelMap(np.zeros(volume.hu.shape, np.uint16), volume.grid, {20: "L5", 3: "T4"})
    rows = [row.split() for row in colour_table(labels).splitlines()[2:]]
    assert [(row[0], row[1]) for row in rows] == [("3", "T4"), ("20", "L5")]
    assert all(0 <= int(value) <= 255 for row in rows for value in row[2:])


def guide(*items: str) -> Guide:
    vertices, faces = box([0, 0, 0], [1, 1, 1])
    bores = tuple(Feature("bore", item, [0, 0, 0], [0, -1, 0]) for item in items)
    return Guide("L3", "guide", vertices, faces, ("L3",), features=bores)


def test_every_path_stands_in_exactly_one_guide():
    plan = Plan("c", "p", "", "i", "s", paths=(path("a"), path("b"), path("c")))
    found = check_coverage(plan, (guide("a", "b"), guide("b")))
    assert [(f.subject, f.value, f.passed) for f in found] == [
        ("plan.json#a", 1.0, True),
        ("plan.json#b", 2.0, False),
        ("plan.json#c", 0.0, False),
    ]


def test_a_cut_is_carried_by_its_slot_or_by_the_pins_of_a_block():
    cut = Cut("distal_femur_left", "femur_left", [0, 0, 0], [0, 0, -1], 1.3)
    plan = Plan("c", "p", "", "i", "s", cuts=(cut,))
    for kind, value in (("slot", 1.0), ("pinned", 1.0), ("window", 0.0)):
        feature = Feature(kind, cut.name, [0, 0, 0], [0, 1, 0])
        part = replace(guide(), features=(feature,))
        (found,) = check_coverage(plan, (part,))
        assert (found.value, found.passed) == (value, value == 1.0)


def test_no_checks_and_no_number_are_failures(tmp_path):
    folder = CaseFolder(tmp_path)
    for findings in ((), (Finding("min_wall", "guides/L3.stl", math.nan, 2.0, "at_least", "mm"),)):
        write_checks(folder, CheckReport(findings))
        assert json.loads((tmp_path / "checks.json").read_text())["passed"] is False
