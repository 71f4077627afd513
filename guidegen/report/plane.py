"""Oblique planes through a path, and the CT sampled on them.

Pictures follow the radiologist's convention: an axial one is seen from the feet, front up; a
sagittal one from the patient's left, front to the left; a cross-section from the front. The
patient's right is therefore on the left of axial pictures and cross-sections.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from guidegen.model.arrays import Floats, frozen_floats, unit
from guidegen.model.frames import Pose
from guidegen.model.plan import Path
from guidegen.model.volume import CTVolume

OUTSIDE_HU = -1024
WINDOW_CENTRE_HU = 400.0
WINDOW_WIDTH_HU = 1800.0
OBLIQUE = 0.5  # an axis within 60 deg of a direction is named
LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


@dataclass(frozen=True, eq=False)
class Plane:
    """A picture's plane in the patient's frame.

    Args:
        origin_mm: (3,) the point in the picture's middle.
        right: (3,) to the right in the picture.
        up: (3,) upwards in the picture; made square to ``right``.
    """

    origin_mm: Floats
    right: Floats
    up: Floats

    def __post_init__(self) -> None:
        right = unit(self.right, "right")
        up = np.asarray(self.up, dtype=np.float64)
        object.__setattr__(self, "origin_mm", frozen_floats(self.origin_mm, (3,), "origin_mm"))
        object.__setattr__(self, "right", right)
        object.__setattr__(self, "up", unit(up - (up @ right) * right, "up"))

    @property
    def normal(self) -> Floats:
        """(3,): towards the viewer."""
        return np.cross(self.right, self.up)

    def flat(self, points_mm: Floats) -> Floats:
        """Project points (..., 3) to (..., 2): mm to the right and mm up from the middle."""
        away = np.asarray(points_mm, dtype=np.float64) - self.origin_mm
        return np.stack([away @ self.right, away @ self.up], axis=-1)

    def moved(self, to_mm: Floats) -> Plane:
        """The same plane with its middle at the foot of the perpendicular from a point."""
        away = np.asarray(to_mm, dtype=np.float64) - self.origin_mm
        inside = (away @ self.right) * self.right + (away @ self.up) * self.up
        return Plane(self.origin_mm + inside, self.right, self.up)

    def marks(self, frame: Pose) -> dict[str, str]:
        """Patient's side at each edge of the picture, by the bone's own axes."""
        across, upward = letter(self.right, frame), letter(self.up, frame)
        left, below = letter(-self.right, frame), letter(-self.up, frame)
        return {"left": left, "right": across, "top": upward, "bottom": below}


def letter(direction: Floats, frame: Pose) -> str:
    """Name a direction by the axes nearest to it: R, L, A, P, H, F, or two such as RP."""
    own = np.asarray(direction) @ frame.axes
    order = np.argsort(-np.abs(own), kind="stable")
    near = [int(a) for a in order if abs(own[a]) > OBLIQUE] or [int(order[0])]
    return "".join(LETTERS[axis][0 if own[axis] > 0 else 1] for axis in near[:2])


def axial_plane(path: Path, frame: Pose) -> Plane:
    """The plane of the path's axis and the bone's left-right axis, seen from the feet."""
    left = _square_to(path.direction, frame.axes, (0, 1))
    front = path.direction - (path.direction @ left) * left
    if front @ frame.axes[:, 1] > 0:
        front = -front
    return Plane(_middle(path), left, front)


def sagittal_plane(path: Path, frame: Pose) -> Plane:
    """The plane of the path's axis and the bone's foot-head axis, seen from the left."""
    head = _square_to(path.direction, frame.axes, (2, 1))
    back = path.direction - (path.direction @ head) * head
    if back @ frame.axes[:, 1] < 0:
        back = -back
    return Plane(_middle(path), back, head)


def cross_plane(path: Path, frame: Pose, depth_mm: float) -> Plane:
    """The plane square to the path at a depth under its entry, seen from the front."""
    head = _square_to(path.direction, frame.axes, (2, 1))
    head = unit(head - (head @ path.direction) * path.direction, "head")
    left = np.cross(head, path.direction)
    if left @ frame.axes[:, 0] < 0:
        left = -left
    return Plane(path.entry_mm + depth_mm * path.direction, left, head)


def _square_to(direction: Floats, axes: Floats, order: tuple[int, int]) -> Floats:
    """The first of the frame's axes that is not nearly parallel to a direction."""
    for column in order:
        if abs(float(direction @ axes[:, column])) < 0.95:
            return np.asarray(axes[:, column])
    return np.asarray(axes[:, order[1]])


def _middle(path: Path) -> Floats:
    return np.asarray((path.entry_mm + path.tip_mm) / 2)


def sample(volume: CTVolume, plane: Plane, field_mm: float, pixels: int) -> npt.NDArray[np.uint8]:
    """Sample the CT as ``hu_on``, as uint8 grey values of the bone window; 0 outside the scan."""
    low = WINDOW_CENTRE_HU - WINDOW_WIDTH_HU / 2
    grey = (hu_on(volume, plane, field_mm, pixels) - low) * (255 / WINDOW_WIDTH_HU)
    return np.asarray(np.clip(grey + 0.5, 0, 255), dtype=np.uint8)


def hu_on(volume: CTVolume, plane: Plane, field_mm: float, pixels: int) -> np.ndarray:
    """Sample the CT on a square of a plane.

    Args:
        volume: The CT.
        plane: Its origin is the square's middle.
        field_mm: Side of the square.
        pixels: Number of pixels along a side.

    Returns:
        (pixels, pixels) float32 HU, first row on top; air outside the scan.
    """
    offset = ((np.arange(pixels) + 0.5) / pixels - 0.5) * field_mm
    return hu_at(volume, plane, offset, -offset)


def hu_at(volume: CTVolume, plane: Plane, right_mm: Floats, up_mm: Floats) -> np.ndarray:
    """Sample the CT on a lattice of a plane.

    Args:
        volume: The CT.
        plane: Where it lies.
        right_mm: (W,) places of the columns, to the right of the plane's origin.
        up_mm: (H,) places of the rows, upwards from it.

    Returns:
        (H, W) float32 HU, linearly interpolated; air outside the scan.
    """
    matrix = np.linalg.inv(volume.grid.patient_from_kji)[:3, :3]
    across = right_mm[:, None] * (matrix @ plane.right)
    upward = up_mm[:, None] * (matrix @ plane.up)
    kji = volume.grid.kji(plane.origin_mm) + across[None, :] + upward[:, None]
    return np.asarray(
        ndimage.map_coordinates(
            volume.hu,
            np.moveaxis(kji, -1, 0),
            order=1,
            output=np.float32,
            mode="constant",
            cval=OUTSIDE_HU,
        )
    )
