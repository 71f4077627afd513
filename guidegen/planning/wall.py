"""The bone's wall around a line: entry, front cortex, and the largest free cylinder."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.geometry.lines import along_and_beside, line_crossings
from guidegen.model.arrays import Floats, Ints
from guidegen.planning.limits import PathLimits
from guidegen.planning.line import Line

_NEAR_MM = 16.0
_SPACING_MM = 0.75
_FAR_MM = 11.0
"""No corridor is wider than twice this."""
_THIN_MM = 1.2
_AHEAD = float(np.tan(np.radians(25.0)))
_MIN_LENGTH_MM = 12.0


def _dense_points(triangles: Floats) -> Floats:
    """Cover triangles (F, 3, 3) with points about 0.75 mm apart or closer."""
    edge = float(np.median(np.linalg.norm(triangles[:, 1] - triangles[:, 0], axis=1)))
    n = int(np.clip(np.ceil(edge / _SPACING_MM), 1, 6))
    parts = [triangles.mean(axis=1)]
    for i in range(n + 1):
        for j in range(n + 1 - i):
            weights = np.array([i, j, n - i - j]) / n
            parts.append(np.einsum("fcx,c->fx", triangles, weights))
    points = np.concatenate(parts)
    return _one_a_cell(points, 0.02)


def _one_a_cell(points: Floats, cell_mm: float) -> Floats:
    """Keep the first point in each cube of an edge length."""
    cell = np.round((points - points.min(axis=0)) / cell_mm).astype(np.int64)
    keys = (cell[:, 0] * 100_003 + cell[:, 1]) * 100_003 + cell[:, 2]
    return np.asarray(points[np.sort(np.unique(keys, return_index=True)[1])])


@dataclass(frozen=True, eq=False)
class Span:
    """Where a line runs in the bone; mm along the line.

    Args:
        entry: Where it enters the bone.
        body: Where it passes the plane of the body's back wall.
        front: Where it meets the front cortex.
        back_mm: y of the body's back wall.
        forward: y of the line's direction (negative: to the front).
    """

    entry: float
    body: float
    front: float
    back_mm: float = 0.0
    forward: float = -1.0

    def deepest(self, limits: PathLimits) -> float:
        """Where the tip may be at most."""
        by_share = self.body + limits.depth_share[1] * (self.front - self.body)
        return min(by_share, self.front - limits.front_margin_mm)

    def shallowest(self, limits: PathLimits) -> float:
        """Where the tip must be at least."""
        by_share = self.body + limits.depth_share[0] * (self.front - self.body)
        return max(by_share, self.body + (limits.tip_y_mm - self.back_mm) / self.forward)


@dataclass(frozen=True, eq=False)
class Wall:
    """A vertebra's surface near one pedicle and the body in front of it, in the bone's frame.

    Args:
        points: (N, 3) points on the surface, about 0.5 mm apart.
        triangles: (F, 3, 3) the same surface.
        middles: (F, 3) of the triangles.
        reach_mm: Largest distance of a triangle's corner from its middle.
        body_back_mm: y of the body's back wall.
        entry_behind_mm: y that an entry must lie behind: the middle of the canal, so that no line
            that starts in the canal counts, not even where the arch is missing.
    """

    points: Floats
    triangles: Floats
    middles: Floats
    reach_mm: float
    body_back_mm: float
    entry_behind_mm: float = -np.inf

    @classmethod
    def around(
        cls,
        vertices: Floats,
        faces: Ints,
        line: Line,
        body_back_mm: float,
        entry_behind_mm: float = -np.inf,
    ) -> Wall:
        """Cut the surface near a line; vertices in the bone's frame."""
        triangles = vertices[faces]
        middle = triangles.mean(axis=1)
        along, beside = along_and_beside(middle, line.point, line.direction)
        radial = np.linalg.norm(beside, axis=1)
        chosen = (radial < _NEAR_MM) & (along > -45.0) & (along < 60.0)
        near, middle = triangles[chosen], middle[chosen]
        reach = float(np.linalg.norm(near - middle[:, None], axis=2).max())
        points = _dense_points(near)
        return cls(points, near, middle, reach, body_back_mm, entry_behind_mm)

    def thinned(self) -> Wall:
        """The same wall with a point every 1.2 mm only: quick, and off by about 0.1 mm."""
        return replace(self, points=_one_a_cell(self.points, _THIN_MM))

    def span(self, line: Line) -> Span | None:
        """Find entry and front cortex; None where the line does not run inside the bone."""
        direction = line.direction
        _, beside = along_and_beside(self.middles, line.point, direction)
        near = np.einsum("ij,ij->i", beside, beside) <= self.reach_mm**2
        crossings = line_crossings(self.triangles[near], line.point, direction)
        before, behind = crossings[crossings < 0], crossings[crossings > 0]
        if not len(before) or not len(behind):
            return None
        body = (self.body_back_mm - float(line.point[1])) / float(direction[1])
        ends = float(before[-1]), body, float(behind[0])
        span = Span(*ends, self.body_back_mm, float(direction[1]))
        # A front cortex behind the body's back wall: the line leaves the pedicle at its side.
        if span.front < span.body + 4.0 or span.entry > -1.0:
            return None
        if line.point[1] + span.entry * direction[1] < self.entry_behind_mm:
            return None
        return span

    def radii(self, line: Line, start: float, end: float) -> tuple[Floats, Floats, Floats]:
        """Measure to every surface point between two places along a line and within 11 mm of it.

        Returns:
            (M,) distance from the axis, (M,) place along it, (M, 3) unit vectors outwards.
        """
        offset = self.points - line.point
        along = offset @ line.direction
        square = np.einsum("ij,ij->i", offset, offset) - along**2
        within = np.flatnonzero((along >= start) & (along <= end) & (square < _FAR_MM**2))
        along = along[within]
        beside = offset[within] - along[:, None] * line.direction
        radius = np.linalg.norm(beside, axis=1)
        return radius, along, beside / np.maximum(radius, 1e-9)[:, None]

    def corridor_radius(self, line: Line, entry: float, end: float, cap_mm: float) -> float:
        """Smallest distance from the axis to the wall, from ``cap_mm`` under the entry to the end.

        The face through which the axis enters is no wall: surface points whose distance from the
        axis is more than their depth under the entry (seen from the entry more than 45 deg off the
        axis) don't count.
        """
        radius, place, _ = self.radii(line, entry + cap_mm, end)
        wall = radius[radius <= place - entry]
        return float(wall.min()) if len(wall) else _FAR_MM

    def cylinder_radius(self, line: Line, start: float, end: float) -> float:
        """Radius of the largest cylinder about the line that stays inside between two places."""
        radius, _, _ = self.radii(line, start, end)
        return float(radius.min()) if len(radius) else 0.0

    def front_clearance(self, line: Line, tip: float) -> float:
        """Distance from the tip to the nearest wall within 25 deg of straight ahead."""
        along, beside = along_and_beside(self.points, line.point, line.direction)
        way, radial = along - tip, np.linalg.norm(beside, axis=1)
        ahead = radial <= _AHEAD * way
        if not ahead.any():
            return np.inf
        return float(np.hypot(way[ahead], radial[ahead]).min())


