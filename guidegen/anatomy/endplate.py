"""Endplates by their grey values, finer than the voxels that a surface was made from."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from guidegen.model.arrays import Floats
from guidegen.model.frames import Pose
from guidegen.model.volume import CTVolume

_REACH_MM = 4.0
_STEP_MM = 0.2
_NEAR_MM = 1.2
"""The endplate is looked for this near to the surface."""
_HALF_MM = 1.75
"""Half the height of the window that the sheet is weighed in (engineering choice: a cortex of
1 mm, blurred by slices of 1 mm, still short of the neighbour's endplate)."""
_MIN_PEAK_HU = 80.0
"""A sheet is brighter than what lies above and below it by this (engineering choice)."""
_ROUNDS = 6


def _at(profiles: Floats, place: Floats) -> Floats:
    """(N,): values of profiles (N, T) at fractional indices (N,), linear between."""
    place = np.clip(place, 0.0, profiles.shape[1] - 1.001)
    low = place.astype(int)
    rows = np.arange(len(profiles))
    share = place - low
    return np.asarray(profiles[rows, low] * (1 - share) + profiles[rows, low + 1] * share)


def _middles(profiles: Floats, t: Floats) -> Floats:
    """(N,): where the bright sheet's centre of gravity lies; NaN where there is none.

    Weighed over a straight base line between the window's ends, and the window moved there, until
    it rests: the centre of gravity does not depend on how the voxels lie, unlike an edge.
    """
    start = np.flatnonzero(np.abs(t) <= _NEAR_MM + 1e-9)
    middle = t[start[profiles[:, start].argmax(axis=1)]]
    clear = np.zeros(len(profiles), dtype=bool)
    for _ in range(_ROUNDS):
        low, high = (_at(profiles, (middle + e - t[0]) / _STEP_MM) for e in (-_HALF_MM, _HALF_MM))
        away = (t[None, :] - middle[:, None]) / _HALF_MM
        base = (low + high)[:, None] / 2 + away * (high - low)[:, None] / 2
        over = np.where(np.abs(away) <= 1.0, np.maximum(profiles - base, 0.0), 0.0)
        clear = over.max(axis=1) > _MIN_PEAK_HU
        weight = np.maximum(over.sum(axis=1), 1e-9)
        middle = np.where(clear, (over * t).sum(axis=1) / weight, middle)
    return np.where(clear & (np.abs(middle) <= _NEAR_MM), middle, np.nan)


class GreyEndplates:
    """The grey values round one vertebra, to look for its endplates in.

    Args:
        volume: The CT.
        patient_from_bone: The vertebra's frame.
        vertices_mm: (V, 3) of the vertebra in the patient's frame: how much of the CT is kept.
    """

    def __init__(self, volume: CTVolume, patient_from_bone: Pose, vertices_mm: Floats) -> None:
        self._part = volume.around(vertices_mm, _REACH_MM)
        self._pose = patient_from_bone

    def middles(self, points: Floats) -> Floats:
        """Find how far along z the middle of the endplate's bright sheet lies from points.

        Args:
            points: (N, 3) on the surface of an endplate, in the vertebra's frame.

        Returns:
            (N,) mm to the head; NaN where no sheet is seen within 1.2 mm.
        """
        t = np.arange(-_REACH_MM, _REACH_MM + _STEP_MM / 2, _STEP_MM)
        lines = points[:, None, :] + t[None, :, None] * np.array([0.0, 0.0, 1.0])
        kji = self._part.grid.kji(self._pose.points(lines.reshape(-1, 3)))
        hu = ndimage.map_coordinates(self._part.hu, kji.T, np.float64, order=1, mode="nearest")
        return _middles(hu.reshape(len(points), len(t)), t)
