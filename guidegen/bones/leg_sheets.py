"""Thin cortex over fatty marrow: sheets that are brighter than fat, though darker than bone.

Where the joint's ends flare, cortex is thinner than a slice. Blurred, it is as dark as muscle, but
with fat on both sides it still shows as a bright sheet. The marrow behind it is what hangs
together with the bone without crossing a sheet, and sees bone or sheets nearly all round; fat
between the bone and a ligament, capsule or tendon lies on the other side of the bone's own sheet.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

SHEET_HU, RIDGE_HU, FAT_HU = 40.0, 45.0, 70.0
"""A sheet is brighter than fat, by so much brighter than both its sides, and by so much than the
darkest place near by (engineering choice, from cortex in slices 3.3 mm thick)."""
WINDOW = 5
"""Voxels (6 mm): thicker layers are muscle."""
REACH_MM = 14.0
"""Sheets so near to a bone may be its own: condyles' fatty edges reach 10 mm (engineering
choice)."""
ROUNDS = 2
THICK = 2
"""Voxels of a sheet that belong to the bone behind which it lies."""

LEAST = 50
"""Fewer voxels of sheets (87 mm3) hide no marrow."""

Seen = Callable[[np.ndarray], np.ndarray]


def sheets(hu: np.ndarray) -> np.ndarray:
    """(K, J, I) bool: thin layers brighter than fat on both sides."""
    smooth = ndimage.gaussian_filter(hu.astype(np.float32), 0.45)
    found = smooth > SHEET_HU
    found &= smooth - ndimage.grey_opening(smooth, size=WINDOW) > RIDGE_HU
    return np.asarray(found & (smooth - ndimage.minimum_filter(smooth, size=WINDOW) > FAT_HU))


def with_fatty_edges(
    solid: np.ndarray, sheet: np.ndarray, free: np.ndarray, enclosed: Seen
) -> np.ndarray:
    """Add the marrow behind a bone's thin cortex, and that cortex.

    Args:
        solid: (K, J, I) bool: the bone so far.
        sheet: Sheets that may be its own.
        free: What may become bone.
        enclosed: Tells of walls (K, J, I) which voxels they surround.
    """
    for _ in range(ROUNDS):
        bodies, n = ndimage.label(solid | sheet, structure=np.ones((3, 3, 3)))
        own = np.zeros(n + 1, dtype=bool)
        own[bodies[solid]] = True
        thin = sheet & own[bodies] & ~solid
        if thin.sum() < LEAST:
            break
        room = enclosed(solid | thin) & free & ~thin & ~solid
        start = ndimage.binary_dilation(solid) & room
        if not start.any():
            break
        marrow = ndimage.binary_propagation(start, mask=room)
        cortex = ndimage.binary_dilation(marrow, iterations=THICK, mask=thin | marrow)
        solid = solid | marrow | cortex
    return solid
