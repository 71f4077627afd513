"""Label maps: names, grids, what is refused."""

import json

import nibabel
import nrrd
import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Extension
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from guidegen.ct.labels import read_label_map, read_segmentation
from guidegen.ct.names import SCHEMES, bone_name
from guidegen.ct.reader import read_ct
from guidegen.errors import FrameError, InputError

RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def volume(plain_folder):
    return read_ct(plain_folder)


def labels_of(volume):
    labels = np.zeros(volume.hu.shape, dtype=np.uint16)
    labels[20:30, 20:40, 25:50] = 20
    labels[32:40, 20:40, 25:50] = 19
    return labels


def save_nifti(path, labels, volume, extension=None):
    matrix = volume.grid.patient_from_kji
    ras = RAS @ np.column_stack([matrix[:, 2], matrix[:, 1], matrix[:, 0], matrix[:, 3]])
    image = nibabel.Nifti1Image(labels.T.astype(np.uint8), ras)
    if extension:
        image.header.extensions.append(Nifti1Extension(0, extension))
    nibabel.save(image, path)
    return path


XML = b"""<?xml version="1.0"?><CaretExtension><VolumeInformation Index="0"><LabelTable>
<Label Key="20" Red="0"><![CDATA[vertebrae_L5]]></Label>
<Label Key="19" Red="0"><![CDATA[vertebrae_L4]]></Label></LabelTable></VolumeInformation>
</CaretExtension>"""


def test_header_names_win(volume, tmp_path):
    path = save_nifti(tmp_path / "a.nii.gz", labels_of(volume), volume, XML)
    found = read_label_map(path, volume, scheme="verse")
    assert found.names == {19: "L4", 20: "L5"}
    assert found.grid.same_as(volume.grid)
    assert np.array_equal(found.labels, labels_of(volume))


def test_scheme_or_names_file(volume, tmp_path):
    path = save_nifti(tmp_path / "a.nii.gz", labels_of(volume), volume)
    with pytest.raises(InputError, match="--label-scheme"):
        read_label_map(path, volume)
    assert read_label_map(path, volume, scheme="verse").names == {19: "T12", 20: "L1"}
    assert read_label_map(path, volume, scheme="totalseg-v1").names == {19: "L4", 20: "L3"}
    names = tmp_path / "names.toml"
    names.write_text('[labels]\n20 = "vertebra L2"\n')
    found = read_label_map(path, volume, names_file=names)
    assert found.names == {20: "L2"} and set(np.unique(found.labels)) == {0, 20}
    for text in ("20 = 3", "a = 'L1'", "x", "", "99999999 = 'L1'", "19='L1'\n20='L1'"):
        names.write_text(text)
        with pytest.raises(InputError):
            read_label_map(path, volume, names_file=names)
    with pytest.raises(InputError, match="unknown"):
        read_label_map(path, volume, scheme="mine")
    with pytest.raises(InputError, match="none of the 2 labels"):
        read_label_map(path, volume, scheme="totalseg-v2")


def test_slicer_segmentation_with_names(volume, tmp_path):
    matrix = volume.grid.patient_from_kji
    header = {
        "space": "left-posterior-superior",
        "space directions": matrix[:3, [2, 1, 0]].T,
        "space origin": matrix[:3, 3],
        "Segment0_Name": "L5 vertebra",
        "Segment0_LabelValue": "20",
        "Segment1_Name": "L4",
        "Segment1_LabelValue": "19",
    }
    nrrd.write(str(tmp_path / "a.seg.nrrd"), labels_of(volume).T, header)
    found = read_label_map(tmp_path / "a.seg.nrrd", volume)
    assert found.names == {19: "L4", 20: "L5"} and found.grid.same_as(volume.grid)


def layered(volume, path, **changed):
    """What 3D Slicer writes of two segments that overlap: a first axis of layers."""
    matrix = volume.grid.patient_from_kji
    labels = labels_of(volume).T
    first = np.where(labels == 20, 3, 0)
    second = np.where((labels == 19) | (labels == 20), 3, 0)
    directions = np.vstack([np.full(3, np.nan), matrix[:3, [2, 1, 0]].T])
    header = {
        "space": "left-posterior-superior",
        "kinds": ["list", "domain", "domain", "domain"],
        "space directions": directions,
        "space origin": matrix[:3, 3],
        "Segment0_Name": "L5",
        "Segment0_LabelValue": "3",
        "Segment0_Layer": "0",
        "Segment1_Name": "L4",
        "Segment1_LabelValue": "3",
        "Segment1_Layer": "1",
        **changed,
    }
    nrrd.write(str(path), np.stack([first, second]).astype(np.uint8), header)
    return path


