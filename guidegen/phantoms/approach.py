"""Whether drill and sleeve can come in along a line, on the phantom's own surfaces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from guidegen.mesh.grid import Lattice, zero_crossings
from guidegen.model.arrays import Floats
from guidegen.phantoms.spine import Scene, Solid
from guidegen.phantoms.surface import sample

_STEP_MM = 0.8
_BESIDE_MM = 26.0
_BACK_MM = 110.0


@dataclass(frozen=True)
class DrillSpace:
    """What must be free of bone round a path, behind its entry; mm.

    Args:
        drill_radius_mm: Round the axis, from the bone outwards.
        sleeve_radius_mm: Round the axis between ``standoff_mm`` and ``reach_mm`` over the entry.
        standoff_mm: Bone may stand beside the drill, under the sleeve, up to here.
        reach_mm: How far out the sleeve's cylinder must be free.
        own_mm: The planned vertebra itself counts from this height over the entry on.
        neighbour_mm: The same for its neighbours.
    """

    drill_radius_mm: float
    sleeve_radius_mm: float
    standoff_mm: float
    reach_mm: float
    own_mm: float = 3.0
    neighbour_mm: float = 0.5

    def free(self, heights: Floats, radii: Floats, own: bool) -> float:
        """Smallest clearance of points (N,) over the entry and beside the axis; negative: hit."""
        first = self.own_mm if own else self.neighbour_mm
        needed = np.where(heights > first, self.drill_radius_mm, -np.inf)
        sleeve = (heights > max(self.standoff_mm, first)) & (heights < self.reach_mm)
        gaps = radii - np.where(sleeve, self.sleeve_radius_mm, needed)
        return float(gaps.min(initial=np.inf))


@lru_cache(maxsize=16)
def _points(solid: Solid) -> Floats:
    """(N, 3): points about 0.8 mm apart near the surface, patient LPS."""
    low, high = solid.bounds_mm
    lattice = Lattice.around(low - _STEP_MM, high + _STEP_MM, _STEP_MM)
    return solid.patient_from_bone.points(zero_crossings(lattice, sample(solid.shape, lattice)))


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Surface points behind a pedicle, in the planned vertebra's frame.

    Args:
        own: (N, 3) of the planned vertebra.
        neighbours: (M, 3) of the two vertebrae above and the two below.
    """

    own: Floats
    neighbours: Floats

    @classmethod
    def of(cls, scene: Scene, level: str, point: Floats, along: Floats) -> Surroundings:
        """Gather what lies behind a point (3,) of the vertebra's frame, seen along the pedicle."""
        levels = scene.definition.levels
        at, into = levels.index(level), scene.poses[level].inverse
        others = [n for n in levels[max(at - 2, 0) : at + 3] if n != level]

        def behind(names: list[str]) -> Floats:
            found = [into.points(_points(scene.solid(name))) for name in names]
            points = np.concatenate(found or [np.zeros((0, 3))])
            offset = points - point
            place = offset @ along
            beside = np.linalg.norm(offset - np.outer(place, along), axis=1)
            near = (place < 0) & (place > -_BACK_MM) & (beside < _BESIDE_MM)
            return np.asarray(points[near])

        return cls(behind([level]), behind(others))

    def free(self, space: DrillSpace, entry: Floats, way: Floats) -> float:
        """Smallest clearance of drill and sleeve on a line that enters at ``entry``."""
        gaps = []
        for points, own in ((self.own, True), (self.neighbours, False)):
            offset = points - entry
            heights = -(offset @ way)
            radii = np.linalg.norm(offset + heights[:, None] * way, axis=1)
            gaps.append(space.free(heights, radii, own))
        return min(gaps)
