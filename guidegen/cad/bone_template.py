"""The puncture template of one level that stands on K-wires in the spinous process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.cad.frame import guide_frame
from guidegen.cad.label import Layout, fit_layout
from guidegen.cad.template_design import (
    Design,
    Puncture,
    keep_bores_apart,
    mark_half,
    on_surface,
    puncture,
    skin_point,
    standing,
    tab_on,
)
from guidegen.cad.template_ground import Back, Ground, skin_heights
from guidegen.cad.template_layout import STRIP_MM
from guidegen.cad.template_outline import Outline
from guidegen.cad.template_settings import TemplateSettings
from guidegen.cad.template_solid import (
    in_patient,
    make_solid,
    puncture_features,
    text_features,
)
from guidegen.errors import GeometryError
from guidegen.model.arrays import Floats
from guidegen.model.bone import SKIN, Bone
from guidegen.model.frames import Pose
from guidegen.model.guide import Guide
from guidegen.model.plan import Path

NAME = "template_bone"
_PARALLEL_DEG = 0.5
_LABEL_MM = 44.0
_OVER_BAR_MM = 5.0
_BOUND_MM = 4.0


def build_bone_template(
    paths: Sequence[Path],
    anatomy: tuple[Bone, Bone],
    patient_from_bone: Pose,
    words: Sequence[str],
    settings: TemplateSettings,
) -> Guide:
    """Make a stiff bar over the skin with a sleeve for each needle and each K-wire of one level.

    The wires hold it and set its direction; how high it stands is set by hand: the top of each
    wire's sleeve stands ``stand_off_mm`` (a value of its bore) from the spinous process, measured
    along the wire. It does not depend on the skin's shape, so the patient need not lie as in the
    scan, but the skin must stay under the bar.

    Args:
        paths: One or two needles and one or two parallel K-wires (kind ``pin``).
        anatomy: The level and the skin.
        patient_from_bone: The level's frame (x left, y back, z head).
        words: Of the label.
        settings: Sizes.

    Raises:
        GeometryError: Other paths than these, wires that are not parallel, skin out of view,
            sleeves that run into each other.
    """
    design, punctures = _design(paths, anatomy[1], patient_from_bone, words, settings)
    vertices, faces = make_solid(design, settings, NAME).arrays()
    frame, label = design.ground.back.patient_from_guide, " ".join(words)
    features = [*puncture_features(punctures), *text_features(design, settings, label)]
    return Guide(
        name=NAME,
        role="guide",
        vertices_mm=frame.points(vertices),
        faces=faces,
        bones=(anatomy[0].name,),
        neighbours=(SKIN,),
        features=in_patient(features, design),
        patient_from_guide=frame,
        insertion_direction=-frame.axes[:, 2],
        fit_gap_mm=settings.bar_clearance_mm,
        label=label,
    )


def _design(
    paths: Sequence[Path],
    skin: Bone,
    patient_from_bone: Pose,
    words: Sequence[str],
    settings: TemplateSettings,
) -> tuple[Design, tuple[Puncture, ...]]:
    """Decide frame, outline, bar, sleeves and texts."""
    way, middle = wires_of(paths)
    frame = guide_frame(way, patient_from_bone.axes[:, 2], middle)
    back = Back.of(skin, frame, patient_from_bone.axes[:, 1])
    punctures = tuple(puncture(p, frame, skin_point(p, back), settings) for p in paths)
    layout = fit_layout(words, _LABEL_MM, settings)
    height = max(float(p.sleeve.entry_mm[2]) for p in punctures)
    for _ in range(3):
        shape = _shape(punctures, layout, height + settings.bar_thickness_mm / 2, settings)
        ground = skin_heights(back, shape.outline, "a bone-anchored template")
        height = float(ground[:, 2].max()) + settings.bar_clearance_mm
    layer = (height, height + settings.bar_thickness_mm)
    tall = settings.sleeve_length_mm + settings.max_climb_mm + 2 * settings.bar_clearance_mm
    low = np.append(shape.outline.low_mm - 14.0, ground[:, 2].min() - 4.0)
    high = np.append(shape.outline.high_mm + 14.0, layer[1] + tall)
    over = Ground.around(back, low, high, settings.bar_clearance_mm + _BOUND_MM)
    punctures = standing(punctures, over, settings.bar_clearance_mm, settings)
    punctures = _through(punctures, layer[1] + _OVER_BAR_MM)
    keep_bores_apart([p.sleeve for p in punctures], settings)
    face = layer[1]
    places = on_surface(shape.label, layout.half_mm)
    label = tab_on(shape.label, layout.half_mm, _at_height(places, face), _BOUND_MM)
    half = mark_half(settings)
    marks = {
        letter: tab_on(at, half, _at_height(on_surface(at, half), face), _BOUND_MM)
        for letter, at in shape.marks.items()
    }
    design = Design(
        ground=over,
        sleeves=tuple(p.sleeve for p in punctures),
        outline=shape.outline,
        openings=(),
        label=label,
        layout=layout,
        marks=marks,
        layer_mm=layer,
        gap_mm=settings.bar_clearance_mm,
    )
    return design, punctures


def wires_of(paths: Sequence[Path]) -> tuple[Floats, Floats]:
    """Direction (3,) and middle of the entries (3,) of the K-wires among paths, patient LPS.

    Raises:
        GeometryError: Not one or two needles and wires each, or the wires are not parallel.
    """
    wires = [p for p in paths if p.kind == "pin"]
    n_needles = sum(p.kind == "needle" for p in paths)
    if not (1 <= len(wires) <= 2 and 1 <= n_needles <= 2 and len(wires) + n_needles == len(paths)):
        raise GeometryError(
            "a bone-anchored template takes one or two needles and one or two K-wires of one "
            f"level, found {n_needles} and {len(wires)} of {len(paths)} paths; leave the others out"
        )
    cosine = float(np.clip(wires[0].direction @ wires[-1].direction, -1, 1))
    apart = float(np.degrees(np.arccos(cosine)))
    if apart > _PARALLEL_DEG:
        raise GeometryError(
            f"the K-wires {wires[0].name} and {wires[-1].name} must be parallel so that the "
            f"template slides on them, found {apart:.1f} deg between them; plan them again"
        )
    way = np.sum([w.direction for w in wires], axis=0)
    return way / np.linalg.norm(way), np.mean([w.entry_mm for w in wires], axis=0)


@dataclass(frozen=True, eq=False)
class _Shape:
    """Outline of the bar and where the texts lie, guide frame."""

    outline: Outline
    label: Floats
    marks: dict[str, Floats]


def _shape(
    punctures: Sequence[Puncture], layout: Layout, height_mm: float, settings: TemplateSettings
) -> _Shape:
    """Lay out the bar: from the wires to the needles and their mirror places, and a label.

    The label lies beyond the wires, on the side that the needles do not come from; the side marks
    lie half way to the needles.
    """
    wires = np.array([_crossing(p, height_mm) for p in punctures if p.path.kind == "pin"])
    needles = np.array([_crossing(p, height_mm) for p in punctures if p.path.kind == "needle"])
    middle = wires.mean(axis=0)
    mirrored = needles * [-1, 1] + [2 * middle[0], 0]
    both = np.concatenate([needles, mirrored])
    outer = max(p.sleeve.outer_mm for p in punctures)
    radius = outer / 2 + STRIP_MM
    sign = -1.0 if needles[:, 1].mean() >= middle[1] else 1.0
    last = wires[:, 1].max() if sign > 0 else wires[:, 1].min()
    wide, tall = layout.half_mm
    label = np.array([middle[0], last + sign * (outer / 2 + STRIP_MM + tall)])
    inset = max(radius - STRIP_MM / 2, 0.0)
    corners = [
        label + np.array([s * max(wide - inset, 1.0), t * max(tall - inset, 1.0)])
        for s in (-1, 1)
        for t in (-1, 1)
    ]
    right = both[both[:, 0] > middle[0]].mean(axis=0)
    left = both[both[:, 0] < middle[0]].mean(axis=0)
    marks = {"L": (left + middle) / 2, "R": (right + middle) / 2}
    outline = Outline(np.concatenate([wires, both, corners]), radius)
    return _Shape(outline, label, marks)


def _crossing(p: Puncture, height_mm: float) -> Floats:
    """(2,): where an axis passes a height."""
    sleeve = p.sleeve
    return np.asarray(sleeve.at((height_mm - sleeve.entry_mm[2]) / sleeve.out[2])[:2])


def _through(punctures: Sequence[Puncture], height_mm: float) -> tuple[Puncture, ...]:
    """Make sleeves so long that they stand out of the bar, and those of wires equally high."""
    tops = [
        max(p.sleeve.top_mm, float((height_mm - p.sleeve.entry_mm[2]) / p.sleeve.out[2]))
        for p in punctures
    ]
    highest = max(
        float(p.sleeve.at(top)[2])
        for p, top in zip(punctures, tops, strict=True)
        if p.path.kind == "pin"
    )
    found = []
    for p, top in zip(punctures, tops, strict=True):
        level = float((highest - p.sleeve.entry_mm[2]) / p.sleeve.out[2])
        top_mm = level if p.path.kind == "pin" else top
        found.append(replace(p, sleeve=replace(p.sleeve, top_mm=top_mm)))
    return tuple(found)


def _at_height(places_mm: Floats, height_mm: float) -> Floats:
    """(N, 3): places (N, 2) at a height."""
    return np.column_stack([places_mm, np.full(len(places_mm), height_mm)])
