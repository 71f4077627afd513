"""A signed distance sampled on a regular grid, for many cheap look-ups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from guidegen.mesh.sdf import signed_distance
from guidegen.model.arrays import Floats, Ints


@dataclass(frozen=True, eq=False)
class DistanceField:
    """Signed distance to one closed surface on a grid along the frame's axes; negative inside.

    Trilinear between the nodes: exact beside a plane, off by at most about step^2 / (8 R) beside
    a wall of radius R. Outside the box the nearest node's value is taken.

    Args:
        values: (X, Y, Z) mm.
        low_mm: (3,) position of the first node.
        step_mm: Distance of the nodes.
    """

    values: Floats
    low_mm: Floats
    step_mm: float

    def at(self, points_mm: Floats) -> Floats:
        """Look up the distance at points (..., 3) of the field's frame; returns (...) mm."""
        index = (np.asarray(points_mm) - self.low_mm) / self.step_mm
        flat = index.reshape(-1, 3).T
        found = ndimage.map_coordinates(self.values, flat, order=1, mode="nearest")
        return np.asarray(found.reshape(index.shape[:-1]), dtype=np.float64)


def sample_field(
    vertices_mm: Floats, faces: Ints, bounds_mm: Floats, step_mm: float, reach_mm: float = 16.0
) -> DistanceField:
    """Sample the distance in a box.

    Args:
        vertices_mm: (V, 3) of a closed, outward surface.
        faces: (F, 3).
        bounds_mm: (2, 3) the box, in the vertices' frame.
        step_mm: Distance of the nodes.
        reach_mm: Farther outside than this the value is ``reach_mm``; it must be more than the
            depth of the bone's deepest point (a vertebral body: about 14 mm).
    """
    counts = np.ceil((bounds_mm[1] - bounds_mm[0]) / step_mm).astype(int) + 1
    axes = [bounds_mm[0][n] + step_mm * np.arange(counts[n]) for n in range(3)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    distance = signed_distance(nodes, vertices_mm, faces, reach_mm)
    distance = np.nan_to_num(distance, nan=reach_mm)
    return DistanceField(distance.reshape(counts), np.array(bounds_mm[0]), step_mm)
