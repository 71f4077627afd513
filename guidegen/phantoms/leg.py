"""Where the bones of one leg lie: femur and tibia posed to each other, the leg in the patient.

Everything follows in closed form from the definition. The knee bends about the femur's epicondylar
axis; the tibia is then pushed along its own axis until the narrower joint space is as wanted. A
right leg is built; a left one is its mirror image, so that a left leg's bone-to-patient matrices
hold a reflection.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from guidegen.model.arrays import Floats, unit
from guidegen.phantoms.femur import Femur
from guidegen.phantoms.leg_definition import LegShape
from guidegen.phantoms.tibia import Tibia

HIP_ASIDE_MM = 90.0
BEHIND_MM = 9.0
"""The plateaus' centre lies so far behind the condyles' lowest points (engineering choice: the
eminences stand in the notch)."""
_MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])


def turn(axis: Floats | tuple[float, ...], angle_deg: float) -> Floats:
    """(3, 3): rotation about an axis by the right hand's rule."""
    a = unit(np.asarray(axis, dtype=np.float64), "axis")
    cross = np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])
    r = np.radians(angle_deg)
    return np.asarray(np.eye(3) + np.sin(r) * cross + (1 - np.cos(r)) * cross @ cross)


def placed(axes: Floats, origin_mm: Floats) -> Floats:
    """(4, 4) from (3, 3) and (3,)."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes, origin_mm
    return matrix


def moved(matrix: Floats, points_mm: Any) -> Floats:
    """(..., 3): points by a (4, 4) matrix."""
    return np.asarray(np.asarray(points_mm) @ matrix[:3, :3].T + matrix[:3, 3])


@dataclass(frozen=True, eq=False)
class PosedLeg:
    """A leg's femur and tibia in the patient.

    Args:
        side: ``left`` or ``right``.
        shape: The definition's.
    """

    side: str
    shape: LegShape

    @cached_property
    def femur(self) -> Femur:
        """The femur's sizes."""
        own = self.shape
        return Femur(
            length_mm=own.femur_mm,
            head_mm=own.head_mm,
            valgus_deg=own.shaft_deg,
            medial_distal_mm=own.medial_condyle_mm,
            lateral_distal_mm=own.lateral_condyle_mm,
            epicondyles_deg=own.epicondyles_deg,
        )

    @cached_property
    def tibia(self) -> Tibia:
        """The tibia's sizes; its medial plateau follows from alignment and joint spaces."""
        own = self.shape
        up = self._tibia_axes(0.0)[:, 2]
        medial, lateral = (self._lowest(side, up)[0] for side in ("medial", "lateral"))
        level = lateral - own.lateral_gap_mm + own.lateral_plateau_mm
        return Tibia(
            length_mm=own.tibia_mm,
            medial_mm=level - medial + own.medial_gap_mm,
            lateral_mm=own.lateral_plateau_mm,
        )

    @property
    def hinge(self) -> Floats:
        """(3,): the epicondylar axis from lateral to medial, in the femur's frame."""
        marks = self.femur.landmarks()
        return unit(marks["medial_epicondyle"] - marks["lateral_epicondyle"], "hinge")

    def _tibia_axes(self, flexion_deg: float) -> Floats:
        """(3, 3): medial, back and up of the tibia in the femur's frame."""
        medial = np.array([self.hinge[0], self.hinge[1], 0.0])
        back = np.cross((0.0, 0.0, 1.0), medial)
        return turn(medial, flexion_deg) @ turn(back, -self.shape.varus_deg)

    def _lowest(self, side: str, up: Floats) -> tuple[float, Floats]:
        """How low a condyle reaches along an axis, and where."""
        ends = self.femur.roller(side)
        reach = [float(centre @ up) - radius for centre, radius in ends]
        n = int(np.argmin(reach))
        return reach[n], ends[n][0] - ends[n][1] * up

    @cached_property
    def femur_from_tibia(self) -> Floats:
        """(4, 4) of a right leg."""
        own, axes = self.shape, self._tibia_axes(self.shape.flexion_deg)
        up = axes[:, 2]
        found = {side: self._lowest(side, up) for side in ("medial", "lateral")}
        if own.medial_gap_mm <= own.lateral_gap_mm:
            height = found["medial"][0] - own.medial_gap_mm + self.tibia.medial_mm
        else:
            height = found["lateral"][0] - own.lateral_gap_mm + self.tibia.lateral_mm
        contact = (found["medial"][1] + found["lateral"][1]) / 2
        origin = contact + BEHIND_MM * axes[:, 1] - own.aside_mm * axes[:, 0]
        return placed(axes, origin + (height - float(origin @ up)) * up)

    @cached_property
    def patient_from_femur(self) -> Floats:
        """(4, 4), LPS mm; a reflection for a left leg."""
        own = self.shape
        lying = np.eye(3)
        for axis, angle in zip(np.eye(3), own.turned_deg, strict=True):
            lying = turn(axis, angle) @ lying
        axes = lying @ turn((0, 1, 0), -own.lean_deg) @ turn((0, 0, 1), -own.out_deg)
        aside = HIP_ASIDE_MM - own.femur_mm * np.sin(np.radians(own.lean_deg))
        right = placed(axes, np.array([-aside, 0.0, 0.0]))
        return right if self.side == "right" else _MIRROR @ right

    @cached_property
    def patient_from_tibia(self) -> Floats:
        """(4, 4), LPS mm; a reflection for a left leg."""
        return np.asarray(self.patient_from_femur @ self.femur_from_tibia)

    def place(self, bone: str) -> Floats:
        """(4, 4) of ``femur`` or ``tibia``."""
        return self.patient_from_femur if bone == "femur" else self.patient_from_tibia
