"""What is known of a phantom of legs, in closed form from its definition.

Angles are those of the case contract, by the definition's own points and axes: the femur's frontal
plane holds its mechanical axis and the line through its epicondyles. Planned angles and resections
are those that the default settings ask for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from guidegen.model.arrays import Floats, unit
from guidegen.phantoms.landmarks import numbers
from guidegen.phantoms.leg import PosedLeg, moved
from guidegen.phantoms.leg_bones import malleolus_lateral
from guidegen.phantoms.leg_definition import LegsDefinition

SUPINE_SLOPE_DEG, ROTATION_DEG, DISTAL_BONE_MM = 5.0, 3.0, 7.0
"""Default settings of the knee: slope, rotation to the posterior condyles, bone taken off the more
prominent distal condyle."""
_MARGIN_MM = 3.0


def posed_legs(definition: LegsDefinition) -> dict[str, PosedLeg]:
    """Side to leg."""
    return {side: PosedLeg(side, shape) for side, shape in definition.legs.items()}


def bone_landmarks(leg: PosedLeg, bone: str) -> dict[str, dict[str, Any]]:
    """Landmarks of ``femur`` or ``tibia``, LPS mm, named as in landmarks.json."""
    place = leg.place(bone)
    own = leg.femur if bone == "femur" else leg.tibia
    points = own.landmarks()
    further: dict[str, dict[str, Any]] = {}
    if bone == "femur":
        points["intercondylar_notch"] = points["knee_centre"]
        further["femoral_head_centre"] = {"radius_mm": leg.femur.head_mm}
    else:
        points["plateau_centre"] = np.zeros(3)
        points["malleolus_lateral"] = malleolus_lateral(leg)
    made = {
        name: {"position_mm": numbers(moved(place, p)), "spread_mm": 0.0, "method": "definition"}
        | further.get(name, {})
        for name, p in points.items()
    }
    low, high = (moved(place, end) for end in own.shaft_ends())
    made["shaft"] = {
        "position_mm": numbers((low + high) / 2),
        "spread_mm": 0.0,
        "method": "definition",
        "along": numbers(place[:3, :3] @ own.shaft_up(), 6),
    }
    return made


def mechanical_axis(leg: PosedLeg, bone: str) -> Floats:
    """(3,): unit vector to proximal, LPS."""
    return np.asarray(leg.place(bone)[:3, 2])


def measurements(leg: PosedLeg) -> dict[str, float]:
    """Angles (deg) and distal resections (mm) of a leg, without the side."""
    femur, across = leg.patient_from_femur, leg.hinge
    up = femur[:3, 2]
    medial = unit(femur[:3, :3] @ np.array([across[0], across[1], 0.0]), "medial")
    back = unit(femur[:3, 1] - (femur[:3, 1] @ medial) * medial, "back")
    frontal = [
        float(np.degrees(np.arctan2(way @ medial, way @ up)))
        for way in (
            -mechanical_axis(leg, "tibia"),
            -leg.patient_from_tibia[:3, :3] @ leg.tibia.shaft_up(),
            femur[:3, :3] @ leg.femur.shaft_up(),
        )
    ]
    tibia = -mechanical_axis(leg, "tibia")
    own = leg.shape
    deep = max(own.medial_condyle_mm, own.lateral_condyle_mm)
    return {
        "HKA": frontal[0] % 360.0,
        "FTA": (frontal[2] - frontal[1]) % 360.0,
        "knee_flexion": float(np.degrees(np.arctan2(tibia @ back, -tibia @ up))),
        "FFC": 90.0,
        "LFC": 0.0,
        "FTC": 90.0,
        "LTC": 90.0 - SUPINE_SLOPE_DEG,
        "femoral_rotation_to_PCA": ROTATION_DEG,
        "femoral_rotation_to_TEA": ROTATION_DEG - own.epicondyles_deg,
        "tibial_rotation": 0.0,
        "resection_distal_medial": DISTAL_BONE_MM - deep + own.medial_condyle_mm,
        "resection_distal_lateral": DISTAL_BONE_MM - deep + own.lateral_condyle_mm,
    }


def _in_view(definition: LegsDefinition, position_mm: list[float]) -> bool:
    spans = definition.view.spans_mm
    return not spans or any(a + _MARGIN_MM < position_mm[2] < b - _MARGIN_MM for a, b in spans)


def legs_truth(definition: LegsDefinition) -> dict[str, Any]:
    """Collect truth.json of a phantom of legs, but for its schema.

    Landmarks that the view leaves out are left out; angles are the leg's, whatever is in view.
    """
    bones: dict[str, Any] = {}
    measured: dict[str, float] = {}
    for side, leg in posed_legs(definition).items():
        for bone in ("femur", "tibia"):
            found = bone_landmarks(leg, bone)
            bones[f"{bone}_{side}"] = {
                name: mark
                for name, mark in found.items()
                if name == "shaft" or _in_view(definition, mark["position_mm"])
            }
        measured |= {f"{name}_{side}": round(v, 4) for name, v in measurements(leg).items()}
    return {
        "frame": "LPS",
        "phantom": definition.name,
        "landmarks": {"bones": bones},
        "corridors": {},
        "measurements": measured,
        "posture": "supine",
        "expect": definition.expect.model_dump(mode="json"),
    }
