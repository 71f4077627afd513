"""Missing, doubled, uneven and mixed slices; the choice among series; clear refusals."""

import io
import zipfile

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import generate_uid

from guidegen.ct.choice import is_sharp
from guidegen.ct.headers import _position
from guidegen.ct.inspect import list_series
from guidegen.ct.reader import read_case_volume, read_ct
from guidegen.errors import GuidegenError, IncompleteSeries, InputError, UnsupportedScan


def zipped(folder, path, extra=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                out.write(file, file.relative_to(folder).as_posix())
        for name, content in extra:
            out.writestr(name, content)
    return path


def test_plain_series(plain_folder, centres, truth_mm):
    volume = read_ct(plain_folder)
    assert volume.hu.shape == (56, 72, 76)
    assert np.abs(centres(volume) - truth_mm).max() < 0.05
    assert volume.info.source == "dicom" and volume.info.patient_position == "HFS"
    assert volume.info.series.startswith("sha256:") and len(volume.info.series) == 71
    assert volume.grid.frame_of_reference.startswith("sha256:")
    assert volume.info.slice_thickness_mm == 1.25


def test_zip_gives_the_same(plain_folder, tmp_path):
    path = zipped(
        plain_folder,
        tmp_path / "a.zip",
        [("../../evil.txt", "x"), ("/abs", "DICM"), ("__MACOSX/._IM0001", "x"), ("DICOMDIR", "x")],
    )
    before = set(tmp_path.rglob("*"))
    assert read_ct(path).sha256() == read_ct(plain_folder).sha256()
    assert set(tmp_path.rglob("*")) == before


def test_missing_slice(scan, tmp_path):
    folder = scan().write(tmp_path, skip=(41, 42, 43, 44, 45))
    with pytest.raises(IncompleteSeries) as caught:
        read_ct(folder)
    assert str(caught.value) == (
        "slices 41 and 42 are 7.5 mm apart, expected 1.25 mm: the series is incomplete; "
        "export it again (inspect lists even blocks of it that --series can name)"
    )
    assert str(caught.value).startswith(list_series(folder)[0].problems[0])


def test_a_block_of_an_uneven_series_is_used_on_request_only(scan, tmp_path):
    """Hip, knee and ankle in one series: never one of them by itself, each by its UID."""
    one = scan()
    for n in range(3):
        for k in range(20, 34):
            data = one.slice(k)
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            data.InstanceNumber = 100 * n + k
            x, y, z = one.origin(k)
            data.ImagePositionPatient = [x, y, z + 50 * n]
            data.save_as(tmp_path / f"{n}_{k}", enforce_file_format=True)
    with pytest.raises(IncompleteSeries, match="inspect lists even blocks"):
        read_ct(tmp_path)
    whole, *blocks = list_series(tmp_path)
    assert whole.uid == one.series_uid and whole.problems and not whole.is_block
    assert [b.uid for b in blocks] == [f"{one.series_uid}#{n}" for n in (1, 2, 3)]
    assert all(b.is_block and not b.chosen and not b.problems for b in blocks)
    assert [b.n_slices for b in blocks] == [14, 14, 14]
    with pytest.raises(IncompleteSeries):
        read_ct(tmp_path, one.series_uid)
    for n, block in enumerate(blocks):
        volume = read_ct(tmp_path, block.uid)
        assert volume.hu.shape[0] == 14
        low = volume.grid.patient((0, 0, 0))[2]
        assert low == pytest.approx(one.origin(20)[2] + 50 * n, abs=1e-6)
        notice = next(i for i in volume.info.notices if i.code == "one_block")
        assert notice.red and "14 slices" in notice.message


def test_blocks_that_are_too_small_are_not_offered(scan, tmp_path):
    folder = scan().write(tmp_path, skip=range(5, 52))
    assert not any(r.is_block for r in list_series(folder))
    with pytest.raises(InputError) as caught:
        read_ct(folder)
    assert "inspect" not in str(caught.value)


def test_two_distances_make_two_blocks_that_share_a_slice(scan, tmp_path):
    folder = scan().write(tmp_path, skip=[k for k in range(28, 56) if k % 2])
    blocks = [r for r in list_series(folder) if r.is_block]
    assert [(b.n_slices, b.spacing_mm[0]) for b in blocks] == [(29, 1.25), (14, 2.5)]


def test_damaged_files_are_told_of_when_nothing_can_be_used(scan, tmp_path):
    folder = scan().write(tmp_path)
    files = sorted(folder.iterdir())
    files[20].write_bytes(files[20].read_bytes()[:160] + b"\xff" * 200)
    with pytest.raises(IncompleteSeries, match="damaged DICOM files that were left out: 1"):
        read_ct(folder)


def test_zip_with_dots_in_its_paths(plain_folder, tmp_path):
    for name, prefix in (("a.zip", "./scan/"), ("b.zip", "../../scan/")):
        with zipfile.ZipFile(tmp_path / name, "w") as out:
            for file in plain_folder.iterdir():
                out.write(file, f"{prefix}{file.name}")
        assert read_ct(tmp_path / name).sha256() == read_ct(plain_folder).sha256()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "b.zip"]
    assert not (tmp_path.parent.parent / "scan").exists()


