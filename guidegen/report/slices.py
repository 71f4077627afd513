"""The CT along and across every path, with its outline to true scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.model.case import Case
from guidegen.model.plan import Path
from guidegen.report.contour import contours
from guidegen.report.drawing import (
    UNITS_PER_MM,
    Circle,
    Figure,
    Stroke,
    bar_mm,
    line,
    loops,
    rectangle,
)
from guidegen.report.frames import bone_frame, bore_of, isthmus_depth_mm
from guidegen.report.plane import Plane, axial_plane, cross_plane, sagittal_plane, sample
from guidegen.report.raster import jpeg_uri
from guidegen.report.section import Section
from guidegen.report.wording import DASH, number, path_title

PIXELS = 288
MARGIN_MM = 7.0
FIELD_LIMITS_MM = (60.0, 96.0)
FROM_SKIN_MM = 165.0
"""Largest side of the pictures where a path is shown from the skin on."""
CROSS_FIELD_MM = 42.0


@dataclass(frozen=True)
class PathFigures:
    """The pictures of one path, under one title."""

    title: str
    facts: str
    warnings: tuple[str, ...]
    figures: tuple[Figure, ...]


def slices_section(case: Case) -> Section | None:
    """Draw three planes through every path of the plan."""
    if not case.plan.paths or (case.volume is None and not case.bones):
        return None
    field_mm = common_field_mm(case)
    content = {
        "items": [_path_figures(case, path, field_mm) for path in case.plan.paths],
        "has_ct": case.volume is not None,
        "has_sleeves": any(bore_of(case, path) for path in case.plan.paths),
    }
    return Section("slices", "CT along every path", "slices.html.j2", content, new_page=True)


def common_field_mm(case: Case) -> float:
    """Side of the square that the long pictures show: one scale for the whole report."""
    reach = [FIELD_LIMITS_MM[0]]
    for path in case.plan.paths:
        for plane in _long_planes(case, path):
            flat = np.abs(plane.flat(_extent(case, path)))
            reach.append(2 * float(flat.max()) + 2 * MARGIN_MM)
    from_skin = any(path.skin_mm is not None for path in case.plan.paths)
    return float(np.ceil(min(max(reach), FROM_SKIN_MM if from_skin else FIELD_LIMITS_MM[1])))


def _extent(case: Case, path: Path) -> Floats:
    """Points (N, 3) that the long pictures should show: the path, its sleeve, the bone's middle."""
    points = [path.entry_mm, path.tip_mm, bone_frame(case, path.bone).origin_mm]
    points += [] if path.skin_mm is None else [path.skin_mm]
    built = bore_of(case, path)
    if built is not None:
        points.append(built[1].point_mm)
    return np.array(points)


def _long_planes(case: Case, path: Path) -> tuple[Plane, Plane]:
    """The two planes along a path, with their middle between everything to be shown."""
    frame, extent = bone_frame(case, path.bone), _extent(case, path)
    middle = (extent.min(axis=0) + extent.max(axis=0)) / 2
    return axial_plane(path, frame).moved(middle), sagittal_plane(path, frame).moved(middle)


def _path_figures(case: Case, path: Path, field_mm: float) -> PathFigures:
    """All three pictures of a path."""
    frame = bone_frame(case, path.bone)
    depth = isthmus_depth_mm(case, path)
    axial, sagittal = _long_planes(case, path)
    across = cross_plane(path, frame, depth)
    figures = (
        slice_figure(case, path, axial, (field_mm, "Axial-oblique, seen from the feet")),
        slice_figure(case, path, sagittal, (field_mm, "Sagittal-oblique, seen from the left")),
        slice_figure(
            case,
            path,
            across,
            (CROSS_FIELD_MM, f"Across, {number(depth)} mm deep, seen from the front"),
        ),
    )
    return PathFigures(path_title(path), _facts(path), path.warnings, figures)


