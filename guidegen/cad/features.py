"""What a finished guide carries of the plan: bores, windows, labels, contacts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guidegen.cad.assembly import MARK_MM
from guidegen.cad.contact import docking
from guidegen.cad.design import Design, bone_points
from guidegen.cad.settings import GuideSettings
from guidegen.cad.sleeve import Sleeve
from guidegen.cad.window import window_direction, window_span
from guidegen.mesh.grid import bounded_distance
from guidegen.model.arrays import Floats, Ints
from guidegen.model.guide import Feature

_CONTACT_MM = 0.1


def seat(design: Design, settings: GuideSettings) -> tuple[Floats, Floats]:
    """Points (N, 3) and normals of the bone under the contacts, one for each 0.49 mm2."""
    surface = bone_points(design.scene, settings)
    near = np.zeros(len(surface.points_mm), dtype=bool)
    for contact in design.contacts:
        distance = np.linalg.norm(surface.points_mm - contact.point_mm, axis=1)
        near |= (distance < contact.radius_mm) & (surface.normals @ contact.normal > 0)
    use = near & surface.reachable
    return surface.points_mm[use], surface.normals[use]


def contact_area(
    vertices: Floats, faces: Ints, bone: tuple[Floats, Ints], fit_gap_mm: float
) -> float:
    """Area of the guide's surface within the fit gap + 0.1 mm of the bone, mm2."""
    reach = fit_gap_mm + _CONTACT_MM
    near = bounded_distance(vertices, *bone, 1.0) <= reach
    corners = vertices[faces[near[faces].all(axis=1)]]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return float(np.linalg.norm(cross, axis=1).sum() / 2)


def guide_features(design: Design, settings: GuideSettings, label: str) -> tuple[Feature, ...]:
    """Everything that carries the plan, in the patient's frame.

    A contact's value ``docking`` is the index of all contacts together.
    """
    held = docking(*seat(design, settings))
    frame = design.scene.patient_from_guide
    found = [f for s in design.drilled for f in sleeve_features(s, settings)]
    half = design.layout.half_mm
    found.append(
        Feature(
            "label",
            label,
            design.grip.centre_mm,
            np.array([0.0, 0.0, 1.0]),
            {
                "radius_mm": float(np.hypot(*half)),
                "depth_mm": settings.text_depth_mm,
                "text_height_mm": design.layout.height_mm,
            },
        )
    )
    for sleeve, tab in zip(design.sleeves, design.tabs, strict=True):
        values = {"radius_mm": 3.4, "depth_mm": settings.text_depth_mm, "text_height_mm": MARK_MM}
        mark = sleeve.side[0].upper()
        found.append(Feature("label", mark, tab.centre_mm, tab.normal, values))
    for contact in design.contacts:
        area: dict[str, float] = {
            "area_mm2": float(np.pi * contact.radius_mm**2),
            "radius_mm": contact.radius_mm,
            "docking": held,
        }
        found.append(Feature("contact", contact.name, contact.point_mm, contact.normal, area))
    return tuple(
        replace(f, point_mm=frame.points(f.point_mm), direction=frame.vectors(f.direction))
        for f in found
    )


def bore_feature(sleeve: Sleeve) -> Feature:
    """The bore of a sleeve, in the sleeve's frame."""
    values = {
        "diameter_mm": sleeve.bore_mm,
        "length_mm": sleeve.top_mm - sleeve.foot_mm,
        "outer_mm": sleeve.outer_mm,
        "drill_depth_mm": sleeve.top_mm + sleeve.depth_mm,
        "foot_above_entry_mm": sleeve.foot_mm,
    }
    return Feature("bore", sleeve.name, sleeve.at(sleeve.top_mm), -sleeve.out, values)


def sleeve_features(sleeve: Sleeve, settings: GuideSettings) -> list[Feature]:
    """Bore and window of a sleeve, guide frame."""
    found = [bore_feature(sleeve)]
    span = window_span(sleeve, settings.sleeve_closed_mm)
    if span is not None:
        centre = sleeve.at(sum(span) / 2) + sleeve.outer_mm / 2 * window_direction(sleeve)
        size = {"length_mm": span[1] - span[0], "width_mm": settings.window_width_mm}
        found.append(Feature("window", sleeve.name, centre, window_direction(sleeve), size))
    return found
