"""Shape of a vertebral body: front, middle and back height, and the angle of its endplates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from guidegen.anatomy.back_wall import trace_back_wall
from guidegen.anatomy.body_surface import (
    BAND_MM,
    EDGE_MM,
    BodySurface,
    band_mm,
    bridged,
    median_profile,
    seen_values,
)
from guidegen.errors import AnatomyError
from guidegen.geometry.planes import fit_plane
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.volume import CTVolume

SHARES = {"front": 0.06, "middle": 0.50, "back": 0.94}
"""Where along the body's depth; 6 % keeps off the rounded rim."""
_STRIP = np.linspace(0.04, 0.16, 5)
"""Strips that an endplate's slope is taken from, share of the depth from either wall (engineering
choice: inside the rim's osteophytes, outside what sinks in)."""
_STEP_MM = 0.5
_LEAST_DEPTH = 0.6
"""A body this much less deep than its landmarks say is cut off or broken out."""
_CUT_MM = 0.15
"""A plate that is flatter than this, and the bone's end, is where the scan ends."""


@dataclass(frozen=True, eq=False)
class BodyShape:
    """How high a body is and how much its front is lower than its back.

    Args:
        bone: ``L1``.
        front_mm: Height at 6 % of the depth.
        middle_mm: At 50 %.
        back_mm: At 94 %.
        kyphosis_deg: Angle between the endplates in the sagittal plane, front lower positive.
        depth_mm: Front wall to back wall at mid-height, in the mid-sagittal band.
        spreads: One standard deviation of each over its rays, by name: ``front``, ``middle``,
            ``back`` mm, ``kyphosis`` deg.
    """

    bone: str
    front_mm: float
    middle_mm: float
    back_mm: float
    kyphosis_deg: float
    depth_mm: float
    spreads: Mapping[str, float] = field(default_factory=dict)

    @property
    def heights_mm(self) -> dict[str, float]:
        """The three heights by name, front to back."""
        return {"front": self.front_mm, "middle": self.middle_mm, "back": self.back_mm}


def _walls(body: BodySurface) -> tuple[float, float]:
    """Y of the front and the back wall at mid-height in the mid-sagittal band.

    The back wall lies no farther back than the line between its corners: what does is a fragment.
    """
    z = np.arange(-0.6 * body.half, 0.6 * body.half + _STEP_MM / 2, _STEP_MM)
    out = bridged(-median_profile(body.wall(band_mm(), z, False)), _STEP_MM)
    front = -float(np.median(seen_values(out[np.abs(z) <= 1.0], body.name, "the front wall")))
    wall = trace_back_wall(body, BAND_MM)
    middle = np.abs(wall.z) <= 1.0
    back = float(np.median(np.minimum(wall.profile, wall.line)[middle])) if middle.any() else front
    if back - front < _LEAST_DEPTH * body.depth:
        raise AnatomyError(
            f"{body.name}: the body is {back - front:.0f} mm deep at mid-height where about "
            f"{body.depth:.0f} mm were expected: it is cut off or broken out; leave this level out"
        )
    return front, back


def _height(body: BodySurface, y: float, name: str) -> tuple[float, float]:
    """Height and its spread in the band at one place along the depth."""
    spots = np.stack(np.meshgrid(band_mm(), y + np.arange(-1.0, 1.01, 0.5)), -1).reshape(-1, 2)
    deep = np.inf if name == "middle" else EDGE_MM
    way = body.plate(spots, 1.0, deep)[:, 2] - body.plate(spots, -1.0, deep)[:, 2]
    found = seen_values(way, body.name, f"the body's height at its {name}")
    return float(np.median(found)), _scatter(found)


def _spots(body: BodySurface, walls: tuple[float, float], shares: Floats) -> Floats:
    """(N, 2): spots of an endplate at shares of the depth, in the middle half of the width."""
    reach = body.width / 4
    x, y = np.meshgrid(np.linspace(-reach, reach, 21), walls[0] + shares * (walls[1] - walls[0]))
    return np.column_stack([x.ravel(), y.ravel()])


