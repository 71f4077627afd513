"""Ribs, ilium and sacrum: what lies beside the vertebrae on the straightened scan.

A rib runs out to the side, a vertebra does not: a harmonic potential between the rib's shaft and
the vertebra's middle changes where bone conducts worst, in the dark joints at head and tubercle.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from guidegen.bones.levels import Walls
from guidegen.bones.network import Network
from guidegen.bones.straightened import (
    OUT_OF_VIEW_HU,
    STEP_MM,
    bone_voxels,
    millimetres,
    plane_at,
)

TRANSVERSE_TIP_MM = 41.0
"""Thoracic transverse processes end nearer to the canal than this (engineering choice)."""
RIB_SEED_MM = 56.0
"""Bone that runs from there to this far beside the canal, or out of view, is rib (engineering
choice)."""
MIDDLE_MM = 10.0
"""Rib heads end farther from the canal's middle than this (engineering choice)."""
ALA_SHARE = 0.5
"""Share of bone beside the canal, 24-40 mm out, that only the sacrum's ala has."""
ALA_DEEP_MM = 30.0
"""The ala's marrow, which may be darker than muscle, has bone within this in front and behind
(engineering choice)."""
GAS_HU = -250.0
"""Darker than any marrow: lung or bowel."""
MOST_SACRAL = 5
ILIUM_MM = 62.0
"""Bone this far beside the sacrum is ilium (engineering choice)."""
REACH_MM = 40.0
"""A rib's neck lies no farther up or down than this from its shaft (engineering choice)."""
STEEPER = 3
"""Rounds after which the potential falls in the joints alone (engineering choice)."""
LEAK = 1e-3
"""Conduction through a joint however dark, so that the potential is defined everywhere."""


def rib_voxels(
    seen: np.ndarray, bone: np.ndarray, conduct: np.ndarray, core: np.ndarray, walls: Walls
) -> np.ndarray:
    """Tell ribs and ilium from the vertebrae.

    Args:
        seen: (S, back, left) HU, below ``OUT_OF_VIEW_HU`` beyond the scan.
        bone: Same shape: voxels to be told apart.
        conduct: Same shape, 0 to 1: see ``conductance``.
        core: Same shape: finite where a voxel surely is vertebra.
        walls: Where the levels lie.

    Returns:
        Same shape, bool.
    """
    rib_core = _rib_cores(seen, bone, walls)
    tall = rib_core.any(axis=(1, 2))
    if not tall.any():
        return np.zeros_like(bone)
    _, back, left = millimetres(bone.shape)
    aside = np.abs(left)
    spine = (np.isfinite(core) | (bone & (aside < MIDDLE_MM))) & ~rib_core
    held = np.where(rib_core, 1.0, np.where(spine, 0.0, np.nan)).astype(np.float32)
    zone = bone & (aside > MIDDLE_MM - 2 * STEP_MM) & (back < 45)
    zone &= ndimage.binary_dilation(tall, iterations=round(REACH_MM / STEP_MM))[:, None, None]
    zone &= (aside < TRANSVERSE_TIP_MM + 2 * STEP_MM) | ~rib_core
    smooth = ndimage.gaussian_filter(np.maximum(seen, -1000.0), 0.7)
    markers = np.where(rib_core, 2, np.where(spine, 1, 0)).astype(np.int32)
    flooded = watershed(-smooth, markers, mask=bone) == 2
    network = Network(zone, conduct + LEAK)
    potential = network.solve(held, flooded.astype(np.float32), 2e-3)
    for _ in range(STEEPER):
        potential = network.steepened(potential).solve(held, potential, 2e-3)
    return np.where(zone & np.isfinite(potential), potential > 0.5, flooded)


def _rib_cores(seen: np.ndarray, bone: np.ndarray, walls: Walls) -> np.ndarray:
    """Voxels that are rib or ilium: beside the transverse tips, running far or out of view."""
    s, back, left = millimetres(bone.shape)
    n_sacral = count_sacral(ala_of_levels(seen, walls))
    sacral = s < (walls.foramina_s[n_sacral] if n_sacral else -np.inf)
    aside = (np.abs(left) > np.where(sacral, ILIUM_MM, TRANSVERSE_TIP_MM)) & (back < 45)
    goal = (np.abs(left) > RIB_SEED_MM) | ndimage.binary_dilation(seen < OUT_OF_VIEW_HU)
    return _reaching(bone & aside, goal)


def ala_of_levels(hu: np.ndarray, walls: Walls) -> np.ndarray:
    """(L,) share beside the canal, at pedicle height, of bone and of what bone holds inside.

    High in the sacrum only, however dark the ala's marrow.
    """
    _, back, left = millimetres(hu.shape)
    aside = np.abs(left)
    beside = ((aside > 24) & (aside < 40) & (back > -28) & (back < 6))[0]
    share = []
    for pedicle in walls.pedicles_s:
        rows = slice(plane_at(pedicle - 5), plane_at(pedicle + 5) + 1)
        slab = hu[rows]
        bone = bone_voxels(slab)
        solid = bone | (_between(bone) & (slab > GAS_HU))
        share.append(float(solid[:, beside].mean()) if len(slab) else 0.0)
    return np.array(share)


def _between(bone: np.ndarray) -> np.ndarray:
    """Voxels with bone within ``ALA_DEEP_MM`` both in front and behind."""
    n = round(ALA_DEEP_MM / STEP_MM)
    before = np.cumsum(bone, axis=1, dtype=np.int32)
    front = before - np.pad(before, [(0, 0), (n, 0), (0, 0)])[:, :-n]
    behind = np.pad(before, [(0, 0), (0, n), (0, 0)], mode="edge")[:, n:] - before
    return np.asarray((front > 0) & (behind > 0))


def count_sacral(ala: np.ndarray) -> int:
    """How many of the lowest levels are sacrum: up to the highest one that has the ala.

    The canal's frames turn away from the sacrum's lower end, so only its top is asked for.
    """
    has = np.flatnonzero(ala > ALA_SHARE)
    return int(has[-1]) + 1 if len(has) and has[-1] < MOST_SACRAL else 0


def _reaching(mask: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The components of a mask that reach the goal: rib shafts do, transverse tips do not."""
    pieces, _ = ndimage.label(mask)
    reached = np.unique(pieces[np.broadcast_to(goal, mask.shape) & mask])
    return np.asarray(np.isin(pieces, reached[reached > 0]))
