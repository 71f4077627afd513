"""Enhanced multi-frame CT and compressed transfer syntaxes."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from guidegen.ct.reader import read_ct
from guidegen.errors import UnsupportedScan


def item(**values):
    data = Dataset()
    for key, value in values.items():
        setattr(data, key, value)
    return data


def group(key, **values):
    return {key: Sequence([item(**values)])}


def enhanced(written, order):
    """One enhanced CT object with its frames in the order given."""
    data = written.slice(0)
    for key in [
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "SliceThickness",
        "RescaleSlope",
        "RescaleIntercept",
        "RescaleType",
    ]:
        delattr(data, key)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    shared = {
        **group(
            "PixelMeasuresSequence",
            PixelSpacing=list(written.spacing),
            SliceThickness=written.step,
        ),
        **group(
            "PlaneOrientationSequence",
            ImageOrientationPatient=[f"{v:.10f}" for v in (*written.row, *written.column)],
        ),
    }
    frames = []
    for k in order:
        intercept = -1024 if k % 2 else -1000
        frames.append(
            item(
                **group(
                    "PlanePositionSequence",
                    ImagePositionPatient=[f"{v:.9f}" for v in written.origin(k)],
                ),
                **group(
                    "PixelValueTransformationSequence",
                    RescaleSlope=1,
                    RescaleIntercept=intercept,
                    RescaleType="HU",
                ),
            )
        )
    data.SharedFunctionalGroupsSequence = Sequence([item(**shared)])
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    data.NumberOfFrames = len(order)
    data.PixelData = b"".join(
        (written.pixels(k).astype(int) + (1024 if k % 2 else 1000)).astype("<u2").tobytes()
        for k in order
    )
    return data


@pytest.mark.parametrize("shear", [(0.0, 0.0), (0.31, 0.0)])
def test_enhanced_ct(shear, scan, tmp_path, centres, truth_mm):
    written = scan(row=(0, 1, 0), column=(0, 0, -1), shear_mm=shear, shape=(90, 80))
    order = np.random.default_rng(1).permutation(written.n).tolist()
    path = tmp_path / "enhanced"
    enhanced(written, order).save_as(path, enforce_file_format=True)
    volume = read_ct(path)
    assert np.abs(centres(volume) - truth_mm).max() < 0.05
    written.write(tmp_path / "classic")
    assert volume.sha256() == read_ct(tmp_path / "classic").sha256()
    assert volume.info.slice_thickness_mm == 1.25


def test_frames_without_positions_are_refused(scan, tmp_path):
    data = scan().slice(0)
    data.NumberOfFrames = 20
    del data.ImagePositionPatient
    data.PixelData = data.PixelData * 20
    data.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(UnsupportedScan, match="ImagePositionPatient"):
        read_ct(tmp_path / "a")


def test_classic_object_with_many_frames_is_refused(scan, tmp_path):
    data = scan().slice(0)
    data.NumberOfFrames = 20
    data.PixelData = data.PixelData * 20
    for k in range(15):
        data.ImagePositionPatient = [0, 0, k * 2]
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.{k + 1}"
        data.save_as(tmp_path / f"{k}", enforce_file_format=True)
    with pytest.raises(Exception, match="export the series again"):
        read_ct(tmp_path)


@pytest.mark.parametrize("syntax", ["rle", "big", "deflated"])
def test_syntaxes_that_pydicom_writes(syntax, scan, tmp_path, plain_folder):
    from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless

    for k in range(scan().n):
        data = scan().slice(k)
        if syntax == "rle":
            data.compress(RLELossless, generate_instance_uid=False)
        elif syntax == "deflated":
            data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        else:
            data.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
            data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
        data.save_as(tmp_path / f"{k}", enforce_file_format=True)
    assert read_ct(tmp_path).sha256() == read_ct(plain_folder).sha256()
