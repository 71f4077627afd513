"""The spine pulled straight: the scan sampled in planes across the canal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.interpolate import CubicSpline

from guidegen.model.arrays import Floats
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.volume import CTVolume

HALF_WIDTH_MM = 45
FRONT_MM = 50
BACK_MM = 60


@dataclass(frozen=True, eq=False)
class CanalFrames:
    """Frames along the canal, one a millimetre, from foot to head.

    Args:
        centres_mm: (S, 3) LPS.
        axes: (S, 3, 3); columns: to the patient's left, to the back, to the head.
    """

    centres_mm: Floats
    axes: Floats

    def pose(self, s: float, name: str) -> Pose:
        """The frame at arc length ``s`` (clipped to the ends): ``patient_from_level``."""
        n = int(np.clip(np.rint(s), 0, len(self.centres_mm) - 1))
        return Pose.from_axes(self.axes[n], self.centres_mm[n], PATIENT, name)

    def turned(self, degrees: Floats) -> CanalFrames:
        """Turn each frame about the canal: positive turns the back to the patient's right."""
        c, s = np.cos(np.deg2rad(degrees))[:, None], np.sin(np.deg2rad(degrees))[:, None]
        left, back = self.axes[:, :, 0], self.axes[:, :, 1]
        axes = np.stack([c * left + s * back, c * back - s * left, self.axes[:, :, 2]], axis=2)
        return CanalFrames(self.centres_mm, axes)


def frames_along(points_mm: Floats, smooth_mm: float = 8.0) -> CanalFrames:
    """Resample a curve to one frame a millimetre; the back is the patient's back (LPS +y)."""
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points_mm, axis=0), axis=1))])
    s = np.arange(0.0, arc[-1], 1.0)
    centres = CubicSpline(arc, points_mm)(s)
    if smooth_mm > 0:
        centres = _smooth_line(centres, smooth_mm)
    heads = np.gradient(centres, axis=0)
    heads = ndimage.gaussian_filter1d(heads, 6.0, axis=0, mode="nearest")
    heads /= np.linalg.norm(heads, axis=1, keepdims=True)
    backs = np.array([0.0, 1.0, 0.0]) - heads * heads[:, 1:2]
    backs /= np.linalg.norm(backs, axis=1, keepdims=True)
    return CanalFrames(centres, np.stack([np.cross(backs, heads), backs, heads], axis=2))


def _smooth_line(points_mm: Floats, sigma_mm: float) -> Floats:
    """Gaussian smoothing that keeps straight ends straight (odd extension)."""
    n = min(int(3 * sigma_mm), len(points_mm) - 1)
    padded = np.concatenate(
        [
            2 * points_mm[0] - points_mm[n:0:-1],
            points_mm,
            2 * points_mm[-1] - points_mm[-2 : -n - 2 : -1],
        ]
    )
    smooth = ndimage.gaussian_filter1d(padded, sigma_mm, axis=0)
    return np.asarray(smooth[n : n + len(points_mm)])


def sample(
    volume: CTVolume, points_mm: Floats, order: int = 1, outside: float = -1000.0
) -> np.ndarray:
    """Grey values at LPS points (..., 3); air or ``outside`` beyond the scan."""
    kji = np.moveaxis(volume.grid.kji(points_mm), -1, 0)
    return np.asarray(
        ndimage.map_coordinates(volume.hu, kji, order=order, output=np.float32, cval=outside)
    )


def straightened(volume: CTVolume, frames: CanalFrames) -> np.ndarray:
    """(S, front to back, right to left) HU at 1 mm; the canal's centre at (s, 50, 45)."""
    back = np.arange(-FRONT_MM, BACK_MM + 1.0)
    left = np.arange(-HALF_WIDTH_MM, HALF_WIDTH_MM + 1.0)
    out = np.empty((len(frames.centres_mm), len(back), len(left)), dtype=np.float32)
    for n in range(len(out)):
        plane = (
            frames.centres_mm[n]
            + back[:, None, None] * frames.axes[n, :, 1]
            + left[None, :, None] * frames.axes[n, :, 0]
        )
        out[n] = sample(volume, plane)
    return out


def unrolled(
    volume: CTVolume, frames: CanalFrames, radii_mm: Floats, angles_deg: Floats
) -> np.ndarray:
    """The canal's walls unrolled: (S, angles, radii) HU.

    Angle 0 is the front, +90 the patient's left, +-180 the back.
    """
    angle = np.deg2rad(angles_deg)
    out = np.empty((len(frames.centres_mm), len(angle), len(radii_mm)), dtype=np.float32)
    for n in range(len(out)):
        left, back = frames.axes[n, :, 0], frames.axes[n, :, 1]
        ray = np.sin(angle)[:, None] * left - np.cos(angle)[:, None] * back
        out[n] = sample(volume, frames.centres_mm[n] + ray[:, None, :] * radii_mm[:, None])
    return out
