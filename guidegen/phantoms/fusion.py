"""Ankylosed spines: bone through the discs and facets, one solid for the whole column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.model.frames import Pose
from guidegen.phantoms import shapes
from guidegen.phantoms.shapes import Distances, Points
from guidegen.phantoms.vertebra import Vertebra

Measure = Callable[[Points], tuple[Distances, Distances]]
Child = tuple[Measure, Floats]


def _disc_bridge(upper: Vertebra, pose: Pose) -> Child:
    """Bone in place of the disc under a vertebra, bulging 1 mm like a syndesmophyte."""
    s, inverse = upper.sizes, pose.inverse.matrix
    middle, half = -upper.half_height - s.disc / 2, s.disc / 2 + 2.5

    def measure(points: Points) -> tuple[Distances, Distances]:
        m = inverse.astype(points.dtype)
        p = m[:3, :3] @ points + m[:3, 3:]
        z = p[2] - points.dtype.type(middle)
        bulge = 1.0 - np.minimum((z / half) ** 2, 1.0)
        side = shapes.ellipse(p[0], p[1], s.width / 2 - 0.3 + bulge, s.depth / 2 - 0.6 + bulge)
        whole = shapes.smooth_cut(side, np.abs(z) - half, 2.0)
        return whole, np.ones_like(whole)

    centre = pose.points([0.0, 0.0, middle])
    reach = np.array([s.width, s.width, s.width]) / 2 + 4
    return measure, np.array([centre - reach, centre + reach])


def _facet_bridge(upper: Vertebra, pose: Pose, side: str) -> Child:
    """Bone in place of a facet's joint space."""
    joint = upper.below[side]
    centre, up = pose.points(joint.centre), pose.vectors(joint.up)
    reach = 3.0 if upper.lumbar > 0.5 else 1.8
    ends = centre - up * reach, centre + up * reach
    radius = 4.6 if upper.lumbar > 0.5 else 3.8

    def measure(points: Points) -> tuple[Distances, Distances]:
        whole = shapes.capsule(points, ends[0], ends[1], radius)
        return whole, np.ones_like(whole)

    return measure, np.array([centre - 12.0, centre + 12.0])


def fused_bridges(vertebrae: dict[str, Vertebra], poses: dict[str, Pose]) -> list[Child]:
    """List the bridges between all neighbours."""
    bridges: list[Child] = []
    for level, vertebra in vertebrae.items():
        if not vertebra.below:
            continue
        bridges.append(_disc_bridge(vertebra, poses[level]))
        bridges += [_facet_bridge(vertebra, poses[level], side) for side in vertebra.below]
    return bridges


class FusedField:
    """Several shapes in the patient's frame as one solid; far ones are not evaluated."""

    def __init__(self, children: list[Child], blend_mm: float = 2.0) -> None:
        self._children = children
        self._blend = blend_mm

    def __call__(self, points: Points) -> tuple[Distances, Distances]:
        """Measure points (3, N): distance, negative inside, and cortex thickness there, mm."""
        low, high = points.min(axis=1), points.max(axis=1)
        whole = np.full(points.shape[1], 20.0, dtype=points.dtype)
        thickness = np.ones_like(whole)
        for measure, bounds in self._children:
            if (bounds[0] - 4 > high).any() or (bounds[1] + 4 < low).any():
                continue
            distance, cortex = measure(points)
            thickness = np.where(distance < whole, cortex, thickness)
            whole = shapes.smooth_union(whole, distance, self._blend)
        return whole, thickness

    def bounds(self) -> Floats:
        """(2, 3): a box that holds all of them."""
        boxes = np.array([b for _, b in self._children])
        return np.array([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])
