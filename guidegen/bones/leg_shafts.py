"""Shafts of long bones: runs of small round sections that hardly change from slice to slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from guidegen.model.arrays import Floats

SECTION_MM2 = (45.0, 1500.0)
"""Sections of a fibula's and a femur's shaft lie between (engineering choice)."""
CHANGE = 1.08
"""A shaft's section grows or shrinks by no more than this in a millimetre (engineering choice)."""
SHORTEST_MM = 30.0
SLIMNESS = 2.6
"""A shaft's section is no more than so many times as wide as deep (engineering choice)."""
THIN_SHARE = 0.62
"""A fibula's section is smaller than this share of its tibia's (engineering choice)."""
APART_MM = 55.0
"""Fibula and tibia lie nearer to each other than this, middle to middle (engineering choice)."""


@dataclass(frozen=True, eq=False)
class Shaft:
    """A run of sections.

    Args:
        slices: (N,) slice numbers, rising.
        sections: (N,) labels of the sections in the slices.
        middles_ji_mm: (N, 2) their middles from the grid's corner.
        areas_mm2: (N,).
    """

    slices: np.ndarray
    sections: np.ndarray
    middles_ji_mm: Floats
    areas_mm2: Floats


def section_labels(solid: np.ndarray) -> np.ndarray:
    """(K, J, I) int32: number of each connected section in its slice."""
    joined = np.zeros((3, 3, 3), dtype=bool)
    joined[1] = ndimage.generate_binary_structure(2, 1)
    return np.asarray(ndimage.label(solid, structure=joined)[0])


def find_shafts(sections: np.ndarray, step_mm: Floats) -> list[Shaft]:
    """Find all shafts.

    Args:
        sections: See ``section_labels``; slices run along the first axis.
        step_mm: (3,) voxel size.
    """
    n = int(sections.max(initial=0))
    where = ndimage.find_objects(sections)
    count = np.bincount(sections.ravel(), minlength=n + 1)
    area = count * step_mm[1] * step_mm[2]
    middle, slim = np.zeros((n + 1, 2)), np.zeros(n + 1)
    slice_of = np.zeros(n + 1, dtype=int)
    for number in np.flatnonzero((area > SECTION_MM2[0]) & (area < SECTION_MM2[1])):
        if number == 0 or where[number - 1] is None:
            continue
        box = where[number - 1]
        points = np.argwhere(sections[box][0] == number) * step_mm[1:]
        middle[number] = points.mean(axis=0) + [box[1].start, box[2].start] * step_mm[1:]
        spread = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(points.T)), 1e-6))
        round_area = 4 * np.pi * spread[0] * spread[1]
        slim[number] = spread[1] / spread[0] if area[number] > 0.8 * round_area else np.inf
        slice_of[number] = box[0].start
    slim[slim == 0] = np.inf
    following = _following(sections, area, slim, float(step_mm[0]))
    shafts = []
    for chain in _chains(following):
        if len(chain) * step_mm[0] >= SHORTEST_MM:
            numbers = np.array(chain)
            shafts.append(Shaft(slice_of[numbers], numbers, middle[numbers], area[numbers]))
    return shafts


def _following(
    sections: np.ndarray, area: np.ndarray, slim: np.ndarray, step_mm: float
) -> dict[int, int]:
    """Section to the section of the next slice that continues its shaft."""
    below, above = sections[:-1], sections[1:]
    both = (below > 0) & (above > 0)
    pairs, shared = np.unique(np.stack([below[both], above[both]]), axis=1, return_counts=True)
    most = CHANGE ** max(step_mm, 1.0)
    out: dict[int, int] = {}
    for (a, b), n in zip(pairs.T.tolist(), shared, strict=True):
        ratio = area[b] / area[a]
        fits = 1 / most < ratio < most and max(slim[a], slim[b]) < SLIMNESS
        if fits and n * area[a] > 0.5 * min(area[a], area[b]) * max(n, 1):
            out[a] = b
    return out


def _chains(following: dict[int, int]) -> list[list[int]]:
    """Runs of numbers that follow each other."""
    starts = sorted(set(following) - set(following.values()))
    chains = []
    for number in starts:
        chain = [number]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append(chain)
    return chains


def companions(one: Shaft, other: Shaft) -> bool:
    """Whether ``other`` runs beside ``one`` as a fibula does beside its tibia."""
    _, a, b = np.intersect1d(one.slices, other.slices, return_indices=True)
    if len(a) < 10:
        return False
    apart = np.linalg.norm(one.middles_ji_mm[a] - other.middles_ji_mm[b], axis=1)
    thin = np.median(other.areas_mm2[b] / one.areas_mm2[a]) < THIN_SHARE
    return bool(thin and np.median(apart) < APART_MM)
