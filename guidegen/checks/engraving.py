"""Is a model of a bone's end that bone, and do its grooves lie on the planned cuts?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guidegen.checks.part import NAN, Part
from guidegen.mesh.sampling import face_areas_normals
from guidegen.model.arrays import Floats, unit
from guidegen.model.findings import Finding
from guidegen.model.guide import Feature
from guidegen.model.plan import Cut

_DISTANCE_MM = 0.05
_CLEAR_MM = 1.2
_OFFSET_MM = 0.05
_ANGLE_DEG = 0.1
_ROUND = 0.9
_WALL_MM = 0.02
_FACING = np.cos(np.radians(0.5))
_HOW = "walls of the groove on the file read back, planes by least squares, against the plan"
_ALONG = (
    "of the bone's outline in the plane, open to the set depth on the file (engineering choice)"
)
_SAME = "largest distance of model and bone, both ways, away from grooves, end and label"


def check_engraved(part: Part) -> tuple[Finding, ...]:
    """Measure how far the model is from the bone, and each groove against the plan.

    ``model_distance`` is the largest distance of the model's surface from the bone's and of the
    bone's from the model's, away from grooves and on the joint's side of the flat end.
    ``groove_offset`` and ``groove_angle`` are those of the groove's middle plane, ``groove_round``
    the share of the bone's outline in that plane along which the groove is open. Every cut of the
    plan must have its groove.
    """
    found = [part.finding("model_distance", _apart_mm(part), _DISTANCE_MM, "at_most", "mm", _SAME)]
    grooves = part.features("groove")
    named = {cut.name: cut for cut in part.cuts}
    for groove in grooves:
        offset = angle = NAN
        if groove.item in named:
            offset, angle = _deviation(part, named[groove.item])
        subject = f"{part.subject}#{groove.item}"
        found += [
            Finding("groove_offset", subject, offset, _OFFSET_MM, "at_most", "mm", _HOW),
            Finding("groove_angle", subject, angle, _ANGLE_DEG, "at_most", "deg", _HOW),
            Finding("groove_round", subject, _open(part, groove), _ROUND, "at_least", "1", _ALONG),
        ]
    items = [groove.item for groove in grooves]
    n = sum(items.count(name) == 1 for name in named) - sum(i not in named for i in items)
    wanted = max(len(named), 1)
    every = "every cut of the plan is engraved once"
    return (*found, part.finding("grooves", n, wanted, "equal", "count", every))


def _apart_mm(part: Part) -> float:
    """Largest distance of model and bone, both ways."""
    if len(part.seats) != 1 or len(part.features("end")) != 1:
        return NAN
    bone, model = part.seats[0], part.surface
    points = model.samples.points_mm
    there = points[_away(part, points)]
    points = bone.samples.points_mm
    back = points[_away(part, points)]
    if not len(there) or not len(back):
        return NAN
    return float(max(np.abs(bone.nearest(there)[0]).max(), np.abs(model.nearest(back)[0]).max()))


def _away(part: Part, points: Floats) -> npt.NDArray[np.bool_]:
    """Whether each point (N, 3) lies away from grooves and short of the flat end."""
    end = part.features("end")[0]
    free = (points - end.point_mm) @ end.direction < -_CLEAR_MM
    for groove in part.features("groove"):
        off = np.abs((points - groove.point_mm) @ groove.direction)
        free &= off > groove.values.get("width_mm", 0.0) / 2 + _WALL_MM
    return np.asarray(free)


def _deviation(part: Part, cut: Cut) -> tuple[float, float]:
    """Distance (mm) and angle (deg) of the groove's middle plane from the planned one."""
    origin, normal = cut.origin_mm, cut.normal
    areas, normals = face_areas_normals(part.surface.vertices, part.surface.faces)
    middles = part.surface.vertices[part.surface.faces].mean(axis=1)
    height = (middles - origin) @ normal
    half = cut.kerf_mm / 2
    found = []
    for way in (1.0, -1.0):
        wall = (normals @ normal * -way > _FACING) & (np.abs(height - way * half) < half)
        if areas[wall].sum() < 1.0:
            return NAN, NAN
        middle = np.average(middles[wall], axis=0, weights=areas[wall])
        spread = (middles[wall] - middle) * np.sqrt(areas[wall])[:, None]
        flat = np.linalg.svd(spread, full_matrices=False)[2][-1]
        found.append((middle, flat if flat @ normal > 0 else -flat))
    (high, one), (low, other) = found
    measured = unit(one + other, "groove")
    offset = abs(float(((high - origin) @ normal + (low - origin) @ normal) / 2))
    sine = float(np.linalg.norm(np.cross(measured, normal)))
    return offset, float(np.degrees(np.arcsin(min(sine, 1.0))))


def _open(part: Part, groove: Feature) -> float:
    """Share of the bone's outline in the plane, half the depth inside, that lies in the groove."""
    if len(part.seats) != 1:
        return NAN
    bone, end = part.seats[0], part.features("end")
    depth = groove.values.get("depth_mm", 0.0) / 2
    points = bone.samples.points_mm
    height = (points - groove.point_mm) @ groove.direction
    normals = bone.samples.normals
    flat = normals - (normals @ groove.direction)[:, None] * groove.direction
    length = np.linalg.norm(flat, axis=1)
    near = (np.abs(height) < groove.values.get("width_mm", 0.0) / 4) & (length > 0.5)
    if end:
        near &= (points - end[0].point_mm) @ end[0].direction < -_CLEAR_MM
    if not near.any():
        return NAN
    inner = points[near] - depth * flat[near] / length[near][:, None]
    inside = bone.inside(inner)
    if not inside.any():
        return NAN
    return float(1.0 - part.surface.inside(inner[inside]).mean())
