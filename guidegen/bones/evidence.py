"""Whether the levels found can be counted: none missed, none twice, and a sacrum that is one."""

from __future__ import annotations

import numpy as np

from guidegen.bones.levels import Walls
from guidegen.bones.ribs import count_sacral

TALLEST, LOWEST = 1.6, 0.55
"""A level's height between its foramina, as a share of its whole neighbours'. In phantoms and
CTs, fractured ones among them, it is 0.8 to 1.3; where a level is missed it is 2, where one is
counted twice a half (engineering choice between)."""
SACRAL_CANAL_MM = 130.0
"""No sacral canal is longer below the pedicles of S1 (engineering choice)."""
DOUBTFUL_ALA = 0.45
"""The level above the sacrum has less bone beside the canal (0.34 to 0.42 in phantoms and a CT);
with more it may be the sacrum's top, or a transitional vertebra (engineering choice)."""


def odd_level(walls: Walls, n_sacral: int) -> int | None:
    """Index of a level beside which one may be missed, or that may be counted twice.

    Args:
        walls: Levels along the canal, from foot to head.
        n_sacral: How many of the lowest are sacrum; these are not looked at.

    Returns:
        None if all levels are about as tall as their neighbours, and the canal is covered.
    """
    tall = np.diff(walls.foramina_s)
    whole = np.arange(len(tall)) >= n_sacral
    whole[0] &= walls.open_below
    whole[-1] &= walls.open_above
    for n in range(n_sacral, len(tall)):
        beside = [float(tall[m]) for m in (n - 1, n + 1) if 0 <= m < len(tall) and whole[m]]
        if not beside:
            continue
        share = float(tall[n]) / float(np.mean(beside))
        if share > TALLEST or (whole[n] and share < LOWEST):
            return n
    return _beside_uncovered(walls, n_sacral)


def _beside_uncovered(walls: Walls, n_sacral: int) -> int | None:
    """The first or last level, if the canal beyond it is long enough for another one."""
    tall = np.diff(walls.foramina_s)
    room = TALLEST * float(np.median(tall[n_sacral:])) if n_sacral < len(tall) else np.inf
    if n_sacral == 0 and walls.foramina_s[0] > room:
        return 0
    if len(walls.profile) - 1 - walls.foramina_s[-1] > room:
        return len(tall) - 1
    return None


def sacrum_stands(ala: np.ndarray, walls: Walls) -> bool:
    """Whether the sacral levels are the sacrum beyond doubt, so that they can be counted from.

    Args:
        ala: See ``ribs.ala_of_levels``.
        walls: Levels along the canal.
    """
    n_sacral = count_sacral(ala)
    if not 0 < n_sacral < len(ala):
        return False
    short_enough = walls.pedicles_s[n_sacral - 1] <= SACRAL_CANAL_MM
    return bool(short_enough and ala[n_sacral] < DOUBTFUL_ALA)