def test_layers_of_a_seg_nrrd_become_one(volume, tmp_path):
    found = read_label_map(layered(volume, tmp_path / "a.seg.nrrd"), volume)
    assert found.names == {1: "L5", 2: "L4"} and found.grid.same_as(volume.grid)
    expected = labels_of(volume)
    np.testing.assert_array_equal(found.labels == 1, expected == 20)
    np.testing.assert_array_equal(found.labels == 2, expected == 19)


def test_layers_that_make_no_sense_are_refused(volume, tmp_path):
    path = layered(volume, tmp_path / "a.seg.nrrd", Segment1_Layer="2")
    with pytest.raises(InputError, match="names layer 2"):
        read_label_map(path, volume)
    names = {f"Segment{n}_{what}": "" for n in (0, 1) for what in ("Name", "LabelValue")}
    path = layered(volume, tmp_path / "b.seg.nrrd", **names)
    with pytest.raises(InputError, match="4 axes"):
        read_label_map(path, volume)


def seg(volume, frame_uid, kind="BINARY"):
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.3"
    data.Modality, data.SegmentationType = "SEG", kind
    data.FrameOfReferenceUID = frame_uid
    data.Rows, data.Columns = volume.hu.shape[1:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 1
    data.HighBit = data.PixelRepresentation = 0
    segments, frames, bits = [], [], []
    labels = labels_of(volume)
    for number, (value, name) in enumerate(((20, "L5"), (19, "Fourth lumbar vertebra")), 1):
        one = Dataset()
        one.SegmentNumber, one.SegmentLabel = number, name
        segments.append(one)
        for k in np.flatnonzero((labels == value).any(axis=(1, 2))):
            frame, place, which = Dataset(), Dataset(), Dataset()
            place.ImagePositionPatient = [f"{v:.6f}" for v in volume.grid.patient((k, 0, 0))]
            which.ReferencedSegmentNumber = number
            frame.PlanePositionSequence = Sequence([place])
            frame.SegmentIdentificationSequence = Sequence([which])
            frames.append(frame)
            bits.append((labels[k] == value).ravel())
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1, 1], 1.25
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([plane])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    data.SegmentSequence = Sequence(segments)
    data.NumberOfFrames = len(frames)
    packed = np.packbits(np.concatenate(bits), bitorder="little").tobytes()
    data.PixelData = packed + b"\0" * (len(packed) % 2)
    return data


def write(data, path):
    data.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=False)
    from pydicom.dataset import FileMetaDataset

    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.save_as(path, enforce_file_format=True)
    return path


def test_dicom_seg(volume, tmp_path, scan):
    found = read_label_map(write(seg(volume, scan().frame_uid), tmp_path / "a"), volume)
    assert found.names == {1: "L5", 2: "L4"}
    assert found.grid.frame_of_reference == volume.grid.frame_of_reference
    expected = labels_of(volume)
    k, j, i = np.array(np.nonzero(found.labels == 2))[:, 0]
    there = np.rint(volume.grid.kji(found.grid.patient((k, j, i)))).astype(int)
    assert expected[tuple(there)] == 19
    assert (found.labels == 1).sum() == (expected == 20).sum()


def test_seg_of_another_frame_or_kind(volume, tmp_path, scan, plain_folder):
    with pytest.raises(FrameError):
        read_label_map(write(seg(volume, "1.2.3.4"), tmp_path / "a"), volume)
    with pytest.raises(InputError, match="fractional"):
        read_label_map(write(seg(volume, "", "FRACTIONAL"), tmp_path / "b"), volume)
    with pytest.raises(InputError, match="not a segmentation"):
        read_label_map(next(plain_folder.iterdir()), volume)


