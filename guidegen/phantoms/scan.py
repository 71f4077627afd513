"""How a phantom is scanned: spacing, slice profile, noise, and how the scanner's grid lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from pydantic import ConfigDict

from guidegen.errors import InputError
from guidegen.model.arrays import Floats
from guidegen.model.volume import Grid

POSITIONS = {
    "": "HFS",
    "slices": "HFS",
    "feet_first": "FFS",
    "prone": "HFP",
    "prone_slices": "HFP",
    "prone_feet_first": "FFP",
}
"""How the scan may be flipped, and the patient position (0018,5100) that goes with it."""
FLIPS = tuple(POSITIONS)


@dataclass(frozen=True)
class ScanOptions:
    """Settings of the simulated scanner.

    Args:
        spacing_mm: Pixel size in the slice.
        slice_mm: Distance of neighbouring slices along the table.
        thickness_mm: Width of the slice profile (a box); None is ``slice_mm``.
        psf_mm: Standard deviation of the in-plane point spread; 0 switches it off.
        noise_hu: Standard deviation of the noise; 0 switches it off.
        tilt_deg: Gantry tilt: slices lean, but step along the table (a constant shear).
        oblique_deg: The whole grid turned about an oblique axis.
        flip: "" head first, slices from foot to head; ``slices`` from head to foot;
            ``feet_first`` with rows running from the patient's left to the right; ``prone`` with
            rows from left to right and columns from back to front; ``prone_slices`` and
            ``prone_feet_first`` (columns from back to front alone) are both at once.
        size_mm: Field of view left-right and front-back; None is the definition's.

    Raises:
        InputError: A value is out of range.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    spacing_mm: float = 0.5
    slice_mm: float = 1.0
    thickness_mm: float | None = None
    psf_mm: float = 0.5
    noise_hu: float = 25.0
    tilt_deg: float = 0.0
    oblique_deg: float = 0.0
    flip: str = ""
    size_mm: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        lengths = (self.spacing_mm, self.slice_mm, self.profile_mm)
        if not all(0.05 <= n <= 10 for n in lengths):
            raise InputError(f"spacing and slices must be 0.05 to 10 mm, found {lengths}")
        if not (0 <= self.psf_mm <= 10 and 0 <= self.noise_hu <= 1000):
            raise InputError(
                "point spread must be 0 to 10 mm and noise 0 to 1000 HU, found "
                f"{self.psf_mm} and {self.noise_hu}"
            )
        if not (abs(self.tilt_deg) <= 30 and abs(self.oblique_deg) <= 60):
            raise InputError("tilt must be within 30 degrees and oblique within 60")
        if self.flip not in FLIPS:
            raise InputError(f"flip must be one of {', '.join(FLIPS[1:])}, found {self.flip!r}")
        if self.size_mm is not None and not all(20 <= n <= 1000 for n in self.size_mm):
            raise InputError(f"the field of view must be 20 to 1000 mm wide, found {self.size_mm}")

    @property
    def profile_mm(self) -> float:
        """Width of the slice profile."""
        return self.slice_mm if self.thickness_mm is None else self.thickness_mm

    @property
    def patient_position(self) -> str:
        """As in DICOM: HFS, FFS, HFP or FFP."""
        return POSITIONS[self.flip]

    @property
    def prone(self) -> bool:
        """True if the patient lies on the belly."""
        return self.patient_position.endswith("P")

    def laid(self, prone: bool) -> ScanOptions:
        """Give the same options for a patient who lies on the belly, if he does."""
        if not prone or self.prone:
            return self
        return replace(self, flip="_".join(filter(None, ("prone", self.flip))))


@dataclass(frozen=True, eq=False)
class ScanGrid:
    """Where the voxels lie; unlike ``Grid`` it may be sheared (gantry tilt).

    Args:
        patient_from_kji: (4, 4), LPS mm.
        normal: (3,) unit normal of the slices, to higher k.
        shape_kji: Number of voxels.
        thickness_mm: Width of the slice profile along the normal.
    """

    patient_from_kji: Floats
    normal: Floats
    shape_kji: tuple[int, int, int]
    thickness_mm: float

    def grid(self, frame_of_reference: str = "") -> Grid:
        """The same as the model's grid.

        Raises:
            GeometryError: The grid is sheared.
        """
        return Grid(self.patient_from_kji, self.shape_kji, frame_of_reference)

    def index_box(self, corners_mm: Floats, margin: int = 2) -> tuple[Floats, Floats]:
        """First and last-plus-one voxel (k, j, i) of the box around points, inside the grid."""
        m = np.linalg.inv(self.patient_from_kji)
        kji = corners_mm @ m[:3, :3].T + m[:3, 3]
        low = np.maximum(np.floor(kji.min(axis=0)).astype(int) - margin, 0)
        high = np.minimum(np.ceil(kji.max(axis=0)).astype(int) + margin + 1, self.shape_kji)
        return low, high


def _turn(axis: Any, angle_deg: float) -> Floats:
    a = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    cross = np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])
    r = np.radians(angle_deg)
    return np.asarray(np.eye(3) + np.sin(r) * cross + (1 - np.cos(r)) * cross @ cross)


def scan_grid(low_mm: Floats, high_mm: Floats, options: ScanOptions) -> ScanGrid:
    """Lay the scanner's grid over a box of the patient, with margins where it leans."""
    lean = 45 * np.tan(np.radians(abs(options.oblique_deg)))
    lean += 60 * np.tan(np.radians(abs(options.tilt_deg)))
    height = float(high_mm[2] - low_mm[2]) * np.sin(np.radians(abs(options.oblique_deg)))
    size = np.asarray(high_mm) - np.asarray(low_mm)
    size = size + np.array([0.43 * height, 0.86 * height, 2 * lean])
    centre = (np.asarray(high_mm) + np.asarray(low_mm)) / 2
    axes = np.eye(3)
    if options.patient_position.startswith("FF"):
        axes = axes @ np.diag([-1.0, 1.0, -1.0])
    if options.prone:
        axes = axes @ np.diag([-1.0, -1.0, 1.0])
    whole = _turn((1.0, 0.5, 0.3), options.oblique_deg)
    axes = whole @ axes
    turned = -1.0 if options.flip.endswith("slices") else 1.0
    table = axes[:, 2] * turned
    leaning = _turn(axes[:, 0], options.tilt_deg) @ axes
    spacing = np.array([options.slice_mm, options.spacing_mm, options.spacing_mm])
    shape = np.maximum(np.round(size[::-1] / spacing).astype(int), 1)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([table, leaning[:, 1], leaning[:, 0]], axis=1) * spacing
    matrix[:3, 3] = centre - matrix[:3, :3] @ ((shape - 1) / 2)
    matrix[:3, 3] = np.round(matrix[:3, 3], 3)
    normal = leaning[:, 2] * turned
    return ScanGrid(
        matrix, normal, (int(shape[0]), int(shape[1]), int(shape[2])), options.profile_mm
    )
