"""What a fracture does to a body's shape: dented endplates, a fragment in the canal.

The dent's profile and the fragment's proportions are engineering choices: smooth, with a closed
form, and flat where front and back height are measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from guidegen.phantoms import shapes
from guidegen.phantoms.shapes import Distances, Points
from guidegen.phantoms.sizes import Sizes

DENT_SHARE = 0.75
"""The dent ends at this share of the body's half width and half depth."""
FRAGMENT_HALF_WIDTH_MM = 5.5
FRAGMENT_ROOT_MM = 3.0
"""How far the fragment's middle lies in front of the canal's edge."""


def dent_depth(sizes: Sizes, x: Any, y: Any) -> Any:
    """Depth of the dent along z at places of the endplate, mm.

    The profile is (1 - r^2)^2 for r < 1, where r is 1 on an ellipse of ``DENT_SHARE`` of the
    body's outline.
    """
    a, b = DENT_SHARE * sizes.width / 2, DENT_SHARE * sizes.depth / 2
    inside = np.maximum(1.0 - (x / a) ** 2 - (y / b) ** 2, 0.0)
    return sizes.dent * inside * inside


def dented(sizes: Sizes, points: Points, plates: Distances) -> Distances:
    """Move the endplates' planes in by the dent.

    Args:
        sizes: Of the body.
        points: (3, N) in the vertebra's frame.
        plates: (N,) distance to the nearer (outer) of both endplates' planes.

    Returns:
        (N,) the height over the dented endplate along z, divided by the length of its gradient:
        exact on the endplate and to first order beside it.
    """
    a, b = DENT_SHARE * sizes.width / 2, DENT_SHARE * sizes.depth / 2
    inside = np.maximum(1.0 - (points[0] / a) ** 2 - (points[1] / b) ** 2, 0.0)
    tilt = np.radians(sizes.wedge) / 2
    along_x = -4.0 * sizes.dent * inside * points[0] / a**2
    along_y = -4.0 * sizes.dent * inside * points[1] / b**2 - float(np.tan(tilt))
    over = plates / float(np.cos(tilt)) + dent_depth(sizes, points[0], points[1])
    return np.asarray(over / np.sqrt(1.0 + along_x**2 + along_y**2))


def fragment_part(sizes: Sizes, canal_into_body_mm: float, points: Points) -> Distances:
    """Measure to a fragment: an egg in the upper half of the body's back.

    Its hindmost point lies in the midline, ``sizes.fragment`` behind the canal's front edge.

    Args:
        sizes: Of the body.
        canal_into_body_mm: How far the canal's front edge lies in front of the body's back.
        points: (3, N) in the vertebra's frame.
    """
    half = sizes.height / 2
    deep = sizes.fragment + FRAGMENT_ROOT_MM
    tip = sizes.depth / 2 - canal_into_body_mm + sizes.fragment
    centre = (0.0, tip - deep, 0.5 * half)
    return shapes.ellipsoid(points, centre, (FRAGMENT_HALF_WIDTH_MM, deep, 0.4 * half))
