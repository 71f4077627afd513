"""DICOM headers, one record a slice; pixels are read later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import pydicom

from guidegen.ct.source import Source, holds_volume, looks_like_dicom
from guidegen.model.notice import Progress, silent

Vector = tuple[float, ...]

_TAGS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "ImageType",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "InstanceNumber",
    "SliceThickness",
    "ConvolutionKernel",
    "ReconstructionDiameter",
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "AcquisitionTime",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "PatientPosition",
    "LossyImageCompression",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "GantryDetectorTilt",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)

_LOSSY = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 81))


POSITIONS = frozenset(
    [f"{first}{rest}" for first in ("HF", "FF") for rest in ("P", "S", "DR", "DL")]
    + [f"{first}{rest}" for first in ("LF", "RF") for rest in ("P", "S")]
    + [f"{first}{rest}" for first in ("AF", "PF") for rest in ("DR", "DL")]
)
"""Defined terms of PatientPosition (0018,5100) for bipeds, DICOM PS3.3 C.7.3.1.1.2."""


@dataclass(frozen=True)
class SliceHeader:
    """One slice as its header describes it; None where the header says nothing.

    Args:
        file: Number of the file in its source, from 0.
        frame: Number of the frame in a multi-frame file; None in a classic file.
        series_uid: Raw UID; never leaves the reader except for the terminal.
        instance_uid: Raw SOP instance UID.
        frame_uid: Raw frame of reference UID.
        modality: ``CT``, ``MR``, ...
        image_type: Values of ImageType.
        position: LPS mm of the first pixel's centre.
        orientation: Six direction cosines: along a row, then along a column.
        spacing: mm between rows, mm between columns.
        shape: Rows, columns.
        instance: InstanceNumber, or the frame's number.
        thickness: mm.
        traits: What tells reconstructions apart: kernel, diameter, acquisition, ...
        rescale: Slope, intercept; None if the header has none.
        rescale_type: ``HU`` or other.
        patient_position: ``HFS``, ...
        lossy: The pixels went through lossy compression.
        grey: One sample a pixel, MONOCHROME2.
        tilt_deg: Gantry tilt as stated.
    """

    file: int
    frame: int | None
    series_uid: str
    instance_uid: str
    frame_uid: str
    modality: str
    image_type: tuple[str, ...]
    position: Vector | None
    orientation: Vector | None
    spacing: Vector | None
    shape: tuple[int, int]
    instance: int
    thickness: float | None
    traits: tuple[tuple[str, str], ...]
    rescale: tuple[float, float] | None
    rescale_type: str
    patient_position: str
    lossy: bool
    grey: bool
    tilt_deg: float | None

    @property
    def is_localizer(self) -> bool:
        """A scout view, not a slice."""
        return "LOCALIZER" in self.image_type

    def trait(self, name: str) -> str:
        """A trait's value, "" if unknown."""
        return dict(self.traits).get(name, "")


@dataclass(frozen=True)
class Headers:
    """All slices of a source.

    Args:
        slices: In the order of the files.
        n_damaged: Files that look like DICOM but can't be read.
        n_other: Files that are not DICOM.
        n_volumes: NIfTI and NRRD files among the others.
    """

    slices: tuple[SliceHeader, ...]
    n_damaged: int
    n_other: int
    n_volumes: int = 0


def read_headers(source: Source, progress: Progress = silent) -> Headers:
    """Read the header of every DICOM file of a source."""
    slices: list[SliceHeader] = []
    damaged = other = volumes = 0
    for number in range(source.n_files):
        if number % 50 == 0:
            progress("reading headers", number / source.n_files)
        head = source.head(number)
        if not looks_like_dicom(head):
            other += 1
            volumes += holds_volume(head)
            continue
        try:
            with source.open(number) as stream:
                dataset = open_header(stream)
            found = _records(dataset, number)
            slices += found
            if not dataset and head[128:132] == b"DICM":
                damaged += 1
            elif not found:
                other += 1
        except Exception:  # whatever a damaged header makes the parser raise
            damaged += 1
    return Headers(tuple(slices), damaged, other, volumes)


def open_header(stream: BinaryIO) -> Any:
    """Parse a DICOM header up to the pixels, with or without a preamble."""
    return pydicom.dcmread(stream, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))


def _records(dataset: Any, number: int) -> list[SliceHeader]:
    """One record for a classic file, one a frame for a multi-frame file, none for others."""
    if not dataset or str(dataset.get("SOPClassUID", "")) == "1.2.840.10008.1.3.10":
        return []
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
    if not per_frame:
        return [_record(dataset, number, None, lambda group, key: dataset.get(key))]
    shared = dataset.get("SharedFunctionalGroupsSequence")
    common = shared[0] if shared else None
    return [
        _record(dataset, number, index, _from_groups(dataset, frame, common))
        for index, frame in enumerate(per_frame)
    ]


