"""A femur whose head is out of view: condyles and the shaft's own axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.anatomy.condyles import DISTAL_MM, Condyles, find_condyles
from guidegen.anatomy.knee_axes import Axes
from guidegen.anatomy.long_bone import WIDTH_MM, Faces, Shaft, find_shaft, square_to
from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats

_SHAFT_SHARE = (0.6, 0.92)
"""Above the condyles, below the cut's rim (engineering choice)."""
_SLICES = 10
_ROUNDS = 8
_LEAST_MM = 85.0
"""Less than this above the lowest point shows no straight shaft: 45 of condyles and 40 of shaft
(engineering choice)."""
_STRAIGHT_MM = 2.0
_CLEAR_MM = 2.0
"""Condyles that differ less than this in height, seen along the shaft, do not tell the side."""


@dataclass(frozen=True, eq=False)
class DistalFemur:
    """What is found without a head.

    Args:
        condyles: Points of the distal femur; up is the shaft's axis.
        shaft: The anatomical axis.
        lower_mm: How much lower the medial condyle stands, along the shaft.
        higher_mm: How much farther to the front the trochlea's lateral side stands.
    """

    condyles: Condyles
    shaft: Shaft
    lower_mm: float
    higher_mm: float

    @property
    def side_is_clear(self) -> bool:
        """True if both signs of the side agree."""
        return self.lower_mm > _CLEAR_MM and self.higher_mm > 0.0


def find_distal(faces: Faces) -> DistalFemur:
    """Find condyles and anatomical axis of a femur that is cut off above.

    The shaft runs 4 to 9 degrees aside of the mechanical axis, so that the medial condyle stands
    lower along it (6 to 13 mm in five femora), and the trochlea's lateral side stands farther to
    the front (0.4 to 3 mm): together they tell the side.

    Raises:
        AnatomyError: Too little of the shaft, or no two condyles, are in view.
    """
    tried = (_tried(faces, up) for up in _directions(faces))
    found = [one for one in tried if one is not None and _sized(one.condyles)]
    if not found:
        raise AnatomyError(
            "a distal femur with two condyles and at least 40 mm of its shaft was wanted, none is "
            "in view"
        )
    return min(found, key=lambda one: one.shaft.spread_mm)


def _sized(found: Condyles) -> bool:
    """True if the epicondyles lie as far apart as a knee is wide."""
    width = float(np.linalg.norm(found.epicondyles[0] - found.epicondyles[1]))
    return WIDTH_MM[0] < width < WIDTH_MM[1]


def _directions(faces: Faces) -> list[Floats]:
    """The bone's own three axes, both ways."""
    away = faces.centres - faces.centroid(np.ones(len(faces.areas), dtype=bool))
    axes = np.linalg.eigh((away * faces.areas[:, None]).T @ away)[1].T
    return [sign * axis for axis in axes[::-1] for sign in (1.0, -1.0)]


def _tried(faces: Faces, up: Floats) -> DistalFemur | None:
    """Take a direction for proximal; None where the bone does not look like that."""
    try:
        for _ in range(_ROUNDS):
            shaft = find_shaft(faces, up, _SHAFT_SHARE, _SLICES)
            up = shaft.up
        height = faces.centres @ up
        if np.ptp(height) < _LEAST_MM or shaft.spread_mm > _STRAIGHT_MM:
            return None
        low = faces.centroid(height < height.min() + DISTAL_MM)
        back = square_to(low - shaft.point_mm, up, "posterior")
    except AnatomyError:
        return None
    both = [_sided(faces, Axes(s * np.cross(back, up), back, up), shaft) for s in (1, -1)]
    seen = [one for one in both if one is not None]
    return max(seen, key=lambda one: one.lower_mm + one.higher_mm) if seen else None


def _sided(faces: Faces, axes: Axes, shaft: Shaft) -> DistalFemur | None:
    """Find the condyles with one of the two guesses of medial; None where there are none."""
    try:
        found = find_condyles(faces, axes, None)
    except AnatomyError:
        return None
    medial, lateral = found.distal
    local = (faces.vertices - found.notch) @ found.axes.matrix
    near = local[local[:, 2] < DISTAL_MM - 10.0]
    fronts = [float(near[side, 1].min()) for side in (near[:, 0] > 5.0, near[:, 0] < -5.0)]
    lower = float((lateral - medial) @ found.axes.up)
    return DistalFemur(found, shaft, lower, fronts[0] - fronts[1])
