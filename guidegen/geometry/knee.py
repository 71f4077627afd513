"""Directions at a knee that follow from a bone's landmarks; patient LPS unless moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats, unit
from guidegen.model.frames import Pose
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Cut

_TENDON_LEAN = 0.25
"""The patellar tendon runs from the tubercle to the patella: with each mm towards the knee its
medial edge may lie this much farther lateral (engineering choice)."""
_PAIRS = {
    "femur": ("medial_epicondyle", "lateral_epicondyle"),
    "tibia": ("plateau_medial", "plateau_lateral"),
}


def bone_kind(marks: Landmarks) -> str:
    """``femur`` or ``tibia``, by the landmarks that a bone has.

    Raises:
        AnatomyError: It is neither.
    """
    for kind, pair in _PAIRS.items():
        if all(name in marks for name in pair):
            return kind
    raise AnatomyError(
        f"{marks.bone}: a knee guide needs the landmarks of a femur or a tibia, found "
        f"{', '.join(p.name for p in marks.points) or 'none'}; plan again"
    )


def medial_way(marks: Landmarks) -> Floats:
    """(3,): unit vector to medial, across the bone's own frame."""
    inner, outer = (marks[name].position_mm for name in _PAIRS[bone_kind(marks)])
    across = marks.patient_from_bone.axes[:, 0]
    return across if across @ (inner - outer) > 0 else -across


@dataclass(frozen=True, eq=False)
class CutAxes:
    """A saw cut as the saw sees it.

    Args:
        origin_mm: (3,) in the middle of the kerf, under the bone's own origin.
        across: (3,) unit vector in the cut to medial.
        into: (3,) unit vector in the cut, the way in which saw and parallel pins go.
        stay: (3,) unit vector square to the cut, to the bone that stays.
    """

    origin_mm: Floats
    across: Floats
    into: Floats
    stay: Floats

    @classmethod
    def of(cls, marks: Landmarks, cut: Cut, into: Floats) -> CutAxes:
        """Make them from a cut and roughly the way in (3,)."""
        stay = -cut.normal
        way = unit(into - (into @ stay) * stay, "way in")
        across = np.cross(stay, way)
        across = across if across @ medial_way(marks) > 0 else -across
        middle = marks.patient_from_bone.origin_mm
        origin = middle - ((middle - cut.origin_mm) @ stay) * stay
        return cls(origin, across, way, stay)

    @property
    def columns(self) -> Floats:
        """(3, 3): across, into, stay."""
        return np.column_stack([self.across, self.into, self.stay])

    def moved(self, target_from_source: Pose) -> CutAxes:
        """The same in another frame."""
        turn = target_from_source.vectors
        ways = {n: turn(getattr(self, n)) for n in ("across", "into", "stay")}
        return replace(self, origin_mm=target_from_source.points(self.origin_mm), **ways)

    def local(self, points_mm: Floats) -> Floats:
        """(..., 3): across, into and stay of points."""
        return np.asarray((points_mm - self.origin_mm) @ self.columns)

    def place(self, local_mm: Any) -> Floats:
        """(..., 3): points from across, into and stay."""
        return np.asarray(self.origin_mm + np.asarray(local_mm) @ self.columns.T)


@dataclass(frozen=True, eq=False)
class HalfSpace:
    """One side of a plane.

    Args:
        point_mm: (3,) of the plane.
        normal: (3,) unit vector into the side that is free.
    """

    point_mm: Floats
    normal: Floats

    def room_mm(self, points_mm: Floats) -> Floats:
        """How far points (..., 3) lie within the free side; negative outside."""
        return np.asarray((points_mm - self.point_mm) @ self.normal)

    def moved(self, target_from_source: Pose) -> HalfSpace:
        """The same in another frame."""
        return HalfSpace(
            target_from_source.points(self.point_mm), target_from_source.vectors(self.normal)
        )


def beside_tendon(marks: Landmarks, aside_mm: float) -> HalfSpace | None:
    """Where a guide stays medial of the patellar tendon; None at a femur, where it is drawn aside.

    Args:
        marks: Of the bone.
        aside_mm: From the tubercle's medial third to medial.
    """
    if bone_kind(marks) == "femur":
        return None
    medial = medial_way(marks)
    edge = marks["tubercle_medial_third"].position_mm + aside_mm * medial
    up = marks.patient_from_bone.axes[:, 2]
    return HalfSpace(edge, unit(medial + _TENDON_LEAN * up, "tendon"))
