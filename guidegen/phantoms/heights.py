"""The true heights of vertebral bodies, from the definition in closed form.

As everywhere in this project: the distance of the two endplates along the vertebra's own z, in the
mid-sagittal band |x| <= 3 mm (median), at 6, 50 and 94 % of the body's depth between its front
and its back wall at mid-height.
"""

from __future__ import annotations

import numpy as np

from guidegen.phantoms.definition import Definition
from guidegen.phantoms.fracture import dent_depth
from guidegen.phantoms.spine import build_scene
from guidegen.phantoms.vertebra import CANAL_EDGE_MM, CANAL_INTO_BODY_MM, Vertebra

NAMES = ("front", "middle", "back")
DEPTH_SHARES = (0.06, 0.5, 0.94)
BAND_X_MM = 1.5
"""Everything in the band rises or falls with |x|, so that its median is met at half of 3 mm."""


def walls_mm(vertebra: Vertebra) -> tuple[float, float]:
    """Where the body's front and back wall lie at mid-height in the band: y.

    The back wall gives way by a little where the canal's edge, rounded, comes near it.
    """
    wide = vertebra.sizes.width / 2 - vertebra.waist
    deep = vertebra.sizes.depth / 2 - vertebra.waist
    y = deep * float(np.sqrt(1.0 - (BAND_X_MM / wide) ** 2))
    near = max(1.0 - (vertebra.waist - CANAL_INTO_BODY_MM) / CANAL_EDGE_MM, 0.0)
    return -y, y - 0.25 * CANAL_EDGE_MM * near**2


def body_heights(vertebra: Vertebra) -> tuple[float, float, float]:
    """Front, middle and back height of a body, mm."""
    front, back = walls_mm(vertebra)
    y = front + np.array(DEPTH_SHARES) * (back - front)
    tilt = np.radians(vertebra.sizes.wedge) / 2
    half = vertebra.half_height + np.tan(tilt) * y - dent_depth(vertebra.sizes, BAND_X_MM, y)
    first, middle, last = (float(value) for value in 2 * half)
    return first, middle, last


def compression(definition: Definition, level: str) -> float | None:
    """Largest share by which a body is lower than its neighbours, at front, middle or back.

    Neighbours are the levels above and below that are complete in view and not fractured; None
    if there is none.
    """
    complete, vertebrae = definition.expect.levels, build_scene(definition).vertebrae
    at = complete.index(level)
    beside = [*complete[max(at - 1, 0) : at], *complete[at + 1 : at + 2]]
    sound = [n for n in beside if n not in definition.change or not definition.change[n].fractured]
    if not sound:
        return None
    usual = np.mean([body_heights(vertebrae[n]) for n in sound], axis=0)
    return float(max(0.0, (1.0 - np.array(body_heights(vertebrae[level])) / usual).max()))


def fracture_measures(definition: Definition) -> dict[str, float]:
    """List heights, compression and local kyphosis of the complete levels, as in landmarks.json."""
    made: dict[str, float] = {}
    vertebrae = build_scene(definition).vertebrae
    for level in definition.expect.levels:
        for name, height in zip(NAMES, body_heights(vertebrae[level]), strict=True):
            made[f"height_{name}_{level}"] = round(height, 3)
        share = compression(definition, level)
        if share is not None:
            made[f"compression_{level}"] = round(share, 4)
        made[f"local_kyphosis_{level}"] = round(vertebrae[level].sizes.wedge, 3) + 0.0
    return made
