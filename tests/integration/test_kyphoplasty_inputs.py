"""Kyphoplasty on input it can't use, through the command line: one sentence, or a note."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from guidegen.cli import main
from guidegen.model.volume import CTVolume
from guidegen.phantoms.catalog import load_definition
from guidegen.phantoms.render import make_volume
from guidegen.phantoms.scan import ScanOptions

COARSE = ScanOptions(spacing_mm=1.0, slice_mm=1.25)
BEHIND_MM = 86.0
"""Behind the spinous processes and 7 mm before the skin of the phantom's back."""


def written(volume: CTVolume, path: Path, last_y_mm: float = np.inf) -> Path:
    """Save a scan as NIfTI without what lies behind a place (LPS y)."""
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.grid.patient_from_kji[:, [2, 1, 0, 3]]
    voxels = np.array(volume.hu.transpose(2, 1, 0))
    y = volume.grid.patient_from_kji[1, 3] + volume.grid.patient_from_kji[1, 1] * np.arange(
        voxels.shape[1]
    )
    kept = np.flatnonzero(y < last_y_mm)
    matrix[:3, 3] += kept[0] * matrix[:3, 1]
    image = nibabel.Nifti1Image(voxels[:, kept[0] : kept[-1] + 1], matrix)
    image.set_sform(matrix, 1)
    image.set_qform(matrix, 1)
    nibabel.save(image, path)
    return path


@pytest.fixture(scope="session")
def wedge(tmp_path_factory: pytest.TempPathFactory) -> CTVolume:
    """T11 to L3 with a fractured L1, coarse; L4 is cut off."""
    return make_volume("fracture_wedge", COARSE)


@pytest.fixture(scope="session")
def scan(wedge: CTVolume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    return written(wedge, tmp_path_factory.mktemp("wedge") / "scan.nii.gz")


def plan(source: Path, out: Path, *further: str, procedure: str = "kyphoplasty") -> int:
    """Plan through the command line."""
    return main(["plan", procedure, str(source), "--out", str(out), "-q", *further])


def refused(source: Path, out: Path, capsys, *further: str, procedure: str = "kyphoplasty") -> str:
    """Plan, and require exit 1, one sentence and no trace of a case."""
    assert plan(source, out, *further, procedure=procedure) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("guidegen: ") and told.err.count("\n") == 1
    assert "Traceback" not in told.err and "bug in guidegen" not in told.err
    assert not out.exists() and not list(out.parent.glob(".*"))
    return told.err


def made(out: Path) -> dict:
    """The plan of a case."""
    return dict(json.loads((out / "plan.json").read_text(encoding="utf-8")))


def told_of(plan: dict, code: str) -> list[dict]:
    """Notices of a kind."""
    return [w for w in plan["warnings"] if w["code"] == code]


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    """A file that is there; what is wrong is found before it is read."""
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(b"")
    return path


def test_an_approach_that_is_none(nothing, tmp_path, capsys):
    told = refused(nothing, tmp_path / "case", capsys, "--approach", "sideways")
    assert "two-sided" in told and "one-sided" in told and "sideways" in told


def test_posture_is_no_question_for_screws(nothing, tmp_path, capsys):
    told = refused(
        nothing, tmp_path / "case", capsys, "--accept-posture", procedure="pedicle-screws"
    )
    assert "--accept-posture" in told and "pedicle-screws" in told


@pytest.mark.parametrize(
    "text, said",
    [
        ("[needle]\nlength = 40\n", "length"),
        ("[needle]\nmin_diameter_mm = 9\n", "min_diameter_mm"),
        ("[needle]\nmin_diameter_mm = 4.0\nmax_diameter_mm = 3.0\n", "min_diameter_mm"),
        ("[needle]\nsagittal_deg = [10, -10]\n", "sagittal_deg"),
        ("[fracture]\nmild_share = 0.5\n", "mild_share"),
        ("template_kind = 'paper'\n", "template_kind"),
    ],
)
def test_settings_that_are_wrong(text, said, nothing, tmp_path, capsys):
    config = tmp_path / "needles.toml"
    config.write_text(text, encoding="utf-8")
    told = refused(nothing, tmp_path / "case", capsys, "--config", str(config))
    assert said in told


@pytest.mark.slow
@pytest.mark.parametrize("level", ["T5", "L4"])
def test_a_level_that_is_not_whole_in_the_scan(level, scan, tmp_path, capsys):
    told = refused(scan, tmp_path / "case", capsys, "--levels", level)
    assert level in told
    if level == "L4":
        assert "cut off" in told


@pytest.mark.slow
def test_skin_out_of_view_is_said_and_the_bone_is_planned(wedge, tmp_path, capsys):
    near = written(wedge, tmp_path / "near.nii.gz", BEHIND_MM)
    assert plan(near, tmp_path / "case", "--levels", "L1") == 0
    found = made(tmp_path / "case")
    assert [p["name"] for p in found["paths"]] == ["L1_left", "L1_right"]
    assert all(p["skin_mm"] is None and "skin_to_bone_mm" not in p for p in found["paths"])
    (said,) = told_of(found, "skin_out_of_view")
    assert "only the way in bone is planned" in said["message"]
    assert told_of(found, "template_refused") and found["template"]["kind"] == "none"
    assert "skin" not in [bone["name"] for bone in found["bones"]]


@pytest.mark.slow
def test_a_level_without_a_fracture_is_planned_with_a_note(tmp_path):
    definition = load_definition("lumbar")
    assert not definition.change.get("L3") or not definition.change["L3"].fractured
    source = written(make_volume("lumbar", COARSE), tmp_path / "lumbar.nii.gz")
    assert plan(source, tmp_path / "case", "--levels", "L3") == 0
    found = made(tmp_path / "case")
    (said,) = told_of(found, "no_fracture")
    assert "make sure that this is the level meant" in said["message"]
    assert [p["grade"] for p in found["paths"]] == ["A", "A"]
