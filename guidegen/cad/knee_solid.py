"""From a knee guide's design to one closed solid with exact slot, bores and texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.cad.assembly import exact_bore
from guidegen.cad.body import main_body, one_body, opened
from guidegen.cad.knee_block import mark_outlines
from guidegen.cad.knee_design import Design
from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.cad.label import engraving
from guidegen.cad.mending import mended, thin_spots
from guidegen.cad.parts import Part, ball, carve, cylinder, empty, join, round_max, smooth_min
from guidegen.cad.scene import forbidden
from guidegen.cad.sleeve import Sleeve, headroom, pilot, tab_axes, tube
from guidegen.cad.template_solid import crown
from guidegen.mesh.grid import Field, Lattice, distance_to_zero
from guidegen.mesh.solid import Solid
from guidegen.mesh.wall import ENGRAVED_MM, Patch
from guidegen.model.arrays import Floats

_FILLET_MM = 4.0
_EDGE_MM = 2.0
_UNDERSIZE_MM = 0.4
_CLOSED_MM = 4.0
_MARGIN_MM = 0.4
"""The opening runs on a grid of 0.55 mm, and slot and bores are cut wider afterwards."""
_CHAMFER_MM = 1.2
"""A lip of 60 degrees is as thick as the smallest wall where this chamfer ends (engineering
choice)."""
_PLUG_MM, _BESIDE_MM = 0.3, 3.0
_ROOM_MM = 2.0


def make_solid(design: Design, settings: KneeGuideSettings, name: str) -> Solid:
    """Make the guide: one distance field, one isosurface, then slot, bores and texts exactly.

    Args:
        design: What it is made of.
        settings: Sizes.
        name: Of the bone, for messages.

    Returns:
        One body, guide frame.

    Raises:
        GeometryError: It falls into pieces.
    """
    lattice = fine_lattice(design, settings)
    tools = [exact_bore(s) for s in design.sleeves] + [design.rod.hole()]
    if settings.slot:
        tools.append(design.block.slot())
    texts = _texts(design, settings)

    def finished(field: Field, blunt: Sequence[Sleeve]) -> Solid:
        body = main_body(lattice, _carved(design, lattice, field, blunt, settings), name)
        return one_body(one_body(body.minus(tools, name), name).minus(texts, name), name)

    outer, patches = outer_shape(design, lattice, settings), _text_patches(design)
    first = finished(outer, ())
    thin = thin_spots(first, settings.min_wall_mm, patches)
    blunt = thin_mouths(design, thin, settings)
    start = None if blunt else (first, thin)
    return mended(
        lattice, outer, lambda f: finished(f, blunt), settings.min_wall_mm, patches, start
    )


def thin_mouths(design: Design, thin_mm: Floats, settings: KneeGuideSettings) -> tuple[Sleeve, ...]:
    """Sleeves whose bore has one of the thin places (N, 3) beside it, where filling is no help."""
    found = []
    for sleeve in design.sleeves:
        offset = thin_mm - sleeve.entry_mm
        beside = np.linalg.norm(offset - (offset @ sleeve.out)[:, None] * sleeve.out, axis=1)
        if (beside < sleeve.bore_mm / 2 + settings.min_wall_mm).any():
            found.append(sleeve)
    return tuple(found)


def _text_patches(design: Design) -> tuple[Patch, ...]:
    """Where the check of walls leaves engraved text out."""
    return tuple(
        Patch(
            tab.centre_mm,
            tab.normal,
            tab.right,
            2 * tab.half_mm[0],
            2 * tab.half_mm[1],
            ENGRAVED_MM,
        )
        for tab in design.tabs.values()
    )


def fine_lattice(design: Design, settings: KneeGuideSettings) -> Lattice:
    """The grid that holds every part of the guide."""
    parts = [design.block.body(), design.rod.boss(), *(tube(s) for s in design.sleeves)]
    contacts = np.array(
        [c.point_mm for c in design.contacts] + [w.point_mm for w in design.windows]
    )
    reach = design.contacts[0].radius_mm + settings.body_thickness_mm + _ROOM_MM
    low = np.min([contacts.min(axis=0) - reach, *(p.low_mm for p in parts)], axis=0) - _ROOM_MM
    high = np.max([contacts.max(axis=0) + reach, *(p.high_mm for p in parts)], axis=0) + _ROOM_MM
    coarse = design.scene.lattice
    top = coarse.origin_mm + coarse.spacing_mm * (np.array(coarse.shape) - 1)
    low[2] = max(low[2], design.floor_mm - 1.0)
    return Lattice.around(
        np.maximum(low, coarse.origin_mm), np.minimum(high, top), settings.grid_mm
    )


def outer_shape(design: Design, lattice: Lattice, settings: KneeGuideSettings) -> Field:
    """Distance field of shell, block, rod's boss and sleeves joined, before anything is cut."""
    thick = settings.fit_gap_mm + settings.relief_mm + settings.body_thickness_mm
    x, y, z = lattice.mesh((slice(None), slice(None), slice(None)))
    flat = np.full((lattice.shape[0], lattice.shape[1], 1), -np.inf, dtype=np.float32)
    for a, b, c in design.hull.astype(np.float32):
        flat = np.maximum(flat, a * x + b * y + c)
    shell = round_max(design.layer(lattice, thick), flat, _EDGE_MM)
    shell = np.minimum(shell, empty(lattice))
    block = join(lattice, empty(lattice), [design.block.body()], 0.0)
    field = smooth_min(shell, block, _FILLET_MM)
    web = [design.rod.pedestal(design.block), design.rod.boss()]
    field = smooth_min(field, join(lattice, empty(lattice), web, 1.0), _FILLET_MM)
    tubes = join(lattice, empty(lattice), [tube(s) for s in design.sleeves], 0.0)
    field = smooth_min(field, tubes, _FILLET_MM)
    field = round_max(field, np.float32(design.floor_mm) - z, _EDGE_MM)
    for half in design.free:
        p, n = half.point_mm.astype(np.float32), half.normal.astype(np.float32)
        beyond = -((x - p[0]) * n[0] + (y - p[1]) * n[1] + (z - p[2]) * n[2])
        field = round_max(field, beyond, _EDGE_MM)
    return np.asarray(field, dtype=np.float32)


