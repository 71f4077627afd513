"""The bones of a model, from foot to head, in the frame that it stands in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.errors import AnatomyError
from guidegen.mesh.surface import Surface
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.frames import PATIENT, Pose
from guidegen.model.landmarks import Landmarks

_FRAME = "model"


@dataclass(frozen=True, eq=False)
class Column:
    """Bones from foot to head in the model's frame, and what is known of their bodies.

    Args:
        bones: Names and surfaces, lowest first.
        level: Which of them is rehearsed on.
        marks: The level's landmarks.
        patient_from_model: Origin in the lowest body's centre; x left, y back, z its long axis.
    """

    bones: tuple[tuple[str, Surface], ...]
    level: int
    marks: Landmarks
    patient_from_model: Pose

    @property
    def own(self) -> Surface:
        """The level's surface."""
        return self.bones[self.level][1]

    @property
    def half_mm(self) -> tuple[float, float]:
        """Half width and depth of the level's body."""
        values = self.marks["body_centre"].values
        return _number(values["width_mm"]) / 2, _number(values["depth_mm"]) / 2


def make_column(
    level: Bone, neighbours: Sequence[Bone], landmarks: Mapping[str, Landmarks]
) -> Column:
    """Order the bones along the level's z, and stand them in the lowest body's frame.

    Args:
        level: To rehearse on.
        neighbours: To be joined to it.
        landmarks: By bone; where the lowest has none, the level's axes stand for its own.

    Raises:
        AnatomyError: The level has no landmarks, or the lowest no body under the level's.
    """
    if level.name not in landmarks:
        raise AnatomyError(
            f"a model of {level.name} needs the vertebra's landmarks, found none; plan again"
        )
    marks = landmarks[level.name]
    up = marks.patient_from_bone.axes[:, 2]
    order = sorted([level, *neighbours], key=lambda b: float(b.vertices_mm.mean(axis=0) @ up))
    lowest = order[0]
    if lowest.name in landmarks:
        found = landmarks[lowest.name].patient_from_bone
        axes, origin = found.axes, found.origin_mm
    else:
        axes, origin = marks.patient_from_bone.axes, _body_under(marks, lowest)
    pose = Pose.from_axes(axes, origin, PATIENT, _FRAME)
    move = pose.inverse
    bones = tuple((b.name, Surface(move.points(b.vertices_mm), b.faces)) for b in order)
    return Column(bones, order.index(level), _moved(marks, move), pose)


def _body_under(marks: Landmarks, bone: Bone) -> Floats:
    """(3,): centre of the body under a level's, on a line through both of its endplates."""
    end, top = marks["inferior_endplate_centre"], marks["superior_endplate_centre"]
    way = -marks.patient_from_bone.axes[:, 2]
    height = float((end.position_mm - top.position_mm) @ way)
    surface = Surface(bone.vertices_mm, bone.faces)
    there = surface.rays.first_hit(end.position_mm[None] - height * way, way)[0][0]
    if not np.isfinite(there):
        raise AnatomyError(
            f"{bone.name} should have its body under {marks.bone}'s, found none there; "
            "set neighbours = false"
        )
    return np.asarray(end.position_mm + (there - height + height / 2) * way)


def _moved(marks: Landmarks, model_from_patient: Pose) -> Landmarks:
    """A vertebra's landmarks in the model's frame; ``normal`` turned with them."""
    points = []
    for mark in marks.points:
        values = dict(mark.values)
        if "normal" in values:
            x, y, z = model_from_patient.vectors(values["normal"])
            values["normal"] = (float(x), float(y), float(z))
        at = model_from_patient.points(mark.position_mm)
        points.append(replace(mark, position_mm=at, values=values))
    return Landmarks(marks.bone, model_from_patient @ marks.patient_from_bone, tuple(points))


def _number(value: float | tuple[float, ...]) -> float:
    """A landmark's value that is one number."""
    if isinstance(value, tuple):
        raise AnatomyError(
            f"a landmark's size should be one number, found {len(value)}; plan again"
        )
    return float(value)
