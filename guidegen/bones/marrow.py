"""The marrow inside the bones, however dark, and where its shell has holes.

Osteoporotic marrow is as dark as discs and muscle, and the cortex round it is faint and has pores.
What bone shuts in is marrow. Where a body's shell leaks, a harmonic potential between the body's
middle and what surely lies outside tells its marrow apart: it drops in pores and in faint cortex.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from guidegen.bones.network import Network
from guidegen.bones.straightened import OUT_OF_VIEW_HU, STEP_MM, doubled, halved, millimetres

EDGE_STEPS = 3
"""So many voxels from the end of the scan cortex is blurred away."""
ZONE_LEFT_MM = 34.0
"""No body reaches farther beside the canal, rib heads left out (engineering choice)."""
ZONE_BACK_MM = 8.0
"""Behind this, nothing is a body's."""
REACH_MM = 24.0
"""A body's ends lie nearer to the middle third of its height (engineering choice)."""
NOT_HELD = 2.0
CANAL_MM = 5.0
"""Soft voxels this near to the canal's centreline are outside (engineering choice)."""
RIDGE_HU = 25.0
"""A ridge this much brighter than both its sides lowers conduction to exp(-1): faint cortex
(engineering choice: 2 to 3 times the noise after smoothing)."""
LEAKING_SHARE = 0.05
"""A body leaks if more of its middle is open to the outside (engineering choice)."""
LEAK = 1e-3
"""Conduction through a wall however bright, so that the potential is defined everywhere."""


def marrow(bone: np.ndarray, seen: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """What is shut in by bone, or by bone and the end of the scan, and what leaks out of bodies.

    Args:
        bone: (S, back, left) bool.
        seen: Same shape, HU, below ``OUT_OF_VIEW_HU`` beyond the scan.
        middles: Same shape, int: level index + 1 in the middle of its body, 0 elsewhere.

    Returns:
        Same shape, bool, False on bone.
    """
    free = ~bone & ~ndimage.binary_dilation(seen < OUT_OF_VIEW_HU, iterations=EDGE_STEPS)
    outside = _outside(free)
    size = np.bincount(middles.ravel())
    leaking = np.bincount(middles[outside], minlength=len(size)) > LEAKING_SHARE * size
    leaking[0] = False
    if leaking.any():
        outside &= ~_leaked(free, seen, outside & leaking[middles])
    return np.asarray(free & ~outside)


def _outside(soft: np.ndarray) -> np.ndarray:
    """The largest space, and those that lead out at the sides of the grid."""
    pieces, n = ndimage.label(soft)
    sizes = np.bincount(pieces.ravel(), minlength=n + 1)
    is_open = np.zeros(n + 1, dtype=bool)
    is_open[int(sizes[1:].argmax()) + 1 if n else 0] = True
    for axis in (1, 2):
        is_open[np.take(pieces, [0, -1], axis=axis)] = True
    is_open[0] = False
    return np.asarray(is_open[pieces])


def _leaked(free: np.ndarray, seen: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Marrow that is open to the outside: (S, back, left) bool."""
    _, back, left = millimetres(free.shape)
    zone = _zone(inside, back, left)
    smooth = ndimage.gaussian_filter(np.maximum(seen[zone], -1000.0), 0.7)
    ridge = smooth - ndimage.grey_opening(smooth, size=5)
    conduct = np.exp(-((ridge / RIDGE_HU) ** 2)) + np.float32(LEAK)
    soft = free[zone]
    away = np.hypot(back[:, zone[1]], left[:, :, zone[2]]) < CANAL_MM
    held = np.where(inside[zone], 1, np.where(away & soft, 0, NOT_HELD)).astype(np.float32)
    held[:, :2] = held[:, :, :2] = held[:, :, -2:] = 0.0
    fixed = halved(held, np.minimum)
    fixed[fixed == NOT_HELD] = np.nan
    network = Network(halved(soft, np.minimum), halved(conduct, np.minimum))
    potential = doubled(network.solve(fixed, np.zeros(fixed.shape), 1e-3), soft.shape)
    out = np.zeros_like(free)
    out[zone] = _shared(smooth, soft, potential)
    return out


def _zone(inside: np.ndarray, back: np.ndarray, left: np.ndarray) -> tuple[slice, ...]:
    """The bodies round what is surely inside."""
    rows = np.flatnonzero(inside.any(axis=(1, 2)))
    reach = round(REACH_MM / STEP_MM)
    aside = np.flatnonzero(np.abs(left) <= ZONE_LEFT_MM)
    return (
        slice(max(rows[0] - reach, 0), rows[-1] + reach + 1),
        slice(0, int((back < ZONE_BACK_MM).sum())),
        slice(aside[0], aside[-1] + 1),
    )


def _shared(hu: np.ndarray, soft: np.ndarray, potential: np.ndarray) -> np.ndarray:
    """Soft voxels with a potential over a half, and those beside bone that are nearer to these."""
    undecided = soft & ~np.isfinite(potential)
    markers = np.where(soft & ~undecided, np.where(potential > 0.5, 2, 1), 0).astype(np.int32)
    narrow = soft & ndimage.binary_dilation(undecided)
    return np.asarray((markers == 2) | (watershed(hu, markers * narrow, mask=narrow) == 2))
