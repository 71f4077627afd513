"""A block of bone for a left tibia and a cutting guide before it, with faults on request."""

from dataclasses import dataclass, replace

import numpy as np
from manifold3d import CrossSection, FillRule, Manifold

from guidegen.cad.label import line_outlines
from guidegen.checks.knee import (
    check_medial_marks,
    check_pins,
    check_rod,
    check_touches,
    check_windows,
)
from guidegen.checks.part import Limits, Part
from guidegen.checks.slot import check_blade, check_slot
from guidegen.mesh.io import as_float32
from guidegen.model.bone import Bone
from guidegen.model.frames import Pose
from guidegen.model.guide import Feature, Guide
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.plan import Cut, Path
from tests.unit.checks.specimen import arrays, box, rod

NAME = "tibia_left"
INTO = np.array([0.0, 1.0, 0.0])
UP = np.array([0.0, 0.0, 1.0])
GAP = 0.2
FRONT = -18.0
CUT = Cut("proximal_tibia_left", NAME, np.array([3.0, 11.0, -8.0]), UP, 1.3)
SLOT_MM = 1.5
WIDE_MM = 60.0
ROD_MOUTH = np.array([25.0, -10.0, -60.0])
WINDOW = np.array([-24.0, 0.0, -40.0])
CONTACTS = [(x, 0.0, z) for x in (-34, 0, 34) for z in (-20, -52)]


def pin(number, x, z, lean_deg=0.0):
    a = np.radians(lean_deg)
    way = np.array([0.0, np.cos(a), np.sin(a)])
    entry = np.array([x, 0.0, z])
    return Path(
        f"{NAME}_pin_{number}",
        NAME,
        "pin",
        "",
        entry,
        entry + 25 * way,
        3.2,
        route="",
        pilot_diameter_mm=3.2,
    )


PINS = (pin(1, -12, -24), pin(2, 12, -24), pin(3, 0, -45, 20.0))


@dataclass(frozen=True)
class KneeFaults:
    """What to make wrong; the defaults are right."""

    slot_mm: float = SLOT_MM
    slot_shift: float = 0.0
    slot_tilt_deg: float = 0.0
    open_end: bool = False
    shallow: bool = False
    post: bool = False
    bar: bool = False
    pins: tuple[int, ...] = (0, 1, 2)
    pin_tilt_deg: float = 0.0
    oblique_deg: float = 20.0
    rod_mm: float = 6.3
    rod_tilt_deg: float = 0.0
    rod_deep: float = 18.0
    window: bool = True
    gap: float = GAP
    marks: tuple[str, str] = ("M", "L")
    mirrored: bool = False


def tilted(about_x_deg, way):
    """(3,): a direction turned about x."""
    a = np.radians(about_x_deg)
    turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    return turn @ way


def _slot(faults):
    half = faults.slot_mm / 2
    right = 60.0 if faults.open_end else WIDE_MM / 2
    tool = box((-WIDE_MM / 2, -30, -half), (right, 30, half))
    tool = tool.rotate((faults.slot_tilt_deg, 0, 0))
    return tool.translate((0, 0, CUT.origin_mm[2] + faults.slot_shift))


def _engraved(body, letter, x, mirrored):
    outlines = line_outlines(letter, 5.0, (0.0, 0.0))
    if mirrored:
        outlines = [o[::-1] * (-1, 1) for o in outlines]
    section = CrossSection([np.ascontiguousarray(o) for o in outlines], FillRule.NonZero)
    pose = np.column_stack([(1.0, 0, 0), (0.0, 0, 1), -INTO, (x, FRONT + 0.6, 0.0)])
    return body - Manifold.extrude(section, 2.0).transform(pose)


def guide_solid(faults):
    body = box((-40, FRONT, -60), (40, -faults.gap, 6)) - _slot(faults)
    if faults.shallow:
        body -= box((-45, -8, -14), (45, 5, -2))
    if faults.post:
        body += box((5, -12, -9), (8, -9, -7))
    if faults.bar:
        body += box((0, -50, -20), (6, FRONT + 1, -14)) + box((0, -50, -20), (6, -44, 0))
    tilts = (0.0, faults.pin_tilt_deg, faults.oblique_deg - 20.0)
    for n in faults.pins:
        way = tilted(tilts[n], PINS[n].direction)
        body -= rod(PINS[n].entry_mm - 40 * way, way, 60, 3.4)
    way = tilted(faults.rod_tilt_deg, UP)
    body -= rod(ROD_MOUTH - 2 * way, way, 2 + faults.rod_deep, faults.rod_mm)
    if faults.window:
        body -= rod(WINDOW - 30 * INTO, INTO, 60, 8.0)
        body -= rod(WINDOW * (0.5, 1, 1.25) - 30 * INTO, INTO, 60, 8.0)
    for letter, x in zip(faults.marks, (-34.0, 34.0), strict=True):
        body = _engraved(body, letter, x, faults.mirrored)
    return body


