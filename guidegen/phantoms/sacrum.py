"""The sacrum as an implicit shape in the frame of S1: body, alae, foramina, canal, facets."""

from __future__ import annotations

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.phantoms import shapes
from guidegen.phantoms.shapes import Distances, Points
from guidegen.phantoms.vertebra import (
    SIDES,
    Part,
    Vertebra,
    canal,
    pedicle_part,
    pillar,
    rod,
    superior_process,
)

LENGTH_MM = 78.0
BOW_PER_MM = 0.0025
"""The sacrum's bend: how far it swings back, by the square of the way down."""


def _trunk(v: Vertebra, p: Points) -> tuple[Distances, Distances]:
    """Bodies S1 to S3: tapering, hollow to the front; and the upper endplate's plane."""
    down = np.maximum(v.half_height - p[2], 0.0)
    shrink = 1.0 - 0.0055 * down
    side = shapes.ellipse(p[0], p[1], v.sizes.width / 2 * shrink, v.sizes.depth / 2 * shrink)
    top = shapes.plane(p, *v.endplate(True))
    foot = -(p[2] + (LENGTH_MM - v.half_height))
    return shapes.smooth_cut(side, np.maximum(top, foot), 2.0), top


def _wings(v: Vertebra, p: Points) -> Distances:
    """Both alae: sloping down to the side, tapering to the foot."""
    x = np.abs(p[0])
    mirrored = np.stack([x, p[1], p[2]])
    slope = np.radians(24.0)
    axes = np.array(
        [[np.cos(slope), 0, np.sin(slope)], [0, 1, 0], [-np.sin(slope), 0, np.cos(slope)]]
    )
    upper = shapes.box(mirrored, (33, 5, -12), axes, (20, 14, 20), 8.0)
    lower = shapes.box(mirrored, (24, 12, -40), axes, (17, 12, 22), 7.0)
    return shapes.smooth_union(upper, lower, 8.0)


def _back(v: Vertebra, p: Points) -> Distances:
    """Plate behind the canal and the median crest."""
    tilt = np.radians(-6.0)
    axes = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    y = v.canal_back + 3.0
    plate = shapes.box(p, (0, y + 1, -26), axes, (25, 3.4, 26), 2.5)
    crest = shapes.box(p, (0, y + 6, -24), axes, (3.2, 7, 19), 2.6)
    return shapes.smooth_union(plate, crest, 4.0)


def _holes(v: Vertebra, p: Points) -> Distances:
    """The sacral foramina of both sides, front to back, and their canals from the middle."""
    mirrored = np.stack([np.abs(p[0]), p[1], p[2]])
    holes = None
    for z, x, y in ((-20.0, 20.0, v.canal_centre[1]), (-44.0, 17.0, v.canal_centre[1] + 2)):
        through = shapes.capsule(mirrored, (x + 3, -45, z - 3), (x - 1, 75, z), 6.0, 3.5)
        inner = shapes.capsule(mirrored, (4, y, z + 8), (x, y - 3, z), 5.0)
        both = np.minimum(through, inner)
        holes = both if holes is None else np.minimum(holes, both)
    return np.asarray(holes)


class SacrumField:
    """The sacrum as one function of points in the frame of S1."""

    def __init__(self, vertebra: Vertebra) -> None:
        self.vertebra = vertebra
        self._processes: list[Part] = []
        for side, sign in SIDES:
            process = superior_process(vertebra, side)
            if process is not None:
                self._processes.append(process)
            back = np.array([sign * 17.0, vertebra.canal_back + 3.5, -8.0])
            self._processes += [
                pedicle_part(vertebra, side),
                rod(pillar(vertebra, side), back, 6.5, 5.0),
            ]

    def __call__(self, points: Points) -> tuple[Distances, Distances]:
        """Measure points (3, N): distance, negative inside, and cortex thickness there, mm."""
        v, straight = self.vertebra, points
        down = np.maximum(v.half_height - points[2], 0.0)
        points = np.stack([points[0], points[1] - BOW_PER_MM * down * down, points[2]])
        trunk, top = _trunk(v, points)
        whole = shapes.smooth_union(trunk, _wings(v, points), 6.0)
        whole = shapes.smooth_union(whole, _back(v, points), 4.0)
        for process in self._processes:
            whole = shapes.smooth_union(whole, process(straight), 4.0)
        whole = shapes.smooth_cut(whole, -canal(v, points), 1.5)
        whole = shapes.smooth_cut(whole, -_holes(v, points), 1.5)
        off_plate = np.clip(np.abs(whole - top) / 0.7, 0.0, 1.0)
        return whole, 0.5 + 0.5 * off_plate

    def bounds(self) -> Floats:
        """(2, 3): a box that holds the sacrum."""
        return np.array([[-62.0, -24.0, -76.0], [62.0, 62.0, 34.0]])