def _from_groups(dataset: Any, frame: Any, common: Any) -> Callable[[str, str], Any]:
    """Look a value up in the frame's groups, then in the shared ones, then on top."""

    def look(group: str, key: str) -> Any:
        for place in (frame, common):
            items = place.get(group) if place is not None else None
            if items and items[0].get(key) is not None:
                return items[0].get(key)
        return dataset.get(key)

    return look


def _record(
    dataset: Any, number: int, frame: int | None, look: Callable[[str, str], Any]
) -> SliceHeader:
    slope = _number(look("PixelValueTransformationSequence", "RescaleSlope"))
    intercept = _number(look("PixelValueTransformationSequence", "RescaleIntercept"))
    instance = _number(dataset.get("InstanceNumber"))
    lossy = str(dataset.get("LossyImageCompression", "")) == "01" or _syntax(dataset) in _LOSSY
    grey = int(dataset.get("SamplesPerPixel", 1) or 1) == 1
    photometric = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    return SliceHeader(
        file=number,
        frame=frame,
        series_uid=str(dataset.get("SeriesInstanceUID", "") or ""),
        instance_uid=str(dataset.get("SOPInstanceUID", "") or ""),
        frame_uid=str(dataset.get("FrameOfReferenceUID", "") or ""),
        modality=_modality(dataset),
        image_type=_texts(dataset.get("ImageType")),
        position=_vector(look("PlanePositionSequence", "ImagePositionPatient"), 3),
        orientation=_vector(look("PlaneOrientationSequence", "ImageOrientationPatient"), 6),
        spacing=_vector(look("PixelMeasuresSequence", "PixelSpacing"), 2),
        shape=(int(dataset.get("Rows", 0) or 0), int(dataset.get("Columns", 0) or 0)),
        instance=frame + 1 if frame is not None else int(instance or 0),
        thickness=_number(look("PixelMeasuresSequence", "SliceThickness")),
        traits=_traits(dataset, look),
        rescale=None if slope is None or intercept is None else (slope, intercept),
        rescale_type=str(look("PixelValueTransformationSequence", "RescaleType") or ""),
        patient_position=_position(dataset.get("PatientPosition")),
        lossy=lossy,
        grey=grey and photometric == "MONOCHROME2",
        tilt_deg=_number(dataset.get("GantryDetectorTilt")),
    )


def _position(value: Any) -> str:
    """The patient's position; only what DICOM defines: other text is nobody's business."""
    stated = str(value or "").strip().upper()
    return stated if stated in POSITIONS else ""


def _traits(dataset: Any, look: Callable[[str, str], Any]) -> tuple[tuple[str, str], ...]:
    found = {
        "frame": str(dataset.get("FrameOfReferenceUID", "") or ""),
        "kernel": "/".join(_texts(look("CTReconstructionSequence", "ConvolutionKernel"))),
        "diameter": _rounded(look("CTReconstructionSequence", "ReconstructionDiameter")),
        "thickness": _rounded(look("PixelMeasuresSequence", "SliceThickness")),
        "frame_type": "/".join(_texts(look("CTImageFrameTypeSequence", "FrameType")))
        or "/".join(_texts(dataset.get("ImageType"))),
        "stack": str(look("FrameContentSequence", "StackID") or ""),
        "acquisition": str(
            look("FrameContentSequence", "FrameAcquisitionNumber")
            or dataset.get("AcquisitionNumber")
            or ""
        ),
        "temporal": str(
            look("FrameContentSequence", "TemporalPositionIndex")
            or dataset.get("TemporalPositionIdentifier")
            or ""
        ),
        "time": str(dataset.get("AcquisitionTime") or ""),
        "instance_uid": str(dataset.get("SOPInstanceUID", "") or ""),
    }
    return tuple(sorted(found.items()))


def _syntax(dataset: Any) -> str:
    return str(getattr(dataset, "file_meta", {}).get("TransferSyntaxUID", ""))


def _modality(dataset: Any) -> str:
    named = str(dataset.get("Modality", "") or "").strip().upper()
    ct_classes = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1")
    return named or ("CT" if str(dataset.get("SOPClassUID", "")) in ct_classes else "")


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    items = (value,) if isinstance(value, str) else tuple(value)
    return tuple(str(item).strip() for item in items)


def _number(value: Any) -> float | None:
    """A finite number, or None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < 1e12 else None


def _rounded(value: Any) -> str:
    number = _number(value)
    return "" if number is None else f"{number:.2f}"


def _vector(value: Any, size: int) -> Vector | None:
    try:
        numbers = tuple(_number(item) for item in value)
    except TypeError:
        return None
    known = tuple(n for n in numbers if n is not None)
    return known if len(numbers) == len(known) == size else None
