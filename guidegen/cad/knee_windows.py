"""Windows in a knee guide's shell, through which its seat on the bone is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.cad.parts import Part, cylinder
from guidegen.errors import GeometryError
from guidegen.geometry.knee import CutAxes, HalfSpace
from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.plan import Path

N_WINDOWS = 2
_HAND_MM = 0.9
_SMALLER_MM = (0.0, 1.0, 2.0, 3.0)
_PLACE_MM = 1.5
_WIDE_MM = 32.0
_FAR_MM = 200.0
_FACING = 0.5
_SLEEVE_MM = 30.0
_ENOUGH_MM = 9.0
_NEAR = 0.12
_OUT_MM = 60.0
_IN_MM = 8.0


@dataclass(frozen=True, eq=False)
class Window:
    """A round hole in the shell along the saw's way.

    Args:
        point_mm: (3,) on the bone.
        into: (3,) unit vector to the bone.
        diameter_mm: Of the hole.
        rim_mm: Radius round it that has to be shell.
    """

    point_mm: Floats
    into: Floats
    diameter_mm: float
    rim_mm: float

    def part(self) -> Part:
        """What is cut away."""
        start = self.point_mm - _OUT_MM * self.into
        return cylinder(start, self.point_mm + _IN_MM * self.into, self.diameter_mm / 2)

    def away_mm(self, points: Floats) -> Floats:
        """(N,): distance of points (N, 3) from its axis."""
        offset = points - self.point_mm
        aside = offset - (offset @ self.into)[:, None] * self.into
        return np.asarray(np.linalg.norm(aside, axis=1))


def find_windows(
    bone: Bone,
    axes: CutAxes,
    pins: Sequence[Path],
    limits: tuple[float, Sequence[HalfSpace]],
    settings: KneeGuideSettings,
) -> tuple[Window, ...]:
    """Choose places near the pins with room beside the sleeves and the block; patient LPS.

    Args:
        bone: That is looked at.
        axes: Of the cut.
        pins: Whose sleeves stand there.
        limits: How far the block reaches over the cut to the bone that stays, and half spaces.
        settings: Sizes; windows up to 3 mm smaller are taken where there is no room.

    Raises:
        GeometryError: There is no room for two.
    """
    steps = np.arange(-_WIDE_MM, _WIDE_MM + 1e-9, _PLACE_MM)
    rise = np.arange(limits[0], settings.reach_mm, _PLACE_MM)
    flat = np.stack(np.meshgrid(steps, rise, indexing="ij"), axis=-1).reshape(-1, 2)
    start = axes.place(np.insert(flat, 1, -_FAR_MM, axis=1))
    far, face = RayTarget(bone.vertices_mm, bone.faces).first_hit(start, axes.into)
    a, b, c = (bone.vertices_mm[bone.faces[face]][:, n] for n in range(3))
    normal = np.cross(b - a, c - a)
    use = (face >= 0) & (normal @ axes.into < -_FACING * np.linalg.norm(normal, axis=1))
    points = start[use] + far[use][:, None] * axes.into
    room = flat[use, 1] - limits[0]
    for half in limits[1]:
        room = np.minimum(room, half.room_mm(points))
    local = flat[use]
    for pin in pins:
        tube = axes.local(pin.entry_mm - np.linspace(-3, _SLEEVE_MM, 12)[:, None] * pin.direction)
        away = np.linalg.norm(local[:, None] - tube[:, [0, 2]], axis=2).min(axis=1)
        room = np.minimum(room, away - settings.sleeve_outer_mm / 2)
    middle = axes.local(np.mean([p.entry_mm for p in pins], axis=0))[[0, 2]]
    wish = np.minimum(room, _ENOUGH_MM) - _NEAR * np.linalg.norm(local - middle, axis=1)
    wall = settings.min_wall_mm + _HAND_MM
    for less in _SMALLER_MM:
        size = settings.window_mm - less
        found = _spread(local, np.where(room - wall >= size / 2, wish, -np.inf), size + wall)
        if len(found) == N_WINDOWS:
            rim = size / 2 + wall
            return tuple(Window(points[k], axes.into, size, rim) for k in found)
    raise GeometryError(
        f"{bone.name}: {N_WINDOWS} windows of {settings.window_mm - _SMALLER_MM[-1]:g} mm beside "
        "the sleeves were wanted, found no room; lower window_mm or change the pins"
    )


def _spread(places: Floats, wish: Floats, apart_mm: float) -> list[int]:
    """Numbers of the best places that lie apart."""
    chosen: list[int] = []
    wish = wish.copy()
    while len(chosen) < N_WINDOWS and np.isfinite(wish).any():
        best = int(np.argmax(wish))
        chosen.append(best)
        wish[np.linalg.norm(places - places[best], axis=1) < apart_mm] = -np.inf
    return chosen
