"""Part a femur from the pelvis where they touch: the head is a ball, and the cut follows it."""

from __future__ import annotations

from dataclasses import dataclass

import edt
import numpy as np
from scipy import ndimage

from guidegen.bones.leg_scan import LegScan
from guidegen.bones.leg_shafts import Shaft
from guidegen.bones.leg_split import split
from guidegen.model.arrays import Floats, unit

ABOVE_SHAFT_MM = (5.0, 120.0)
"""The head's middle lies so far above the part of the shaft that is round (engineering choice)."""
BESIDE_SHAFT_MM = 85.0
SHAFT_MM = (15.0, 35.0)
"""Nearer to the line up from the shaft, and lower over its end, lies the shaft itself. Higher up
lies the head too where a leg leans (engineering choice)."""
HEAD_MM = (16.0, 32.0)
"""Radius of heads, adults' and more (engineering choice)."""
FREE_ML = 4.0
"""More bone than this beyond the head, away from the neck, is pelvis (engineering choice)."""
CORE_SHARE = 0.8
BEYOND_MM = 5.0
NECK_DEG, PELVIS_DEG = 42.0, 75.0
"""Seen from the head's middle, neck and shaft lie within the first angle of the way to the shaft,
and no part of the femur but the head beyond the second (engineering choice)."""
OUTSIDE_MM = 1.5
"""So far beyond the head's true surface the first voxel lies that is not bone: blur and half a
voxel."""
SHELL_CONDUCTION = 0.05
"""Conduction where the ball ends, so that the cut follows it where no joint is seen."""


@dataclass(frozen=True, eq=False)
class Ball:
    """A femoral head, in millimetres from the grid's corner."""

    centre: Floats
    radius: float


def split_hip(scan: LegScan, labels: np.ndarray, shaft: Shaft, label: int) -> None:
    """Give the pelvis a label of its own if a femur's piece holds some of it, in place."""
    step = scan.step_mm
    top = np.array([shaft.slices[-1] * step[0], *shaft.middles_ji_mm[-1]])
    box = _above(labels, label, max(int((top[0] - 10) / step[0]), 0))
    corner = np.array([s.start for s in box]) * step
    piece = labels[box] == label
    head = _head(piece, top - corner, step)
    if head is None:
        return
    away = _away(piece.shape, head.centre, step)
    distance = np.linalg.norm(away, axis=-1)
    to_shaft = unit(top - corner - head.centre, "neck").astype(np.float32)
    cosine = (away @ to_shaft) / np.maximum(distance, 1e-3)
    beyond = cosine < np.cos(np.radians(PELVIS_DEG))
    pelvis = piece & (distance > head.radius + BEYOND_MM) & beyond
    if pelvis.sum() * float(np.prod(step)) / 1000 < FREE_ML:
        return
    femur = (distance < CORE_SHARE * head.radius) | (cosine > np.cos(np.radians(NECK_DEG)))
    shell = (np.abs(distance - head.radius + OUTSIDE_MM) < 0.8) & (cosine < 0.5)
    conduct = np.where(shell, SHELL_CONDUCTION, 1.0).astype(np.float32)
    own = split(scan.hu[box], piece, piece & femur & ~pelvis, pelvis, conduct)
    labels[box][piece & ~own] = int(labels.max()) + 1


def _above(labels: np.ndarray, label: int, low: int) -> tuple[slice, ...]:
    """The box of a piece from a slice on."""
    place = ndimage.find_objects((labels[low:] == label).view(np.uint8))[0]
    return (slice(low + place[0].start, low + place[0].stop), *place[1:])


def _head(piece: np.ndarray, top: Floats, step: Floats) -> Ball | None:
    """The largest ball in what lies above and beside the shaft's upper end."""
    depth = edt.edt(piece, anisotropy=tuple(step), parallel=2)
    k, j, i = np.ogrid[tuple(slice(0, n) for n in piece.shape)]
    above = k * step[0] - top[0]
    beside = np.hypot(j * step[1] - top[1], i * step[2] - top[2])
    there = (above > ABOVE_SHAFT_MM[0]) & (above < ABOVE_SHAFT_MM[1])
    there = there & (beside < BESIDE_SHAFT_MM)
    there = there & ((beside > SHAFT_MM[0]) | (above > SHAFT_MM[1]))
    depth = np.where(there, depth, 0)
    place = np.unravel_index(int(depth.argmax()), depth.shape)
    radius = float(depth[place])
    if not HEAD_MM[0] < radius < HEAD_MM[1]:
        return None
    return Ball(np.array(place) * step, radius)


def _away(shape: tuple[int, ...], centre: Floats, step: Floats) -> np.ndarray:
    """(K, J, I, 3) float32 mm from the centre."""
    axes = [
        (np.arange(n) * d - c).astype(np.float32)
        for n, d, c in zip(shape, step, centre, strict=True)
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
