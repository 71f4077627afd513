"""Distance functions of the shapes a guide is joined from, and their smooth union on a lattice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from guidegen.mesh.grid import Field, Lattice
from guidegen.model.arrays import Floats

_MARGIN_MM = 4.0
FAR_MM = 10.0
"""Value of an empty lattice: farther than any blend reaches."""


@dataclass(frozen=True, eq=False)
class Part:
    """A shape as a distance function, negative inside, with the box that holds it.

    Args:
        low_mm: (3,) lowest corner.
        high_mm: (3,) highest corner.
        distance: Takes broadcastable x, y, z and returns distances in mm.
    """

    low_mm: Floats
    high_mm: Floats
    distance: Callable[[Field, Field, Field], Field]


def empty(lattice: Lattice) -> Field:
    """A field with nothing in it."""
    return np.full(lattice.shape, FAR_MM, dtype=np.float32)


def smooth_min(a: Field, b: Field, blend_mm: float) -> Field:
    """Union of two distances with a fillet of about ``blend_mm``.

    References:
        Quilez I. Smooth minimum, iquilezles.org/articles/smin (polynomial form).
    """
    if blend_mm <= 0:
        return np.minimum(a, b)
    overlap = np.maximum(blend_mm - np.abs(a - b), 0)
    return np.asarray(np.minimum(a, b) - overlap * overlap / (4 * blend_mm), dtype=np.float32)


def round_max(a: Field, b: Field, radius_mm: float) -> Field:
    """Intersection of two distances whose convex edge is round with ``radius_mm``.

    Where the two surfaces lie farther than the radius apart nothing changes.
    """
    beyond = np.hypot(np.maximum(a + radius_mm, 0), np.maximum(b + radius_mm, 0))
    return np.asarray(np.minimum(np.maximum(a, b), -radius_mm) + beyond, dtype=np.float32)


def join(lattice: Lattice, field: Field, parts: Sequence[Part], blend_mm: float) -> Field:
    """Add parts to a field with fillets; changes a copy."""
    out = field.copy()
    for part in parts:
        box = lattice.box(part.low_mm - _MARGIN_MM, part.high_mm + _MARGIN_MM)
        distance = part.distance(*lattice.mesh(box))
        out[box] = smooth_min(out[box], distance, blend_mm)
    return out


def carve(lattice: Lattice, field: Field, parts: Sequence[Part]) -> Field:
    """Cut parts out of a field, sharp; changes a copy."""
    out = field.copy()
    for part in parts:
        box = lattice.box(part.low_mm - 1.5, part.high_mm + 1.5)
        out[box] = np.maximum(out[box], -part.distance(*lattice.mesh(box)))
    return out


def ball(centre_mm: Floats, radius_mm: float) -> Part:
    """A ball."""

    def distance(x: Field, y: Field, z: Field) -> Field:
        c = centre_mm.astype(np.float32)
        square = (x - c[0]) ** 2 + (y - c[1]) ** 2 + (z - c[2]) ** 2
        return np.asarray(np.sqrt(square) - np.float32(radius_mm))

    return Part(centre_mm - radius_mm, centre_mm + radius_mm, distance)


def _segment(x: Field, y: Field, z: Field, a: Floats, b: Floats) -> Field:
    """Squared distance to the segment a-b."""
    d = (b - a).astype(np.float32)
    px, py, pz = (v - np.float32(o) for v, o in zip((x, y, z), a, strict=True))
    t = np.clip((px * d[0] + py * d[1] + pz * d[2]) / max(float(d @ d), 1e-9), 0, 1)
    return np.asarray((px - t * d[0]) ** 2 + (py - t * d[1]) ** 2 + (pz - t * d[2]) ** 2)


def strand(points_mm: Floats, radius_mm: float) -> Part:
    """A round bar along a polyline (N, 3)."""

    def distance(x: Field, y: Field, z: Field) -> Field:
        pairs = pairwise(points_mm)
        squared = [_segment(x, y, z, a, b) for a, b in pairs]
        return np.asarray(np.sqrt(np.minimum.reduce(squared)) - np.float32(radius_mm))

    return Part(points_mm.min(axis=0) - radius_mm, points_mm.max(axis=0) + radius_mm, distance)


def cylinder(start_mm: Floats, end_mm: Floats, radius_mm: float) -> Part:
    """A cylinder with flat ends."""
    axis = (end_mm - start_mm) / np.linalg.norm(end_mm - start_mm)
    half = float(np.linalg.norm(end_mm - start_mm)) / 2
    middle, n = ((start_mm + end_mm) / 2).astype(np.float32), axis.astype(np.float32)

    def distance(x: Field, y: Field, z: Field) -> Field:
        px, py, pz = x - middle[0], y - middle[1], z - middle[2]
        along = px * n[0] + py * n[1] + pz * n[2]
        square = np.maximum(px**2 + py**2 + pz**2 - along**2, 0)
        radial = np.sqrt(square) - np.float32(radius_mm)
        end = np.abs(along) - np.float32(half)
        outside = np.sqrt(np.maximum(radial, 0) ** 2 + np.maximum(end, 0) ** 2)
        return np.asarray(outside + np.minimum(np.maximum(radial, end), 0))

    reach = half * np.abs(axis) + radius_mm
    return Part((start_mm + end_mm) / 2 - reach, (start_mm + end_mm) / 2 + reach, distance)


def slab(centre_mm: Floats, axes: Floats, half_mm: Floats, edge_mm: float) -> Part:
    """A box with rounded edges: unit axes as columns (3, 3), half sizes (3,)."""
    inner = half_mm - edge_mm

    def distance(x: Field, y: Field, z: Field) -> Field:
        p = [v - np.float32(c) for v, c in zip((x, y, z), centre_mm, strict=True)]
        q = [
            np.abs(sum(p[m] * np.float32(axes[m, n]) for m in range(3))) - np.float32(inner[n])
            for n in range(3)
        ]
        outside = np.sqrt(sum(np.maximum(v, 0) ** 2 for v in q))
        inside = np.minimum(np.maximum(np.maximum(q[0], q[1]), q[2]), 0)
        return np.asarray(outside + inside - np.float32(edge_mm), dtype=np.float32)

    reach = np.abs(axes) @ half_mm
    return Part(centre_mm - reach, centre_mm + reach, distance)


def ribbon(points_mm: Floats, width_mm: float, thick_mm: float) -> Part:
    """A flat bar along a polyline (N, 3) that advances in x: wide in y, round at its edges."""
    radius = thick_mm / 2
    flat = np.float32(max(width_mm / 2 - radius, 0.0))

    def distance(x: Field, y: Field, z: Field) -> Field:
        order = np.argsort(points_mm[:, 0])
        middle = np.interp(x, points_mm[order, 0], points_mm[order, 1]).astype(np.float32)
        a = points_mm * [1, 0, 1]
        pairs = pairwise(a)
        squared = np.minimum.reduce(
            [_segment(x, np.zeros_like(y[:, :1]), z, p, q) for p, q in pairs]
        )
        across = np.maximum(np.abs(y - middle) - flat, 0)
        return np.asarray(np.sqrt(squared + across**2) - np.float32(radius), dtype=np.float32)

    reach = np.array([radius, width_mm / 2, radius])
    return Part(points_mm.min(axis=0) - reach, points_mm.max(axis=0) + reach, distance)
