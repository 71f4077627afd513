"""Thin places of a guide are filled before it is cut exactly."""

from __future__ import annotations

from collections.abc import Callable

from guidegen.cad.parts import ball, join
from guidegen.mesh.grid import Field, Lattice
from guidegen.mesh.solid import Solid
from guidegen.mesh.wall import thinnest_wall
from guidegen.model.arrays import Floats

_MENDS = 3
_MEND_MM = 1.2
"""Where two thick pieces only just touch, the opening leaves a neck: a ball this much larger than
the smallest wall is put there, and bones and bores are cut again."""
_COARSE_MM = 0.8
_SPARE_MM = 0.1
"""Walls are looked for on coarse samples here, and checked closely on the file."""


def mended(
    lattice: Lattice, outer: Field, carved: Callable[[Field], Solid], least_mm: float
) -> Solid:
    """Carve a guide, and while it is too thin somewhere, fill that place and carve it again.

    Three places at most are filled, the thinnest first. It does not help where the fill is carved
    away again, beside bones, bores and windows: the body stays thin there, and the check of its
    walls fails.

    Args:
        lattice: Of ``outer``.
        outer: Everything joined, before anything is cut; negative inside.
        carved: Cuts it and makes it a body.
        least_mm: Smallest wall allowed.
    """
    body = carved(outer)
    for _ in range(_MENDS):
        thin = _thin_place(body, least_mm)
        if thin is None:
            break
        outer = join(lattice, outer, [ball(thin, least_mm / 2 + _MEND_MM)], 0.0)
        body = carved(outer)
    return body


def _thin_place(body: Solid, least_mm: float) -> Floats | None:
    """(3,): where the body is thinner than allowed, if anywhere."""
    wall = thinnest_wall(*body.arrays(), ceiling_mm=1.5 * least_mm, spacing_mm=_COARSE_MM)
    return wall.point_mm if wall.thickness_mm < least_mm + _SPARE_MM else None
