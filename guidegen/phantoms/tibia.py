"""A tibia of discs, rods and balls, whose landmarks are known in closed form.

Frame of a right tibia: x to medial (the patient's left), y to the back, z to the head, origin
between the eminences; a left one is its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.phantoms.shapes import (
    Distances,
    Points,
    box,
    capsule,
    ellipse,
    ellipsoid,
    smooth_cut,
    smooth_union,
)

Floats = npt.NDArray[np.float64]

_ROUND_MM = 2.0


@dataclass(frozen=True)
class Tibia:
    """Sizes of a tibia, mm.

    Args:
        length_mm: From the plateaus' centre to the middle of the plafond.
        medial_mm: The medial plateau lies so far under the plateaus' centre.
        lateral_mm: The lateral one.
        half_width_mm: Half the plateaus' width.
    """

    length_mm: float = 360.0
    medial_mm: float = 6.0
    lateral_mm: float = 3.0
    half_width_mm: float = 37.0

    def landmarks(self) -> dict[str, Floats]:
        """Named points in the bone's frame."""
        return {
            "ankle_centre": np.array([0.0, 0.0, -self.length_mm]),
            "eminence_medial": np.array([7.0, 0.0, 3.0]),
            "eminence_lateral": np.array([-7.0, 0.0, 2.5]),
            "malleolus_medial": np.array([21.0, 0.0, -self.length_mm - 13.0]),
            "tubercle": np.array([-2.0, -39.0, -37.0]),
        }

    def distance(self, points: Points) -> Distances:
        """Distance (N,) at points (3, N) of the bone's frame, mm, negative inside."""
        body = smooth_union(self._proximal(points), self._distal(points), 6.0)
        shaft = capsule(points, *self.shaft_ends(), 15.0, 11.0)
        return np.asarray(smooth_union(body, shaft, 10.0))

    def shaft_up(self) -> Floats:
        """(3,): the shaft's direction, to proximal."""
        high, low = self.shaft_ends()
        return np.asarray((high - low) / np.linalg.norm(high - low))

    def shaft_ends(self) -> tuple[Floats, Floats]:
        """(3,) twice: upper and lower end of the shaft's rod."""
        return np.array([-1.0, -4.0, -40.0]), np.array([0.0, -2.0, 25.0 - self.length_mm])

    def _proximal(self, points: Points) -> Distances:
        """Plateaus, eminences, the flare below them and the tubercle."""
        outline = ellipse(points[0], points[1] - 2.0, self.half_width_mm, 25.0)
        top = np.where(points[0] > 0, -self.medial_mm, -self.lateral_mm)
        disc = smooth_cut(outline, np.maximum(points[2] - top, -22.0 - points[2]), _ROUND_MM)
        cone = ellipsoid(points, (0.0, 0.0, -22.0), (33.0, 23.0, 34.0))
        flare = smooth_cut(cone, points[2] - np.minimum(top - 2.0, -8.0), _ROUND_MM)
        tips = [
            capsule(points, (7.0, 0.0, -8.0), (7.0, 0.0, -1.0), 7.0, 4.0),
            capsule(points, (-7.0, 0.0, -8.0), (-7.0, 0.0, -1.5), 7.0, 4.0),
            capsule(points, (-7.0, 0.0, -5.0), (7.0, 0.0, -5.0), 5.0),
        ]
        cruciate = capsule(points, (0.0, 31.0, 10.0), (0.0, 31.0, -30.0), 8.0)
        tubercle = capsule(points, (-2.0, -14.0, -20.0), (-2.0, -31.0, -37.0), 12.0, 8.0)
        lower = capsule(points, (-2.0, -31.0, -37.0), (-2.0, -12.0, -75.0), 8.0, 8.0)
        whole = np.minimum(smooth_union(disc, flare, 3.0), np.minimum.reduce(tips))
        whole = smooth_union(whole, np.minimum(tubercle, lower), 3.0)
        return smooth_cut(whole, -cruciate, 1.0)

    def _distal(self, points: Points) -> Distances:
        """The flare over the ankle with its flat plafond, and the medial malleolus."""
        foot = -self.length_mm
        axes = np.eye(3)
        plafond = box(points, (0.0, 0.0, foot + 12.0), axes, (16.0, 17.0, 12.0), 3.0)
        malleolus = capsule(points, (19.0, 0.0, foot + 18.0), (21.0, 0.0, foot - 6.0), 8.0, 7.0)
        return np.minimum(plafond, malleolus)
