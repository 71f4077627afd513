"""The femoral head as a sphere: its centre is one end of the leg's mechanical axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.anatomy.long_bone import Faces
from guidegen.model.arrays import Floats

_RADII_MM = np.arange(16.0, 33.0)
"""Heads measure 38 to 58 mm across in adults (engineering choice: 3 mm wider)."""
_CELL_MM = 3.0
_ON_SPHERE_MM = 1.5
_FACING = 0.95
_ROUNDS = 40
_TRIED = 5
_APART_MM = 15.0
_LEAST_SHARE = 0.42
"""A head shows more of its sphere than this; a condyle, which is round too, less than a third."""


@dataclass(frozen=True, eq=False)
class Head:
    """A sphere fitted to the femoral head.

    Args:
        centre_mm: (3,).
        radius_mm: Of the sphere.
        spread_mm: Of the centre, from the fit's residuals and from two halves of it.
        share: Of the sphere's surface that is bone.
    """

    centre_mm: Floats
    radius_mm: float
    spread_mm: float
    share: float


def find_head(faces: Faces) -> Head | None:
    """Find the sphere that most of the surface's normals point away from; None without a head.

    Faces vote for the point one radius inwards; the fullest cells start fits by least squares,
    which keep what lies on the sphere and faces outwards. Condyles are round, too, but show less
    of their sphere: the fullest sphere is the head. Works in any position of the leg.

    Args:
        faces: The femur, or a part of it.
    """
    best: Head | None = None
    for start in _most_voted(faces):
        fitted = _fitted(faces, *start)
        if fitted is None:
            continue
        centre, radius, on = fitted
        share = float(faces.areas[on].sum() / (4 * np.pi * radius**2))
        sized = _RADII_MM[0] - 1 < radius < _RADII_MM[-1] + 1
        if sized and share > max(_LEAST_SHARE, best.share if best else 0.0):
            best = Head(centre, radius, _spread(faces, on, centre), share)
    return best


def _most_voted(faces: Faces) -> list[tuple[Floats, float]]:
    """Centres and radii of the spheres with most surface for their size, apart from each other."""
    found: list[tuple[float, Floats, float]] = []
    for radius in _RADII_MM:
        inward = faces.centres - radius * faces.normals
        cells = np.floor(inward / _CELL_MM).astype(np.int64)
        _, which = np.unique(cells, axis=0, return_inverse=True)
        which = which.ravel()
        votes = np.bincount(which, faces.areas) / radius**2
        for top in np.argsort(-votes)[:_TRIED]:
            weights = faces.areas * (which == top)
            centre = (inward * weights[:, None]).sum(axis=0) / weights.sum()
            found.append((float(votes[top]), centre, float(radius)))
    found.sort(key=lambda one: -one[0])
    apart: list[tuple[Floats, float]] = []
    for _, centre, radius in found:
        if all(np.linalg.norm(centre - other) > _APART_MM for other, _ in apart):
            apart.append((centre, radius))
    return apart[:_TRIED]


def _fitted(faces: Faces, centre: Floats, radius: float) -> tuple[Floats, float, np.ndarray] | None:
    """Centre, radius and the faces on the sphere; None where too few are."""
    on = np.zeros(len(faces.areas), dtype=bool)
    for _ in range(_ROUNDS):
        away = faces.centres - centre
        far = np.linalg.norm(away, axis=1)
        facing = np.einsum("ij,ij->i", away, faces.normals) > _FACING * far
        before, on = on, (np.abs(far - radius) < _ON_SPHERE_MM) & facing
        if on.sum() < 30:
            return None
        if (on == before).all():
            break
        centre, radius = sphere_through(faces.centres[on], faces.areas[on])
    return centre, radius, on


def sphere_through(points: Floats, weights: Floats) -> tuple[Floats, float]:
    """Fit a sphere to points (N, 3) by weighted linear least squares: centre (3,) and radius."""
    root = np.sqrt(weights)[:, None]
    middle = points.mean(axis=0)
    local = points - middle
    left = np.column_stack([2 * local, np.ones(len(local))]) * root
    solved = np.linalg.lstsq(left, (local**2).sum(axis=1) * root[:, 0], rcond=None)[0]
    return middle + solved[:3], float(np.sqrt(max(solved[3] + solved[:3] @ solved[:3], 0.0)))


def _spread(faces: Faces, on: np.ndarray, centre: Floats) -> float:
    """How far the centre moves when one half of the faces is left out, in three directions."""
    away = faces.centres[on] - centre
    moved = []
    for axis in range(3):
        for sign in (-1, 1):
            half = sign * away[:, axis] > 0
            if half.sum() < 20:
                continue
            other, _ = sphere_through(faces.centres[on][half], faces.areas[on][half])
            moved.append(float(np.linalg.norm(other - centre)))
    return float(np.mean(moved)) / 2 if moved else float("nan")
