"""A CT from STL surfaces: what is written, what is refused."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from guidegen.errors import InputError
from guidegen.phantoms.meshes import load_bones, render_meshes
from guidegen.phantoms.render import CANCELLOUS_HU, CORTEX_HU
from guidegen.phantoms.scan import ScanOptions
from guidegen.phantoms.write import write_meshes_phantom
from tests.unit.phantoms.conftest import cube

CLEAN = ScanOptions(spacing_mm=1.0, noise_hu=0.0)


def test_cube_becomes_a_scan_with_its_hash(tmp_path: Path) -> None:
    path = cube(tmp_path / "block.stl")
    out = write_meshes_phantom([path], tmp_path / "out", CLEAN)
    truth = json.loads((out / "truth.json").read_text())
    (surface,) = truth["surfaces"]
    assert surface["name"] == "block"
    assert surface["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert surface["volume_mm3"] == pytest.approx(8000.0, rel=1e-5)
    assert len(list(out.glob("*.dcm"))) == 36


@pytest.mark.parametrize("inward", [False, True])
def test_grey_values_fill_the_cube(tmp_path: Path, inward: bool) -> None:
    bones = load_bones([cube(tmp_path / "block.stl", inward=inward)])
    hu, scan = render_meshes(bones, CLEAN, 1)
    at = np.linalg.inv(scan.patient_from_kji) @ np.array([10.0, 10.0, 10.0, 1.0])
    assert hu[tuple(np.rint(at[:3]).astype(int))] == 200
    beside = np.linalg.inv(scan.patient_from_kji) @ np.array([-3.0, 10.0, 10.0, 1.0])
    assert hu[tuple(np.rint(beside[:3]).astype(int))] == 55
    wanted = 20.0**3 * (CORTEX_HU - 55) + 18.0**3 * (CANCELLOUS_HU - CORTEX_HU)
    in_muscle = hu[6:-6, 12:-12, 12:-12].astype(float) - 55
    assert in_muscle.sum() == pytest.approx(wanted, rel=0.03)


def test_same_name_gets_a_number(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = [cube(tmp_path / "a.stl"), cube(tmp_path / "other" / "a.stl")]
    assert [bone.name for bone in load_bones(paths)] == ["a", "a#2"]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"open_side": True}, "closed surface"),
        ({"size_mm": 0.02}, "export it in millimetres"),
        ({"size_mm": 20_000.0}, "export it in millimetres"),
    ],
)
def test_refused_with_one_sentence(tmp_path: Path, made: dict, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        write_meshes_phantom([cube(tmp_path / "bad.stl", **made)], tmp_path / "out")
    assert str(caught.value).startswith("bad.stl")
    assert not (tmp_path / "out").exists()


def test_no_file_and_broken_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one"):
        load_bones([])
    (tmp_path / "x.stl").write_bytes(b"not a surface")
    with pytest.raises(InputError):
        load_bones([tmp_path / "x.stl"])
