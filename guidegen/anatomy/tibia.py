"""Landmarks of a tibia and the tibia's own frame, from its closed surface."""

from __future__ import annotations

import numpy as np

from guidegen.anatomy.knee_axes import Axes
from guidegen.anatomy.long_bone import (
    LEAST_SLENDER,
    Faces,
    Shaft,
    require_width,
    square_to,
    whole_shaft,
)
from guidegen.anatomy.plateau import Plateau, find_plateau, outline_axes
from guidegen.anatomy.proximal_tibia import find_proximal
from guidegen.errors import AnatomyError
from guidegen.geometry.planes import fit_plane
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmark, Landmarks

_END_MM = 20.0
_ANKLE_MM = 25.0
_FACING_DOWN = 0.8
_PLAFOND_MM = 6.0
_MALLEOLUS_MM = 5.0
"""The malleolus stands at least so far out of the plafond's plane; where the scan cuts a shaft off,
the lowest point lies in the cut."""


def find_tibia(bone: Bone) -> Landmarks:
    """Find the landmarks of a tibia from plateau to ankle.

    Nothing is taken from how the leg lay: the wider end is the knee, the plateaus stand out to the
    back of the shaft, the malleolus at the lower end is medial.

    Args:
        bone: Closed surface, patient LPS.

    Returns:
        ``plateau_centre`` (with ``width_mm``, ``depth_mm``), ``plateau_medial|lateral``,
        ``eminence_medial|lateral``, ``posterior_cruciate``, ``tubercle``,
        ``tubercle_medial_third``, ``ankle_centre``, ``malleolus_medial``, ``shaft`` (with
        ``along``); ``patient_from_bone`` has its origin in the plateau's centre, z along the
        mechanical axis, y from the tubercle's medial third to the posterior cruciate's place, x
        to the patient's left.

    Raises:
        AnatomyError: One of the ends is not in view.
    """
    faces = Faces.of(bone)
    try:
        rough, shaft = _rough_axes(faces)
        ankle, spread = _ankle_centre(faces, rough.up)
        found = find_plateau(faces, rough, ankle)
        length = float(np.linalg.norm(found.centre - ankle))
        if length < LEAST_SLENDER * found.width_mm:
            raise AnatomyError(
                f"a whole tibia was wanted, found {length:.0f} mm of one whose plateaus are "
                f"{found.width_mm:.0f} mm wide: a part of it is out of view"
            )
        require_width("tibia", found.width_mm)
    except AnatomyError as error:
        raise AnatomyError(f"{bone.name}: {error}") from None
    tip = _malleolus(faces, found.axes)
    marks = [
        Landmark("ankle_centre", ankle, spread, "middle of the plafond"),
        Landmark("malleolus_medial", tip, 1.0, "most distal point"),
        Landmark("shaft", shaft.point_mm, shaft.spread_mm, "line through slices", _way(shaft.up)),
    ]
    return Landmarks(bone.name, _frame(found, bone.name), (*_points(found), *marks))


def find_tibia_without_ankle(bone: Bone) -> Landmarks:
    """Find the landmarks of a tibia that is cut off below, about the axis of its shaft.

    Args:
        bone: Closed surface, patient LPS, with at least 95 mm below the eminences.

    Returns:
        As ``find_tibia`` without ankle and malleolus; z of ``patient_from_bone`` is the anatomical
        axis. ``shaft`` has ``side_clear`` (1 or 0): whether both signs of the side agree.

    Raises:
        AnatomyError: Plateaus or shaft are not in view.
    """
    try:
        found = find_proximal(Faces.of(bone))
    except AnatomyError as error:
        raise AnatomyError(f"{bone.name}: {error}") from None
    told = {**_way(found.shaft.up), "side_clear": float(found.side_is_clear)}
    shaft = Landmark(
        "shaft", found.shaft.point_mm, found.shaft.spread_mm, "line through slices", told
    )
    return Landmarks(bone.name, _frame(found.plateau, bone.name), (*_points(found.plateau), shaft))


