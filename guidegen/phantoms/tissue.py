"""Everything round the bones: skin, fat, muscle, discs, canal, lungs, table."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.model.frames import Pose
from guidegen.phantoms import shapes
from guidegen.phantoms.clothing import CLOTH_HU, METAL_HU, gown_distance, wire_distance
from guidegen.phantoms.scan import ScanGrid
from guidegen.phantoms.skin import BACK_MM, BELLY_MM, CENTRE_MM, HALF_MM, outside_skin
from guidegen.phantoms.spine import Scene, joint_frame
from guidegen.phantoms.vertebra import Vertebra

Array = npt.NDArray[Any]
AIR, FAT, MUSCLE, DISC, CANAL, VESSEL, LUNG = -1000.0, -100.0, 55.0, 85.0, 30.0, 45.0, -850.0
SKIN = 20.0
TABLE_SKIN, TABLE_CORE, TABLE_SKIN_MM = 20.0, -780.0, 2.0


def _inside(x: Array, y: Array, centre: tuple[float, float], half: tuple[float, float]) -> Array:
    return ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2 < 1.0


def _within(x: Array, y: Array, chest: Array, skin_mm: float) -> Array:
    """Paint a slice as if the patient had no end; ``chest`` is where lungs may be."""
    hu = np.full(x.shape, FAT, dtype=np.float32)
    if skin_mm > 0:
        hu[outside_skin(x, y) > -skin_mm] = SKIN
    hu[_inside(x, y, CENTRE_MM, (150, 101))] = MUSCLE
    hu[_inside(x, y, (0, -98), (110, 62)) & ~chest] = FAT
    for side in (-1, 1):
        lung = _inside(x, y, (side * 58, -22), (39, 46)) & chest
        hu[lung] = LUNG
    hu[_inside(x, y, (8, -37), (9, 9))] = VESSEL
    return hu


def _blend(hu: Array, value: Any, distance: Array, step_mm: float) -> Array:
    """Lay something over a slice; at its edge every pixel takes its share."""
    share = np.clip(0.5 - distance / step_mm, 0.0, 1.0).astype(np.float32)
    return np.asarray(hu + share * (value - hu))


def _around(place: Array, scene: Scene, prone: bool, step_mm: float) -> Array:
    """Paint what lies round the patient: air, cloth and lead on the back, the table."""
    x, y, z = place
    known = scene.definition
    hu = np.full(x.shape, AIR, dtype=np.float32)
    if known.gown:
        hu = _blend(hu, CLOTH_HU, gown_distance(x, y, z), step_mm)
    if known.wire:
        bend = float(np.mean([pose.origin_mm[2] for pose in scene.poses.values()]))
        hu = _blend(hu, METAL_HU, wire_distance(x, y, z, bend), step_mm)
    under = (BELLY_MM - y if prone else y - BACK_MM) - known.table_gap_mm
    hu[(under > 0) & (under < TABLE_SKIN_MM)] = TABLE_SKIN
    hu[under >= TABLE_SKIN_MM] = TABLE_CORE
    return hu


def _slice(place: Array, chest: Array, scene: Scene, prone: bool, step_mm: float) -> Array:
    """Paint one slice from its pixels' patient coordinates (3, J, I)."""
    x, y, _ = place
    skin_mm = scene.definition.skin_mm
    around = _around(place, scene, prone, step_mm)
    within = _within(x, y, chest, skin_mm)
    if skin_mm > 0:
        return _blend(around, within, outside_skin(x, y), step_mm)
    return np.where(_inside(x, y, CENTRE_MM, HALF_MM), within, around)


def _paint(
    hu: Array, scan: ScanGrid, pose: Pose, half: tuple[float, float, float], paint: Any
) -> None:
    """Give the voxels of a box in a bone's frame a value where ``paint(local)`` is true."""
    pick = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    low, high = scan.index_box(pose.points(pick * np.asarray(half)))
    if (high <= low).any():
        return
    index = np.stack(
        np.meshgrid(
            *(np.arange(a, b, dtype=np.float32) for a, b in zip(low, high, strict=True)),
            indexing="ij",
        )
    ).reshape(3, -1)
    m = (pose.inverse.matrix @ scan.patient_from_kji).astype(np.float32)
    mask, value = paint(m[:3, :3] @ index + m[:3, 3:])
    part = hu[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    part[mask.reshape(part.shape)] = value


def _discs(hu: Array, scan: ScanGrid, scene: Scene) -> None:
    levels = scene.definition.levels
    for name, below in pairwise(levels):
        upper, lower = scene.vertebrae[name], scene.vertebrae[below]
        s = upper.sizes
        deep = max(s.dent, lower.sizes.dent)
        frame, half = joint_frame(upper, lower, scene.poses), s.disc / 2 + 4.0 + deep

        def disc(p: Array, s: Any = s, half: float = half) -> tuple[Array, float]:
            side = shapes.ellipse(p[0], p[1], s.width / 2 - 0.3, s.depth / 2 - 0.5)
            return (side < 0) & (np.abs(p[2]) < half), DISC

        _paint(hu, scan, frame, (s.width / 2 + 2, s.depth / 2 + 2, half), disc)


def _canal(hu: Array, scan: ScanGrid, vertebra: Vertebra, pose: Pose) -> None:
    s, y = vertebra.sizes, vertebra.canal_centre[1]
    half = vertebra.half_height + s.disc / 2 + 2.0

    def contents(p: Array) -> tuple[Array, float]:
        round_it = shapes.ellipse(p[0], p[1] - y, s.canal_width / 2 - 0.5, s.canal_depth / 2 - 0.5)
        return (round_it < 0) & (np.abs(p[2]) < half), CANAL

    _paint(hu, scan, pose, (s.canal_width, y + s.canal_depth, half), contents)


def soft_tissue(scene: Scene, scan: ScanGrid, prone: bool = False) -> Array:
    """Paint the patient without bones, and what lies round him.

    Args:
        scene: The phantom's bones.
        scan: The grid.
        prone: The patient lies on the belly: the table is in front of it, not behind the back.

    Returns:
        float32 HU (K, J, I).
    """
    m = scan.patient_from_kji
    _, n_j, n_i = scan.shape_kji
    j, i = np.meshgrid(np.arange(n_j), np.arange(n_i), indexing="ij")
    flat = j[..., None] * m[:3, 1] + i[..., None] * m[:3, 2] + m[:3, 3]
    thorax = [scene.poses[n].origin_mm[2] for n in scene.definition.levels if n.startswith("T")]
    floor = min(thorax) - 10.0 if len(thorax) > 2 else np.inf
    hu = np.empty(scan.shape_kji, dtype=np.float32)
    step_mm = float(np.linalg.norm(m[:3, 2]))
    for k in range(scan.shape_kji[0]):
        place = np.moveaxis(flat + k * m[:3, 0], -1, 0)
        hu[k] = _slice(place, place[2] > floor, scene, prone, step_mm)
    if not scene.definition.fused:
        _discs(hu, scan, scene)
    for name, vertebra in scene.vertebrae.items():
        _canal(hu, scan, vertebra, scene.poses[name])
    return hu
