"""How the bones stand to each other: axes of a leg, endplates of a spine, drawn on the bones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from guidegen.mesh.picture import Camera, render
from guidegen.model.arrays import Floats, unit
from guidegen.model.bone import SKIN, Bone
from guidegen.model.case import Case
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmarks
from guidegen.report.drawing import Circle, Figure, Stroke
from guidegen.report.section import Section
from guidegen.report.solids import bone_solid, picture_figure
from guidegen.report.wording import number, plain

MARGIN_MM = 14.0
HEIGHT_PX = 620
WIDTH_PX = (200, 420)
ENDPLATE_MM = 24.0
DOT_PX = 4.0
LEG = ("femur", "tibia")
SIDES = ("left", "right")
ENDS = ("superior", "inferior")


def alignment_section(case: Case) -> Section | None:
    """Draw the axes of each leg, or the endplates of the spine; None where neither is known."""
    marks = {found.bone: found for found in case.landmarks}
    figures = [*_legs(case, marks), *_spine(case, marks)]
    if not figures:
        return None
    return Section("alignment", "Alignment", "alignment.html.j2", {"figures": figures})


def _legs(case: Case, marks: Mapping[str, Landmarks]) -> Iterator[Figure]:
    """Each leg from the front and from its outside, with the axes that are in view."""
    for side in SIDES:
        own = [marks[f"{bone}_{side}"] for bone in LEG if f"{bone}_{side}" in marks]
        lines = [line for found in own if len(line := _axis(found)) == 2]
        if not lines:
            continue
        bones = [bone for bone in case.bones if bone.name.endswith(f"_{side}")]
        frame = own[0].patient_from_bone
        told = [_measured(case, f"{name}_{side}") for name in ("HKA", "FTA")]
        text = ", ".join(part for part in told if part)
        outside = frame.axes[:, 0] * (-1.0 if side == "left" else 1.0)
        for caption, forward in (
            ("from the front", -_to_front(frame)),
            ("from the outside", outside),
        ):
            caption = f"{side.capitalize()} leg {caption}" + (f": {text}" if text else "")
            yield _drawn(bones, lines, (forward, frame.axes[:, 2]), frame, caption)


def _to_front(frame: Pose) -> Floats:
    """(3,): to anterior; the frame's y points back."""
    return np.asarray(-frame.axes[:, 1])


def _axis(marks: Landmarks) -> Floats:
    """Both ends of a bone's mechanical axis (2, 3); fewer where an end is out of view."""
    ends = (
        ("femoral_head_centre", "knee_centre")
        if marks.bone.startswith("femur")
        else ("plateau_centre", "ankle_centre")
    )
    return np.array([marks[name].position_mm for name in ends if name in marks])


def _measured(case: Case, name: str) -> str:
    for item in case.plan.measurements:
        if item.name == name:
            return f"{plain(name).split(' ')[0]} {number(item.value)}°"
    return ""


def _spine(case: Case, marks: Mapping[str, Landmarks]) -> Iterator[Figure]:
    """The spine from the left, with its endplates and the angle between the outermost."""
    own = [marks[level.name] for level in case.levels if level.name in marks]
    plates = [line for found in own for line in _endplates(found)]
    bones = [bone for bone in case.bones if bone.name in marks and bone.name != SKIN]
    if not plates or not bones:
        return
    patient = Pose.from_axes(np.eye(3), np.zeros(3), PATIENT, PATIENT)
    caption = "From the patient's left, with the endplates" + _between(own)
    ways = (np.array([-1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    yield _drawn(bones, plates, ways, patient, caption)


def _endplates(marks: Landmarks) -> Iterator[Floats]:
    """Each endplate as a line (2, 3) from front to back."""
    back = marks.patient_from_bone.axes[:, 1]
    for end in ENDS:
        normal = _normal(marks, end)
        if normal is not None:
            along = unit(back - (back @ normal) * normal, "endplate") * ENDPLATE_MM
            centre = marks[f"{end}_endplate_centre"].position_mm
            yield np.array([centre - along, centre + along])


def _normal(marks: Landmarks, end: str) -> Floats | None:
    name = f"{end}_endplate_centre"
    if name not in marks or "normal" not in marks[name].values:
        return None
    return unit(np.asarray(marks[name].values["normal"], dtype=np.float64), "endplate")


def _between(own: Sequence[Landmarks]) -> str:
    """The angle between the highest upper and the lowest lower endplate, in the sagittal plane."""
    if len(own) < 2:
        return ""
    high, low = _normal(own[0], "superior"), _normal(own[-1], "inferior")
    if high is None or low is None:
        return ""
    lean = [np.degrees(np.arctan2(-n[1], abs(n[2]))) for n in (_up(high), _up(low))]
    angle = float(lean[0] - lean[1])
    kind = "kyphosis" if angle > 0 else "lordosis"
    return f"; {own[0].bone} to {own[-1].bone}: {number(abs(angle))}° {kind}, as the patient lay"


def _up(normal: Floats) -> Floats:
    return normal if normal[2] > 0 else -normal


def _drawn(
    bones: Sequence[Bone],
    lines: Sequence[Floats],
    ways: tuple[Floats, Floats],
    frame: Pose,
    caption: str,
) -> Figure:
    """Lines on a picture of bones, seen along a direction with another one up."""
    points = np.concatenate([*(bone.vertices_mm for bone in bones), *lines])
    across = np.cross(*ways)
    span = [float(np.ptp(points @ way)) + 2 * MARGIN_MM for way in (across, ways[1])]
    width = int(np.clip(HEIGHT_PX * span[0] / span[1], *WIDTH_PX))
    camera = Camera.framing(points, *ways, (width, HEIGHT_PX), MARGIN_MM)
    picture = render([bone_solid(bone) for bone in bones], camera, (width, HEIGHT_PX))
    ends = [camera.pixels(line, (width, HEIGHT_PX)) for line in lines]
    strokes = tuple(Stroke("mechanical", _stroke(line)) for line in ends)
    dots = tuple(Circle("mechanical", float(x), float(y), DOT_PX) for line in ends for x, y in line)
    figure = picture_figure(picture, camera, frame, caption)
    return replace(figure, strokes=strokes, circles=dots)


def _stroke(line: Floats) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line)
