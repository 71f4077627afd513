"""The whole plan on all bones, from behind and from the left."""

from __future__ import annotations

import numpy as np

from guidegen.mesh.picture import Camera, render_views
from guidegen.model.arrays import Floats
from guidegen.model.bone import SKIN
from guidegen.model.case import Case
from guidegen.model.frames import PATIENT, Pose
from guidegen.report.drawing import Figure, Note
from guidegen.report.section import Section
from guidegen.report.solids import bone_solid, path_solids, picture_figure, pin_end

VIEWS = (
    ("From behind", (0.0, -1.0, 0.0), (0.0, 0.0, 1.0)),
    ("From the patient's left", (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
)
MARGIN_MM = 14.0
PIXELS_PER_MM = 4.0
WIDTH_LIMITS = (360, 520)
HEIGHT_LIMITS = (300, 820)


def overview_section(case: Case) -> Section | None:
    """Draw bones and paths; None without bones."""
    if not case.bones:
        return None
    content = {"figures": overview_figures(case), "has_paths": bool(case.plan.paths)}
    return Section("overview", "The plan at a glance", "overview.html.j2", content)


def overview_figures(case: Case) -> list[Figure]:
    """The pictures from behind and from the left, in the patient's frame."""
    planned = {p.bone for p in case.plan.paths} | {s.bone for s in case.plan.skipped}
    solids = [bone_solid(bone, bone.name in planned) for bone in case.bones if bone.name != SKIN]
    for path in case.plan.paths:
        solids += path_solids(path)
    points = _points(case)
    size = _size(points)
    cameras = [
        Camera.framing(points, np.array(forward), np.array(up), size, MARGIN_MM)
        for _, forward, up in VIEWS
    ]
    widest = max(camera.width_mm for camera in cameras)
    cameras = [Camera(c.centre_mm, c.forward, c.up, widest) for c in cameras]
    patient = Pose.from_axes(np.eye(3), np.zeros(3), PATIENT, PATIENT)
    return [
        picture_figure(picture, camera, patient, caption, _names(case, camera, size))
        for picture, camera, (caption, _, _) in zip(
            render_views(solids, cameras, size), cameras, VIEWS, strict=True
        )
    ]


def _points(case: Case) -> Floats:
    """Everything that must be in the pictures (N, 3)."""
    pins = [pin_end(path) for path in case.plan.paths]
    parts = [bone.vertices_mm for bone in case.bones if bone.name != SKIN]
    return np.concatenate(parts + ([np.array(pins)] if pins else []))


def _size(points: Floats) -> tuple[int, int]:
    """Width and height in pixels that suit how tall the spine is."""
    span = np.ptp(points, axis=0) + 2 * MARGIN_MM
    scale = min(PIXELS_PER_MM, HEIGHT_LIMITS[1] / span[2], WIDTH_LIMITS[1] / span[:2].max())
    width = int(np.clip(span[:2].max() * scale, *WIDTH_LIMITS))
    return width, int(np.clip(span[2] * scale, *HEIGHT_LIMITS))


def _names(case: Case, camera: Camera, size: tuple[int, int]) -> tuple[Note, ...]:
    """The bones' names at the picture's left edge, at their height."""
    notes = []
    for bone in case.bones:
        if bone.name == SKIN:
            continue
        _, y = camera.pixels(bone.bounds_mm.mean(axis=0), size)
        notes.append(Note(bone.name.replace("_", " "), 26.0, float(y), "name"))
    return tuple(notes)
