"""From a design to one closed solid: distance field, isosurface, exact bores and texts."""

from __future__ import annotations

import numpy as np

from guidegen.cad.body import main_body, one_body, opened
from guidegen.cad.bridge import bridge, grip_plate, grip_stem, over_grip
from guidegen.cad.contact import pad
from guidegen.cad.design import Design
from guidegen.cad.label import engraving, line_outlines
from guidegen.cad.mending import mended
from guidegen.cad.parts import Part, ball, carve, cylinder, empty, join, smooth_min
from guidegen.cad.scene import forbidden
from guidegen.cad.settings import GuideSettings
from guidegen.cad.sleeve import Sleeve, headroom, over_tab, pilot, tab_axes, tab_plate, tube
from guidegen.cad.window import window, window_span
from guidegen.mesh.grid import Field, Lattice
from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats

MARK_MM = 3.6
"""Height of the side marks L and R."""
UNDERSIZE_MM = 0.1
"""The bore in the distance field is this much narrower: the exact one is cut afterwards, so that
its mouth is already round and the isosurface's grid never shows in the bore."""
_FILLET_MM = 4.0
OPENING_MARGIN_MM = 0.3
"""The opening runs on a grid of 0.4 mm: lips beside a window came out up to 0.4 mm thinner than its
ball with 0.22 (measured on thoracic guides)."""


def touching_parts(design: Design) -> list[Part]:
    """Where the guide comes down to the fit gap: contacts and sleeve feet."""
    feet = [
        cylinder(s.at(-8.0), s.at(s.foot_mm + 2.0), s.outer_mm / 2 + 0.3) for s in design.drilled
    ]
    return [ball(c.point_mm, c.radius_mm + 0.4) for c in design.contacts] + feet


def design_box(design: Design) -> tuple[Floats, Floats]:
    """Lowest and highest corner of everything the guide is made of."""
    solid = [*design.arms, *(pad(c) for c in design.contacts), grip_plate(design.grip)]
    solid += [tab_plate(t) for t in design.tabs]
    tops = [np.array([s.at(s.top_mm), s.at(-3.0)]) for s in design.sleeves]
    reach = design.sleeves[0].outer_mm / 2
    low = np.min([p.low_mm for p in solid] + [t.min(axis=0) - reach for t in tops], axis=0)
    high = np.max([p.high_mm for p in solid] + [t.max(axis=0) + reach for t in tops], axis=0)
    line = design.line
    low = np.minimum(low, line.min(axis=0) - np.array([2, 5, 2]))
    high = np.maximum(high, line.max(axis=0) + np.array([2, 5, 2]))
    scene_low = design.scene.lattice.origin_mm
    low = np.maximum(low - 1.0, scene_low)
    return low, high + 1.0


def outer_shape(design: Design, lattice: Lattice, settings: GuideSettings) -> Field:
    """Distance field of everything joined, before bone, bores and windows are cut."""
    legs = join(
        lattice, empty(lattice), [*design.arms, *(pad(c) for c in design.contacts)], _FILLET_MM
    )
    legs = carve(lattice, legs, [design.midline])
    field = join(lattice, empty(lattice), [tube(s) for s in design.sleeves], 0.0)
    field = smooth_min(field, legs, _FILLET_MM)
    field = join(lattice, field, [bridge(design.line, settings)], 3.5)
    field = join(lattice, field, [grip_stem(design.grip), grip_plate(design.grip)], 3.0)
    field = join(lattice, field, [tab_plate(t) for t in design.tabs], 2.0)
    return field


def make_solid(design: Design, settings: GuideSettings, name: str) -> Solid:
    """Make the guide: one distance field, one isosurface, then the exact bores and texts.

    Args:
        design: What it is made of.
        settings: Sizes.
        name: Of the vertebra, for messages.

    Returns:
        One body, guide frame.

    Raises:
        GeometryError: It falls into pieces.
    """
    lattice = Lattice.around(*design_box(design), settings.grid_mm)
    outer = outer_shape(design, lattice, settings)
    body = mended(
        lattice,
        outer,
        lambda field: _carved(design, lattice, field, settings, name),
        settings.min_wall_mm,
    )
    body = body.minus([exact_bore(s) for s in design.drilled], name)
    return one_body(body.minus(texts(design, settings), name), name)


def _carved(
    design: Design, lattice: Lattice, outer: Field, settings: GuideSettings, name: str
) -> Solid:
    """Cut windows, bores' mouths and the bones' shadows out, and take away what is thin."""
    away = [over_grip(design.grip), *(over_tab(t) for t in design.tabs)]
    away += [headroom(s) for s in design.sleeves]
    for sleeve in design.drilled:
        span = window_span(sleeve, settings.sleeve_closed_mm)
        if span is not None:
            away.append(window(sleeve, span, settings.window_width_mm))
        high = span[1] if span is not None else sleeve.foot_mm + settings.sleeve_closed_mm
        away.append(pilot(sleeve, sleeve.bore_mm - UNDERSIZE_MM, high))
    field = carve(lattice, outer, away)
    cut = forbidden(design.scene, lattice, field < 0, touching_parts(design), settings)
    field = np.maximum(field, -cut)
    field = opened(lattice, field, settings.min_wall_mm / 2 + OPENING_MARGIN_MM)
    return main_body(lattice, field, name)


def exact_bore(sleeve: Sleeve) -> Solid:
    """The cylinder that is cut exactly."""
    return Solid.cylinder(sleeve.at(-8.0), sleeve.out, sleeve.top_mm + 10.0, sleeve.bore_mm)


def texts(design: Design, settings: GuideSettings) -> list[Solid]:
    """The engraved label and side marks."""
    depth = settings.text_depth_mm
    found = [engraving(design.layout.outlines(), np.eye(3), design.grip.centre_mm, depth)]
    for sleeve, tab in zip(design.sleeves, design.tabs, strict=True):
        mark = line_outlines(sleeve.side[0].upper(), MARK_MM, (0.0, 0.0))
        found.append(engraving(mark, tab_axes(tab), tab.centre_mm, depth))
    return found
