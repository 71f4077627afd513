"""The canal beside one pedicle, and how far a path reaches into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.model.landmarks import Landmarks


@dataclass(frozen=True)
class Canal:
    """The canal at a pedicle, in the vertebra's frame (x left, y back), mm.

    It is taken as a straight box along the spine: what leaves the bone between the pedicle's inner
    wall and the midline, behind the body, is in it.

    Args:
        half_mm: From the midline to the pedicle's inner wall.
        front_mm: y of its front wall.
        back_mm: y of its back wall.
    """

    half_mm: float
    front_mm: float
    back_mm: float

    @classmethod
    def beside(cls, landmarks: Landmarks, side: tuple[str, float]) -> Canal:
        """Take it from the landmarks of a vertebra with this pedicle."""
        to_bone = landmarks.patient_from_bone.inverse
        pedicle, canal = landmarks[f"pedicle_{side[0]}"], landmarks["canal_centre"]
        lateral = side[1] * float(to_bone.points(pedicle.position_mm)[0])
        radius = float(np.ravel(canal.values["radius_mm"])[0])
        half = lateral - float(np.ravel(pedicle.values["width_mm"])[0]) / 2
        depth = float(np.ravel(landmarks["body_centre"].values["depth_mm"])[0])
        back = float(to_bone.points(canal.position_mm)[1]) + radius
        return cls(max(half, radius), depth / 2, back)

    def reached_mm(self, points: Floats, outside_mm: Floats) -> float:
        """How far points (N, 3) that are (N,) mm outside the bone reach into it; 0 if not."""
        x, y = np.abs(points[:, 0]), points[:, 1]
        within = (x < self.half_mm) & (y > self.front_mm) & (y < self.back_mm)
        return max(float(outside_mm[within].max(initial=0.0)), 0.0)