def test_a_folder_or_zip_of_nifti_says_so(tmp_path):
    (tmp_path / "in").mkdir()
    values = np.zeros((12, 12, 12), dtype=np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "in" / "a.nii.gz")
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "in" / "a.nii")
    for path in (tmp_path / "in", zipped(tmp_path / "in", tmp_path / "a.zip")):
        with pytest.raises(InputError, match="but 2 NIfTI or NRRD files"):
            read_ct(path)


def test_doubled_slice_with_other_pixels(scan, tmp_path):
    folder = scan().write(tmp_path)
    data = scan().slice(7)
    data.SOPInstanceUID = generate_uid()
    data.PixelData = bytes(len(data.PixelData))
    data.save_as(folder / "other", enforce_file_format=True)
    with pytest.raises(IncompleteSeries, match="different pixels"):
        read_ct(folder)


def test_same_file_twice_is_dropped(scan, plain_folder, tmp_path):
    folder = scan().write(tmp_path / "x")
    scan().write(tmp_path / "x" / "copy", skip=tuple(range(20, 56)))
    volume = read_ct(folder)
    assert [n.code for n in volume.info.notices] == ["duplicate_slices"]
    assert volume.sha256() == read_ct(plain_folder).sha256()


def test_uneven_slices(scan, tmp_path):
    class Uneven(scan):
        def origin(self, k):
            return super().origin(k) + np.array([0, 0, 0.4 if k > 30 else 0.0])

    class Creeping(scan):
        def origin(self, k):
            return super().origin(k) + np.array([0, 0, 0.0005 * (k - 28) ** 2])

    with pytest.raises(IncompleteSeries, match=r"1\.65 mm apart, expected 1\.25 mm"):
        read_ct(Uneven().write(tmp_path / "a"))
    with pytest.raises(IncompleteSeries, match="off an even spacing"):
        read_ct(Creeping().write(tmp_path / "b"))


def test_rounded_positions_are_even(scan, tmp_path, centres, truth_mm):
    class Rounded(scan):
        def origin(self, k):
            return np.round(super().origin(k), 1)

    volume = read_ct(Rounded(step=0.625, n=100).write(tmp_path))
    assert volume.grid.spacing_kji_mm[0] == pytest.approx(0.625, abs=2e-3)
    assert np.abs(centres(volume) - truth_mm).max() < 0.1


