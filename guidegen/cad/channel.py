"""Needle channels through a vertebra: where they begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from guidegen.errors import GeometryError
from guidegen.mesh.rays import RayTarget
from guidegen.mesh.solid import Solid, perpendicular
from guidegen.model.arrays import Floats
from guidegen.model.guide import Feature
from guidegen.model.plan import Path

_FAR_MM = 150.0
_BEYOND_MM = 2.0
"""A channel begins and ends this far outside the bone, so that both mouths are open."""
APPROACH_MM = 80.0
_RAYS = 24
_STEP_MM = 0.25
_SPARE_MM = 0.8
"""Webs are cut away from here over the smallest wall, so that the balls that round off what stays
between the channels fit in."""
EDGE_MM = 4.0
"""Longest edge of the triangles of bars, channels and foot."""


@dataclass(frozen=True, eq=False)
class Channel:
    """A straight hole, open at both ends.

    Args:
        name: Of the path.
        start_mm: (3,) on the axis, outside the bone on the surgeon's side.
        direction: (3,) unit vector going in.
        length_mm: From there to where it has left the bone.
        diameter_mm: Needle and clearance.
    """

    name: str
    start_mm: Floats
    direction: Floats
    length_mm: float
    diameter_mm: float

    @property
    def end_mm(self) -> Floats:
        """(3,): on the axis, where the channel has left the bone in front."""
        return self.start_mm + self.length_mm * self.direction

    def solid(self, approach: bool = False, narrower_mm: float = 0.0) -> Solid:
        """The cylinder to cut; with ``approach`` also the needle's way to the bone."""
        more = APPROACH_MM if approach else 0.0
        start = self.start_mm - more * self.direction
        whole = Solid.cylinder(
            start, self.direction, self.length_mm + more, self.diameter_mm - narrower_mm
        )
        return whole.refined(EDGE_MM)

    def feature(self) -> Feature:
        """As the checks look for it."""
        values = {"diameter_mm": self.diameter_mm, "length_mm": self.length_mm}
        return Feature("bore", self.name, self.start_mm, self.direction, values)


def find_channels(
    paths: Sequence[Path], bone: RayTarget, clearance_mm: float
) -> tuple[Channel, ...]:
    """Lay a channel along each needle: from outside its bone to beyond the front.

    The ends are those of the bone itself, so that a channel never runs on into a neighbour.

    Args:
        paths: Of this vertebra; K-wires (kind ``pin``) are left out.
        bone: The vertebra, in the frame of the paths.
        clearance_mm: Channel diameter over needle diameter.

    Raises:
        GeometryError: A path does not meet the bone.
    """
    needles = [p for p in paths if p.kind != "pin"]
    return tuple(_channel(p, bone, p.diameter_mm + clearance_mm) for p in needles)


def _channel(path: Path, bone: RayTarget, diameter_mm: float) -> Channel:
    """One channel: rays along its axis and rim, from far outside and from far in front."""
    way, middle = path.direction, (path.entry_mm + path.tip_mm) / 2
    one, two = perpendicular(way)
    turn = 2 * np.pi * np.arange(_RAYS) / _RAYS
    ring = np.cos(turn)[:, None] * one + np.sin(turn)[:, None] * two
    spots = middle + diameter_mm / 2 * np.concatenate([np.zeros((1, 3)), 0.5 * ring, ring])
    before = bone.first_hit(spots - _FAR_MM * way, way)[0].min() - _FAR_MM
    behind = _FAR_MM - bone.first_hit(spots + _FAR_MM * way, -way)[0].min()
    if not (np.isfinite(before) and np.isfinite(behind) and behind > before):
        raise GeometryError(
            f"{path.name}: the channel should run through {path.bone}, found no bone on its way; "
            "plan again"
        )
    start = middle + (before - _BEYOND_MM) * way
    return Channel(path.name, start, way, behind - before + 2 * _BEYOND_MM, diameter_mm)


def webs(channels: Sequence[Channel], wall_mm: float) -> list[Solid]:
    """What stands between channels that come closer than a wall, to be cut away.

    Needles from both sides meet towards the front of a narrow body; a web between them that is
    too thin to print is left out, and the channels share one mouth there.

    Args:
        channels: Of one vertebra.
        wall_mm: Smallest wall.
    """
    found = []
    for one, two in combinations(channels, 2):
        steps = np.arange(0.0, one.length_mm + _STEP_MM / 2, _STEP_MM)
        here = one.start_mm + steps[:, None] * one.direction
        across = np.clip((here - two.start_mm) @ two.direction, 0.0, two.length_mm)
        there = two.start_mm + across[:, None] * two.direction
        gap = np.linalg.norm(here - there, axis=1) - (one.diameter_mm + two.diameter_mm) / 2
        close = np.flatnonzero(gap < wall_mm + _SPARE_MM)
        if len(close):
            ends = [(one, steps[close[n]]) for n in (0, -1)]
            ends += [(two, across[close[n]]) for n in (0, -1)]
            found.append(Solid.hull(np.concatenate([_rim(c, float(at)) for c, at in ends])))
    return found


def _rim(channel: Channel, at_mm: float) -> Floats:
    """(N, 3): a circle just inside the channel, ``at_mm`` from its start."""
    one, two = perpendicular(channel.direction)
    turn = 2 * np.pi * np.arange(4 * _RAYS) / (4 * _RAYS)
    ring = np.cos(turn)[:, None] * one + np.sin(turn)[:, None] * two
    middle = channel.start_mm + at_mm * channel.direction
    return np.asarray(middle + (channel.diameter_mm / 2 - 0.01) * ring)
