"""Do pins, rod, windows, contacts and marks of a knee guide stand where they should?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from guidegen.checks.bore import guided_mm
from guidegen.checks.cylinder import Cylinder, fit_bore, scan_wall
from guidegen.checks.label import engraved_depth, read_letter
from guidegen.checks.part import NAN, Part
from guidegen.errors import AnatomyError
from guidegen.geometry.knee import medial_way
from guidegen.model.arrays import Floats
from guidegen.model.findings import Finding
from guidegen.model.guide import Feature
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Cut

_LEAST_PINS = 3
_LEAST_CONTACTS = 6
_LEAST_WINDOWS = 2
_OBLIQUE_DEG = 5.0
_PARALLEL_DEG = 0.2
_ROD_DEG = 0.2
_ROD_SLACK_MM = 1.0
_MOUTH_MM, _ROD_MM, _ROD_STEP_MM = 1.0, 480.0, 2.0
"""A rod reaches from the knee to hip or ankle; its way is looked at so finely."""
_SIZE_MM = 0.05
_SEAT_MM = 0.1
_COVERED = 0.5
_ALIKE = 0.03
_AWAY_MM = 5.0
_LOOK_MM = 60.0
_SEEN = 0.6
_RING = 24


def own_marks(part: Part) -> Landmarks | None:
    """Landmarks of the bone that the guide sits on."""
    return next((m for m in part.marks if m.bone in part.guide.bones), None)


def check_pins(part: Part) -> tuple[Finding, ...]:
    """Look at the pins together: how many, two parallel, one oblique, all clear of the cut.

    All angles are those of the bores measured on the file. Two pins count as parallel within 0.2
    degrees, a third as oblique from 5 degrees. Where a standard block goes on the parallel pins,
    their distances from the cut and from each other are held against the block's.
    """
    bores = [b for b in part.cylinders.values() if b is not None]
    ways = np.array([b.direction for b in bores]).reshape(-1, 3)
    angle = np.degrees(np.arccos(np.clip(np.abs(ways @ ways.T), 0, 1)))
    np.fill_diagonal(angle, np.inf)
    apart = float(angle.min()) if len(bores) > 1 else NAN
    one, other = divmod(int(angle.argmin()), len(bores)) if len(bores) > 1 else (0, 0)
    pair = [one, other]
    others = [n for n in range(len(bores)) if n not in pair]
    lean = max((float(angle[n, pair[0]]) for n in others), default=NAN)
    how = "bores on the file read back"
    found = [
        part.finding("pins", len(bores), _LEAST_PINS, "at_least", "count", how),
        part.finding("pins_parallel", apart, _PARALLEL_DEG, "at_most", "deg", how),
        part.finding("pins_oblique", lean, _OBLIQUE_DEG, "at_least", "deg", how),
    ]
    for cut in part.cuts:
        subject = f"{part.subject}#{cut.name}"
        room = [_clear_mm(part, p.name, cut.origin_mm, cut.normal) for p in part.paths]
        clear = float(np.min(room))
        tilt = NAN
        if len(bores) > 1:
            sines = ways[pair] @ cut.normal
            tilt = float(np.degrees(np.arcsin(np.abs(sines).max())))
        found += [
            Finding("pin_clear", subject, clear, part.limits.pin_clear_mm, "at_least", "mm", how),
            Finding("pins_to_cut", subject, tilt, _PARALLEL_DEG, "at_most", "deg", how),
        ]
        found += _for_block(part, cut, [bores[n] for n in pair] if len(bores) > 1 else [])
    return tuple(found)


def _for_block(part: Part, cut: Cut, pair: Sequence[Cylinder]) -> Iterator[Finding]:
    """Hold the parallel bores against a standard block's holes, where one goes on the pins."""
    limits, off, wrong = part.limits, NAN, NAN
    if len(pair) == 2:
        one, other = pair
        between = np.cross(other.point_mm - one.point_mm, one.direction)
        if limits.pin_offset_mm is not None:
            heights = [(bore.point_mm - cut.origin_mm) @ -cut.normal for bore in pair]
            off = float(np.abs(np.array(heights) - limits.pin_offset_mm).max())
        if limits.pin_spacing_mm is not None:
            wrong = abs(float(np.linalg.norm(between)) - limits.pin_spacing_mm)
    subject, limit = f"{part.subject}#{cut.name}", 2 * limits.bore_offset_mm
    how = "parallel pins from {} against the standard block's"
    for code, value, wanted, what in (
        ("pins_offset", off, limits.pin_offset_mm, "the cut"),
        ("pins_spacing", wrong, limits.pin_spacing_mm, "each other"),
    ):
        if wanted is not None:
            yield Finding(code, subject, value, limit, "at_most", "mm", how.format(what))


