"""Does the seat hold the part in one position only?"""

from __future__ import annotations

import numpy as np

from guidegen.checks.part import Part
from guidegen.model.arrays import Floats
from guidegen.model.findings import Finding

_SEAT_MM = 0.1


def check_docking(part: Part) -> tuple[Finding, ...]:
    """Measure how well the contacts resist the weakest of the six ways of moving.

    Taken from the part as read back: points within 0.1 mm of the fit gap in the designed contacts
    and the bone's normals there. A modest limit that a single plane (0.0) or a straight rail can't
    reach; a part that slides is not seated.
    """
    gap, points, normals = part.seat_gaps
    use = gap <= part.guide.fit_gap_mm + _SEAT_MM
    score = docking_score(points[use], normals[use])
    how = "weakest of six motions, 0 for a plane to 1 for all alike (engineering choice)"
    return (part.finding("docking", score, part.limits.docking, "at_least", "1", how),)


def docking_score(points: Floats, normals: Floats) -> float:
    """Score contacts by the smallest singular value of their wrenches.

    Each frictionless contact resists a motion in so far as it moves the point along its normal.
    Rotations are taken about the contacts' middle and scaled by their root mean square distance
    from it, so that the score does not depend on size.

    Args:
        points: (N, 3) mm, evenly spread.
        normals: (N, 3) unit.

    Returns:
        0 if a motion meets no resistance (plane, sphere, rail), 1 if all six are met alike; 0 for
        fewer than six points.

    References:
        Murray, Li, Sastry (1994), A Mathematical Introduction to Robotic Manipulation, CRC Press,
        chapter 5 (wrenches of contacts). Scaling and limit: engineering choice.
    """
    if len(points) < 6:
        return 0.0
    lever = points - points.mean(axis=0)
    size = float(np.sqrt(np.mean(np.sum(lever**2, axis=1))))
    wrenches = np.hstack([normals, np.cross(lever, normals) / max(size, 1e-9)])
    spread = np.linalg.eigvalsh(wrenches.T @ wrenches / len(points))
    return float(np.sqrt(max(spread[0], 0.0) * 6))