def features(faults):
    found = [
        Feature(
            "bore",
            p.name,
            p.entry_mm + FRONT / p.direction[1] * p.direction,
            p.direction,
            {"diameter_mm": 3.4, "length_mm": 17.0, "outer_mm": 10.0},
        )
        for n, p in enumerate(PINS)
        if n in faults.pins
    ]
    size = {"thickness_mm": SLOT_MM, "width_mm": WIDE_MM, "capture_mm": 12.0}
    found.append(Feature("slot", CUT.name, (0.0, FRONT, CUT.origin_mm[2]), INTO, size))
    found.append(Feature("rod", "rod", ROD_MOUTH, UP, {"diameter_mm": 6.3, "length_mm": 18.0}))
    for n, place in enumerate((WINDOW, WINDOW * (0.5, 1, 1.25))):
        found.append(Feature("window", f"window_{n}", place, INTO, {"diameter_mm": 8.0}))
    for letter, x in zip(faults.marks, (-34.0, 34.0), strict=True):
        values = {"radius_mm": 5.0, "half_width_mm": 4.0, "half_height_mm": 3.4}
        found.append(Feature("label", letter, (x, FRONT, 0.0), -INTO, values))
    found += [
        Feature("contact", f"contact_{n}", at, -INTO, {"radius_mm": 3.0})
        for n, at in enumerate(CONTACTS)
    ]
    return tuple(found)


def marks():
    own = Pose.from_axes(np.eye(3), np.zeros(3), "patient", NAME)
    ends = {"plateau_medial": (-22.0, 20, 0), "plateau_lateral": (22.0, 20, 0)}
    points = tuple(Landmark(n, np.array(p), 1.0, "made") for n, p in ends.items())
    return Landmarks(NAME, own, points)


def bone():
    return Bone(NAME, *arrays(box((-45, 0, -120), (45, 45, 0)).refine_to_length(8.0)))


def knee_part(faults=KneeFaults(), solid=None, **changes):
    """The guide under test, with the plan it was made for."""
    vertices, faces = as_float32(*arrays(guide_solid(faults) if solid is None else solid))
    axes = np.column_stack([(1.0, 0, 0), UP, -INTO])
    made = Guide(
        NAME,
        "guide",
        vertices,
        faces,
        (NAME,),
        features=changes.pop("features", features(faults)),
        patient_from_guide=Pose.from_axes(axes, (0, 0, 0), "patient", "guide"),
        insertion_direction=INTO,
        fit_gap_mm=GAP,
        contact_area_mm2=200.0,
        label="demo",
    )
    limits = Limits(
        min_wall_mm=2.5,
        slot_clearance_mm=0.2,
        pin_offset_mm=changes.pop("pin_offset_mm", None),
        pin_spacing_mm=changes.pop("pin_spacing_mm", None),
    )
    part = Part(made, (bone(),), PINS, limits, (CUT,), (marks(),))
    return replace(part, **changes)


def left_out(kind):
    """The guide whose designer forgot features of a kind."""
    return knee_part(features=tuple(f for f in features(KneeFaults()) if f.kind != kind))


_FLAP = box((20, -16, -66), (30, -14, -59)) + box((20, -16, -66), (30, -4, -64))
"""A hook under the rod's mouth."""


def _bowed():
    """A bone that comes to the front far from the guide."""
    return Bone(
        NAME, *arrays(box((-45, 0, -120), (45, 45, 0)) + box((-45, -12, -300), (45, 45, -110)))
    )


def no_slot():
    return knee_part(solid=guide_solid(KneeFaults()) + box((-32, FRONT, -9), (32, -GAP, -7)))


