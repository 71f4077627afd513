"""Signed distance to one surface, made ready once for many small questions."""

from __future__ import annotations

import igl
import numpy as np

from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats, Ints

_WAYS = np.array([[0.8, 0.36, 0.48], [-0.48, 0.8, 0.36], [-0.36, 0.48, -0.8]])
"""Unit vectors along no axis of a grid: on which side a point lies is told by three rays."""


class Probe:
    """Distances to a closed, outward surface; negative inside.

    ``mesh.sdf`` searches its tree anew at each call; here it is kept, so that a few thousand points
    take some ms. The side is told by the faces that three rays meet first, by majority, because a
    surface whose vertices were moved may fold here and there.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3).
    """

    def __init__(self, vertices: Floats, faces: Ints) -> None:
        self._vertices = np.ascontiguousarray(vertices, dtype=np.float64)
        self._faces = np.ascontiguousarray(faces, dtype=np.int64)
        self._tree = igl.AABB()
        self._tree.init(self._vertices, self._faces)
        self._target = RayTarget(self._vertices, self._faces)
        a, b, c = (self._vertices[self._faces[:, n]] for n in range(3))
        self._normals = np.cross(b - a, c - a)

    def measure(self, points: Floats) -> tuple[Floats, Floats]:
        """Measure points.

        Args:
            points: (N, 3) mm, in the surface's frame.

        Returns:
            (N,) signed distances in mm, and (N, 3) the nearest places on the surface.
        """
        asked = np.ascontiguousarray(points, dtype=np.float64).reshape(-1, 3)
        square, _, nearest = self._tree.squared_distance(self._vertices, self._faces, asked)
        distance = np.sqrt(np.maximum(square, 0.0))
        return np.where(self._inside(asked), -distance, distance), np.asarray(nearest)

    def _inside(self, points: Floats) -> Floats:
        """(N,): True where most rays meet a face from behind first."""
        votes = np.zeros(len(points), dtype=np.int64)
        for way in _WAYS:
            _, face = self._target.first_hit(points, way)
            votes += (face >= 0) & (self._normals[face] @ way > 0)
        return np.asarray(votes >= 2)
