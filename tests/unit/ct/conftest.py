"""Synthetic scans: an asymmetric body of known LPS geometry, as DICOM in any orientation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CENTRES_MM = np.array([(14.0, 2.0, 5.0), (-9.0, 12.0, -8.0), (3.0, -13.0, 9.0)])
RADII_MM = np.array([5.0, 4.0, 3.0])
HEIGHTS_HU = (1200, 900, 600)


def body_hu(points_mm: np.ndarray) -> np.ndarray:
    """HU of three soft-edged balls in water in air, at LPS points (..., 3)."""
    hu = np.where(np.linalg.norm(points_mm, axis=-1) < 30, 0.0, -1000.0)
    for centre, radius, height in zip(CENTRES_MM, RADII_MM, HEIGHTS_HU, strict=True):
        distance = np.linalg.norm(points_mm - centre, axis=-1)
        hu = hu + height / (1 + np.exp((distance - radius) / 0.6))
    return hu


def found_centres(volume: Any) -> np.ndarray:
    """(3, 3) LPS centres of the balls, by weighted mean of what lies above water."""
    kji = np.stack(np.meshgrid(*(np.arange(n) for n in volume.hu.shape), indexing="ij"), -1)
    points = volume.grid.patient(kji)
    centres = []
    for centre, radius in zip(CENTRES_MM, RADII_MM, strict=True):
        near = np.linalg.norm(points - centre, axis=-1) < radius + 3
        weight = np.clip(volume.hu[near].astype(float), 0, None)
        centres.append((points[near] * weight[:, None]).sum(axis=0) / weight.sum())
    return np.array(centres)


@dataclass
class Scan:
    """What to write; the normal is row x column."""

    row: tuple[float, float, float] = (1, 0, 0)
    column: tuple[float, float, float] = (0, 1, 0)
    spacing: tuple[float, float] = (1.0, 1.0)
    step: float = 1.25
    n: int = 56
    shape: tuple[int, int] = (72, 76)
    shear_mm: tuple[float, float] = (0.0, 0.0)
    series_uid: str = field(default_factory=lambda: generate_uid(entropy_srcs=["series"]))
    frame_uid: str = field(default_factory=lambda: generate_uid(entropy_srcs=["frame"]))
    extra: dict[str, Any] = field(default_factory=dict)
    prefix: str = "IM"
    offset_mm: float = 0.0

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.row, self.column)

    def origin(self, k: float) -> np.ndarray:
        """LPS of the first pixel of slice k; the stack is centred on 0."""
        row, column = np.array(self.row), np.array(self.column)
        middle = (self.n - 1) / 2
        start = -row * self.spacing[1] * (self.shape[1] - 1) / 2
        start = start - column * self.spacing[0] * (self.shape[0] - 1) / 2
        along = (k - middle) * self.step + self.offset_mm
        side = (k - middle) * (column * self.shear_mm[0] + row * self.shear_mm[1])
        return start + self.normal * along + side

    def pixels(self, k: float) -> np.ndarray:
        j, i = np.mgrid[: self.shape[0], : self.shape[1]]
        points = (
            self.origin(k)
            + j[..., None] * np.array(self.column) * self.spacing[0]
            + i[..., None] * np.array(self.row) * self.spacing[1]
        )
        return np.rint(body_hu(points)).astype(np.int16)

    def slice(self, k: int) -> Dataset:
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        data.SOPInstanceUID = generate_uid(entropy_srcs=[self.series_uid, self.prefix, str(k)])
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.Modality, data.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
        data.PatientName, data.PatientID, data.PatientPosition = "Secret^Name", "SECRET7", "HFS"
        data.SeriesInstanceUID, data.FrameOfReferenceUID = self.series_uid, self.frame_uid
        data.InstanceNumber = k + 1
        data.ImageOrientationPatient = [f"{v:.10f}" for v in (*self.row, *self.column)]
        data.ImagePositionPatient = [f"{v:.9f}" for v in self.origin(k)]
        data.PixelSpacing, data.SliceThickness = list(self.spacing), self.step
        data.Rows, data.Columns = self.shape
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
        data.PixelRepresentation = 0
        data.RescaleSlope, data.RescaleIntercept, data.RescaleType = 1, -1024, "HU"
        data.PixelData = (self.pixels(k).astype(np.int32) + 1024).astype("<u2").tobytes()
        for key, value in self.extra.items():
            if value is None:
                delattr(data, key)
            else:
                setattr(data, key, value)
        return data

    def write(self, folder: Path, skip: tuple[int, ...] = ()) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for k in range(self.n):
            if k not in skip:
                # reversed names: the order of the files must not matter
                name = folder / f"{self.prefix}{self.n - k:04d}"
                self.slice(k).save_as(name, enforce_file_format=True)
        return folder


@pytest.fixture
def scan() -> Callable[..., Scan]:
    return Scan


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain axial series; not to be changed."""
    return Scan().write(tmp_path_factory.mktemp("plain") / "a" / "b")


@pytest.fixture
def centres() -> Callable[[Any], np.ndarray]:
    return found_centres


@pytest.fixture
def truth_mm() -> np.ndarray:
    return CENTRES_MM


@pytest.fixture
def hu_at() -> Callable[[np.ndarray], np.ndarray]:
    return body_hu
