"""The widest straight corridor through a pedicle of an implicit vertebra, found numerically.

Independent of the planner: no distance field, no landmarks; the surface is sampled from the
phantom's own function and the search starts on the pedicle's own axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from guidegen.mesh.grid import Field, Lattice, zero_crossings
from guidegen.model.arrays import Floats
from guidegen.phantoms.approach import DrillSpace, Surroundings
from guidegen.phantoms.spine import Scene, Solid
from guidegen.phantoms.surface import on_surface, sample
from guidegen.phantoms.vertebra import Vertebra

CAP_MM = 3.0
"""The corridor begins this far under the entry (case contract, breach_mm)."""
_STEP_MM = 0.5
_NEAR_MM = 14.0


@dataclass(frozen=True)
class AxisLimits:
    """What the axis may do, in the vertebra's own frame.

    Args:
        axial_deg: Smallest and largest angle towards the midline, going in.
        sagittal_deg: Smallest and largest angle towards the head, going in.
        entry_height_mm: The entry is at most this far above the isthmus' centre.
        depth_share: How deep in the body the corridor must reach, share of the body's depth.
        drill: What must be free of bone outside; None asks for nothing.
    """

    axial_deg: tuple[float, float]
    sagittal_deg: tuple[float, float] = (-15.0, 15.0)
    entry_height_mm: float = np.inf
    depth_share: float = 0.6
    drill: DrillSpace | None = None


def usual_limits(level: str) -> AxisLimits:
    """Give the convergence limits of the design: thoracic 0 to 25 deg, lumbar 5 to 25 deg."""
    return AxisLimits((0.0, 25.0) if level.startswith("T") else (5.0, 25.0))


@dataclass(frozen=True, eq=False)
class TrueCorridor:
    """The best corridor, patient LPS.

    Args:
        diameter_mm: Twice the axis's smallest distance to the wall, from 3 mm under the entry to
            the required depth; the face through which it enters is no wall.
        entry_mm: (3,) where the axis meets the surface.
        end_mm: (3,) how deep it was measured.
        direction: (3,) unit vector going in.
    """

    diameter_mm: float
    entry_mm: Floats
    end_mm: Floats
    direction: Floats


class _Search:
    """One pedicle: surface points round it, in the vertebra's frame."""

    def __init__(self, solid: Solid, vertebra: Vertebra, side: str, limits: AxisLimits) -> None:
        self.limits, self.sign = limits, 1.0 if side == "left" else -1.0
        self.shape, self.isthmus = solid.shape, vertebra.isthmus(side)
        self.body_back = vertebra.sizes.depth / 2
        self.body_front = -vertebra.sizes.depth / 2
        axes = vertebra.pedicle_axes(side)
        tilt = np.arctan2(axes[2, 2], -axes[1, 2])
        self.start = np.array(
            [0.0, 0.0, vertebra.pedicles[side].convergence, float(np.degrees(tilt))]
        )
        self.lattice, self.values, self.points = self._wall(axes[:, 2])
        self.coarse = self.points[::5]
        self.around: Surroundings | None = None

    def _wall(self, along: Floats) -> tuple[Lattice, Field, Floats]:
        """Sample the surface near the pedicle: grid, distances, and points on the surface."""
        ends = self.isthmus + np.outer([-24.0, 30.0], along)
        lattice = Lattice.around(ends.min(axis=0) - 13.0, ends.max(axis=0) + 13.0, _STEP_MM)
        values = sample(self.shape, lattice)
        points = zero_crossings(lattice, values)
        offset = points - self.isthmus
        place = offset @ along
        beside = np.linalg.norm(offset - np.outer(place, along), axis=1)
        return lattice, values, on_surface(self.shape, points[beside < _NEAR_MM], 0.05)

    def line(self, x: Floats) -> tuple[Floats, Floats]:
        """Point (3,) and direction (3,) of (across, up, axial deg, sagittal deg)."""
        axial, sagittal = np.tan(np.radians(x[2:4]))
        raw = np.array([-self.sign * axial, -1.0, sagittal])
        return self.isthmus + np.array([x[0], 0.0, x[1]]), raw / np.linalg.norm(raw)

    def entry(self, point: Floats, way: Floats) -> float | None:
        """Place along the line where it enters the bone before its point."""
        t = np.arange(0.0, -28.0, -_STEP_MM)
        there = self.lattice.sample(self.values, point + t[:, None] * way)
        outside = there >= 0
        if outside[0] or not outside.any():
            return None
        n = int(outside.argmax())
        share = there[n - 1] / (there[n - 1] - there[n])
        return float(t[n - 1] - share * _STEP_MM)

    def span(self, x: Floats) -> tuple[float, float] | None:
        """Entry and end of the corridor along the line."""
        point, way = self.line(x)
        entry = self.entry(point, way)
        if entry is None:
            return None
        share = self.limits.depth_share
        y = self.body_back + share * (self.body_front - self.body_back)
        return entry, float((y - point[1]) / way[1])

    def radius(self, x: Floats, points: Floats | None = None) -> float:
        """Smallest distance to the wall, less what the limits are overstepped by."""
        span = self.span(x)
        if span is None:
            return -10.0
        point, way = self.line(x)
        return self.wall(point, way, *span, points) - 3.0 * self._over(x, point, way, span[0])

    def wall(
        self, point: Floats, way: Floats, entry: float, end: float, points: Floats | None = None
    ) -> float:
        """Smallest distance of a line to the wall between two places along it."""
        offset = (self.points if points is None else points) - point
        place = offset @ way
        within = (place >= entry + CAP_MM) & (place <= end)
        offset, place = offset[within], place[within]
        far = np.sqrt(np.maximum(np.einsum("ij,ij->i", offset, offset) - place**2, 0.0))
        return float(far[far <= place - entry].min(initial=20.0))

    def _over(self, x: Floats, point: Floats, way: Floats, entry: float) -> float:
        over = 0.0
        for value, (low, high) in ((x[2], self.limits.axial_deg), (x[3], self.limits.sagittal_deg)):
            over += max(low - value, value - high, 0.0)
        start = point + entry * way
        over += max(float(start[2] - self.isthmus[2]) - self.limits.entry_height_mm, 0.0)
        if self.around is not None and self.limits.drill is not None:
            over += max(-self.around.free(self.limits.drill, start, way), 0.0)
        return over

    def parameters(self, point: Floats, way: Floats) -> Floats:
        """(4,): across, up, axial deg, sagittal deg of a line; the reverse of ``line``."""
        crossing = point + way * float((self.isthmus[1] - point[1]) / way[1]) - self.isthmus
        axial = np.degrees(np.arctan2(-self.sign * way[0], -way[1]))
        sagittal = np.degrees(np.arctan2(way[2], -way[1]))
        return np.array([crossing[0], crossing[2], axial, sagittal])

    def best(self, *further: Floats) -> Floats:
        """Climb from a few starts on few points, then from the best on all."""
        starts = [self.start, self.start * np.array([1, 1, 0.6, 0.0]), *further]
        starts.append(self.start + np.array([0.0, -1.5, 0.0, 6.0]))
        found = [self._climb(np.asarray(s), 1.5, 70, self.coarse) for s in starts]
        top = max(found, key=self.radius)
        return self._climb(self._climb(top, 0.6, 100, self.coarse), 0.15, 100, self.points)

    def _climb(self, start: Floats, reach: float, steps: int, points: Floats) -> Floats:
        corners = np.vstack([start, start + np.diag([reach, reach, 3 * reach, 3 * reach])])
        options = {"initial_simplex": corners, "maxiter": steps, "xatol": 1e-3, "fatol": 1e-4}
        done = optimize.minimize(
            lambda x: -self.radius(x, points), start, method="Nelder-Mead", options=options
        )
        return np.asarray(done.x)


