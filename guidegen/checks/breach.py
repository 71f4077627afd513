"""Does a screw along the bore that was really made stay in the bone?"""

from __future__ import annotations

import numpy as np

from guidegen.checks.cylinder import across
from guidegen.checks.part import NAN, Part
from guidegen.model.findings import Finding
from guidegen.model.plan import Path

_START_MM = 3.0
_STEP_MM = 0.5
_WIRE = "axis of the measured bore, from 3 mm under the entry to the wire's tip, stays in the bone"
_NEEDLE = (
    "needle of the planned diameter on the measured bore's axis, from 3 mm under the entry to the "
    "tip, against the bone's surface: below 0.05 mm counts as none (case contract)"
)
_REFERENCE = (
    "screw of the planned diameter on the measured bore's axis, from 3 mm under the entry to the "
    "tip, against the bone's surface; below 2 mm is Gertzbein-Robbins A or B"
)


def check_breach(part: Part) -> tuple[Finding, ...]:
    """Measure how far a screw or needle along each measured bore leaves the bone.

    Of the routes only the transpedicular; of a wire into the spinous process half of its
    thickness may leave it.
    """
    found = []
    for path in part.paths:
        if path.route != "transpedicular" and path.kind != "pin":
            continue
        limit, how = part.limits.breach_mm, _REFERENCE
        if path.kind == "needle":
            limit, how = part.limits.needle_breach_mm, _NEEDLE
        if path.kind == "pin":
            limit, how = path.diameter_mm / 2, _WIRE
        subject = f"{part.subject}#{path.name}"
        value = breach_mm(part, path)
        found.append(Finding("breach", subject, value, limit, "at_most", "mm", how))
    return tuple(found)


def breach_mm(part: Part, path: Path) -> float:
    """Largest distance of the screw's side from the bone, outwards; NaN without bone or bore.

    Taken every 0.5 mm along the screw and every 15 degrees round it.
    """
    bone, bore = part.bone_surfaces.get(path.bone), part.cylinders[path.name]
    if bone is None or bore is None:
        return NAN
    depth = np.append(np.arange(_START_MM, path.length_mm, _STEP_MM), path.length_mm)
    entry = bore.point_mm + ((path.entry_mm - bore.point_mm) @ bore.direction) * bore.direction
    one, two = across(bore.direction)
    angle = np.radians(np.arange(0, 360, 15))
    ring = path.diameter_mm / 2 * (np.cos(angle)[:, None] * one + np.sin(angle)[:, None] * two)
    axis = entry + depth[:, None] * bore.direction
    distance, _ = bone.nearest(np.concatenate([axis, (axis[:, None] + ring).reshape(-1, 3)]))
    return max(0.0, float(distance.max()))
