"""Directions that femur and tibia share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import Floats


@dataclass(frozen=True, eq=False)
class Axes:
    """Directions of the knee, unit vectors square to each other.

    Args:
        medial: (3,).
        back: (3,) to posterior.
        up: (3,) to proximal.
    """

    medial: Floats
    back: Floats
    up: Floats

    @property
    def is_right(self) -> bool:
        """True for a right leg: there medial is the patient's left."""
        return bool(np.linalg.det([self.medial, self.back, self.up]) > 0)

    @property
    def matrix(self) -> Floats:
        """(3, 3): columns medial, back, up."""
        return np.stack([self.medial, self.back, self.up], axis=1)
