"""From one distance field to one closed body without thin walls."""

from __future__ import annotations

import numpy as np

from guidegen.errors import GeometryError
from guidegen.mesh.grid import Field, Lattice, distance_to_zero, isosurface
from guidegen.mesh.solid import Solid

_TOLERANCE_MM = 0.07
"""Error of the two distance transforms on the grid: this much is left standing."""
_STEEP = 2.0
"""The field may fall this many times faster than a distance (relief beside a contact)."""


def opened(
    lattice: Lattice, field: Field, radius_mm: float, reach_mm: float | None = None
) -> Field:
    """Take away whatever a ball of ``radius_mm`` inside the part can't reach (opening).

    Feather edges between shadow and outer surface, fringes and thin necks vanish, and convex
    edges become round; elsewhere the field, and with it the contact surface, stays as it is.

    Args:
        lattice: Of ``field``.
        field: Negative inside; about a distance.
        radius_mm: Half the smallest wall.
        reach_mm: Nodes where the field is lower than minus this are known to be out of the
            surface's reach; None where it may fall twice as fast as a distance.

    References:
        Serra J. Image Analysis and Mathematical Morphology. Academic Press 1982 (opening).
    """
    if reach_mm is None:
        reach_mm = _STEEP * (radius_mm + 2 * lattice.spacing_mm)
    skin = (field < 0) & (field > -reach_mm)
    deep = distance_to_zero(lattice, field, skin, radius_mm + 1.0)
    core = np.where(field < 0, radius_mm - deep, radius_mm + np.maximum(field, 0))
    core = core.astype(np.float32)
    near = (core > 0) & (field < 1.0)
    reach = distance_to_zero(lattice, core, near, radius_mm + 1.5)
    ball = np.where(core > 0, reach, 0) - np.float32(radius_mm + _TOLERANCE_MM)
    return np.maximum(field, ball.astype(np.float32))


def main_body(lattice: Lattice, field: Field, what: str) -> Solid:
    """Extract the isosurface and keep its one body.

    Raises:
        GeometryError: The part falls into pieces.
    """
    bodies = Solid.from_mesh(*isosurface(lattice, field), what).bodies()
    rest = sum(b.volume_mm3 for b in bodies[1:])
    if rest > 0.02 * bodies[0].volume_mm3:
        raise GeometryError(
            f"{what}: the guide should be one body but falls into {len(bodies)} pieces; "
            "make it thicker in the settings or move an entry"
        )
    return bodies[0]


def one_body(solid: Solid, what: str) -> Solid:
    """Drop crumbs under 1 mm3 that cutting left.

    Raises:
        GeometryError: More than crumbs came off.
    """
    bodies = solid.bodies()
    if len(bodies) > 1 and bodies[1].volume_mm3 > 1.0:
        raise GeometryError(
            f"{what}: cutting bores and text should leave one body, found {len(bodies)}; "
            "move an entry or use a larger sleeve_outer_mm"
        )
    return bodies[0]
