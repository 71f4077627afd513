"""The whole flow on a ball of bone: files, approval, failed checks, planning again."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from guidegen import __version__
from guidegen.ct.labels import read_segmentation
from guidegen.ct.reader import read_case_volume
from guidegen.errors import AnatomyError, InputError, NotApproved
from guidegen.export.approval import approve
from guidegen.export.folder import CaseFolder
from guidegen.export.order import Order
from guidegen.export.plan_json import read_plan
from guidegen.flow import build_case, plan_case, replan_case
from guidegen.mesh.io import read_stl
from tests.fake_procedure import CENTRE_MM, RADIUS_MM

PLANNED_FILES = {
    "case.toml",
    "ct.nii.gz",
    "landmarks.json",
    "plan.json",
    "report.html",
    "bones/L3.stl",
    "bones/segmentation.nii.gz",
    "bones/segmentation.json",
    "slicer/L3_left.mrk.json",
    "slicer/bone_L3.stl",
    "slicer/labels.nii.gz",
    "slicer/labels.ctbl",
}
BUILT_FILES = {
    "approval.json",
    "checks.json",
    "manifest.json",
    "guides/L3.stl",
    "guides/L3.3mf",
    "models/L3.stl",
}


def files(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()} - {"log.txt"}


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def settings(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return path


def test_plan_writes_the_contracts_files(planned):
    assert files(planned) == PLANNED_FILES
    content = json.loads((planned / "plan.json").read_text())
    assert content["schema"] == "guidegen.plan/1"
    assert content["case_id"] == "demo"
    assert content["frame"] == {"system": "LPS", "unit": "mm", "frame_of_reference": ""}
    assert content["bones"][0]["sha256"] == sha(planned / "bones" / "L3.stl")
    assert content["files"]["ct.nii.gz"] == sha(planned / "ct.nii.gz")
    path = content["paths"][0]
    assert path["length_mm"] == pytest.approx(20.0)
    assert path["mean_hu"] == 700.0
    assert content["skipped"][0]["corridor_diameter_mm"] == 4.4


def test_surfaces_volume_and_labels_lie_on_each_other(planned):
    vertices, _ = read_stl(planned / "bones" / "L3.stl")
    radius = np.linalg.norm(vertices - CENTRE_MM, axis=1)
    assert abs(radius.mean() - RADIUS_MM) < 0.3
    volume = read_case_volume(planned / "ct.nii.gz")
    labels = read_segmentation(
        planned / "bones" / "segmentation.nii.gz", planned / "bones" / "segmentation.json"
    )
    assert labels.names == {7: "L3"}
    for values, grid in ((volume.hu > 350, volume.grid), (labels.labels == 7, labels.grid)):
        centre = grid.patient(np.argwhere(values)).mean(axis=0)
        np.testing.assert_allclose(centre, CENTRE_MM, atol=0.1)


def test_case_ct_is_a_crop_with_one_affine(planned):
    image = nibabel.load(planned / "ct.nii.gz")
    assert image.get_data_dtype() == np.int16
    np.testing.assert_allclose(image.get_sform(), image.get_qform(), atol=1e-4)
    assert max(image.shape) * 1.5 < 2 * (RADIUS_MM + 25) + 6
    assert bytes(image.header["descrip"]).strip(b"\0") == b""


def test_build_needs_approval_then_makes_everything(planned):
    with pytest.raises(NotApproved):
        build_case(planned)
    approve(CaseFolder(planned), "A. Surgeon")
    report = build_case(planned)
    assert report.passed
    extra = {"slicer/guide_L3.stl", "slicer/model_L3.stl"}
    assert files(planned) == PLANNED_FILES | BUILT_FILES | extra
    manifest = json.loads((planned / "manifest.json").read_text())
    assert manifest["schema"] == "guidegen.manifest/1"
    listed = {entry["file"]: entry for entry in manifest["files"]}
    assert set(listed) == files(planned) - {"manifest.json"}
    for name, entry in listed.items():
        assert entry["sha256"] == sha(planned / name), name
    guide = listed["guides/L3.stl"]
    assert guide["role"] == "guide"
    assert guide["paths"] == [
        {
            "name": "L3_left",
            "bore_diameter_mm": 2.9,
            "sleeve_length_mm": 20.0,
            "sleeve_outer_mm": 8.0,
        }
    ]
    assert guide["plan_sha256"] == sha(planned / "plan.json")
    assert guide["label"] == f"demo L3 {guide['plan_sha256'][:4]}"
    np.testing.assert_allclose(guide["insertion_direction"], [0, -1, 0])
    checks = json.loads((planned / "checks.json").read_text())
    assert checks["passed"] is True
    assert {c["code"] for c in checks["checks"]} == {"ball", "path_in_one_guide"}


@pytest.mark.parametrize(
    "name",
    ["plan.json", "bones/L3.stl", "bones/segmentation.nii.gz", "landmarks.json", "ct.nii.gz"],
)
def test_any_edit_ends_the_approval(planned, name):
    approve(CaseFolder(planned), "A. Surgeon")
    with (planned / name).open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(NotApproved):
        build_case(planned)
    assert not (planned / "guides").exists()


def test_changed_settings_end_the_approval(planned):
    approve(CaseFolder(planned), "A. Surgeon")
    record = planned / "case.toml"
    record.write_text(record.read_text().replace("diameter_mm = 6.0", "diameter_mm = 6.5"))
    with pytest.raises(NotApproved, match="settings"):
        build_case(planned)
    with pytest.raises(NotApproved, match="settings"):
        approve(CaseFolder(planned), "A. Surgeon")


def test_an_edited_plan_can_be_approved_again(planned):
    content = json.loads((planned / "plan.json").read_text())
    content["paths"][0]["tip_mm"][0] += 1.0
    content["paths"][0]["note"] = "moved by hand"
    (planned / "plan.json").write_text(json.dumps(content))
    approve(CaseFolder(planned), "A. Surgeon")
    assert build_case(planned).passed
    assert read_plan(planned / "plan.json").paths[0].extra["note"] == "moved by hand"


def test_a_failed_part_is_not_exported_and_the_rest_is(tmp_path, ball, ball_ct):
    config = settings(tmp_path, 'failing = ["guides/L3.stl"]')
    out = tmp_path / "case"
    plan_case(Order("ball", ball_ct, out, config=config))
    approve(CaseFolder(out), "A. Surgeon")
    assert not build_case(out).passed
    assert not (out / "guides" / "L3.stl").exists()
    assert not (out / "guides" / "L3.3mf").exists()
    assert (out / "models" / "L3.stl").exists()
    assert json.loads((out / "checks.json").read_text())["passed"] is False
    listed = [e["file"] for e in json.loads((out / "manifest.json").read_text())["files"]]
    assert "guides/L3.stl" not in listed
    assert not list(out.glob(".staging*"))


def test_planning_again_uses_the_corrected_label_map(planned):
    approve(CaseFolder(planned), "A. Surgeon")
    build_case(planned)
    path = planned / "bones" / "segmentation.nii.gz"
    image = nibabel.load(path)
    values = np.asarray(image.dataobj).copy()
    values[values.shape[0] // 2 :] = 0
    nibabel.save(nibabel.Nifti1Image(values, image.affine, image.header), path)
    before = read_plan(planned / "plan.json")
    after = replan_case(planned)
    assert not (planned / "approval.json").exists()
    assert not (planned / "guides" / "L3.stl").exists()
    assert not (planned / "manifest.json").exists()
    assert after.input_sha256 == before.input_sha256
    assert after.settings_sha256 == before.settings_sha256
    assert abs(after.paths[0].entry_mm[0] - before.paths[0].entry_mm[0]) > 3
    codes = [notice.code for notice in after.warnings]
    assert codes == [notice.code for notice in before.warnings]
    with pytest.raises(NotApproved):
        build_case(planned)


def test_planning_twice_gives_the_same_bytes(tmp_path, ball, ball_ct):
    for name in ("a", "b"):
        plan_case(Order("ball", ball_ct, tmp_path / name / "case"))
    one, other = tmp_path / "a" / "case", tmp_path / "b" / "case"
    for name in PLANNED_FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_a_full_folder_needs_force_and_loses_the_old_approval(planned, ball_ct):
    approve(CaseFolder(planned), "A. Surgeon")
    with pytest.raises(InputError, match="--force"):
        plan_case(Order("ball", ball_ct, planned))
    assert (planned / "approval.json").exists()
    plan_case(Order("ball", ball_ct, planned, force=True))
    assert not (planned / "approval.json").exists()


def test_force_never_touches_a_folder_that_is_no_case(tmp_path, ball, ball_ct):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="holds files"):
        plan_case(Order("ball", ball_ct, tmp_path, force=True))


def test_a_failed_plan_leaves_the_old_case_alone_and_no_new_folder(tmp_path, planned, ball_ct):
    empty = tmp_path / "empty.nii.gz"
    image = nibabel.load(ball_ct)
    values = np.minimum(np.asarray(image.dataobj), 300).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, image.affine), empty)
    before = {name: (planned / name).read_bytes() for name in PLANNED_FILES}
    for out, force in ((planned, True), (tmp_path / "new", False)):
        with pytest.raises(AnatomyError):
            plan_case(Order("ball", empty, out, force=force))
    assert {name: (planned / name).read_bytes() for name in PLANNED_FILES} == before
    assert not (tmp_path / "new").exists()


def test_out_is_a_file(tmp_path, ball, ball_ct):
    (tmp_path / "case").write_text("")
    with pytest.raises(InputError, match="is a file"):
        plan_case(Order("ball", ball_ct, tmp_path / "case"))


def test_nothing_in_a_case_names_the_input(planned):
    approve(CaseFolder(planned), "A. Surgeon")
    build_case(planned)
    for path in planned.rglob("*"):
        assert "Mustermann" not in path.name
        if path.is_file():
            assert b"Mustermann" not in path.read_bytes(), path


def test_case_toml_holds_the_run(planned):
    content = tomllib.loads((planned / "case.toml").read_text())
    assert content["procedure"] == "ball"
    assert content["settings"]["guide"]["fit_gap_mm"] == 0.2
    assert content["versions"]["guidegen"]
    assert content["seeds"] == {"all": 0}
    assert len(content["input"]["sha256"]) == 64


def test_optional_options_reach_the_procedure_also_when_planned_again(
    tmp_path, ball, ball_ct, monkeypatch
):
    monkeypatch.setattr(type(ball), "takes", frozenset({"approach", "accept_posture"}))
    found, seen = ball.find_anatomy, []

    def looked(volume, options, settings, progress):
        seen.append((options.approach, options.accept_posture))
        return found(volume, options, settings, progress)

    ball.find_anatomy = looked
    out = tmp_path / "case"
    plan_case(Order("ball", ball_ct, out, approach="one-sided", accept_posture=True))
    options = tomllib.loads((out / "case.toml").read_text())["options"]
    assert options == {"side": "both", "approach": "one-sided", "accept_posture": True}
    replan_case(out)
    assert seen == [("one-sided", True)] * 2
    text = (out / "case.toml").read_text()
    (out / "case.toml").write_text(text.replace("one-sided", "no-sided"))
    with pytest.raises(InputError, match="two-sided, one-sided or extrapedicular, found no-sided"):
        replan_case(out)
    (out / "case.toml").write_text(text.replace("accept_posture", "accept_pasture"))
    with pytest.raises(InputError, match=r"options\.accept_pasture"):
        replan_case(out)


def test_what_nobody_corrected_is_not_found_again(tmp_path, ball, ball_ct):
    found, seen = ball.find_anatomy, []

    def looked(volume, options, *further):
        seen.append(options.earlier)
        return found(volume, options, *further)

    ball.find_anatomy = looked
    out = tmp_path / "case"
    first = plan_case(Order("ball", ball_ct, out))
    replan_case(out)
    assert seen[0] is None
    assert [bone.name for bone in seen[1].bones] == [bone.name for bone in first.bones]
    assert [level.name for level in seen[1].spine.levels] == ["L3"]
    names = (out / "bones" / "segmentation.json").read_text()
    for file, content in {
        "bones/segmentation.json": names.replace('"L3"', '"L2"'),
        "bones/L3.stl": None,
        "plan.json": "{}",
    }.items():
        replan_case(out)
        path = out / file
        path.unlink() if content is None else path.write_text(content)
        replan_case(out)
        assert seen[-2] is not None, file
        assert seen[-1] is None, file
        path.write_text(names) if file.endswith("tion.json") else None
        replan_case(out)


def test_another_version_finds_everything_again(tmp_path, ball, ball_ct):
    found, seen = ball.find_anatomy, []

    def looked(volume, options, *further):
        seen.append(options.earlier)
        return found(volume, options, *further)

    ball.find_anatomy = looked
    out = tmp_path / "case"
    plan_case(Order("ball", ball_ct, out))
    text = (out / "case.toml").read_text()
    version = f'guidegen = "{__version__}"'
    assert version in text
    (out / "case.toml").write_text(text.replace(version, 'guidegen = "0.0.1"'))
    replan_case(out)
    assert seen == [None, None]


def test_a_case_without_the_optional_options_is_read_and_hashes_as_before(planned, ball):
    assert tomllib.loads((planned / "case.toml").read_text())["options"] == {"side": "both"}
    before = read_plan(planned / "plan.json").settings_sha256
    assert replan_case(planned).settings_sha256 == before


@pytest.mark.parametrize(
    ("given", "takes", "sentence"),
    [
        ({"side": "top"}, (), "--side wants left, right or both, found top"),
        (
            {"approach": "frontal"},
            ("approach",),
            "--approach wants two-sided, one-sided or extrapedicular, found frontal",
        ),
        ({"side": "left"}, ("approach",), "ball has no use for --side: leave it out"),
        ({"approach": "one-sided"}, (), "ball has no use for --approach: leave it out"),
        ({"approach": "one-sided"}, ("accept_posture",), "ball has no use for --approach"),
        ({"accept_posture": True}, ("approach",), "ball has no use for --accept-posture"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_the_scan_is_read(
    tmp_path, ball, ball_ct, monkeypatch, given, takes, sentence
):
    monkeypatch.setattr(type(ball), "takes", frozenset(takes))
    with pytest.raises(InputError, match=sentence):
        plan_case(Order("ball", ball_ct, tmp_path / "case", **given))
    assert not (tmp_path / "case").exists()


def test_the_table_of_the_whole_scan_is_remembered_when_planned_again(tmp_path, ball, ball_ct):
    found, seen = ball.find_anatomy, []

    def looked(volume, *further):
        seen.append(volume.info.table)
        return replace(found(volume, *further), table=volume.info.table or "back")

    ball.find_anatomy = looked
    out = tmp_path / "case"
    plan_case(Order("ball", ball_ct, out))
    replan_case(out)
    replan_case(out)
    assert seen == [None, "back", "back"]
    text = (out / "case.toml").read_text()
    (out / "case.toml").write_text(text.replace('table = "back"', 'table = "left"'))
    with pytest.raises(InputError, match=r"input\.table"):
        replan_case(out)


def test_an_unanchored_count_stays_a_red_warning_when_planned_again(tmp_path, ball, ball_ct):
    found = ball.find_anatomy

    def unanchored(*arguments):
        anatomy = found(*arguments)
        return replace(anatomy, found=replace(anatomy.found, anchored=False))

    ball.find_anatomy = unanchored
    out = tmp_path / "case"
    plan_case(Order("ball", ball_ct, out))
    again = replan_case(out)
    assert [n.code for n in again.warnings if n.red] == ["unanchored_levels"]
    with pytest.raises(NotApproved, match="--accept unanchored_levels:"):
        approve(CaseFolder(out), "A. Surgeon")
