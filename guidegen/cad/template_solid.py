"""From a template's design to one closed solid, its exact holes and its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from guidegen.cad.assembly import OPENING_MARGIN_MM, exact_bore
from guidegen.cad.blockout import columns_over, lowered, refined_distance, shadow
from guidegen.cad.body import main_body, one_body, opened
from guidegen.cad.features import bore_feature
from guidegen.cad.label import engraving, line_outlines
from guidegen.cad.mending import mended
from guidegen.cad.parts import Part, carve, cylinder, empty, join, round_max, smooth_min
from guidegen.cad.sleeve import Sleeve, headroom, over_tab, pilot, tab_axes, tab_plate, tube
from guidegen.cad.template_design import Design, Puncture
from guidegen.cad.template_outline import Opening, composite
from guidegen.cad.template_settings import TemplateSettings
from guidegen.mesh.grid import Field, Lattice
from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats
from guidegen.model.guide import Feature

_FILLET_MM = 3.0
_TAB_FILLET_MM = 1.5
_CLOSED_MM = 4.0
_CROWN_MM = 3.0
_EDGE_MM = 1.5
"""Edges are made this round at once: rounded by the opening alone they would show its grid."""
_UNDERSIZE_MM = 0.4
"""The bore in the distance field is this much narrower: the opening bites up to 0.17 mm into the
wall of a free-standing tube, which the exact bore then takes away."""


def make_solid(design: Design, settings: TemplateSettings, name: str) -> Solid:
    """Make the template: one distance field, one isosurface, then the exact holes and texts.

    Args:
        design: What it is made of.
        settings: Sizes.
        name: Of the part, for messages.

    Returns:
        One body, guide frame.

    Raises:
        GeometryError: It falls into pieces.
    """
    lattice = fine_lattice(design, settings)
    over = design.ground.lattice.resample(design.ground.shadow, lattice)
    outer = outer_shape(design, lattice, over, settings)
    allowed = free_space(design, lattice, outer, over)

    def carved(field: Field) -> Solid:
        away = [pilot(s, s.bore_mm - _UNDERSIZE_MM, s.foot_mm + _CLOSED_MM) for s in design.sleeves]
        field = carve(lattice, field, [*(headroom(s) for s in design.sleeves), *away])
        field = round_max(field, -allowed, _EDGE_MM)
        field = opened(lattice, field, settings.min_wall_mm / 2 + OPENING_MARGIN_MM)
        field = join(lattice, field, [crown(s) for s in design.sleeves], 0.0)
        return main_body(lattice, field, name)

    body = mended(lattice, outer, carved, settings.min_wall_mm)
    holes = [exact_bore(s) for s in design.sleeves] + sights(design)
    body = body.minus(holes, name)
    return one_body(body.minus(texts(design, settings), name), name)


def crown(sleeve: Sleeve) -> Part:
    """The upper end of a sleeve, which the opening's grid leaves rough beside the bore."""
    return cylinder(
        sleeve.at(sleeve.top_mm - _CROWN_MM), sleeve.at(sleeve.top_mm), sleeve.outer_mm / 2
    )


def fine_lattice(design: Design, settings: TemplateSettings) -> Lattice:
    """The grid that holds every part of the template."""
    coarse = design.ground.lattice
    room = coarse.spacing_mm
    low, high = coarse.origin_mm, coarse.origin_mm + room * (np.array(coarse.shape) - 1)
    tops = np.array([s.at(s.top_mm) for s in design.sleeves])
    reach = max(s.outer_mm for s in design.sleeves) / 2 + 1.0
    bottom = np.append(design.outline.low_mm - 1.0, low[2])
    faces = np.array([t.centre_mm for t in design.tabs])
    top = np.append(design.outline.high_mm + 1.0, faces[:, 2].max() + 4.0)
    if design.layer_mm is not None:
        top[2] = max(top[2], design.layer_mm[1] + 1.0)
    bottom = np.maximum(np.minimum(bottom, tops.min(axis=0) - reach), low)
    return Lattice.around(
        bottom, np.minimum(np.maximum(top, tops.max(axis=0) + reach), high), settings.grid_mm
    )


def outer_shape(design: Design, lattice: Lattice, over: Field, settings: TemplateSettings) -> Field:
    """Distance field of plate, text plates and sleeves joined, before the skin is cut away.

    Args:
        design: What it is made of.
        lattice: Fine.
        over: The skin's shadow on it.
        settings: Sizes.
    """
    places = np.stack(np.meshgrid(lattice.axis(0), lattice.axis(1), indexing="ij"), axis=-1)
    openings = [_narrower(o) if o.kind == "sight" else o for o in design.openings]
    flat = composite(design.outline, openings, places).astype(np.float32)[:, :, None]
    if design.layer_mm is None:
        layer = over - np.float32(design.gap_mm + settings.thickness_mm)
    else:
        low, high = design.layer_mm
        z = lattice.axis(2).astype(np.float32)[None, None, :]
        layer = np.abs(z - np.float32((low + high) / 2)) - np.float32((high - low) / 2)
    field = np.minimum(round_max(layer, flat, _EDGE_MM), empty(lattice))
    field = join(lattice, field, [tab_plate(t) for t in design.tabs], _TAB_FILLET_MM)
    field = carve(lattice, field, [over_tab(t) for t in design.tabs])
    tubes = join(lattice, empty(lattice), [tube(s) for s in design.sleeves], 0.0)
    return smooth_min(field, tubes, _FILLET_MM)


