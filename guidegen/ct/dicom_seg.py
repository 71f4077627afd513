"""DICOM segmentation objects to label images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.pixels import iter_pixels

from guidegen.ct.guard import require_size
from guidegen.ct.image import Image, build_image
from guidegen.ct.series import hashed
from guidegen.errors import InputError, UnsupportedScan
from guidegen.model.arrays import Floats

_SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")


def read_seg(path: Path) -> tuple[Image, str]:
    """Read a DICOM segmentation with binary segments or a label map.

    Empty slices may be left out, as writers do; the grid is spanned by the frames there are.
    Where two segments overlap, the lower segment number keeps the voxel.

    Returns:
        The label image with the segments' labels as names, and the hashed frame of reference.

    Raises:
        InputError: Not a segmentation, or its frames don't lie on one grid.
        UnsupportedScan: A fractional segmentation.
    """
    with path.open("rb") as stream:
        dataset = pydicom.dcmread(stream, force=True)
    if str(dataset.get("SOPClassUID", "")) not in _SEG_CLASSES:
        raise InputError(
            "the DICOM file is not a segmentation (SEG): name the SEG object, or a NIfTI or NRRD "
            "label map"
        )
    kind = str(dataset.get("SegmentationType", "BINARY"))
    if kind not in ("BINARY", "LABELMAP"):
        raise UnsupportedScan("the segmentation is fractional, a binary one is needed: export that")
    frames = list(dataset.PerFrameFunctionalGroupsSequence)
    matrix, places = _grid(dataset, frames)
    shape = (max(places) + 1, int(dataset.Rows), int(dataset.Columns))
    require_size(shape, "the segmentation")
    labels = np.zeros(shape, dtype=np.uint16)
    for n, pixels in enumerate(iter_pixels(dataset)):
        _paint(labels[places[n]], pixels, None if kind == "LABELMAP" else _segment(dataset, n))
    names = {
        int(item.SegmentNumber): str(item.get("SegmentLabel", "")).strip()
        for item in dataset.SegmentSequence
    }
    names = {number: name for number, name in names.items() if name and number > 0}
    image = build_image(labels, matrix, (1.0, 0.0), names, "the segmentation")
    return image, hashed(str(dataset.get("FrameOfReferenceUID", "") or ""))


def _paint(out: npt.NDArray[np.uint16], pixels: npt.NDArray[Any], segment: int | None) -> None:
    """Add one frame to its slice."""
    if segment is None:
        out[:] = np.where(out > 0, out, pixels)
        return
    where = (pixels > 0) & ((out == 0) | (out > segment))
    out[where] = segment


def _segment(dataset: Any, frame: int) -> int:
    for groups in (dataset.PerFrameFunctionalGroupsSequence[frame], _shared(dataset)):
        if groups is not None and groups.get("SegmentIdentificationSequence"):
            return int(groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
    raise InputError("a frame of the segmentation names no segment: export it again")


def _shared(dataset: Any) -> Any:
    shared = dataset.get("SharedFunctionalGroupsSequence")
    return shared[0] if shared else None


def _value(dataset: Any, frame: Any, group: str, key: str) -> Any:
    for groups in (frame, _shared(dataset)):
        if groups is not None and groups.get(group) and groups.get(group)[0].get(key) is not None:
            return groups.get(group)[0].get(key)
    raise InputError(f"the segmentation lacks {key}: export it again")


def _grid(dataset: Any, frames: list[Any]) -> tuple[Floats, list[int]]:
    """(4, 4) from (k, row, column) to LPS mm, and the slice of each frame."""
    cosines = np.array(
        [_value(dataset, f, "PlaneOrientationSequence", "ImageOrientationPatient") for f in frames],
        dtype=np.float64,
    )
    if np.abs(cosines - cosines[0]).max() > 2e-3:
        raise InputError("the frames of the segmentation lie in different planes: export one stack")
    row, column = cosines[0, :3], cosines[0, 3:]
    normal = np.cross(row, column)
    positions = np.array(
        [_value(dataset, f, "PlanePositionSequence", "ImagePositionPatient") for f in frames],
        dtype=np.float64,
    )
    heights = positions @ normal
    measures = [_value(dataset, frames[0], "PixelMeasuresSequence", "PixelSpacing")]
    step = _step(dataset, frames[0], heights)
    places = np.rint((heights - heights.min()) / step)
    lowest = positions[int(np.argmin(heights))]
    expected = lowest + (places * step)[:, None] * normal
    if np.abs(positions - expected).max() > 0.1:
        raise InputError(
            "the frames of the segmentation do not lie on one even grid (missing slices of "
            "uneven height, or a tilted gantry): export it as NIfTI or NRRD"
        )
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 3] = normal * step, lowest
    matrix[:3, 1], matrix[:3, 2] = column * float(measures[0][0]), row * float(measures[0][1])
    return matrix, [int(p) for p in places]


def _step(dataset: Any, frame: Any, heights: Floats) -> float:
    """Distance between slices: the smallest gap, or as stated where there is one slice."""
    gaps = np.diff(np.unique(np.round(heights, 3)))
    if len(gaps):
        return float(gaps[gaps > 0.02].min()) if (gaps > 0.02).any() else 1.0
    key = "SpacingBetweenSlices"
    try:
        return float(_value(dataset, frame, "PixelMeasuresSequence", key))
    except InputError:
        return float(_value(dataset, frame, "PixelMeasuresSequence", "SliceThickness"))
