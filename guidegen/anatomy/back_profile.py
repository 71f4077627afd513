"""Grey values along lines that run outwards through the skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.anatomy.back_view import Mask, Values
from guidegen.model.arrays import Floats, Ints

SOLID_HU = -400.0
"""Half-way between air and skin or fat."""
SKIN_MM = 3.0
"""The skin's densest layer lies within this of its surface."""
_FAT_HU = -150.0
"""No tissue of the back is below this once noise is averaged (fat: about -110)."""
_LOOSE_HU = -550.0
"""A sheet looser than this moves the half-level too little to look for it."""
_SHOULDER = 0.5
"""A fall that slows to this share of its steepest has ended: what follows is another layer."""
_DIP_HU = 40.0
"""A rise by this much behind a fall is another layer; several times the averaged noise."""
_CHEST_WALL_MM = 7.0
"""Gas deeper than this under the skin is lung or bowel, shallower a gap under a sheet."""


@dataclass(frozen=True, eq=False)
class Falls:
    """Where profiles fall from the skin to what is behind it.

    Args:
        skin_mm: (N,) half-way down; NaN where a profile has no clear fall.
        top: (N,) index of the highest value under the fall.
        stop: (N,) index where the fall has ended.
    """

    skin_mm: Floats
    top: Ints
    stop: Ints


def first_fall(profiles: Values, t_mm: Floats, ends_mm: Floats) -> Falls:
    """Find where profiles that run outwards first fall from tissue to a gap or to air.

    Tissue is followed outwards to its first value below fat. The fall ends where the profile
    rises again or slows down (a sheet or cover lies behind), else in the air. The skin is half-way
    between the highest value under the fall and the value that it falls to.

    Args:
        profiles: (N, T) HU.
        t_mm: (T,) places, evenly spaced.
        ends_mm: (N,) where each roughly ends.
    """
    n = np.arange(profiles.shape[1])
    deep = t_mm < ends_mm[:, None] - _CHEST_WALL_MM
    gas = (profiles < SOLID_HU) & deep
    start = np.where(gas.any(axis=1), len(n) - gas[:, ::-1].argmax(axis=1), 0)
    tissue = (profiles > _FAT_HU) & (n >= start[:, None])
    low = np.maximum.accumulate(tissue, axis=1) & (profiles < _FAT_HU)
    fall = low.argmax(axis=1)
    back = round(SKIN_MM / (t_mm[1] - t_mm[0]))
    under = (n >= np.maximum(fall - back, start)[:, None]) & (n <= fall[:, None])
    skin = np.where(under, profiles, -np.inf)
    rows, top = np.arange(len(profiles)), skin.argmax(axis=1)
    ended = _fall_ended(profiles, fall, top)
    stop = np.where(ended.any(axis=1), ended.argmax(axis=1), len(n) - 1)
    behind = np.where(n >= fall[:, None], profiles, np.inf)
    floor = np.minimum.accumulate(behind, axis=1)[rows, stop]
    crossed = crossing(-profiles, t_mm, -(skin[rows, top] + floor) / 2, top)
    clear = low.any(axis=1) & (ended.any(axis=1) | (floor < SOLID_HU))
    return Falls(np.where(clear, crossed, np.nan), top, stop)


def _fall_ended(profiles: Values, fall: Ints, top: Ints) -> Mask:
    """(N, T): places at or behind each profile's fall where it rises again or slows down."""
    n = np.arange(profiles.shape[1])
    behind = n >= fall[:, None]
    drop = -np.diff(profiles, axis=1, append=profiles[:, -1:])
    steepest = np.maximum.accumulate(np.where(n >= top[:, None], drop, 0.0), axis=1)
    slow = behind & (drop < _SHOULDER * steepest) & (profiles > _LOOSE_HU) & (n < n[-1])
    lowest = np.minimum.accumulate(np.where(behind, profiles, np.inf), axis=1)
    return np.asarray(slow | (behind & (profiles > lowest + _DIP_HU)))


def crossing(values: Values, t_mm: Floats, level: Floats, start: Ints) -> Floats:
    """Find where values first rise through a level, at or behind an index.

    Args:
        values: (N, T).
        t_mm: (T,) places, evenly spaced.
        level: (N,).
        start: (N,) indices from which to look.

    Returns:
        (N,) mm, linear between the places; NaN where a profile does not rise through it.
    """
    over = (values > level[:, None]) & (np.arange(values.shape[1]) > start[:, None])
    at = np.maximum(over.argmax(axis=1), 1)
    rows = np.arange(len(values))
    a, b = values[rows, at - 1], values[rows, at]
    share = np.clip((level - a) / np.where(b > a, b - a, 1.0), 0.0, 1.0)
    found = t_mm[at - 1] + share * (t_mm[1] - t_mm[0])
    return np.where(over.any(axis=1), found, np.nan)
