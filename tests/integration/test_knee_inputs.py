"""Real knees on thick slices, hip and ankle out of view: planned about the shafts, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from guidegen.cli import main

KINDS = ("femur", "tibia", "fibula", "patella")
slow, ci = pytest.mark.slow, pytest.mark.ci


def _scan(shared: Path, name: str) -> str:
    return str(shared / "ct" / "ibsi_sts" / name)


def _plan(case: Path) -> dict:
    return json.loads((case / "plan.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "bone"),
    [
        pytest.param("STS_047", "femur_right", marks=slow, id="femur"),
        pytest.param("STS_028", "tibia_left", marks=[slow, ci], id="tibia"),
    ],
)
def test_a_knee_alone_gives_a_guide_about_its_shaft(shared_data, tmp_path, capsys, name, bone):
    source, case = _scan(shared_data, name), tmp_path / "case"
    assert main(["plan", "knee", source, "--out", str(case), "-q"]) == 1
    said = capsys.readouterr().err
    assert "--axis anatomical" in said and "another bone" not in said
    assert not case.exists()
    order = ["--axis", "anatomical", "--out", str(case), "--approve-as", "Night", "-q"]
    assert main(["run", "knee", source, *order]) == 0
    plan = _plan(case)
    assert [cut["bone"] for cut in plan["cuts"]] == [bone]
    assert (case / "guides" / f"{bone}.stl").is_file()
    red = {(w["code"], w["subject"]) for w in plan["warnings"] if w.get("red")}
    assert ("anatomical_axis", bone) in red
    assert "thick_slices" in {w["code"] for w in plan["warnings"]}
    assert not any(f"{kind}_a " in w["message"] for w in plan["warnings"] for kind in KINDS)


def test_a_knee_that_the_view_cuts_off_at_its_side_is_refused(shared_data, tmp_path, capsys):
    order = ["--axis", "anatomical", "--out", str(tmp_path / "case"), "-q"]
    assert main(["plan", "knee", _scan(shared_data, "STS_042"), *order]) == 1
    assert "cut off at the side of the field of view" in capsys.readouterr().err
    assert not (tmp_path / "case").exists()


def test_the_wrong_side_is_refused_with_the_side_that_is_shown(shared_data, tmp_path, capsys):
    order = ["--axis", "anatomical", "--side", "left", "--out", str(tmp_path / "case"), "-q"]
    assert main(["plan", "knee", _scan(shared_data, "STS_047"), *order]) == 1
    assert "a left leg was asked for, but" in (said := capsys.readouterr().err)
    assert "give --side right" in said


def test_a_chest_is_no_knee(shared_data, tmp_path, capsys):
    scan = shared_data / "ct" / "tptbox_lumbar_crop_1.5mm" / "sub-ct_label-22_ct.nii.gz"
    assert main(["plan", "knee", str(scan), "--out", str(tmp_path / "case"), "-q"]) == 1
    assert "no bone of a knee can be planned" in capsys.readouterr().err
    assert not (tmp_path / "case").exists()
