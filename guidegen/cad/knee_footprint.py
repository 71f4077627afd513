"""Where a knee guide may rest on a femur or a tibia, by anatomy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, cKDTree

from guidegen.cad.contact import spread_points
from guidegen.cad.knee_proud import proud_mm
from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.errors import GeometryError
from guidegen.geometry.knee import CutAxes, HalfSpace, beside_tendon, bone_kind, medial_way
from guidegen.mesh.grid import faces_in_box
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks

POINT_MM = 1.0
"""Distance of the points by which a bone's surface is judged for contact."""
_REGION_MM = 75.0
_COARSE_MM = 2.0
_GROOVE_MM = 13.0
_TROCHLEA_MM = 34.0
_CONDYLE_BACK_MM = -6.0
_RIM_MM = 14.0
_RIM_UP = 0.45
_PLATEAU_MM = 14.0
_CORTEX_TOP_MM = -6.0
_BEHIND_MM = 10.0
_SIDEWAYS = 0.1
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Seat:
    """Points of a bone round its cut, patient LPS.

    Args:
        points_mm: (N, 3), one for each mm2.
        normals: (N, 3) outward.
        allowed: (N,) a contact may touch here.
    """

    points_mm: Floats
    normals: Floats
    allowed: Mask


def find_seat(bone: Bone, marks: Landmarks, axes: CutAxes, settings: KneeGuideSettings) -> Seat:
    """Spread points over the bone round the cut and tell where contacts may be.

    Args:
        bone: Femur or tibia.
        marks: Its landmarks.
        axes: Of the cut.
        settings: Limits.

    Returns:
        The points; never allowed is bone that stands proud of its smooth surroundings.
    """
    faces = faces_in_box(
        bone.vertices_mm, bone.faces, axes.origin_mm - _REGION_MM, axes.origin_mm + _REGION_MM
    )
    if len(faces) == 0:
        raise GeometryError(f"{bone.name}: no bone round the cut; plan again")
    points, normals = spread_points(bone.vertices_mm, faces, POINT_MM)
    kind = _femoral if bone_kind(marks) == "femur" else _tibial
    use = kind(points, normals, marks, settings)
    free = beside_tendon(marks, settings.tendon_mm)
    if free is not None:
        use &= free.room_mm(points) > settings.contact_radius_mm + settings.min_wall_mm
    use &= axes.local(points)[:, 2] < settings.reach_mm
    smooth = _smooth(points, normals, use, settings.osteophyte_mm)
    return Seat(points, normals, use & smooth)


def tendon_side(marks: Landmarks, settings: KneeGuideSettings) -> Sequence[HalfSpace]:
    """Half spaces that every part of the guide stays in."""
    free = beside_tendon(marks, settings.tendon_mm)
    return () if free is None else (free,)


def _bone_frame(points: Floats, normals: Floats, marks: Landmarks) -> tuple[Floats, Floats]:
    """Points and normals as (medial, back, head) from the bone's origin."""
    frame = marks.patient_from_bone
    ways = np.column_stack([medial_way(marks), frame.axes[:, 1], frame.axes[:, 2]])
    return (points - frame.origin_mm) @ ways, normals @ ways


def _femoral(
    points: Floats, normals: Floats, marks: Landmarks, settings: KneeGuideSettings
) -> Mask:
    """Trochlea's margins, anterior cortex above it, front of the condyles.

    Left out are the groove and its facets near the middle, which carry the kneecap's cartilage,
    and what faces distal, which carries weight (engineering choice: sizes from femora of 70 to
    90 mm width).
    """
    place, face = _bone_frame(points, normals, marks)
    groove = (np.abs(place[:, 0]) < _GROOVE_MM) & (place[:, 2] < _TROCHLEA_MM)
    worn = -face[:, 2] > np.cos(np.radians(settings.worn_deg))
    return np.asarray(~groove & ~worn & (place[:, 1] < _CONDYLE_BACK_MM))


def _tibial(points: Floats, normals: Floats, marks: Landmarks, settings: KneeGuideSettings) -> Mask:
    """Anteromedial cortex under the plateau, and the plateau's rim in front and medially."""
    place, face = _bone_frame(points, normals, marks)
    front = place[:, 1] < _BEHIND_MM
    outward = (face[:, 0] > _SIDEWAYS) | (face[:, 1] < -_SIDEWAYS)
    cortex = (place[:, 2] < _CORTEX_TOP_MM) & outward & (face[:, 2] < _RIM_UP)
    top = (place[:, 2] > -_PLATEAU_MM) & (face[:, 2] > _RIM_UP)
    rim = np.zeros(len(points), dtype=bool)
    if top.sum() > 3:
        rim[top] = _from_outline(place[place[:, 2] > -_PLATEAU_MM][:, :2], place[top, :2]) < _RIM_MM
    middle = _bone_frame(marks["plateau_medial"].position_mm[None], normals[:1], marks)[0][0]
    rim &= (place[:, 1] < middle[1] - _PLATEAU_MM / 2) | (place[:, 0] > middle[0])
    return np.asarray(front & (cortex | rim))


def _from_outline(cloud: Floats, places: Floats) -> Floats:
    """(N,): distance of flat places (N, 2) from the hull of a flat cloud (M, 2), inwards."""
    planes = ConvexHull(cloud).equations
    return np.asarray(-(places @ planes[:, :2].T + planes[:, 2]).max(axis=1))


def _smooth(points: Floats, normals: Floats, use: Mask, limit_mm: float) -> Mask:
    """Tell which points lie on no bone that stands proud; judged every 2 mm."""
    _, first = np.unique(
        np.floor(points / _COARSE_MM).astype(np.int64)[use], axis=0, return_index=True
    )
    at = np.flatnonzero(use)[np.sort(first)]
    out = np.zeros(len(points), dtype=bool)
    if len(at) == 0:
        return out
    proud = proud_mm(points, normals, points[at], normals[at]) > limit_mm
    near = cKDTree(points[at]).query(points[use])[1]
    out[use] = ~proud[near]
    return out
