"""The trochlear groove: its deepest line, seen from all round the line across the epicondyles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.anatomy.condyles import Condyles
from guidegen.anatomy.long_bone import Faces
from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats, unit

_STEP_MM = 0.5
_STEP_DEG = 2.0
_FROM_DEG, _TO_DEG = -75.0, 110.0
"""Looked at from in front and above (negative) over straight in front (0) to below (90)."""
_FAR_MM = 120.0
_ASIDE_SHARE = 0.36
"""The groove and both its sides lie within this share of the knee's width beside the notch
(engineering choice)."""
_DEEP_MM = 1.0
"""A groove is at least this deep between its two sides (engineering choice)."""
_DEEP_SHARE = 0.4
_BEFORE_NOTCH_DEG = (15.0, 60.0)
"""... and this share of its usual depth, which is that so many degrees before the notch: above the
trochlea the bone may stay hollow (engineering choice)."""
_FLAT_MM = 0.3
"""The floor's middle is that of all that is this near to its deepest place."""
_TURN_MM = 3.0
"""Between neighbouring directions the deepest line moves aside by less (engineering choice)."""
_SHORTEST_MM = 10.0
_END_MM = 1.5
"""The middle's standard deviation along the line, as the groove fades out above (engineering
choice: three CTs of surfaces moved it by 0.3, 0.3 and 1.8 mm)."""


@dataclass(frozen=True, eq=False)
class Trochlea:
    """The deepest line of the groove between the trochlea's two sides.

    Args:
        line: (N, 3) mm, from the top to the notch.
        depth_mm: Usual depth between the two sides.
        spread_mm: Of its middle: how far the line wanders aside, and where it ends above.
    """

    line: Floats
    depth_mm: float
    spread_mm: float

    @property
    def middle(self) -> Floats:
        """(3,): the point in the middle of its length."""
        run = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(self.line, axis=0), axis=1)))
        return np.array([np.interp(run[-1] / 2, run, self.line[:, n]) for n in range(3)])

    @property
    def along(self) -> Floats:
        """(3,): unit vector from the top to the notch, of the straight line through all of it."""
        away = self.line - self.line.mean(axis=0)
        way = np.linalg.svd(away)[2][0]
        return unit(way if way @ (self.line[-1] - self.line[0]) > 0 else -way, "trochlear groove")


def find_trochlea(faces: Faces, found: Condyles) -> Trochlea | None:
    """Find the groove's deepest line; None where no groove can be told.

    Rays run on to the bone in planes through the line across the condyles, half way between the
    epicondyles; in every plane the floor is the place nearest to that line between the two sides.
    From the notch the line is followed to the front and up to where there is no groove any more.

    Args:
        faces: The femur, distal end in view.
        found: Its condyles, epicondyles and notch.
    """
    centre = (found.epicondyles[0] + found.epicondyles[1]) / 2
    width = float(np.linalg.norm(found.epicondyles[0] - found.epicondyles[1]))
    local = (faces.vertices - centre) @ found.axes.matrix
    notch = (found.notch - centre) @ found.axes.matrix
    reach = _ASIDE_SHARE * width
    across = np.arange(notch[0] - reach, notch[0] + reach, _STEP_MM)
    angles = np.radians(np.arange(_FROM_DEG, _TO_DEG, _STEP_DEG))
    radius = _radii(local, faces.triangles, across, angles)
    floor, depth = _floors(radius, across)
    start = int(np.abs(angles - np.arctan2(-notch[2], -notch[1])).argmin())
    before = angles[start] - np.radians(_BEFORE_NOTCH_DEG)
    usual = float(np.median(depth[(angles > before[1]) & (angles < before[0])]))
    run = _followed(floor, depth, start, max(_DEEP_MM, _DEEP_SHARE * usual))
    rows = np.abs(across[:, None] - floor[run]).argmin(axis=0)
    seen = np.isfinite(radius[rows, run])  # at the notch a ray may pass between the condyles
    run, rows = run[seen], rows[seen]
    out = np.stack([np.zeros(len(run)), -np.cos(angles[run]), -np.sin(angles[run])], axis=1)
    points = out * radius[rows, run][:, None]
    points[:, 0] = floor[run]
    length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
    if length < _SHORTEST_MM:
        return None
    return Trochlea(
        points @ found.axes.matrix.T + centre, usual, float(np.hypot(_wandering(points), _END_MM))
    )


def _radii(local: Floats, triangles: np.ndarray, across: Floats, angles: Floats) -> Floats:
    """(X, A): distance of the surface from the line across, seen from outside; NaN for none."""
    x, a = np.meshgrid(across, angles, indexing="ij")
    out = np.stack([np.zeros(x.size), -np.cos(a.ravel()), -np.sin(a.ravel())], axis=1)
    start = _FAR_MM * out
    start[:, 0] = x.ravel()
    far, _ = RayTarget(local, triangles).first_hit(start, -out)
    return np.asarray(np.where(np.isfinite(far), _FAR_MM - far, np.nan).reshape(x.shape))


def _floors(radius: Floats, across: Floats) -> tuple[Floats, Floats]:
    """(A,) place across and (A,) depth of the deepest valley in every plane."""
    seen = np.nan_to_num(radius, nan=-_FAR_MM)
    one = np.maximum.accumulate(seen, axis=0)
    other = np.maximum.accumulate(seen[::-1], axis=0)[::-1]
    deep = np.minimum(one, other) - seen
    most = deep.max(axis=0)
    flat = deep > most - _FLAT_MM
    return (flat * across[:, None]).sum(axis=0) / flat.sum(axis=0), most


def _followed(floor: Floats, depth: Floats, start: int, least_mm: float) -> np.ndarray:
    """Planes from the top of the groove to the notch, in this order."""
    run = [start]
    while run[-1] > 0:
        n = run[-1] - 1
        if depth[n] < least_mm or abs(floor[n] - floor[run[-1]]) > _TURN_MM:
            break
        run.append(n)
    return np.array(run[::-1])


def _wandering(points: Floats) -> float:
    """How far points (N, 3) lie aside of their straight course seen from the front and below."""
    line = np.polyfit(np.arange(len(points)), points[:, 0], 1)
    straight = np.polyval(line, np.arange(len(points)))
    return float(np.sqrt(((points[:, 0] - straight) ** 2).mean()))
