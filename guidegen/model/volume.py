"""Voxel grids in the patient's frame, CT volumes and label maps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from guidegen.errors import FrameError, GeometryError
from guidegen.model.arrays import Floats, frozen_floats
from guidegen.model.notice import Notice

TableSide = Literal["back", "front", ""]
"""On which side of the patient the table lies; "" where none is seen."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular grid of voxel centres; axes orthogonal, possibly left-handed in kji.

    Args:
        patient_from_kji: (4, 4) affine: voxel indices (k, j, i) to DICOM LPS mm.
        shape_kji: Number of voxels along each axis.
        frame_of_reference: Hashed frame of reference UID (``sha256:...``), or "" if unknown.
    """

    patient_from_kji: Floats
    shape_kji: tuple[int, int, int]
    frame_of_reference: str = ""

    def __post_init__(self) -> None:
        matrix = frozen_floats(self.patient_from_kji, (4, 4), "patient_from_kji")
        if not np.allclose(matrix[3], (0, 0, 0, 1)) or abs(np.linalg.det(matrix[:3, :3])) < 1e-9:
            raise GeometryError("patient_from_kji is not an invertible affine matrix")
        axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
        if not np.allclose(axes.T @ axes, np.eye(3), atol=2e-3):
            raise GeometryError("the axes of the voxel grid are not at right angles")
        shape = tuple(int(n) for n in self.shape_kji)
        if len(shape) != 3 or min(shape) < 1:
            raise GeometryError(f"a grid needs three sizes of at least 1, got {shape}")
        object.__setattr__(self, "patient_from_kji", matrix)
        object.__setattr__(self, "shape_kji", shape)

    @property
    def spacing_kji_mm(self) -> Floats:
        """(3,): voxel size along k, j, i."""
        return np.asarray(np.linalg.norm(self.patient_from_kji[:3, :3], axis=0))

    @property
    def axes_kji(self) -> Floats:
        """(3, 3): unit directions of k, j, i as columns, LPS."""
        return np.asarray(self.patient_from_kji[:3, :3] / self.spacing_kji_mm)

    def patient(self, kji: Any) -> Floats:
        """Voxel coordinates (..., 3) to LPS mm."""
        m = self.patient_from_kji
        return np.asarray(np.asarray(kji, dtype=np.float64) @ m[:3, :3].T + m[:3, 3])

    def kji(self, points_mm: Any) -> Floats:
        """LPS mm (..., 3) to continuous voxel coordinates (k, j, i)."""
        m = np.linalg.inv(self.patient_from_kji)
        return np.asarray(np.asarray(points_mm, dtype=np.float64) @ m[:3, :3].T + m[:3, 3])

    def crop(self, start_kji: Any, stop_kji: Any) -> Grid:
        """The part of the grid from ``start_kji`` up to, not including, ``stop_kji``."""
        start = np.asarray(start_kji, dtype=int)
        shape = np.asarray(stop_kji, dtype=int) - start
        matrix = np.array(self.patient_from_kji)
        matrix[:3, 3] = self.patient(start)
        return Grid(matrix, tuple(shape.tolist()), self.frame_of_reference)

    def same_as(self, other: Grid, tolerance_mm: float = 0.01) -> bool:
        """Tell whether both grids have the same voxels at the same places."""
        corners = np.array([(0, 0, 0), self.shape_kji])
        return self.shape_kji == other.shape_kji and bool(
            np.abs(self.patient(corners) - other.patient(corners)).max() < tolerance_mm
        )


@dataclass(frozen=True)
class ScanInfo:
    """Where a volume came from, without anything that names the patient.

    Args:
        source: ``dicom``, ``nifti``, ``nrrd`` or ``phantom``.
        series: Hashed series UID (``sha256:...``), or "".
        patient_position: DICOM value such as ``HFS``, or "" if unknown.
        slice_thickness_mm: As the scanner states it; None if unknown.
        notices: What the reader has to warn of.
        table: Side of the patient on which the table was seen in the whole scan: ``back``,
            ``front``, or "" for none; None where it was not looked for.
    """

    source: str
    series: str = ""
    patient_position: str = ""
    slice_thickness_mm: float | None = None
    notices: tuple[Notice, ...] = ()
    table: TableSide | None = None


@dataclass(frozen=True, eq=False)
class CTVolume:
    """A CT in Hounsfield units.

    Args:
        hu: (K, J, I) int16, made read-only.
        grid: Where the voxels lie.
        info: Where it came from.
    """

    hu: npt.NDArray[np.int16]
    grid: Grid
    info: ScanInfo = field(default_factory=lambda: ScanInfo("phantom"))

    def __post_init__(self) -> None:
        if self.hu.dtype != np.int16 or self.hu.shape != self.grid.shape_kji:
            raise GeometryError(
                f"a CT needs int16 values of shape {self.grid.shape_kji}, "
                f"got {self.hu.dtype} {self.hu.shape}"
            )
        view = self.hu.view()
        view.setflags(write=False)
        object.__setattr__(self, "hu", view)

    def crop(self, start_kji: Any, stop_kji: Any) -> CTVolume:
        """Cut out a box of voxels (clipped to the volume); a view, not a copy."""
        start = np.maximum(np.asarray(start_kji, dtype=int), 0)
        stop = np.minimum(np.asarray(stop_kji, dtype=int), self.grid.shape_kji)
        part = self.hu[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
        return replace(self, hu=part, grid=self.grid.crop(start, stop))

    def around(self, points_mm: Floats, margin_mm: float) -> CTVolume:
        """Cut out the box of some LPS points (N, 3) and a margin; a copy, to free the rest."""
        kji = self.grid.kji(points_mm)
        margin = margin_mm / self.grid.spacing_kji_mm
        low, high = np.floor(kji.min(axis=0) - margin), np.ceil(kji.max(axis=0) + margin) + 1
        part = self.crop(low, high)
        return replace(part, hu=part.hu.copy())

    def sha256(self) -> str:
        """Hash the grey values and the grid: the same scan gives the same hash."""
        digest = hashlib.sha256(np.ascontiguousarray(self.hu).data)
        digest.update(np.round(self.grid.patient_from_kji, 6).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A label for every voxel; 0 is background.

    Args:
        labels: (K, J, I) unsigned integers, made read-only.
        grid: Where the voxels lie.
        names: Label value to bone name (``{20: "L5"}``).
    """

    labels: npt.NDArray[np.uint16]
    grid: Grid
    names: Mapping[int, str]

    def __post_init__(self) -> None:
        if self.labels.dtype != np.uint16 or self.labels.shape != self.grid.shape_kji:
            raise GeometryError(
                f"a label map needs uint16 values of shape {self.grid.shape_kji}, "
                f"got {self.labels.dtype} {self.labels.shape}"
            )
        view = self.labels.view()
        view.setflags(write=False)
        object.__setattr__(self, "labels", view)

    def require_same_frame(self, volume: CTVolume) -> None:
        """Raise FrameError if both name a frame of reference and the two differ."""
        mine, theirs = self.grid.frame_of_reference, volume.grid.frame_of_reference
        if mine and theirs and mine != theirs:
            raise FrameError("the label map belongs to another frame of reference than the scan")
