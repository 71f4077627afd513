"""A leg of simple shapes, small enough for unit tests."""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from guidegen.model.volume import CTVolume, Grid

STEP_MM = 1.5
SHAPE = (136, 92, 92)
Distance = Callable[[np.ndarray], np.ndarray]


def _ellipsoid(p: np.ndarray, centre: tuple[float, ...], half: tuple[float, ...]) -> np.ndarray:
    scaled = np.linalg.norm((p - centre) / np.array(half), axis=-1)
    return (scaled - 1) * min(half)


def _column(p: np.ndarray, at: tuple[float, float], low: float, high: float, radius: float):
    across = np.hypot(p[..., 0] - at[0], p[..., 1] - at[1]) - radius
    return np.maximum(across, np.maximum(low - p[..., 2], p[..., 2] - high))


def femur(p: np.ndarray) -> np.ndarray:
    condyles = [_ellipsoid(p, (x, 6, 22), (19, 30, 21)) for x in (-20, 20)]
    bridge = _ellipsoid(p, (0, -4, 32), (34, 22, 22))
    return np.minimum.reduce([*condyles, bridge, _column(p, (0, 0), 25, 200, 14)])


def tibia(p: np.ndarray) -> np.ndarray:
    narrow = np.clip(-p[..., 2] / 45, 0, 1)
    half = 38 - 25 * narrow, 26 - 13 * narrow
    across = (np.hypot(p[..., 0] / half[0], p[..., 1] / half[1]) - 1) * half[1]
    return np.maximum(across, np.maximum(p[..., 2], -200 - p[..., 2]))


def fibula(p: np.ndarray) -> np.ndarray:
    head = _ellipsoid(p, (34, 24, -22), (8, 8, 11))
    return np.minimum(head, _column(p, (34, 24), -200, -20, 6))


def patella(p: np.ndarray) -> np.ndarray:
    return _ellipsoid(p, (0, -42, 38), (20, 10, 20))


BONES: dict[str, Distance] = {
    "femur": femur,
    "tibia": tibia,
    "fibula": fibula,
    "patella": patella,
}


def turned(axis: tuple[float, ...], angle_deg: float) -> np.ndarray:
    """(3, 3) rotation."""
    a = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])
    r = np.radians(angle_deg)
    return np.eye(3) + np.sin(r) * cross + (1 - np.cos(r)) * cross @ cross


class LegPhantom:
    """A leg, how it lies, and what is where.

    Args:
        gap_mm: Between condyles and plateau; negative is bone on bone.
        turn: (3, 3) of the whole leg.
        bend: (3, 3) of the shin about the knee.
        names: Which bones are there.
        marrow_hu: Of the bones' ends.
    """

    def __init__(
        self,
        gap_mm: float = 4.0,
        turn: np.ndarray | None = None,
        bend: np.ndarray | None = None,
        names: tuple[str, ...] = tuple(BONES),
        marrow_hu: float = 140.0,
    ) -> None:
        self.gap_mm, self.names, self.marrow_hu = gap_mm, names, marrow_hu
        self.turn = np.eye(3) if turn is None else turn
        self.bend = np.eye(3) if bend is None else bend
        matrix = np.zeros((4, 4))
        matrix[2, 0] = matrix[1, 1] = matrix[0, 2] = STEP_MM
        matrix[:3, 3] = -(np.array(SHAPE)[::-1] - 1) / 2 * STEP_MM
        matrix[3, 3] = 1
        self.grid = Grid(matrix, SHAPE)

    def distance(self, name: str, points: np.ndarray) -> np.ndarray:
        """About the distance of patient points to a bone, negative inside."""
        local = points @ self.turn
        if name in ("tibia", "fibula"):
            local = local @ self.bend
        else:
            local = local - (0, 0, self.gap_mm - 1)
        return BONES[name](local)

    def volume(self, seed: int = 1) -> CTVolume:
        """Scan it."""
        points = self.grid.patient(np.moveaxis(np.indices(SHAPE), 0, -1))
        hu = np.full(SHAPE, 50.0)
        hu[np.hypot(points[..., 0], points[..., 1]) > 64] = -1000
        along = np.abs((points @ self.turn)[..., 2])
        inner = np.where(along > 62, -60.0, self.marrow_hu)
        cortex = np.where(along > 62, 4.0, 1.2)
        for name in self.names:
            d = self.distance(name, points)
            hu += np.clip(0.5 - d / STEP_MM, 0, 1) * (1200 - hu)
            hu += np.clip(0.5 - (d + cortex) / STEP_MM, 0, 1) * (inner - hu)
        hu = ndimage.gaussian_filter(hu, 0.4)
        hu += 15 * np.random.default_rng(seed).standard_normal(SHAPE)
        return CTVolume(np.rint(hu).astype(np.int16), self.grid)
