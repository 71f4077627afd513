"""A plain vertebra as an implicit shape, with pedicles that are round rods of known axis."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage
from skimage.measure import marching_cubes

from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.level import Level
from guidegen.model.volume import CTVolume, Grid
from guidegen.planning.line import directions

SIDES = (("left", 1.0), ("right", -1.0))


@dataclass(frozen=True)
class Shape:
    """Origin in the body's centre; x left, y back, z head; mm and degrees."""

    radius: float = 4.0
    axial: float = 12.0
    sagittal: float = 0.0
    isthmus: tuple[float, float, float] = (15.0, 17.0, 5.0)
    right_radius: float | None = None

    def measure(self, p):
        """Signed distance (about) at points (..., 3)."""
        x, y, z = p[..., 0], p[..., 1], p[..., 2]
        body = np.maximum(_ellipse(x, y, 23.0, 15.0), np.abs(z) - 13.0)
        ring = _ellipse(x, y - 22.0, 19.0, 14.5)
        arch = np.maximum.reduce([ring, np.abs(z - 1.0) - 9.0, 24.0 - y])
        spine = np.maximum.reduce([np.abs(x) - 3.0, np.abs(z + 3.0) - 5.0, 30.0 - y, y - 60.0])
        wing = np.maximum.reduce(
            [np.abs(np.abs(x) - 26.0) - 12.0, np.abs(y - 27.0) - 5.0, np.abs(z - 4.0) - 7.0]
        )
        whole = np.minimum.reduce([body, arch, spine, wing])
        for _, side in SIDES:
            whole = np.minimum(whole, self.rod(p, side))
        return np.maximum(whole, -_ellipse(x, y - 22.0, 10.5, 8.0))

    def rod(self, p, side):
        """Distance to one pedicle's rod."""
        way = directions(self.axial, self.sagittal, side)
        offset = p - np.array(self.isthmus) * (side, 1.0, 1.0)
        along = np.clip(offset @ way, -8.0, 10.0)
        radius = self.radius if side > 0 or self.right_radius is None else self.right_radius
        return np.linalg.norm(offset - along[..., None] * way, axis=-1) - radius

    @lru_cache  # noqa: B019
    def bone(self, name="L3", pose=None, step=0.7):
        """The shape's surface, carried to the patient by ``pose``."""
        axes = [np.arange(a, b, step) for a, b in ((-42, 42), (-19, 64), (-17, 17))]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        values = self.measure(grid) + 1e-5
        vertices, faces, _, _ = marching_cubes(values, 0.0)
        points = vertices * step + np.array([a[0] for a in axes])
        a, b, c = (points[faces[:, n]] for n in range(3))
        if np.einsum("ij,ij->", a, np.cross(b, c)) < 0:
            faces = faces[:, ::-1]
        return Bone(name, points if pose is None else pose.points(points), faces)

    def level(self, name="L3", pose=None, complete=True):
        """The level's frame: the canal's middle at pedicle height."""
        local = Pose.from_axes(np.eye(3), (0.0, 22.0, self.isthmus[2]), name, "level")
        whole = Pose(np.eye(4), PATIENT, name) if pose is None else pose
        return Level(name, whole @ local, (-12.0, 12.0), complete)


def _ellipse(u, v, a, b):
    k0 = np.hypot(u / a, v / b)
    k1 = np.hypot(u / a**2, v / b**2)
    return np.maximum(k0 * (k0 - 1.0) / np.maximum(k1, 1e-6), -min(a, b))


def scan(
    distance, size_mm, spacing=(1.0, 0.5, 0.5), cortex_mm=1.0, sigma_mm=0.5, noise=0.0, fine=3
):
    """Scan a shape: cortex 1200 HU, marrow 200, soft tissue 40; in-plane blur; kji is z, y, x."""
    low = -np.array(size_mm) / 2
    step = np.array(spacing)[::-1] / fine
    axes = [low[n] + step[n] * np.arange(int(size_mm[n] / step[n])) for n in range(3)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    d = distance(np.stack([x, y, z], axis=-1))
    hu = np.where(d > 0, 40.0, np.where(d > -cortex_mm, 1200.0, 200.0))
    hu = ndimage.gaussian_filter(hu, (sigma_mm / step[0], sigma_mm / step[1], 0.0))
    hu = ndimage.uniform_filter1d(hu, fine, axis=2)
    hu = hu[fine // 2 :: fine, fine // 2 :: fine, fine // 2 :: fine]
    start = np.array([a[fine // 2] for a in axes])
    start[2] -= step[2] * (1 - fine % 2) / 2  # the mean of an even number lies between two
    hu = hu + np.random.default_rng(7).normal(0.0, noise or 1e-9, hu.shape)
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag(np.array(spacing)[::-1])[:, ::-1]
    matrix[:3, 3] = start
    voxels = np.ascontiguousarray(np.round(hu).astype(np.int16).transpose(2, 1, 0))
    return CTVolume(voxels, Grid(matrix, voxels.shape))
