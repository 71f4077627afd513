"""A bar of bone with one cut engraved round it, with faults on request."""

from dataclasses import replace
from functools import cache

import numpy as np

from guidegen.cad.cut_model import CutModelSettings, build_cut_model
from guidegen.checks.engraving import check_engraved
from guidegen.checks.part import Limits, Part
from guidegen.mesh.solid import Solid
from guidegen.model.bone import Bone
from guidegen.model.plan import Cut

CUT = Cut("distal_femur_left", "femur_left", np.zeros(3), np.array([0.0, 0.0, -1.0]), 1.3)


@cache
def bar():
    """A bar of 60 x 46 x 140 mm that leans a little, fine enough to be measured on."""
    corners = [(x + 0.1 * z, y, z) for z in (-20.0, 120.0) for x in (-30, 30) for y in (-20, 26)]
    vertices, faces = Solid.hull(np.array(corners)).refined(3.0).arrays()
    return Bone("femur_left", vertices, faces, "left")


@cache
def model():
    return build_cut_model(bar(), (CUT,), ("c", "femur_left", "ab12"), CutModelSettings())


def engraved_part(scale=1.0, shift_mm=0.0, tilt_deg=0.0, grooved=True, cuts=1):
    """The model against a plan that is moved by so much, or itself scaled or blank."""
    part = model()
    middle = part.vertices_mm.mean(axis=0)
    vertices, faces = (part.vertices_mm - middle) * scale + middle, part.faces
    if not grooved:
        whole = Solid.from_mesh(bar().vertices_mm, bar().faces)
        vertices, faces = whole.kept_beyond(np.array([0, 0, 70.0]), CUT.normal).arrays()
    a = np.radians(tilt_deg)
    normal = np.array([np.sin(a), 0.0, -np.cos(a)])
    plan = replace(CUT, origin_mm=shift_mm * CUT.normal, normal=normal)
    wanted = tuple(replace(plan, name=f"{CUT.name}{n or ''}") for n in range(cuts))
    moved = replace(part, vertices_mm=vertices, faces=faces)
    return Part(moved, (bar(),), (), Limits(None), wanted)


ENGRAVED_FAULTS = {
    "check_engraved": [
        ("model_distance", lambda: check_engraved(engraved_part(scale=1.004))),
        ("groove_offset", lambda: check_engraved(engraved_part(shift_mm=0.07))),
        ("groove_angle", lambda: check_engraved(engraved_part(tilt_deg=0.15))),
        ("groove_offset", lambda: check_engraved(engraved_part(grooved=False))),
        ("groove_round", lambda: check_engraved(engraved_part(grooved=False))),
        ("grooves", lambda: check_engraved(engraved_part(cuts=2))),
    ]
}
