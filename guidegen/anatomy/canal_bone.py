"""Bone inside the spinal canal: fragments that a broken back wall has let through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from guidegen.model.arrays import Floats
from guidegen.model.landmarks import Landmarks
from guidegen.model.volume import CTVolume

_STEP_MM = 0.5
_OFF_PLATES_MM = 1.5
_PUSHED_MM, _FREE_MM = 0.5, 2.0
"""How far this level's own centre may move the outline back, and any other way."""
_N_CURVE = 201
_MARGIN_MM = 2.0


@dataclass(frozen=True)
class CanalLimits:
    """What counts as bone in the canal.

    Args:
        bone_hu: Brighter is bone.
        inside_mm: Bone nearer to the outline is left out.
        min_piece_mm3: Smaller connected pieces are noise.
    """

    bone_hu: float
    inside_mm: float
    min_piece_mm3: float


@dataclass(frozen=True)
class CanalBone:
    """Bone inside the canal's outline.

    Args:
        volume_mm3: Of all pieces, as far as they lie well inside the outline; 0 if none.
        reach_mm: How far the deepest of them reaches in, from the outline; 0 if none.
        n_pieces: Connected pieces.
    """

    volume_mm3: float
    reach_mm: float
    n_pieces: int


@dataclass(frozen=True, eq=False)
class _Outline:
    """Circles round the canal's course: centres (N, 2) and radii (N,) at heights z (N,)."""

    z: Floats
    centre: Floats
    radius: Floats


def _canal(landmarks: Landmarks, own: Landmarks) -> tuple[Floats, Floats, float]:
    """Centre, direction to the head and radius of a level's canal, in the frame of ``own``."""
    to_bone, mark = own.patient_from_bone.inverse, landmarks["canal_centre"]
    up = to_bone.vectors(landmarks.patient_from_bone.axes[:, 2])
    radius = float(np.ravel(mark.values["radius_mm"])[0])
    return to_bone.points(mark.position_mm), up, radius


def _between(foot: tuple[Floats, Floats, float], head: tuple[Floats, Floats, float]) -> _Outline:
    """Carry the outline from one level to another along a cubic curve (Hermite)."""
    s = np.linspace(0.0, 1.0, _N_CURVE)[:, None]
    (p, t, r), (q, u, w) = foot, head
    way = float(np.linalg.norm(q - p))
    curve = (2 * s**3 - 3 * s**2 + 1) * p + (s**3 - 2 * s**2 + s) * t * way
    curve = curve + (3 * s**2 - 2 * s**3) * q + (s**3 - s**2) * u * way
    return _Outline(curve[:, 2], curve[:, :2], r + (w - r) * s[:, 0])


def _outline(landmarks: Landmarks, neighbours: Sequence[Landmarks], z: Floats) -> _Outline:
    """The canal's outline at heights z of this level's frame.

    With a neighbour above and below their centres, directions and radii give the course, and the
    level's own centre corrects it; backwards by no more than 0.5 mm, because a fragment pushes
    that centre back and makes its radius small. With fewer neighbours the level's own numbers are
    all there is.
    """
    own = _canal(landmarks, landmarks)
    near = sorted((_canal(other, landmarks) for other in neighbours), key=lambda c: c[0][2])
    below = [c for c in near if c[0][2] < own[0][2]]
    above = [c for c in near if c[0][2] > own[0][2]]
    if not below or not above:
        radius = max([own[2], *(0.5 * (own[2] + c[2]) for c in near)])
        return _Outline(z, np.repeat(own[0][None, :2], len(z), axis=0), np.full(len(z), radius))
    course = _between(below[-1], above[0])
    centre = np.stack([np.interp(z, course.z, course.centre[:, n]) for n in (0, 1)], axis=1)
    here = [float(np.interp(own[0][2], course.z, course.centre[:, n])) for n in (0, 1)]
    move = np.clip(own[0][:2] - here, -_FREE_MM, (_FREE_MM, _PUSHED_MM))
    return _Outline(z, centre + move, np.interp(z, course.z, course.radius))


def _heights(landmarks: Landmarks) -> Floats:
    """Heights from plate to plate in the level's frame, a little off both."""
    to_bone = landmarks.patient_from_bone.inverse
    ends = [
        float(to_bone.points(landmarks[f"{name}_endplate_centre"].position_mm)[2])
        for name in ("inferior", "superior")
    ]
    return np.arange(ends[0] + _OFF_PLATES_MM, ends[1] - _OFF_PLATES_MM + 1e-9, _STEP_MM)


def _grid(outline: _Outline) -> tuple[Floats, Floats]:
    """Points (X, Y, Z, 3) round the outline and how far inside it each lies (X, Y, Z)."""
    reach = float(outline.radius.max())
    side = np.arange(-reach, reach + _STEP_MM, _STEP_MM)
    x, y, z = np.meshgrid(side, side, outline.z, indexing="ij")
    points = np.stack([x + outline.centre[:, 0], y + outline.centre[:, 1], z], axis=-1)
    return points, np.asarray(outline.radius - np.hypot(x, y))


def canal_bone(
    volume: CTVolume, landmarks: Landmarks, neighbours: Sequence[Landmarks], limits: CanalLimits
) -> CanalBone:
    """Look for bone in the canal behind one body.

    The outline is a circle in every slice square to the vertebra's z: the canal's course is
    carried through from the neighbours' canal centres, directions and radii. Bone well inside it
    counts, wherever it comes from: a fragment, a broken lamina, an ossified ligament; so does
    contrast medium. Discs and the rims beside them are left out. Without a neighbour on either
    side the outline comes from this level alone, which a fragment makes smaller.

    Args:
        volume: The CT.
        landmarks: Of the vertebra.
        neighbours: Of the vertebrae next to it, as far as they are whole and known.
        limits: What counts.
    """
    z = _heights(landmarks)
    points, inside = _grid(_outline(landmarks, neighbours, z))
    patient = landmarks.patient_from_bone.points(points.reshape(-1, 3))
    part = volume.around(patient, _MARGIN_MM)
    hu = ndimage.map_coordinates(part.hu, part.grid.kji(patient).T, np.float32, order=1)
    bone = (hu.reshape(inside.shape) > limits.bone_hu) & (inside > limits.inside_mm)
    labels, n = ndimage.label(bone)
    sizes = np.bincount(labels.ravel(), minlength=n + 1) * _STEP_MM**3
    kept = 1 + np.flatnonzero(sizes[1:] >= limits.min_piece_mm3)
    if not len(kept):
        return CanalBone(0.0, 0.0, 0)
    reach = float(inside[np.isin(labels, kept)].max())
    return CanalBone(float(sizes[kept].sum()), reach, len(kept))