KNEE_FAULTS = {
    "check_slot": [
        ("slot_offset", lambda: check_slot(knee_part(KneeFaults(slot_shift=0.06)))),
        ("slot_angle", lambda: check_slot(knee_part(KneeFaults(slot_tilt_deg=0.15)))),
        ("slot_offset", lambda: check_slot(knee_part(KneeFaults(slot_tilt_deg=0.5)))),
        ("slot_thickness", lambda: check_slot(knee_part(KneeFaults(slot_mm=1.4)))),
        ("slot_capture", lambda: check_slot(knee_part(KneeFaults(open_end=True)))),
        ("slot_capture", lambda: check_slot(knee_part(KneeFaults(shallow=True)))),
        ("slot_capture", lambda: check_slot(knee_part(KneeFaults(post=True)))),
        ("slot_offset", lambda: check_slot(no_slot())),
        ("slots", lambda: check_slot(left_out("slot"))),
        ("slots", lambda: check_slot(knee_part(cuts=()))),
    ],
    "check_blade": [
        ("blade_met", lambda: check_blade(knee_part(KneeFaults(slot_mm=1.2)))),
        ("blade_met", lambda: check_blade(knee_part(KneeFaults(slot_tilt_deg=1.5)))),
        ("blade_met", lambda: check_blade(knee_part(KneeFaults(post=True)))),
        ("blade_met", lambda: check_blade(knee_part(KneeFaults(bar=True)))),
        ("blade_met", lambda: check_blade(no_slot())),
        ("blade_met", lambda: check_blade(left_out("slot"))),
    ],
    "check_pins": [
        ("pins", lambda: check_pins(knee_part(KneeFaults(pins=(0, 1))))),
        ("pins_oblique", lambda: check_pins(knee_part(KneeFaults(pins=(0, 1))))),
        ("pins_parallel", lambda: check_pins(knee_part(KneeFaults(pin_tilt_deg=0.4)))),
        ("pins_to_cut", lambda: check_pins(knee_part(KneeFaults(pin_tilt_deg=0.4)))),
        ("pin_clear", lambda: check_pins(knee_part(cuts=(replace(CUT, origin_mm=(0, 0, -19)),)))),
        ("pins_offset", lambda: check_pins(knee_part(pin_offset_mm=16.2))),
        ("pins_spacing", lambda: check_pins(knee_part(pin_spacing_mm=24.2))),
        ("pins_spacing", lambda: check_pins(knee_part(KneeFaults(pins=(0,)), pin_spacing_mm=24.0))),
    ],
    "check_rod": [
        ("rod_angle", lambda: check_rod(knee_part(KneeFaults(rod_tilt_deg=0.5)))),
        ("rod_angle", lambda: check_rod(knee_part(marks=()))),
        ("rod_diameter", lambda: check_rod(knee_part(KneeFaults(rod_mm=6.1)))),
        ("rod_length", lambda: check_rod(knee_part(KneeFaults(rod_deep=12.0)))),
        ("rod_angle", lambda: check_rod(left_out("rod"))),
        ("rod_free", lambda: check_rod(knee_part(bones=(_bowed(),)))),
        ("rod_free", lambda: check_rod(knee_part(solid=guide_solid(KneeFaults()) + _FLAP))),
        ("rod_free", lambda: check_rod(left_out("rod"))),
    ],
    "check_windows": [
        ("windows", lambda: check_windows(knee_part(KneeFaults(window=False)))),
        ("windows", lambda: check_windows(left_out("window"))),
    ],
    "check_touches": [
        ("contacts", lambda: check_touches(knee_part(KneeFaults(gap=0.5)))),
        ("contacts", lambda: check_touches(left_out("contact"))),
        (
            "contacts_apart",
            lambda: check_touches(
                knee_part(
                    features=tuple(
                        replace(f, values={"radius_mm": 17.0}) if f.kind == "contact" else f
                        for f in features(KneeFaults())
                    )
                )
            ),
        ),
    ],
    "check_medial_marks": [
        ("medial_mark_read", lambda: check_medial_marks(knee_part(KneeFaults(mirrored=True)))),
        (
            "medial_mark_read",
            lambda: check_medial_marks(
                knee_part(KneeFaults(marks=("L", "M")), features=features(KneeFaults()))
            ),
        ),
        (
            "medial_mark_side",
            lambda: check_medial_marks(knee_part(KneeFaults(marks=("L", "M")))),
        ),
        ("medial_mark_read", lambda: check_medial_marks(left_out("label"))),
        ("medial_mark_side", lambda: check_medial_marks(knee_part(marks=()))),
    ],
}
"""Cases that must fail the checks that only knee guides have."""
