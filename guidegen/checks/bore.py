"""Do the bores lie on the plan, and do they guide the drill?"""

from __future__ import annotations

import numpy as np

from guidegen.checks.cylinder import Wall, scan_wall
from guidegen.checks.part import NAN, Part
from guidegen.errors import GeometryError
from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats
from guidegen.model.findings import Finding
from guidegen.model.guide import Feature
from guidegen.model.plan import Path

_DRILL_ABOVE_MM = 60.0
_END_MM = 5.0
_SIDE_MM = 1.0


def check_bores(part: Part) -> tuple[Finding, ...]:
    """Hold axis and diameter of the bore of each path against the plan, and count them."""
    found = []
    for path in part.paths:
        found += _axis_findings(part, path)
    n = sum(any(f.item == p.name for p in part.paths) for f in part.features("bore"))
    extra = len(part.features("bore")) - n
    count = part.finding(
        "bores",
        n - extra,
        len(part.paths),
        "equal",
        "count",
        "every path of the plan stands in exactly one guide (case contract)",
    )
    return (*found, count)


def sleeve_top(feature: Feature, path: Path) -> Floats:
    """(3,): the point of the planned axis at the height of the sleeve's top."""
    up = (feature.point_mm - path.entry_mm) @ path.direction
    return np.asarray(path.entry_mm + up * path.direction)


def _axis_findings(part: Part, path: Path) -> list[Finding]:
    """Deviations of one bore from its path; NaN if there is no bore."""
    entry = top = angle = size = NAN
    feature, bore = part.bore(path), part.cylinders[path.name]
    if feature is not None and bore is not None:
        entry = bore.distance_mm(path.entry_mm)
        top = bore.distance_mm(sleeve_top(feature, path))
        angle = bore.angle_deg(path.direction)
        wanted = path.pilot_diameter_mm + part.limits.bore_clearance_mm
        size = abs(bore.diameter_mm - wanted)
    subject, limits = f"{part.subject}#{path.name}", part.limits
    how = "least-squares cylinder on the file read back against the plan (issue 2)"
    return [
        Finding("bore_angle", subject, angle, limits.bore_angle_deg, "at_most", "deg", how),
        Finding("bore_offset_entry", subject, entry, limits.bore_offset_mm, "at_most", "mm", how),
        Finding("bore_offset_top", subject, top, limits.bore_offset_mm, "at_most", "mm", how),
        Finding(
            "bore_diameter",
            subject,
            size,
            limits.bore_offset_mm,
            "at_most",
            "mm",
            "measured diameter against pilot + clearance (issue 2)",
        ),
    ]


def check_sleeves(part: Part) -> tuple[Finding, ...]:
    """Measure how each bore is closed at its ends, how long it guides and how thick its wall is.

    A ring round the axis is closed if there is wall in all directions. The bore's ends are where
    at least half a ring has wall: an end that is cut obliquely counts from its first full ring,
    which must follow within 5 mm.
    """
    found = []
    for path in part.paths:
        feature, bore = part.bore(path), part.cylinders[path.name]
        closed = length = thick = wanted = NAN
        if feature is not None and bore is not None:
            wanted = feature.values.get("length_mm", NAN)
            wall = scan_wall(part.surface, bore, sleeve_top(feature, path), wanted)
            closed, length = closed_ends_mm(wall), guided_mm(wall)
            thick = thinnest_mm(wall)
        subject = f"{part.subject}#{path.name}"
        found += [
            Finding(
                "bore_closed",
                subject,
                closed,
                part.limits.closed_mm - 0.2,
                "at_least",
                "mm",
                "closed all round for at least 4 mm at each end (case contract), seen in steps of "
                "0.2 mm",
            ),
            Finding(
                "sleeve_length",
                subject,
                length,
                wanted - 0.4,
                "at_least",
                "mm",
                "guided length against the manifest's, seen in steps of 0.2 mm",
            ),
            Finding(
                "sleeve_wall",
                subject,
                thick,
                part.limits.min_wall_mm,
                "at_least",
                "mm",
                "wall round the bore, away from 1 mm at its ends and its window (case contract)",
            ),
        ]
    return tuple(found)