def _clear_mm(part: Part, name: str, origin: Floats, normal: Floats) -> float:
    """Room between a pin's side, on its measured axis, and a cut; NaN without a bore."""
    bore = part.cylinders[name]
    if bore is None:
        return NAN
    path = next(p for p in part.paths if p.name == name)
    along = (np.array([path.entry_mm, path.tip_mm]) - bore.point_mm) @ bore.direction
    heights = (bore.point_mm + along[:, None] * bore.direction - origin) @ -normal
    return float(heights.min()) - path.diameter_mm / 2


def check_rod(part: Part) -> tuple[Finding, ...]:
    """Hold the hole of the alignment rod against the bone's mechanical axis and the rod's size.

    ``rod_free`` is the room that a rod as long as the leg's bone finds, on the measured axis beyond
    the hole's mouth, beside the part and the bones.
    """
    rods, marks = part.features("rod"), own_marks(part)
    angle = size = length = wanted = free = NAN
    if len(rods) == 1:
        rod = rods[0]
        diameter = rod.values.get("diameter_mm", 0.0)
        wanted = rod.values.get("length_mm", NAN)
        hole = fit_bore(part.surface, rod.point_mm, rod.direction, wanted, diameter)
        if hole is not None and marks is not None:
            axis = marks.patient_from_bone.axes[:, 2]
            angle = min(hole.angle_deg(axis), hole.angle_deg(-axis))
            size = abs(hole.diameter_mm - part.limits.rod_mm - part.limits.rod_clearance_mm)
            length = guided_mm(scan_wall(part.surface, hole, rod.point_mm, wanted))
            free = _rod_free_mm(part, rod, hole)
    how = "least-squares cylinder on the file read back"
    least = wanted - _ROD_SLACK_MM
    return (
        part.finding("rod_angle", angle, _ROD_DEG, "at_most", "deg", how + ", to mechanical axis"),
        part.finding("rod_diameter", size, _SIZE_MM, "at_most", "mm", how),
        part.finding("rod_length", length, least, "at_least", "mm", "closed all round, " + how),
        part.finding("rod_free", free, 0.0, "at_least", "mm", "rod on the hole's measured axis"),
    )


def _rod_free_mm(part: Part, rod: Feature, hole: Cylinder) -> float:
    """Room between a rod's side and the part or a bone, from the hole's mouth on."""
    way = -hole.direction if hole.direction @ rod.direction > 0 else hole.direction
    mouth = hole.point_mm + ((rod.point_mm - hole.point_mm) @ way) * way
    line = mouth + np.arange(_MOUTH_MM, _ROD_MM, _ROD_STEP_MM)[:, None] * way
    surfaces = (part.surface, *part.bone_surfaces.values())
    nearest = min(surface.smallest_distance(line) for surface in surfaces)
    return float(nearest) - part.limits.rod_mm / 2


def check_windows(part: Part) -> tuple[Finding, ...]:
    """Count the windows through which bone is seen: most of their width free, bone behind."""
    seen = sum(_sees(part, window) for window in part.features("window"))
    how = "windows through the shell with a free view of the bone (engineering choice)"
    return (part.finding("windows", seen, _LEAST_WINDOWS, "at_least", "count", how),)