@pytest.mark.parametrize("offset", [0.0, 0.625])
def test_two_kernels_in_one_series_are_split(offset, scan, tmp_path, plain_folder):
    folder = scan(extra={"ConvolutionKernel": "B70f"}, offset_mm=offset, prefix="B").write(tmp_path)
    scan(extra={"ConvolutionKernel": "B30f"}, prefix="A").write(tmp_path)
    reports = list_series(folder)
    assert [(r.kernel, r.chosen, r.n_slices) for r in reports] == [
        ("B30f", True, 56),
        ("B70f", False, 56),
    ]
    assert reports[0].uid.endswith("#1") and "kernel" in reports[1].reason
    volume = read_ct(folder)
    assert [n.code for n in volume.info.notices] == ["mixed_series"]
    assert np.array_equal(volume.hu, read_ct(plain_folder).hu)
    other = read_ct(folder, series_uid=reports[1].uid)
    assert other.grid.patient((0, 0, 0))[2] == pytest.approx(
        volume.grid.patient((0, 0, 0))[2] + offset
    )


def test_a_kernel_that_only_some_slices_name_does_not_split(scan, tmp_path, plain_folder):
    class Half(scan):
        def slice(self, k):
            data = super().slice(k)
            if k % 3:
                data.ConvolutionKernel = "B30f"
            return data

    assert read_ct(Half().write(tmp_path)).sha256() == read_ct(plain_folder).sha256()


def test_repeated_acquisition_is_split(scan, tmp_path):
    scan(extra={"AcquisitionNumber": 1}).write(tmp_path)
    later = scan(extra={"AcquisitionNumber": 2, "RescaleIntercept": -1000}, prefix="B")
    folder = later.write(tmp_path)
    assert [r.n_slices for r in list_series(folder)] == [56, 56]


def test_blocks_that_follow_each_other_are_refused(scan, tmp_path):
    scan(n=20, offset_mm=-30).write(tmp_path)
    folder = scan(n=20, offset_mm=20, step=2.5, prefix="B").write(tmp_path)
    with pytest.raises(IncompleteSeries, match="apart, expected"):
        read_ct(folder)


