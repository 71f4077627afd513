"""How wide a pedicle is on the CT's half-maximum: what decides on a screw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.geometry.lines import along_and_beside
from guidegen.model.arrays import Floats, Ints
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.volume import CTVolume
from guidegen.planning.coarse import Task
from guidegen.planning.corridor import widest_width, width_along
from guidegen.planning.half_surface import half_maximum_vertices
from guidegen.planning.line import Line
from guidegen.planning.wall import Wall

_NEAR_MM = 19.0
_LEVELS = (0.5, 0.4, 0.6)


@dataclass(frozen=True, eq=False)
class Width:
    """A pedicle's half-maximum corridor.

    Args:
        corridor_mm: Diameter of the widest one to the shallowest tip allowed.
        spread_mm: Half the difference of the same line's corridor at 40 % and at 60 % between
            surroundings and peak.
        line: The widest corridor's axis, in the vertebra's frame.
        task: The pedicle's task on the half-maximum surface.
    """

    corridor_mm: float
    spread_mm: float
    line: Line
    task: Task


def _near(vertices: Floats, line: Line) -> Ints:
    """Which vertices lie round the pedicle and the body in front of it."""
    along, beside = along_and_beside(vertices, line.point, line.direction)
    near = (beside**2).sum(axis=1) < _NEAR_MM**2
    return np.flatnonzero(near & (along > -47.0) & (along < 62.0))


def half_surfaces(
    volume: CTVolume,
    bone: Bone,
    landmarks: Landmarks,
    task: Task,
    shares: Sequence[float] = (0.5,),
) -> tuple[Floats, ...]:
    """Move a vertebra's surface round one pedicle on to the CT's grey values.

    Args:
        volume: The CT.
        bone: The vertebra.
        landmarks: Of the vertebra.
        task: The pedicle.
        shares: Between surroundings and peak; 0.5 is the half-maximum.

    Returns:
        (V, 3) for each share, in the vertebra's frame; elsewhere the surface stays.
    """
    to_bone = landmarks.patient_from_bone.inverse
    chosen = _near(to_bone.points(bone.vertices_mm), task.start)
    moved = half_maximum_vertices(volume, bone.vertices_mm, bone.faces, chosen, shares)
    return tuple(to_bone.points(vertices) for vertices in moved)


def on_surface(vertices: Floats, faces: Ints, task: Task) -> Task:
    """The same task on another surface (V, 3) of the same vertebra, in its frame."""
    back, behind = task.wall.body_back_mm, task.wall.entry_behind_mm
    return replace(task, wall=Wall.around(vertices, faces, task.start, back, behind))


def _on_levels(volume: CTVolume, bone: Bone, landmarks: Landmarks, task: Task) -> tuple[Task, ...]:
    """The same task on the surfaces at three shares between surroundings and peak."""
    found = half_surfaces(volume, bone, landmarks, task, _LEVELS)
    return tuple(on_surface(vertices, bone.faces, task) for vertices in found)


def measure_width(
    volume: CTVolume, bone: Bone, landmarks: Landmarks, task: Task, starts: Sequence[Line]
) -> Width | None:
    """Measure the widest corridor of a pedicle on the half-maximum surface of the CT.

    The search is the planner's, with the same limits, but on its own surface: the number does not
    depend on the path that the planner takes.

    Args:
        volume: The CT.
        bone: The vertebra.
        landmarks: Of the vertebra.
        task: The pedicle on the planner's surface.
        starts: Lines to climb from.

    Returns:
        The width; None where no line runs inside the bone.
    """
    half, *others = _on_levels(volume, bone, landmarks, task)
    found = widest_width(half, starts)
    if found is None:
        return None
    low, high = (width_along(other, found[1]) for other in others)
    return Width(found[0], abs(low - high) / 2.0, found[1], half)
