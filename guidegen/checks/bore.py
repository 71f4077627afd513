"""Do the bores lie on the plan, and do they guide the drill?"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import minimum_filter

from guidegen.checks.cylinder import Wall, scan_wall
from guidegen.checks.part import NAN, Part
from guidegen.model.arrays import Floats
from guidegen.model.findings import Finding
from guidegen.model.guide import Feature
from guidegen.model.plan import Path

_DRILL_ABOVE_MM = 60.0
_END_MM = 1.0
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
    how = "least-squares cylinder on the file read back against the plan (limit required)"
    skin: list[Finding] = []
    if path.skin_mm is not None:
        off = NAN if bore is None else bore.distance_mm(path.skin_mm)
        limit = limits.bore_offset_mm
        skin = [Finding("bore_offset_skin", subject, off, limit, "at_most", "mm", how)]
    return [
        *skin,
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
            "measured diameter against pilot + clearance (limit required)",
        ),
    ]


def check_sleeves(part: Part) -> tuple[Finding, ...]:
    """Measure how each bore is closed at its ends, how long it guides and how thick its wall is.

    A ring round the axis is closed if there is wall in all directions. The sleeve's ends are its
    top and, ``length_mm`` further in, its foot: a closed ring must lie within 1 mm of each.
    """
    found = []
    for path in part.paths:
        feature, bore = part.bore(path), part.cylinders[path.name]
        closed = length = thick = wanted = free = NAN
        if feature is not None and bore is not None:
            wanted = feature.values.get("length_mm", NAN)
            wall = scan_wall(part.surface, bore, sleeve_top(feature, path), wanted)
            closed, length = closed_ends_mm(wall, wanted), guided_mm(wall)
            thick, free = thinnest_mm(wall), foot_gap_mm(wall, feature, path, part.start_mm(path))
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
                "foot_gap",
                subject,
                free,
                part.limits.foot_gap_mm if part.skin_mm(path) is None else part.limits.skin_way_mm,
                "at_most",
                "mm",
                "way from the sleeve's last closed ring to the entry, or to the point on the skin",
            ),
            Finding(
                "sleeve_wall",
                subject,
                thick,
                NAN if part.limits.min_wall_mm is None else part.limits.min_wall_mm,
                "at_least",
                "mm",
                "wall round the bore, away from 1 mm at its ends and its window (case contract)",
            ),
        ]
    return tuple(found)


def closed_ends_mm(wall: Wall, length_mm: float) -> float:
    """The shorter of the closed lengths at both ends of a sleeve; 0 if an end is open.

    Args:
        wall: As scanned from the sleeve's top.
        length_mm: From the top to the sleeve's foot, where it still is closed all round; what
            stands below on one side of an oblique foot does not count.
    """
    step = float(wall.height_mm[1] - wall.height_mm[0])
    full = np.asarray(wall.closed.all(axis=1))
    top = np.flatnonzero(full & (wall.height_mm >= -_END_MM))
    foot = np.flatnonzero(full & (wall.height_mm <= length_mm + _END_MM))
    if not len(top) or wall.height_mm[top[0]] > _END_MM:
        return 0.0
    if not len(foot) or wall.height_mm[foot[-1]] < length_mm - _END_MM:
        return 0.0
    down = int(np.argmin(np.append(full[top[0] :], False)))
    up = int(np.argmin(np.append(full[foot[-1] :: -1], False)))
    return float(min(down, up) * step)


def foot_gap_mm(wall: Wall, feature: Feature, path: Path, start_mm: Floats) -> float:
    """How far a drill runs free from a bore's last closed ring to its start; NaN if there is none.

    Args:
        wall: As scanned from the sleeve's top.
        feature: The bore.
        path: What it carries.
        start_mm: (3,) on the skin or the bone.
    """
    full = np.flatnonzero(wall.closed.all(axis=1))
    if not len(full):
        return NAN
    start = float((start_mm - sleeve_top(feature, path)) @ path.direction)
    return start - float(wall.height_mm[full[-1]])


def guided_mm(wall: Wall) -> float:
    """Length from the first to the last closed ring of a bore; 0 if there is none."""
    full = np.flatnonzero(wall.closed.all(axis=1))
    if not len(full):
        return 0.0
    step = float(wall.height_mm[1] - wall.height_mm[0])
    return float(wall.height_mm[full[-1]] - wall.height_mm[full[0]]) + step


def thinnest_mm(wall: Wall) -> float:
    """Smallest wall round a bore, away from where the wall ends; NaN if there is none.

    Left out is what lies within 1 mm along the axis and 45 degrees round it of a missing wall.
    """
    step = float(wall.height_mm[1] - wall.height_mm[0])
    reach = 2 * round(1.0 / step) + 1
    apart = minimum_filter(
        wall.closed.astype(np.uint8), size=(reach, 13), mode=("constant", "wrap"), cval=0
    )
    values = wall.thickness_mm[apart.astype(bool)]
    return float(values.min()) if len(values) else NAN


def check_drill(part: Part) -> tuple[Finding, ...]:
    """Measure the play of a drill of the pilot's diameter on each planned axis.

    It must come in from 60 mm above the sleeve down to the tip without touching the part. The
    distance of the axis from the part is taken every 0.1 mm, negative in its material: exact to
    0.001 mm.
    """
    how = "play of the drill on the planned axis from 60 mm above the sleeve to the tip"
    return tuple(
        Finding(
            "drill_play",
            f"{part.subject}#{path.name}",
            _play(part, path),
            0.0,
            "at_least",
            "mm",
            how,
        )
        for path in part.paths
    )


def _play(part: Part, path: Path) -> float:
    """Diameter of the free space along a drill's way less the drill's, mm; NaN without a bore."""
    feature = part.bore(path)
    if feature is None or path.pilot_diameter_mm <= 0:
        return NAN
    start = sleeve_top(feature, path) - _DRILL_ABOVE_MM * path.direction
    steps = np.arange(0.0, float((path.tip_mm - start) @ path.direction), 0.1)
    distance, _ = part.surface.nearest(start + steps[:, None] * path.direction)
    return 2 * float(distance.min()) - path.pilot_diameter_mm


def check_side(part: Part) -> tuple[Finding, ...]:
    """Hold each bore's side against its name: distance from the bone's middle to that side.

    Left is taken from the patient's frame (LPS, x to the left) and the insertion direction: it is
    square to both the way in and the body's long axis. Where the bore's axis meets the bone, and
    of a needle also where it goes through the skin, must lie on the side that the path is named
    after. A wire into the spinous process has no side.
    """
    found = []
    for path in part.paths:
        if path.kind == "pin" and path.side == "":
            continue
        bore = part.cylinders[path.name]
        bone = part.bone_surfaces.get(path.bone)
        value = NAN
        if bore is not None and bone is not None and path.side in ("left", "right"):
            left = patient_left(path.direction, part.guide.insertion_direction)
            starts = np.array([path.entry_mm, part.start_mm(path)])
            along = (starts - bore.point_mm) @ bore.direction
            places = bore.point_mm + along[:, None] * bore.direction
            sign = 1.0 if path.side == "left" else -1.0
            value = float((sign * (places - bone.samples.points_mm.mean(axis=0)) @ left).min())
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
