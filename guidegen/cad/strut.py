"""Round bars between bodies: where they can stand, and the three that hold best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from guidegen.cad.channel import EDGE_MM, Channel
from guidegen.errors import GeometryError
from guidegen.mesh.solid import Solid, perpendicular
from guidegen.mesh.surface import Surface
from guidegen.model.arrays import Floats
from guidegen.model.guide import Feature

_PLACES = 11
_RIM_MM = 2.0
_REACH_MM = 40.0
_RING = 12
_LONGEST_MM = 60.0
_LEAST_MM = 3.0


@dataclass(frozen=True, eq=False)
class Strut:
    """A round bar whose ends stand in bone (or in the foot).

    Args:
        name: ``L2-L3 1``.
        start_mm: (3,) lower end.
        end_mm: (3,) upper end.
        diameter_mm: Of the bar.
    """

    name: str
    start_mm: Floats
    end_mm: Floats
    diameter_mm: float

    @property
    def length_mm(self) -> float:
        """From end to end."""
        return float(np.linalg.norm(self.end_mm - self.start_mm))

    @property
    def direction(self) -> Floats:
        """(3,): unit vector from the lower to the upper end."""
        return np.asarray((self.end_mm - self.start_mm) / self.length_mm)

    def solid(self) -> Solid:
        """The bar."""
        whole = Solid.cylinder(self.start_mm, self.direction, self.length_mm, self.diameter_mm)
        return whole.refined(EDGE_MM)

    def feature(self) -> Feature:
        """As the checks look for it: at its lower end, going up."""
        values = {"diameter_mm": self.diameter_mm, "length_mm": self.length_mm}
        return Feature("strut", self.name, self.start_mm, self.direction, values)


@dataclass(frozen=True, eq=False)
class Place:
    """Where bars may stand between two bodies.

    Args:
        centre_mm: (3,) of the area, between the two or on one of the endplates.
        axes: (3, 3) columns: left, back, and the way up from the lower body to the upper.
        half_mm: Half width and half depth of the bodies' common outline.
    """

    centre_mm: Floats
    axes: Floats
    half_mm: tuple[float, float]


@dataclass(frozen=True)
class Bar:
    """Sizes of bars: diameter, depth in the bone, and the wall kept beside a channel, mm."""

    diameter_mm: float
    depth_mm: float
    wall_mm: float


def find_struts(
    place: Place,
    bodies: tuple[Surface | None, Surface],
    bar: Bar,
    channels: Sequence[Channel],
    name: str,
) -> tuple[Strut, ...]:
    """Stand three bars as far apart as can be between two bodies, or under one.

    A bar stands where its whole end lies in the bone on both sides, away from the body's rim
    (and so from the canal), and its free length off every channel. Small bodies get thinner bars.

    Args:
        place: Where to look.
        bodies: Lower (None for the foot, which is flat and square to the bars) and upper.
        bar: Sizes.
        channels: To keep off.
        name: Of the joint: ``L2-L3``.

    Returns:
        Three bars; the lower ends of those on the foot lie in the place's centre plane.

    Raises:
        GeometryError: There is no room for three of 3 mm.
    """
    for diameter in np.arange(bar.diameter_mm, min(_LEAST_MM, bar.diameter_mm) - 0.1, -1.0):
        found = _three(place, bodies, replace(bar, diameter_mm=float(diameter)), channels, name)
        if found is not None:
            return found
    raise GeometryError(
        f"{name}: three struts of {_LEAST_MM:g} mm or more should stand between the bodies, found "
        "no room for them; set neighbours = false"
    )


def _three(
    place: Place,
    bodies: tuple[Surface | None, Surface],
    bar: Bar,
    channels: Sequence[Channel],
    name: str,
) -> tuple[Strut, ...] | None:
    """Three bars of one diameter, or None if there is no room."""
    spots = _spots(place, bar)
    low, high = _ends(spots, place, bodies, bar)
    met = np.isfinite(low) & np.isfinite(high)
    spots, low, high = spots[met], low[met], high[met]
    fine = _embedded(spots, (low, high), place, bodies, bar)
    up = place.axes[:, 2]
    starts, ends = spots + low[:, None] * up, spots + high[:, None] * up
    for channel in channels:
        apart = bar.diameter_mm / 2 + channel.diameter_mm / 2 + bar.wall_mm
        free = bar.depth_mm * up
        fine[fine] = _apart(starts[fine] + free, ends[fine] - free, channel) >= apart
    chosen = np.flatnonzero(fine)
    best = _widest(spots[chosen], bar.diameter_mm)
    if best is None:
        return None
    return tuple(
        Strut(f"{name} {k + 1}", starts[chosen[n]], ends[chosen[n]], bar.diameter_mm)
        for k, n in enumerate(best)
    )


def _spots(place: Place, bar: Bar) -> Floats:
    """(N, 3): places for a bar's axis, in an ellipse that keeps its rim inside the outline."""
    a, b = (max(h - bar.diameter_mm / 2 - _RIM_MM, 0.5) for h in place.half_mm)
    x, y = np.meshgrid(np.linspace(-a, a, _PLACES), np.linspace(-b, b, _PLACES))
    use = (x / a) ** 2 + (y / b) ** 2 <= 1.0 + 1e-9
    flat = np.stack([x[use], y[use]], axis=1)
    return np.asarray(place.centre_mm + flat @ place.axes[:, :2].T)


