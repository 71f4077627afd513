"""Cut everything that is bone into pieces where it is narrow: joints, also worn through.

Visible joint spaces are dark sheets between two bright walls and are taken out first. What still
touches hangs together by a neck: going over the contact from one bone to the other, the largest
ball that fits into the bone shrinks and grows again within a short way. Along one bone it shrinks
and grows too, but slowly.
"""

from __future__ import annotations

from itertools import product

import edt
import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from guidegen.bones.leg_scan import BONE_HU, LegScan

DIP_HU = 110.0
"""A joint space is so much darker than both its walls (engineering choice: beyond noise)."""
DIP_SHARE = 0.18
"""... and by this share of the walls: trabeculae dip less."""
WALL_HU, RIDGE_HU = 105.0, 40.0
"""Cortex thinner than the scanner's blur is brighter than this, and by so much brighter than both
its sides (engineering choice: muscle stays below)."""
BALL_MM = 4.5
"""Holes in a shell are up to twice as wide; joint spaces are narrower (engineering choice)."""
POCKET_MET, POCKET_REACH_MM = 17, 36.0
"""A hollow without a voxel that has six neighbours is marrow if walls lie in so many of the 26
directions within reach; between two bones' walls it is half of them (engineering choice)."""
NECK_SHARE = 0.62
"""A contact is narrower than this share of the bone on either side, near by (engineering choice:
0.4 to 0.5 at knees bone on bone, 0.7 and more at a femoral neck or the neck of a fibula)."""
NEAR_MM = 17.0
"""How far from a neck the bone on either side is looked at (engineering choice)."""
CRUMB_ML = 1.5
"""Smaller pieces belong to what they touch most (engineering choice: osteophytes)."""


def find_pieces(scan: LegScan) -> np.ndarray:
    """Find solid bones and cut them at their necks: (K, J, I) int32 labels from 1."""
    solid = solid_bone(scan)
    depth = edt.edt(solid, anisotropy=tuple(scan.step_mm), parallel=2)
    smooth = ndimage.gaussian_filter(depth, 0.7)
    basins = _basins(smooth, solid)
    merged = _merged(basins, depth, scan.step_mm)
    return _without_crumbs(merged, scan.step_mm)


def solid_bone(scan: LegScan) -> np.ndarray:
    """(K, J, I) bool: bright voxels without visible joint spaces, and the marrow they shut in."""
    out = np.zeros(scan.hu.shape, dtype=bool)
    for number in range(1, int(scan.seen.max(initial=0)) + 1):
        rows = np.flatnonzero(scan.seen == number)
        where = slice(rows[0], rows[-1] + 1)
        bright, wall = _bright(scan.hu[where])
        out[where] = _filled(bright, wall, scan.step_mm)
    return out


