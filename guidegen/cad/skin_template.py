"""The puncture template that lies on the skin of the back, over one or more levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.cad.contact import Contact
from guidegen.cad.features import contact_area
from guidegen.cad.frame import guide_frame
from guidegen.cad.sleeve import Tab
from guidegen.cad.template_design import (
    Design,
    Puncture,
    keep_bores_apart,
    mark_half,
    on_surface,
    puncture,
    standing,
    tab_on,
)
from guidegen.cad.template_ground import Back, Ground, places_in, skin_heights
from guidegen.cad.template_layout import Shape, flat_shape, label_ends
from guidegen.cad.template_outline import Midline, composite
from guidegen.cad.template_settings import TemplateSettings
from guidegen.cad.template_solid import (
    in_patient,
    make_solid,
    opening_features,
    puncture_features,
    text_features,
)
from guidegen.errors import GeometryError
from guidegen.model.arrays import Floats, Ints, frozen_floats, unit
from guidegen.model.bone import SKIN, Bone
from guidegen.model.guide import Feature, Guide
from guidegen.model.plan import Path

NAME = "template_skin"
_SPREAD_MM = 2.0
_FILL_MM = 3.0
_MOST_CONTACTS = 16


@dataclass(frozen=True, eq=False)
class TemplateMarks:
    """What the template is lined up with, patient LPS.

    Args:
        spinous_mm: (N, 3) points of the skin over the tips of the spinous processes.
        back: (3,) unit vector to the patient's back.
        head: (3,) unit vector to the head.
    """

    spinous_mm: Floats
    back: Floats
    head: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "spinous_mm", frozen_floats(self.spinous_mm, (-1, 3), "spinous"))
        object.__setattr__(self, "back", unit(self.back, "back"))
        object.__setattr__(self, "head", unit(self.head, "head"))


def build_skin_template(
    paths: Sequence[Path],
    skin: Bone,
    marks: TemplateMarks,
    words: Sequence[str],
    settings: TemplateSettings,
) -> Guide:
    """Make a plate that lies on the back and guides every needle.

    Its underside is the skin blocked out straight from behind, with the gap, so that it comes off
    in a straight line. It is held by hand and laid by its notches and sights on the marks of the
    spinous processes: smooth skin can't hold it in one place, and only a patient who lies as in
    the scan (prone) has that skin.

    Args:
        paths: Needles of one or more levels, each with ``skin_mm``.
        skin: The patient's back.
        marks: The spinous-process line and the directions.
        words: Of the label.
        settings: Sizes.

    Raises:
        GeometryError: No needle, a needle without its point on the skin, skin out of view,
            sleeves that run into each other.
    """
    design, punctures = design_template(paths, skin, marks, words, settings)
    solid = make_solid(design, settings, NAME)
    vertices, faces = solid.arrays()
    back = design.ground.back
    own, label = (back.vertices_mm, back.faces), " ".join(words)
    features = [*puncture_features(punctures), *text_features(design, settings, label)]
    features += [*opening_features(design), *contact_features(design)]
    area = contact_area(vertices, _near(vertices, faces, design.contacts), own, settings.fit_gap_mm)
    return Guide(
        name=NAME,
        role="guide",
        vertices_mm=back.patient_from_guide.points(vertices),
        faces=faces,
        bones=(SKIN,),
        features=in_patient(features, design),
        patient_from_guide=back.patient_from_guide,
        insertion_direction=-marks.back,
        fit_gap_mm=settings.fit_gap_mm,
        contact_area_mm2=area,
        label=label,
    )


def design_template(
    paths: Sequence[Path],
    skin: Bone,
    marks: TemplateMarks,
    words: Sequence[str],
    settings: TemplateSettings,
) -> tuple[Design, tuple[Puncture, ...]]:
    """Decide frame, outline, openings, sleeves, texts and contacts."""
    back, punctures, shape, heights = lay_flat(paths, skin, marks, words, settings)
    tall = settings.sleeve_length_mm + settings.max_climb_mm + 6.0
    low = np.append(shape.outline.low_mm - 14.0, heights[:, 2].min() - 4.0)
    high = np.append(shape.outline.high_mm + 14.0, heights[:, 2].max() + tall)
    bound = settings.fit_gap_mm + settings.thickness_mm + 5.0
    ground = Ground.around(back, low, high, bound)
    punctures = standing(punctures, ground, settings.fit_gap_mm, settings)
    keep_bores_apart([p.sleeve for p in punctures], settings)

    def tab(centre: Floats, half: tuple[float, float]) -> Tab:
        points, normals = back.under(on_surface(centre, half))
        over = points + (settings.fit_gap_mm + settings.thickness_mm) * normals
        return tab_on(centre, half, over, settings.thickness_mm)

    design = Design(
        ground=ground,
        sleeves=tuple(p.sleeve for p in punctures),
        outline=shape.outline,
        openings=shape.openings,
        label=tab(shape.label, shape.layout.half_mm),
        layout=shape.layout,
        marks={letter: tab(at, mark_half(settings)) for letter, at in shape.marks.items()},
        layer_mm=None,
        gap_mm=settings.fit_gap_mm,
    )
    return replace(design, contacts=spread_contacts(design, settings)), punctures


def lay_flat(
    paths: Sequence[Path],
    skin: Bone,
    marks: TemplateMarks,
    words: Sequence[str],
    settings: TemplateSettings,
) -> tuple[Back, tuple[Puncture, ...], Shape, Floats]:
    """Lay the plate out on the skin: what decides whether there is skin under all of it.

    Returns:
        Skin and needles in the guide frame, the flat shape, and the skin's points (N, 3) under it.

    Raises:
        GeometryError: No needle, or no skin in view under some of the plate.
    """
    if not paths or len(marks.spinous_mm) == 0:
        raise GeometryError(
            f"a skin template needs a needle and a spinous process, found {len(paths)} and "
            f"{len(marks.spinous_mm)}; plan a needle or use the bone-anchored template"
        )
    frame = guide_frame(-marks.back, marks.head, marks.spinous_mm.mean(axis=0))
    back = Back.of(skin, frame, marks.back)
    punctures = tuple(puncture(p, frame, _skin_of(p), settings) for p in paths)
    tips = frame.inverse.points(marks.spinous_mm)[:, :2]
    return back, punctures, *_shape_on(back, punctures, Midline(tips), words, settings)


def _shape_on(
    back: Back,
    punctures: Sequence[Puncture],
    midline: Midline,
    words: Sequence[str],
    settings: TemplateSettings,
) -> tuple[Shape, Floats]:
    """The flat shape and the skin's points (N, 3) under it; the label where there is skin for it.

    Raises:
        GeometryError: With the label at either end there is no skin under all of the plate.
    """
    refused: list[GeometryError] = []
    for sign in label_ends(punctures):
        shape = flat_shape(punctures, midline, words, settings, sign)
        try:
            return shape, skin_heights(back, shape.outline, "a skin template")
        except GeometryError as error:
            refused.append(error)
    raise refused[0]


def _skin_of(path: Path) -> Floats:
    """(3,): the plan's point on the skin; raises GeometryError without one."""
    if path.skin_mm is None:
        raise GeometryError(
            f"{path.name}: a skin template needs the point where the needle goes through the "
            "skin, found none in the plan; plan again with the skin in view"
        )
    return path.skin_mm


