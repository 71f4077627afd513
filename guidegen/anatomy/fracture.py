"""Shape of a vertebral body: heights, wedge angle, volume and back wall, from its surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from guidegen.errors import AnatomyError
from guidegen.geometry.planes import FittedPlane, fit_plane
from guidegen.mesh.surface import Surface
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks

BAND_MM = 3.0
"""The heights are measured within this distance of the mid-plane."""
SHARES = {"front": 0.06, "middle": 0.50, "back": 0.94}
"""Where along the body's depth; 6 % keeps off the rounded rim."""
_REACH_MM = 6.0
"""Rays start this far outside what is looked for (engineering choice: over an osteophyte, still
short of a neighbour that the surface was joined to)."""
_SHARE_SEEN = 0.3
"""Smallest share of a patch's rays that must meet bone (engineering choice)."""
_FRONT_RAYS_MM = 10.0
_RING = (0.55, 0.65, 0.75, 0.85)
"""Where an endplate's plane is fitted, as a share of the body's half width and depth at mid-height
(engineering choice: outside what sinks in, inside the rim's osteophytes)."""
_GAP_MM, _GAP_DEPTH_MM = 8.0, 1.0
"""A gap in the front or back wall lower than the first and deeper than the second is bridged
(engineering choice: the basivertebral vein's is some 5 mm high, an open cleft less)."""
_CORNERS_MM = (0.8, 3.0)
"""The back corners are the hindmost places this far from either endplate (engineering choice:
under the rim's rounding, over a fragment's tip)."""
_CELL_MM = 1.0
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


class _Body:
    """A bone's surface in the vertebra's frame, and what the landmarks say of its body."""

    def __init__(self, bone: Bone, landmarks: Landmarks) -> None:
        self.name = bone.name
        self.complete = bone.complete
        to_bone = landmarks.patient_from_bone.inverse
        self.surface = Surface(to_bone.points(bone.vertices_mm), bone.faces)
        corners = self.surface.vertices[self.surface.faces]
        self._outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        size = landmarks["body_centre"].values
        self.width = float(np.ravel(size["width_mm"])[0])
        self.depth = float(np.ravel(size["depth_mm"])[0])
        canal = landmarks["canal_centre"]
        self.canal = to_bone.points(canal.position_mm)
        self.canal_radius = float(np.ravel(canal.values["radius_mm"])[0])
        self.plates = {
            up: (
                to_bone.points(landmarks[f"{name}_endplate_centre"].position_mm),
                to_bone.vectors(np.array(landmarks[f"{name}_endplate_centre"].values["normal"])),
            )
            for name, up in (("superior", 1.0), ("inferior", -1.0))
        }
        self.half = (self.plates[1.0][0][2] - self.plates[-1.0][0][2]) / 2

    def met(self, origins: Floats, direction: Floats) -> Floats:
        """(N, 3): where rays from outside enter the bone; NaN where they miss or start inside."""
        way = np.asarray(direction, dtype=np.float64)
        distance, face = self.surface.rays.first_hit(origins, way)
        entering = (face >= 0) & (self._outward[face] @ way < 0)
        far = np.where(entering, distance, np.nan)
        return np.asarray(origins + far[:, None] * way)

    def plate(self, xy: Floats, up: float) -> Floats:
        """(N, 3): the endplate's surface over or under points (N, 2), from outside the body.

        From outside, so that a cleft inside the body does not matter.
        """
        point, normal = self.plates[up]
        z = point[2] - ((xy - point[:2]) @ normal[:2]) / normal[2]
        origins = np.column_stack([xy, z + up * _REACH_MM])
        found = self.met(origins, np.array([0.0, 0.0, -up]))
        beyond = up * found[:, 2] < -up * self.plates[-up][0][2] * 1.5 - self.half
        found[beyond] = np.nan
        return found


def _seen(values: Floats, bone: str, what: str) -> Floats:
    """The values that are numbers, if there are enough of them."""
    found = values[np.isfinite(values)]
    if len(found) < _SHARE_SEEN * len(values) or len(found) < 3:
        raise AnatomyError(
            f"{bone}: {what} was not found on {len(values) - len(found)} of {len(values)} rays: "
            "the body is cut off or its surface is broken; leave this level out"
        )
    return found


def _band(step_mm: float = 0.5) -> Floats:
    return np.arange(-BAND_MM, BAND_MM + 1e-9, step_mm)


def _wall(body: _Body, x: Floats, z: Floats, back: bool) -> Floats:
    """(X, Z): y of the front or back wall at each x and z; NaN where there is none."""
    grid = np.stack(np.meshgrid(x, z, indexing="ij"), axis=-1).reshape(-1, 2)
    start = body.canal[1] if back else -body.depth - _FRONT_RAYS_MM
    origins = np.column_stack([grid[:, 0], np.full(len(grid), start), grid[:, 1]])
    found = body.met(origins, np.array([0.0, -1.0 if back else 1.0, 0.0]))[:, 1]
    found[found < -body.depth if back else found > body.depth / 2] = np.nan
    return np.asarray(found.reshape(len(x), len(z)))


