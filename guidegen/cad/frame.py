"""The guide's frame and the search for the direction in which it is pushed on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.cad.sleeve import Sleeve, ring_points
from guidegen.model.arrays import Floats, Ints
from guidegen.model.frames import PATIENT, Pose

GUIDE = "guide"
_CELL_MM = 1.0
_EDGE_MM = 1.2
_NEAR_MM = 22.0


def guide_frame(insertion: Floats, head: Floats, origin_mm: Floats) -> Pose:
    """Build ``patient_from_guide``: z against the insertion, y to the head, x to the right.

    A reader who looks at the back of the patient sees x to the right and y up, so text in
    (x, y) is not mirrored.

    Args:
        insertion: (3,) unit vector in which the guide is pushed on, patient LPS.
        head: (3,) roughly towards the head, patient LPS.
        origin_mm: (3,) the frame's origin, patient LPS.
    """
    z = -np.asarray(insertion, dtype=np.float64)
    y = head - (head @ z) * z
    y = y / np.linalg.norm(y)
    return Pose.from_axes(np.column_stack([np.cross(y, z), y, z]), origin_mm, PATIENT, GUIDE)


def cone(axis: Floats, head: Floats, half_angle_deg: float) -> list[Floats]:
    """Directions in a cone, the axis first: rings every 5 deg, eight to a ring."""
    side = np.cross(head, axis)
    side /= np.linalg.norm(side)
    up = np.cross(axis, side)
    found = [np.array(axis, dtype=np.float64)]
    for angle in np.radians(np.arange(5.0, half_angle_deg + 1e-6, 5.0)):
        for turn in np.arange(8) * np.pi / 4:
            tilt = np.cos(turn) * side + np.sin(turn) * up
            found.append(np.cos(angle) * axis + np.sin(angle) * tilt)
    return found


def _top_heights(flat: Ints, heights: Floats, n_cells: int) -> Floats:
    """Highest z in every cell."""
    top = np.full(n_cells, -np.inf)
    np.maximum.at(top, flat, heights)
    return top


def _cells(points: Floats, low: Floats, shape: Ints) -> Ints:
    index = np.clip(((points[:, :2] - low) / _CELL_MM).astype(np.int64), 0, shape - 1)
    return np.asarray(index[:, 0] * shape[1] + index[:, 1])


def hidden_share(own: Floats, normals: Floats, others: Floats, region: Floats) -> float:
    """Measure which share of a bone region a straight push along -z can't reach.

    Args:
        own: (N, 3) evenly spread points of the bone's surface, guide frame.
        normals: (N, 3) outward.
        others: (M, 3) points of neighbouring bones.
        region: (N,) True where contact is wanted.

    Returns:
        0 (all in sight) to 1.
    """
    both = np.concatenate([own, others])
    low = both[:, :2].min(axis=0) - _CELL_MM
    shape = np.ceil((both[:, :2].max(axis=0) - low) / _CELL_MM).astype(np.int64) + 2
    top = _top_heights(_cells(both, low, shape), both[:, 2], int(shape.prod()))
    clear = (own[:, 2] > top[_cells(own, low, shape)] - _EDGE_MM) & (normals[:, 2] > 0.05)
    return float(1 - clear[region].mean())


def choose_insertion(
    approach: Floats,
    head: Floats,
    sleeves: Sequence[Sleeve],
    surfaces: tuple[Floats, Floats, Floats],
    half_angle_deg: float,
) -> Floats:
    """Search the insertion direction in a cone round the approach, LPS.

    The cost adds the share of bone round the entries that a straight push can't reach, how far
    up the sleeves the bone's shadow climbs (a foot that starts high guides badly), and the
    angle away from the approach, which decides ties.

    Args:
        approach: (3,) unit vector into the bone.
        head: (3,) unit vector to the head.
        sleeves: In the patient's frame.
        surfaces: Points (N, 3) and normals (N, 3) of the own bone, points (M, 3) of neighbours.
        half_angle_deg: Of the cone.
    """
    own, normals, others = surfaces
    centre = np.mean([s.entry_mm for s in sleeves], axis=0)
    facing = normals @ approach < 0.2
    region = facing & (np.linalg.norm(own - centre, axis=1) < _NEAR_MM)
    if not region.any():
        region = facing
    best, chosen = np.inf, np.asarray(approach, dtype=np.float64)
    for direction in cone(approach, head, half_angle_deg):
        frame = guide_frame(direction, head, centre).inverse
        points, rest = frame.points(own), frame.points(others)
        angle = float(np.degrees(np.arccos(np.clip(direction @ approach, -1, 1))))
        climb = max(shadow_climb(s, frame, np.concatenate([points, rest])) for s in sleeves)
        cost = hidden_share(points, frame.vectors(normals), rest, region)
        cost += 0.03 * climb + 0.006 * angle
        if cost < best - 1e-12:
            best, chosen = cost, direction
    return chosen


def shadow_climb(sleeve: Sleeve, guide_from_patient: Pose, cloud: Floats) -> float:
    """How high above the entry the shadow of a point cloud (N, 3) reaches along a sleeve, mm."""
    low = cloud[:, :2].min(axis=0) - _CELL_MM
    shape = np.ceil((cloud[:, :2].max(axis=0) - low) / _CELL_MM).astype(np.int64) + 2
    top = _top_heights(_cells(cloud, low, shape), cloud[:, 2], int(shape.prod()))
    heights = np.arange(0.0, 30.0, 0.5)
    ring = guide_from_patient.points(ring_points(sleeve, heights, sleeve.outer_mm / 2, 12))
    under = ring[..., 2] < top[_cells(ring.reshape(-1, 3), low, shape)].reshape(ring.shape[:-1])
    blocked = under.any(axis=1)
    return float(heights[blocked].max()) if blocked.any() else 0.0
