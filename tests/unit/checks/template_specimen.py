"""A flat back over a block of bone, and puncture templates on it, with faults on request."""

from dataclasses import dataclass, replace

import numpy as np

from guidegen.checks.part import Limits, Part
from guidegen.checks.template import check_midline, check_over_skin, check_stand_off
from guidegen.mesh.io import as_float32
from guidegen.model.bone import SKIN, Bone
from guidegen.model.frames import Pose
from guidegen.model.guide import Feature, Guide
from guidegen.model.plan import Path
from tests.unit.checks.specimen import OUT, _engrave, arrays, box, rod

SKIN_Y, BONE_Y, PLATE_MM, TALL_MM = 60.0, 20.0, 4.0, 25.0
LABEL, LEFT, RIGHT = (22.0, -20.0), (20.0, 18.0), (-20.0, 18.0)
SIZES = {"L3 4f9a": (14.0, 4.0), "L": (4.0, 4.0), "R": (4.0, 4.0)}


@dataclass(frozen=True)
class TemplateFaults:
    """What to make wrong; the defaults are right."""

    gap: float = 0.5
    bore_shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    notch_shift: float = 0.0
    notches: tuple[int, ...] = (1, -1)
    sight_shift: float = 0.0
    shorter: float = 0.0
    label: bool = True
    step_beside_label: bool = False


def needle(side):
    sign = 1.0 if side == "left" else -1.0
    way = np.array([-sign * 0.3, -1.0, 0.1])
    skin = np.array([sign * 34.0, SKIN_Y, 0.0])
    entry = skin + (SKIN_Y - BONE_Y) * way
    tip = entry + 26.0 * way
    return Path(
        f"L3_{side}", "L3", "needle", side, entry, tip, 3.5, pilot_diameter_mm=3.5, skin_mm=skin
    )


def wire(name, z):
    entry = np.array([0.0, BONE_Y, z])
    ends = entry, entry - 15 * OUT
    return Path(
        f"L3_kwire_{name}",
        "L3",
        "pin",
        "",
        *ends,
        1.8,
        pilot_diameter_mm=1.8,
        skin_mm=entry + (SKIN_Y - BONE_Y) * OUT,
    )


NEEDLES = (needle("left"), needle("right"))
WIRES = (wire("upper", 6.0), wire("lower", -6.0))


def top_of(path, gap):
    """Where a sleeve ends: its foot stands under the plate."""
    lean = -path.direction[1]
    return path.skin_mm - ((gap + 1.5) / lean + TALL_MM) * path.direction


def solid_of(paths, faults):
    low, high = SKIN_Y + faults.gap, SKIN_Y + faults.gap + PLATE_MM
    body = box((-50, low, -30), (50, high, 30))
    if faults.step_beside_label:
        body += box((-50, low, -11), (50, high + 0.8, -5)) + box((2, low, -29), (5, high + 0.8, -5))
    over = box((-99, low, -99), (99, 199, 99))
    for p in paths:
        start = top_of(p, faults.gap) + faults.shorter * p.direction
        body += rod(start, p.direction, 60, p.diameter_mm + 5.85) ^ over
    for sign in faults.notches:
        x, ends = faults.notch_shift, sorted((sign * 23.0, sign * 31.0))
        body -= box((x - 3.5, 0, ends[0]), (x + 3.5, 199, ends[1]))
    if not any(p.kind == "pin" for p in paths):
        body -= rod((faults.sight_shift, 0, 10.0), OUT, 199, 6.0)
    for p in paths:
        start = top_of(p, faults.gap) + faults.bore_shift - 20 * p.direction
        body -= rod(start, p.direction, 90, p.diameter_mm + 0.25)
    if faults.label:
        body = _engrave(body, "L3 4f9a", 4.0, (LABEL[0], high, LABEL[1]))
    for mark, (x, z) in (("L", LEFT), ("R", RIGHT)):
        body = _engrave(body, mark, 5.0, (x, high, z))
    return body