def _median(values: Floats) -> Floats:
    """Median over the first axis of what is a number; NaN where there is nothing."""
    seen = np.isfinite(values).any(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[seen] = np.nanmedian(values[:, seen], axis=0)
    return found


def _bridged(profile: Floats, step_mm: float) -> Floats:
    """Bridge low gaps in a wall: (N,) how far it stands out at evenly spaced heights.

    A closing: the highest ground within half a gap's height either way, then the lowest of it.
    """
    half = round(_GAP_MM / 2 / step_mm)
    padded = np.pad(np.nan_to_num(profile, nan=-np.inf), 2 * half, constant_values=-np.inf)
    window = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    closed = np.lib.stride_tricks.sliding_window_view(window.max(axis=1), 2 * half + 1).min(axis=1)
    gap = np.isfinite(closed) & ~(closed - profile < _GAP_DEPTH_MM)
    return np.where(gap, closed, profile)


def _walls(body: _Body) -> tuple[float, float]:
    """Y of the front and the back wall at mid-height in the mid-sagittal band."""
    step = 0.5
    z = np.arange(-0.6 * body.half, 0.6 * body.half + step / 2, step)
    found = []
    for name, sign in (("front", -1.0), ("back", 1.0)):
        out = _bridged(sign * _median(_wall(body, _band(), z, sign > 0)), step)
        middle = _seen(out[np.abs(z) <= 1.0], body.name, f"the body's {name} wall")
        found.append(sign * float(np.median(middle)))
    return found[0], found[1]


def _height(body: _Body, y: float, name: str) -> tuple[float, float]:
    """Height and its spread in the band at one place along the depth."""
    spots = np.stack(np.meshgrid(_band(), y + np.arange(-1.0, 1.01, 0.5)), -1).reshape(-1, 2)
    way = body.plate(spots, 1.0)[:, 2] - body.plate(spots, -1.0)[:, 2]
    found = _seen(way, body.name, f"the body's height at its {name}")
    spread = 1.4826 * float(np.median(np.abs(found - np.median(found))))
    return float(np.median(found)), spread


def _plane(body: _Body, walls: tuple[float, float], up: float) -> FittedPlane:
    """Fit a plane to the outer ring of an endplate: what lies inside may have sunk in."""
    angle, share = np.meshgrid(np.linspace(0, 2 * np.pi, 48, endpoint=False), _RING)
    x = share * np.cos(angle) * body.width / 2
    y = np.mean(walls) + share * np.sin(angle) * (walls[1] - walls[0]) / 2
    found = body.plate(np.column_stack([x.ravel(), y.ravel()]), up)
    _seen(found[:, 2], body.name, f"the {'upper' if up > 0 else 'lower'} endplate")
    return fit_plane(found[np.isfinite(found[:, 2])], np.array([0.0, 0.0, up]))


def _lean_deg(plane: FittedPlane, up: float) -> float:
    """How far an endplate falls to the front, in the sagittal plane."""
    return float(np.degrees(np.arctan2(-plane.normal[1], up * plane.normal[2])))


def _require_whole(body: _Body, planes: Mapping[float, FittedPlane]) -> None:
    """Refuse a body that ends where the scan ends: a flat plate with no bone beyond it."""
    if body.complete:
        return
    for up, plane in planes.items():
        beyond = (body.surface.vertices - plane.point) @ plane.normal
        if plane.spread_mm < _CUT_MM and beyond.max() < 1.0:
            side = "upper" if up > 0 else "lower"
            raise AnatomyError(
                f"{body.name}: the body's {side} end is cut off by the field of view, so its "
                "heights can't be measured; leave this level out or scan a larger field"
            )


def measure_shape(bone: Bone, landmarks: Landmarks) -> BodyShape:
    """Measure the heights and the wedge angle of a vertebral body.

    A height is the distance between the endplates along z of the vertebra's frame, the median
    over the mid-sagittal band |x| <= 3 mm and 1 mm to front and back, at 6 %, 50 % and 94 % of
    the depth from front to back wall at mid-height in that band. All rays come from outside, so
    that clefts in the body don't count; they start 6 mm off the endplates, and those that start in
    an osteophyte are left out. Low gaps in front and back wall (the basivertebral vein's, an open
    cleft) are bridged. The endplates' planes are fitted to the outer ring of each plate, which
    stands where the middle has sunk in.

    Args:
        bone: The vertebra, patient LPS.
        landmarks: Of the same vertebra.

    Returns:
        Heights, angle and spreads.

    Raises:
        AnatomyError: The body is cut off or a wall or plate was not found.
    """
    body = _Body(bone, landmarks)
    front, back = _walls(body)
    depth = back - front
    planes = {up: _plane(body, (front, back), up) for up in (1.0, -1.0)}
    _require_whole(body, planes)
    found = {name: _height(body, front + share * depth, name) for name, share in SHARES.items()}
    scatter = np.hypot(planes[1.0].spread_mm, planes[-1.0].spread_mm)
    spreads = {name: spread for name, (_, spread) in found.items()}
    spreads["kyphosis"] = float(np.degrees(np.arctan2(scatter, 0.8 * depth)))
    return BodyShape(
        bone=bone.name,
        front_mm=found["front"][0],
        middle_mm=found["middle"][0],
        back_mm=found["back"][0],
        kyphosis_deg=sum(_lean_deg(plane, up) for up, plane in planes.items()),
        depth_mm=depth,
        spreads=spreads,
    )


@dataclass(frozen=True, eq=False)
class _BackWall:
    """The back wall: y over height at several x, and the line between its two corners.

    Args:
        z: (Z,) heights.
        y: (X, Z) of the wall; NaN where the canal is filled.
        line: (Z,) of the straight line between the corners.
        inner: (Z,) true between the corners.
    """

    z: Floats
    y: Floats
    line: Floats
    inner: npt.NDArray[np.bool_]


def _back_wall(body: _Body, reach_mm: float) -> _BackWall:
    """Trace the back wall within ``reach_mm`` of the mid-plane, and join its corners."""
    _, back = _walls(body)
    ends = [
        float(np.median(_seen(body.plate(np.array([[x, back - 1.5] for x in _band()]), up)[:, 2],
                              body.name, "the body's back edge")))
        for up in (-1.0, 1.0)
    ]  # fmt: skip
    z = np.arange(ends[0], ends[1], 0.25)
    over, under = z - ends[0], ends[1] - z
    y = _wall(body, np.linspace(-reach_mm, reach_mm, 9), z, True)
    profile = np.where(np.isfinite(_median(y)), _median(y), -np.inf)
    corners = []
    for away in (over, under):
        zone = np.flatnonzero((away >= _CORNERS_MM[0]) & (away <= _CORNERS_MM[1]))
        spot = zone[int(profile[zone].argmax())] if len(zone) else 0
        if not np.isfinite(profile[spot]):
            raise AnatomyError(
                f"{body.name}: the corners of the body's back wall were not found: bone fills the "
                "canal or the body is cut off; look at the slices"
            )
        corners.append(spot)
    foot, head = corners
    line = profile[foot] + (z - z[foot]) * (profile[head] - profile[foot]) / (z[head] - z[foot])
    inner = np.minimum(over, under) > _CORNERS_MM[1]
    return _BackWall(z, y, line, inner)


def back_wall_bulge_mm(bone: Bone, landmarks: Landmarks) -> float:
    """Measure how far bone stands behind the straight line between the body's back corners.

    The wall is traced from the canal's centre to the front, in nine sagittal planes within half
    the canal's radius of the mid-plane (the middle half of its width where it is round); the
    corners are the hindmost places 0.8-3.0 mm from either endplate. An intact wall is
    hollow: 0. A corner that is pushed back as a whole does not show here: look for bone in the
    canal too.

    Args:
        bone: The vertebra, patient LPS.
        landmarks: Of the same vertebra.

    Returns:
        mm, at least 0; the median of five neighbouring planes at the worst place.

    Raises:
        AnatomyError: The back wall was not found.
    """
    body = _Body(bone, landmarks)
    wall = _back_wall(body, body.canal_radius / 2)
    behind = np.where(np.isfinite(wall.y), wall.y, body.canal[1]) - wall.line
    five = np.lib.stride_tricks.sliding_window_view(behind, 5, axis=0)
    return float(max(np.median(five, axis=-1)[:, wall.inner].max(), 0.0))


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
    body = _Body(bone, landmarks)
    wall = _back_wall(body, body.canal_radius / 2)
    low, high = body.surface.low, body.surface.high
    side = body.width / 2 + _REACH_MM
    x = np.arange(max(low[0], -side), min(high[0], side), _CELL_MM)
    y = np.arange(low[1], wall.line.max() + _CELL_MM, _CELL_MM)
    tall = 1.5 * body.half + _REACH_MM
    z = np.arange(max(low[2], -tall), min(high[2], tall), _CELL_MM)
    points = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3) + _CELL_MM / 2
    slope = (wall.line[-1] - wall.line[0]) / (wall.z[-1] - wall.z[0])
    limit = wall.line[0] + slope * (points[:, 2] - wall.z[0])
    points = points[points[:, 1] < limit]
    return float(body.surface.inside(points).sum()) * _CELL_MM**3