def free_space(design: Design, lattice: Lattice, outer: Field, over: Field) -> Field:
    """Field that is negative where the template must not be: the skin's shadow and the gap.

    Exact near its zero level wherever a plate comes down to the gap; a bar stands so far off that
    the interpolated shadow does.
    """
    ground, gap = design.ground, design.gap_mm
    if design.layer_mm is not None:
        return over - np.float32(gap)
    where = columns_over((outer < 0) & (over > -lattice.spacing_mm))
    skin = (ground.back.vertices_mm, ground.back.faces)
    own = refined_distance((ground.lattice, ground.distance), lattice, skin, (gap, gap), where)
    return lowered(shadow(own)) - np.float32(gap)


def _narrower(sight: Opening) -> Opening:
    """A hole that is cut exactly afterwards."""
    half = sight.half_mm[0] - _UNDERSIZE_MM / 2
    return replace(sight, half_mm=(half, half), corner_mm=half)


def sights(design: Design) -> list[Solid]:
    """The holes over the spinous processes, cut exactly."""
    low, high = design.ground.lattice.axis(2)[[0, -1]]
    up = np.array([0.0, 0.0, 1.0])
    return [
        Solid.cylinder(np.append(o.centre_mm, low), up, float(high - low), 2 * o.half_mm[0])
        for o in design.openings
        if o.kind == "sight"
    ]


def texts(design: Design, settings: TemplateSettings) -> list[Solid]:
    """The engraved label and side marks."""
    depth = settings.text_depth_mm
    label = design.label
    found = [engraving(design.layout.outlines(), tab_axes(label), label.centre_mm, depth)]
    for letter, tab in design.marks.items():
        outlines = line_outlines(letter, settings.mark_height_mm, (0.0, 0.0))
        found.append(engraving(outlines, tab_axes(tab), tab.centre_mm, depth))
    return found


def text_features(design: Design, settings: TemplateSettings, label: str) -> list[Feature]:
    """Label and side marks, guide frame."""
    heights = {label: (design.label, design.layout.height_mm)}
    heights |= {letter: (tab, settings.mark_height_mm) for letter, tab in design.marks.items()}
    found = []
    for text, (tab, height) in heights.items():
        values = {
            "radius_mm": float(np.hypot(*tab.half_mm)),
            "half_width_mm": tab.half_mm[0],
            "half_height_mm": tab.half_mm[1],
            "text_height_mm": height,
            "depth_mm": settings.text_depth_mm,
        }
        found.append(Feature("label", text, tab.centre_mm, tab.normal, values))
    return found


def puncture_features(punctures: Sequence[Puncture]) -> list[Feature]:
    """Bores, guide frame, with what the surgeon reads off them.

    Values beside diameter, length and outer diameter: ``drill_depth_mm`` from the sleeve's top to
    the tip (where the needle's depth stop is set), ``foot_above_skin_mm``,
    ``foot_above_entry_mm`` (for a wire also ``stand_off_mm``: how far the top of its sleeve
    stands from the spinous process), and ``tip_play_mm``: how far the tip can stray to one side
    if the needle leans over its whole clearance.
    """
    found = []
    for p in punctures:
        feature, sleeve = bore_feature(p.sleeve), p.sleeve
        foot = sleeve.foot_mm + p.skin_to_entry_mm
        length = sleeve.top_mm - sleeve.foot_mm
        clearance = sleeve.bore_mm - (p.path.pilot_diameter_mm or p.path.diameter_mm)
        play = clearance / length * (length / 2 + sleeve.foot_mm + sleeve.depth_mm)
        values = {
            **feature.values,
            "foot_above_entry_mm": foot,
            "foot_above_skin_mm": sleeve.foot_mm,
            "tip_play_mm": play,
        }
        if p.path.kind == "pin":
            values["stand_off_mm"] = foot + length
        found.append(replace(feature, values=values))
    return found


def opening_features(design: Design) -> list[Feature]:
    """Windows, notches and sights, guide frame, on the skin under the plate or on the bar.

    A notch's point lies in the middle of its floor, its direction goes out of the plate; a sight's
    and a window's direction goes up.
    """
    found = []
    for o in design.openings:
        along, place = np.append(np.asarray(o.along), 0.0), o.centre_mm
        up = np.array([0.0, 0.0, 1.0])
        if o.kind == "notch":
            place = o.centre_mm - o.half_mm[1] * np.asarray(o.along)
        values = {"width_mm": 2 * o.half_mm[0], "height_mm": 2 * o.half_mm[1]}
        if o.kind == "sight":
            values = {"diameter_mm": 2 * o.half_mm[0]}
        if o.kind == "notch":
            values = {"width_mm": 2 * o.half_mm[0]}
        direction = along if o.kind == "notch" else up
        found.append(Feature(o.kind, o.item, _lifted(design, place), direction, values))
    return found


def _lifted(design: Design, place_mm: Floats) -> Floats:
    """(3,): the point of the skin (or of the bar) over or under a place."""
    if design.layer_mm is not None:
        return np.append(place_mm, design.layer_mm[1])
    points, _ = design.ground.back.under(place_mm[None])
    return np.asarray(points[0])


def in_patient(features: Sequence[Feature], design: Design) -> tuple[Feature, ...]:
    """Move features to the patient's frame."""
    frame = design.ground.back.patient_from_guide
    return tuple(
        replace(f, point_mm=frame.points(f.point_mm), direction=frame.vectors(f.direction))
        for f in features
    )
