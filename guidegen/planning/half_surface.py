"""A bone's surface moved on to the half-maximum of the CT's grey values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from guidegen.model.arrays import Floats, Ints
from guidegen.model.volume import CTVolume
from guidegen.planning.half_maximum import GreyValues, wall_edges

_INSIDE_MM = 3.0
_OUTSIDE_MM = 5.5
_STEP_MM = 0.1
_STRAY_MM = 0.6
"""An edge this far from the mean of its neighbours belongs to another wall."""
_ROUNDS = 2


def _rings(faces: Ints, n: int) -> sparse.csr_matrix:
    """(n, n): 1 where an edge joins two vertices, and on the diagonal."""
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ones = np.ones(len(ends))
    joined = sparse.coo_matrix((ones, (ends[:, 0], ends[:, 1])), shape=(n, n))
    joined = ((joined + joined.T) > 0).astype(np.float64) + sparse.identity(n)
    return joined.tocsr()


def _normals(vertices: Floats, faces: Ints, rings: sparse.csr_matrix) -> Floats:
    """(V, 3): outward unit normals, averaged twice over the ring of neighbours."""
    a, b, c = (vertices[faces[:, n]] for n in range(3))
    square = np.cross(b - a, c - a)
    total = np.zeros_like(vertices)
    for n in range(3):
        np.add.at(total, faces[:, n], square)
    for _ in range(2):
        length = np.linalg.norm(total, axis=1, keepdims=True)
        total = rings @ (total / np.maximum(length, 1e-12))
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12))


def _mean(rings: sparse.csr_matrix, values: Floats) -> Floats:
    """Average over the ring of neighbours, without those that are not a number."""
    known = np.isfinite(values)
    count = rings @ known.astype(np.float64)
    total = rings @ np.where(known, values, 0.0)
    return np.where(count > 0, total / np.maximum(count, 1.0), np.nan)


def half_maximum_vertices(
    volume: CTVolume,
    vertices_mm: Floats,
    faces: Ints,
    chosen: Ints,
    levels: Sequence[float] = (0.5,),
) -> tuple[Floats, ...]:
    """Move vertices along their normals to where the grey value falls through half its peak.

    The edge is that of ``wall_edges``, along the surface's normal; the surface only says where
    to look. Edges that stray from their neighbours are dropped, and the shifts are averaged twice
    over the ring of neighbours (about 1 mm round on a mesh of 0.7 mm), because the smallest of
    many noisy distances would be too small (engineering choice: the scanner's own blur).

    The peak of a cortex thinner than the blur is lowered, and so is its half: the wall then lies
    up to 0.2 mm too far out. This is the definition that is asked for and it is not corrected.

    Args:
        volume: The CT.
        vertices_mm: (V, 3) of a closed, outward surface; patient frame.
        faces: (F, 3).
        chosen: (N,) which vertices to move.
        levels: 0.5 for half-maximum; others tell how much the level matters.

    Returns:
        (V, 3) for each level: a vertex stays where neither it nor its neighbours show an edge.
    """
    rings = _rings(faces, len(vertices_mm))
    normals = _normals(vertices_mm, faces, rings)
    start, way = vertices_mm[chosen], normals[chosen]
    steps = np.arange(-_INSIDE_MM, _OUTSIDE_MM + 0.01, _STEP_MM)
    grey = GreyValues(volume, start, _OUTSIDE_MM + 2.0)
    hu = grey.at(start[:, None] + steps[None, :, None] * way[:, None])
    found = []
    for level in levels:
        shift = np.full(len(vertices_mm), np.nan)
        shift[chosen] = wall_edges(hu, np.full(len(chosen), _INSIDE_MM), level) - _INSIDE_MM
        shift = _smooth(rings, shift)
        found.append(np.asarray(vertices_mm + shift[:, None] * normals))
    return tuple(found)


def _smooth(rings: sparse.csr_matrix, shift: Floats) -> Floats:
    """Drop strays, average twice, and leave 0 where nothing is known."""
    with np.errstate(invalid="ignore"):
        shift = np.where(np.abs(shift - _mean(rings, shift)) > _STRAY_MM, np.nan, shift)
    for _ in range(_ROUNDS):
        shift = _mean(rings, shift)
    return np.nan_to_num(shift)
