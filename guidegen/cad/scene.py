"""One vertebra with its neighbours as the guide sees them: moved, and with their shadows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from guidegen.cad.blockout import (
    BOUND_MM,
    bone_distance,
    columns_over,
    lowered,
    nearest_shadow,
    refined_distance,
    shadow,
)
from guidegen.cad.parts import Part, join
from guidegen.mesh.grid import Field, Lattice
from guidegen.model.arrays import Floats, Ints
from guidegen.model.bone import Bone
from guidegen.model.frames import Pose

COARSE_MM = 1.2
_SIDE_MM = 26.0
_ALONG_MM = 28.0
_UNDER_MM = 14.0
_OVER_MM = 62.0
_RAMP_MM = 1.5


class HasGaps(Protocol):
    """Settings of a guide that keeps away from bones."""

    @property
    def fit_gap_mm(self) -> float:
        """Between contact and bone."""

    @property
    def relief_mm(self) -> float:
        """Underside lifted between the contacts."""

    @property
    def neighbour_clearance_mm(self) -> float:
        """Further gap to every bone that the guide does not sit on."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Bones in the guide frame and how far a guide that is pushed on stays from them.

    Args:
        patient_from_guide: The guide's frame.
        own: Vertices and faces of the bone it sits on, guide frame.
        neighbours: The same of every other bone in reach.
        names: Of the neighbours.
        lattice: Coarse, wide enough for every part of the guide.
        own_distance: Signed distance to the own bone on it.
        own_shadow: Its shadow.
        other_distance: Signed distance of each neighbour.
    """

    patient_from_guide: Pose
    own: tuple[Floats, Ints]
    neighbours: tuple[tuple[Floats, Ints], ...]
    names: tuple[str, ...]
    lattice: Lattice
    own_distance: Field
    own_shadow: Field
    other_distance: tuple[Field, ...]

    def clear(self, settings: HasGaps) -> Field:
        """Distance to all shadows, a neighbour's clearance already taken off; coarse."""
        others = [shadow(d) - settings.neighbour_clearance_mm for d in self.other_distance]
        return nearest_shadow([self.own_shadow, *others])

    def others_shadow(self) -> Field:
        """Distance to the neighbours' shadows; coarse."""
        if not self.other_distance:
            return np.full(self.lattice.shape, BOUND_MM, dtype=np.float32)
        return nearest_shadow([shadow(d) for d in self.other_distance])


def make_scene(
    patient_from_guide: Pose, bone: Bone, others: Sequence[Bone], entries_mm: Floats
) -> Scene:
    """Move the bones and measure them on the coarse lattice.

    Args:
        patient_from_guide: The guide's frame.
        bone: The one it sits on.
        others: Every other bone; those out of reach are left out.
        entries_mm: (N, 3) guide frame.
    """
    low = entries_mm.min(axis=0) - np.array([_SIDE_MM, _ALONG_MM, _UNDER_MM])
    high = entries_mm.max(axis=0) + np.array([_SIDE_MM, _ALONG_MM, _OVER_MM])
    lattice = Lattice.around(low, high, COARSE_MM)
    return scene_on(lattice, patient_from_guide, bone, others)


def scene_on(
    lattice: Lattice,
    patient_from_guide: Pose,
    bone: Bone,
    others: Sequence[Bone],
    bound_mm: float = BOUND_MM,
) -> Scene:
    """Move the bones and measure them on a coarse lattice.

    Args:
        lattice: Wide enough for every part of the guide.
        patient_from_guide: The guide's frame.
        bone: The one it sits on.
        others: Every other bone; those out of reach are left out.
        bound_mm: Distances of the own bone are exact up to this.
    """
    guide_from_patient = patient_from_guide.inverse
    top = lattice.origin_mm + lattice.spacing_mm * (np.array(lattice.shape) - 1)
    own = (guide_from_patient.points(bone.vertices_mm), bone.faces)
    near: list[tuple[str, tuple[Floats, Ints]]] = []
    for other in others:
        points = guide_from_patient.points(other.vertices_mm)
        if ((points > lattice.origin_mm) & (points < top)).all(axis=1).any():
            near.append((other.name, (points, other.faces)))
    own_distance = bone_distance(lattice, *own, bound_mm)
    return Scene(
        patient_from_guide,
        own,
        tuple(mesh for _, mesh in near),
        tuple(name for name, _ in near),
        lattice,
        own_distance,
        shadow(own_distance),
        tuple(bone_distance(lattice, *mesh) for _, mesh in near),
    )


def forbidden(
    scene: Scene,
    lattice: Lattice,
    part: npt.NDArray[np.bool_],
    touching: Sequence[Part],
    settings: HasGaps,
) -> Field:
    """Field that is negative where the guide must not be, exact near its zero level.

    Under the shadows everywhere; between the contacts the underside is lifted by the relief.

    Args:
        scene: The bones.
        lattice: Fine; its own span along z must lie within the scene's.
        part: Nodes of the guide; the field is exact on them and their neighbours, elsewhere it
            is interpolated from the scene's.
        touching: Parts (balls, tubes) inside which the guide may come down to the fit gap.
        settings: Gap, relief, clearance.
    """
    gap, relief = settings.fit_gap_mm, settings.relief_mm
    where = columns_over(part)
    own = refined_distance(
        (scene.lattice, scene.own_distance), lattice, scene.own, (gap, gap + relief), where
    )
    apart = join(lattice, np.full(lattice.shape, 10.0, dtype=np.float32), touching, 0.0)
    lift = np.float32(relief) * np.clip(apart / np.float32(_RAMP_MM), 0, 1)
    fields = [lowered(shadow(own)) - np.float32(gap) - lift]
    level = gap + settings.neighbour_clearance_mm
    for mesh, distance in zip(scene.neighbours, scene.other_distance, strict=True):
        fine = refined_distance((scene.lattice, distance), lattice, mesh, (level, level), where)
        fields.append(shadow(fine) - np.float32(level))
    return nearest_shadow(fields)
