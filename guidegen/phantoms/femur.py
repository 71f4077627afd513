"""A femur of rods, balls and a notch, whose landmarks are known in closed form.

Frame of a right femur: x to medial (the patient's left), y to the back, z to the head, origin in
the knee's centre; a left one is its mirror image. The sizes are round figures near those of an
adult; what they are like matters less than that they are known and not symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.phantoms.shapes import (
    Distances,
    Points,
    capsule,
    ellipsoid,
    plane,
    smooth_cut,
    smooth_union,
)

Floats = npt.NDArray[np.float64]

_BLEND_MM = 4.0
_FLAT_HALF_MM = 2.0
_NOTCH_HALF_MM, _NOTCH_FLARE = 11.0, 0.1
"""Half the notch's width in front, and what it gains with each mm to the back: about a quarter of
the knee's width, as in adults (engineering choice)."""
_ROOF_DEG = 52.0
"""The notch's roof rises so steeply to the back, as Blumensaat's line does (engineering choice)."""
_FLOOR_MM = 13.0
"""Radius of the trochlear groove's floor, seen from the side."""
_EDGE_BACK_MM = 8.4
"""The notch's roof begins so far behind the floor's lowest line, as seen from the side."""


@dataclass(frozen=True)
class Femur:
    """Sizes of a femur, mm and degrees.

    Args:
        length_mm: From the knee's to the head's centre.
        head_mm: Radius of the head.
        valgus_deg: Angle of the shaft to the mechanical axis, seen from the front.
        medial_distal_mm: The medial condyle reaches so far below the knee's centre.
        lateral_distal_mm: The lateral one.
        posterior_mm: Both condyles reach so far behind the knee's centre.
        epicondyles_deg: External turn of the epicondylar axis against the posterior condyles.
    """

    length_mm: float = 420.0
    head_mm: float = 24.0
    valgus_deg: float = 6.0
    medial_distal_mm: float = 15.0
    lateral_distal_mm: float = 12.5
    posterior_mm: float = 41.0
    epicondyles_deg: float = 4.0

    def landmarks(self) -> dict[str, Floats]:
        """Named points in the bone's frame."""
        medial, lateral = self._epicondyles()
        way = (medial - lateral) / np.linalg.norm(medial - lateral)
        return {
            "femoral_head_centre": np.array([0.0, 0.0, self.length_mm]),
            "knee_centre": np.zeros(3),
            "medial_epicondyle": medial + 6.0 * way,
            "lateral_epicondyle": lateral - 6.0 * way,
            "posterior_condyle_medial": np.array([23.0, self.posterior_mm, 13.0]),
            "posterior_condyle_lateral": np.array([-23.0, self.posterior_mm, 15.0]),
            "distal_condyle_medial": np.array([23.0, -2.0, -self.medial_distal_mm]),
            "distal_condyle_lateral": np.array([-23.0, 0.0, -self.lateral_distal_mm]),
        }

    def _epicondyles(self) -> tuple[Floats, Floats]:
        """Centres of the two balls, medial and lateral."""
        turn = np.radians(self.epicondyles_deg)
        way = np.array([np.cos(turn), -np.sin(turn), 0.0])
        middle = np.array([1.0, 8.0, 17.0])
        return middle + 40.0 * way, middle - 41.0 * way + (0.0, 0.0, 1.0)

    def shaft_up(self) -> Floats:
        """(3,): the shaft's direction, to proximal."""
        low, high = self.shaft_ends()
        return np.asarray((high - low) / np.linalg.norm(high - low))

    def roller(self, side: str) -> tuple[tuple[Floats, float], tuple[Floats, float]]:
        """A condyle's hind and lowest ball: centre and radius."""
        if side == "medial":
            hind, low, radius = (23.0, self.posterior_mm - 19.0, 13.0), (23.0, -2.0), 19.0
            bottom = self.medial_distal_mm
        else:
            hind, low, radius = (-23.0, self.posterior_mm - 18.0, 15.0), (-23.0, 0.0), 18.0
            bottom = self.lateral_distal_mm
        return (np.array(hind), radius), (np.array([*low, 18.0 - bottom]), 18.0)

    def shaft_ends(self) -> tuple[Floats, Floats]:
        """(3,) twice: lower and upper end of the shaft's rod."""
        aside = np.tan(np.radians(self.valgus_deg))
        foot = np.array([-4.0, -6.0, 60.0])
        reach = self.length_mm - 115.0
        return foot, np.array([-4.0 - reach * aside, -4.0, self.length_mm - 55.0])

    def distance(self, points: Points) -> Distances:
        """Distance (N,) at points (3, N) of the bone's frame, mm, negative inside."""
        body = smooth_union(self._proximal(points), self._distal(points), 12.0)
        lean = np.radians(_ROOF_DEG)
        roof = plane(points, np.zeros(3), (0.0, -np.sin(lean), np.cos(lean)))
        aside = np.abs(points[0]) - _NOTCH_HALF_MM - _NOTCH_FLARE * points[1]
        notch = np.maximum(np.maximum(aside, -points[1]), roof)
        return smooth_cut(body, -notch, 0.5)

    def _proximal(self, points: Points) -> Distances:
        """Head, neck, greater trochanter and shaft."""
        top = self.length_mm
        foot, head_end = self.shaft_ends()
        shaft = capsule(points, foot, head_end, 14.0)
        trochanter = ellipsoid(points, head_end + np.array([-8.0, 6.0, 38.0]), (14.0, 18.0, 24.0))
        neck = capsule(points, head_end + np.array([0.0, 0.0, 10.0]), (0.0, 0.0, top), 14.0)
        head = capsule(points, (0.0, 0.0, top), (0.0, 0.0, top + 1e-3), self.head_mm)
        upper = smooth_union(smooth_union(shaft, trochanter, 10.0), neck, 8.0)
        return smooth_union(upper, head, 2.0)

    def _distal(self, points: Points) -> Distances:
        """Condyles, groove, epicondyles and the flare above them."""
        medial, lateral = (_roller(points, *self.roller(side)) for side in ("medial", "lateral"))
        rise = _FLOOR_MM - np.sqrt(_FLOOR_MM**2 - _EDGE_BACK_MM**2)
        middle = np.array([0.0, -_EDGE_BACK_MM, _FLOOR_MM - rise])
        wide = np.array([22.0, 0.0, 0.0])
        floor = capsule(points, middle - wide, middle + wide, _FLOOR_MM)
        ridges = [
            capsule(points, (18.0, -4.0, 8.0), (13.0, -24.0, 22.0), 14.0, 9.0),
            capsule(points, (-18.0, -4.0, 8.0), (-15.0, -26.0, 26.0), 14.0, 11.0),
        ]
        flare = ellipsoid(points, (0.0, 2.0, 32.0), (33.0, 22.0, 26.0))
        balls = [capsule(points, centre, centre + 1e-3, 6.0) for centre in self._epicondyles()]
        spread = smooth_union(flare, np.minimum(*balls), 6.0)
        spread = np.minimum(spread, np.minimum(*balls))
        joint = np.minimum(np.minimum(medial, lateral), np.minimum(*ridges))
        return np.asarray(smooth_union(np.minimum(joint, floor), spread, _BLEND_MM))


def _roller(points: Points, hind: tuple[Floats, float], low: tuple[Floats, float]) -> Distances:
    """A condyle: round from front to back and flat across its middle, so that it is no ball."""
    shifts = [np.array([off, 0.0, 0.0]) for off in (-_FLAT_HALF_MM, _FLAT_HALF_MM)]
    rods = [capsule(points, hind[0] + off, low[0] + off, hind[1], low[1]) for off in shifts]
    return np.asarray(smooth_union(rods[0], rods[1], 1.0))


def mirrored(points: dict[str, Any]) -> dict[str, Floats]:
    """The same named points on the other leg."""
    return {name: np.asarray(place) * (-1.0, 1.0, 1.0) for name, place in points.items()}
