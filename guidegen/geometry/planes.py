"""Planes fitted to points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import Floats


@dataclass(frozen=True, eq=False)
class FittedPlane:
    """A plane and how well the points lie in it.

    Args:
        point: (3,) mean of the points kept.
        normal: (3,) unit vector.
        spread_mm: Standard deviation of the kept points from the plane.
        n_kept: How many points were kept.
    """

    point: Floats
    normal: Floats
    spread_mm: float
    n_kept: int


def fit_plane(points: Floats, towards: Floats, n_rounds: int = 4) -> FittedPlane:
    """Fit a plane by least squares, leaving out points that stray.

    After each round points farther than 2.5 robust standard deviations (1.4826 x the median
    deviation, at least 0.3 mm) are left out. Does not hold if more than half of the points stray.

    Args:
        points: (N, 3), N >= 3, mm.
        towards: (3,) the normal is turned to this side.
        n_rounds: Rounds of leaving out.
    """
    kept = np.ones(len(points), dtype=bool)
    for _ in range(n_rounds):
        mean = points[kept].mean(axis=0)
        normal = np.linalg.svd(points[kept] - mean, full_matrices=False)[2][2]
        away = np.abs((points - mean) @ normal)
        limit = 2.5 * max(1.4826 * float(np.median(away[kept])), 0.3)
        if (away <= limit).sum() < 3:
            break
        kept = away <= limit
    mean = points[kept].mean(axis=0)
    normal = np.linalg.svd(points[kept] - mean, full_matrices=False)[2][2]
    normal = normal * (1.0 if normal @ towards >= 0 else -1.0)
    spread = float(((points[kept] - mean) @ normal).std())
    return FittedPlane(mean, normal, spread, int(kept.sum()))
