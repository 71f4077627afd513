"""The roof-shaped bone on a foot, with needle channels through it, with faults on request."""

from dataclasses import dataclass, replace

import numpy as np
from manifold3d import CrossSection, FillRule, Manifold

from guidegen.cad.label import line_outlines
from guidegen.checks.part import Limits, Part
from guidegen.checks.rehearsal import check_channels, check_fidelity, check_foot
from guidegen.mesh.io import as_float32
from guidegen.model.guide import Feature, Guide
from tests.unit.checks.specimen import BASE, PATHS, RIDGE, arrays, bone, box, hull, rod

UP = np.array([0.0, 0.0, 1.0])
NEEDLES = tuple(
    replace(p, kind="needle", diameter_mm=4.0, pilot_diameter_mm=4.0, grade=None) for p in PATHS
)
OUTSIDE_MM, CHANNEL_MM = 8.0, 4.3
PLATE = (-35.0, -40.0, -32.0), (35.0, 25.0, -28.0)
TEXTS = {"demo L3 4f9a": ((0.0, -31.0), 3.0, 14.0), "L": ((25.0, -31.0), 4.5, 4.3)}
TEXTS["R"] = ((-25.0, -31.0), 4.5, 4.3)


@dataclass(frozen=True)
class ModelFaults:
    """What to make wrong; the defaults are right."""

    bore_mm: float = CHANNEL_MM
    bore_shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    channels: tuple[str, ...] = ("left", "right")
    plug: bool = False
    blind: bool = False
    bar_over: bool = False
    swollen: float = 0.0
    bitten: bool = False
    bump: bool = False
    small_foot: bool = False
    mirrored: bool = False


def start_of(p):
    return p.entry_mm - OUTSIDE_MM * p.direction


def length_of(p):
    """To 2 mm beyond the front, which lies at y = -20."""
    return float((start_of(p)[1] + 22.0) / -p.direction[1])


def model_solid(faults):
    body = hull(BASE + RIDGE, faults.swollen)
    if faults.bitten:
        body -= box((20, -30, 14), (40, 30, 40))
    low, high = ((-6, -15, -32), (6, -5, -28)) if faults.small_foot else PLATE
    body += box(low, high).refine_to_length(20.0)
    for x, y in ((-4, -12), (4, -12), (0, -7)):
        body += rod((x, y, -29), UP, 10, 4.0)
    if faults.bump:
        body += box((-2, -2, -33), (2, 2, -30))
    for p in NEEDLES:
        if p.side in faults.channels:
            length = length_of(p) - (20.0 if faults.blind else 0.0)
            body -= rod(start_of(p) + faults.bore_shift, p.direction, length, faults.bore_mm)
    if faults.plug:
        body += box((-30, -19, -20), (30, -15, 20))
    if faults.bar_over:
        body += box((0, 15, -3), (4, 45, 3)) + box((0, 41, -3), (26, 45, 3))
    return engraved(body, faults.mirrored)


def engraved(body, mirrored):
    for text, ((x, y), height, _) in TEXTS.items():
        outlines = line_outlines(text, height, (0.0, 0.0))
        if mirrored:
            outlines = [np.ascontiguousarray(o[::-1] * (-1, 1)) for o in outlines]
        section = CrossSection([np.ascontiguousarray(o) for o in outlines], FillRule.NonZero)
        body -= Manifold.extrude(section, 3.0).translate((x, y, PLATE[1][2] - 0.8))
    return body


def model_features():
    size = {"diameter_mm": CHANNEL_MM}
    found = [
        Feature("bore", p.name, start_of(p), p.direction, {**size, "length_mm": length_of(p)})
        for p in NEEDLES
    ]
    for text, ((x, y), _, radius) in TEXTS.items():
        found.append(Feature("label", text, (x, y, PLATE[1][2]), UP, {"radius_mm": radius}))
    for x, y in ((-4, -12), (4, -12), (0, -7)):
        values = {"diameter_mm": 4.0, "length_mm": 10.0}
        found.append(Feature("strut", "L3-foot", (x, y, -29.0), UP, values))
    area = {"area_mm2": 70.0 * 65.0}
    return (*found, Feature("foot", "foot", (0.0, -7.5, -32.0), -UP, area))


def rehearsal(faults=ModelFaults(), bones=None, paths=NEEDLES, **changes):
    """A model of L3 as read back from its file."""
    made = Guide(
        "L3",
        "model",
        *as_float32(*arrays(model_solid(faults))),
        ("L3",),
        features=model_features(),
        label="demo L3 4f9a",
    )
    limits = Limits(min_wall_mm=0.3, bore_clearance_mm=CHANNEL_MM - 4.0)
    return Part(replace(made, **changes), tuple(bones or (bone(),)), paths, limits)


def without(kind):
    return tuple(f for f in model_features() if f.kind != kind)


REHEARSAL_FAULTS = {
    "check_channels": [
        ("channel_play", lambda: check_channels(rehearsal(ModelFaults(plug=True)))),
        ("channel_play", lambda: check_channels(rehearsal(ModelFaults(blind=True)))),
        ("channel_play", lambda: check_channels(rehearsal(ModelFaults(bar_over=True)))),
        ("channel_play", lambda: check_channels(rehearsal(ModelFaults(bore_mm=3.9)))),
        ("channel_play", lambda: check_channels(rehearsal(ModelFaults(channels=("left",))))),
        ("channel_play", lambda: check_channels(rehearsal(features=without("bore")))),
        ("channel_open", lambda: check_channels(rehearsal(features=without("bore")))),
        ("channel_open", lambda: check_channels(shortened())),
    ],
    "check_fidelity": [
        ("model_surface", lambda: check_fidelity(rehearsal(ModelFaults(swollen=0.5)))),
        ("model_surface_all", lambda: check_fidelity(rehearsal(ModelFaults(swollen=0.5)))),
        ("model_surface", lambda: check_fidelity(rehearsal(neighbours=("L4",)))),
        ("model_lacks", lambda: check_fidelity(rehearsal(ModelFaults(bitten=True)))),
        ("model_lacks", lambda: check_fidelity(rehearsal(bones=(bone("L2"),)))),
    ],
    "check_foot": [
        ("foot_flat", lambda: check_foot(rehearsal(ModelFaults(bump=True)))),
        ("foot_flat", lambda: check_foot(rehearsal(ModelFaults(small_foot=True)))),
        ("foot_flat", lambda: check_foot(rehearsal(features=without("foot")))),
        ("foot_tilt", lambda: check_foot(rehearsal(ModelFaults(small_foot=True)))),
        ("foot_tilt", lambda: check_foot(rehearsal(features=without("foot")))),
    ],
}
"""Cases that must fail the checks that only models to rehearse on have."""


def shortened():
    """The designer thinks that the channel ends inside the bone."""
    part = rehearsal()
    cut = tuple(
        replace(f, values={**f.values, "length_mm": 20.0}) if f.kind == "bore" else f
        for f in part.guide.features
    )
    return replace(part, guide=replace(part.guide, features=cut))
