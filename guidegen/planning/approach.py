"""Bone in the way of drill and sleeve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.geometry.lines import along_and_beside
from guidegen.model.arrays import Floats
from guidegen.planning.limits import PathLimits
from guidegen.planning.line import Line

_OWN_FREE_MM = 3.0
"""Own bone this near to the entry is the slope that the drill starts on, not an obstacle."""
_NEIGHBOUR_FREE_MM = 0.5
_SPARSE_MM = 2.0
_CHUNK = 256


def _sparse(points: Floats) -> Floats:
    """Keep one point in each cell of 2 mm."""
    if not len(points):
        return points
    cell = np.floor((points - points.min(axis=0)) / _SPARSE_MM).astype(np.int64)
    keys = (cell[:, 0] * 1009 + cell[:, 1]) * 1009 + cell[:, 2]
    return np.asarray(points[np.sort(np.unique(keys, return_index=True)[1])])


@dataclass(frozen=True, eq=False)
class Obstacles:
    """Surface points that a drill must pass, in the planned vertebra's frame.

    Args:
        own: (N, 3) of the planned vertebra itself.
        neighbours: (M, 3) of the vertebrae above and below.
    """

    own: Floats
    neighbours: Floats

    @classmethod
    def near(cls, own: Floats, neighbours: Floats, line: Line) -> Obstacles:
        """Keep the points behind the pedicle and within 26 mm of a line."""

        def crop(points: Floats) -> Floats:
            along, beside = along_and_beside(points, line.point, line.direction)
            keep = (along < 0) & (along > -110.0) & ((beside**2).sum(axis=1) < 26.0**2)
            return np.asarray(points[keep])

        return cls(crop(own), crop(neighbours))

    def clearances(
        self, line: Line, entry: float, limits: PathLimits
    ) -> tuple[Floats, Floats, Floats]:
        """Measure how free drill and sleeve are of each point in their way.

        Returns:
            (K,) distance from the axis minus the radius that must be free there (negative:
            collides), (K,) place along the line, (K, 3) unit vectors outwards.
        """
        gaps, places, outwards = [], [], []
        for points, free in ((self.own, _OWN_FREE_MM), (self.neighbours, _NEIGHBOUR_FREE_MM)):
            along, beside = along_and_beside(points, line.point, line.direction)
            height = entry - along
            needed = np.where(height > free, limits.drill_radius_mm, -np.inf)
            in_sleeve = (height > max(limits.standoff_mm, free)) & (height < limits.sleeve_reach_mm)
            needed = np.where(in_sleeve, limits.sleeve_radius_mm, needed)
            counts = np.isfinite(needed)
            radius = np.linalg.norm(beside[counts], axis=1)
            gaps.append(radius - needed[counts])
            places.append(along[counts])
            outwards.append(beside[counts] / np.maximum(radius, 1e-9)[:, None])
        return np.concatenate(gaps), np.concatenate(places), np.concatenate(outwards)

    def free(self, line: Line, entry: float, limits: PathLimits) -> float:
        """Smallest clearance, mm; negative where drill or sleeve collide; infinite if none."""
        gaps, _, _ = self.clearances(line, entry, limits)
        return float(gaps.min()) if len(gaps) else float("inf")

    def rough(
        self, points: Floats, ways: Floats, entry_points: Floats, limits: PathLimits
    ) -> Floats:
        """Smallest clearance of many lines at once, on a tenth of the points; for a coarse search.

        Args:
            points: (L, 3) a point of each line.
            ways: (L, 3) unit vectors going in.
            entry_points: (L,) place of each entry along its line.
            limits: As in ``clearances``.

        Returns:
            (L,) mm, too large by up to about 1 mm; infinite where nothing is in reach.
        """
        worst = np.full(len(points), np.inf)
        for cloud, free in ((self.own, _OWN_FREE_MM), (self.neighbours, _NEIGHBOUR_FREE_MM)):
            cloud = _sparse(cloud)
            if not len(cloud):
                continue
            for n in range(0, len(points), _CHUNK):
                part = slice(n, n + _CHUNK)
                offset = cloud[None] - points[part, None]
                along = np.einsum("lpx,lx->lp", offset, ways[part])
                radius = np.sqrt(np.maximum((offset**2).sum(axis=2) - along**2, 0.0))
                height = entry_points[part, None] - along
                needed = np.where(height > free, limits.drill_radius_mm, -np.inf)
                low = max(limits.standoff_mm, free)
                in_sleeve = (height > low) & (height < limits.sleeve_reach_mm)
                needed = np.where(in_sleeve, limits.sleeve_radius_mm, needed)
                worst[part] = np.minimum(worst[part], (radius - needed).min(axis=1))
        return worst

    def sleeve_standoff(self, line: Line, entry: float, limits: PathLimits) -> float:
        """Height over the entry from which the sleeve's whole cylinder is free of all bone."""
        points = np.concatenate([self.own, self.neighbours])
        along, beside = along_and_beside(points, line.point, line.direction)
        height = entry - along
        inside = (beside**2).sum(axis=1) < limits.sleeve_radius_mm**2
        inside &= (height > 0) & (height < limits.sleeve_reach_mm)
        return float(height[inside].max()) if inside.any() else 0.0
