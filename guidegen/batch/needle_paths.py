"""Planned needles, measured on a phantom in closed form.

Nothing here uses the planner, the found surfaces or landmarks: the bone, the canal, the skin and
each vertebra's frame are the phantom's own functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ellipeinc

from guidegen.batch.screw_paths import angle_deg
from guidegen.model.arrays import Floats
from guidegen.phantoms import truth
from guidegen.phantoms.heights import walls_mm
from guidegen.phantoms.skin import CENTRE_MM, HALF_MM
from guidegen.phantoms.spine import Scene, Solid
from guidegen.phantoms.surface import distances
from guidegen.phantoms.vertebra import Vertebra

CAP_MM = 3.0
"""The cylinder is measured from this far under the entry (case contract, breach_mm)."""
_STEP_MM = 0.05
_FAR_MM = 130.0
_RING = 72


@dataclass(frozen=True)
class NeedleRow:
    """One planned needle against the phantom; mm and degrees.

    Args:
        name: ``L1_left``.
        skin_off_mm: The skin entry from where the planned axis leaves the true skin.
        to_bone_off_mm: The depth skin to bone less the true one.
        to_tip_off_mm: The depth skin to tip less the true one.
        entry_off_mm: How deep the planned entry lies under the true surface.
        axial_off_deg: The axial angle less that of the same axis in the vertebra's true frame.
        sagittal_off_deg: The sagittal angle likewise.
        medial_off_deg: The medial inclination less that of the axis in the scanner's axial plane.
        cranial_off_deg: The cranial-caudal angle likewise.
        midline_off_mm: The distance from the spinous line less the true arc on the ellipse.
        wall_mm: Least true bone round the cylinder; negative where it leaves the bone.
        front_mm: From the tip along the axis to the true front.
        front_share: The tip's place in the true body: 0 the front wall, 1 the back wall.
        aside_mm: The tip from the true mid-plane, to its own side.
        canal_mm: From the cylinder to the true canal.
    """

    name: str
    skin_off_mm: float
    to_bone_off_mm: float
    to_tip_off_mm: float
    entry_off_mm: float
    axial_off_deg: float
    sagittal_off_deg: float
    medial_off_deg: float
    cranial_off_deg: float
    midline_off_mm: float
    wall_mm: float
    front_mm: float
    front_share: float
    aside_mm: float
    canal_mm: float


def crossing(solid: Solid, start_mm: Floats, way: Floats) -> float:
    """How far from a point (LPS) in the bone a line runs until it leaves it; infinite if never."""
    t = np.arange(0.0, _FAR_MM, _STEP_MM)
    points = start_mm + t[:, None] * way
    depth = distances(solid.shape, solid.patient_from_bone.inverse.points(points))
    outside = np.flatnonzero(depth >= 0)
    if not len(outside) or outside[0] == 0:
        return float("inf") if not len(outside) else 0.0
    n = int(outside[0])
    return float(t[n - 1] + _STEP_MM * depth[n - 1] / (depth[n - 1] - depth[n]))


def spinous_line_mm(point_mm: Floats) -> float:
    """Length of the ellipse's arc from the mid-plane, over the spinous processes, to a skin point.

    x = a sin t, y = b cos t from the back; the arc is a E(t | 1 - b^2 / a^2).
    """
    a, b = HALF_MM
    turn = np.arcsin(abs(point_mm[0] - CENTRE_MM[0]) / a)
    return float(a * ellipeinc(turn, 1.0 - (b / a) ** 2))


def canal_distance_mm(vertebra: Vertebra, points: Floats) -> Floats:
    """(N,) distance of points (N, 3) of the vertebra's frame to the canal, 0 inside it."""
    s = vertebra.sizes
    turn = np.linspace(0.0, 2 * np.pi, 3600)
    half = np.array([s.canal_width, s.canal_depth]) / 2
    edge = vertebra.canal_centre[:2] + half * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    far = np.linalg.norm(points[:, None, :2] - edge[None], axis=2).min(axis=1)
    inside = (((points[:, :2] - vertebra.canal_centre[:2]) / half) ** 2).sum(axis=1) < 1.0
    return np.where(inside, 0.0, far)