def search_of(scene: Scene, level: str, side: str, limits: AxisLimits | None) -> _Search:
    """Set the search of one pedicle up."""
    vertebra = scene.vertebrae[level]
    search = _Search(scene.solid(level), vertebra, side, limits or usual_limits(level))
    if search.limits.drill is not None:
        along = vertebra.pedicle_axes(side)[:, 2]
        search.around = Surroundings.of(scene, level, search.isthmus, along)
    return search


def corridor_of(
    scene: Scene, level: str, side: str, entry_mm: Floats, tip_mm: Floats
) -> tuple[float, float]:
    """Measure a given path on the analytic surface.

    Args:
        scene: The phantom's bones.
        level: ``L3``.
        side: ``left`` or ``right``.
        entry_mm: (3,) a point of the path, patient LPS; where it enters the bone is found anew.
        tip_mm: (3,) its deepest point.

    Returns:
        The corridor's diameter from 3 mm under the true entry to the tip, and how far
        ``entry_mm`` lies under (positive) or over the true surface along the path, mm.
    """
    search, into = search_of(scene, level, side, None), scene.poses[level].inverse
    entry, tip = into.points(entry_mm), into.points(tip_mm)
    way = (tip - entry) / np.linalg.norm(tip - entry)
    point, _ = search.line(search.parameters(entry, way))
    start = search.entry(point, way)
    if start is None:
        return 0.0, np.inf
    radius = search.wall(point, way, start, float((tip - point) @ way))
    return 2 * radius, float((entry - point) @ way) - start


def best_corridor(
    scene: Scene,
    level: str,
    side: str,
    limits: AxisLimits | None = None,
    start: tuple[Floats, Floats] | None = None,
) -> TrueCorridor:
    """Find the widest corridor of one pedicle.

    Args:
        scene: The phantom's bones.
        level: ``L3``.
        side: ``left`` or ``right``.
        limits: What the axis may do; None is ``usual_limits``.
        start: A line to start from besides the usual ones: point and direction (3,), LPS.
    """
    pose, search = scene.poses[level], search_of(scene, level, side, limits)
    further = []
    if start is not None:
        further = [search.parameters(pose.inverse.points(start[0]), pose.inverse.vectors(start[1]))]
    x = search.best(*further)
    point, way = search.line(x)
    entry, end = search.span(x) or (0.0, 0.0)
    return TrueCorridor(
        2 * max(search.radius(x), 0.0),
        pose.points(point + entry * way),
        pose.points(point + end * way),
        pose.vectors(way),
    )
