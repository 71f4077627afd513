"""How near the midline a straight path through one pedicle comes, on the phantom's own surface.

The truth of one-sided punctures: independent of the planner, found on a grid of paths.
"""

from __future__ import annotations

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.phantoms.corridor import AxisLimits, search_of
from guidegen.phantoms.spine import Scene

DEEP_SHARE = 0.75
"""How deep the tip lies: share of the body's depth from its back, so in its front third."""
_ACROSS_MM = np.arange(-6.0, 6.1, 1.0)
_UP_MM = (-3.0, 0.0, 3.0)
_AXIAL_DEG = np.arange(-10.0, 45.1, 1.0)


def midline_reach(scene: Scene, level: str, side: str, needle_mm: float) -> float:
    """Find how near the midline a needle's tip can come with bone all round the needle.

    Args:
        scene: The phantom's bones.
        level: ``L3``.
        side: The pedicle it goes through.
        needle_mm: The needle's diameter; no bone wall is asked for beyond it.

    Returns:
        Distance of the tip from the midline, mm, at ``DEEP_SHARE`` of the body's depth; 0 if it
        can be reached, infinite if no such path keeps inside the bone.
    """
    search = search_of(scene, level, side, AxisLimits((-90.0, 90.0), depth_share=DEEP_SHARE))

    def tip_mm(x: Floats) -> float | None:
        span = search.span(x)
        if span is None:
            return None
        point, way = search.line(x)
        free = search.wall(point, way, *span)
        beside = search.sign * float((point + span[1] * way)[0])
        return beside if free >= needle_mm / 2 else None

    paths = ((a, u, d) for a in _ACROSS_MM for u in _UP_MM for d in _AXIAL_DEG)
    tips = (tip_mm(np.array([search.sign * a, u, d, 0.0])) for a, u, d in paths)
    return max(min((tip for tip in tips if tip is not None), default=np.inf), 0.0)
