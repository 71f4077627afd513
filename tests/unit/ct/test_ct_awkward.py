"""Every awkward file and folder ends in the right volume or in one clear sentence."""

import shutil
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from guidegen.ct.inspect import list_series
from guidegen.ct.reader import read_ct
from guidegen.errors import GuidegenError, IncompleteSeries, InputError, UnsupportedScan

AWKWARD = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "awkward"
EVERYTHING = sorted(AWKWARD.rglob("*")) if AWKWARD.is_dir() else []

pytestmark = pytest.mark.skipif(not EVERYTHING, reason="../shared/data/awkward is not here")


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda p: p.relative_to(AWKWARD).as_posix())
def test_volume_or_one_sentence(path, capfd):
    try:
        read_ct(path)
    except GuidegenError as error:
        message = str(error)
        assert "\n" not in message and ": " in message and path.stem not in message
        assert isinstance(error, InputError)
    try:
        reports = list_series(path)
    except InputError:
        reports = ()
    for report in reports:
        assert report.reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("folder", "kind", "sentence"),
    [
        ("dcm_qa_ct_GE", IncompleteSeries, "7 mm apart, expected 4 mm"),
        ("dicom2nifti_failing/gantrytilting", UnsupportedScan, "4 slices over 19.4 mm"),
        ("dicom2nifti_failing/notavolume", IncompleteSeries, "same position"),
        ("dicom2nifti_failing/slicecount/001", UnsupportedScan, "modality MR"),
        (
            "dicom2nifti_failing/sliceincrement/001",
            IncompleteSeries,
            "slices 3 and 4 are 10 mm apart, expected 5 mm: the series is incomplete",
        ),
        ("dicom2nifti_failing/sliceincrement/002", IncompleteSeries, "1.5 mm apart, expected 0.75"),
        ("dicom2nifti_failing/sliceorientation", UnsupportedScan, "modality MR"),
        ("pydicom/eCT_Supplemental.dcm", UnsupportedScan, "2 slices"),
        ("pydicom/MR_truncated.dcm", UnsupportedScan, "modality MR"),
        ("nema_wg04_ct/CT1_UNC.zst", InputError, "unpack it first"),
    ],
)
def test_known_reasons(folder, kind, sentence):
    with pytest.raises(kind) as caught:
        read_ct(AWKWARD / folder)
    assert sentence in str(caught.value)


def stack_of(file: Path, folder: Path, n: int = 12) -> Path:
    """A volume made of copies of one real slice, so that its pixels are decoded."""
    folder.mkdir()
    for k in range(n):
        data = pydicom.dcmread(file)
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.InstanceNumber = k + 1
        x, y, _ = data.ImagePositionPatient
        data.ImagePositionPatient = [x, y, 2 * k]
        data.save_as(folder / f"{k:02d}", enforce_file_format=False)
    return folder


LOSSLESS = [
    "BigEndian",
    "Deflated",
    "JPEG2000LosslessOnly",
    "JPEGLSLossless",
    "JPEGProcess14SV1",
    "RLE",
]
LOSSLESS += ["JPEGProcess14Transfer", "LittleEndianExplicit", "LittleEndianImplicit"]


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_syntaxes_equal_the_uncompressed(name, tmp_path):
    base = AWKWARD / "cornerstone_transfer_syntaxes"
    file = next(base.glob(f"CTImage.dcm_{name}*"))
    expected = read_ct(stack_of(base / "CTImage.dcm", tmp_path / "plain"))
    found = read_ct(stack_of(file, tmp_path / "packed"))
    assert np.array_equal(found.hu, expected.hu)
    assert "lossy_compression" not in [n.code for n in found.info.notices]
    assert found.hu.min() == -1024


@pytest.mark.parametrize("name", ["JPEG2000Transfer", "JPEGLSLossy", "JPEGProcess1Transfer"])
def test_lossy_syntaxes_come_near_and_warn(name, tmp_path):
    base = AWKWARD / "cornerstone_transfer_syntaxes"
    file = next(base.glob(f"CTImage.dcm_{name}*"))
    expected = read_ct(stack_of(base / "CTImage.dcm", tmp_path / "plain"))
    found = read_ct(stack_of(file, tmp_path / "packed"))
    inside = expected.hu > -900
    assert np.median(np.abs(found.hu[inside].astype(int) - expected.hu[inside])) < 25
    assert "lossy_compression" in [n.code for n in found.info.notices]


@pytest.mark.parametrize("name", ["JPEGProcess10_12", "JPEGProcess2_4", "JPEGProcess6_8"])
def test_twelve_bit_jpeg_comes_near_and_warns(name, tmp_path, capfd):
    base = AWKWARD / "cornerstone_transfer_syntaxes"
    expected = read_ct(stack_of(base / "CTImage.dcm", tmp_path / "plain"))
    found = read_ct(stack_of(next(base.glob(f"CTImage.dcm_{name}*")), tmp_path / "packed"))
    inside = expected.hu > -900
    off = np.abs(found.hu[inside].astype(int) - expected.hu[inside])
    assert np.median(off) <= 4 and off.max() <= 40
    assert "lossy_compression" in [n.code for n in found.info.notices]
    assert capfd.readouterr() == ("", "")


