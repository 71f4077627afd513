"""NIfTI and NRRD volumes, canonical order."""

import bz2
import gzip
import tracemalloc

import nibabel
import nrrd
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from guidegen.ct.inspect import list_series
from guidegen.ct.orient import patient_like
from guidegen.ct.reader import read_case_volume, read_ct
from guidegen.errors import InputError, UnsupportedScan

OBLIQUE = Rotation.from_euler("xyz", (12, -20, 25), degrees=True).as_matrix()
SHAPE = (70, 64, 60)


def lps_affine(turn=None, steps=(1.0, 1.1, 1.2)):
    """(4, 4) voxel to LPS, the grid centred on 0."""
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) if turn is None else turn) * np.array(steps)
    matrix[:3, 3] = -matrix[:3, :3] @ (np.array(SHAPE) - 1) / 2
    return matrix


def values_on(matrix, hu_at):
    ijk = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"), -1)
    return np.rint(hu_at(ijk @ matrix[:3, :3].T + matrix[:3, 3])).astype(np.int16)


def nifti(path, values, matrix, sform=2, qform=1, kind=nibabel.Nifti1Image):
    ras = np.diag([-1, -1, 1, 1]) @ matrix
    image = kind(values, ras)
    image.header.set_sform(ras, sform)
    if qform is not None:
        image.header.set_qform(ras, qform)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


TURNS = {
    "identity": np.eye(3),
    "flipped": np.diag([-1.0, -1.0, 1.0]),
    "left-handed": np.diag([-1.0, 1.0, 1.0]),
    "permuted": np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]),
    "oblique": OBLIQUE,
}


@pytest.mark.parametrize("name", TURNS)
@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", "_ras.nrrd", "_las.nrrd"])
def test_body_lies_where_it_is(name, ending, tmp_path, hu_at, centres, truth_mm):
    matrix = lps_affine(TURNS[name])
    values, path = values_on(matrix, hu_at), tmp_path / f"ct{ending}"
    if ending.startswith(".nii"):
        nifti(path, values, matrix)
    else:
        space, flip = {
            ".nrrd": ("left-posterior-superior", (1, 1, 1)),
            "_ras.nrrd": ("right-anterior-superior", (-1, -1, 1)),
            "_las.nrrd": ("LAS", (1, -1, 1)),
        }[ending]
        header = {
            "space": space,
            "space directions": (np.array(flip)[:, None] * matrix[:3, :3]).T,
            "space origin": np.array(flip) * matrix[:3, 3],
            "kinds": ["domain"] * 3,
        }
        nrrd.write(str(path), values, header)
    volume = read_ct(path)
    assert np.abs(centres(volume) - truth_mm).max() < 0.05
    assert volume.info.source == ("nifti" if "nii" in ending else "nrrd")
    assert read_case_volume(path).sha256() == volume.sha256() if "nii" in ending else True
    assert list_series(path)[0].chosen


def test_scaled_and_float_values(tmp_path, hu_at):
    matrix = lps_affine()
    values = values_on(matrix, hu_at)
    plain = read_ct(nifti(tmp_path / "a.nii", values, matrix))
    floats = values.astype(np.float64) + 0.3
    floats[0, 0, :3] = np.nan
    same = read_ct(nifti(tmp_path / "b.nii", floats, matrix))
    different = same.hu != plain.hu
    assert different.sum() == 3 and (same.hu[different] == -1024).all()
    image = nibabel.Nifti1Image(values.astype(np.int32), np.diag([-1, -1, 1, 1]) @ matrix)
    image.header.set_data_dtype(np.uint8)  # nibabel finds slope and intercept
    image.header.set_qform(image.affine, 1)
    nibabel.save(image, tmp_path / "c.nii")
    assert np.abs(read_ct(tmp_path / "c.nii").hu - plain.hu).max() <= 5
    second = nifti(tmp_path / "d.nii.gz", values[..., None], matrix, kind=nibabel.Nifti2Image)
    assert np.array_equal(read_ct(second).hu, plain.hu)