def _scatter(values: Floats) -> float:
    """Robust standard deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def _lean(body: BodySurface, walls: tuple[float, float], up: float) -> tuple[float, float]:
    """How far an endplate falls to the front, and the spread, degrees.

    The line through the medians of a strip at its front and one at its back: the edges stand
    where the middle has sunk in, or is hollow by nature.
    """
    heights, scatter = [], []
    for shares in (_STRIP, 1.0 - _STRIP):
        found = body.plate(_spots(body, walls, shares), up)[:, 2]
        side = "upper" if up > 0 else "lower"
        seen = seen_values(found, body.name, f"the {side} endplate's edge")
        heights.append(float(np.median(seen)))
        scatter.append(_scatter(seen))
    way = (1.0 - 2.0 * float(_STRIP.mean())) * (walls[1] - walls[0])
    rise = up * (heights[1] - heights[0])
    spread = float(np.hypot(scatter[0], scatter[1]))
    return float(np.degrees(np.arctan2(rise, way))), float(np.degrees(np.arctan2(spread, way)))


def _require_whole(body: BodySurface, walls: tuple[float, float]) -> None:
    """Refuse a body that ends where the scan ends: a flat plate with no bone beyond it."""
    if body.complete:
        return
    for side, up in (("upper", 1.0), ("lower", -1.0)):
        found = body.surface_plate(_spots(body, walls, np.linspace(0.2, 0.8, 13)), up, np.inf)
        seen = found[np.isfinite(found[:, 2])]
        if len(seen) < 3:
            continue
        plane = fit_plane(seen, np.array([0.0, 0.0, up]))
        beyond = (body.surface.vertices - plane.point) @ plane.normal
        if plane.spread_mm < _CUT_MM and beyond.max() < 1.0:
            raise AnatomyError(
                f"{body.name}: the body's {side} end is cut off by the field of view, so its "
                "heights can't be measured; leave this level out or scan a larger field"
            )


def measure_shape(bone: Bone, landmarks: Landmarks, volume: CTVolume | None = None) -> BodyShape:
    """Measure the heights and the wedge angle of a vertebral body.

    A height is the distance between the endplates along z of the vertebra's frame, the median
    over the mid-sagittal band |x| <= 3 mm and 1 mm to front and back, at 6 %, 50 % and 94 % of
    the depth from front to back wall at mid-height in that band. All rays come from outside, so
    that clefts in the body don't count; they start 6 mm off the endplates, and those that start in
    an osteophyte are left out. Low gaps in front and back wall (the basivertebral vein's, an open
    cleft) are bridged. The endplates' slopes are those of the lines from their front to their
    back edges (strips at 4-16 % of the depth from either wall, in the middle half of the width).

    A surface follows the voxels: with slices of 1 mm an endplate is up to 0.5 mm off. With the CT
    at hand the middle of the endplate's bright sheet is taken instead, moved out by what it lies
    under the surface on the average of both plates.

    Args:
        bone: The vertebra, patient LPS.
        landmarks: Of the same vertebra.
        volume: The CT, or a crop that holds the vertebra; None to rest on the surface alone.

    Returns:
        Heights, angle and spreads.

    Raises:
        AnatomyError: The body is cut off or a wall or plate was not found.
    """
    body = BodySurface(bone, landmarks, volume)
    walls = _walls(body)
    _require_whole(body, walls)
    body.sharpen(_spots(body, walls, np.linspace(0.04, 0.96, 24)))
    leans = [_lean(body, walls, up) for up in (1.0, -1.0)]
    depth = walls[1] - walls[0]
    found = {name: _height(body, walls[0] + part * depth, name) for name, part in SHARES.items()}
    spreads = {name: spread for name, (_, spread) in found.items()}
    spreads["kyphosis"] = float(np.hypot(leans[0][1], leans[1][1]))
    return BodyShape(
        bone=bone.name,
        front_mm=found["front"][0],
        middle_mm=found["middle"][0],
        back_mm=found["back"][0],
        kyphosis_deg=leans[0][0] + leans[1][0],
        depth_mm=depth,
        spreads=spreads,
    )
