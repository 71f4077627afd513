"""Metal of an earlier operation: pedicle screws, joined by rods, and the streaks round them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.phantoms.scan import ScanGrid
from guidegen.phantoms.shapes import Distances, Points, capsule
from guidegen.phantoms.spine import Scene

ROD_MM = 5.5
HEAD_MM = 24.0
"""A screw's head, and the rod in it, so far behind the isthmus (engineering choice: behind the
facet joints of these vertebrae)."""
_RAYS = 7
_FADES_MM = 30.0


@dataclass(frozen=True, eq=False)
class Piece:
    """One straight rod with round ends, patient LPS mm.

    Args:
        start_mm: (3,) end.
        stop_mm: (3,) end.
        radius_mm: Of the rod.
        hu: Its grey value.
        streak_hu: Height of its streaks close to it.
    """

    start_mm: Floats
    stop_mm: Floats
    radius_mm: float
    hu: float
    streak_hu: float

    def measure(self, points_mm: Points) -> tuple[Distances, Distances]:
        """Distance of points (3, N), negative inside; there is no cortex."""
        far = capsule(points_mm, self.start_mm, self.stop_mm, self.radius_mm)
        return far, np.zeros_like(far)

    def corners(self) -> Floats:
        """(8, 3): the corners of a box that holds it."""
        ends = np.array([self.start_mm, self.stop_mm])
        box = np.array([ends.min(axis=0) - self.radius_mm, ends.max(axis=0) + self.radius_mm])
        pick = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        return np.stack([box[pick[:, n], n] for n in range(3)], axis=1)


def _screw(scene: Scene, level: str, side: str, length_mm: float) -> tuple[Floats, Floats]:
    """(3,) twice: a screw's head and tip, on the pedicle's own axis."""
    vertebra, pose = scene.vertebrae[level], scene.poses[level]
    way, middle = vertebra.pedicle_axes(side)[:, 2], vertebra.isthmus(side)
    head = middle - HEAD_MM * way
    return pose.points(head), pose.points(head + length_mm * way)


def pieces(scene: Scene) -> Iterator[Piece]:
    """All metal of a scene."""
    for item in scene.definition.metal:
        head, tip = _screw(scene, item.level, item.side, item.length_mm)
        yield Piece(head, tip, item.diameter_mm / 2, item.hu, item.streak_hu)
        if item.rod_to is not None:
            other, _ = _screw(scene, item.rod_to, item.side, item.length_mm)
            yield Piece(head, other, ROD_MM / 2, item.hu, item.streak_hu)


def add_streaks(hu: Any, scan: ScanGrid, piece: Piece) -> None:
    """Lay a star of bright and dark rays round a piece into each slice that it runs through.

    In place; as beam hardening and starved photons do, they stay in the slice and fade with the
    distance (engineering choice: no scanner is modelled).
    """
    if piece.streak_hu <= 0:
        return
    m = scan.patient_from_kji
    _, n_j, n_i = scan.shape_kji
    j, i = np.meshgrid(np.arange(n_j), np.arange(n_i), indexing="ij")
    flat = j[..., None] * m[:3, 1] + i[..., None] * m[:3, 2] + m[:3, 3]
    for k in range(len(hu)):
        place = flat + k * m[:3, 0]
        depth = capsule(
            np.ascontiguousarray(place.reshape(-1, 3).T),
            piece.start_mm,
            piece.stop_mm,
            piece.radius_mm,
        ).reshape(n_j, n_i)
        if depth.min() >= 0:
            continue
        across = (place - place[depth < 0].mean(axis=0)) @ m[:3, 1:3]
        rays = np.cos(_RAYS * np.arctan2(across[..., 0], across[..., 1]))
        outside = np.maximum(depth, 0.0)
        hu[k] += np.where(depth < 0, 0.0, piece.streak_hu * rays * np.exp(-outside / _FADES_MM))