def fits(span: Span, limits: PathLimits) -> bool:
    """Tell whether a multiple of the length step ends within the depth limits."""
    step = limits.length_step_mm
    longest = np.floor((span.deepest(limits) - span.entry) / step + 1e-9) * step
    return bool(span.entry + longest >= span.shallowest(limits) - 1e-9)


def aimed_tip(span: Span, limits: PathLimits) -> float:
    """Where the tip of the shortest admissible length lies.

    The shortest multiple of the length step within the depth limits; where none lies within them
    (small bodies), the longest below the upper limit.
    """
    step = limits.length_step_mm
    n = np.ceil((span.shallowest(limits) - span.entry) / step - 1e-9)
    if span.entry + n * step > span.deepest(limits) + 1e-9:
        n = np.floor((span.deepest(limits) - span.entry) / step + 1e-9)
    return float(span.entry + max(n * step, _MIN_LENGTH_MM))


def choose_tip(wall: Wall, line: Line, span: Span, limits: PathLimits) -> tuple[float, bool]:
    """Choose the tip so that the length is a multiple of the step.

    The longest admissible length that costs at most 0.1 mm of the corridor's radius is taken. Where
    no multiple lies within the depth limits (small bodies), the longest below the upper limit.

    Returns:
        The tip's place along the line, and whether it lies within the depth limits.
    """
    step = limits.length_step_mm
    top = int(np.floor((span.deepest(limits) - span.entry) / step + 1e-9))
    tips = [span.entry + step * n for n in range(top, 0, -1) if step * n >= _MIN_LENGTH_MM]
    tips = [t for t in tips if wall.front_clearance(line, t) >= limits.front_margin_mm]
    low, high = limits.tip_lateral_mm
    tips = [t for t in tips if low <= line.lateral(t) <= high] or tips
    if not tips:
        return span.shallowest(limits), False
    deep = [t for t in tips if t >= span.shallowest(limits) - 1e-9]
    if not deep:
        return tips[0], False
    radii = [wall.corridor_radius(line, span.entry, t, limits.cap_mm) for t in deep]
    return next(t for t, r in zip(deep, radii, strict=True) if r >= max(radii) - 0.1), True
