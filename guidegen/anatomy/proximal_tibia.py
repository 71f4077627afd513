"""A tibia whose ankle is out of view: plateaus and the shaft's own axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.anatomy.knee_axes import Axes
from guidegen.anatomy.long_bone import WIDTH_MM, Faces, Shaft, find_shaft, square_to
from guidegen.anatomy.plateau import Plateau, find_plateau, outline_axes
from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats

_SHAFT_SHARE = (0.06, 0.4)
"""Above the cut's rim, below the flare (engineering choice)."""
_SLICES = 10
_ROUNDS = 8
_LEAST_MM = 95.0
"""Less than this from the cut to the eminences shows no straight shaft (engineering choice)."""
_STRAIGHT_MM = 2.0
_CLEAR_MM = 1.0


@dataclass(frozen=True, eq=False)
class ProximalTibia:
    """What is found without an ankle.

    Args:
        plateau: Points of the proximal tibia; up is the shaft's axis.
        shaft: The anatomical axis.
        lower_mm: How much lower the medial plateau lies.
        aside_mm: How far to lateral of the eminences' middle the tubercle lies.
    """

    plateau: Plateau
    shaft: Shaft
    lower_mm: float
    aside_mm: float

    @property
    def side_is_clear(self) -> bool:
        """True if both signs of the side agree."""
        return self.lower_mm > _CLEAR_MM and self.aside_mm > 0.0


def find_proximal(faces: Faces) -> ProximalTibia:
    """Find plateaus and anatomical axis of a tibia that is cut off below.

    The medial plateau is hollow and lies lower (3.5 to 5 mm in three tibiae), and the tubercle
    stands to lateral of the middle: together they tell the side.

    Raises:
        AnatomyError: Too little of the shaft, or no plateaus, are in view.
    """
    tried = (_tried(faces, up) for up in _directions(faces))
    low, high = WIDTH_MM
    found = [one for one in tried if one is not None and low < one.plateau.width_mm < high]
    if not found:
        raise AnatomyError(
            "a proximal tibia with its plateaus, tubercle and at least 95 mm below the eminences "
            "was wanted, none is in view"
        )
    return max(found, key=lambda one: one.plateau.width_mm)


def _directions(faces: Faces) -> list[Floats]:
    """The bone's two longest axes, both ways."""
    away = faces.centres - faces.centroid(np.ones(len(faces.areas), dtype=bool))
    axes = np.linalg.eigh((away * faces.areas[:, None]).T @ away)[1].T[::-1]
    return [sign * axis for axis in axes[:2] for sign in (1.0, -1.0)]


def _tried(faces: Faces, up: Floats) -> ProximalTibia | None:
    """Take a direction for proximal; None where the bone does not look like that."""
    try:
        for _ in range(_ROUNDS):
            shaft = find_shaft(faces, up, _SHAFT_SHARE, _SLICES)
            up = shaft.up
        if np.ptp(faces.centres @ up) < _LEAST_MM or shaft.spread_mm > _STRAIGHT_MM:
            return None
        middle, wide = outline_axes(faces, up)
        back = square_to(middle - shaft.point_mm, up, "posterior")
        wide = square_to(wide, up, "medial")
        behind = np.cross(up, wide)
        behind = behind if behind @ back > 0 else -behind
    except AnatomyError:
        return None
    both = [_sided(faces, Axes(sign * wide, behind, up), shaft) for sign in (1.0, -1.0)]
    seen = [one for one in both if one is not None]
    return max(seen, key=lambda one: one.lower_mm + one.aside_mm / 4) if seen else None


def _sided(faces: Faces, axes: Axes, shaft: Shaft) -> ProximalTibia | None:
    """Find the plateaus with one of the two guesses of medial; None where there are none."""
    try:
        found = find_plateau(faces, axes, None)
    except AnatomyError:
        return None
    medial, lateral = found.middles
    tubercle = found.tubercle - (found.eminences[0] + found.eminences[1]) / 2
    lower = float((lateral - medial) @ found.axes.up)
    across = square_to(medial - lateral, found.axes.up, "plateaus")
    return ProximalTibia(found, shaft, lower, float(-(tubercle @ across)))
