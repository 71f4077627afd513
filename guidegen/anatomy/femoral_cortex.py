"""The front of the femur's shaft above the trochlea, which an anterior cut must not notch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from guidegen.anatomy.condyles import Condyles
from guidegen.anatomy.long_bone import Faces
from guidegen.model.arrays import Floats

_FROM_SHARE, _TO_SHARE = 0.55, 0.9
"""Between these shares of the knee's width above the knee's centre (engineering choice: on four
femora the front falls back above the trochlea until 0.5 of it, and hardly changes from there)."""
_LEAST_MM = 8.0
"""Less of it in view is none."""
_CAP_MM = 0.5
_MIDDLE_SHARE = 0.3
_POINT_MM = 4.0
"""The point is looked for in so much of its lower end: higher up a straight shaft stands as far to
the front everywhere, and the foremost place would be chance."""


@dataclass(frozen=True, eq=False)
class FrontCortex:
    """The reference for the anterior cut.

    Args:
        point: (3,) where it stands farthest to the front, at its lower end.
        from_mm: The cortex begins so far above the knee's centre, along the bone's axis.
        to_mm: It is looked at up to here.
        spread_mm: How far the front's foremost line leaves a straight one, standard deviation.
    """

    point: Floats
    from_mm: float
    to_mm: float
    spread_mm: float


def find_front_cortex(faces: Faces, found: Condyles) -> FrontCortex | None:
    """Find the most anterior point of the shaft just above the trochlea; None if out of view.

    Args:
        faces: The femur, distal end in view.
        found: Its axes, notch and epicondyles.
    """
    width = float(np.linalg.norm(found.epicondyles[0] - found.epicondyles[1]))
    local = (faces.vertices - found.notch) @ found.axes.matrix
    low, high = _FROM_SHARE * width, _TO_SHARE * width
    high = min(high, float(local[:, 2].max()))
    if high - low < _LEAST_MM:
        return None
    at = (local[:, 2] > low) & (local[:, 2] < high)
    aside = np.abs(local[:, 0] - np.median(local[at][:, 0])) < _MIDDLE_SHARE * width
    own = local[at & aside]
    lowest = own[own[:, 2] < low + _POINT_MM]
    front = float(lowest[:, 1].min())
    cap = lowest[lowest[:, 1] < front + _CAP_MM]
    place = np.array([cap[:, 0].mean(), front, low + _POINT_MM / 2])
    return FrontCortex(found.notch + found.axes.matrix @ place, low, high, _unevenness(own))


def _unevenness(points: Floats) -> float:
    """Spread (mm) of the foremost points by height about a straight line."""
    edges = np.linspace(points[:, 2].min(), points[:, 2].max(), 9)
    slices = [points[(points[:, 2] >= a) & (points[:, 2] <= b)] for a, b in pairwise(edges)]
    foremost = [(s[:, 2].mean(), s[:, 1].min()) for s in slices if len(s)]
    if len(foremost) < 3:
        return 1.0
    height, front = np.array(foremost).T
    off = front - np.polyval(np.polyfit(height, front, 1), height)
    return max(float(off.std()), 0.3)
