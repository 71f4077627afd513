"""Landmarks of a femur and the femur's own frame, from its closed surface."""

from __future__ import annotations

import numpy as np

from guidegen.anatomy.condyles import DISTAL_MM, Condyles, find_condyles
from guidegen.anatomy.distal_femur import find_distal
from guidegen.anatomy.femoral_cortex import find_front_cortex
from guidegen.anatomy.femoral_head import Head, find_head
from guidegen.anatomy.knee_axes import Axes
from guidegen.anatomy.long_bone import (
    LEAST_SLENDER,
    Faces,
    Shaft,
    require_width,
    square_to,
    whole_shaft,
)
from guidegen.anatomy.sulcus import find_sulcus
from guidegen.anatomy.trochlea import find_trochlea
from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats, unit
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmark, Landmarks

_FARTHEST_SHARE = 0.06


def find_femur(bone: Bone) -> Landmarks:
    """Find the landmarks of a femur with head, shaft and condyles in view.

    Nothing is taken from how the leg lay: the head tells the proximal end and medial, the condyles
    stand out to the back, and the side follows from these three.

    Args:
        bone: Closed surface, patient LPS.

    Returns:
        ``femoral_head_centre`` (with ``radius_mm``), ``knee_centre`` and ``intercondylar_notch``
        (the same point), ``lateral_epicondyle``, ``medial_epicondyle``,
        ``posterior_condyle_lateral|medial``, ``distal_condyle_lateral|medial``; where they can be
        told also ``trochlear_groove`` (middle of its deepest line, with ``top_mm``, ``bottom_mm``,
        ``along``, ``depth_mm``), ``anterior_cortex`` (with ``from_mm``, ``to_mm`` above the knee's
        centre) and ``medial_sulcus`` (with ``depth_mm``);
        ``patient_from_bone`` has its origin in the knee centre, z along the mechanical axis to the
        head, x to the patient's left square to it along the posterior condyles, y to the back.

    Raises:
        AnatomyError: Head or condyles are not in view.
    """
    faces = Faces.of(bone)
    head = find_head(faces)
    if head is None:
        raise AnatomyError(f"{bone.name}: a femoral head was wanted, none is in view")
    rough, shaft = _rough_axes(faces, head)
    try:
        found = find_condyles(faces, rough, head.centre_mm)
        _require_whole(found, head)
    except AnatomyError as error:
        raise AnatomyError(f"{bone.name}: {error}") from None
    marks = (*_points(head, found, shaft), *_where_told(faces, found))
    return Landmarks(bone.name, _frame(found, bone.name), marks)


def find_femur_without_head(bone: Bone) -> Landmarks:
    """Find the landmarks of a femur that is cut off above, about the axis of its shaft.

    Args:
        bone: Closed surface, patient LPS, with at least 40 mm of the shaft.

    Returns:
        As ``find_femur`` without the head; z of ``patient_from_bone`` is the anatomical axis,
        which leans a few degrees against the mechanical one. ``shaft`` has ``side_clear`` (1 or
        0): whether both signs of the side agree.

    Raises:
        AnatomyError: Condyles or shaft are not in view.
    """
    faces = Faces.of(bone)
    try:
        found = find_distal(faces)
    except AnatomyError as error:
        raise AnatomyError(f"{bone.name}: {error}") from None
    clear = {"side_clear": float(found.side_is_clear)}
    marks = _points(None, found.condyles, found.shaft, clear)
    more = _where_told(faces, found.condyles)
    return Landmarks(bone.name, _frame(found.condyles, bone.name), (*marks, *more))


def side_of(marks: Landmarks) -> str:
    """``left`` or ``right``: the side on which the lateral epicondyle lies in the bone's frame."""
    inside = marks.patient_from_bone.inverse.points(marks["lateral_epicondyle"].position_mm)
    return "left" if inside[0] > 0 else "right"


