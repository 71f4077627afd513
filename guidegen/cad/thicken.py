"""Thicken what would be too thin to print, and leave all other surface as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from guidegen.cad.body import opened
from guidegen.cad.channel import APPROACH_MM, Channel
from guidegen.cad.parts import Part, ball, carve, cylinder, empty, join, smooth_min
from guidegen.errors import GeometryError
from guidegen.mesh.grid import (
    Field,
    Lattice,
    banded_distance,
    isosurface,
)
from guidegen.mesh.solid import Solid
from guidegen.mesh.wall import thin_places
from guidegen.model.arrays import Floats, Ints

_GRID_MM = 0.6
_GRID_LOSS_MM = 0.13
"""Balls are this much larger than the wall asked for: on the grid they lie up to 0.05 mm lower,
between centres 0.4 mm apart up to 0.02 mm, and smoothing takes as much again."""
_UNDER_MM = 0.1
"""Flakes and crests are taken away that a ball this much smaller than half the wall can't reach."""
_CREVICE_MM = 1.2
"""Narrower gaps (joints, vessels) are filled: printed they would clog, and on the grid they would
be crossed by strands."""
_APART_MM = 0.25
_SPARE_MM = 0.25
_FACING_DEG = 120.0
"""Surfaces that open up by more than 60 deg are a crest, which is rounded off, not thickened."""
_BLEND_MM = 0.4
_SMOOTH = 0.6
"""Nodes: takes the nicks where shapes meet on the grid."""
_CUT_EVERY = 5
_LARGER_MM = 0.15
_ROUNDS = 16
NARROWER_MM = 0.15
"""Channels are this much narrower while walls are thickened, so that the exact cut takes all of
the grid's surface away."""


def sturdy(
    solid: Solid,
    channels: Sequence[Channel],
    least_mm: float,
    name: str,
    judged: Callable[[Solid], Floats],
) -> Solid:
    """Make every wall thick enough to print.

    Balls of the smallest wall's size are put halfway through every place that is thinner; what
    no ball a little smaller can reach (flakes, the tips of sharp crests) is taken away. Both are
    done in one distance field: a bone's rough surface has more flakes than samples of it find,
    and the field has none below its grid. Elsewhere its isosurface is the bone's to 0.05 mm.
    Beside a channel the balls are moved out until they only touch it: there the wall grows to
    the outside alone. What stays thin is filled with larger balls, and where a channel takes
    them away again it is cut off. At last the finished model is judged as its check will do it.

    Args:
        solid: With narrower channels cut.
        channels: To be cut exactly, with the needles' way to them kept free of what is added.
        least_mm: Smallest wall.
        name: Of the model, for errors.
        judged: Finds places (N, 3) that the check of the finished model would call too thin.

    Raises:
        GeometryError: Walls stay thin.
    """
    lattice, field = _sturdy_field(solid, channels, least_mm)
    near = thin_places(*_surface(lattice, field, channels), least_mm + _SPARE_MM)
    tries = 0
    for _ in range(_ROUNDS):
        if not len(near):
            body, tries = _cut(lattice, field, channels, name), 0
            near = judged(body)
            if not len(near):
                return body
        field = _mended(lattice, field, near, channels, least_mm, tries)
        surface, tries = _surface(lattice, field, channels), tries + 1
        near = thin_places(*surface, least_mm + _SPARE_MM, near)
    raise GeometryError(
        f"{name}: every wall of the model should be {least_mm:g} mm thick, found thinner ones "
        f"after {_ROUNDS} rounds of thickening; lower min_wall_mm or look at the bone's surface"
    )


def _mended(
    lattice: Lattice,
    field: Field,
    near: Floats,
    channels: Sequence[Channel],
    least_mm: float,
    tries: int,
) -> Field:
    """Put balls where walls are thin, larger each time; after some tries take balls away there."""
    if (tries + 1) % _CUT_EVERY:
        wall = least_mm + _SPARE_MM + tries * _LARGER_MM
        return smooth_min(field, _balls(lattice, near, channels, wall), _BLEND_MM)
    less = carve(lattice, field, [ball(c, least_mm / 2) for c in _spread(near)])
    return opened(lattice, less, least_mm / 2, least_mm / 2 + 1.4 * _GRID_MM)


def _surface(lattice: Lattice, field: Field, channels: Sequence[Channel]) -> tuple[Floats, Ints]:
    """The body's surface, with channels cut on the grid: quick, for the search of thin places."""
    smooth = gaussian_filter(field, _SMOOTH)
    bores = [cylinder(c.start_mm, c.end_mm, c.diameter_mm / 2) for c in channels]
    return isosurface(lattice, carve(lattice, smooth, bores))


def _sturdy_field(
    solid: Solid, channels: Sequence[Channel], least_mm: float
) -> tuple[Lattice, Field]:
    """The solid's distance with walls thickened, flakes and crests taken away, crevices filled."""
    vertices, faces = solid.arrays()
    core, air = least_mm / 2 - _UNDER_MM, _CREVICE_MM / 2
    band = max(core, air) + 1.5 * _GRID_MM
    low, high = vertices.min(axis=0) - band, vertices.max(axis=0) + band
    lattice = Lattice.around(low, high, _GRID_MM)
    wanted = least_mm + _SPARE_MM
    thin = thin_places(vertices, faces, wanted, facing_deg=_FACING_DEG)
    field = banded_distance(lattice, vertices, faces, band)
    field = np.minimum(field, _balls(lattice, thin, channels, wanted))
    field = opened(lattice, field, core, core + 1.4 * _GRID_MM)
    return lattice, -opened(lattice, -field, air, air + 1.4 * _GRID_MM)


def _cut(lattice: Lattice, field: Field, channels: Sequence[Channel], name: str) -> Solid:
    """The field's largest body, without cavities, with the channels cut exactly."""
    smooth = gaussian_filter(field, _SMOOTH)
    body = Solid.from_mesh(*isosurface(lattice, smooth), name).bodies()[0]
    return body.minus([c.solid() for c in channels]) if channels else body


def _balls(lattice: Lattice, thin: Floats, channels: Sequence[Channel], wall_mm: float) -> Field:
    """Distance field of balls beside the channels, the needles' ways kept free."""
    radius = wall_mm / 2 + _GRID_LOSS_MM
    centres = _beside(_spread(thin), channels, radius)
    field = join(lattice, empty(lattice), [ball(c, radius) for c in centres], 0.0)
    return carve(lattice, field, [_way(c) for c in channels])


def _spread(points: Floats) -> Floats:
    """Those of the points (N, 3) that lie apart."""
    _, first = np.unique(np.rint(points / _APART_MM).astype(np.int64), axis=0, return_index=True)
    return np.asarray(points[np.sort(first)])


def _way(channel: Channel) -> Part:
    """A channel with the needle's way to it."""
    start = channel.start_mm - APPROACH_MM * channel.direction
    return cylinder(start, channel.end_mm, (channel.diameter_mm - NARROWER_MM) / 2)


def _beside(points: Floats, channels: Sequence[Channel], radius_mm: float) -> Floats:
    """Points (N, 3) moved away from the channels' axes until balls round them only touch them."""
    moved = np.array(points)
    for channel in channels:
        along = (moved - channel.start_mm) @ channel.direction
        off = moved - channel.start_mm - along[:, None] * channel.direction
        distance = np.linalg.norm(off, axis=1)
        least = channel.diameter_mm / 2 + radius_mm
        near = (distance < least) & (along > -radius_mm) & (along < channel.length_mm + radius_mm)
        near &= distance > 1e-6
        moved[near] += off[near] * (least / distance[near] - 1)[:, None]
    return moved
