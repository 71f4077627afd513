"""Closed surfaces of the phantoms' leg bones, left and right, turned in space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.transform import Rotation
from skimage.measure import marching_cubes

from guidegen.model.bone import Bone

TURNS = {
    "as_made": np.eye(3),
    "oblique": Rotation.from_euler("xyz", (20, -35, 160), degrees=True).as_matrix(),
}
MOVED = np.array([180.0, -240.0, -900.0])
_PART = 400_000


def surface(distance: Callable, low, high, step_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) and (F, 3): where a distance function is zero, outward."""
    axes = [np.arange(a, b, step_mm) for a, b in zip(low, high, strict=True)]
    places = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1)
    parts = [distance(places[:, n : n + _PART]) for n in range(0, places.shape[1], _PART)]
    field = np.concatenate(parts).reshape([len(axis) for axis in axes])
    vertices, faces, _, _ = marching_cubes(field, 0.0)
    return vertices * step_mm + np.asarray(low), faces[:, ::-1]


def placed(mesh, side: str, turn: np.ndarray) -> Bone:
    """The bone of a side, turned and moved."""
    points, faces = mesh
    if side == "left":
        points, faces = points * (-1.0, 1.0, 1.0), faces[:, ::-1]
    volume = np.einsum(
        "ij,ij->", points[faces[:, 0]], np.cross(*points[faces[:, 1:]].swapaxes(0, 1))
    )
    faces = faces if volume > 0 else faces[:, ::-1]
    return Bone("bone", points @ turn.T + MOVED, faces)


def truth(points: dict[str, np.ndarray], side: str, turn: np.ndarray) -> dict[str, np.ndarray]:
    """The same named points, turned and moved with the bone."""
    flip = np.array([-1.0 if side == "left" else 1.0, 1.0, 1.0])
    return {name: turn @ (place * flip) + MOVED for name, place in points.items()}