def features(paths, gap, on_skin):
    found = []
    for p in paths:
        values = {"diameter_mm": p.diameter_mm + 0.25, "length_mm": TALL_MM}
        values["outer_mm"] = p.diameter_mm + 5.85
        top = top_of(p, gap)
        if p.kind == "pin":
            values["stand_off_mm"] = float((p.entry_mm - top) @ p.direction)
        found.append(Feature("bore", p.name, top, p.direction, values))
    high = SKIN_Y + gap + PLATE_MM
    for text, (x, z) in (("L3 4f9a", LABEL), ("L", LEFT), ("R", RIGHT)):
        half = SIZES[text]
        values = {"radius_mm": float(np.hypot(*half))}
        values |= {"half_width_mm": half[0], "half_height_mm": half[1]}
        found.append(Feature("label", text, (x, high, z), OUT, values))
    if on_skin:
        for sign in (1.0, -1.0):
            at = (0, SKIN_Y, 23.0 * sign)
            found.append(Feature("notch", str(sign), at, (0, 0, sign), {"width_mm": 7.0}))
        found.append(Feature("sight", "spinous_1", (0, SKIN_Y, 10.0), OUT, {"diameter_mm": 6.0}))
        spots = [(x, SKIN_Y, z) for x in (-42, 42) for z in (-20, 20)]
        found += [Feature("contact", f"c{p}", p, OUT, {"radius_mm": 7.0}) for p in spots]
    return tuple(found)


def skin(low_x=-80.0, high_x=80.0, high_y=SKIN_Y):
    return _bone(SKIN, box((low_x, -80, -70), (high_x, high_y, 70)))


def block(name="L3", half_x=28.0):
    return _bone(name, box((-half_x, -20, -24), (half_x, BONE_Y, 24)))


def _bone(name, solid):
    return Bone(name, *arrays(solid.refine_to_length(12.0)))


def template(faults=TemplateFaults(), paths=NEEDLES, bones=None, **changes):
    """A template on the skin, or on wires if any are among its paths."""
    on_skin = not any(p.kind == "pin" for p in paths)
    planned = changes.pop("planned", paths)
    if not on_skin and faults.gap == 0.5:
        faults = replace(faults, gap=8.0)
    wanted = 0.5 if on_skin else 8.0
    vertices, faces = as_float32(*arrays(solid_of(paths, faults)))
    axes = np.column_stack([(-1.0, 0, 0), (0.0, 0, 1), OUT])
    made = Guide(
        "template_skin" if on_skin else "template_bone",
        "guide",
        vertices,
        faces,
        (SKIN,) if on_skin else ("L3",),
        neighbours=() if on_skin else (SKIN,),
        features=features(paths, wanted, on_skin),
        patient_from_guide=Pose.from_axes(axes, (0, SKIN_Y, 0), "patient", "guide"),
        insertion_direction=-OUT,
        fit_gap_mm=wanted,
        contact_area_mm2=600.0 if on_skin else 0.0,
        label="L3 4f9a",
    )
    limits = Limits(min_wall_mm=0.5, bore_clearance_mm=0.25, gap_mm=0.25)
    found = (skin(), block()) if bones is None else tuple(bones)
    return Part(replace(made, **changes), found, tuple(planned), limits)


def bar(faults=TemplateFaults(), **changes):
    """A template on wires."""
    return template(faults, (*NEEDLES, *WIRES), **changes)


def without(kind, part):
    """The same part, whose designer forgot features of a kind."""
    kept = tuple(f for f in part.guide.features if f.kind != kind)
    return replace(part, guide=replace(part.guide, features=kept))


TEMPLATE_FAULTS = {
    "check_over_skin": [
        ("over_skin", lambda: check_over_skin(template(bones=(skin(low_x=-45.0), block())))),
        ("over_skin", lambda: check_over_skin(template(bones=(block(),)))),
        ("over_skin", lambda: check_over_skin(template(insertion_direction=None))),
    ],
    "check_midline": [
        ("notch_offset", lambda: check_midline(template(TemplateFaults(notch_shift=1.0)))),
        ("notch_offset", lambda: check_midline(template(TemplateFaults(notches=(1,))))),
        ("notches", lambda: check_midline(without("notch", template()))),
        ("sight_offset", lambda: check_midline(template(TemplateFaults(sight_shift=0.3)))),
    ],
    "check_stand_off": [
        ("skin_clearance", lambda: check_stand_off(bar(TemplateFaults(gap=7.0)))),
        ("skin_clearance", lambda: check_stand_off(bar(bones=(block(),)))),
        ("stand_off", lambda: check_stand_off(bar(TemplateFaults(shorter=1.0)))),
        ("stand_off", lambda: check_stand_off(without("bore", bar()))),
    ],
}
"""Cases that must fail the checks that only templates have."""
