"""Thicken what would be too thin to print, and leave all other surface as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from guidegen.cad.body import opened
from guidegen.cad.channel import APPROACH_MM, Channel
from guidegen.cad.parts import Part, ball, carve, cylinder, empty, join, smooth_min
from guidegen.errors import GeometryError
from guidegen.mesh.grid import Field, Lattice, banded_distance, isosurface
from guidegen.mesh.solid import Solid
from guidegen.mesh.wall import thin_places
from guidegen.model.arrays import Floats

_GRID_MM = 0.6
_OVER_MM = 0.13
"""The opening's ball is this much larger than half the wall: the opening keeps what is up to
0.09 mm thinner on the grid, smoothing takes 0.05 mm off round rims, the exact channel 0.075 mm."""
_GRID_LOSS_MM = 0.13
"""Balls are this much larger than the wall asked for: on the grid they lie up to 0.05 mm lower,
between centres 0.4 mm apart up to 0.02 mm, and smoothing takes as much again."""
_NARROWER_MM = 0.15
"""Channels are this much narrower on the grid, so that the exact cut takes all of its surface."""
_CREVICE_MM = 1.2
"""Narrower gaps (joints, vessels) are filled: printed they would clog, and on the grid they would
be crossed by strands."""
_APART_MM = 0.25
_SPARE_MM = 0.25
_MORE_MM = 0.05
_FACING_DEG = 120.0
"""Surfaces that open up by more than 60 deg are a crest, which is rounded off, not thickened."""
_LOST = 0.01
_SMOOTH = 0.6
"""Nodes: takes the nicks where shapes meet on the grid."""
_ROUNDS = 4


def sturdier(
    solid: Solid, channels: Sequence[Channel], least_mm: float, name: str
) -> Iterator[Solid]:
    """Make every wall thick enough to print, with ever more to spare.

    Balls of the smallest wall's size are put halfway through every place that is thinner. Then
    the channels are cut and the whole is opened with a ball a little larger than half the wall:
    what is left is a union of such balls, so that a ball of that size touches every point of its
    surface from inside, which is how a wall is measured. What no ball reaches (flakes, the tips
    of sharp crests, feather edges beside a channel) is taken away. All is done in one distance
    field; where a bone is thick its isosurface is the bone's to 0.05 mm. Beside a channel the
    balls are moved out until they only touch it: there the wall grows to the outside alone.

    Args:
        solid: The bones, with channels cut or not.
        channels: Cut exactly at last; the needles' ways to them are kept free of what is added.
        least_mm: Smallest wall.
        name: Of the model, for errors.

    Yields:
        Bodies made with ever larger balls: the first is to be taken that measures thick enough.

    Raises:
        GeometryError: None of them was, or a piece came off.
    """
    ground = _ground(solid, channels, least_mm)
    for n in range(_ROUNDS):
        core = least_mm / 2 + _OVER_MM + n * _MORE_MM
        reached = opened(ground.lattice, ground.field, core, core + 1.4 * _GRID_MM)
        yield _cut(ground.lattice, reached, channels, name)
    raise GeometryError(
        f"{name}: every wall of the model should be {least_mm:g} mm thick, found thinner ones "
        f"after {_ROUNDS} rounds of thickening; lower min_wall_mm or look at the bone's surface"
    )


@dataclass(frozen=True, eq=False)
class _Ground:
    """Bones with thickened walls and narrower channels, before the opening."""

    lattice: Lattice
    field: Field


def _ground(solid: Solid, channels: Sequence[Channel], least_mm: float) -> _Ground:
    """The solid's distance with walls thickened, crevices filled and channels cut."""
    vertices, faces = solid.minus([c.solid(narrower_mm=_NARROWER_MM) for c in channels]).arrays()
    wanted, air = least_mm + _SPARE_MM, _CREVICE_MM / 2
    band = wanted / 2 + _ROUNDS * _MORE_MM + 1.5 * _GRID_MM
    low, high = vertices.min(axis=0) - band, vertices.max(axis=0) + band
    lattice = Lattice.around(low, high, _GRID_MM)
    thin = thin_places(vertices, faces, wanted, facing_deg=_FACING_DEG)
    field = banded_distance(lattice, vertices, faces, band)
    field = np.minimum(field, _balls(lattice, thin, channels, wanted))
    field = -opened(lattice, -field, air, air + 1.4 * _GRID_MM)
    return _Ground(lattice, carve(lattice, field, [_bore(c) for c in channels]))


def _cut(lattice: Lattice, field: Field, channels: Sequence[Channel], name: str) -> Solid:
    """The field's largest body, without cavities, with the channels cut exactly."""
    smooth = gaussian_filter(field, _SMOOTH)
    body, *rest = Solid.from_mesh(*isosurface(lattice, smooth), name).bodies()
    lost = sum(piece.volume_mm3 for piece in rest)
    if lost > _LOST * body.volume_mm3:
        raise GeometryError(
            f"{name}: the model should be one body, but {lost:.0f} mm3 of bone hang on walls too "
            "thin to print; lower min_wall_mm or look at the bone's surface"
        )
    return body.minus([c.solid() for c in channels]) if channels else body


def _balls(lattice: Lattice, thin: Floats, channels: Sequence[Channel], wall_mm: float) -> Field:
    """Distance field of balls beside the channels, the needles' ways kept free."""
    radius = wall_mm / 2 + _GRID_LOSS_MM
    _, first = np.unique(np.rint(thin / _APART_MM).astype(np.int64), axis=0, return_index=True)
    centres = _beside(thin[np.sort(first)], channels, radius)
    field = join(lattice, empty(lattice), [ball(c, radius) for c in centres], 0.0)
    return carve(lattice, field, [_way(c) for c in channels])


def _bore(channel: Channel) -> Part:
    """A channel, a little narrower."""
    radius = (channel.diameter_mm - _NARROWER_MM) / 2
    return cylinder(channel.start_mm, channel.end_mm, radius)


def _way(channel: Channel) -> Part:
    """The needle's way to a channel, and the channel."""
    start = channel.start_mm - APPROACH_MM * channel.direction
    return cylinder(start, channel.end_mm, (channel.diameter_mm - _NARROWER_MM) / 2)


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