def wall_mm(scene: Scene, level: str, ends_mm: tuple[Floats, Floats], diameter_mm: float) -> float:
    """Least bone between a cylinder's surface, from 3 mm under its entry to the tip, and the air.

    Args:
        scene: The phantom's bones.
        level: The bone.
        ends_mm: Where the axis enters the true bone, and the tip.
        diameter_mm: Of the cylinder.
    """
    entry_mm, tip_mm = ends_mm
    length = float(np.linalg.norm(tip_mm - entry_mm))
    way = (tip_mm - entry_mm) / length
    one, two = np.linalg.svd(way[None])[2][1:]
    turn = 2 * np.pi * np.arange(_RING) / _RING
    ring = diameter_mm / 2 * (np.cos(turn)[:, None] * one + np.sin(turn)[:, None] * two)
    along = entry_mm + np.arange(CAP_MM, length + 0.01, 0.2)[:, None] * way
    points = (along[:, None] + ring[None]).reshape(-1, 3)
    return float(truth.inside_distance(scene.definition, level, points).min())


def _angles(way: Floats, side: str) -> tuple[float, float]:
    """Angles of the projections of a direction in a frame: to the midline and to the head."""
    sign = 1.0 if side == "left" else -1.0
    axial = np.degrees(np.arctan2(-sign * way[0], -way[1]))
    return float(axial), float(np.degrees(np.arctan2(way[2], -way[1])))


def needle_row(scene: Scene, path: Mapping[str, Any]) -> NeedleRow:
    """Measure one planned needle that has a skin entry."""
    level, side = path["bone"], path["side"]
    vertebra, solid, pose = scene.vertebrae[level], scene.solid(level), scene.poses[level]
    planned, tip = np.array(path["entry_mm"]), np.array(path["tip_mm"])
    way = (tip - planned) / np.linalg.norm(tip - planned)
    length = crossing(solid, tip, -way)
    entry = tip - length * way
    skin = truth.skin_point(scene.definition, tip, -way)
    axial, sagittal = _angles(pose.inverse.vectors(way), side)
    medial, _ = _angles(way, side)
    cranial = 90.0 - angle_deg(way, np.array([0.0, 0.0, 1.0]))
    inner = pose.inverse.points(tip)
    front, back = walls_mm(vertebra)
    axis = pose.inverse.points(entry + np.arange(-10.0, length, 0.25)[:, None] * way)
    radius = path["diameter_mm"] / 2
    return NeedleRow(
        name=path["name"],
        skin_off_mm=float(np.linalg.norm(np.array(path["skin_mm"]) - skin)),
        to_bone_off_mm=path["skin_to_bone_mm"] - float(np.linalg.norm(entry - skin)),
        to_tip_off_mm=path["skin_to_tip_mm"] - float(np.linalg.norm(tip - skin)),
        entry_off_mm=float((planned - entry) @ way),
        axial_off_deg=path["axial_angle_deg"] - axial,
        sagittal_off_deg=path["sagittal_angle_deg"] - sagittal,
        medial_off_deg=path["medial_inclination_deg"] - medial,
        cranial_off_deg=path["cranial_caudal_deg"] - cranial,
        midline_off_mm=path["skin_to_midline_mm"] - spinous_line_mm(skin),
        wall_mm=wall_mm(scene, level, (entry, tip), path["diameter_mm"]),
        front_mm=crossing(solid, tip, way),
        front_share=float((inner[1] - front) / (back - front)),
        aside_mm=(1.0 if side == "left" else -1.0) * float(inner[0]),
        canal_mm=float(canal_distance_mm(vertebra, axis).min()) - radius,
    )
