"""Whether each body came out whole: osteoporotic shells leak, and what leaked must not pass."""

from __future__ import annotations

import numpy as np

from guidegen.bones.levels import Walls
from guidegen.bones.separation import body_rows, level_heights
from guidegen.bones.straightened import STEP_MM, millimetres

DENTED_SHARE = 0.22
"""More of a body than this between its own front and back, or its top and bottom, is not in it:
endplates are missing. Up to 0.17 in phantoms and CTs, fractured ones too, 0.19 to 0.6 in CTs whose
marrow leaked (engineering choice: dents of fractured endplates pass)."""
HOLLOW_SHARE = 0.03
"""More than this between front and back and top and bottom is not in it: a shell. Up to 0.01 in
phantoms and CTs (engineering choice)."""
FILLED_SHARE = 0.85
"""A body holds more of any plane through its middle, from its front to its back: 0.94 and more in
phantoms and CTs (engineering choice)."""
SHALLOWEST_MM = 8.0
"""No body is shallower: what is has lost a wall (engineering choice)."""
COLUMN_SHARE = 0.45
"""Bodies fill more of the way from the middle of one to the middle of the next: 0.51 and more in
phantoms, fractured ones too, and CTs (engineering choice)."""


def hollow_levels(labels: np.ndarray, walls: Walls) -> np.ndarray:
    """(L,) bool: the level's body is not filled, so its shell leaks or has lost a wall.

    Args:
        labels: (S, back, left) solid vertebrae, see ``Straight``.
        walls: Their levels.
    """
    s, back, left = millimetres(labels.shape)
    trunk = np.ix_(
        np.ones(len(s), dtype=bool),
        ((back > -46) & (back < -6)).ravel(),
        (np.abs(left) < 8).ravel(),
    )
    bodies = labels[trunk]
    heights = level_heights(walls)[:-1]
    hollow = [_is_hollow(bodies == n + 1, s, *height) for n, height in enumerate(heights)]
    middles = [body_rows(s, *height) for height in heights]
    for n in range(len(heights) - 1):
        if _parted(bodies, middles[n], middles[n + 1], n):
            hollow[n] = hollow[n + 1] = True
    return np.array(hollow)


def _is_hollow(own: np.ndarray, s: np.ndarray, pedicle: float, tall: float) -> bool:
    """Whether a body is a shell, lengthwise or from front to back."""
    body = own[body_rows(s, pedicle, tall, 0.5)]
    along, deep = _between(body, 0), _between(body, 1)
    middle = own[body_rows(s, pedicle, tall)]
    depth = _between(middle, 1).sum(axis=1).mean(axis=1)
    filled = middle.sum(axis=1).mean(axis=1)
    return bool(
        (along | deep)[~body].sum() > DENTED_SHARE * (along | deep).sum()
        or (along & deep)[~body].sum() > HOLLOW_SHARE * (along & deep).sum()
        or (filled < FILLED_SHARE * depth).any()
        or (depth < SHALLOWEST_MM / STEP_MM).any()
    )


def _parted(bodies: np.ndarray, lower: np.ndarray, upper: np.ndarray, n: int) -> bool:
    """Whether more than a disc is missing between the middles of levels n and n + 1."""
    rows = slice(int(np.flatnonzero(lower).mean()), int(np.flatnonzero(upper).mean()) + 1)
    columns = (bodies[lower] == n + 1).any(axis=0) & (bodies[upper] == n + 2).any(axis=0)
    if not columns.any():
        return True
    between = bodies[rows][:, columns]
    return bool(np.median(((between == n + 1) | (between == n + 2)).mean(axis=0)) < COLUMN_SHARE)


def _between(own: np.ndarray, axis: int) -> np.ndarray:
    """From the first to the last voxel of each line along an axis."""
    before = np.logical_or.accumulate(own, axis=axis)
    behind = np.flip(np.logical_or.accumulate(np.flip(own, axis), axis=axis), axis)
    return np.asarray(before & behind)
