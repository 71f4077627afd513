"""A surface with everything that searches on it need."""

from __future__ import annotations

from functools import cached_property

import igl
import numpy as np

from guidegen.mesh.rays import RayTarget
from guidegen.mesh.sampling import Samples, sample_surface
from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats, Ints

SAMPLE_MM = 0.4


class Surface:
    """A closed surface that builds each search tree once, when it is first needed.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3).
    """

    def __init__(self, vertices: Floats, faces: Ints) -> None:
        self.vertices = np.ascontiguousarray(vertices, dtype=np.float64)
        self.faces = np.ascontiguousarray(faces, dtype=np.int64)
        self.low, self.high = self.vertices.min(axis=0), self.vertices.max(axis=0)

    @cached_property
    def rays(self) -> RayTarget:
        """To cast rays on."""
        return RayTarget(self.vertices, self.faces)

    @cached_property
    def samples(self) -> Samples:
        """Points spread over it."""
        return sample_surface(self.vertices, self.faces, SAMPLE_MM)

    @cached_property
    def solid(self) -> Solid:
        """For booleans. Raises GeometryError if the surface is no sound solid."""
        return Solid.from_mesh(self.vertices, self.faces, "surface")

    @cached_property
    def _tree(self) -> igl.AABB:
        tree = igl.AABB()
        tree.init(self.vertices, self.faces)
        return tree

    @cached_property
    def _winding(self) -> igl.FastWindingNumberBVH:
        winding = igl.FastWindingNumberBVH()
        winding.init(self.vertices, self.faces)
        return winding

    def nearest(self, points: Floats) -> tuple[Floats, Floats]:
        """Distances (N,), negative inside, and nearest points (N, 3)."""
        points = np.ascontiguousarray(points, dtype=np.float64)
        square, _, nearest = self._tree.squared_distance(self.vertices, self.faces, points)
        inside = self._winding.winding_number(points) > 0.5
        return np.sqrt(square) * np.where(inside, -1.0, 1.0), nearest

    def within(self, low: Floats, high: Floats) -> bool:
        """Tell whether its box meets the box from ``low`` to ``high``."""
        return bool((self.low <= high).all() and (self.high >= low).all())
