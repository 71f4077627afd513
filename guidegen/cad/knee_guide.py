"""The cutting guide of one femur or tibia: from its plan to a printable part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from guidegen.cad.contact import Contact, docking, spread_points
from guidegen.cad.features import bore_feature
from guidegen.cad.knee_design import Design, make_design
from guidegen.cad.knee_footprint import POINT_MM
from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.cad.knee_solid import make_solid
from guidegen.mesh.grid import faces_in_box
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.guide import Feature, Guide
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Cut, Path

ROD = "rod"
"""Item of the alignment rod's feature."""
_AROUND_MM = 6.0
_STAYING = {"tibia": ("fibula",), "fibula": ("tibia",)}


def staying(bone: Bone, others: Sequence[Bone]) -> tuple[Bone, ...]:
    """Those of the other bones that stay where the CT shows them when the joint is opened.

    The kneecap is turned aside and the knee bent: of the bones round it only the fibula keeps its
    place, beside the tibia of its own side. Guides and their checks look at no others.
    """
    kind, _, side = bone.name.partition("_")
    names = {f"{other}_{side}" for other in _STAYING.get(kind, ())}
    return tuple(other for other in others if other.name in names)


def build_knee_guide(
    anatomy: tuple[Bone, Sequence[Bone]],
    marks: Landmarks,
    cut: Cut,
    pins: Sequence[Path],
    words: Sequence[str],
    settings: KneeGuideSettings,
) -> Guide:
    """Make one guide.

    Args:
        anatomy: Femur or tibia, and every other bone; see ``staying``.
        marks: The bone's landmarks.
        cut: Its planned cut; a slot is its kerf plus the clearance thick.
        pins: Two parallel to each other and to the cut, and at least one oblique; see
            ``planning.pins``.
        words: Of the label.
        settings: Sizes.

    Returns:
        The guide with the features ``bore`` (pins), ``slot`` (its point in the middle of the
        mouth, its direction the blade's way), ``rod`` (mouth, going in), ``window``, ``contact``
        and ``label`` (the label, ``M`` and ``L`` for medial and lateral).

    Raises:
        GeometryError: Contacts, slot, rod or windows find no place, or the part falls apart.
    """
    bone, others = anatomy[0], staying(*anatomy)
    design = make_design((bone, others), marks, cut, pins, words, settings)
    vertices, faces = make_solid(design, settings, bone.name).arrays()
    frame = design.scene.patient_from_guide
    features = knee_features(design, cut, " ".join(words), settings)
    return Guide(
        name=bone.name,
        role="guide",
        vertices_mm=frame.points(vertices),
        faces=faces,
        bones=(bone.name,),
        neighbours=design.scene.names,
        features=tuple(
            replace(f, point_mm=frame.points(f.point_mm), direction=frame.vectors(f.direction))
            for f in features
        ),
        patient_from_guide=frame,
        insertion_direction=-frame.axes[:, 2],
        fit_gap_mm=settings.fit_gap_mm,
        contact_area_mm2=sum(_area_mm2(contact) for contact in design.contacts),
        label=" ".join(words),
    )


def knee_features(
    design: Design, cut: Cut, label: str, settings: KneeGuideSettings
) -> list[Feature]:
    """Everything that carries the plan, guide frame."""
    found = [bore_feature(s) for s in design.sleeves]
    block, rod = design.block, design.rod
    if settings.slot:
        (a, b), depth = block.span_mm, settings.capture_mm
        values = {"thickness_mm": block.slot_mm, "width_mm": b - a, "capture_mm": depth}
        mouth = block.axes.place([(a + b) / 2, block.front_mm, 0.0])
        found.append(Feature("slot", cut.name, mouth, block.axes.into, values))
    else:
        values = {"offset_mm": settings.pin_offset_mm, "spacing_mm": settings.pin_spacing_mm}
        found.append(Feature("pinned", cut.name, block.axes.origin_mm, block.axes.into, values))
    values = {"diameter_mm": rod.bore_mm, "length_mm": rod.length_mm, "outer_mm": rod.outer_mm}
    found.append(Feature("rod", ROD, rod.mouth_mm, -rod.way, values))
    for n, w in enumerate(design.windows, start=1):
        size = {"diameter_mm": w.diameter_mm}
        found.append(Feature("window", f"window_{n}", w.point_mm, w.into, size))
    return found + _texts(design, label, settings) + _contacts(design)


def _texts(design: Design, label: str, settings: KneeGuideSettings) -> list[Feature]:
    """Label and marks."""
    found = []
    for text, tab in design.tabs.items():
        height = settings.mark_height_mm if text else design.block.layout.height_mm
        values = {
            "radius_mm": float(np.hypot(*tab.half_mm)),
            "half_width_mm": tab.half_mm[0],
            "half_height_mm": tab.half_mm[1],
            "text_height_mm": height,
            "depth_mm": settings.text_depth_mm,
        }
        found.append(Feature("label", text or label, tab.centre_mm, tab.normal, values))
    return found


def _contacts(design: Design) -> list[Feature]:
    """Contacts, with the docking index of all of them together."""
    held = docking(*seat_points(design))
    return [
        Feature(
            "contact",
            c.name,
            c.point_mm,
            c.normal,
            {
                "area_mm2": _area_mm2(c),
                "radius_mm": c.radius_mm,
                "docking": held,
            },
        )
        for c in design.contacts
    ]


def _area_mm2(contact: Contact) -> float:
    """Of the flat disc that a contact is designed as."""
    return float(np.pi * contact.radius_mm**2)


def seat_points(design: Design) -> tuple[Floats, Floats]:
    """Points (N, 3) and normals of the bone under the contacts, one for each mm2."""
    vertices, faces = design.scene.own
    middles = np.array([c.point_mm for c in design.contacts])
    faces = faces_in_box(
        vertices, faces, middles.min(axis=0) - _AROUND_MM, middles.max(axis=0) + _AROUND_MM
    )
    points, normals = spread_points(vertices, faces, POINT_MM)
    use = np.zeros(len(points), dtype=bool)
    for contact in design.contacts:
        near = np.linalg.norm(points - contact.point_mm, axis=1) < contact.radius_mm
        use |= near & (normals @ contact.normal > 0)
    return points[use], normals[use]
