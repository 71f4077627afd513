"""Needles on the views of the C-arm: the CT summed up along a level's own axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.model.arrays import Floats
from guidegen.model.case import Case
from guidegen.model.frames import Pose
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Path
from guidegen.model.volume import CTVolume
from guidegen.report.drawing import UNITS_PER_MM, Circle, Figure, Stroke, bar_mm, line, rectangle
from guidegen.report.frames import bone_frame
from guidegen.report.plane import Plane, hu_on
from guidegen.report.raster import jpeg_uri
from guidegen.report.section import Section
from guidegen.report.wording import number, plain

FIELD_MM = 110.0
STEP_MM = 0.7
DEPTH_MM = {"ap": (-32.0, 62.0), "lateral": (-26.0, 26.0)}
"""What is summed up, along the view's axis from the body's centre: the vertebra, not the ribs'
and the belly's shadows over it."""
BONE_HU = 60.0
GAMMA = 0.8
RING_POINTS = 48


@dataclass(frozen=True)
class LevelViews:
    """Both views of one level."""

    title: str
    facts: str
    figures: tuple[Figure, ...]


def fluoroscopy_section(case: Case) -> Section | None:
    """Draw the front and the side view of every level that has a needle; None without needles."""
    needles = [path for path in case.plan.paths if path.kind == "needle"]
    if not needles or case.volume is None:
        return None
    levels = list(dict.fromkeys(path.bone for path in needles))
    items = [_views(case, case.volume, level) for level in levels]
    title = "As the operator sees it"
    return Section("fluoroscopy", title, "fluoroscopy.html.j2", {"items": items}, new_page=True)


def _views(case: Case, volume: CTVolume, level: str) -> LevelViews:
    frame = bone_frame(case, level)
    paths = [path for path in case.plan.paths if path.bone == level and path.kind == "needle"]
    marks = next((m for m in case.landmarks if m.bone == level), None)
    x, y, z = frame.axes.T
    planes = (
        ("ap", Plane(frame.origin_mm + 8.0 * y, -x, z), "Front view (AP), seen from behind"),
        ("lateral", Plane(frame.origin_mm + 18.0 * y, y, z), "Side view, seen from the left"),
    )
    figures = tuple(
        _view(volume, plane, DEPTH_MM[key], caption, _overlay(paths, marks, plane, frame))
        for key, plane, caption in planes
    )
    facts = " · ".join(
        f"{path.side}: {number(path.axial_angle_deg)}° towards the midline, "
        f"{number(path.sagittal_angle_deg)}° towards the head"
        for path in paths
    )
    return LevelViews(plain(level), facts, figures)


def _view(
    volume: CTVolume,
    plane: Plane,
    depth_mm: tuple[float, float],
    caption: str,
    drawn: tuple[tuple[Stroke, ...], tuple[Circle, ...], Pose],
) -> Figure:
    strokes, circles, frame = drawn
    size, bar = FIELD_MM * UNITS_PER_MM, bar_mm(FIELD_MM)
    return Figure(
        caption=caption,
        width=size,
        height=size,
        image=jpeg_uri(radiograph(volume, plane, depth_mm)),
        marks=plane.marks(frame),
        strokes=strokes,
        circles=circles,
        bar=bar * UNITS_PER_MM,
        bar_text=f"{number(bar, 0)} mm",
        text=size / 19,
        dark=True,
    )


def radiograph(
    volume: CTVolume, plane: Plane, depth_mm: tuple[float, float]
) -> npt.NDArray[np.uint8]:
    """Sum bone up along a plane's normal, as a radiograph does with parallel rays.

    Args:
        volume: The CT.
        plane: Its origin is the picture's middle.
        depth_mm: From and to, along the normal away from the viewer, from the plane's origin.

    Returns:
        (N, N) uint8, first row on top; bone is bright.
    """
    n = round(FIELD_MM / STEP_MM)
    total = np.zeros((n, n))
    for place in np.arange(depth_mm[0], depth_mm[1], STEP_MM):
        deep = Plane(plane.origin_mm - place * plane.normal, plane.right, plane.up)
        total += np.maximum(hu_on(volume, deep, FIELD_MM, n) - BONE_HU, 0.0)
    bright = total / max(float(np.quantile(total, 0.995)), 1.0)
    return np.asarray(255 * np.clip(bright, 0, 1) ** GAMMA, dtype=np.uint8)


def _overlay(
    paths: list[Path], marks: Landmarks | None, plane: Plane, frame: Pose
) -> tuple[tuple[Stroke, ...], tuple[Circle, ...], Pose]:
    """Needles to scale, their tips, and the rings of the pedicles."""
    strokes: list[Stroke] = []
    circles: list[Circle] = []
    for side in ("left", "right"):
        ring = pedicle_ring(marks, side)
        if ring is not None:
            strokes.append(Stroke("ring", line(plane.flat(ring), FIELD_MM, closed=True)))
    for path in paths:
        out = path.entry_mm - 30.0 * path.direction if path.skin_mm is None else path.skin_mm
        start, entry, tip = (plane.flat(p) for p in (out, path.entry_mm, path.tip_mm))
        strokes.append(Stroke("axis", line(np.array([start, entry]), FIELD_MM)))
        box = rectangle(entry, tip, path.diameter_mm)
        strokes.append(Stroke("path", line(box, FIELD_MM, closed=True)))
        for place, radius in ((entry, 0.9), (tip, path.diameter_mm / 2)):
            x, y = (place * (1, -1) + FIELD_MM / 2) * UNITS_PER_MM
            style = "centre" if place is entry else "path"
            circles.append(Circle(style, float(x), float(y), radius * UNITS_PER_MM))
    return tuple(strokes), tuple(circles), frame


def pedicle_ring(marks: Landmarks | None, side: str) -> Floats | None:
    """(N, 3): the outline of a pedicle's narrowest section; None where it was not found."""
    name = f"pedicle_{side}"
    if marks is None or name not in marks:
        return None
    mark = marks[name]
    along = np.asarray(mark.values["along"], dtype=np.float64)
    across = np.cross(marks.patient_from_bone.axes[:, 2], along)
    across = across / np.linalg.norm(across)
    height = np.cross(along, across)
    wide, high = (float(np.ravel(mark.values[key])[0]) / 2 for key in ("width_mm", "height_mm"))
    turn = 2 * np.pi * np.arange(RING_POINTS) / RING_POINTS
    ring = wide * np.cos(turn)[:, None] * across + high * np.sin(turn)[:, None] * height
    return np.asarray(mark.position_mm + ring)
