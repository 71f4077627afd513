"""The gap between a part and the bone under its contacts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.mesh.surface import Surface
from guidegen.model.arrays import Floats
from guidegen.model.guide import Feature

_FACING = 0.5


def gaps_under(
    contacts: Sequence[Feature], surface: Surface, seats: tuple[Surface, ...]
) -> tuple[Floats, Floats, Floats]:
    """Measure a part under its designed contacts.

    Args:
        contacts: The designed contacts, with ``radius_mm``.
        surface: The part.
        seats: The bones that it sits on.

    Returns:
        Gaps (N,) in mm to the bone, the samples (N, 3), and the bone's outward normals there
        (N, 3), taken along the shortest line.
    """
    points, normals = surface.samples.points_mm, surface.samples.normals
    near = np.zeros(len(points), dtype=bool)
    for contact in contacts:
        offset = points - contact.point_mm
        near |= np.linalg.norm(offset, axis=1) <= contact.values.get("radius_mm", 0.0)
    points, normals = points[near], normals[near]
    if not seats or not len(points):
        return np.empty(0), np.empty((0, 3)), np.empty((0, 3))
    gap, nearest = _nearest_of(seats, points)
    way = points - nearest
    length = np.linalg.norm(way, axis=1)
    way = way / np.where(length > 0, length, 1)[:, None] * np.sign(gap)[:, None]
    facing = np.einsum("nd,nd->n", way, normals) < -_FACING
    return gap[facing], points[facing], way[facing]


def _nearest_of(surfaces: tuple[Surface, ...], points: Floats) -> tuple[Floats, Floats]:
    """Signed distance (N,) to the nearest of several surfaces, and the points (N, 3) there."""
    found = [surface.nearest(points) for surface in surfaces]
    best = np.argmin([distance for distance, _ in found], axis=0)
    row = np.arange(len(points))
    return (
        np.stack([d for d, _ in found])[best, row],
        np.stack([n for _, n in found])[best, row],
    )
