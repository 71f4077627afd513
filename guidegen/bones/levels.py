"""Levels from the canal's side walls: pedicles are bright, foramina are dark, fused or not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage, signal

from guidegen.bones.straight import CanalFrames, frames_along, unrolled
from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats
from guidegen.model.volume import CTVolume

ANGLES_DEG = np.arange(-180.0, 180.0, 4.0)
RADII_MM = np.arange(6.0, 21.0, 1.0)
SMALLEST_SPACING_MM, LARGEST_SPACING_MM = 11.0, 46.0
"""Between foramina: 16 mm (T1/2) to 38 mm (lumbar) with margin for small and tall patients."""


@dataclass(frozen=True, eq=False)
class Walls:
    """What was read off the canal's walls, arc length in mm from the lowest frame.

    Args:
        frames: One a millimetre, turned so that the back is the vertebrae's own back.
        pedicles_s: (L,) height of each level's pedicles.
        foramina_s: (L + 1,) height of the foramina under, between and over them; the first
            and the last may be the end of the canal in view.
        open_below: True if a real foramen closes the lowest level; the same for the highest.
        open_above: See ``open_below``.
        profile: (S,) brightness of both side walls, HU.
    """

    frames: CanalFrames
    pedicles_s: Floats
    foramina_s: Floats
    open_below: bool
    open_above: bool
    profile: Floats


def read_walls(volume: CTVolume, line_mm: Floats) -> Walls:
    """Centre and turn the frames, then find pedicles and foramina.

    Raises:
        AnatomyError: No pedicle level can be told.
    """
    frames = _centred(volume, frames_along(line_mm))
    walls = np.clip(unrolled(volume, frames, RADII_MM, ANGLES_DEG), -200, 1000).mean(axis=2)
    turn = _turn(walls)
    frames = frames.turned(turn)
    walls = np.clip(unrolled(volume, frames, RADII_MM, ANGLES_DEG), -200, 1000).mean(axis=2)
    profile = _side_profile(walls)
    foramina = _foramina(profile)
    return _levels(frames, profile, foramina)


def _centred(volume: CTVolume, frames: CanalFrames) -> CanalFrames:
    """Move each frame to the middle of the canal's lumen, smoothly."""
    angles, radii = np.arange(-180.0, 180.0, 15.0), np.arange(1.0, 16.0, 0.5)
    rays = unrolled(volume, frames, radii, angles)
    hit = rays > 220
    reach = np.where(hit.any(axis=2), radii[hit.argmax(axis=2)], 13.0)
    ray = np.column_stack([np.sin(np.deg2rad(angles)), -np.cos(np.deg2rad(angles))])
    shift = 2 * (reach[:, :, None] * ray).mean(axis=1)
    shift = ndimage.gaussian_filter1d(
        ndimage.median_filter(shift, (15, 1), mode="nearest"), 8, axis=0, mode="nearest"
    )
    centres = (
        frames.centres_mm
        + 0.7 * shift[:, :1] * frames.axes[:, :, 0]
        + 0.7 * shift[:, 1:] * frames.axes[:, :, 1]
    )
    return frames_along(centres, smooth_mm=6.0)


def _turn(walls: np.ndarray) -> Floats:
    """The turn (deg) about the canal that makes each height's walls most symmetric, smoothed."""
    step = float(ANGLES_DEG[1] - ANGLES_DEG[0])
    n = walls.shape[1]
    turns = np.arange(-44.0, 44.1, step)
    zero = n // 2
    offsets = np.arange(1, n // 2)
    cost = np.empty((len(walls), len(turns)))
    for t, turn in enumerate(turns):
        middle = zero + round(turn / step)
        a, b = walls[:, (middle + offsets) % n], walls[:, (middle - offsets) % n]
        cost[:, t] = np.abs(a - b).mean(axis=1) + 0.004 * turn**2
    cost = ndimage.gaussian_filter1d(cost, 14.0, axis=0, mode="nearest")
    best = turns[cost.argmin(axis=1)]
    return np.asarray(ndimage.gaussian_filter1d(best, 12.0, mode="nearest"))


def _side_profile(walls: np.ndarray) -> Floats:
    """Mean of the left and right wall where pedicles stand."""
    left = (ANGLES_DEG >= 52) & (ANGLES_DEG <= 96)
    right = (ANGLES_DEG <= -52) & (ANGLES_DEG >= -96)
    both = (walls[:, left].mean(axis=1) + walls[:, right].mean(axis=1)) / 2
    return np.asarray(ndimage.gaussian_filter1d(both, 2.5, mode="nearest"), dtype=np.float64)


def _foramina(profile: Floats) -> Floats:
    """Choose the minima that repeat like levels do, by dynamic programming over pairs."""
    lows, _ = signal.find_peaks(-profile, prominence=4)
    wall = ndimage.maximum_filter1d(profile, 41, mode="nearest")
    lows = lows[wall[lows] - profile[lows] > 40]
    if len(lows) < 2:
        return np.asarray(lows, dtype=np.float64)
    depth = np.minimum((wall[lows] - profile[lows]) / 150, 1.5)
    n = len(lows)
    gap = lows[None, :] - lows[:, None]
    fits = (gap >= SMALLEST_SPACING_MM) & (gap <= LARGEST_SPACING_MM)
    best = np.full((n, n), -np.inf)
    came = np.full((n, n), -1)
    for b in range(n):
        for a in range(b):
            if not fits[a, b]:
                continue
            best[a, b] = depth[a] + depth[b]
            for z in range(a):
                if np.isfinite(best[z, a]):
                    uneven = abs(np.log(gap[a, b] / gap[z, a]))
                    value = best[z, a] + depth[b] - 2.0 * max(uneven - 0.1, 0.0)
                    if value > best[a, b]:
                        best[a, b], came[a, b] = value, z
    if not np.isfinite(best).any():
        return np.asarray(lows[[int(depth.argmax())]], dtype=np.float64)
    a, b = divmod(int(best.argmax()), n)
    chain = [b]
    while a >= 0:
        chain.append(a)
        a, b = int(came[a, b]), a
    return np.asarray(lows[chain[::-1]], dtype=np.float64)


def _levels(frames: CanalFrames, profile: Floats, foramina: Floats) -> Walls:
    """Put a pedicle between each two foramina, and at the ends where one is still in view."""
    limits = list(foramina)
    last = float(len(profile) - 1)
    typical = float(np.median(np.diff(limits))) if len(limits) > 1 else 26.0
    threshold = float(np.median(profile))
    below = not limits or (
        limits[0] > 0.3 * typical and profile[: int(limits[0])].max() > threshold
    )
    above = not limits or (
        last - limits[-1] > 0.3 * typical and profile[int(limits[-1]) :].max() > threshold
    )
    if below:
        limits.insert(0, 0.0)
    if above and limits[-1] < last:
        limits.append(last)
    if len(limits) < 2:
        raise AnatomyError(
            "vertebrae were wanted, but no pedicle can be told along the canal; "
            "check that whole vertebrae are in view"
        )
    pedicles = [_middle(profile, a, b) for a, b in pairwise(limits)]
    return Walls(frames, np.array(pedicles), np.array(limits), not below, not above, profile)


def _middle(profile: Floats, low: float, high: float) -> float:
    """Brightness-weighted middle of the pedicle between two foramina."""
    s = np.arange(int(low), int(high) + 1)
    part = profile[s]
    weight = np.maximum(part - (part.min() + part.max()) / 2, 0) + 1e-6
    middle = float((weight * s).sum() / weight.sum())
    return float(np.clip(middle, low + 1, high - 1))