def spread_contacts(design: Design, settings: TemplateSettings) -> tuple[Contact, ...]:
    """Spread circles over the underside, the next always farthest from those before."""
    places = places_in(design.outline, _SPREAD_MM)
    free = composite(design.outline, design.openings, places) < -_FILL_MM
    for sleeve in design.sleeves:
        away = np.linalg.norm(places - sleeve.at(0.0)[:2], axis=1)
        free &= away > sleeve.outer_mm / 2 + settings.contact_radius_mm
    places = places[free]
    points, normals = design.ground.back.under(places)
    chosen: list[int] = []
    nearest = -np.linalg.norm(places, axis=1)
    while len(chosen) < _MOST_CONTACTS and len(places):
        best = int(np.argmax(nearest))
        if chosen and nearest[best] < 2 * settings.contact_radius_mm:
            break
        chosen.append(best)
        away = np.linalg.norm(places - places[best], axis=1)
        nearest = away if len(chosen) == 1 else np.minimum(nearest, away)
    return tuple(
        Contact(f"skin_{n + 1}", points[k], normals[k], settings.contact_radius_mm)
        for n, k in enumerate(chosen)
    )


def contact_features(design: Design) -> list[Feature]:
    """The circles in which the plate's fit is measured, guide frame."""
    return [
        Feature("contact", c.name, c.point_mm, c.normal, {"radius_mm": c.radius_mm})
        for c in design.contacts
    ]


def _near(vertices: Floats, faces: Ints, contacts: Sequence[Contact]) -> Ints:
    """Faces with every corner in a contact."""
    inside = np.zeros(len(vertices), dtype=bool)
    for contact in contacts:
        inside |= np.linalg.norm(vertices - contact.point_mm, axis=1) <= contact.radius_mm
    return np.asarray(faces[inside[faces].all(axis=1)])
