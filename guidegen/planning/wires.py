"""Straight wires from behind into a spinous process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.mesh.rays import RayTarget
from guidegen.mesh.sdf import signed_distance
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks

_ACROSS_MM = np.arange(-4.0, 4.1, 1.0)
_ALONG_MM = np.arange(-14.0, 14.1, 1.0)
_BEHIND_MM = 30.0
_UNDER_MM = 3.0
_SLANT_MM = 4.0
"""A spot whose surface lies this much in front of the tip is the process's edge, not its back."""


@dataclass(frozen=True)
class WireLimits:
    """What a wire may do, mm.

    Args:
        diameter_mm: Of the wire.
        depth_mm: In the bone.
        wall_mm: Least bone round it.
        apart_mm: Least distance of two wires' axes.
    """

    diameter_mm: float
    depth_mm: float
    wall_mm: float
    apart_mm: float


def place_wires(
    bone: Bone, landmarks: Landmarks, limits: WireLimits
) -> tuple[tuple[Floats, Floats], ...]:
    """Find places for one or two parallel wires straight from behind.

    Spots on a grid behind the tip of the spinous process are judged by the least bone round a wire
    from 3 mm under the surface to its end; two spots far enough apart are wanted, so that the wires
    also hold against turning.

    Args:
        bone: The vertebra.
        landmarks: With ``spinous_tip``.
        limits: Of a wire.

    Returns:
        Entry and tip (3,) of each wire, patient LPS, from head to foot; none where the process
        is too thin or not in view.
    """
    if "spinous_tip" not in landmarks:
        return ()
    pose = landmarks.patient_from_bone
    to_bone = pose.inverse
    vertices = to_bone.points(bone.vertices_mm)
    tip = to_bone.points(landmarks["spinous_tip"].position_mm)
    x, z = (g.ravel() for g in np.meshgrid(_ACROSS_MM, _ALONG_MM, indexing="ij"))
    starts = tip + np.stack([x, np.full(len(x), _BEHIND_MM), z], axis=1)
    way = np.array([0.0, -1.0, 0.0])
    hit, _ = RayTarget(vertices, bone.faces).first_hit(starts, way)
    met = np.isfinite(hit) & (hit < _BEHIND_MM + _SLANT_MM)
    entries = starts[met] + hit[met, None] * way
    depths = np.arange(_UNDER_MM, limits.depth_mm + 0.01, 1.0)
    points = entries[:, None] + depths[None, :, None] * way
    inside = -signed_distance(points.reshape(-1, 3), vertices, bone.faces)
    room = inside.reshape(points.shape[:2]).min(axis=1) - limits.diameter_mm / 2 - limits.wall_mm
    spots = [(float(room[n]), entries[n]) for n in np.argsort(-room, kind="stable") if room[n] > 0]
    chosen = _pair([entry for _, entry in spots], limits.apart_mm)
    return tuple((pose.points(e), pose.points(e + limits.depth_mm * way)) for e in chosen)


def _pair(entries: list[Floats], apart_mm: float) -> list[Floats]:
    """The best spot and the best one that is far enough from it, head first."""
    for n, first in enumerate(entries):
        for second in entries[n + 1 :]:
            if abs(first[2] - second[2]) >= apart_mm:
                return sorted((first, second), key=lambda e: -float(e[2]))
    return entries[:1]
