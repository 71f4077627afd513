"""How a skin template is laid out: outline, windows, notches, sights, and where its texts lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guidegen.cad.label import Layout, fit_layout
from guidegen.cad.template_design import Puncture, mark_half
from guidegen.cad.template_outline import Midline, Opening, Outline, composite, notch
from guidegen.cad.template_settings import TemplateSettings
from guidegen.model.arrays import Floats

STRIP_MM = 4.0
"""Left standing between two openings, or an opening and a sleeve."""
_LEAST_WINDOW_MM = 6.0
_LABEL_MM = 28.0
"""Room for the label that even the narrowest plate has."""
_RIM_MM = 6.0
"""Left standing outside an opening beside a sleeve."""
Rows = dict[tuple[str, float], tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Shape:
    """The flat shape: outline, openings, and where the texts lie (centres (2,), half sizes)."""

    outline: Outline
    openings: tuple[Opening, ...]
    layout: Layout
    label: Floats
    marks: dict[str, Floats]


def label_ends(punctures: Sequence[Puncture]) -> tuple[float, float]:
    """Ends of the plate for the label, head 1 or foot -1: first where no sleeve leans over it."""
    lean = float(np.mean([p.sleeve.out[1] for p in punctures]))
    return (-1.0, 1.0) if lean > 0 else (1.0, -1.0)


def flat_shape(
    punctures: Sequence[Puncture],
    midline: Midline,
    words: Sequence[str],
    settings: TemplateSettings,
    sign: float,
) -> Shape:
    """Lay out the plate: a rounded shape over all sleeves and their mirror places.

    Args:
        punctures: The needles.
        midline: The spinous-process line.
        words: Of the label.
        settings: Sizes.
        sign: The label lies at the head end (1) or at the foot end (-1), the side marks at the
            other.
    """
    rows = rows_of(punctures, midline)
    outer = max(p.sleeve.outer_mm for p in punctures)
    radius = outer / 2 + settings.margin_mm
    inner = settings.sight_mm / 2 + STRIP_MM
    half = max(settings.min_half_width_mm - radius, _LABEL_MM + inner - radius / 3)
    half = max(half, *(abs(off) for off, _ in rows.values()))
    layout = fit_layout(words, half + radius / 3 - inner, settings)
    heights = np.array([y for _, y in rows.values()])
    window = settings.window_height_mm / 2
    reach = max(settings.band_mm, 2 * layout.half_mm[1] + 2 * STRIP_MM)
    ends = {sign: window + reach, -sign: window + settings.band_mm}
    top = float(heights.max()) + ends[1.0]
    foot = float(heights.min()) - ends[-1.0]
    points = [(float(midline.x_at(y)) + off, y) for off, y in rows.values()]
    for y in (top - radius, foot + radius):
        points += [(float(midline.x_at(y)) + s * half, y) for s in (-1, 1)]
    outline = Outline(np.array(points), radius)
    edge = heights.max() if sign > 0 else heights.min()
    y = float(edge) + sign * (window + STRIP_MM + layout.half_mm[1])
    label = np.array([float(midline.x_at(y)) + inner + layout.half_mm[0], y])
    width, tall = mark_half(settings)
    other = heights.min() if sign > 0 else heights.max()
    y = float(other) - sign * (window + STRIP_MM + tall)
    off = max(inner + width, 0.55 * half)
    at = {letter: s * off for letter, s in (("L", -1), ("R", 1))}
    marks = {letter: np.array([float(midline.x_at(y)) + x, y]) for letter, x in at.items()}
    openings = windows(rows, midline, (outer, half + radius), settings)
    size = (settings.notch_width_mm, settings.notch_depth_mm)
    openings += [notch(outline, midline, s, size) for s in (1.0, -1.0)]
    openings += spinous_sights(outline, openings, midline, settings)
    return Shape(outline, tuple(openings), layout, label, marks)


def windows(
    rows: Rows, midline: Midline, widths_mm: tuple[float, float], settings: TemplateSettings
) -> list[Opening]:
    """Openings between each sleeve and the midline, or beside the sleeve where there is room.

    Args:
        rows: The sleeves.
        midline: The spinous-process line.
        widths_mm: Outer diameter of a sleeve and half width of the plate.
        settings: Sizes.
    """
    outer, edge = widths_mm
    found = []
    for (level, sign), (off, y) in rows.items():
        beside = [b for (_, s), (_, b) in rows.items() if s == sign and b != y]
        tall = min([settings.window_height_mm, *(abs(b - y) - STRIP_MM for b in beside)])
        near, far = settings.sight_mm / 2 + STRIP_MM, abs(off) - outer / 2 - STRIP_MM
        if far - near < _LEAST_WINDOW_MM:
            near, far = abs(off) + outer / 2 + STRIP_MM, edge - _RIM_MM
        wide = min(settings.window_width_mm, far - near)
        if min(wide, tall) < _LEAST_WINDOW_MM:
            continue
        inward = abs(off) > far
        x = float(midline.x_at(y)) + sign * (far - wide / 2 if inward else near + wide / 2)
        name = f"{level}_{'right' if sign > 0 else 'left'}"
        corner = min(wide, tall) / 3
        found.append(Opening("window", name, np.array([x, y]), (wide / 2, tall / 2), corner))
    return found


def spinous_sights(
    outline: Outline, others: Sequence[Opening], midline: Midline, settings: TemplateSettings
) -> list[Opening]:
    """A hole over the tip of every spinous process that lies under the plate."""
    half = settings.sight_mm / 2
    found = []
    for n, tip in enumerate(midline.points_mm):
        if float(composite(outline, others, tip)) < -(half + STRIP_MM - 1.0):
            found.append(Opening("sight", f"spinous_{n + 1}", tip, (half, half), half))
    return found


def rows_of(punctures: Sequence[Puncture], midline: Midline) -> Rows:
    """Where the sleeves of each level and side stand, a missing side mirrored.

    Returns:
        Distance from the midline (signed, x to the patient's right) and height, by level and sign.
    """
    found: Rows = {}
    for p in punctures:
        off = float(p.place_mm[0] - midline.x_at(p.place_mm[1]))
        found[p.path.bone, float(np.sign(off) or 1.0)] = (off, float(p.place_mm[1]))
    for (level, sign), (off, y) in list(found.items()):
        found.setdefault((level, -sign), (-off, y))
    return found
