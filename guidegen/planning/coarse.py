"""One pedicle to be planned, and the coarse search through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.mesh.field import DistanceField
from guidegen.model.arrays import Floats
from guidegen.planning.approach import Obstacles
from guidegen.planning.limits import PathLimits
from guidegen.planning.line import Line, directions
from guidegen.planning.wall import Wall

LIMIT_WEIGHT = 3.0
"""What 1 mm of blocked approach, or of an entry too high, weighs in mm of corridor radius."""
_STEEP_DEG = 30.0
"""Lines that converge more run farther through the body before they leave it."""
_HOPELESS_MM = 2.5
"""A line of the coarse search this much narrower than the best is not looked at again."""


@dataclass(frozen=True, eq=False)
class Task:
    """One pedicle to be planned; everything in the vertebra's frame.

    Args:
        wall: The surface near the pedicle.
        obstacles: What drill and sleeve must pass.
        limits: What the path may do.
        start: Through the isthmus' centre, along the pedicle.
    """

    wall: Wall
    obstacles: Obstacles
    limits: PathLimits
    start: Line


def _lattice(task: Task) -> tuple[Floats, Floats, Floats]:
    """List the lines of the coarse search: (L, 3) points, (L,) axial, (L,) sagittal degrees."""
    low, high = task.limits.axial_deg
    axial = np.linspace(low, high, max(2, round((high - low) / 5.0) + 1))
    sagittal = np.arange(task.limits.sagittal_deg[0], task.limits.sagittal_deg[1] + 0.1, 5.0)
    across, up = np.arange(-4.0, 4.1, 1.0), np.arange(-5.0, 5.1, 1.25)
    a, s, u, v = (g.ravel() for g in np.meshgrid(axial, sagittal, across, up, indexing="ij"))
    points = task.start.point + np.stack([u, np.zeros_like(u), v], axis=1)
    return points, a, s


def _coarse_scores(field: DistanceField, task: Task, points: Floats, ways: Floats) -> Floats:
    """Score lines by their smallest depth in the bone from under the entry to 60 % of the body.

    Within 8 mm of the entry a depth is not counted where the entry's own face limits it. An entry
    too high and bone in the way of drill and sleeve cost what they cost in the refinement.
    """
    steep = task.limits.axial_deg[1] > _STEEP_DEG
    t = np.arange(-30.0, 57.0 if steep else 42.0, 1.5)
    depth = -field.at(points[:, None, :] + t[None, :, None] * ways[:, None, :])
    zero = int(np.argmin(np.abs(t)))
    outside = depth <= 0
    entry = zero - np.argmax(outside[:, zero::-1], axis=1)
    front = zero + np.argmax(outside[:, zero:], axis=1)
    body = (task.wall.body_back_mm - points[:, 1]) / ways[:, 1]
    end = body + task.limits.depth_share[0] * (t[front] - body)
    end = np.maximum(end, (task.limits.tip_y_mm - points[:, 1]) / ways[:, 1])
    under = t[None, :] - t[entry][:, None]
    counted = (under >= task.limits.cap_mm) & (t[None, :] <= end[:, None])
    counted &= ~((under < 8.0) & (depth > 0.7 * under - 1.0))
    scores = np.where(counted, depth, np.inf).min(axis=1)
    height = points[:, 2] + t[entry] * ways[:, 2] - task.start.point[2]
    scores = scores - LIMIT_WEIGHT * np.maximum(height - task.limits.entry_height_mm, 0.0)
    lateral = task.start.side * (points[:, 0] + end * ways[:, 0])
    low, high = task.limits.tip_lateral_mm
    scores = scores - LIMIT_WEIGHT * np.maximum(np.maximum(low - lateral, lateral - high), 0.0)
    bad = outside[:, zero] | (entry == zero) | (front == zero) | (end < body + 3.0)
    scores = np.where(bad | ~np.isfinite(scores), -np.inf, scores)
    worth = np.flatnonzero(scores > max(float(scores.max()) - _HOPELESS_MM, 0.0))
    free = task.obstacles.rough(points[worth], ways[worth], t[entry[worth]], task.limits)
    scores[worth] += LIMIT_WEIGHT * np.minimum(free, 0.0)
    return np.asarray(scores)


def coarse_lines(field: DistanceField, task: Task, n_wanted: int = 8) -> list[Line]:
    """Choose the best lines of the coarse search that differ from each other."""
    points, axial, sagittal = _lattice(task)
    scores = _coarse_scores(field, task, points, directions(axial, sagittal, task.start.side))
    chosen: list[Line] = []
    for n in np.argsort(-scores, kind="stable")[:400]:
        if not np.isfinite(scores[n]) or len(chosen) == n_wanted:
            break
        line = Line(points[n], float(axial[n]), float(sagittal[n]), task.start.side)
        if all(_apart(line, other) for other in chosen):
            chosen.append(line)
    return chosen


def _apart(a: Line, b: Line) -> bool:
    turn = np.hypot(a.axial_deg - b.axial_deg, a.sagittal_deg - b.sagittal_deg)
    return bool(turn > 6.0 or np.linalg.norm(a.point - b.point) > 2.4)
