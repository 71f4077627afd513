"""The surface of a vertebral body in the vertebra's frame: its walls and endplates by rays."""

from __future__ import annotations

import numpy as np

from guidegen.anatomy.endplate import GreyEndplates
from guidegen.errors import AnatomyError
from guidegen.mesh.surface import Surface
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.volume import CTVolume

BAND_MM = 3.0
"""Heights and walls are measured within this distance of the mid-plane."""
OUTSIDE_MM = 6.0
"""Rays start this far outside what is looked for (engineering choice: over an osteophyte, still
short of a neighbour that the surface was joined to)."""
EDGE_MM = 3.0
"""An endplate's edge lies no deeper under the landmarks' plane (engineering choice: what does is
a bite in the surface, where an osteophyte was given to the neighbour)."""
_SHARE_SEEN = 0.2
"""Smallest share of a patch's rays that must meet bone (engineering choice)."""
_SHARE_CLEAR = 0.6
"""Grey values decide over the surface where this share of a patch's rays shows an endplate
(engineering choice: beside a rim or an osteophyte they don't)."""
_UNDER_MM = (0.0, 0.8)
"""How far the middle of an endplate's sheet can lie under its surface: half a cortex."""
_FRONT_RAYS_MM = 10.0
_GAP_MM, _GAP_DEPTH_MM = 8.0, 1.0
"""A gap in the front or back wall lower than the first and deeper than the second is bridged
(engineering choice: the basivertebral vein's is some 5 mm high, an open cleft less)."""


class BodySurface:
    """A bone's surface in the vertebra's frame, and what the landmarks say of its body.

    Args:
        bone: The vertebra, patient LPS.
        landmarks: Of the same vertebra.
        volume: The CT, to find endplates finer than the surface; None for the surface alone.
    """

    def __init__(self, bone: Bone, landmarks: Landmarks, volume: CTVolume | None = None) -> None:
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
        self._grey: GreyEndplates | None = None
        self._under = 0.0
        if volume is not None:
            pose = landmarks.patient_from_bone
            self._grey = GreyEndplates(volume, pose, bone.vertices_mm)

    def met(self, origins: Floats, direction: Floats) -> Floats:
        """(N, 3): where rays from outside enter the bone; NaN where they miss.

        A ray that starts in bone has met it where it starts.
        """
        way = np.asarray(direction, dtype=np.float64)
        distance, face = self.surface.rays.first_hit(origins, way)
        leaving = (face >= 0) & (self._outward[face] @ way > 0)
        far = np.where(leaving, 0.0, np.where(face >= 0, distance, np.nan))
        return np.asarray(origins + far[:, None] * way)

    def plane_z(self, xy: Floats, up: float) -> Floats:
        """(N,): z of the landmarks' endplate plane at points (N, 2)."""
        point, normal = self.plates[up]
        return np.asarray(point[2] - ((xy - point[:2]) @ normal[:2]) / normal[2])

    def surface_plate(self, xy: Floats, up: float, deep_mm: float = EDGE_MM) -> Floats:
        """(N, 3): the endplate's surface over or under points (N, 2), from outside the body.

        From outside, so that a cleft inside the body does not matter. What lies more than
        ``deep_mm`` under the landmarks' plane, on the other half, or where the ray starts (an
        osteophyte) is left out: NaN.
        """
        z = self.plane_z(xy, up)
        start = z + up * OUTSIDE_MM
        found = self.met(np.column_stack([xy, start]), np.array([0.0, 0.0, -up]))
        deep = (up * (z - found[:, 2]) > deep_mm) | (up * found[:, 2] < 0.0)
        found[deep | (found[:, 2] == start)] = np.nan
        return found

    def sharpen(self, xy: Floats) -> None:
        """Measure how far the sheets' middles lie under the surface: once, over both plates."""
        if self._grey is None:
            return
        under = []
        for up in (1.0, -1.0):
            spots = self.surface_plate(xy, up)
            under.append(-up * self._grey.middles(spots[np.isfinite(spots[:, 2])]))
        seen = np.concatenate(under)
        if np.isfinite(seen).mean() < _SHARE_CLEAR:
            self._grey = None
        else:
            self._under = float(np.clip(np.nanmedian(seen), *_UNDER_MM))

    def plate(self, xy: Floats, up: float, deep_mm: float = EDGE_MM) -> Floats:
        """(N, 3): the endplate over or under points (N, 2), by its grey values where they tell."""
        found = self.surface_plate(xy, up, deep_mm)
        known = np.isfinite(found[:, 2])
        if self._grey is None or not known.any():
            return found
        moved = self._grey.middles(found[known]) + up * self._under
        if np.isfinite(moved).mean() >= _SHARE_CLEAR:
            found[known, 2] += np.nan_to_num(moved)
        return found

    def wall(self, x: Floats, z: Floats, back: bool) -> Floats:
        """(X, Z): y of the front or back wall at each x and z; NaN where there is none.

        Where bone fills the canal the back wall is the canal's centre.
        """
        grid = np.stack(np.meshgrid(x, z, indexing="ij"), axis=-1).reshape(-1, 2)
        start = self.canal[1] if back else -self.depth - _FRONT_RAYS_MM
        origins = np.column_stack([grid[:, 0], np.full(len(grid), start), grid[:, 1]])
        found = self.met(origins, np.array([0.0, -1.0 if back else 1.0, 0.0]))[:, 1]
        found[found < -self.depth if back else found > self.depth / 2] = np.nan
        return np.asarray(found.reshape(len(x), len(z)))


def seen_values(values: Floats, bone: str, what: str) -> Floats:
    """The values that are numbers, if there are enough of them."""
    found = values[np.isfinite(values)]
    if len(found) < _SHARE_SEEN * len(values) or len(found) < 3:
        raise AnatomyError(
            f"{bone}: {what} was not found on {len(values) - len(found)} of {len(values)} rays: "
            "the body is cut off or its surface is broken; leave this level out"
        )
    return found


def band_mm(step_mm: float = 0.5) -> Floats:
    """(N,): x across the mid-sagittal band."""
    return np.arange(-BAND_MM, BAND_MM + 1e-9, step_mm)


def median_profile(values: Floats) -> Floats:
    """Median over the first axis of what is a number; NaN where there is nothing."""
    seen = np.isfinite(values).any(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[seen] = np.nanmedian(values[:, seen], axis=0)
    return found


def bridged(profile: Floats, step_mm: float) -> Floats:
    """Bridge low gaps in a wall: (N,) how far it stands out at evenly spaced heights.

    A closing: the highest ground within half a gap's height either way, then the lowest of it.
    """
    half = round(_GAP_MM / 2 / step_mm)
    padded = np.pad(np.nan_to_num(profile, nan=-np.inf), 2 * half, constant_values=-np.inf)
    window = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    closed = np.lib.stride_tricks.sliding_window_view(window.max(axis=1), 2 * half + 1).min(axis=1)
    gap = np.isfinite(closed) & ~(closed - profile < _GAP_DEPTH_MM)
    return np.where(gap, closed, profile)