def side_of(marks: Landmarks) -> str:
    """``left`` or ``right``: the side on which the lateral plateau lies in the bone's frame."""
    inside = marks.patient_from_bone.inverse.points(marks["plateau_lateral"].position_mm)
    return "left" if inside[0] > 0 else "right"


def _way(direction: Floats) -> dict[str, float | tuple[float, ...]]:
    return {"along": tuple(float(v) for v in direction)}


def _rough_axes(faces: Faces) -> tuple[Axes, Shaft]:
    """Directions within about ten degrees."""
    up = faces.long_axis
    if _end_width(faces, up) < _end_width(faces, -up):
        up = -up
    shaft = whole_shaft(faces, up)
    up = shaft.up
    middle, wide = outline_axes(faces, up)
    offset = middle - shaft.point_mm
    back = square_to(offset, up, "posterior")
    medial = np.cross(back, up)
    tip = faces.vertices[int((faces.vertices @ up).argmin())]
    low = faces.centroid(faces.centres @ up < (faces.centres @ up).min() + _ANKLE_MM)
    medial = medial if medial @ (tip - low) > 0 else -medial
    wide = wide if wide @ medial > 0 else -wide
    medial = square_to(wide, up, "medial")
    across = np.cross(up, medial)
    return Axes(medial, across if across @ back > 0 else -across, up), shaft


def _end_width(faces: Faces, up: Floats) -> float:
    """Area-weighted extent of the end that ``up`` points to."""
    height = faces.centres @ up
    end = height > height.max() - _END_MM
    away = faces.centres[end] - faces.centroid(end)
    return float((faces.areas[end] * (away**2).sum(axis=1)).sum() / faces.areas[end].sum())


def _ankle_centre(faces: Faces, up: Floats) -> tuple[Floats, float]:
    """(3,) and its spread: middle of the plafond, which faces down beside the malleolus."""
    height = faces.centres @ up
    low = (height < height.min() + _ANKLE_MM) & (faces.normals @ up < -_FACING_DOWN)
    if faces.areas[low].sum() < 100.0:
        raise AnatomyError("the ankle's joint surface was wanted, none is in view")
    order = np.argsort(height[low])
    share = np.cumsum(faces.areas[low][order]) / faces.areas[low].sum()
    level = float(height[low][order][int(np.searchsorted(share, 0.5))])
    at = low & (np.abs(height - level) < _PLAFOND_MM)
    centre = faces.centroid(at)
    plane = fit_plane(faces.centres[at], up)
    tip = faces.vertices[int((faces.vertices @ up).argmin())]
    if abs(float((tip - plane.point) @ plane.normal)) < _MALLEOLUS_MM:
        raise AnatomyError(
            "an ankle with its malleolus was wanted, but the lower end is flat: cut off there"
        )
    steep = at & (faces.normals @ up < -0.9)
    other = faces.centroid(steep) if steep.any() else centre
    return centre, float(np.linalg.norm(other - centre)) + 0.5


def _malleolus(faces: Faces, axes: Axes) -> Floats:
    return np.asarray(faces.vertices[int((faces.vertices @ axes.up).argmin())])


def _frame(found: Plateau, name: str) -> Pose:
    axes = found.axes
    left = axes.medial if axes.is_right else -axes.medial
    columns = np.stack([left, np.cross(axes.up, left), axes.up], axis=1)
    return Pose.from_axes(columns, found.centre, PATIENT, name)


def _points(found: Plateau) -> list[Landmark]:
    size = {"width_mm": found.width_mm, "depth_mm": found.depth_mm}
    marks = [Landmark("plateau_centre", found.centre, 1.5, "between the eminences", size)]
    for n, side in enumerate(("medial", "lateral")):
        marks += [
            Landmark(f"plateau_{side}", found.middles[n], 2.0, "middle of what faces up"),
            Landmark(f"eminence_{side}", found.eminences[n], 1.0, "highest point"),
        ]
    return [
        *marks,
        Landmark("posterior_cruciate", found.cruciate, 2.0, "posterior rim between the plateaus"),
        Landmark("tubercle", found.tubercle, 2.0, "most anterior point"),
        Landmark("tubercle_medial_third", found.medial_third, 2.0, "third of its width"),
    ]
