"""The lateral malleolus, the fibula's lower end, beside its tibia's ankle."""

from __future__ import annotations

import numpy as np

from guidegen.anatomy.tibia import side_of
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmark, Landmarks

_BELOW_MM = (5.0, 50.0)
_ASIDE_MM = (12.0, 60.0)
_ALONG_MM = 40.0
"""A lateral malleolus lies so far below, to lateral and in front of or behind the middle of the
plafond (engineering choice: 21 to 24 mm below, 24 to 29 aside and 3 to 15 behind in three legs)."""
_CAP_MM = 0.5


def lateral_malleolus(fibula: Bone, tibia: Landmarks) -> Landmark | None:
    """Find the fibula's most distal point along the tibia's axis.

    Args:
        fibula: Its surface, or that of its part at the ankle.
        tibia: Landmarks of the tibia beside it.

    Returns:
        ``malleolus_lateral``; None if the tibia shows no ankle, or the fibula's end is not where a
        malleolus is: cut off there, or another bone.
    """
    if "ankle_centre" not in tibia:
        return None
    to_bone = tibia.patient_from_bone.inverse
    local = to_bone.points(fibula.vertices_mm) - to_bone.points(tibia["ankle_centre"].position_mm)
    lowest = float(local[:, 2].min())
    cap = local[local[:, 2] < lowest + _CAP_MM].mean(axis=0)
    aside = cap[0] if side_of(tibia) == "left" else -cap[0]
    fits = _BELOW_MM[0] < -lowest < _BELOW_MM[1] and _ASIDE_MM[0] < aside < _ASIDE_MM[1]
    if not fits or abs(cap[1]) > _ALONG_MM:
        return None
    place = np.array([cap[0], cap[1], lowest]) + to_bone.points(tibia["ankle_centre"].position_mm)
    point = tibia.patient_from_bone.points(place)
    return Landmark("malleolus_lateral", point, 1.0, "most distal point of the fibula")
