"""The written series: where the bone lies, the same bytes twice, valid DICOM."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from guidegen.phantoms.definition import Definition
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.spine import build_scene
from guidegen.phantoms.write import write_phantom

COARSE = ScanOptions(spacing_mm=1.0, slice_mm=2.0, noise_hu=0.0)
OPTIONS = {
    "plain": COARSE,
    "tilted": replace(COARSE, tilt_deg=14.0),
    "oblique": replace(COARSE, oblique_deg=18.0),
    "head_first_down": replace(COARSE, flip="slices"),
    "feet_first": replace(COARSE, flip="feet_first"),
    "prone": replace(COARSE, flip="prone"),
    "prone_feet_first": replace(COARSE, flip="prone_feet_first"),
}


@pytest.fixture(scope="module")
def series(small: Definition, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same vertebra, scanned in every way."""
    root = tmp_path_factory.mktemp("series")
    return {name: write_phantom(small, root / name, o) for name, o in OPTIONS.items()}


def slices(folder: Path) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))]


def bright_points(folder: Path) -> np.ndarray:
    """(N, 3) LPS of all bright pixels, by the DICOM formula alone."""
    found = []
    for ds in slices(folder):
        row, column = np.argwhere(ds.pixel_array * ds.RescaleSlope + ds.RescaleIntercept > 350).T
        across, down = np.array(ds.ImageOrientationPatient, dtype=float).reshape(2, 3)
        found.append(
            np.array(ds.ImagePositionPatient, dtype=float)
            + np.outer(column * float(ds.PixelSpacing[1]), across)
            + np.outer(row * float(ds.PixelSpacing[0]), down)
        )
    return np.concatenate(found)


@pytest.mark.parametrize("name", OPTIONS)
def test_bone_lies_where_the_shapes_say(
    name: str, series: dict[str, Path], small: Definition
) -> None:
    points = bright_points(series[name])
    scene = build_scene(small)
    depth = np.min([solid.measure(points.T)[0] for solid in scene.solids], axis=0)
    assert len(points) > 2000
    assert float(depth.max()) < 1.5
    assert float(np.percentile(depth, 95)) < 0.6


@pytest.mark.parametrize("name", OPTIONS)
def test_truth_does_not_move_with_the_scanner(name: str, series: dict[str, Path]) -> None:
    plain, other = (json.loads((series[n] / "truth.json").read_text()) for n in ("plain", name))
    assert plain.pop("posture") == "supine"
    assert other.pop("posture") == ("prone" if name.startswith("prone") else "supine")
    assert plain == other
    assert plain["schema"] == "guidegen.truth/1"


def test_left_is_left(series: dict[str, Path]) -> None:
    """L3's left pedicle is the wider one: seen at +x in LPS through pydicom."""
    truth = json.loads((series["plain"] / "truth.json").read_text())
    marks = truth["landmarks"]["bones"]["L3"]
    widths = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        pedicle = marks[f"pedicle_{side}"]
        assert np.sign(pedicle["position_mm"][0]) == sign
        widths[side] = pedicle["width_mm"]
    assert widths["left"] - widths["right"] == pytest.approx(1.0, abs=0.1)
    points = bright_points(series["plain"])
    level = np.abs(points[:, 2] - marks["pedicle_left"]["position_mm"][2]) < 1.5
    beside = level & (np.abs(points[:, 1] - marks["pedicle_left"]["position_mm"][1]) < 1.5)
    x = points[beside, 0]
    assert x[(x > 0) & (x < 26)].max() > -x[(x < 0) & (x > -26)].min()


def test_tilt_is_a_constant_shear(series: dict[str, Path]) -> None:
    files = slices(series["tilted"])
    positions = np.array([ds.ImagePositionPatient for ds in files], dtype=float)
    steps = np.diff(positions, axis=0)
    assert np.allclose(steps, [0, 0, 2.0], atol=1e-6)
    across, down = np.array(files[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    lean = np.degrees(np.arccos(np.cross(across, down)[2]))
    assert lean == pytest.approx(14.0, abs=1e-6)
    assert float(files[0].GantryDetectorTilt) == 14.0


def test_same_seed_same_bytes(series: dict[str, Path], small: Definition, tmp_path: Path) -> None:
    again = write_phantom(small, tmp_path / "again", COARSE)
    for path in sorted(series["plain"].iterdir()):
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_uids_are_made_from_the_seed(series: dict[str, Path], small: Definition) -> None:
    files = slices(series["plain"])
    uids = {ds.SOPInstanceUID for ds in files}
    assert len(uids) == len(files)
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in uids)
    assert len({ds.SeriesInstanceUID for ds in files}) == 1
    other = slices(series["oblique"])[0]
    assert other.SeriesInstanceUID != files[0].SeriesInstanceUID


@pytest.mark.parametrize("name", OPTIONS)
def test_dciodvfy_finds_no_error(name: str, series: dict[str, Path]) -> None:
    beside = Path(sys.executable).parent / "dciodvfy"
    program = str(beside) if beside.exists() else shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy (dicom3tools) is not installed")
    for path in sorted(series[name].glob("*.dcm"))[::12]:
        done = subprocess.run([program, str(path)], capture_output=True, text=True)
        assert "CTImage" in done.stdout + done.stderr
        assert "Error" not in done.stdout + done.stderr
