"""Does a saw slot lie on the plan, hold the blade, and let it pass?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.checks.part import NAN, Part
from guidegen.errors import GeometryError
from guidegen.mesh.sampling import face_areas_normals
from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats, unit
from guidegen.model.findings import Finding
from guidegen.model.guide import Feature
from guidegen.model.plan import Cut

_FACING = np.cos(np.radians(4.0))
_OFF_MM = 1.0
_LEAST_SHARE = 0.4
_MOUTH_MM = 4.0
_STEP_MM = 0.25
_ACROSS_MM = 1.0
_END_SLACK_MM = 0.3
_THICK_SLACK_MM = 0.1
_WIDTH_MM = 0.3
_BEFORE_MM = 60.0
_BEHIND_MM = 120.0
_SIDE_PLAY_MM = 0.1
_HOW = "walls of the slot on the file read back, two planes by least squares, against the plan"
_HELD = "both flat sides and both ends stand all along the slot over this depth"


@dataclass(frozen=True, eq=False)
class _Walls:
    """A slot as measured: its middle plane and thickness.

    Args:
        point_mm: (3,) in the middle plane.
        normal: (3,) unit vector, as the cut's.
        thickness_mm: Between the walls.
    """

    point_mm: Floats
    normal: Floats
    thickness_mm: float


def slot_of(part: Part, cut: Cut) -> Feature | None:
    """The slot designed for a cut."""
    return next((f for f in part.features("slot") if f.item == cut.name), None)


def _frame(slot: Feature, cut: Cut) -> tuple[Floats, Floats, Floats]:
    """Start (3,) in the planned plane at the slot's mouth, across (3,) and into (3,)."""
    into = unit(slot.direction - (slot.direction @ cut.normal) * cut.normal, "way in")
    start = slot.point_mm - ((slot.point_mm - cut.origin_mm) @ cut.normal) * cut.normal
    return start, np.cross(cut.normal, into), into


def _measure(part: Part, slot: Feature, cut: Cut) -> _Walls | None:
    """Fit both walls to what rays from the planned plane meet; None where one is missing."""
    start, across, into = _frame(slot, cut)
    inner = slot.values.get("width_mm", 0.0) / 2 - _END_SLACK_MM
    depth = np.arange(0.0, part.limits.capture_mm + _MOUTH_MM, _STEP_MM)
    aside = np.arange(-inner, inner, _ACROSS_MM)
    grid = start + (depth[:, None, None] * into + aside[:, None] * across).reshape(-1, 3)
    _, normals = face_areas_normals(part.surface.vertices, part.surface.faces)
    found = []
    for way in (cut.normal, -cut.normal):
        far, face = part.surface.rays.first_hit(grid, way)
        flat = (face >= 0) & (normals[face] @ way < -_FACING)
        flat &= far < slot.values.get("thickness_mm", 0.0) / 2 + _OFF_MM
        if flat.mean() < _LEAST_SHARE:
            return None
        found.append(_plane(grid[flat] + far[flat][:, None] * way, cut.normal))
    (high, one), (low, other) = found
    normal = unit(one + other, "slot")
    return _Walls((high + low) / 2, normal, float((high - low) @ normal))


def _plane(points: Floats, towards: Floats) -> tuple[Floats, Floats]:
    """Least-squares plane of points (N, 3): their middle and the unit normal."""
    middle = points.mean(axis=0)
    normal = np.linalg.svd(points - middle, full_matrices=False)[2][-1]
    return middle, normal if normal @ towards > 0 else -normal


def check_slot(part: Part) -> tuple[Finding, ...]:
    """Hold the slot of each cut against the plan: place, angle, thickness, depth, closed ends.

    ``slot_offset`` is the largest distance of the slot's middle plane from the planned one over
    the captured depth and the slot's width; ``slot_capture`` the depth over which both flat sides
    and both ends stand without a break. Not asked where the plan's cuts get no slot.
    """
    limits = part.limits
    if limits.slot_clearance_mm is None:
        return ()
    found = []
    for cut in part.cuts:
        slot = slot_of(part, cut)
        walls = None if slot is None else _measure(part, slot, cut)
        offset = angle = thick = held = NAN
        if slot is not None and walls is not None:
            offset, angle = _deviation(part, slot, cut, walls)
            thick = abs(walls.thickness_mm - cut.kerf_mm - limits.slot_clearance_mm)
            held = captured_mm(part, slot, cut)
        subject, near = f"{part.subject}#{cut.name}", limits.slot_offset_mm
        found += [
            Finding("slot_offset", subject, offset, near, "at_most", "mm", _HOW),
            Finding("slot_angle", subject, angle, limits.slot_angle_deg, "at_most", "deg", _HOW),
            Finding("slot_thickness", subject, thick, near, "at_most", "mm", _HOW),
            Finding("slot_capture", subject, held, limits.capture_mm, "at_least", "mm", _HELD),
        ]
    count = sum(slot_of(part, cut) is not None for cut in part.cuts)
    extra = len(part.features("slot")) - count
    how = "every cut of the plan stands in exactly one guide (case contract)"
    wanted = max(len(part.cuts), 1)
    return (*found, part.finding("slots", count - extra, wanted, "equal", "count", how))


