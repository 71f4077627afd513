"""The back wall of a vertebral body: its corners, how far it bulges, what lies in front of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.anatomy.body_surface import (
    OUTSIDE_MM,
    BodySurface,
    band_mm,
    bridged,
    median_profile,
    seen_values,
)
from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks

_STEP_MM = 0.25
_CORNERS_MM = (0.8, 3.0)
"""The back corners are the hindmost places this far from either end of the wall (engineering
choice: under the rim's rounding, over a fragment's tip)."""
_WALL_MM = 5.0
"""What lies farther in front of the wall's hollow is no part of it: a bridge to a neighbour."""
_EDGE_MM = (2.0, 3.0, 4.0)
"""So far in front of the wall's hollow the endplates' heights tell where it ends."""
_LONGEST = 1.6
"""The wall is looked for up to this share of the body's half height from its middle."""
_CELL_MM = 1.0


@dataclass(frozen=True, eq=False)
class BackWall:
    """The back wall between its corners.

    Args:
        z: (Z,) heights from the lower to the upper corner.
        profile: (Z,) y of the wall, the median over the planes; the canal's centre where bone
            fills it.
        y: (X, Z) of the wall in each sagittal plane; NaN where there is none.
        line: (Z,) y of the straight line between the corners.
    """

    z: Floats
    profile: Floats
    y: Floats
    line: Floats

    def line_at(self, z: Floats) -> Floats:
        """Y of the straight line, continued beyond the corners."""
        slope = (self.line[-1] - self.line[0]) / (self.z[-1] - self.z[0])
        return np.asarray(self.line[0] + slope * (z - self.z[0]))


def _edge_z(body: BodySurface, wall_y: float, up: float) -> float:
    """Height of an endplate's back edge, just in front of the wall, without spurs."""
    grid = np.meshgrid(band_mm(), wall_y - np.array(_EDGE_MM))
    found = body.plate(np.stack(grid, axis=-1).reshape(-1, 2), up)[:, 2]
    return float(np.median(seen_values(found, body.name, "the body's back edge")))


def _run(body: BodySurface, profile: Floats, z: Floats) -> slice:
    """The stretch round mid-height, from endplate to endplate, where there is a wall."""
    near = np.isfinite(profile) & (np.abs(z) < 0.8 * body.half)
    if not near.any():
        return slice(0, 0)
    hollow = float(np.percentile(profile[near], 20))
    low, high = (_edge_z(body, hollow, up) for up in (-1.0, 1.0))
    wall = np.isfinite(profile) & (profile > hollow - _WALL_MM) & (z > low) & (z < high)
    start = np.flatnonzero(near & wall)
    if not len(start):
        return slice(0, 0)
    first = last = int(start[len(start) // 2])
    while first > 0 and wall[first - 1]:
        first -= 1
    while last < len(wall) - 1 and wall[last + 1]:
        last += 1
    return slice(first, last + 1)


def trace_back_wall(body: BodySurface, reach_mm: float) -> BackWall:
    """Trace the back wall from the canal, and find its corners.

    In sagittal planes up to ``reach_mm`` from the mid-plane rays run from the height of the canal's
    centre to the front. Low gaps (the basivertebral vein's) are bridged. The corners are the
    hindmost places 0.8-3.0 mm from the ends of the median over the planes.

    Raises:
        AnatomyError: There is no wall.
    """
    z = np.arange(-_LONGEST * body.half, _LONGEST * body.half, _STEP_MM)
    y = body.wall(np.linspace(-reach_mm, reach_mm, 9), z, True)
    profile = bridged(median_profile(y), _STEP_MM)
    run = _run(body, profile, z)
    edge = [round(mm / _STEP_MM) for mm in _CORNERS_MM]
    n = run.stop - run.start
    if n <= 2 * edge[1]:
        raise AnatomyError(
            f"{body.name}: the body's back wall was not found in front of the canal: the body is "
            "cut off or broken out; look at the slices and leave this level out"
        )
    foot = run.start + edge[0] + int(profile[run][edge[0] : edge[1]].argmax())
    head = run.stop - edge[1] + int(profile[run][n - edge[1] : n - edge[0]].argmax())
    line = np.linspace(profile[foot], profile[head], head - foot + 1)
    between = slice(foot, head + 1)
    return BackWall(z[between], profile[between], y[:, between], line)


def back_wall_bulge_mm(bone: Bone, landmarks: Landmarks) -> float:
    """Measure how far bone stands behind the straight line between the body's back corners.

    Nine sagittal planes within half the canal's radius of the mid-plane (the middle half of its
    width where it is round). An intact wall is hollow: 0. A corner that is pushed back as a whole
    does not show here: look for bone in the canal too.

    Args:
        bone: The vertebra, patient LPS.
        landmarks: Of the same vertebra.

    Returns:
        mm, at least 0; the median of five neighbouring planes at the worst place.

    Raises:
        AnatomyError: The back wall was not found.
    """
    body = BodySurface(bone, landmarks)
    wall = trace_back_wall(body, body.canal_radius / 2)
    behind = np.nan_to_num(wall.y - wall.line)
    five = np.lib.stride_tricks.sliding_window_view(behind, 5, axis=0)
    return float(max(np.median(five, axis=-1).max(), 0.0))


def body_volume_mm3(bone: Bone, landmarks: Landmarks) -> float:
    """Measure the volume of the vertebral body.

    What of the bone lies in front of the plane through the two corners of the back wall (left and
    right along x), and no more than 6 mm beside the body's width at mid-height: pedicles and arch
    are left out at their roots. Marrow and clefts count. Sampled every millimetre.

    Args:
        bone: The vertebra, patient LPS.
        landmarks: Of the same vertebra.

    Raises:
        AnatomyError: The back wall was not found.
    """
    body = BodySurface(bone, landmarks)
    wall = trace_back_wall(body, body.canal_radius / 2)
    low, high = body.surface.low, body.surface.high
    side, tall = body.width / 2 + OUTSIDE_MM, _LONGEST * body.half + OUTSIDE_MM
    x = np.arange(max(low[0], -side), min(high[0], side), _CELL_MM)
    z = np.arange(max(low[2], -tall), min(high[2], tall), _CELL_MM)
    back = float(wall.line_at(z[[0, -1]]).max())
    y = np.arange(low[1], back + _CELL_MM, _CELL_MM)
    points = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3) + _CELL_MM / 2
    points = points[points[:, 1] < wall.line_at(points[:, 2])]
    return float(body.surface.inside(points).sum()) * _CELL_MM**3