def _require_whole(found: Condyles, head: Head) -> None:
    """A head found on a short piece is a condyle."""
    length = float(np.linalg.norm(head.centre_mm - found.notch))
    width = float(np.linalg.norm(found.epicondyles[0] - found.epicondyles[1]))
    if length < LEAST_SLENDER * width:
        raise AnatomyError(
            f"a whole femur was wanted, found {length:.0f} mm from head to knee at a width of "
            f"{width:.0f} mm: a part of it is out of view"
        )
    require_width("femur", width)


def _rough_axes(faces: Faces, head: Head) -> tuple[Axes, Shaft]:
    """Directions within a few degrees: up and medial by the head, back by the condyles."""
    away = np.linalg.norm(faces.centres - head.centre_mm, axis=1)
    end = faces.centroid(away > (1 - _FARTHEST_SHARE) * away.max())
    up = unit(head.centre_mm - end, "femur")
    shaft = whole_shaft(faces, up)
    low = faces.centroid(faces.centres @ up < (faces.centres @ up).min() + DISTAL_MM)
    medial = square_to(head.centre_mm - shaft.point_mm, up, "medial")
    offset = low - shaft.point_mm
    offset = offset - (offset @ shaft.up) * shaft.up
    back = np.cross(up, medial)
    back = back if back @ offset > 0 else -back
    return Axes(medial, back, up), shaft


def _frame(found: Condyles, name: str) -> Pose:
    axes = found.axes
    left = axes.medial if axes.is_right else -axes.medial
    columns = np.stack([left, np.cross(axes.up, left), axes.up], axis=1)
    return Pose.from_axes(columns, found.notch, PATIENT, name)


def _points(
    head: Head | None, found: Condyles, shaft: Shaft, more: dict[str, float] | None = None
) -> list[Landmark]:
    told: dict[str, float | tuple[float, ...]] = {"along": _plain(shaft.up), **(more or {})}
    marks = [Landmark("shaft", shaft.point_mm, shaft.spread_mm, "line through slices", told)]
    if head is not None:
        size = {"radius_mm": head.radius_mm, "sphere_share": head.share}
        centre, spread = head.centre_mm, head.spread_mm
        marks.append(Landmark("femoral_head_centre", centre, spread, "sphere fit", size))
    roof = "where the groove's floor turns up into the notch"
    marks += [Landmark(n, found.notch, 1.5, roof) for n in ("knee_centre", "intercondylar_notch")]
    for n, side in enumerate(("medial", "lateral")):
        marks += [
            _extreme(f"posterior_condyle_{side}", found.posterior[n], "most posterior point"),
            _extreme(f"distal_condyle_{side}", found.distal[n], "most distal point"),
            _extreme(f"{side}_epicondyle", found.epicondyles[n], "farthest out on their own line"),
        ]
    return marks


def _where_told(faces: Faces, found: Condyles) -> list[Landmark]:
    """Landmarks that not every femur shows."""
    marks = []
    groove = find_trochlea(faces, found)
    if groove is not None:
        course: dict[str, float | tuple[float, ...]] = {
            "top_mm": _plain(groove.line[0]),
            "bottom_mm": _plain(groove.line[-1]),
            "along": _plain(groove.along),
            "depth_mm": groove.depth_mm,
        }
        text = "middle of the deepest line"
        marks.append(Landmark("trochlear_groove", groove.middle, groove.spread_mm, text, course))
    cortex = find_front_cortex(faces, found)
    if cortex is not None:
        heights = {"from_mm": cortex.from_mm, "to_mm": cortex.to_mm}
        text = "most anterior point of the shaft just above the trochlea"
        marks.append(Landmark("anterior_cortex", cortex.point, cortex.spread_mm, text, heights))
    hollow = find_sulcus(faces, found)
    if hollow is not None:
        depth = {"depth_mm": hollow.depth_mm}
        text = "deepest point of the hollow behind the ridge"
        marks.append(Landmark("medial_sulcus", hollow.point, hollow.spread_mm, text, depth))
    return marks


def _plain(vector: Floats) -> tuple[float, ...]:
    return tuple(float(v) for v in vector)


def _extreme(name: str, point: Floats, method: str) -> Landmark:
    return Landmark(name, point, 2.0, method)