def _deviation(part: Part, slot: Feature, cut: Cut, walls: _Walls) -> tuple[float, float]:
    """Largest distance (mm) and angle (deg) between the measured middle plane and the plan."""
    start, across, into = _frame(slot, cut)
    wide = slot.values.get("width_mm", 0.0) / 2
    corners = [
        start + u * across + w * into for u in (-wide, wide) for w in (0.0, part.limits.capture_mm)
    ]
    away = (np.array(corners) - walls.point_mm) @ walls.normal / (walls.normal @ cut.normal)
    sine = float(np.linalg.norm(np.cross(walls.normal, cut.normal)))
    return float(np.abs(away).max()), float(np.degrees(np.arcsin(min(sine, 1.0))))


def captured_mm(part: Part, slot: Feature, cut: Cut) -> float:
    """Depth over which the slot holds a blade: flat sides everywhere, and both ends closed."""
    start, across, into = _frame(slot, cut)
    wide = slot.values.get("width_mm", 0.0)
    thick = slot.values.get("thickness_mm", 0.0)
    depth = np.arange(0.0, part.limits.capture_mm + 2 * _MOUTH_MM, _STEP_MM)
    inner = wide / 2 - _END_SLACK_MM
    aside = np.linspace(-inner, inner, max(int(wide / _ACROSS_MM), 3))
    line = start + depth[:, None] * into
    grid = line[:, None] + aside[:, None] * across
    held = np.ones(len(depth), dtype=bool)
    for way in (cut.normal, -cut.normal):
        far = _hits(part, grid.reshape(-1, 3), way).reshape(len(depth), len(aside))
        held &= (np.abs(far - thick / 2) < _THICK_SLACK_MM).all(axis=1)
    for way in (across, -across):
        held &= np.abs(_hits(part, line, way) - wide / 2) < _WIDTH_MM
    best = run = 0
    for one in held:
        run = run + 1 if one else 0
        best = max(best, run)
    return best * _STEP_MM


def _hits(part: Part, points: Floats, way: Floats) -> Floats:
    """(N,): distance from points to the part along a way; infinite where there is none."""
    return part.surface.rays.first_hit(points, way)[0]


def check_blade(part: Part) -> tuple[Finding, ...]:
    """Pass a blade through each slot: from 60 mm before its mouth to 120 mm behind it.

    The blade is as thick as the plan's kerf and 0.1 mm narrower than the slot at either side, so
    that it stands for every narrower blade that is swung in it. ``blade_met`` is the volume of the
    part that it meets: none.
    """
    if part.limits.slot_clearance_mm is None:
        return ()
    how = "exact intersection of the part with a blade of the planned thickness on the planned cut"
    found = []
    for cut in part.cuts:
        slot, met = slot_of(part, cut), NAN
        if slot is not None:
            met = _met_mm3(part, slot, cut)
        subject = f"{part.subject}#{cut.name}"
        found.append(Finding("blade_met", subject, met, 0.0, "at_most", "mm3", how))
    return tuple(found)


def _met_mm3(part: Part, slot: Feature, cut: Cut) -> float:
    """Volume of the part in a blade's way; NaN if the part is no sound solid."""
    start, across, into = _frame(slot, cut)
    wide = slot.values.get("width_mm", 0.0) / 2 - _SIDE_PLAY_MM
    corners = [
        start + u * across + w * into + n * cut.normal
        for u in (-wide, wide)
        for w in (-_BEFORE_MM, _BEHIND_MM)
        for n in (-cut.kerf_mm / 2, cut.kerf_mm / 2)
    ]
    try:
        return abs(part.surface.solid.overlap_mm3(Solid.hull(np.array(corners), "blade")))
    except GeometryError:
        return NAN
