"""The patient's outline: an ellipse in every axial plane, the same from foot to head.

It does not follow the spine, so that its truth is a closed form: where a line leaves it, and which
way it faces there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from guidegen.errors import GeometryError
from guidegen.model.arrays import Floats
from guidegen.phantoms import shapes
from guidegen.phantoms.shapes import Distances

BACK_MM = 93.0
"""y of the skin of the back over the spine, where the spine's mean is 0."""
HALF_MM = (168.0, 118.0)
CENTRE_MM = (0.0, BACK_MM - HALF_MM[1])
BELLY_MM = CENTRE_MM[1] - HALF_MM[1]
"""y of the belly's skin in the midline."""


def outside_skin(x: Any, y: Any) -> Distances:
    """Distance of places to the skin, mm, negative inside the patient; exact on the skin."""
    return shapes.ellipse(x - CENTRE_MM[0], y - CENTRE_MM[1], *HALF_MM)


def _scaled(vector: Floats, centre: Any = (0.0, 0.0)) -> Floats:
    return np.asarray((np.asarray(vector, dtype=float)[:2] - centre) / HALF_MM)


def skin_point(start_mm: Floats, out: Floats) -> Floats:
    """Find where a straight line from inside leaves the skin.

    Args:
        start_mm: (3,) a point in the patient, LPS.
        out: (3,) direction; need not be a unit vector.

    Returns:
        (3,) LPS mm.

    Raises:
        GeometryError: The start is not in the patient, or the line runs along the skin's axis.
    """
    start, way = np.asarray(start_mm, dtype=float), np.asarray(out, dtype=float)
    at, step = _scaled(start, CENTRE_MM), _scaled(way)
    square, mixed, rest = float(step @ step), float(at @ step), float(at @ at) - 1.0
    if rest > 0 or square < 1e-18:
        raise GeometryError(
            f"a line that leaves the skin must start in the patient and not run along him, found "
            f"{start} and {way}: start at a bone and go to the back"
        )
    far = (-mixed + np.sqrt(mixed * mixed - square * rest)) / square
    return np.asarray(start + far * way)


def skin_normal(point_mm: Floats) -> Floats:
    """(3,): the skin's outward unit normal at one of its points (LPS mm)."""
    across, back = _scaled(point_mm, CENTRE_MM) / HALF_MM
    return np.asarray(np.array([across, back, 0.0]) / np.hypot(across, back))


def skin_truth() -> dict[str, Any]:
    """Describe the skin for truth.json."""
    return {
        "shape": "elliptic cylinder along z",
        "centre_mm": list(CENTRE_MM),
        "half_mm": list(HALF_MM),
        "axis": [0.0, 0.0, 1.0],
    }
