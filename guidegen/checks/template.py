"""Does a puncture template lie over skin, show its midline, and stand where it says?"""

from __future__ import annotations

import numpy as np

from guidegen.checks.bore import sleeve_top
from guidegen.checks.cylinder import fit_bore, scan_wall
from guidegen.checks.part import NAN, Part
from guidegen.mesh.sampling import face_areas_normals
from guidegen.model.arrays import Floats
from guidegen.model.bone import SKIN
from guidegen.model.findings import Finding
from guidegen.model.guide import Feature

_LEAN = 0.25
_FREE_MM = 0.8
_SLEEVE_MM = 1.0
_CLEARANCE_MM = 0.25
_STAND_OFF_MM = 0.5
_SIGHT_MM = 0.1
_NOTCH_MM = 0.5
_LOOK_MM = 60.0
_STEP_MM = 0.1


def check_over_skin(part: Part) -> tuple[Finding, ...]:
    """Measure the part's surface that has no skin of the back straight under it.

    Seen along the insertion direction. A face is skin if its normal has more than 0.25 against
    that direction; the others are where the scan ends, on which nothing lies in the patient. The
    sleeves, which lean out, do not count.
    """
    how = "surface of the part, without its sleeves, over no skin of the back"
    skin, way = part.bone_surfaces.get(SKIN), part.guide.insertion_direction
    if skin is None or way is None:
        return (part.finding("over_skin", NAN, 0.0, "at_most", "mm2", "no skin to measure on"),)
    samples = part.surface.samples
    points = samples.points_mm
    away = np.full(len(points), np.inf)
    for bore in part.features("bore"):
        offset = points - bore.point_mm
        beside = offset - (offset @ bore.direction)[:, None] * bore.direction
        radius = bore.values.get("outer_mm", 0.0) / 2
        away = np.minimum(away, np.linalg.norm(beside, axis=1) - radius)
    points = points[away > _SLEEVE_MM]
    _, face = skin.rays.first_hit(points, np.asarray(way))
    _, normals = face_areas_normals(skin.vertices, skin.faces)
    bare = (face < 0) | (normals[face] @ -way <= _LEAN)
    area = float(bare.sum()) * samples.area_mm2
    return (part.finding("over_skin", area, 0.0, "at_most", "mm2", how),)


def check_midline(part: Part) -> tuple[Finding, ...]:
    """Measure where the notches and the sights over the spinous processes really are.

    ``notches``: how many there are (one at the head, one at the foot). ``notch_offset``: middle
    of a notch from its place on the spinous-process line. ``sight_offset``: axis of the hole over
    a spinous process from the point of the skin over its tip.
    """
    notches = part.features("notch")
    count = "one at the head edge and one at the foot edge, over the spinous-process line"
    found = [part.finding("notches", len(notches), 2, "equal", "count", count)]
    for notch in notches:
        subject = f"{part.subject}#notch {notch.item}"
        off = notch_offset_mm(part, notch)
        how = "middle of the notch against the spinous-process line (engineering choice)"
        found.append(Finding("notch_offset", subject, off, _NOTCH_MM, "at_most", "mm", how))
    for sight in part.features("sight"):
        subject = f"{part.subject}#sight {sight.item}"
        size = sight.values.get("diameter_mm", 0.0)
        start = sight.point_mm + 12.0 * sight.direction
        hole = fit_bore(part.surface, start, -sight.direction, 12.0, size)
        off = NAN if hole is None else hole.distance_mm(sight.point_mm)
        how = "hole against the skin's point over the spinous process (engineering choice)"
        found.append(Finding("sight_offset", subject, off, _SIGHT_MM, "at_most", "mm", how))
    return tuple(found)


def notch_offset_mm(part: Part, notch: Feature) -> float:
    """How far the middle of a notch lies beside its line; NaN if there is none.

    Looked at half its width out from its floor, in steps of 0.1 mm across.
    """
    width, way = notch.values.get("width_mm", 0.0), part.guide.insertion_direction
    if way is None or width <= 0:
        return NAN
    side = np.cross(notch.direction, way)
    steps = np.arange(-width, width + _STEP_MM / 2, _STEP_MM)
    at = notch.point_mm + width / 2 * notch.direction
    free = _free(part, at + steps[:, None] * side, way)
    middle = len(steps) // 2
    if not free[middle] or free.all():
        return NAN
    low = middle - int(np.argmin(np.append(free[middle::-1], False)))
    high = middle + int(np.argmin(np.append(free[middle:], False)))
    inner = float(np.abs((low + high) / 2 - middle)) * _STEP_MM
    floor = _free(part, (notch.point_mm - _FREE_MM * notch.direction)[None], way)
    return NAN if floor.any() else inner


def _free(part: Part, points: Floats, way: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell for points (N, 3) whether a line along the insertion goes past the part."""
    distance, _ = part.surface.rays.first_hit(points - _LOOK_MM * way, way)
    return np.asarray(np.isinf(distance))


def check_stand_off(part: Part) -> tuple[Finding, ...]:
    """Measure how far a bar on wires stands from the skin, and from the spinous process.

    ``skin_clearance``: smallest distance of the part from the skin, against the one it was made
    for. ``stand_off``: top of each wire's sleeve from the planned entry along the bore, against
    the value that the surgeon sets it by.
    """
    skin, wanted = part.bone_surfaces.get(SKIN), part.guide.fit_gap_mm
    clear = NAN
    if skin is not None:
        points = np.concatenate([part.surface.samples.points_mm, part.surface.vertices])
        clear = skin.smallest_distance(points)
    how = "smallest distance of the part from the skin against the one asked for"
    found = [part.finding("skin_clearance", clear, wanted - _CLEARANCE_MM, "at_least", "mm", how)]
    for path in part.paths:
        if path.kind != "pin":
            continue
        feature, bore, off = part.bore(path), part.cylinders[path.name], NAN
        if feature is not None and bore is not None:
            top = sleeve_top(feature, path)
            wall = scan_wall(part.surface, bore, top, feature.values.get("length_mm", NAN))
            full = np.flatnonzero(wall.closed.all(axis=1))
            if len(full):
                stands = float((path.entry_mm - top) @ path.direction - wall.height_mm[full[0]])
                off = abs(stands - feature.values.get("stand_off_mm", NAN))
        subject = f"{part.subject}#{path.name}"
        how = "top of the wire's sleeve from the bone, measured against the value to set it by"
        found.append(Finding("stand_off", subject, off, _STAND_OFF_MM, "at_most", "mm", how))
    return tuple(found)