def _facts(path: Path) -> str:
    """One line of the path's numbers."""
    hu = path.extra.get("mean_hu")
    parts = [
        f"corridor {number(path.corridor_diameter_mm)} mm",
        f"clearance {number(path.clearance_mm, 2)} mm",
        f"axial {number(path.axial_angle_deg)}°",
        f"sagittal {number(path.sagittal_angle_deg)}°",
        f"mean {number(hu, 0)} HU",
    ]
    return " · ".join(p for p in parts if DASH not in p)


def slice_figure(case: Case, path: Path, plane: Plane, look: tuple[float, str]) -> Figure:
    """Draw one plane: CT, bone surfaces, sleeve and path.

    Args:
        case: The case.
        path: The path the plane belongs to.
        plane: Its origin is the picture's middle.
        look: Side of the picture in mm, and its caption.
    """
    field_mm, caption = look
    image = ""
    if case.volume is not None:
        image = jpeg_uri(sample(case.volume, plane, field_mm, PIXELS))
    strokes, circles = _path_lines(case, path, plane, field_mm)
    size = field_mm * UNITS_PER_MM
    bar = bar_mm(field_mm)
    return Figure(
        caption=caption,
        width=size,
        height=size,
        image=image,
        marks=plane.marks(bone_frame(case, path.bone)),
        strokes=(*_surfaces(case, path, plane, field_mm), *strokes),
        circles=circles,
        bar=bar * UNITS_PER_MM,
        bar_text=f"{number(bar, 0)} mm",
        text=size / 19,
        dark=True,
    )


def _surfaces(case: Case, path: Path, plane: Plane, field_mm: float) -> list[Stroke]:
    """The guide's and the bones' surfaces cut by the plane."""
    strokes = []
    built = bore_of(case, path)
    if built is not None:
        curves = contours(built[0].vertices_mm, built[0].faces, plane, field_mm / 2)
        strokes.append(Stroke("guide", loops(curves, field_mm)))
    for bone in case.bones:
        away = np.maximum(bone.bounds_mm[0] - plane.origin_mm, plane.origin_mm - bone.bounds_mm[1])
        if away.max() < field_mm:
            curves = contours(bone.vertices_mm, bone.faces, plane, field_mm / 2)
            style = "bone" if bone.name == path.bone else "neighbour"
            strokes.append(Stroke(style, loops(curves, field_mm)))
    return [s for s in strokes if s.d]


def _path_lines(
    case: Case, path: Path, plane: Plane, field_mm: float
) -> tuple[tuple[Stroke, ...], tuple[Circle, ...]]:
    """The path as a rectangle along it or a circle across it, and its sleeve."""
    built = bore_of(case, path)
    if abs(float(path.direction @ plane.normal)) > 0.5:
        x, y = (plane.flat(path.entry_mm) * (1, -1) + field_mm / 2) * UNITS_PER_MM
        radius = path.diameter_mm / 2 * UNITS_PER_MM
        middle = Circle("centre", float(x), float(y), 0.25 * UNITS_PER_MM)
        return (), (Circle("path", float(x), float(y), radius), middle)
    entry, tip = plane.flat(path.entry_mm), plane.flat(path.tip_mm)
    strokes = []
    if built is not None:
        bore = built[1]
        top = plane.flat(bore.point_mm)
        end = plane.flat(bore.point_mm + bore.values.get("length_mm", 0.0) * bore.direction)
        for key, style in (("outer_mm", "sleeve"), ("diameter_mm", "bore")):
            if bore.values.get(key):
                corners = rectangle(top, end, bore.values[key])
                strokes.append(Stroke(style, line(corners, field_mm, closed=True)))
        strokes.append(Stroke("axis", line(np.array([top, entry]), field_mm)))
    elif path.skin_mm is not None:
        skin = plane.flat(path.skin_mm)
        strokes.append(Stroke("axis", line(np.array([skin, entry]), field_mm)))
    box = rectangle(entry, tip, path.diameter_mm)
    strokes.append(Stroke("axis", line(np.array([entry, tip]), field_mm)))
    strokes.append(Stroke("path", line(box, field_mm, closed=True)))
    x, y = (entry * (1, -1) + field_mm / 2) * UNITS_PER_MM
    return tuple(strokes), (Circle("centre", float(x), float(y), 0.9 * UNITS_PER_MM),)