def bad_nifti(case, values, matrix, path):
    ras = np.diag([-1, -1, 1, 1]) @ matrix
    image = nibabel.Nifti1Image(values, ras)
    if case == "no forms":
        image.header.set_sform(None, 0)
        image.header.set_qform(None, 0)
        image = nibabel.Nifti1Image(values, None, image.header)
    elif case == "disagree":
        image.header.set_sform(ras, 1)
        moved = ras.copy()
        moved[0, 3] += 0.5
        image.header.set_qform(moved, 1)
    elif case == "sheared":
        sheared = ras.copy()
        sheared[1, 2] += 0.3
        image = nibabel.Nifti1Image(values, sheared)
    elif case == "4D":
        image = nibabel.Nifti1Image(np.stack([values, values], -1), ras)
    elif case == "2D":
        image = nibabel.Nifti1Image(values[..., :1], ras)
    elif case == "unit":
        image.header.set_xyzt_units("meter")
    elif case == "mr":
        image = nibabel.Nifti1Image(np.abs(values), ras)
    elif case == "normalised":
        image = nibabel.Nifti1Image((values / 2000).astype(np.float32), ras)
    elif case == "rgb":
        rgb = np.zeros(values.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
        image = nibabel.Nifti1Image(rgb, ras)
    elif case == "nan":
        image.header["srow_x"] = np.nan
        image.header["sform_code"] = 1
        nibabel.save(image, path)
        content = bytearray(path.read_bytes())
        content[280:284] = np.float32(np.nan).tobytes()
        path.write_bytes(content)
        return
    nibabel.save(image, path)


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("no forms", "neither sform nor qform"),
        ("disagree", r"disagree by 0\.5 mm"),
        ("sheared", "sheared"),
        ("4D", "dimensions"),
        ("2D", "at least 10 voxels"),
        ("unit", "meter"),
        ("mr", "Hounsfield"),
        ("normalised", "Hounsfield"),
        ("rgb", "colours"),
        ("nan", "no number"),
    ],
)
def test_nifti_that_is_refused(case, sentence, tmp_path, hu_at):
    matrix = lps_affine()
    bad_nifti(case, values_on(matrix, hu_at), matrix, tmp_path / "a.nii")
    with pytest.raises(InputError, match=sentence):
        read_ct(tmp_path / "a.nii")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"space": None}, "missing or unknown"),
        ({"space": "scanner-xyz"}, "scanner-xyz"),
        ({"space origin": None}, "origin"),
        ({"space directions": None}, "directions"),
        ({"space directions": np.array([[1, 0, 0], [0.3, 1, 0], [0, 0, 1.0]])}, "sheared"),
        ({"space units": ["cm", "cm", "cm"]}, "mm"),
    ],
)
def test_nrrd_that_is_refused(change, sentence, tmp_path, hu_at):
    matrix = lps_affine()
    header = {
        "space": "left-posterior-superior",
        "space directions": matrix[:3, :3].T,
        "space origin": matrix[:3, 3],
        **change,
    }
    header = {key: value for key, value in header.items() if value is not None}
    if "space" not in header:
        header["space dimension"] = 3
    nrrd.write(str(tmp_path / "a.nrrd"), values_on(matrix, hu_at), header)
    with pytest.raises(InputError, match=sentence):
        read_ct(tmp_path / "a.nrrd")


def test_sheared_is_unsupported(tmp_path, hu_at):
    matrix = lps_affine()
    bad_nifti("sheared", values_on(matrix, hu_at), matrix, tmp_path / "a.nii")
    with pytest.raises(UnsupportedScan):
        read_ct(tmp_path / "a.nii")


def test_patient_like_moves_no_voxel():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(4, 5, 6))
    for turn in TURNS.values():
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = turn * (1, 2, 3), (7, 8, 9)
        turned, new = patient_like(values, matrix)
        for index in ((0, 0, 0), (3, 4, 5), (1, 0, 2)):
            point = matrix @ (*index, 1)
            there = np.rint(np.linalg.solve(new, point))[:3].astype(int)
            assert turned[tuple(there)] == values[index]
        assert new[2, 0] > 0 and new[1, 1] > 0 and new[0, 2] > 0


HEAD = (
    b"NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 20 20 20\n"
    b"space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nendian: little\n"
)


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("bzip2", bz2.compress)])
def test_packed_nrrd_holds_what_its_header_states(name, pack, tmp_path):
    values = (np.indices((20, 20, 20)).sum(axis=0) * 60 - 1000).astype("<i2").tobytes()
    path = tmp_path / "a.nrrd"
    for data, sentence in (
        (values, None),
        (values + b"\0\0", "more data than its header states"),
        (values[:-2], "could not be read"),
        (bytes(300_000_000), "more data than its header states"),
    ):
        path.write_bytes(HEAD + f"encoding: {name}\n\n".encode() + pack(data))
        if sentence is None:
            assert read_ct(path).hu.shape == (20, 20, 20)
            continue
        tracemalloc.start()
        with pytest.raises(InputError, match=sentence):
            read_ct(path)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
        tracemalloc.stop()


def test_a_nifti_that_claims_too_much_is_not_even_tried(tmp_path):
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((12, 12, 12), np.float64), np.eye(4)), path)
    content = bytearray(path.read_bytes())
    content[40:48] = np.array([3, 1000, 1000, 1000], "<i2").tobytes()
    path.write_bytes(content)
    with pytest.raises(InputError, match="claims 1000 x 1000 x 1000 voxels"):
        read_ct(path)