def closed_ends_mm(wall: Wall) -> float:
    """The shorter of the closed lengths at both ends of a bore; 0 if an end is open."""
    step = float(wall.height_mm[1] - wall.height_mm[0])
    there = np.flatnonzero(wall.closed.mean(axis=1) >= 0.5)
    full: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.asarray(wall.closed.all(axis=1))
    if not len(there):
        return 0.0
    lengths = []
    for rows in (full[there[0] : there[-1] + 1], full[there[0] : there[-1] + 1][::-1]):
        first = int(np.argmax(rows)) if rows.any() else len(rows)
        if first * step > _END_MM:
            return 0.0
        gaps = np.flatnonzero(~rows[first:])
        lengths.append((gaps[0] if len(gaps) else len(rows) - first) * step)
    return float(min(lengths))


def guided_mm(wall: Wall) -> float:
    """Length from the first to the last closed ring of a bore; 0 if there is none."""
    full = np.flatnonzero(wall.closed.all(axis=1))
    if not len(full):
        return 0.0
    step = float(wall.height_mm[1] - wall.height_mm[0])
    return float(wall.height_mm[full[-1]] - wall.height_mm[full[0]]) + step


def thinnest_mm(wall: Wall) -> float:
    """Smallest wall round a bore, 1 mm away from where the wall ends; NaN if there is none."""
    apart = wall.closed.copy()
    step = float(wall.height_mm[1] - wall.height_mm[0])
    for shift in range(1, round(1.0 / step) + 1):
        for sign in (shift, -shift):
            moved = np.zeros_like(apart)
            source = wall.closed[max(0, -sign) : len(apart) - max(0, sign)]
            moved[max(0, sign) : len(apart) - max(0, -sign)] = source
            apart &= moved
    turn = 6
    for shift in range(1, turn + 1):
        apart &= np.roll(wall.closed, shift, axis=1) & np.roll(wall.closed, -shift, axis=1)
    values = wall.thickness_mm[apart]
    return float(values.min()) if len(values) else NAN


def check_drill(part: Part) -> tuple[Finding, ...]:
    """Pass a rod of the drill's diameter along each planned axis: it must not touch the part."""
    how = "drill of the pilot's diameter on the planned axis, from 60 mm above the sleeve"
    return tuple(
        Finding(
            "drill_free",
            f"{part.subject}#{path.name}",
            _in_the_way(part, path),
            0.0,
            "at_most",
            "mm3",
            how,
        )
        for path in part.paths
    )


def _in_the_way(part: Part, path: Path) -> float:
    """Volume of the part that the drill would take away, mm3; NaN if there is no bore."""
    feature = part.bore(path)
    if feature is None or path.pilot_diameter_mm <= 0:
        return NAN
    middle = (part.surface.low + part.surface.high) / 2
    start = sleeve_top(feature, path) - _DRILL_ABOVE_MM * path.direction
    length = float((path.tip_mm - start) @ path.direction)
    try:
        body = Solid.from_mesh(part.surface.vertices - middle, part.surface.faces, part.subject)
        rod = Solid.cylinder(start - middle, path.direction, length, path.pilot_diameter_mm)
    except GeometryError:
        return NAN
    return abs(body.overlap_mm3(rod))


def check_side(part: Part) -> tuple[Finding, ...]:
    """Hold each bore's side against its name: distance from the bone's middle to that side.

    Left is taken from the patient's frame (LPS, x to the left) and the insertion direction: it is
    square to both the way in and the body's long axis. Where the bore's axis meets the bone must
    lie on the side that the path is named after.
    """
    found = []
    for path in part.paths:
        bore = part.cylinders[path.name]
        bone = part.bone_surfaces.get(path.bone)
        value = NAN
        if bore is not None and bone is not None and path.side in ("left", "right"):
            left = patient_left(path.direction, part.guide.insertion_direction)
            along = (path.entry_mm - bore.point_mm) @ bore.direction
            entry = bore.point_mm + along * bore.direction
            sign = 1.0 if path.side == "left" else -1.0
            value = sign * float((entry - bone.samples.points_mm.mean(axis=0)) @ left)
        subject = f"{part.subject}#{path.name}"
        how = "entry of the measured bore on the side of its name, from the bone's middle"
        found.append(Finding("bore_side", subject, value, _SIDE_MM, "at_least", "mm", how))
    return tuple(found)


def patient_left(way_in: Floats, insertion: Floats | None) -> Floats:
    """(3,): unit vector to the patient's left, square to the way in, LPS."""
    forward = np.asarray(way_in if insertion is None else insertion)
    left = np.cross(np.array([0.0, 0.0, 1.0]), forward)
    length = float(np.linalg.norm(left))
    if length < 0.3 or left[0] < 0:
        return np.array([1.0, 0.0, 0.0])
    return np.asarray(left / length)