def test_a_cut_twelve_bit_jpeg_is_refused(tmp_path):
    file = next((AWKWARD / "cornerstone_transfer_syntaxes").glob("CTImage.dcm_JPEGProcess2_4*"))
    folder = stack_of(file, tmp_path / "a")
    data = pydicom.dcmread(folder / "05")
    data.Rows = 600
    data.save_as(folder / "05", enforce_file_format=False)
    with pytest.raises(InputError):
        read_ct(folder)


@pytest.mark.parametrize("slice_name", ["CT1", "CT2"])
@pytest.mark.parametrize("syntax", ["JLSL", "JPLL", "RLE"])
def test_nema_lossless_agree(slice_name, syntax, tmp_path):
    base = AWKWARD / "nema_wg04_ct"
    expected = read_ct(stack_of(base / f"{slice_name}_J2KR", tmp_path / "plain"))
    found = read_ct(stack_of(base / f"{slice_name}_{syntax}", tmp_path / "packed"))
    assert np.array_equal(found.hu, expected.hu)


def test_sign_mismatch_of_jpeg2000(tmp_path):
    volume = read_ct(stack_of(AWKWARD / "pydicom" / "J2K_pixelrep_mismatch.dcm", tmp_path / "a"))
    assert -1100 < volume.hu.min() <= -1024 and 1500 < volume.hu.max() < 2000
    assert {"thick_slices", "gantry_tilt"} <= {n.code for n in volume.info.notices}
    assert volume.hu.shape[2] == 512


def test_flipped_columns_of_a_real_header(tmp_path):
    """ImageOrientationPatient 1 0 0 0 -1 0: the volume is flipped, its place is kept."""
    file = AWKWARD / "pydicom" / "explicit_VR-UN.dcm"
    volume = read_ct(stack_of(file, tmp_path / "a"))
    stored = pydicom.dcmread(file).pixel_array
    row, column = 100, 300
    k, j, i = np.rint(volume.grid.kji((column * 0.859375, -row * 0.859375, 8.0))).astype(int)
    assert volume.hu[k, j, i] == stored[row, column]


def test_real_tilt_is_as_stated(tmp_path):
    for number in range(1, 14):
        shutil.copy(AWKWARD / "dcm_qa_ct_GE" / f"{number:02d}.dcm", tmp_path)
    volume = read_ct(tmp_path)
    tilt = next(n for n in volume.info.notices if n.code == "gantry_tilt")
    assert "18.5 deg" in tilt.message
    assert volume.grid.spacing_kji_mm == pytest.approx([4.002, 0.48828, 0.48828], abs=2e-3)
    # the same place of the patient in the file and in the straightened volume
    for number, k in ((1, 0), (7, 6), (13, 12)):
        data = pydicom.dcmread(tmp_path / f"{number:02d}.dcm")
        cosines = np.array(data.ImageOrientationPatient, float).reshape(2, 3)
        stored = data.pixel_array.astype(float)
        j, i = np.mgrid[140:370:5, 140:370:5]
        points = np.array(data.ImagePositionPatient, float) + 0.4882812 * (
            i[..., None] * cosines[0] + j[..., None] * cosines[1]
        )
        kji = volume.grid.kji(points)
        assert np.abs(kji[..., 0] - k).max() < 0.01
        j0 = np.floor(kji[..., 1]).astype(int)
        share = kji[..., 1] - j0
        i0 = np.rint(kji[..., 2]).astype(int)
        found = (1 - share) * volume.hu[k, j0, i0] + share * volume.hu[k, j0 + 1, i0]
        assert np.corrcoef(found.ravel(), stored[j, i].ravel())[0, 1] > 0.97


def test_ground_truth_of_a_tilted_series():
    """dicom2nifti's straightened volume lies on the same oblique axes as ours would."""
    from guidegen.ct.headers import read_headers
    from guidegen.ct.series import find_series
    from guidegen.ct.source import FolderSource

    base = AWKWARD / "dicom2nifti_failing" / "sliceincrement"
    headers = read_headers(FolderSource.walk(base / "002"))
    series = find_series(headers, lambda a, b: False)[0]
    truth = nibabel.load(base / "002_ground_truth.nii.gz").affine[:3, :3]
    truth = np.diag([-1, -1, 1]) @ truth / np.linalg.norm(truth, axis=0)
    ours = np.array(series.slices[0].orientation).reshape(2, 3)
    assert np.abs(truth[:, 0] @ ours[0]) == pytest.approx(1, abs=1e-3)
    assert np.abs(truth[:, 1] @ ours[1]) == pytest.approx(1, abs=1e-3)


def test_lidc_zip_and_ibsi(shared_data):
    volume = read_ct(shared_data / "ct" / "lidc_0314_thorax_1.0mm.zip")
    assert volume.hu.shape == (275, 512, 512) and volume.info.notices == ()
    assert volume.grid.patient((0, 0, 0)) == pytest.approx([-201, -59, -679.8], abs=1e-3)
    assert (volume.hu.min(), volume.hu.max()) == (-1000, 1979)
    for name in ("STS_047", "STS_028", "STS_042"):
        knee = read_ct(shared_data / "ct" / "ibsi_sts" / name)
        assert [n.code for n in knee.info.notices] == ["thick_slices"]