def _bright(hu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bright voxels without joint spaces, and these with walls too thin to be as bright."""
    smooth = ndimage.gaussian_filter(hu.astype(np.float32), 0.45)
    dip = ndimage.grey_closing(smooth, size=3)
    dip -= smooth
    joint = dip > np.maximum(DIP_HU, DIP_SHARE * (smooth + dip))
    ridge = smooth - ndimage.grey_opening(smooth, size=5)
    bright = (smooth > BONE_HU) & ~joint
    return bright, bright | ((smooth > WALL_HU) & (ridge > RIDGE_HU) & ~joint)


def walls(hu: np.ndarray) -> np.ndarray:
    """(K, J, I) bool: bright voxels and walls too thin to be as bright, without joint spaces.

    The blurred rim of bright bone is no wall.
    """
    bright, wall = _bright(hu)
    return np.asarray(bright | (wall & ~ndimage.binary_dilation(bright)))


def _filled(bright: np.ndarray, wall: np.ndarray, step_mm: np.ndarray) -> np.ndarray:
    """Fill what walls shut in, also where they have holes, but no joint space.

    A ball that is shut in belongs to the marrow; it passes through none of the holes and fits into
    no joint. Shut in means in its slice and in one of the two planes across it. What is left are
    small hollows with walls all round. The ends of the scan count as shut.
    """
    close_ends(wall)
    near = edt.edt(~wall, anisotropy=tuple(step_mm), parallel=2) <= BALL_MM
    close_ends(near)
    marrow = _shut_in(near, 0) & (_shut_in(near, 1) | _shut_in(near, 2)) & ~near
    marrow = _true_marrow(marrow, wall, step_mm)
    solid = bright.copy()
    if marrow.any():
        solid |= edt.edt(~marrow, anisotropy=tuple(step_mm), parallel=2) <= BALL_MM
    close_ends(solid)
    solid |= _shut_in(solid, 0) & (_shut_in(solid, 1) | _shut_in(solid, 2))
    return np.asarray(solid | _shut_in(solid))


def _true_marrow(marrow: np.ndarray, wall: np.ndarray, step_mm: np.ndarray) -> np.ndarray:
    """All hollows but those small ones where two bones' walls come together."""
    hollows, n = ndimage.label(marrow)
    kept = np.zeros(n + 1, dtype=bool)
    kept[hollows[ndimage.binary_erosion(marrow, border_value=1)]] = True
    kept[0] = True
    places = np.argwhere(~kept[hollows])
    met = _walls_met(places, wall, round(POCKET_REACH_MM / float(np.min(step_mm))))
    number = hollows[tuple(places.T)]
    count = np.maximum(np.bincount(number, minlength=n + 1), 1)
    kept |= np.bincount(number, met, n + 1) / count >= POCKET_MET
    kept[0] = False
    return np.asarray(kept[hollows])


def _walls_met(places: np.ndarray, wall: np.ndarray, reach: int) -> np.ndarray:
    """(N,): in how many of 26 directions voxels (N, 3) meet a wall within some voxels."""
    last = np.array(wall.shape) - 1
    met = np.zeros(len(places), dtype=int)
    for way in product((-1, 0, 1), repeat=3):
        found = np.zeros(len(places), dtype=bool)
        for step in range(1, reach + 1 if any(way) else 1):
            there = places + step * np.array(way)
            inside = ((there >= 0) & (there <= last)).all(axis=1)
            found[inside] |= wall[tuple(there[inside].T)]
        met += found
    return met


def close_ends(solid: np.ndarray) -> None:
    """Fill rings in the outermost planes, in place."""
    for axis in range(3):
        for end in (0, -1):
            face = solid[(slice(None),) * axis + (end,)]
            face |= ndimage.binary_fill_holes(face)


def _shut_in(wall: np.ndarray, across: int | None = None) -> np.ndarray:
    """What is shut in by walls all round, or in the planes across one axis."""
    joined = ndimage.generate_binary_structure(3, 1)
    for end in (0, 2):
        joined[tuple(end if axis == across else slice(None) for axis in range(3))] &= across is None
    spaces, n = ndimage.label(~wall, structure=joined)
    is_open = np.zeros(n + 1, dtype=bool)
    is_open[0] = True
    for axis in {0, 1, 2} - {across}:
        is_open[np.take(spaces, [0, -1], axis=axis)] = True
    return np.asarray(~is_open[spaces])


def _basins(smooth: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """One label for every place where the bone is locally thickest."""
    peaks = (ndimage.maximum_filter(smooth, size=5) == smooth) & solid
    markers, _ = ndimage.label(peaks, structure=np.ones((3, 3, 3)))
    return np.asarray(watershed(-smooth, markers, mask=solid))


def _merged(basins: np.ndarray, depth: np.ndarray, step_mm: np.ndarray) -> np.ndarray:
    """Join basins across saddles that are no necks, the highest saddle first."""
    a, b, saddle, place = _saddles(basins, depth)
    parent = np.arange(basins.max() + 1)
    reach = np.ceil(NEAR_MM / step_mm).astype(int)
    for n in np.argsort(-saddle, kind="stable"):
        one, other = _root(parent, a[n]), _root(parent, b[n])
        if one == other:
            continue
        centre = np.unravel_index(place[n], depth.shape)
        box = tuple(slice(max(c - r, 0), c + r + 1) for c, r in zip(centre, reach, strict=True))
        near = _roots(parent, basins[box])
        lesser = min(float(depth[box][near == x].max()) for x in (one, other))
        if saddle[n] >= NECK_SHARE * lesser:
            parent[max(one, other)] = min(one, other)
    return _roots(parent, basins)


def _root(parent: np.ndarray, n: int) -> int:
    while parent[n] != n:
        n = int(parent[n])
    return int(n)


def _roots(parent: np.ndarray, labels: np.ndarray) -> np.ndarray:
    while (parent[parent] != parent).any():
        parent[:] = parent[parent]
    return np.asarray(parent[labels])


def _saddles(
    labels: np.ndarray, depth: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of labels that touch, the deepest contact of each and its place (flat index)."""
    found = []
    flat = np.arange(labels.size).reshape(labels.shape)
    for axis in range(3):
        first = (slice(None),) * axis + (slice(None, -1),)
        second = (slice(None),) * axis + (slice(1, None),)
        a, b = labels[first], labels[second]
        meet = (a != b) & (a > 0) & (b > 0)
        low = np.minimum(depth[first][meet], depth[second][meet])
        pair = np.sort(np.stack([a[meet], b[meet]]), axis=0)
        found.append((pair[0], pair[1], low, flat[first][meet]))
    a, b, low, place = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((-low, b, a))
    a, b, low, place = a[order], b[order], low[order], place[order]
    first_of = np.ones(len(a), dtype=bool)
    first_of[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return a[first_of], b[first_of], low[first_of], place[first_of]


def _without_crumbs(labels: np.ndarray, step_mm: np.ndarray) -> np.ndarray:
    """Give small pieces to the large piece they touch most; number the pieces from 1."""
    voxel = float(np.prod(step_mm)) / 1000
    for _ in range(2):
        size = np.bincount(labels.ravel()) * voxel
        a, b, area = contact_areas(labels)
        parent = np.arange(len(size))
        best = np.zeros(len(size))
        for one, other, shared in zip(a, b, area, strict=True):
            for small, large in ((one, other), (other, one)):
                if (
                    0 < size[small] < CRUMB_ML
                    and size[small] < size[large]
                    and shared > best[small]
                ):
                    best[small], parent[small] = shared, large
        labels = _roots(parent, labels)
    kept = np.bincount(labels.ravel()) > 0
    kept[0] = False
    number = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return np.asarray(number[labels])


def contact_areas(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of labels that touch and how many voxel faces they share."""
    pairs = []
    for axis in range(3):
        a = labels[(slice(None),) * axis + (slice(None, -1),)]
        b = labels[(slice(None),) * axis + (slice(1, None),)]
        meet = (a != b) & (a > 0) & (b > 0)
        pairs.append(np.sort(np.stack([a[meet], b[meet]]), axis=0))
    both, counts = np.unique(np.concatenate(pairs, axis=1), axis=1, return_counts=True)
    return both[0], both[1], counts