def test_localizer_inside_the_series(scan, tmp_path, plain_folder):
    folder = scan().write(tmp_path)
    scan(
        n=2,
        row=(0, 1, 0),
        column=(0, 0, -1),
        prefix="LOC",
        extra={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
    ).write(tmp_path)
    volume = read_ct(folder)
    assert np.array_equal(volume.hu, read_ct(plain_folder).hu)
    assert sorted(r.kind for r in list_series(folder)) == ["CT", "localizer"]


def test_best_series_among_many(scan, tmp_path):
    uids = {name: generate_uid() for name in ("thick", "thin", "derived", "mr", "short")}
    scan(n=14, step=5.0, series_uid=uids["thick"]).write(tmp_path / "1")
    scan(series_uid=uids["thin"]).write(tmp_path / "2")
    derived = {"ImageType": ["DERIVED", "SECONDARY", "AXIAL"]}
    scan(n=90, step=0.8, series_uid=uids["derived"], extra=derived).write(tmp_path / "3")
    scan(series_uid=uids["mr"], extra={"Modality": "MR"}).write(tmp_path / "4")
    scan(n=40, step=0.5, series_uid=uids["short"]).write(tmp_path / "5")
    (tmp_path / "6").mkdir()
    (tmp_path / "6" / "notes.txt").write_text("Secret Name")
    (tmp_path / "7.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"junk" * 9)
    reports = list_series(tmp_path)
    assert [r.uid for r in reports if r.chosen] == [uids["thin"]]
    reasons = {r.uid: r.reason for r in reports}
    assert "thinner" in reasons[uids["thick"]]
    assert "original" in reasons[uids["derived"]]
    assert "half as long" in reasons[uids["short"]]
    assert "modality MR" in reasons[uids["mr"]]
    assert read_ct(tmp_path).grid.spacing_kji_mm[0] == pytest.approx(1.25)
    thick = read_ct(tmp_path, series_uid=uids["thick"])
    assert "thick_slices" in [n.code for n in thick.info.notices]
    with pytest.raises(UnsupportedScan, match="MR"):
        read_ct(tmp_path, series_uid=uids["mr"])
    with pytest.raises(InputError, match="inspect"):
        read_ct(tmp_path, series_uid="1.2.3")


REFUSED = {
    "mr": ({"Modality": "MR"}, "modality MR, a CT is needed"),
    "no spacing": ({"PixelSpacing": None}, "PixelSpacing"),
    "no position": ({"ImagePositionPatient": None}, "ImagePositionPatient"),
    "no orientation": ({"ImageOrientationPatient": None}, "ImageOrientationPatient"),
    "bad orientation": ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "right angles"),
    "no pixels": ({"PixelData": None}, "missing, cut short or damaged"),
    "short pixels": ({"PixelData": b"\0" * 100}, "missing, cut short or damaged"),
    "not HU": ({"RescaleType": "MGML"}, "type MGML"),
    "no rescale": ({"RescaleSlope": None, "RescaleIntercept": None}, "Hounsfield"),
    "colour": ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "colour"),
    "inverse": ({"PhotometricInterpretation": "MONOCHROME1"}, "colour"),
    "huge": ({"Rows": 65535, "Columns": 65535}, "voxels"),
    "zero": ({"Rows": 0}, "no image"),
    "flat": ({"RescaleSlope": 0}, "Hounsfield"),
    "zero spacing": ({"PixelSpacing": [0, 0]}, "pixel spacing"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_reason(name, scan, tmp_path):
    extra, sentence = REFUSED[name]
    folder = scan(n=14, step=4.0, extra=extra).write(tmp_path)
    with pytest.raises(InputError, match=sentence) as caught:
        read_ct(folder)
    assert "Secret" not in str(caught.value) and "SECRET" not in str(caught.value)
    list_series(folder)


def test_single_slice_and_few_slices(scan, tmp_path):
    scan(n=1).write(tmp_path / "one")
    with pytest.raises(UnsupportedScan, match="single slice"):
        read_ct(tmp_path / "one")
    with pytest.raises(UnsupportedScan, match="single slice"):
        read_ct(tmp_path / "one" / "IM0001")
    scan(n=9, step=5).write(tmp_path / "nine")
    with pytest.raises(UnsupportedScan, match=r"9 slices over 45\.0 mm"):
        read_ct(tmp_path / "nine")


def test_decoder_that_fails_names_the_file_by_its_place(scan, tmp_path, plain_folder):
    """High-throughput JPEG 2000: no decoder at hand reads it."""
    for k, file in enumerate(sorted(plain_folder.iterdir())[:12]):
        data = pydicom.dcmread(file)
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.201"
        data.PixelData = encapsulate([b"\xff\x4f\xff\x51" + bytes(60)])
        data["PixelData"].is_undefined_length = True
        data.save_as(tmp_path / f"{k:02d}.dcm", enforce_file_format=True)
    with pytest.raises(InputError, match=r"file \d+ of 12 \(instance \d+\) can't be decoded"):
        read_ct(tmp_path)


def test_padding_is_air_unless_it_is_tissue(scan, tmp_path, plain_folder):
    class Padded(scan):
        def pixels(self, k):
            values = super().pixels(k)
            values[:3] = -3024
            return values

    extra = {"PixelPaddingValue": -2000, "PixelRepresentation": 1}
    signed = Padded(extra=extra)
    volume = read_ct(signed.write(tmp_path / "a"))
    assert (volume.hu[:, :3] == -1024).all()
    plain = scan(extra={"PixelPaddingValue": 1024})  # that is water
    assert np.array_equal(read_ct(plain.write(tmp_path / "b")).hu, read_ct(plain_folder).hu)


def test_rescale_is_applied_slice_by_slice(scan, tmp_path, plain_folder):
    class Odd(scan):
        def slice(self, k):
            data = super().slice(k)
            if k % 2:
                stored = (self.pixels(k).astype(float) + 1100) / 0.5
                data.RescaleSlope, data.RescaleIntercept = 0.5, -1100
                data.PixelData = stored.astype("<u2").tobytes()
            return data

    volume = read_ct(Odd().write(tmp_path))
    assert np.array_equal(volume.hu, read_ct(plain_folder).hu)


def test_header_tilt_that_the_positions_do_not_show(scan, tmp_path):
    folder = scan(extra={"GantryDetectorTilt": 12}).write(tmp_path)
    notices = read_ct(folder).info.notices
    assert [(n.code, n.red) for n in notices] == [("gantry_tilt_unclear", True)]


def test_dicomdir_leads_to_its_folder(scan, tmp_path, plain_folder):
    from pydicom.fileset import FileSet

    files = FileSet()
    for file in sorted(plain_folder.iterdir()):
        data = pydicom.dcmread(file)
        data.StudyInstanceUID, data.StudyID, data.StudyDate = "1.2.3", "1", "20000101"
        data.StudyTime, data.AccessionNumber, data.SeriesNumber = "000000", "", 1
        files.add(data)
    files.write(tmp_path / "export")
    expected = read_ct(plain_folder).sha256()
    assert read_ct(tmp_path / "export" / "DICOMDIR").sha256() == expected
    assert read_ct(tmp_path / "export").sha256() == expected


def test_files_without_preamble(scan, tmp_path, plain_folder):
    for file in plain_folder.iterdir():
        data = pydicom.dcmread(file)
        bare = io.BytesIO()
        del data.file_meta
        pydicom.dcmwrite(bare, data, implicit_vr=True, little_endian=True)
        (tmp_path / file.name).write_bytes(bare.getvalue())
    assert read_ct(tmp_path).sha256() == read_ct(plain_folder).sha256()


def test_not_a_scan_at_all(tmp_path, plain_folder):
    cases = {"empty folder": tmp_path / "empty", "absent": tmp_path / "absent"}
    cases["empty folder"].mkdir()
    contents = {
        "text.txt": b"hello " * 100,
        "zero.dcm": b"",
        "bad.zip": b"PK\x03\x04" + b"x" * 300,
        "a.nii.gz": b"\x1f\x8b" + b"x" * 50,
        "b.nrrd": b"NRRD0005\nnonsense\n\n",
        "c.nhdr": b"NRRD0005\ntype: short\ndimension: 3\nsizes: 9 9 9\nencoding: raw\n"
        b"space: left-posterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
        b"space origin: (0,0,0)\ndata file: ../../etc/passwd\n\n",
        "d.7z": b"7z\xbc\xaf" + b"x" * 300,
    }
    for name, content in contents.items():
        cases[name] = tmp_path / name
        cases[name].write_bytes(content)
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        cases["empty zip"] = tmp_path / "empty.zip"
    inner = zipped(plain_folder, tmp_path / "inner.zip")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as out:
        out.write(inner, "inner.zip")
        cases["zip in zip"] = tmp_path / "outer.zip"
    for name, path in cases.items():
        with pytest.raises(InputError) as caught:
            read_ct(path)
        message = str(caught.value)
        assert str(tmp_path) not in message and "\n" not in message, name
        assert ": " in message, name
    with pytest.raises(GuidegenError):
        read_case_volume(tmp_path / "text.txt")


def test_zip_bomb_stays_small(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for n in range(8):
            out.writestr(f"{n}.bin", bytes(40_000_000))
    with pytest.raises(InputError, match="no DICOM image"):
        read_ct(path)


def test_locked_zip(tmp_path, plain_folder):
    path = zipped(plain_folder, tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="password"):
        read_ct(path)


@pytest.mark.parametrize(
    ("kernel", "sharp"),
    [
        ("B30f", False),
        ("B70s", True),
        ("Br40d/3", False),
        ("Hr59", True),
        ("STANDARD", False),
        ("BONEPLUS", True),
        ("FC21", False),
        ("FC30", True),
        ("C", False),
        ("YC", True),
    ],
)
def test_kernels(kernel, sharp):
    assert is_sharp(kernel) is sharp


@pytest.mark.parametrize(
    ("stated", "kept"),
    [("HFP", "HFP"), (" ffs ", "FFS"), ("SITTING", ""), ("Roe^Jane", ""), (None, "")],
)
def test_only_defined_positions_are_kept(stated, kept):
    assert _position(stated) == kept
