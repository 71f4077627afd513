"""Does the part sit on the bone without cutting into it?"""

from __future__ import annotations

import numpy as np

from guidegen.checks.part import NAN, Part
from guidegen.errors import GeometryError
from guidegen.mesh.surface import Surface
from guidegen.model.findings import Finding

_SEAT_MM = 0.1
_TOUCH_MM = 0.02
_SHARED = "exact intersection of the file read back with the bone (required: none)"


def check_overlap(part: Part) -> tuple[Finding, ...]:
    """Measure the volume that the part shares with each bone: exact boolean, must be 0.

    Bones that the part names are always reported; others where their boxes meet.
    """
    own = part.guide.bones + part.guide.neighbours
    found = [
        Finding("overlap", f"{part.subject}#{name}", NAN, 0.0, "at_most", "mm3", "bone is missing")
        for name in own
        if name not in part.bone_surfaces
    ]
    for name, bone in part.bone_surfaces.items():
        near = bone.within(part.surface.low, part.surface.high)
        if name not in own and not near:
            continue
        shared = overlap_mm3(part.surface, bone) if near else 0.0
        subject = f"{part.subject}#{name}"
        found.append(Finding("overlap", subject, shared, 0.0, "at_most", "mm3", _SHARED))
    return tuple(found)


def overlap_mm3(one: Surface, other: Surface) -> float:
    """Volume that two closed surfaces share; NaN if one is no sound solid."""
    try:
        return abs(one.solid.overlap_mm3(other.solid))
    except GeometryError:
        return NAN


def check_contact(part: Part) -> tuple[Finding, ...]:
    """Measure gap and area of the seat on the part as read back.

    The gap is measured from points of the part that face the bone within the designed contacts.
    ``gap_typical`` is their median against the fit gap, ``gap_tight`` what 99 % of them keep.
    ``gap_smallest`` is taken over the whole part: any spot that touches would hold the part off
    its seat. ``contact_area`` is the surface within 0.1 mm of the fit gap.
    """
    wanted, allowed = part.guide.fit_gap_mm, part.limits.gap_mm
    gap, _, _ = part.seat_gaps
    area = float((gap <= wanted + _SEAT_MM).sum()) * part.surface.samples.area_mm2
    typical = float(abs(np.median(gap) - wanted)) if len(gap) else NAN
    tight = float(np.quantile(gap, 0.01)) if len(gap) else NAN
    smallest = NAN
    if part.seats:
        points = np.concatenate([part.surface.samples.points_mm, part.surface.vertices])
        smallest = min(seat.smallest_distance(points) for seat in part.seats)
    designed = max(part.guide.contact_area_mm2, 1.0)
    return (
        part.finding(
            "gap_smallest",
            smallest,
            _TOUCH_MM,
            "at_least",
            "mm",
            "no spot of the part touches the bone (engineering choice)",
        ),
        part.finding(
            "gap_tight",
            tight,
            wanted - allowed,
            "at_least",
            "mm",
            "99 % of the contact keeps half of the fit gap (engineering choice)",
        ),
        part.finding(
            "gap_typical",
            typical,
            allowed,
            "at_most",
            "mm",
            "median gap in the contacts against the fit gap (engineering choice)",
        ),
        part.finding(
            "contact_area",
            area,
            0.5 * designed,
            "at_least",
            "mm2",
            "at least half of the area stated in the manifest lies in the designed contacts "
            "within 0.1 mm of the fit gap (engineering choice)",
        ),
    )
