"""Tell touching vertebrae apart on the straightened scan.

Vertebrae stand in a row, so one harmonic potential (the random walker's) that is held at ``n`` in
the n-th vertebra's core separates all of them at once: between neighbours it passes through
``n + 1/2`` where bone conducts worst, at the narrowest and darkest place of the contact. Where
bone is fused without any trace of a joint, the cut falls half-way between the cores.

References:
    Grady L (2006) Random walks for image segmentation. IEEE TPAMI 28:1768,
    doi:10.1109/TPAMI.2006.233.
"""

from __future__ import annotations

import numpy as np

from guidegen.bones.levels import Walls
from guidegen.bones.marrow import marrow
from guidegen.bones.network import Network, conductance
from guidegen.bones.ribs import rib_voxels
from guidegen.bones.straightened import (
    LEFT_MM,
    STEP_MM,
    Straight,
    bone_voxels,
    doubled,
    halved,
    millimetres,
    straightened_scan,
)
from guidegen.model.volume import CTVolume
from guidegen.workers import together

LEAK = 1e-4
"""Conduction through a joint however dark, so that the potential is defined everywhere."""


def separate(volume: CTVolume, walls: Walls) -> Straight:
    """Take ribs and ilium off, then solve the vertebrae's potential on what is left."""
    seen = straightened_scan(volume, walls.frames)
    hu = np.maximum(seen, -1000.0)

    def solid() -> np.ndarray:
        bone = bone_voxels(hu)
        return np.asarray(bone | marrow(bone, seen, _body_middles(bone.shape, walls)))

    bone, conduct = together(solid, lambda: conductance(hu))
    core = _cores(bone, walls)
    rib = rib_voxels(seen, bone, conduct, core, walls)
    free = bone & ~rib
    conduct += LEAK
    guess = _coarse_potential(free, conduct, core, _nearest_level(hu.shape, walls))
    potential = Network(free, conduct).solve(core, guess)
    labels = np.where(np.isfinite(potential), np.rint(potential) + 1, 0).astype(np.int16)
    labels[rib] = -1
    return Straight(walls.frames, hu, labels)


def _cores(bone: np.ndarray, walls: Walls) -> np.ndarray:
    """Level index where a voxel surely belongs to that level, else NaN."""
    s, back, left = millimetres(bone.shape)
    core = np.full(bone.shape, np.nan, dtype=np.float32)
    beside = _side_walls(bone)
    heights = level_heights(walls)
    trunk = (back < -9) & (back > -30) & (np.abs(left) < 9)
    beside &= (back < -2) & (back > -14)
    for n, (pedicle, tall) in enumerate(heights[:-1]):
        rows = body_rows(s, pedicle, tall)
        core[rows] = np.where(trunk & bone[rows], n, core[rows])
        rows = np.abs(s.ravel() - pedicle) < 3.2
        core[rows] = np.where(beside[rows], n, core[rows])
    arch = _arch_wall(bone, back, left)
    for n, (top, tall) in enumerate(heights):
        rows = (s.ravel() < top - 0.30 * tall) & (s.ravel() > top - 0.48 * tall)
        core[rows] = np.where(arch[rows], n, core[rows])
    return core


def _body_middles(shape: tuple[int, ...], walls: Walls) -> np.ndarray:
    """(S, back, left) level index + 1 in the middle of its body, 0 elsewhere."""
    s, back, left = millimetres(shape)
    middle = (back < -9) & (back > -18) & (np.abs(left) < 7)
    out = np.zeros(shape, dtype=np.int16)
    for n, (pedicle, tall) in enumerate(level_heights(walls)[:-1]):
        out[body_rows(s, pedicle, tall)] = np.where(middle, n + 1, 0)
    return out


def body_rows(s: np.ndarray, pedicle: float, tall: float, share: float = 0.16) -> np.ndarray:
    """(S,) bool: planes of a level's body, up to ``share`` of its height from its middle."""
    return np.asarray(np.abs(s.ravel() - (pedicle - 0.12 * tall)) < share * tall)


def level_heights(walls: Walls) -> list[tuple[float, float]]:
    """Pedicle height and spacing of each level, and of the one that would follow above."""
    tall = np.diff(walls.foramina_s)
    typical = float(np.median(tall))
    heights = [
        (float(s), max(float(t), 0.7 * typical))
        for s, t in zip(walls.pedicles_s, tall, strict=True)
    ]
    return [*heights, (heights[-1][0] + heights[-1][1], heights[-1][1])]


def _side_walls(bone: np.ndarray) -> np.ndarray:
    """The first 4 mm of bone beside the canal, up to its first gap: pedicle, not rib or facet."""
    middle = round(LEFT_MM / STEP_MM)
    reach, near = int(20 / STEP_MM), int(4 / STEP_MM)
    out = np.zeros_like(bone)
    for side in (slice(middle, middle + reach), slice(middle, middle - reach, -1)):
        wall = bone[:, :, side]
        met = np.maximum.accumulate(wall, axis=2)
        gap = np.cumsum(met & ~wall, axis=2) > 0
        out[:, :, side] |= wall & ~gap & (np.cumsum(met, axis=2) <= near)
    return out


def _arch_wall(bone: np.ndarray, back: np.ndarray, left: np.ndarray) -> np.ndarray:
    """The first 4 mm of bone behind the canal, near the middle: lamina, not the level above."""
    behind = bone & (back > 3) & (back < 24) & (np.abs(left) < 6)
    met = np.maximum.accumulate(behind, axis=1)
    return np.asarray(behind & (np.cumsum(met, axis=1) <= 4 / STEP_MM))


def _coarse_potential(
    bone: np.ndarray, conduct: np.ndarray, core: np.ndarray, guess: np.ndarray
) -> np.ndarray:
    """First guess for the fine network: the potential solved at twice the step."""
    core_or_none = halved(np.where(np.isfinite(core), core, -1), np.maximum)
    fixed = np.where(core_or_none >= 0, core_or_none, np.nan)
    coarse = halved(bone, np.maximum)
    network = Network(coarse, halved(np.where(bone, conduct, 0), np.maximum))
    fine = doubled(network.solve(fixed, halved(guess, np.maximum)), bone.shape)
    return np.where(np.isfinite(fine), fine, guess)


def _nearest_level(shape: tuple[int, ...], walls: Walls) -> np.ndarray:
    """First guess of the potential: the level index at each height."""
    s = millimetres(shape)[0].ravel()
    levels = np.arange(len(walls.pedicles_s))
    guess = np.interp(s, walls.pedicles_s, levels) if len(levels) > 1 else np.zeros(len(s))
    return np.broadcast_to(guess[:, None, None], shape)