def test_elsewhere_or_no_labels(volume, tmp_path):
    far = nibabel.Nifti1Image(np.ones((5, 5, 5), np.uint8), np.diag([1, 1, 1, 1]))
    far.affine[:3, 3] = 500
    far = nibabel.Nifti1Image(np.ones((5, 5, 5), np.uint8), far.affine)
    nibabel.save(far, tmp_path / "far.nii")
    with pytest.raises(InputError, match="within the scan"):
        read_label_map(tmp_path / "far.nii", volume, scheme="verse")
    image = nibabel.Nifti1Image(np.full((5, 5, 5), 0.5, np.float32), np.eye(4))
    nibabel.save(image, tmp_path / "half.nii")
    with pytest.raises(InputError, match="whole numbers"):
        read_label_map(tmp_path / "half.nii", volume, scheme="verse")
    (tmp_path / "t.txt").write_text("x" * 500)
    for path in (tmp_path, tmp_path / "t.txt", tmp_path / "absent"):
        with pytest.raises(InputError, match="label map"):
            read_label_map(path, volume)


def test_case_segmentation(volume, tmp_path):
    path = save_nifti(tmp_path / "segmentation.nii.gz", labels_of(volume), volume)
    names = tmp_path / "segmentation.json"
    names.write_text(json.dumps({"labels": {"20": "L5", "19": "L4", "18": "L3"}}))
    found = read_segmentation(path, names)
    assert found.names == {19: "L4", 20: "L5"} and found.grid.same_as(volume.grid)
    names.write_text(json.dumps({"labels": {"20": "L5"}}))
    with pytest.raises(InputError, match="label 19"):
        read_segmentation(path, names)
    for text in ("{", "[]", "{}", '{"labels": 3}'):
        names.write_text(text)
        with pytest.raises(InputError):
            read_segmentation(path, names)
    with pytest.raises(InputError):
        read_segmentation(path, tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("vertebrae_L3", "L3"),
        ("L3 vertebra", "L3"),
        ("Th12", "T12"),
        ("vert_T01", "T1"),
        ("First lumbar vertebra", "L1"),
        ("vertebrae_S1", "S1"),
        ("rib_left_7", "rib_left_7"),
        ("Hip Left", "hip_left"),
        ("vertebrae_L3_body", "vertebrae_l3_body"),
        ("L9", "l9"),
    ],
)
def test_bone_names(text, name):
    assert bone_name(text) == name


def test_schemes_at_published_places():
    v1, v2, verse = (SCHEMES[s] for s in ("totalseg-v1", "totalseg-v2", "verse"))
    assert [v1[n] for n in (18, 22, 23, 34, 41, 58, 81, 88, 91, 92)] == (
        [
            "L5",
            "L1",
            "T12",
            "T1",
            "C1",
            "rib_left_1",
            "rib_right_12",
            "femur_left",
            "hip_right",
            "sacrum",
        ]
    )
    assert [v2[n] for n in (25, 26, 27, 31, 32, 50, 75, 78, 92, 115)] == (
        [
            "sacrum",
            "S1",
            "L5",
            "L1",
            "T12",
            "C1",
            "femur_left",
            "hip_right",
            "rib_left_1",
            "rib_right_12",
        ]
    )
    assert [verse[n] for n in (1, 7, 8, 19, 20, 24, 25, 28)] == [
        "C1",
        "C7",
        "T1",
        "T12",
        "L1",
        "L5",
        "L6",
        "T13",
    ]


def test_real_label_maps(shared_data):
    base = shared_data / "ct" / "totalseg_example_lumbar_3mm"
    scan = read_ct(base / "example_ct.nii.gz")
    found = read_label_map(base / "spine_report" / "test_result" / "totalseg.nii.gz", scan)
    assert sorted(found.names.values()) == ["L1", "L2", "L3", "L4", "L5", "S1", "T11", "T12"]
    heights = {
        name: float(found.grid.patient(np.argwhere(found.labels == value)).mean(axis=0)[2])
        for value, name in found.names.items()
    }
    order = sorted(heights, key=lambda name: -heights[name])
    assert order == ["T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1"]
    base = shared_data / "ct" / "tptbox_lumbar_crop_1.5mm"
    scan = read_ct(base / "sub-ct_label-22_ct.nii.gz")
    found = read_label_map(base / "sub-ct_seg-vert_label-22_msk.nii.gz", scan, scheme="verse")
    assert found.names == {21: "L2", 22: "L3", 23: "L4"} and found.grid.same_as(scan.grid)
    assert scan.hu[found.labels == 22].mean() > scan.hu[found.labels == 0].mean() + 50
