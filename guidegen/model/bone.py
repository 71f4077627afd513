"""A bone as one closed surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.errors import GeometryError
from guidegen.model.arrays import Floats, Ints, frozen_floats

SKIN = "skin"
"""Name of the patient's back, which travels with the bones: a closed surface whose faces towards
the back (normal more than 0.25 that way) are skin, the others where it was cut off."""


def closed_surface(vertices_mm: Any, faces: Any, name: str) -> tuple[Floats, Ints]:
    """Validate and freeze a closed, outward surface: (V, 3) float64 and (F, 3) int64.

    Raises:
        GeometryError: An edge is not shared by exactly two opposite faces, or the volume is
            not positive.
    """
    points = frozen_floats(vertices_mm, (-1, 3), f"{name} vertices")
    triangles = np.array(faces, dtype=np.int64)
    if triangles.ndim != 2 or triangles.shape[1] != 3 or len(triangles) < 4:
        raise GeometryError(f"{name}: faces must have shape (F, 3), got {triangles.shape}")
    if triangles.min() < 0 or triangles.max() >= len(points):
        raise GeometryError(f"{name}: a face names a vertex that does not exist")
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    forward = np.sort(edges[:, 0] * len(points) + edges[:, 1])
    backward = np.sort(edges[:, 1] * len(points) + edges[:, 0])
    if (np.diff(forward) == 0).any() or not np.array_equal(forward, backward):
        raise GeometryError(f"{name}: the surface is not closed")
    a, b, c = (points[triangles[:, n]] for n in range(3))
    if float(np.einsum("ij,ij->", a, np.cross(b, c))) <= 0:
        raise GeometryError(f"{name}: the surface is inside out")
    triangles.setflags(write=False)
    return points, triangles


@dataclass(frozen=True, eq=False)
class Bone:
    """One bone: a closed, outward surface of one component, patient LPS mm.

    Args:
        name: ``L3``, ``femur_left``, ...
        vertices_mm: (V, 3).
        faces: (F, 3), counter-clockwise from outside.
        side: ``left``, ``right`` or "" for an unpaired bone.
        complete: False if the field of view cuts it off.
    """

    name: str
    vertices_mm: Floats
    faces: Ints
    side: str = ""
    complete: bool = True

    def __post_init__(self) -> None:
        points, triangles = closed_surface(self.vertices_mm, self.faces, self.name)
        object.__setattr__(self, "vertices_mm", points)
        object.__setattr__(self, "faces", triangles)

    @property
    def bounds_mm(self) -> Floats:
        """(2, 3): lowest and highest corner."""
        return np.array([self.vertices_mm.min(axis=0), self.vertices_mm.max(axis=0)])
