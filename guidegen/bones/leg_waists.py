"""Knees as waists: planes through which much less bone passes than a few millimetres off them.

Femur and tibia lie on each other with their broadest sections; between them there is little but
the eminence, even where cartilage is worn through on one side. No other place of a leg's bones has
so broad a section on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import Floats

TILTS_DEG = np.arange(-30.0, 31.0, 6.0)
RADIUS_MM = 50.0
REACH_MM = 30.0
BIN_MM = 1.5
BROADEST_SECTION_MM2 = 1500.0
"""Condyles and plateau of a knee measure 2400 mm2 and more in adults (engineering choice)."""
WAIST_SHARE = 0.66
"""Knees leave 0.42 to 0.58 of their section (engineering choice above)."""
EVERY_MM = 7.0
SMALLEST_SECTION_MM2 = 600.0
ONE_KNEE_MM = 60.0


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


def find_waists(solid: np.ndarray, sections: np.ndarray, step_mm: Floats) -> list[Waist]:
    """Find waists between sections as broad as a knee's, the clearest first.

    Args:
        solid: (K, J, I) bool, slices along the first axis.
        sections: Their connected sections, see ``leg_shafts.section_labels``.
        step_mm: (3,) voxel size.
    """
    area = np.bincount(sections.ravel()) * step_mm[1] * step_mm[2]
    normals = _normals()
    points = _thinned(solid)
    starts = np.searchsorted(points[:, 0], np.arange(len(solid) + 1))
    places = points * step_mm
    weight = float(np.prod(step_mm)) * 3
    reach = int(np.ceil(REACH_MM / step_mm[0]))
    found = []
    for k in range(0, len(solid), max(1, round(EVERY_MM / step_mm[0]))):
        for number in np.unique(sections[k]):
            if number == 0 or area[number] < SMALLEST_SECTION_MM2:
                continue
            centre = np.array([k, *np.argwhere(sections[k] == number).mean(axis=0)]) * step_mm
            rows = slice(starts[max(k - reach, 0)], starts[min(k + reach + 1, len(solid))])
            waist = _waist(places[rows] - centre, centre, normals, weight)
            if waist is not None:
                found.append(waist)
    return _clearest(found)


def _normals() -> Floats:
    lean = np.tan(np.radians(TILTS_DEG))
    a, b = np.meshgrid(lean, lean, indexing="ij")
    normals = np.stack([np.ones(a.size), a.ravel(), b.ravel()], axis=1)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))


def _thinned(solid: np.ndarray) -> np.ndarray:
    """(N, 3) every third voxel of bone, so that no plane is preferred."""
    points = np.argwhere(solid)
    return np.asarray(points[points.sum(axis=1) % 3 == 0])


def _waist(near: Floats, centre: Floats, normals: Floats, weight: float) -> Waist | None:
    """The clearest waist near a place; None if none is as clear as a knee."""
    near = near[np.hypot(near[:, 1], near[:, 2]) < RADIUS_MM]
    n_bins = round(2 * REACH_MM / BIN_MM)
    middle = n_bins // 2
    best = None
    for normal in normals:
        place = (near @ normal + REACH_MM) / BIN_MM - 0.5
        place = place[(place > 0) & (place < n_bins - 1)]
        low = place.astype(int)
        part = place - low
        profile = np.bincount(low, 1 - part, n_bins) + np.bincount(low + 1, part, n_bins)
        profile = np.convolve(profile[:n_bins], (0.25, 0.5, 0.25), "same") * weight / BIN_MM
        for at in range(middle - 3, middle + 4):
            sides = profile[at + 3 : at + 12].max(), profile[at - 11 : at - 2].max()
            score = min(sides) - profile[at]
            if best is None or score > best[0]:
                best = (score, profile[at] / max(min(sides), 1.0), min(sides), normal, at)
    if best is None or best[1] > WAIST_SHARE or best[2] < BROADEST_SECTION_MM2:
        return None
    height = (best[4] + 0.5) * BIN_MM - REACH_MM
    return Waist(centre + height * best[3], best[3], float(best[1]), float(best[0]))


def _clearest(found: list[Waist]) -> list[Waist]:
    """The clearest of every neighbourhood."""
    kept: list[Waist] = []
    for waist in sorted(found, key=lambda w: -w.score_mm2):
        if all(np.linalg.norm(waist.point - other.point) > ONE_KNEE_MM for other in kept):
            kept.append(waist)
    return kept
