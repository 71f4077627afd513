"""What lies on a patient's back and is no skin: a gown of cloth and a metal lead.

Both are distances to thin shapes that lie on, or over, the skin's outline. The sizes are
engineering choices that make them hard to tell from skin: the cloth is as thick as a pixel or two
and touches the skin over half of the back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.phantoms.skin import CENTRE_MM, outside_skin

Array = npt.NDArray[Any]
CLOTH_HU, METAL_HU = -300.0, 2500.0
CLOTH_MM, GOWN_HALF_WIDTH_MM = 1.0, 125.0
LYING_MM = 0.3
"""A fold lower than this lies on the skin, with no air under it."""
WIRE_RADIUS_MM = 0.75
WIRE_X_MM, WIRE_BEND_MM, WIRE_BEND_LENGTH_MM = 20.0, 9.0, 10.0


def fold_height(x: Array, z: Array) -> Array:
    """How far the gown is lifted off the skin, mm: a wide fold on the left, a small one right."""
    wide = 8.0 * np.exp(-(((x - 55.0 - 12.0 * np.sin(z / 30.0)) / 22.0) ** 2))
    return np.asarray(wide + 5.0 * np.exp(-(((x + 100.0) / 14.0) ** 2)))


def gown_distance(x: Array, y: Array, z: Array) -> Array:
    """Measure places (any shape, LPS mm) to the gown; negative in the cloth.

    Where it lies on the skin the cloth goes on below the skin, so that no air is left between;
    the patient is painted over it. Thickness is counted across the skin, not across the fold.
    """
    lift, over = fold_height(x, z), outside_skin(x, y)
    under = np.where(lift < LYING_MM, -5.0, lift)
    sheet = np.maximum(over - lift - CLOTH_MM, under - over)
    edge = np.maximum(np.abs(x) - GOWN_HALF_WIDTH_MM, CENTRE_MM[1] - y)
    return np.asarray(np.maximum(sheet, edge))


def wire_x(z: Any, bend_z: float) -> Any:
    """Where the lead runs: x at heights z; it changes its side distance at ``bend_z``."""
    return WIRE_X_MM + WIRE_BEND_MM * np.tanh((z - bend_z) / WIRE_BEND_LENGTH_MM)


def wire_distance(x: Array, y: Array, z: Array, bend_z: float) -> Array:
    """Measure places (any shape, LPS mm) to the lead, which touches the skin; negative in it."""
    slope = 1.0 / np.cosh((z - bend_z) / WIRE_BEND_LENGTH_MM) ** 2
    slope = slope * (WIRE_BEND_MM / WIRE_BEND_LENGTH_MM)
    aside = (x - wire_x(z, bend_z)) / np.sqrt(1.0 + slope**2)
    off = np.where(y > CENTRE_MM[1], outside_skin(x, y) - WIRE_RADIUS_MM, 99.0)
    return np.asarray(np.hypot(off, aside) - WIRE_RADIUS_MM)
