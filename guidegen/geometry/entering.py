"""Where a straight path goes into a closed surface."""

from __future__ import annotations

import numpy as np

from guidegen.geometry.lines import along_and_beside, line_crossings
from guidegen.model.arrays import Floats

_ONE_MM = 1e-6


def surface_crossings(triangles: Floats, origin: Floats, direction: Floats) -> Floats:
    """Find where a line crosses a closed surface, each crossing once.

    Args:
        triangles: (F, 3, 3) corners.
        origin: (3,) a point of the line.
        direction: (3,) unit vector.

    Returns:
        (M,) sorted positions along the line; the even ones (0, 2, ...) go in.
    """
    corner = triangles[:, 0]
    reach = np.linalg.norm(triangles[:, 1:] - triangles[:, :1], axis=2).max(initial=0.0)
    _, beside = along_and_beside(corner, origin, direction)
    near = (beside**2).sum(axis=1) <= reach**2
    found = line_crossings(triangles[near], origin, direction)
    return found[np.append(True, np.diff(found) > _ONE_MM)] if len(found) else found


def entry_place(crossings: Floats, drawn: float, tip: float, least_mm: float) -> float | None:
    """Choose where a path goes in: nearest to where it was drawn, some mm before its tip.

    Args:
        crossings: (M,) as ``surface_crossings`` finds them.
        drawn: Place along the line.
        tip: Likewise.
        least_mm: The path is at least this long.

    Returns:
        The place along the line; None where it does not go in before the tip.
    """
    ways_in = crossings[::2]
    ways_in = ways_in[ways_in < tip - least_mm]
    return float(ways_in[np.abs(ways_in - drawn).argmin()]) if len(ways_in) else None
