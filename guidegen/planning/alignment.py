"""How the axes of a leg stand to each other, in the femur's own planes.

The frontal plane holds the femoral mechanical axis and the epicondylar axis, the sagittal plane is
square to both: the angles do not depend on how the leg lay, but a CT is taken without load.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import Floats, unit
from guidegen.model.landmarks import Landmarks


@dataclass(frozen=True, eq=False)
class FrontalPlane:
    """The femur's planes, unit vectors square to each other.

    Args:
        medial: (3,) along the epicondylar axis, square to up.
        back: (3,) to posterior.
        up: (3,) along the mechanical axis.
    """

    medial: Floats
    back: Floats
    up: Floats

    @classmethod
    def of(cls, up: Floats, lateral_to_medial: Floats, back: Floats) -> FrontalPlane:
        """Make it from the mechanical axis, a line across the condyles and roughly posterior."""
        axis = unit(up, "mechanical axis")
        medial = unit(lateral_to_medial - (lateral_to_medial @ axis) * axis, "epicondylar axis")
        behind = np.cross(axis, medial)
        behind = behind if behind @ back > 0 else -behind
        return cls(medial, unit(behind, "posterior"), axis)

    def frontal_deg(self, direction: Floats) -> float:
        """Angle from up, over the medial side, to a direction seen from the front: 0 to 360."""
        angle = np.degrees(np.arctan2(direction @ self.medial, direction @ self.up))
        return float(angle % 360.0)

    def sagittal_deg(self, direction: Floats) -> float:
        """Angle from up, over the back, to a direction seen from the side: 0 to 360."""
        angle = np.degrees(np.arctan2(direction @ self.back, direction @ self.up))
        return float(angle % 360.0)


@dataclass(frozen=True)
class Alignment:
    """Angles of a leg, degrees.

    Args:
        hka: Medial angle between the mechanical axes; below 180 is varus.
        fta: Lateral angle between the shafts.
        flexion: Of the knee as it lay; negative is overstretched.
    """

    hka: float
    fta: float
    flexion: float


def femoral_planes(femur: Landmarks) -> FrontalPlane:
    """The planes of a femur by its landmarks."""
    ends = [femur[f"{side}_epicondyle"].position_mm for side in ("medial", "lateral")]
    axes = femur.patient_from_bone.axes
    return FrontalPlane.of(axes[:, 2], ends[0] - ends[1], axes[:, 1])


def align(planes: FrontalPlane, tibia_up: Floats, shafts: tuple[Floats, Floats]) -> Alignment:
    """Measure a leg.

    Args:
        planes: Of its femur.
        tibia_up: (3,) the tibial mechanical axis, to proximal.
        shafts: (3,) of femur and tibia, to proximal.
    """
    femur, tibia = shafts
    medial = planes.frontal_deg(-tibia) - planes.frontal_deg(femur)
    bent = planes.sagittal_deg(-tibia_up)
    return Alignment(
        hka=planes.frontal_deg(-tibia_up), fta=float((-medial) % 360.0), flexion=180.0 - bent
    )


def cut_angles_deg(planes: FrontalPlane, away: Floats, normal: Floats) -> tuple[float, float]:
    """Angles between a cut and a bone's axis.

    Args:
        planes: Of the femur for its cut, of the tibia for the tibia's.
        away: (3,) the bone's mechanical or anatomical axis from the knee into the bone: of a femur
            up, of a tibia down.
        normal: (3,) of the cut, to either side.

    Returns:
        The frontal angle between the cut's medial half and the axis (90 where they are square;
        below it a femur's medial end stands higher, a tibia's lower: varus of both, and the angles
        of two parallel cuts add up to HKA) and how far the normal is turned from the axis in the
        sagittal plane (positive where the cut runs down to the back).
    """
    way = normal if normal @ away > 0 else -normal
    frontal = _signed(planes.frontal_deg(way) - planes.frontal_deg(away))
    sagittal = planes.sagittal_deg(way) - planes.sagittal_deg(away)
    handed = 1.0 if away @ planes.up > 0 else -1.0
    return 90.0 + handed * frontal, _signed(sagittal)


def _signed(angle_deg: float) -> float:
    """The same angle between -180 and 180."""
    return float((angle_deg + 180.0) % 360.0 - 180.0)


def turn_deg(line: Floats, reference: Floats, planes: FrontalPlane) -> float:
    """Turn of a line (lateral to medial) against another, about the long axis.

    Args:
        line: (3,) from lateral to medial.
        reference: (3,) from lateral to medial.
        planes: Of the bone.

    Returns:
        Degrees; external rotation of the line (its medial end to the front, against the
        reference) is positive on both sides.
    """
    angles = [np.degrees(np.arctan2(v @ planes.back, v @ planes.medial)) for v in (reference, line)]
    return _signed(float(angles[0] - angles[1]))
