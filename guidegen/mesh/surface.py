"""A surface with everything that searches on it need."""

from __future__ import annotations

from functools import cached_property

import igl
import numpy as np
import numpy.typing as npt

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
        return np.sqrt(square) * np.where(self.inside(points), -1.0, 1.0), nearest

    def inside(self, points: Floats) -> npt.NDArray[np.bool_]:
        """Tell for points (N, 3) whether each lies inside; outside its box none does."""
        found = ((points >= self.low) & (points <= self.high)).all(axis=1)
        found[found] = self._winding.winding_number(np.ascontiguousarray(points[found])) > 0.5
        return np.asarray(found)

    def smallest_distance(self, points: Floats) -> float:
        """Smallest of the distances of points (N, 3), negative inside.

        The same as the smallest of ``nearest``, but exact distances are only taken of points
        that may be the nearest: a few of them bound it from above.
        """
        points = np.ascontiguousarray(points, dtype=np.float64)
        inside = self.inside(points)
        if inside.any():
            return float(self.nearest(points[inside])[0].min())
        bound = float(self.nearest(points[:: max(1, len(points) // 2000)])[0].min())
        unsigned = igl.SIGNED_DISTANCE_TYPE_UNSIGNED
        reach = bound * (1 + 1e-9) + 1e-9
        near = igl.signed_distance(points, self.vertices, self.faces, unsigned, -reach, reach)[0]
        return float(np.nanmin([bound, np.nanmin(near, initial=bound)]))

    def within(self, low: Floats, high: Floats) -> bool:
        """Tell whether its box meets the box from ``low`` to ``high``."""
        return bool((self.low <= high).all() and (self.high >= low).all())
