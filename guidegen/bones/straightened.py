"""The spine resampled straight: one grid for separation, ribs and names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from guidegen.bones.straight import CanalFrames, sample
from guidegen.model.arrays import Floats
from guidegen.model.volume import CTVolume
from guidegen.workers import MOST, side_by_side

STEP_MM = 0.8
LEFT_MM = 66.0
FRONT_MM = 52.0
BACK_MM = 78.0
END_MM = 24.0
"""The grid runs this far beyond the canal's ends: what lies there obliquely is in view too."""
OUT_OF_VIEW_HU = -1100.0
"""Below air: the scan holds nothing there."""
BONE_HU = 160.0
"""Brighter than soft tissue and discs, darker than the dimmest cortex (engineering choice)."""
SMALLEST_BONE = 400
"""Smaller pieces (voxels) are noise and calcifications (engineering choice)."""


@dataclass(frozen=True, eq=False)
class Straight:
    """The straightened scan at ``STEP_MM``.

    Args:
        hu: (S, front to back, right to left).
        labels: Same shape, int16: level index + 1, -1 on ribs, 0 elsewhere. One more than there
            are levels marks the arch of the vertebra above, whose pedicles are out of view.
    """

    frames: CanalFrames
    hu: np.ndarray
    labels: np.ndarray

    def voxels(self, points_mm: Floats) -> Floats:
        """LPS points (..., 3) to continuous voxel coordinates of the straightened grid."""
        corner = np.array([END_MM, FRONT_MM, LEFT_MM])
        return np.asarray((straight_coordinates(self.frames, points_mm) + corner) / STEP_MM)


def straight_coordinates(frames: CanalFrames, points_mm: Floats) -> Floats:
    """LPS points (..., 3) to (arc length, back, left) in mm, by the plane that holds the point.

    Beyond the ends of the canal the end frames are extended straight.
    """
    points = np.asarray(points_mm, dtype=np.float64).reshape(-1, 3)
    centres, heads = frames.centres_mm, frames.axes[:, :, 2]
    last = len(centres) - 1
    s = np.clip((points - centres[last // 2]) @ heads[last // 2] + last / 2, 0, last)
    for _ in range(12):
        n = np.rint(s).astype(int)
        ahead = np.einsum("ij,ij->i", points - centres[n], heads[n])
        inner = ((n > 0) | (ahead > 0)) & ((n < last) | (ahead < 0))
        s = np.where(inner, np.clip(n + 0.8 * ahead, 0, last), n)
    n = np.rint(s).astype(int)
    offset = points - centres[n]
    local = np.einsum("ij,ijk->ik", offset, frames.axes[n])
    out = np.column_stack([n + local[:, 2], local[:, 1], local[:, 0]])
    return out.reshape(np.shape(points_mm))


def millimetres(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(S, 1, 1) arc length, (1, B, 1) back and (1, 1, L) left of the straightened voxels."""
    s = (np.arange(shape[0]) * STEP_MM - END_MM)[:, None, None]
    back = (np.arange(shape[1]) * STEP_MM - FRONT_MM)[None, :, None]
    left = (np.arange(shape[2]) * STEP_MM - LEFT_MM)[None, None, :]
    return s, back, left


def plane_at(s_mm: float) -> int:
    """Index of the plane nearest to an arc length, not below zero."""
    return max(round((s_mm + END_MM) / STEP_MM), 0)


def halved(values: np.ndarray, pick: np.ufunc) -> np.ndarray:
    """Values at twice the step, edges repeated: ``pick`` (np.maximum, np.minimum) of 2 x 2 x 2."""
    out = np.pad(values, [(0, n % 2) for n in values.shape], mode="edge")
    for axis in range(3):
        first = [slice(None)] * 3
        second = [slice(None)] * 3
        first[axis], second[axis] = slice(None, None, 2), slice(1, None, 2)
        out = pick(out[tuple(first)], out[tuple(second)])
    return np.asarray(out)


def doubled(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Values at half the step, the inverse of ``halved`` to the shape it was."""
    fine = values.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    return np.asarray(fine[tuple(slice(0, n) for n in shape)])


def bone_voxels(hu: np.ndarray) -> np.ndarray:
    """Where straightened grey values show bone, in pieces of at least ``SMALLEST_BONE``."""
    labels, n = ndimage.label(ndimage.gaussian_filter(hu, 0.7) > BONE_HU)
    keep = np.bincount(labels.ravel(), minlength=n + 1) >= SMALLEST_BONE
    keep[0] = False
    return np.asarray(keep[labels])


def straightened_scan(volume: CTVolume, frames: CanalFrames) -> np.ndarray:
    """(S, back, left) HU at STEP_MM, below OUT_OF_VIEW_HU beyond the scan."""
    back = np.arange(-FRONT_MM, BACK_MM + 1e-6, STEP_MM)
    left = np.arange(-LEFT_MM, LEFT_MM + 1e-6, STEP_MM)
    last = len(frames.centres_mm) - 1
    s = np.arange(-END_MM, last + END_MM + 1e-6, STEP_MM)
    n = np.clip(np.floor(s).astype(int), 0, last - 1)
    part = np.clip(s - n, 0, 1)[:, None]
    centres = frames.centres_mm[n] * (1 - part) + frames.centres_mm[n + 1] * part
    axes = frames.axes[n] * (1 - part[:, :, None]) + frames.axes[n + 1] * part[:, :, None]
    centres += (s - np.clip(s, 0, last))[:, None] * axes[:, :, 2]
    out = np.empty((len(s), len(back), len(left)), dtype=np.float32)

    def fill(rows: np.ndarray) -> None:
        for row in rows:
            plane = (
                centres[row]
                + back[:, None, None] * axes[row, :, 1]
                + left[None, :, None] * axes[row, :, 0]
            )
            out[row] = sample(volume, plane, outside=2 * OUT_OF_VIEW_HU)

    side_by_side(fill, np.array_split(np.arange(len(s)), MOST))
    return out
