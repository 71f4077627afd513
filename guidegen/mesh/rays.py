"""Rays against a surface (embree)."""

from __future__ import annotations

from typing import Any

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from guidegen.model.arrays import Floats, Ints

_FAR = 1e30


class RayTarget:
    """A surface that rays can be cast on, in a local frame to keep single precision fine.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3).
    """

    def __init__(self, vertices: Any, faces: Any) -> None:
        points = np.asarray(vertices, dtype=np.float64)
        self._centre = (points.min(axis=0) + points.max(axis=0)) / 2
        self._scene = EmbreeScene()
        local = np.ascontiguousarray(points - self._centre, dtype=np.float32)
        self._mesh = TriangleMesh(self._scene, local, np.ascontiguousarray(faces, dtype=np.int32))

    def first_hit(self, origins: Floats, directions: Floats) -> tuple[Floats, Ints]:
        """Cast rays and find what each meets first.

        Args:
            origins: (N, 3) mm.
            directions: (N, 3) or (3,) unit vectors.

        Returns:
            (N,) distances in mm, infinite where nothing is hit, and (N,) faces, -1 where nothing
            is hit. Exact to about 1e-4 mm within 0.5 m of the surface.
        """
        start = np.ascontiguousarray(origins - self._centre, dtype=np.float32)
        way = np.broadcast_to(np.asarray(directions, dtype=np.float32), start.shape)
        hit = self._scene.run(start, np.ascontiguousarray(way), output=True)
        faces = np.asarray(hit["primID"], dtype=np.int64)
        far = np.asarray(hit["tfar"], dtype=np.float64)
        missed = (faces < 0) | (far > _FAR)
        return np.where(missed, np.inf, far), np.where(missed, -1, faces)