def _sees(part: Part, window: Feature) -> bool:
    """Tell whether rays through a window pass the part and meet its bone."""
    radius, turn = window.values.get("diameter_mm", 0.0) / 2, np.linspace(0, 2 * np.pi, _RING)
    one = np.cross(np.eye(3)[int(np.argmin(np.abs(window.direction)))], window.direction)
    one = one / np.linalg.norm(one)
    two = np.cross(window.direction, one)
    rings = [
        share * radius * (np.cos(turn)[:, None] * one + np.sin(turn)[:, None] * two)
        for share in (0.3, 0.6, 0.85)
    ]
    start = window.point_mm - _LOOK_MM * window.direction + np.concatenate(rings)
    far = part.surface.rays.first_hit(start, window.direction)[0]
    bone = np.min([s.rays.first_hit(start, window.direction)[0] for s in part.seats], axis=0)
    return bool((np.isfinite(bone) & (bone < far)).mean() > _SEEN)


def check_touches(part: Part) -> tuple[Finding, ...]:
    """Count the contacts that really touch, each apart from the others.

    A contact counts if half of its round lies within 0.1 mm of the fit gap; ``contacts_apart`` is
    the smallest distance between the rims of two.
    """
    gap, points, _ = part.seat_gaps
    points = points[gap <= part.guide.fit_gap_mm + _SEAT_MM]
    contacts, n = part.features("contact"), 0
    for contact in contacts:
        radius = contact.values.get("radius_mm", 0.0)
        near = np.linalg.norm(points - contact.point_mm, axis=1) <= radius
        area = float(near.sum()) * part.surface.samples.area_mm2
        n += bool(radius > 0 and area >= _COVERED * np.pi * radius**2)
    rims = [
        float(np.linalg.norm(a.point_mm - b.point_mm))
        - sum(c.values.get("radius_mm", 0.0) for c in (a, b))
        for k, a in enumerate(contacts)
        for b in contacts[k + 1 :]
    ]
    how = "round contacts of which half touches (required: six, apart)"
    return (
        part.finding("contacts", n, _LEAST_CONTACTS, "at_least", "count", how),
        part.finding("contacts_apart", min(rims, default=NAN), 0.5, "at_least", "mm", how),
    )


def check_medial_marks(part: Part) -> tuple[Finding, ...]:
    """Read the engraved M and L from the mesh, and see on which side each stands.

    ``medial_mark_read``: how much better the engraving matches its own letter than another one;
    an L also than its mirror image. ``medial_mark_side``: distance of the mark from the guide's
    middle to the side that it names, by the bone's landmarks.
    """
    found = []
    marks = {f.item: f for f in part.features("label") if f.item in ("M", "L")}
    middle = (part.surface.low + part.surface.high) / 2
    if len(marks) == 2:
        middle = (marks["M"].point_mm + marks["L"].point_mm) / 2
    for letter, sign in (("M", 1.0), ("L", -1.0)):
        like = away = NAN
        if letter in marks:
            mark = marks[letter]
            like = read_letter(engraved_depth(part, mark)[0], letter, ("M", "L"))
            medial = _medial(part)
            if medial is not None:
                away = sign * float((mark.point_mm - middle) @ medial)
        subject = f"{part.subject}#label {letter}"
        how = "overlap with the letter less that with the next best reading (engineering choice)"
        side = "medial and lateral by the bone's landmarks"
        found += [
            Finding("medial_mark_read", subject, like, _ALIKE, "at_least", "1", how),
            Finding("medial_mark_side", subject, away, _AWAY_MM, "at_least", "mm", side),
        ]
    return tuple(found)


def _medial(part: Part) -> Floats | None:
    """(3,): to medial by the landmarks of the guide's bone; None without."""
    marks = own_marks(part)
    try:
        return None if marks is None else medial_way(marks)
    except AnatomyError:
        return None
