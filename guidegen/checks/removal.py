"""Can the part be taken off the bone in one straight line?"""

from __future__ import annotations

import numpy as np

from guidegen.checks.cylinder import across
from guidegen.checks.part import NAN, Part
from guidegen.mesh.surface import Surface
from guidegen.model.arrays import Floats
from guidegen.model.findings import Finding

_REFERENCE = (
    "surface that meets bone when the part is drawn straight off against its insertion "
    "direction (required: free, neighbours too)"
)


def check_removal(part: Part) -> tuple[Finding, ...]:
    """Measure how much surface meets a bone when the part is drawn off in a straight line.

    Moving along u, a part meets a bone exactly if on some line along u the bone lies behind the
    part. So rays are cast both ways: from the part along u on to the bone, and from the bone
    against u on to the part, from all vertices and from samples 0.4 mm apart. What fits between
    the rays is missed: two edges that cross with less than the samples' distance.
    """
    direction = part.guide.insertion_direction
    own = part.guide.bones + part.guide.neighbours
    found = []
    for name, bone in part.bone_surfaces.items():
        blocked = NAN
        if direction is not None:
            out = np.asarray(-direction)
            if name not in own and not _in_the_way(part.surface, bone, out):
                continue
            blocked = blocked_mm2(part.surface, bone, out)
        subject = f"{part.subject}#{name}"
        found.append(Finding("removal", subject, blocked, 0.0, "at_most", "mm2", _REFERENCE))
    if not found:
        found.append(part.finding("removal", NAN, 0.0, "at_most", "mm2", "no bone to measure on"))
    return tuple(found)


def blocked_mm2(part: Surface, bone: Surface, out: Floats) -> float:
    """Surface of the part or the bone, whichever is larger, that meets the other.

    Args:
        part: What moves.
        bone: What stays.
        out: (3,) unit vector, the way that the part moves.
    """
    return max(_meeting(part, bone, out), _meeting(bone, part, -out))


def _meeting(source: Surface, target: Surface, way: Floats) -> float:
    """Area of ``source`` from which a ray along ``way`` meets ``target``, mm2."""
    samples = source.samples
    points = np.concatenate([samples.points_mm, source.vertices])
    area = np.zeros(len(points))
    area[: len(samples.points_mm)] = samples.area_mm2
    area[len(samples.points_mm) :] = 1e-3
    use = _over(points, target, way)
    if not use.any():
        return 0.0
    distance, _ = target.rays.first_hit(points[use], way)
    return float(area[use][np.isfinite(distance)].sum())


def _over(
    points: Floats, target: Surface, way: Floats
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Points whose line along ``way`` can meet the target's box."""
    plane = np.column_stack(across(way))
    flat = target.vertices @ plane
    seen = points @ plane
    inside = (seen >= flat.min(axis=0)) & (seen <= flat.max(axis=0))
    ahead = points @ way <= float((target.vertices @ way).max())
    return np.asarray(inside.all(axis=1) & ahead)


def _in_the_way(part: Surface, bone: Surface, out: Floats) -> bool:
    """Tell whether any point of the bone lies over the part's outline along ``out``."""
    return bool(_over(part.vertices, bone, out).any())
