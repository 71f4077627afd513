"""The flat shape of a puncture template: outline, spinous-process line, openings; guide frame.

The guide frame's x runs to the patient's right and y to the head; all shapes are distances in
that plane, negative inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from guidegen.model.arrays import Floats


@dataclass(frozen=True, eq=False)
class Midline:
    """The line of the spinous processes.

    Args:
        points_mm: (N, 2) over the tips.
    """

    points_mm: Floats

    def x_at(self, y_mm: Floats | float) -> Floats:
        """Its x at heights: straight from tip to tip, and on as the line through all of them."""
        order = np.argsort(self.points_mm[:, 1], kind="stable")
        x, y = self.points_mm[order].T
        at = np.asarray(y_mm, dtype=np.float64)
        if len(y) < 2 or np.ptp(y) < 1.0:
            return np.full(at.shape, x.mean())
        slope = float(np.polyfit(y, x, 1)[0])
        beyond = at - np.clip(at, y[0], y[-1])
        return np.asarray(np.interp(at, y, x) + slope * beyond)

    def mirrored(self, points_mm: Floats) -> Floats:
        """(N, 2): points on the other side of the line, at the same height."""
        return np.column_stack([2 * self.x_at(points_mm[:, 1]) - points_mm[:, 0], points_mm[:, 1]])


@dataclass(frozen=True, eq=False)
class Outline:
    """The convex hull of points with its edge moved out, so that its corners are round.

    Args:
        points_mm: (N, 2).
        radius_mm: How far the edge is moved.
    """

    points_mm: Floats
    radius_mm: float

    @property
    def corners_mm(self) -> Floats:
        """(M, 2): the hull's corners, counter-clockwise."""
        return np.asarray(self.points_mm[ConvexHull(self.points_mm).vertices])

    @property
    def low_mm(self) -> Floats:
        """(2,): lowest corner of the box round it."""
        return np.asarray(self.points_mm.min(axis=0) - self.radius_mm)

    @property
    def high_mm(self) -> Floats:
        """(2,): highest corner of the box round it."""
        return np.asarray(self.points_mm.max(axis=0) + self.radius_mm)

    def distance(self, places_mm: Floats) -> Floats:
        """Signed distance of places (..., 2)."""
        corners = self.corners_mm
        square, beside = np.full(places_mm.shape[:-1], np.inf), np.full(places_mm.shape[:-1], -1e9)
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            way = b - a
            away = places_mm - a
            share = np.clip(away @ way / float(way @ way), 0, 1)
            square = np.minimum(square, ((away - share[..., None] * way) ** 2).sum(axis=-1))
            side = (away[..., 0] * way[1] - away[..., 1] * way[0]) / np.linalg.norm(way)
            beside = np.maximum(beside, side)
        return np.asarray(np.sqrt(square) * np.where(beside > 0, 1, -1) - self.radius_mm)

    def edge_y(self, x_of: Midline, sign: float) -> float:
        """Height at which the spinous-process line leaves it, head (1) or foot (-1)."""
        y = np.linspace(self.low_mm[1], self.high_mm[1], 801)
        inside = self.distance(np.column_stack([x_of.x_at(y), y])) < 0
        return float(y[inside].max() if sign > 0 else y[inside].min())


@dataclass(frozen=True, eq=False)
class Opening:
    """A rectangle with rounded corners that goes through the plate.

    Args:
        kind: ``window``, ``notch`` or ``sight``.
        item: Its name.
        centre_mm: (2,).
        half_mm: Half sizes in x and y.
        corner_mm: Radius of its corners; half of its size makes it round.
        along: (2,) unit vector of its height: for a notch out of the plate.
    """

    kind: str
    item: str
    centre_mm: Floats
    half_mm: tuple[float, float]
    corner_mm: float
    along: tuple[float, float] = (0.0, 1.0)

    def distance(self, places_mm: Floats) -> Floats:
        """Signed distance of places (..., 2)."""
        away = places_mm - self.centre_mm
        up = np.asarray(self.along)
        local = np.stack([away @ np.array([up[1], -up[0]]), away @ up], axis=-1)
        beyond = np.abs(local) - (np.asarray(self.half_mm) - self.corner_mm)
        outside = np.linalg.norm(np.maximum(beyond, 0), axis=-1)
        return np.asarray(outside + np.minimum(beyond.max(axis=-1), 0) - self.corner_mm)


def notch(outline: Outline, midline: Midline, sign: float, size_mm: tuple[float, float]) -> Opening:
    """A U over the spinous-process line at the head edge (sign 1) or the foot edge (-1).

    Args:
        outline: Of the plate.
        midline: The line.
        sign: Which edge.
        size_mm: Width and depth.
    """
    width, depth = size_mm
    edge = outline.edge_y(midline, sign)
    floor = edge - sign * depth
    way = np.array([float(midline.x_at(edge) - midline.x_at(floor)), edge - floor])
    way = way / np.linalg.norm(way)
    half = depth / 2 + width
    start = np.array([float(midline.x_at(floor)), floor])
    name = "head" if sign > 0 else "foot"
    along = (float(way[0]), float(way[1]))
    return Opening("notch", name, start + half * way, (width / 2, half), width / 2, along)


def composite(outline: Outline, openings: Sequence[Opening], places_mm: Floats) -> Floats:
    """Signed distance of places (..., 2) to the outline less its openings."""
    found = outline.distance(places_mm)
    for opening in openings:
        found = np.maximum(found, -opening.distance(places_mm))
    return found
