"""Bones beside each other: kept apart by a joint space, or parted where they are fused.

Shapes are drawn without looking at their neighbours. Where two of them come too close, both give
way by the same amount, so that between them lies a gap of the wanted width along their middle
surface: the joint space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.phantoms import shapes
from guidegen.phantoms.shapes import Distances, Points

Field = Callable[[Points], tuple[Distances, Distances]]
_CARE_MM = 2.5
_EDGE_MM = 0.6


@dataclass(frozen=True, eq=False)
class Neighbour:
    """A bone that may come too close.

    Args:
        shape: Its shape, in its own frame.
        neighbour_from_own: (4, 4).
        centres: (N, 3) where they may touch, in the frame of the bone that looks.
        reach_mm: How far from the centres.
        gap_mm: Width of the space to be kept.
    """

    shape: Field
    neighbour_from_own: Floats
    centres: Floats
    reach_mm: float
    gap_mm: float

    def near(self, points: Points, distance: Distances) -> Any:
        """Indices of the points that the neighbour may change."""
        close = np.zeros(points.shape[1], dtype=bool)
        for centre in self.centres.astype(points.dtype):
            off = points - centre[:, None]
            close |= (off * off).sum(axis=0) < self.reach_mm**2
        return np.flatnonzero(close & (distance < _CARE_MM))

    def measure(self, points: Points) -> Distances:
        """Measure points (3, N) of the looking bone's frame to the neighbour."""
        m = self.neighbour_from_own.astype(points.dtype)
        return self.shape(m[:3, :3] @ points + m[:3, 3:])[0]


class SeparatedField:
    """A bone that gives way to its neighbours.

    Args:
        shape: The bone alone.
        neighbours: What it must keep clear of.
        share: 0.5 if the neighbour gives way as well, 1 if it doesn't.
    """

    def __init__(self, shape: Field, neighbours: Sequence[Neighbour], share: float = 0.5) -> None:
        self.shape = shape
        self._neighbours = neighbours
        self._share = share

    def __call__(self, points: Points) -> tuple[Distances, Distances]:
        """Measure points (3, N): distance, negative inside, and cortex thickness there, mm."""
        alone, cortex = self.shape(points)
        whole = alone
        for neighbour in self._neighbours:
            chosen = neighbour.near(points, alone)
            if len(chosen) == 0:
                continue
            other = neighbour.measure(np.ascontiguousarray(points[:, chosen]))
            if self._share == 1.0:
                limit = neighbour.gap_mm - other
            else:
                limit = 0.5 * (alone[chosen] - other + neighbour.gap_mm)
            whole = whole.copy() if whole is alone else whole
            whole[chosen] = shapes.smooth_cut(whole[chosen], limit, _EDGE_MM)
        return whole, cortex


class PartedField:
    """One vertebra's part of a fused spine: it ends half way to its neighbours' own shapes.

    Args:
        fused: The fused spine, in the patient's frame.
        patient_from_own: (4, 4) of the vertebra.
        own: The vertebra alone.
        neighbours: The vertebrae above and below, alone.
    """

    def __init__(
        self, fused: Field, patient_from_own: Floats, own: Field, neighbours: Sequence[Neighbour]
    ) -> None:
        self._fused, self._own, self._neighbours = fused, own, neighbours
        self._place = patient_from_own

    def __call__(self, points: Points) -> tuple[Distances, Distances]:
        """Measure points (3, N): distance, negative inside, and cortex thickness there, mm."""
        m = self._place.astype(points.dtype)
        whole, cortex = self._fused(m[:3, :3] @ points + m[:3, 3:])
        mine = self._own(points)[0]
        for neighbour in self._neighbours:
            whole = np.maximum(whole, 0.5 * (mine - neighbour.measure(points)))
        return whole, cortex
