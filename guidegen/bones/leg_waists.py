"""Joints as waists: planes through which much less bone passes than a few millimetres off them.

Femur and tibia lie on each other with their broadest sections; between them there is little but
the eminence, even where cartilage is worn through on one side. No other place of a leg's bones has
so broad a section on both sides. Tibia and talus are not so broad.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import Floats

TILTS_DEG = np.arange(-30.0, 31.0, 6.0)
REACH_MM = 30.0
BIN_MM = 1.5
EVERY_MM = 7.0
SAME_JOINT_MM = 60.0


@dataclass(frozen=True)
class Joint:
    """What a joint's waist is like.

    Args:
        radius_mm: How far from the middle bone is looked at.
        broad_mm2: Both sides have a section as large as this.
        share: No more than this share of it passes through the waist.
        above_mm: So far above the waist, all is the upper bone.
        below_mm: So far below, all is the lower bone.
        sure_mm: ... but no farther than this beside the middle.
    """

    radius_mm: float
    broad_mm2: float
    share: float
    above_mm: float
    below_mm: float
    sure_mm: float


KNEE = Joint(50.0, 1500.0, 0.66, 13.0, 9.0, 62.0)
"""Knees of adults measure 2400 mm2 and more and leave 0.42 to 0.58 of it; eminences are lower than
13 mm, plateaus less hollow than 9 mm (engineering choice)."""
ANKLE = Joint(38.0, 600.0, 0.88, 8.0, 9.0, 13.0)
"""Only looked for where tibia and talus hang together, at the tibia's lower end, where a single
bone has no waist; malleoli lie farther than 13 mm beside the middle (engineering choice)."""


@dataclass(frozen=True, eq=False)
class Waist:
    """A plane between two broad sections, in millimetres from the grid's corner.

    Args:
        point: (3,) along k, j, i.
        normal: (3,) unit vector to higher k.
        share: How much of the narrower of the two sections passes through the plane.
        score_mm2: How much more bone there is on the poorer side than in the plane.
    """

    point: Floats
    normal: Floats
    share: float
    score_mm2: float

    def heights(self, points: Floats) -> Floats:
        """Distance of points (..., 3) above the plane."""
        return np.asarray((points - self.point) @ self.normal)


def find_waists(
    solid: np.ndarray, sections: np.ndarray, step_mm: Floats, joint: Joint = KNEE
) -> list[Waist]:
    """Find waists between sections as broad as a joint's, the clearest first.

    Args:
        solid: (K, J, I) bool, slices along the first axis.
        sections: Their connected sections, see ``leg_shafts.section_labels``.
        step_mm: (3,) voxel size.
        joint: What is looked for.
    """
    area = np.bincount(sections.ravel()) * step_mm[1] * step_mm[2]
    points = _thinned(solid)
    starts = np.searchsorted(points[:, 0], np.arange(len(solid) + 1))
    places = points * step_mm
    weight = float(np.prod(step_mm)) * 3
    reach = int(np.ceil(REACH_MM / step_mm[0]))
    found = []
    for k in range(0, len(solid), max(1, round(EVERY_MM / step_mm[0]))):
        for number in np.unique(sections[k]):
            if number == 0 or area[number] < 0.4 * joint.broad_mm2:
                continue
            centre = np.array([k, *np.argwhere(sections[k] == number).mean(axis=0)]) * step_mm
            rows = slice(starts[max(k - reach, 0)], starts[min(k + reach + 1, len(solid))])
            waist = _waist(places[rows] - centre, centre, weight, joint)
            if waist is not None:
                found.append(waist)
    return _clearest(found)


def _normals() -> Floats:
    """(N, 3) unit normals of the planes that are tried."""
    lean = np.tan(np.radians(TILTS_DEG))
    a, b = np.meshgrid(lean, lean, indexing="ij")
    normals = np.stack([np.ones(a.size), a.ravel(), b.ravel()], axis=1)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))


NORMALS = _normals()


def _thinned(solid: np.ndarray) -> np.ndarray:
    """(N, 3) every third voxel of bone, so that no plane is preferred."""
    points = np.argwhere(solid)
    return np.asarray(points[points.sum(axis=1) % 3 == 0])


def _waist(near: Floats, centre: Floats, weight: float, joint: Joint) -> Waist | None:
    """The clearest waist near a place; None if none is as clear as the joint's."""
    near = near[np.hypot(near[:, 1], near[:, 2]) < joint.radius_mm]
    n_bins = round(2 * REACH_MM / BIN_MM)
    middle = n_bins // 2
    best = None
    for normal in NORMALS:
        place = (near @ normal + REACH_MM) / BIN_MM - 0.5
        place = place[(place > 0) & (place < n_bins - 1)]
        low = place.astype(int)
        part = place - low
        count = np.bincount(low, 1 - part, n_bins) + np.bincount(low + 1, part, n_bins)
        profile = np.convolve(count, (0.25, 0.5, 0.25), "same") * weight / BIN_MM
        for at in range(middle - 3, middle + 4):
            sides = profile[at + 3 : at + 12].max(), profile[at - 11 : at - 2].max()
            score = min(sides) - profile[at]
            if best is None or score > best[0]:
                best = (score, profile[at] / max(min(sides), 1.0), min(sides), normal, at)
    if best is None or best[1] > joint.share or best[2] < joint.broad_mm2:
        return None
    height = (best[4] + 0.5) * BIN_MM - REACH_MM
    return Waist(centre + height * best[3], best[3], float(best[1]), float(best[0]))


def _clearest(found: list[Waist]) -> list[Waist]:
    """The clearest of every neighbourhood."""
    kept: list[Waist] = []
    for waist in sorted(found, key=lambda w: -w.score_mm2):
        if all(np.linalg.norm(waist.point - other.point) > SAME_JOINT_MM for other in kept):
            kept.append(waist)
    return kept
