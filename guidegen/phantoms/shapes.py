"""Implicit shapes: signed distances in millimetres, negative inside, and ways to join them.

Every function takes points as an array (3, N) and returns (N,). Boxes and capsules are exact
distances; ellipses are normalised by their gradient, so that they are exact on the surface and to
first order beside it. The surface of a phantom is where the joined function is zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[Any]
Distances = npt.NDArray[Any]


def smooth_union(a: Distances, b: Distances, blend_mm: float) -> Distances:
    """Join two shapes with a fillet; farther than ``blend_mm`` apart it is the plain minimum."""
    h = np.maximum(1.0 - np.abs(a - b) / blend_mm, 0.0)
    return np.asarray(np.minimum(a, b) - h * h * (0.25 * blend_mm))


def smooth_cut(a: Distances, b: Distances, blend_mm: float) -> Distances:
    """Keep what is inside both shapes, with a rounded edge."""
    return -smooth_union(-a, -b, blend_mm)


def ellipse(u: Distances, v: Distances, half_u: Any, half_v: Any) -> Distances:
    """Distance to an ellipse in its plane, to first order.

    Args:
        u: (N,) coordinate along the first half axis.
        v: (N,) coordinate along the second.
        half_u: Half axis, number or (N,).
        half_v: Half axis, number or (N,).
    """
    pu, pv = u / half_u, v / half_v
    k0 = np.sqrt(pu * pu + pv * pv)
    qu, qv = pu / half_u, pv / half_v
    k1 = np.sqrt(qu * qu + qv * qv)
    deepest = -np.minimum(half_u, half_v)
    first_order = k0 * (k0 - 1.0) / np.maximum(k1, 1e-6)
    return np.asarray(np.where(k0 < 1e-3, deepest, np.maximum(first_order, deepest)))


def ellipsoid(points: Points, centre: Any, half_mm: Any) -> Distances:
    """Distance to an ellipsoid with axes along x, y and z, to first order.

    Args:
        points: (3, N).
        centre: (3,).
        half_mm: (3,) half axes.
    """
    half = np.asarray(half_mm, dtype=points.dtype)[:, None]
    scaled = (points - np.asarray(centre, dtype=points.dtype)[:, None]) / half
    k0 = np.sqrt((scaled * scaled).sum(axis=0))
    steep = scaled / half
    k1 = np.sqrt((steep * steep).sum(axis=0))
    return np.asarray(np.maximum(k0 * (k0 - 1.0) / np.maximum(k1, 1e-6), -half.min()))


def capsule(
    points: Points, start: Any, end: Any, radius_mm: float, end_radius_mm: float | None = None
) -> Distances:
    """Distance to a rounded rod, tapering if the end's radius differs."""
    start, end = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    axis = end - start
    x, y, z = (points[n] - points.dtype.type(start[n]) for n in range(3))
    t = np.clip((x * axis[0] + y * axis[1] + z * axis[2]) / float(axis @ axis), 0.0, 1.0)
    x, y, z = x - t * axis[0], y - t * axis[1], z - t * axis[2]
    far = radius_mm if end_radius_mm is None else end_radius_mm
    return np.asarray(np.sqrt(x * x + y * y + z * z) - (radius_mm + t * (far - radius_mm)))


def box(points: Points, centre: Any, axes: Any, half_mm: Any, round_mm: float) -> Distances:
    """Distance to a rounded box.

    Args:
        points: (3, N).
        centre: (3,).
        axes: (3, 3) unit axes as columns.
        half_mm: (3,) half sizes, the rounding included.
        round_mm: Radius of edges and corners, not more than the smallest half size.
    """
    local = np.asarray(axes, dtype=points.dtype).T @ (
        points - np.asarray(centre, dtype=points.dtype)[:, None]
    )
    q = np.abs(local) - (np.asarray(half_mm, dtype=points.dtype) - round_mm)[:, None]
    out = np.maximum(q, 0.0)
    outside = np.sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2])
    inside = np.minimum(np.maximum(np.maximum(q[0], q[1]), q[2]), 0.0)
    return np.asarray(outside + inside - round_mm)


def plane(points: Points, point: Any, normal: Any) -> Distances:
    """Signed distance to a plane, positive on the side the normal points to."""
    n = np.asarray(normal, dtype=float)
    whole = points[0] * n[0] + points[1] * n[1] + points[2] * n[2] - float(np.dot(point, n))
    return np.asarray(whole)


def elliptic_rod(
    points: Points,
    centre: Any,
    axes: Any,
    half_mm: tuple[float, float],
    reach_mm: tuple[float, ...],
) -> Distances:
    """Distance to a rod of elliptical section, waisted at its centre like a pedicle.

    Args:
        points: (3, N).
        centre: (3,) the narrowest place.
        axes: (3, 3) columns: width, height, along.
        half_mm: Half width and half height at the centre.
        reach_mm: How far it goes back and forth along its axis, and its flare: how much wider
            (as a share) it is 10 mm off the centre; its height grows by a quarter of that.
    """
    local = np.asarray(axes, dtype=points.dtype).T @ (
        points - np.asarray(centre, dtype=points.dtype)[:, None]
    )
    back, forth, flare = reach_mm
    t = np.clip(local[2], -10.0, 10.0)
    grow = flare * (t * t) * 0.01
    wide, high = half_mm[0] * (1.0 + grow), half_mm[1] * (1.0 + 0.25 * grow)
    side = ellipse(local[0], local[1], wide, high)
    ends = np.maximum(local[2] - forth, -back - local[2])
    return smooth_cut(side, ends, 1.5)
