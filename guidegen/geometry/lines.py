"""Straight lines: where points lie along and beside one, and where one crosses triangles."""

from __future__ import annotations

import numpy as np

from guidegen.model.arrays import Floats


def along_and_beside(points: Floats, origin: Floats, direction: Floats) -> tuple[Floats, Floats]:
    """Split points (N, 3) into the way along a line and the vector beside it.

    Args:
        points: (N, 3).
        origin: (3,) a point of the line.
        direction: (3,) unit vector.

    Returns:
        (N,) signed distance along the line, (N, 3) vector from the line to the point.
    """
    offset = points - origin
    along = offset @ direction
    return along, offset - along[:, None] * direction


def line_crossings(triangles: Floats, origin: Floats, direction: Floats) -> Floats:
    """Find where a line crosses triangles.

    Args:
        triangles: (F, 3, 3) corners.
        origin: (3,) a point of the line.
        direction: (3,) unit vector.

    Returns:
        (M,) sorted positions along the line; both triangles of an edge that is hit exactly count.

    References:
        Möller and Trumbore 1997, Journal of Graphics Tools 2(1):21-28.
    """
    a = triangles[:, 0]
    e1, e2 = triangles[:, 1] - a, triangles[:, 2] - a
    p = np.cross(direction, e2)
    det = np.einsum("ij,ij->i", e1, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1.0 / det
        t = origin - a
        u = np.einsum("ij,ij->i", t, p) * inverse
        q = np.cross(t, e1)
        v = (q @ direction) * inverse
        hit = (np.abs(det) > 1e-12) & (u >= 0) & (v >= 0) & (u + v <= 1)
        along = np.einsum("ij,ij->i", e2, q) * inverse
    return np.sort(along[hit])
