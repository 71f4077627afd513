"""The pedicles: the bridges of bone beside the canal, between arch and body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from guidegen.mesh.field import DistanceField
from guidegen.model.arrays import Floats

_CELL_MM = 1.0
_LATERAL_MM = 15.0
_MIN_DEPTH_MM = 0.8
_MIN_FRONTAL = 0.75
"""A pedicle points to the front within acos(0.75) = 41 deg; a lamina does not."""


@dataclass(frozen=True, eq=False)
class Isthmus:
    """The narrowest section of a pedicle.

    Args:
        centre: (3,) middle of the section.
        along: (3,) unit vector square to the section, to the front.
        width_mm: Short diameter of the section (ellipse of the same second moments).
        height_mm: Long diameter.
        spread_mm: Scatter of the centre over the sections beside it.
    """

    centre: Floats
    along: Floats
    width_mm: float
    height_mm: float
    spread_mm: float


@dataclass(frozen=True, eq=False)
class Canal:
    """The canal at pedicle height: its middle (3,), radius to the walls, front and back (y)."""

    centre: Floats
    radius_mm: float
    front_mm: float
    back_mm: float


def find_canal(field: DistanceField) -> Canal:
    """Find the canal's middle near the level frame's origin.

    The middle is the point within 8 mm of the origin farthest from bone, over the slices
    -3 to +3 mm; front and back are where a ray from there meets bone (12 mm if it does not).
    """
    side = np.arange(-8.0, 8.01, 0.5)
    x, y, z = np.meshgrid(side, side, (-3.0, 0.0, 3.0), indexing="ij")
    room = field.at(np.stack([x, y, z], axis=-1)).mean(axis=2)
    room = room - 0.02 * np.hypot(x[:, :, 0], y[:, :, 0])
    i, j = np.unravel_index(int(room.argmax()), room.shape)
    centre = np.array([side[i], side[j], 0.0])
    t = np.arange(0.0, 14.0, 0.25)
    ends = []
    for sign in (-1.0, 1.0):
        inside = field.at(centre + t[:, None] * np.array([0.0, sign, 0.0])) < 0
        ends.append(centre[1] + sign * (float(t[inside.argmax()]) if inside.any() else 12.0))
    return Canal(centre, float(room[i, j]), ends[0], ends[1])


def _widest_way(depth: Floats, beside: Floats) -> Floats:
    """Find the way from the back slice to the front slice that stays deepest in the bone.

    Dynamic programming over slices, one cell sideways a slice at most. The cost of a cell falls
    off exponentially with its depth, so that the shallowest cell of a way decides; a little is
    added for the distance from the canal, so that a rib that touches is not preferred.

    Args:
        depth: (N, X, Z) mm inside the bone, slices from back to front.
        beside: (X,) distance from the canal's middle, mm.

    Returns:
        (N, 2) cell indices.
    """
    cost = np.exp(-np.clip(depth, -6.0, 6.0)) + 0.01 * beside[None, :, None]
    best, came = cost[0], []
    for layer in cost[1:]:
        padded = np.pad(best, 1, constant_values=np.inf)
        n, m = best.shape
        moves = np.stack([padded[i : i + n, j : j + m] for i in range(3) for j in range(3)])
        choice = moves.argmin(axis=0)
        came.append(choice)
        best = layer + np.take_along_axis(moves, choice[None], axis=0)[0]
    spot = np.unravel_index(int(best.argmin()), best.shape)
    way = [(int(spot[0]), int(spot[1]))]
    for choice in reversed(came):
        i, j = way[-1]
        step = int(choice[i, j])
        way.append((i + step // 3 - 1, j + step % 3 - 1))
    return np.array(way[::-1], dtype=np.float64)


def _section(
    field: DistanceField, centre: Floats, along: Floats, canal: Canal
) -> tuple[Floats, float, float] | None:
    """Cut square to ``along``: centre, short and long diameter of the component; None if empty."""
    across = np.cross([0.0, 0.0, 1.0], along)
    across /= np.linalg.norm(across)
    height = np.cross(along, across)
    u = np.arange(-11.0, 11.01, 0.5)
    gu, gv = np.meshgrid(u, u, indexing="ij")
    points = centre + gu[..., None] * across + gv[..., None] * height
    inside = field.at(points) < 0
    side = np.sign(centre[0] - canal.centre[0])
    inside &= (points[..., 0] - canal.centre[0]) * side > 2.0
    labels, _ = ndimage.label(inside)
    own = labels == labels[len(u) // 2, len(u) // 2]
    if not inside[len(u) // 2, len(u) // 2] or own.sum() < 12:
        return None
    spots = np.stack([gu[own], gv[own]], axis=1)
    mean = spots.mean(axis=0)
    short, long = np.sqrt(np.linalg.eigvalsh(np.cov(spots.T)))
    return centre + mean[0] * across + mean[1] * height, 4.0 * float(short), 4.0 * float(long)


def find_isthmus(field: DistanceField, canal: Canal, side: float) -> Isthmus | None:
    """Find the narrowest section of one pedicle.

    The deepest way through the bone beside the canal, from behind the canal's middle to the body,
    is followed with sections square to it; the one of smallest area is the isthmus. Sections are
    cut off 11 mm from the way, so that a rib that is joined to the bone does not take part whole.

    Args:
        field: Distance field in the level's frame.
        canal: From ``find_canal``.
        side: +1 for the patient's left, -1 for the right.

    Returns:
        The isthmus, or None where no bridge of bone is left (cut off, destroyed).
    """
    y = np.arange(canal.centre[1] + 3.0, canal.front_mm - 5.0, -_CELL_MM)
    x = np.arange(canal.radius_mm, canal.radius_mm + _LATERAL_MM, _CELL_MM)
    z = np.arange(-11.0, 11.01, _CELL_MM)
    gy, gx, gz = np.meshgrid(y, x, z, indexing="ij")
    points = np.stack([canal.centre[0] + side * gx, gy, canal.centre[2] + gz], axis=-1)
    way = _widest_way(-field.at(points), x)
    smooth = ndimage.gaussian_filter1d(way, 1.5, axis=0, mode="nearest")
    line = np.stack([canal.centre[0] + side * (x[0] + smooth[:, 0]), y, z[0] + smooth[:, 1]], 1)
    along = ndimage.gaussian_filter1d(np.gradient(line, axis=0), 1.5, axis=0, mode="nearest")
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    sections = [
        _section(field, p, a, canal) if -field.at(p) > _MIN_DEPTH_MM else None
        for p, a in zip(line, along, strict=True)
    ]
    if any(s is None for s in sections[2:-2]):
        return None
    areas = np.array([np.inf if s is None else s[1] * s[2] for s in sections])
    areas[along[:, 1] > -_MIN_FRONTAL] = np.inf
    # A pedicle of even width has no narrowest place: the middle of the narrow run is taken.
    narrow = np.flatnonzero(areas[2:-2] <= 1.04 * areas[2:-2].min()) + 2
    if not np.isfinite(areas[2:-2]).any():
        return None
    best = int(narrow[len(narrow) // 2])
    near = [s[0] for s in sections[best - 1 : best + 2] if s is not None]
    chosen = sections[best]
    if chosen is None:
        return None
    off = np.array([(c - chosen[0]) - ((c - chosen[0]) @ along[best]) * along[best] for c in near])
    spread = float(np.sqrt((off**2).sum(axis=1).mean())) + 0.2
    return Isthmus(chosen[0], along[best], chosen[1], chosen[2], spread)
