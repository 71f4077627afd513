"""Thin places of a guide are filled before it is cut exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from guidegen.cad.parts import ball, join
from guidegen.mesh.grid import Field, Lattice
from guidegen.mesh.solid import Solid
from guidegen.mesh.wall import Patch, thin_walls, thinnest_wall
from guidegen.model.arrays import Floats

_MENDS = 3
_CLOSE_MENDS = 6
_MEND_MM = 1.2
"""Where two thick pieces only just touch, the opening leaves a neck: a ball this much larger than
the smallest wall is put there, and bones and bores are cut again."""
_COARSE_MM = 0.8
_SPARE_MM = 0.1
"""Walls are looked for on coarse samples here, and checked closely on the file."""
_CLOSE_SPARE_MM = 0.02
"""What rounding to the file's precision and another frame may take away."""


def mended(
    lattice: Lattice,
    outer: Field,
    carved: Callable[[Field], Solid],
    least_mm: float,
    texts: tuple[Patch, ...] | None = None,
    start: tuple[Solid, Floats] | None = None,
) -> Solid:
    """Carve a guide, and while it is too thin somewhere, fill that place and carve it again.

    Three places at most are filled, the thinnest first, and more where walls are judged
    closely. It does not help where the fill is carved away again, beside bones, bores and
    windows: the body stays thin there, and the check of its walls fails.

    Args:
        lattice: Of ``outer``.
        outer: Everything joined, before anything is cut; negative inside.
        carved: Cuts it and makes it a body.
        least_mm: Smallest wall allowed.
        texts: Where a body that is carved to the end has engraved labels: it is judged as closely
            as its check will do it. None for one that is cut further.
        start: What ``outer`` was carved to and its ``thin_spots``, where these are known already.
    """
    body, thin = start if start is not None else (carved(outer), None)
    for _ in range(_MENDS if texts is None else _CLOSE_MENDS):
        thin = thin_spots(body, least_mm, texts) if thin is None else thin
        if not len(thin):
            break
        outer = join(lattice, outer, [ball(p, least_mm / 2 + _MEND_MM) for p in thin], 0.0)
        body, thin = carved(outer), None
    return body


def thin_spots(body: Solid, least_mm: float, texts: tuple[Patch, ...] | None) -> Floats:
    """Find where a body is thinner than allowed.

    Args:
        body: To look at.
        least_mm: Smallest wall allowed.
        texts: Engraved labels to leave out where it is judged as closely as its check will do it;
            None for a coarse look.

    Returns:
        (N, 3): the thinnest place, or all seen closely; none exactly if it is thick enough.
    """
    wall = thinnest_wall(*body.arrays(), texts or (), 1.5 * least_mm, _COARSE_MM)
    if wall.thickness_mm < least_mm + (_SPARE_MM if texts is None else _CLOSE_SPARE_MM):
        return wall.point_mm[None]
    if texts is None:
        return np.empty((0, 3))
    return thin_walls(*body.arrays(), texts, least_mm + _CLOSE_SPARE_MM)