def _ring(spots: Floats, axes: Floats, diameter_mm: float) -> Floats:
    """(N, R, 3): each spot and points round it on the bar's rim."""
    turn = 2 * np.pi * np.arange(_RING) / _RING
    rim = diameter_mm / 2 * np.stack([np.cos(turn), np.sin(turn)], axis=1) @ axes[:, :2].T
    return np.asarray(spots[:, None] + np.concatenate([np.zeros((1, 3)), rim]))


def _ends(
    spots: Floats, place: Place, bodies: tuple[Surface | None, Surface], bar: Bar
) -> tuple[Floats, Floats]:
    """Heights (N,) of the bars' ends over the spots; infinite where a body is missed."""
    up = place.axes[:, 2]
    ring = _ring(spots, place.axes, bar.diameter_mm)
    shape, flat = ring.shape[:2], ring.reshape(-1, 3)
    below, above = bodies
    roof = above.rays.first_hit(flat - _REACH_MM * up, up)[0] - _REACH_MM
    high = roof.reshape(shape).max(axis=1) + bar.depth_mm
    if below is None:
        return np.zeros(len(spots)), high
    floor = _REACH_MM - below.rays.first_hit(flat + _REACH_MM * up, -up)[0]
    return floor.reshape(shape).min(axis=1) - bar.depth_mm, high


def _embedded(
    spots: Floats,
    ends: tuple[Floats, Floats],
    place: Place,
    bodies: tuple[Surface | None, Surface],
    bar: Bar,
) -> npt.NDArray[np.bool_]:
    """Tell for each spot whether the bar's whole ends lie in their bodies (N,)."""
    up = place.axes[:, 2]
    ring = _ring(spots, place.axes, bar.diameter_mm)
    fine = np.abs(ends[1] - ends[0]) <= _LONGEST_MM
    for body, height in zip(bodies, ends, strict=True):
        if body is not None:
            points = ring + height[:, None, None] * up
            fine &= body.inside(points.reshape(-1, 3)).reshape(ring.shape[:2]).all(axis=1)
    return np.asarray(fine)


def _apart(starts: Floats, ends: Floats, channel: Channel) -> Floats:
    """(N,): smallest distances of the bars' axes from a channel's, in steps of 1 mm along it."""
    steps = np.arange(0.0, channel.length_mm + 1.0, 1.0)
    points = channel.start_mm + steps[:, None] * channel.direction
    along = ends - starts
    share = np.einsum("npd,nd->np", points - starts[:, None], along)
    share = np.clip(share / np.maximum((along**2).sum(axis=1), 1e-9)[:, None], 0, 1)
    off = points - starts[:, None] - share[..., None] * along[:, None]
    return np.asarray(np.linalg.norm(off, axis=2).min(axis=1))


def _widest(spots: Floats, apart_mm: float) -> tuple[int, int, int] | None:
    """The three spots, apart from each other, that span the largest triangle; None without any."""
    threes = np.array(list(combinations(range(len(spots)), 3)), dtype=np.int64).reshape(-1, 3)
    sides = [(0, 1), (1, 2), (2, 0)]
    lengths = [np.linalg.norm(spots[threes[:, m]] - spots[threes[:, n]], axis=1) for m, n in sides]
    threes = threes[np.min(lengths, axis=0) >= apart_mm]
    if not len(threes):
        return None
    a, b, c = (spots[threes[:, n]] for n in range(3))
    i, j, k = threes[int(np.linalg.norm(np.cross(b - a, c - a), axis=1).argmax())].tolist()
    return i, j, k


def square_axes(up: Floats, left: Floats) -> Floats:
    """(3, 3): left, back and up as columns, ``up`` kept and ``left`` made square to it."""
    up = up / np.linalg.norm(up)
    x = left - (left @ up) * up
    length = float(np.linalg.norm(x))
    x = x / length if length > 1e-6 else perpendicular(up)[0]
    return np.stack([x, np.cross(up, x), up], axis=1)