def touching_parts(design: Design) -> list[Part]:
    """Where the guide comes down to the fit gap: contacts and sleeve feet."""
    feet = [
        cylinder(s.at(-8.0), s.at(s.foot_mm + 2.0), s.outer_mm / 2 + 0.3) for s in design.sleeves
    ]
    return [ball(c.point_mm, c.radius_mm + 0.4) for c in design.contacts] + feet


def _carved(
    design: Design,
    lattice: Lattice,
    outer: Field,
    blunt: Sequence[Sleeve],
    settings: KneeGuideSettings,
) -> Field:
    """Cut ways, windows, mouths and the bones' shadows out, and take away what is thin."""
    block, rod = design.block, design.rod
    away = [block.way(), rod.way_in(), *(headroom(s) for s in design.sleeves)]
    away += [w.part() for w in design.windows]
    away += [pilot(s, s.bore_mm - _UNDERSIZE_MM, s.foot_mm + _CLOSED_MM) for s in design.sleeves]
    if settings.slot:
        away += [block.pilot(), block.outlet(), block.behind()]
    field = carve(lattice, outer, away)
    cut = forbidden(design.scene, lattice, field < 0, touching_parts(design), settings)
    field = np.maximum(field, -cut)
    field = opened(lattice, field, settings.min_wall_mm / 2 + _MARGIN_MM)
    field = _blunted(blunt, lattice, field)
    return join(lattice, field, [rod.crown(), *(crown(s) for s in design.sleeves)], 0.0)


def _blunted(sleeves: Sequence[Sleeve], lattice: Lattice, field: Field) -> Field:
    """Chamfer the bores' mouths towards the bone, whose lip is thin where the bone slants.

    What lies less than the chamfer from bore and underside together is taken away; the underside
    is measured with the bores closed, whose pilots are in the field already.
    """
    out = field.copy()
    for sleeve in sleeves:
        low, high, radius = sleeve.at(-8.0), sleeve.at(sleeve.foot_mm + 6.0), sleeve.bore_mm / 2
        bore, plug = cylinder(low, high, radius), cylinder(low, high, radius + _PLUG_MM)
        box = lattice.box(bore.low_mm - _BESIDE_MM, bore.high_mm + _BESIDE_MM)
        corner = np.array([lattice.axis(n)[box[n]][0] for n in range(3)])
        shape = out[box].shape
        part = Lattice(corner, lattice.spacing_mm, (shape[0], shape[1], shape[2]))
        beside = np.maximum(bore.distance(*lattice.mesh(box)), 0)
        closed = np.minimum(field[box], plug.distance(*lattice.mesh(box)))
        near = (closed < 0) & (beside < _CHAMFER_MM)
        lip = beside + distance_to_zero(part, closed, near, 2 * _CHAMFER_MM)
        lip = (lip - np.float32(_CHAMFER_MM)) / np.float32(np.sqrt(2))
        out[box] = np.where(near, np.maximum(out[box], -lip), out[box])
    return out


def _texts(design: Design, settings: KneeGuideSettings) -> list[Solid]:
    """The engraved label and the marks M and L."""
    found = []
    for text, tab in design.tabs.items():
        outlines = mark_outlines(text, settings) if text else design.block.layout.outlines()
        found.append(engraving(outlines, tab_axes(tab), tab.centre_mm, settings.text_depth_mm))
    return found
