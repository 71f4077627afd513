"""Grey values as a series of CT Image Storage files, the same bytes for the same seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from guidegen.phantoms.scan import ScanGrid, ScanOptions

DATE, TIME = "20240101", "120000"


def made_uid(*parts: object) -> UID:
    """Make a UID under 2.25 from the hash of the parts: the same parts, the same UID."""
    digest = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big') | 1 << 124}")


@dataclass(frozen=True)
class Series:
    """What the files of one series share.

    Args:
        name: The phantom's name: its patient's name and id.
        seed: Number all UIDs come from, with the name and the options.
        options: The scanner's settings.
        body_part: As in (0018,0015).
        number: Of the series; all share the study and the frame of reference.
    """

    name: str
    seed: int
    options: ScanOptions
    body_part: str = "SPINE"
    number: int = 1

    def uid(self, *parts: object) -> UID:
        """Make the UID of one thing in this study."""
        return made_uid("guidegen", self.name, self.seed, self.options, *parts)

    def own_uid(self, *parts: object) -> UID:
        """Make the UID of one thing in this series."""
        return self.uid(*parts) if self.number == 1 else self.uid(*parts, self.number)


def decimal(value: float) -> str:
    """Write a decimal string of at most 16 characters."""
    for digits in range(12, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text if float(text) != 0 else "0"
    return "0"


def _patient(series: Series) -> dict[str, Any]:
    return {
        "PatientName": f"Phantom^{series.name}",
        "PatientID": f"PHANTOM-{series.name}"[:64],
        "PatientBirthDate": "",
        "PatientSex": "O",
        "StudyInstanceUID": series.uid("study"),
        "StudyDate": DATE,
        "StudyTime": TIME,
        "StudyID": "1",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "SeriesInstanceUID": series.own_uid("series"),
        "SeriesNumber": series.number,
        "SeriesDescription": f"guidegen phantom {series.name}"[:64],
        "Modality": "CT",
        "FrameOfReferenceUID": series.uid("frame"),
        "PositionReferenceIndicator": "",
        "Manufacturer": "guidegen",
        "ManufacturerModelName": "phantom",
        "PatientPosition": series.options.patient_position,
    }


def _scanner(series: Series) -> dict[str, Any]:
    options = series.options
    return {
        "ImageType": ["DERIVED", "SECONDARY", "AXIAL"],
        "ContentDate": DATE,
        "ContentTime": TIME,
        "AcquisitionNumber": 1,
        "BodyPartExamined": series.body_part,
        "KVP": "120",
        "GantryDetectorTilt": decimal(options.tilt_deg),
        "ConvolutionKernel": "PHANTOM",
        "SliceThickness": decimal(options.profile_mm),
        "SpacingBetweenSlices": decimal(options.slice_mm),
        "DerivationDescription": "Simulated from shapes; not a patient",
        "RescaleIntercept": "0",
        "RescaleSlope": "1",
        "RescaleType": "HU",
        "WindowCenter": "300",
        "WindowWidth": "1500",
    }


def _pixels(piece: npt.NDArray[np.int16]) -> dict[str, Any]:
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": piece.shape[0],
        "Columns": piece.shape[1],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "PixelData": np.ascontiguousarray(piece.astype("<i2")).tobytes(),
    }


def _place(scan: ScanGrid, k: int) -> dict[str, Any]:
    m = scan.patient_from_kji
    down, across = (m[:3, n] / np.linalg.norm(m[:3, n]) for n in (1, 2))
    position = m[:3, 3] + k * m[:3, 0]
    spacing = (float(np.linalg.norm(m[:3, n])) for n in (1, 2))
    return {
        "ImagePositionPatient": [decimal(v) for v in position],
        "ImageOrientationPatient": [decimal(v) for v in (*across, *down)],
        "PixelSpacing": [decimal(v) for v in spacing],
        "SliceLocation": decimal(float(position @ scan.normal)),
    }


def _file(series: Series, k: int, content: dict[str, Any]) -> FileDataset:
    uid = series.own_uid("image", k)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = made_uid("guidegen", "implementation")
    meta.ImplementationVersionName = "GUIDEGEN_PHANTOM"
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, uid
    for keyword, value in content.items():
        setattr(made, keyword, value)
    return made


def write_series(
    out: Path, hu: npt.NDArray[np.int16], scan: ScanGrid, series: Series, first: int = 0
) -> tuple[Path, ...]:
    """Write one CT file a slice, ``CT0001.dcm`` and on.

    Args:
        out: Folder, made if it is not there.
        hu: (K, J, I).
        scan: Where the voxels lie; the slices of a sheared grid step along the table.
        series: Names and seed.
        first: So many slices of the series are already written.

    Returns:
        The files, in the order of the slices.
    """
    out.mkdir(parents=True, exist_ok=True)
    shared = _patient(series) | _scanner(series)
    files = []
    for k, piece in enumerate(hu):
        number = {"InstanceNumber": first + k + 1}
        content = shared | _place(scan, k) | number | _pixels(piece)
        made = _file(series, first + k, content)
        files.append(out / f"CT{first + k + 1:04d}.dcm")
        made.save_as(files[-1], enforce_file_format=True)
    return tuple(files)
