"""The whole plan on all bones, from where it is operated on and from the left."""

from __future__ import annotations

import numpy as np

from guidegen.mesh.picture import Camera, render_views
from guidegen.model.arrays import Floats
from guidegen.model.bone import SKIN
from guidegen.model.case import Case
from guidegen.model.frames import PATIENT, Pose
from guidegen.report.drawing import Figure, Note
from guidegen.report.section import Section
from guidegen.report.solids import (
    bone_solid,
    cut_solid,
    path_solids,
    picture_figure,
    pin_end,
)
from guidegen.report.wording import plain

LEFT = ("From the patient's left", (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
VIEWS = (("From behind", (0.0, -1.0, 0.0), (0.0, 0.0, 1.0)), LEFT)
FRONT_VIEWS = (("From the front", (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), LEFT)
"""Of plans with cuts: a knee is opened from the front."""
NAME_PX = 17.0
MARGIN_MM = 14.0
PIXELS_PER_MM = 4.0
WIDTH_LIMITS = (360, 520)
HEIGHT_LIMITS = (300, 820)


def overview_section(case: Case) -> Section | None:
    """Draw bones and paths; None without bones."""
    if not case.bones:
        return None
    content = {
        "figures": overview_figures(case),
        "has_paths": bool(case.plan.paths),
        "has_cuts": bool(case.plan.cuts),
    }
    return Section("overview", "The plan at a glance", "overview.html.j2", content)


def overview_figures(case: Case) -> list[Figure]:
    """The pictures from behind or the front, and from the left, in the patient's frame."""
    views = FRONT_VIEWS if case.plan.cuts else VIEWS
    planned = {p.bone for p in case.plan.paths} | {s.bone for s in case.plan.skipped}
    planned |= {cut.bone for cut in case.plan.cuts}
    solids = [bone_solid(bone, bone.name in planned) for bone in case.bones if bone.name != SKIN]
    for path in case.plan.paths:
        solids += path_solids(path)
    bones = {bone.name: bone for bone in case.bones}
    solids += [cut_solid(cut, bones.get(cut.bone)) for cut in case.plan.cuts]
    points = _points(case)
    size = _size(points)
    cameras = [
        Camera.framing(points, np.array(forward), np.array(up), size, MARGIN_MM)
        for _, forward, up in views
    ]
    widest = max(camera.width_mm for camera in cameras)
    cameras = [Camera(c.centre_mm, c.forward, c.up, widest) for c in cameras]
    patient = Pose.from_axes(np.eye(3), np.zeros(3), PATIENT, PATIENT)
    return [
        picture_figure(picture, camera, patient, caption, _names(case, camera, size))
        for picture, camera, (caption, _, _) in zip(
            render_views(solids, cameras, size), cameras, views, strict=True
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
    """The bones' names at the picture's left edge, at their height as far as there is room."""
    heights = [
        (float(camera.pixels(bone.bounds_mm.mean(axis=0), size)[1]), bone.name)
        for bone in case.bones
        if bone.name != SKIN
    ]
    notes, free = [], 0.0
    for y, name in sorted(heights):
        free = max(y, free + NAME_PX)
        notes.append(Note(plain(name), 26.0, free, "name"))
    return tuple(notes)
