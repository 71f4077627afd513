"""A straight path in a bone's frame, and its angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import Floats


@dataclass(frozen=True, eq=False)
class Line:
    """A line through a pedicle, in the vertebra's frame (x left, y back, z head).

    Args:
        point: (3,) where it passes the plane of the pedicle's isthmus.
        axial_deg: Angle in the axial plane, positive towards the midline going in.
        sagittal_deg: Angle in the sagittal plane, positive towards the head going in.
        side: +1 for the patient's left, -1 for the right.
    """

    point: Floats
    axial_deg: float
    sagittal_deg: float
    side: float

    @property
    def direction(self) -> Floats:
        """(3,): unit vector going in."""
        return directions(self.axial_deg, self.sagittal_deg, self.side)

    def lateral(self, place: float) -> float:
        """How far towards the line's own side it lies at a place along it, mm."""
        return self.side * float(self.point[0] + place * self.direction[0])


def directions(axial_deg: Floats | float, sagittal_deg: Floats | float, side: float) -> Floats:
    """Turn angles (...) to unit vectors (..., 3).

    Both angles are those of the direction's projection: on the axial plane and on the sagittal
    plane of the vertebra.
    """
    axial, sagittal = np.tan(np.radians(axial_deg)), np.tan(np.radians(sagittal_deg))
    raw = np.stack(np.broadcast_arrays(-side * axial, -1.0, sagittal), axis=-1)
    return np.asarray(raw / np.linalg.norm(raw, axis=-1, keepdims=True))


def angles_deg(direction: Floats, side: float) -> tuple[float, float]:
    """Measure the axial and sagittal angle of a direction (3,) in the vertebra's frame."""
    axial = np.degrees(np.arctan2(-side * direction[0], -direction[1]))
    sagittal = np.degrees(np.arctan2(direction[2], -direction[1]))
    return float(axial), float(sagittal)
