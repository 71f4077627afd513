"""Named points on a bone, each with its uncertainty and method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats, frozen_floats
from guidegen.model.frames import Pose


@dataclass(frozen=True, eq=False)
class Landmark:
    """A point on or in a bone, LPS mm.

    Args:
        name: As in the case contract, e.g. ``pedicle_left``.
        position_mm: (3,).
        spread_mm: One standard deviation of the position, as far as it is known.
        method: A few words: how it was found.
        values: Further numbers: ``width_mm``, ``height_mm``, ``radius_mm``, ``normal`` ...
    """

    name: str
    position_mm: Floats
    spread_mm: float
    method: str
    values: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        position = frozen_floats(self.position_mm, (3,), self.name)
        object.__setattr__(self, "position_mm", position)


@dataclass(frozen=True, eq=False)
class Landmarks:
    """All landmarks of one bone and the bone's own frame.

    Args:
        bone: The bone's name.
        patient_from_bone: x to the patient's left, y to the back, z to the head. The origin is
            a vertebra's body centre, a femur's knee centre, a tibia's plateau centre; z of a leg's
            bone is its mechanical axis.
        points: The landmarks.
    """

    bone: str
    patient_from_bone: Pose
    points: tuple[Landmark, ...]

    def __getitem__(self, name: str) -> Landmark:
        for point in self.points:
            if point.name == name:
                return point
        raise AnatomyError(f"{self.bone} has no landmark {name}")

    def __contains__(self, name: str) -> bool:
        return any(point.name == name for point in self.points)
