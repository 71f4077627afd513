"""Bone cuts of a knee by stated rules: where each plane lies and how much bone it takes.

All planes are given by the face of the bone that stays; a saw's kerf lies outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import Floats, Ints, unit


@dataclass(frozen=True, eq=False)
class Face:
    """The plane on which the bone that stays ends.

    Args:
        point_mm: (3,) of it.
        normal: (3,) unit vector to the bone that is taken away.
    """

    point_mm: Floats
    normal: Floats

    def removed_mm(self, points_mm: Floats) -> Floats:
        """How far points (..., 3) stand out of it; negative for points that stay."""
        return np.asarray((points_mm - self.point_mm) @ self.normal)


def turned(normal: Floats, about: Floats, angle_deg: float) -> Floats:
    """(3,): a unit vector turned about another, by the right hand's rule."""
    axis, a = unit(about, "axis"), np.radians(angle_deg)
    along = (normal @ axis) * axis
    across = normal - along
    return unit(along + np.cos(a) * across + np.sin(a) * np.cross(axis, across), "normal")


def resection(normal: Floats, parts_mm: tuple[Floats, ...], thickness_mm: float) -> Face:
    """Place a cut so that it takes a thickness off the part that stands out most.

    Args:
        normal: (3,) unit vector to the bone that is taken away.
        parts_mm: Points (N, 3) of each part, the medial and the lateral condyle.
        thickness_mm: Of the bone that is taken off the most prominent part.
    """
    farthest = max(float((part @ normal).max()) for part in parts_mm)
    start = parts_mm[0][0]
    return Face(start + (farthest - thickness_mm - start @ normal) * normal, normal)


def section_segments(vertices: Floats, faces: Ints, face: Face) -> Floats:
    """(N, 2, 3): where a surface crosses a plane, one segment a triangle."""
    height = face.removed_mm(vertices)
    above = height > 0
    count = above[faces].sum(axis=1)
    cut = faces[(count > 0) & (count < 3)]
    ends = []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        one, other = cut[:, a], cut[:, b]
        crosses = above[one] != above[other]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = height[one] / (height[one] - height[other])
            point = vertices[one] + share[:, None] * (vertices[other] - vertices[one])
        ends.append(np.where(crosses[:, None], point, np.nan))
    three = np.stack(ends, axis=1)
    found = np.isfinite(three[:, :, 0])
    order = np.argsort(~found, axis=1, kind="stable")[:, :2]
    return np.asarray(np.take_along_axis(three, order[:, :, None], axis=1))


def extent_mm(vertices: Floats, faces: Ints, face: Face, direction: Floats) -> float:
    """Size of a cut surface along a direction (3,); 0 where the plane misses the bone."""
    segments = section_segments(vertices, faces, face)
    if not len(segments):
        return 0.0
    return float(np.ptp(segments.reshape(-1, 3) @ unit(direction, "direction")))


def notch_mm(face: Face, cortex_mm: Floats) -> float:
    """How deep an anterior cut runs into the shaft's anterior cortex; 0 where it stays clear.

    Args:
        face: Of the anterior cut; its normal points to the front.
        cortex_mm: (N, 3) points of the anterior cortex above the trochlea.
    """
    return max(float(face.removed_mm(cortex_mm).max(initial=0.0)), 0.0)
