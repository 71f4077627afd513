"""The sulcus of the medial epicondyle: one end of the surgical epicondylar axis, where it shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull

from guidegen.anatomy.condyles import Condyles
from guidegen.anatomy.long_bone import Faces, square_to
from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats

_STEP_MM = 0.5
_REACH_MM = 12.0
"""So much of the epicondyle round its highest point is covered (engineering choice: on three of
four femora the sulcus is found within 2.1 mm of the same place with 11 to 13 mm; with 14 other
hollows come in on two, and the fourth's is shallower than ``LEAST_MM``)."""
_PLACE_MM = 10.0
"""The sulcus lies nearer to the highest point (engineering choice); beyond, the edge of what is
covered takes part."""
_FAR_MM = 25.0
_STEEP_MM = 8.0
"""Bone that lies so much deeper is not the epicondyle's (engineering choice)."""
_SMOOTH_MM = 1.5
"""Heights are smoothed with this standard deviation: a sulcus is some 6 mm wide, noise of a surface
made from a CT is finer (engineering choice: without it one of six scans of one leg showed a hollow
of 0.7 mm where the others had 0.1 to 0.3; with it all six have 0.3 at one place, within 0.6 mm)."""
LEAST_MM = 0.25
"""A shallower hollow of the smoothed surface is none (engineering choice: 0.29 to 0.54 where one
shows on three femora, 0.22 on a fourth; six scans of one of them differ by 0.05, so that a hollow
about this deep may be told in one scan and not in another)."""
TURN_DEG = (-2.1, 5.9)
"""The surgical axis is turned so far against the posterior condyles, external positive: two
standard deviations round the means of women, 0.3 deg, and men, 3.5 deg, of 1.2 deg each (Berger et
al., Clin Orthop Relat Res 286, 1993). A hollow elsewhere is not told for it."""
_RIM_SHARE = 0.5
"""All round the sulcus the surface rises to less than this share of its depth."""
_OTHER_SHARE = 0.75
"""Where another hollow has this share of the depth, it is not clear which is the sulcus."""


@dataclass(frozen=True, eq=False)
class Sulcus:
    """The hollow behind the ridge of the medial epicondyle.

    Args:
        point: (3,) its deepest point, on bone.
        depth_mm: Below a sheet stretched over the epicondyle, both smoothed.
        spread_mm: How far what is almost as deep reaches, standard deviation.
    """

    point: Floats
    depth_mm: float
    spread_mm: float


def find_sulcus(faces: Faces, found: Condyles) -> Sulcus | None:
    """Find the hollow of the medial epicondyle; None where there is none that can be told.

    The epicondyle is looked at along the epicondylar axis and covered with a tight sheet (the
    convex hull of what is seen). A hollow counts that is deep enough, lies behind the highest
    point, and is walled in on all sides.

    Args:
        faces: The femur, distal end in view.
        found: Its condyles and epicondyles.
    """
    medial, lateral = found.epicondyles
    way = square_to(medial - lateral, found.axes.up, "epicondyles")
    behind = np.cross(found.axes.up, way)
    behind = behind if behind @ found.axes.back > 0 else -behind
    frame = np.stack([behind, found.axes.up, way], axis=1)
    places, height = _seen((faces.vertices - medial) @ frame, faces.triangles)
    depth = _under_sheet(places, height)
    pits, n = ndimage.label(depth > LEAST_MM)
    seen = [_measured(depth, places, height, pits == number) for number in range(1, n + 1)]
    told = [pit for pit in seen if pit is not None and _lies_well(pit.point)]
    told.sort(key=lambda pit: -pit.depth_mm)
    if not told or any(pit.depth_mm > _OTHER_SHARE * told[0].depth_mm for pit in told[1:]):
        return None
    best = told[0]
    point = medial + frame @ best.point
    line = point - lateral
    turn = np.degrees(np.arctan2(-(line @ found.axes.back), line @ found.axes.medial))
    if not TURN_DEG[0] <= turn <= TURN_DEG[1]:
        return None
    return Sulcus(point, best.depth_mm, best.spread_mm)


def _lies_well(place: Floats) -> bool:
    """True behind the highest point and near to it: behind, above, out."""
    return bool(place[0] > 0 and np.hypot(place[0], place[1]) < _PLACE_MM)


def _seen(local: Floats, triangles: np.ndarray) -> tuple[Floats, Floats]:
    """(Y, Z, 2) places behind and above the epicondyle and (Y, Z) heights there; NaN beyond."""
    axis = np.arange(-_REACH_MM, _REACH_MM + _STEP_MM / 2, _STEP_MM)
    y, z = np.meshgrid(axis, axis, indexing="ij")
    start = np.column_stack([y.ravel(), z.ravel(), np.full(y.size, _FAR_MM)])
    far, _ = RayTarget(local, triangles).first_hit(start, np.array([0.0, 0.0, -1.0]))
    height = (_FAR_MM - far).reshape(y.shape)
    near = (np.hypot(y, z) <= _REACH_MM) & np.isfinite(height)
    near &= np.where(near, height, -np.inf) > -_STEEP_MM
    return np.stack([y, z], axis=-1), _smoothed(np.where(near, height, np.nan))


def _smoothed(height: Floats) -> Floats:
    """The same heights (Y, Z) without noise; NaN stays, and takes no part."""
    near = np.isfinite(height)
    sums, weights = (
        ndimage.gaussian_filter(values, _SMOOTH_MM / _STEP_MM)
        for values in (np.where(near, height, 0.0), near.astype(np.float64))
    )
    return np.where(near, sums / np.maximum(weights, 1e-9), np.nan)


def _under_sheet(places: Floats, height: Floats) -> Floats:
    """(Y, Z): how deep the surface lies under the convex hull's upper side; 0 where none is."""
    near = np.isfinite(height)
    points = np.column_stack([places[near], height[near]])
    planes = ConvexHull(points).equations
    planes = planes[planes[:, 2] > 1e-6]
    sheet = np.full(len(points), np.inf)
    for across, along, out, offset in planes:
        sheet = np.minimum(sheet, -(across * points[:, 0] + along * points[:, 1] + offset) / out)
    depth = np.zeros(height.shape)
    depth[near] = sheet - points[:, 2]
    return depth


def _measured(depth: Floats, places: Floats, height: Floats, pit: np.ndarray) -> Sulcus | None:
    """The sulcus of one hollow, in the frame of the look; None if it is open to a side."""
    deepest = float(depth[pit].max())
    pits, _ = ndimage.label(depth > _RIM_SHARE * deepest)
    at = np.unravel_index(int(np.where(pit, depth, -1.0).argmax()), depth.shape)
    own = pits == pits[at]
    inside = np.isfinite(height)
    if (own & ~ndimage.binary_erosion(inside)).any():
        return None
    core = own & (depth > 0.8 * deepest)
    middle = places[core].mean(axis=0)
    spread = float(np.sqrt(((places[core] - middle) ** 2).sum(axis=1).mean()))
    return Sulcus(np.append(places[at], height[at]), deepest, max(spread, _STEP_MM))
