"""Drawn scans of a back whose skin is known exactly: an elliptic cylinder along z."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from guidegen.model.frames import PATIENT, Pose
from guidegen.model.volume import CTVolume, Grid, ScanInfo

HALF = np.array([160.0, 110.0])
MIDDLE_Y = -40.0
BACK_Y = MIDDLE_Y + HALF[1]
EDGE_MM = 1.2
"""Width of the ramp that stands for the scanner's blur."""
AIR, FAT, SKIN, LUNG = -1000.0, -100.0, 40.0, -850.0
FRAME = Pose.from_axes(np.eye(3), (0, 0, 0), PATIENT, "bone")
Paint = Callable[[np.ndarray, np.ndarray], np.ndarray]


def outside_mm(points):
    """Signed distance to the skin of points (..., 3); exact near it to the second order."""
    u = (points[..., :2] - (0, MIDDLE_Y)) / HALF
    f = (u**2).sum(axis=-1)
    slope = 2 * np.linalg.norm(u / HALF, axis=-1)
    return (f - 1) / np.maximum(slope, 1e-3) * 2 / (1 + np.sqrt(np.maximum(f, 1e-6)))


def skin_height(x):
    """y of the skin of the back."""
    return MIDDLE_Y + HALF[1] * np.sqrt(1 - (x / HALF[0]) ** 2)


def layer(hu, value, distance):
    """Lay something over grey values; ``distance`` is negative in it."""
    share = np.clip(0.5 - distance / EDGE_MM, 0, 1)
    return hu + share * (value - hu)


@dataclass(frozen=True)
class Scan:
    """How a back is scanned: voxels, turn of the grid, what lies on the back."""

    low: tuple[float, float, float] = (-140.0, -30.0, -82.0)
    high: tuple[float, float, float] = (140.0, 95.0, 82.0)
    spacing: float = 1.2
    """Of the pixels; slices are 1.8 times as far apart."""
    turn: np.ndarray = field(default_factory=lambda: np.eye(3))
    covers: tuple[Paint, ...] = ()
    noise: float = 20.0
    position: str = "HFP"

    def grid(self) -> Grid:
        size = np.array(self.high) - self.low
        steps = np.array([1.8, 1.0, 1.0]) * self.spacing
        shape = np.ceil((np.abs(self.turn).T @ size)[::-1] / steps).astype(int)
        matrix = np.eye(4)
        matrix[:3, :3] = self.turn[:, ::-1] * steps
        centre = (np.array(self.high) + self.low) / 2
        matrix[:3, 3] = centre - matrix[:3, :3] @ ((shape - 1) / 2)
        return Grid(matrix, tuple(int(n) for n in shape))

    def volume(self) -> CTVolume:
        grid = self.grid()
        kji = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape_kji), indexing="ij"), -1)
        points = grid.patient(kji)
        over = outside_mm(points)
        hu = np.full(over.shape, AIR)
        for cover in self.covers:
            hu = cover(hu, points)
        hu = layer(hu, SKIN, over)
        hu = layer(hu, FAT, over + 2.0)
        for side in (-70.0, 70.0):
            lung = np.hypot(points[..., 0] - side, (points[..., 1] - 8.0)) - 30.0
            hu = layer(hu, LUNG, lung)
        random = np.random.default_rng(7)
        hu = hu + self.noise * random.standard_normal(hu.shape)
        return CTVolume(
            np.rint(hu).astype(np.int16), grid, ScanInfo("phantom", patient_position=self.position)
        )


def turned(*degrees):
    return Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()


def loose_gown(hu, points):
    """Cloth of 1.2 mm that lies on the skin at the left and is lifted up to 8 mm at the right."""
    lift = 8.0 * np.exp(-(((points[..., 0] + 30) / 25) ** 2))
    over = outside_mm(points)
    return layer(hu, -250.0, np.maximum(over - lift - 1.2, lift - over))


def flush_cover(hu, points):
    """A mattress: a cover of 2.5 mm at -250 HU that touches all the skin, and foam."""
    over = outside_mm(points)
    hu = layer(hu, -920.0, 2.0 - over)
    return layer(hu, -250.0, np.maximum(over - 2.5, -over - 5.0))


def wires(hu, points):
    """Two leads of 1.6 mm, one along and one across the spine."""
    x, z, over = points[..., 0], points[..., 2], outside_mm(points)
    for aside in (x - 18.0 - 0.1 * z, z - 5.0):
        wire = np.where(points[..., 1] > 0, np.hypot(over - 0.8, aside) - 0.8, 99.0)
        hu = layer(hu, 2500.0, wire)
    return hu


def tube(hu, points):
    """A plastic tube, 5 mm thick, that lies on the skin."""
    over = outside_mm(points)
    return layer(hu, 60.0, np.hypot(over - 2.5, points[..., 0] + 25.0) - 2.5)


def touching_table(hu, points):
    """A flat table top of 2 mm that touches the back in the midline, and its light core."""
    under = points[..., 1] - BACK_Y
    hu = layer(hu, -800.0, 1.0 - under)
    return layer(hu, 30.0, np.abs(under - 1.0) - 1.0)


def padding(radius_mm, centre):
    """One value outside of a circle in every slice, as scanners write it."""

    def paint(volume):
        hu = volume.hu.copy()
        points = volume.grid.patient(
            np.stack(np.meshgrid(*(np.arange(n) for n in hu.shape), indexing="ij"), -1)
        )
        hu[np.hypot(points[..., 0] - centre[0], points[..., 1] - centre[1]) > radius_mm] = -1024
        return CTVolume(hu, volume.grid, volume.info)

    return paint
