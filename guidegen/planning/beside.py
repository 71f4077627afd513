"""A straight way into the body beside the pedicle (extrapedicular, costovertebral)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.mesh.field import DistanceField
from guidegen.model.arrays import Floats
from guidegen.planning.line import Line, directions

Mask = npt.NDArray[np.bool_]
_STEP_MM = 1.0
_OUT_MM = 75.0
_TISSUE_MM = 150.0
"""The tissue on the way is looked at so far from the tip; own bone is not that far out."""
_AHEAD_MM = 14.0
_SLOPE_MM = 6.0
"""Own bone this near to the entry is the slope that the needle starts on."""
_FACE_MM = 8.0
"""The face through which the needle enters is no wall of it so far under the entry."""
MIN_IN_BODY_MM = 15.0
_ENOUGH_MM = 2.0
"""Room beyond this, over the margins asked for, does not make a way better."""
_LEAN_WEIGHT = 0.03
"""What 1 deg towards the side weighs in mm of room: the more a way leans, the farther from the
midline, and through the more tissue, it comes in."""
_RIB_WEIGHT = 0.15
"""What 1 mm through another bone weighs in mm of room: a rib is in the way, but can be passed."""
_SLANT_WEIGHT = 0.05
"""What 1 deg to head or foot weighs in mm of room: of two ways with like room the level one."""
_TRIED = 400


@dataclass(frozen=True)
class BesideLimits:
    """What a needle beside the pedicle may do, in the vertebra's frame; mm and degrees.

    Args:
        axial_deg: Smallest and largest angle towards the midline.
        sagittal_deg: Smallest and largest angle towards the head.
        tip_y_mm: The tip lies in front of it.
        tip_lateral_mm: Where the tip may lie across, towards the needle's own side.
        entry_y_mm: The entry lies behind it.
        front_margin_mm: Smallest distance of the tip from the front cortex along the axis.
        canal_half_mm: Half the canal's width at the pedicle.
        canal_y_mm: y of the canal's front and back wall.
        canal_margin_mm: Least tissue between needle and canal.
        beside_z_mm: Between these heights the axis passes the canal: beside the pedicle, not under
            it, where the nerve leaves.
        radius_mm: Of the needle.
        free_mm: Free round the needle outside the bone.
    """

    axial_deg: tuple[float, float]
    sagittal_deg: tuple[float, float]
    tip_y_mm: float
    tip_lateral_mm: tuple[float, float]
    entry_y_mm: float
    front_margin_mm: float
    canal_half_mm: float
    canal_y_mm: tuple[float, float]
    canal_margin_mm: float
    beside_z_mm: tuple[float, float]
    radius_mm: float
    free_mm: float


@dataclass(frozen=True, eq=False)
class Beside:
    """A way beside the pedicle, in the vertebra's frame.

    Args:
        line: The axis; its point is the tip.
        length_mm: Entry to tip.
        canal_mm: Smallest distance of the axis from the canal's side wall.
        rib_mm: Length through other bones.
    """

    line: Line
    length_mm: float
    canal_mm: float
    rib_mm: float


def _lattice(limits: BesideLimits, height_mm: float, side: float) -> tuple[Floats, Floats, Floats]:
    """Lines of the search: (L, 3) tips, (L,) axial and (L,) sagittal degrees."""
    axial = np.arange(limits.axial_deg[0], limits.axial_deg[1] + 0.1, 3.0)
    sagittal = np.arange(limits.sagittal_deg[0], limits.sagittal_deg[1] + 0.1, 5.0)
    lateral = np.linspace(*limits.tip_lateral_mm, 4)
    front = limits.tip_y_mm - np.array([0.5, 3.0, 5.5])
    up = np.linspace(-0.22, 0.22, 5) * height_mm
    a, s, x, y, z = (g.ravel() for g in np.meshgrid(axial, sagittal, lateral, front, up))
    return np.stack([side * x, y, z], axis=1), a, s


@dataclass(frozen=True, eq=False)
class Seen:
    """What lines beside the pedicle meet, each (L,), mm.

    Args:
        in_bone: The tip lies in the bone and the line comes out of it.
        length: Entry to tip.
        room: Smallest depth of the axis in the bone, without the face through which it enters.
        free: Between the needle and its own bone on the way in, less what must stay.
        canal: Of the axis from the canal's side wall.
        off: It passes the canal above or under the pedicle.
        front: Ahead of the tip to the front cortex.
        entry_y: y of the entry.
    """

    in_bone: Mask
    length: Floats
    room: Floats
    free: Floats
    canal: Floats
    off: Mask
    front: Floats
    entry_y: Floats


def look_along(field: DistanceField, limits: BesideLimits, tips: Floats, ways: Floats) -> Seen:
    """Look at lines from their tips outwards.

    Args:
        field: Distance field of the vertebra, negative inside, in its frame.
        limits: What the needle may do.
        tips: (L, 3).
        ways: (L, 3) unit vectors going in.
    """
    t = np.arange(0.0, _OUT_MM, _STEP_MM)
    points = tips[:, None] - t[None, :, None] * ways[:, None]
    depth = -field.at(points)
    outside = depth <= 0
    first = outside.argmax(axis=1)
    length = t[first]
    ahead = np.arange(0.0, _AHEAD_MM, _STEP_MM)
    front = field.at(tips[:, None] + ahead[None, :, None] * ways[:, None]) > 0
    margin = np.where(front.any(axis=1), ahead[front.argmax(axis=1)], _AHEAD_MM)
    inside = (t[None] < length[:, None] - _FACE_MM) & (t[None] >= 0)
    room = np.where(inside, depth, np.inf).min(axis=1)
    beyond = t[None] > length[:, None] + _SLOPE_MM
    free = np.where(beyond, -depth, np.inf).min(axis=1) - limits.radius_mm - limits.free_mm
    low, high = limits.canal_y_mm
    beside = (points[..., 1] > low - 1.0) & (points[..., 1] < high)
    floor, roof = limits.beside_z_mm
    height = points[..., 2]
    off = (beside & ((height < floor) | (height > roof))).any(axis=1)
    canal = np.where(beside, np.abs(points[..., 0]) - limits.canal_half_mm, np.inf).min(axis=1)
    return Seen(
        in_bone=~outside[:, 0] & (first != 0),
        length=length,
        room=room,
        free=free,
        canal=canal,
        off=np.asarray(off),
        front=margin,
        entry_y=tips[:, 1] - length * ways[:, 1],
    )


def _measure(
    field: DistanceField, limits: BesideLimits, tips: Floats, ways: Floats
) -> tuple[Floats, Floats, Floats]:
    """Measure lines: (L,) score, (L,) length in the bone, (L,) canal clearance; -inf if bad."""
    seen = look_along(field, limits, tips, ways)
    spare = seen.canal - limits.radius_mm - limits.canal_margin_mm
    score = np.minimum(np.minimum(spare, seen.room - limits.radius_mm - 0.5), _ENOUGH_MM)
    bad = ~seen.in_bone | (seen.length < MIN_IN_BODY_MM) | (spare < 0) | (seen.free < 0)
    bad |= seen.off | (seen.entry_y < limits.entry_y_mm)
    bad |= (seen.front < limits.front_margin_mm) | (seen.room < limits.radius_mm + 0.5)
    return np.where(bad, -np.inf, score), seen.length, seen.canal


def way_beside(
    field: DistanceField,
    limits: BesideLimits,
    height_mm: float,
    side: float,
    tissue: Callable[[Floats, Floats], tuple[bool, float]],
) -> Beside | None:
    """Find the way beside the pedicle that keeps the most room from canal and body walls.

    A lattice of lines from tips in the front third outwards is scored on the distance field; the
    best are asked for lung and other bones in their way, in order.

    Args:
        field: Distance field of the vertebra, negative inside, in its frame.
        limits: What the needle may do.
        height_mm: The body's height.
        side: +1 for the patient's left, -1 for the right.
        tissue: Tells for points (N, 3) outside the bone along a way and its direction whether lung
            is there, and how many mm run through other bones.

    Returns:
        The way; None where every line meets canal, own bone, lung or leaves the body.
    """
    tips, axial, sagittal = _lattice(limits, height_mm, side)
    ways = directions(axial, sagittal, side)
    score, length, canal = _measure(field, limits, tips, ways)
    score = score - _SLANT_WEIGHT * np.abs(sagittal) - _LEAN_WEIGHT * axial
    best: Beside | None = None
    reached = -np.inf
    for n in np.argsort(-score, kind="stable")[:_TRIED]:
        if not np.isfinite(score[n]) or score[n] <= reached:
            break
        out = np.arange(length[n] + 1.0, _TISSUE_MM, _STEP_MM)
        lung, rib = tissue(tips[n] - out[:, None] * ways[n], ways[n])
        value = score[n] - _RIB_WEIGHT * rib
        if not lung and value > reached:
            line = Line(tips[n], float(axial[n]), float(sagittal[n]), side)
            best, reached = Beside(line, float(length[n]), float(canal[n]), rib), value
    return best
