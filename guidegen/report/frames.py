"""The frame that pictures of a bone are drawn in."""

from __future__ import annotations

import numpy as np

from guidegen.mesh.sdf import signed_distance
from guidegen.model.case import Case
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.guide import Feature, Guide
from guidegen.model.plan import Path

UNDER_ENTRY_MM = 3.0


def bone_frame(case: Case, name: str) -> Pose:
    """The bone's own frame: of its landmarks, else of its level, else the patient's axes."""
    for marks in case.landmarks:
        if marks.bone == name:
            return marks.patient_from_bone
    for level in case.levels:
        if level.name == name:
            return level.patient_from_level
    bone = case.bone(name)
    origin = np.zeros(3) if bone is None else bone.bounds_mm.mean(axis=0)
    return Pose.from_axes(np.eye(3), origin, PATIENT, name)


def isthmus_depth_mm(case: Case, path: Path) -> float:
    """Depth under the entry at which a path is nearest to the bone's surface.

    Searched from 3 mm under the entry to 60 % of the length, where a pedicle's isthmus lies
    (engineering choice: beyond it the axis nears the front cortex instead); around the
    landmark where there is one; a third of the length without the bone.
    """
    name = f"pedicle_{path.side}"
    for marks in case.landmarks:
        if marks.bone == path.bone and name in marks:
            depth = float((marks[name].position_mm - path.entry_mm) @ path.direction)
            return float(np.clip(depth, 0.0, path.length_mm))
    bone = case.bone(path.bone)
    if bone is None:
        return path.length_mm / 3
    depths = np.arange(min(UNDER_ENTRY_MM, path.length_mm / 2), 0.6 * path.length_mm + 1e-9, 0.5)
    points = path.entry_mm + depths[:, None] * path.direction
    distance = signed_distance(points, bone.vertices_mm, bone.faces)
    return float(depths[int(distance.argmax())])


def bore_of(case: Case, path: Path) -> tuple[Guide, Feature] | None:
    """The guide that carries a path, and its bore; None before guides are built."""
    for guide in case.guides:
        for feature in guide.features:
            if guide.role == "guide" and feature.kind == "bore" and feature.item == path.name:
                return guide, feature
    return None
