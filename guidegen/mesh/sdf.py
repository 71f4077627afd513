"""Exact signed distance to a closed surface; negative inside, everywhere in guidegen."""

from __future__ import annotations

import igl
import numpy as np

from guidegen.model.arrays import Floats, Ints


def signed_distance(
    points_mm: Floats, vertices_mm: Floats, faces: Ints, bound_mm: float | None = None
) -> Floats:
    """Measure the distance of points to a closed, outward surface; negative inside.

    Args:
        points_mm: (N, 3).
        vertices_mm: (V, 3), the same frame.
        faces: (F, 3).
        bound_mm: Stop caring beyond this distance: farther values are +-``bound_mm`` or NaN in
            the library, and come back clipped to +-``bound_mm``. Much faster where it is small.

    Returns:
        (N,) mm.
    """
    points = np.ascontiguousarray(points_mm, dtype=np.float64).reshape(-1, 3)
    low, high = (-np.inf, np.inf) if bound_mm is None else (-bound_mm, bound_mm)
    distance = igl.signed_distance(
        points,
        np.ascontiguousarray(vertices_mm, dtype=np.float64),
        np.ascontiguousarray(faces, dtype=np.int64),
        igl.SIGNED_DISTANCE_TYPE_FAST_WINDING_NUMBER,
        low,
        high,
    )[0]
    return np.asarray(distance, dtype=np.float64)
