"""Bone that stands proud of the smooth shape round it: osteophytes, spurs, sharp rims."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from guidegen.model.arrays import Floats

_RING_MM = (4.5, 13.0)
_FACING = 0.5
_LEAST = 24
_ROUNDS = 4
_SOFT_MM = 0.6
_BATCH = 256


def proud_mm(points_mm: Floats, normals: Floats, at_mm: Floats, at_normals: Floats) -> Floats:
    """Measure how far places on a bone stand out of a smooth surface fitted round them.

    A quadratic surface is fitted to what faces the same way in a ring of 4.5 to 13 mm round each
    place, so that a bump as wide as the ring's hole does not fit itself; points that stand off
    it count less with each round. A wide, flat overgrowth that fills the ring is not seen.

    Args:
        points_mm: (N, 3) evenly spread over the bone.
        normals: (N, 3) outward.
        at_mm: (M, 3) places on the bone.
        at_normals: (M, 3) outward there.

    Returns:
        (M,) mm, positive outwards; 0 where there is too little bone round a place.

    References:
        Iteratively reweighted least squares with Cauchy's weights: Holland PW, Welsch RE. Commun
        Stat Theory Methods 1977;6(9):813-827. Ring and limits: engineering choice.
    """
    tree = cKDTree(points_mm)
    found = np.zeros(len(at_mm))
    for start in range(0, len(at_mm), _BATCH):
        batch = slice(start, start + _BATCH)
        groups = tree.query_ball_point(at_mm[batch], _RING_MM[1], return_sorted=True)
        found[batch] = [
            _stands_out(points_mm[g], normals[g], place, normal)
            for g, place, normal in zip(groups, at_mm[batch], at_normals[batch], strict=True)
        ]
    return found


def _stands_out(points: Floats, normals: Floats, place: Floats, normal: Floats) -> float:
    """Height of one place over the surface fitted to the ring round it."""
    offset = points - place
    away = np.linalg.norm(offset, axis=1)
    offset = offset[(normals @ normal > _FACING) & (away > _RING_MM[0])]
    if len(offset) < _LEAST:
        return 0.0
    one = np.cross(np.eye(3)[int(np.argmin(np.abs(normal)))], normal)
    one = one / np.linalg.norm(one)
    x, y, z = offset @ one, offset @ np.cross(normal, one), offset @ normal
    terms = np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    weight, fit = np.ones(len(z)), np.zeros(6)
    for _ in range(_ROUNDS):
        weighted = terms * weight[:, None]
        gram = weighted.T @ terms + 1e-9 * np.eye(6)
        fit = np.linalg.solve(gram, weighted.T @ z)
        weight = 1 / (1 + ((z - terms @ fit) / _SOFT_MM) ** 2)
    return float(-fit[0])
