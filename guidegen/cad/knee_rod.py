"""The hole for the alignment rod along the bone's mechanical axis; guide frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from guidegen.cad.knee_block import Block
from guidegen.cad.knee_settings import KneeGuideSettings
from guidegen.cad.knee_windows import Window
from guidegen.cad.parts import Part, cylinder, slab
from guidegen.cad.sleeve import Sleeve
from guidegen.errors import GeometryError
from guidegen.geometry.knee import HalfSpace
from guidegen.mesh.solid import Solid
from guidegen.model.arrays import Floats

_WALL_MM = 3.4
_FLOOR_MM = 3.5
_BESIDE_MM = 1.0
_PIN_ROOM_MM = 1.5
_OUT_MM = 120.0
_RUN_MM = 480.0
_FARTHER_MM = 42
_SIDE_MM = 36
_SHELL_MM = 60.0
_OVER_MM = 1.6
_CROWN_MM = 3.0


@dataclass(frozen=True, eq=False)
class Rod:
    """A blind hole, open on the side of the bone that stays.

    Args:
        floor_mm: (3,) axis point at its bottom.
        way: (3,) unit vector out of the hole, along the bone to its far end.
        length_mm: Of the hole.
        bore_mm: Its diameter.
        foot_mm: How far behind its axis the bone lies, along the block's ``into``.
    """

    floor_mm: Floats
    way: Floats
    length_mm: float
    bore_mm: float
    foot_mm: float

    @property
    def mouth_mm(self) -> Floats:
        """(3,): axis point where the rod goes in."""
        return np.asarray(self.floor_mm + self.length_mm * self.way)

    @property
    def outer_mm(self) -> float:
        """Diameter of the boss."""
        return self.bore_mm + 2 * _WALL_MM

    def boss(self) -> Part:
        """The tube with its floor."""
        return cylinder(self.floor_mm - _FLOOR_MM * self.way, self.mouth_mm, self.outer_mm / 2)

    def pedestal(self, block: Block) -> Part:
        """What joins boss and shell: a web down to the bone."""
        into = block.axes.into - (block.axes.into @ self.way) * self.way
        into = into / np.linalg.norm(into)
        middle = self.floor_mm + (self.length_mm - _FLOOR_MM) / 2 * self.way
        columns = np.column_stack([np.cross(self.way, into), into, self.way])
        half = np.array(
            [self.outer_mm / 2 - 0.5, self.foot_mm / 2, (self.length_mm + _FLOOR_MM) / 2]
        )
        return slab(middle + self.foot_mm / 2 * into, columns, half, 1.5)

    def crown(self) -> Part:
        """The boss's end, which rounding leaves thin beside the hole."""
        return cylinder(self.mouth_mm - _CROWN_MM * self.way, self.mouth_mm, self.outer_mm / 2)

    def way_in(self) -> Part:
        """Space that the rod needs beyond the boss."""
        return cylinder(self.mouth_mm, self.mouth_mm + _OUT_MM * self.way, self.outer_mm / 2 + 0.6)

    def hole(self) -> Solid:
        """The hole that is cut exactly."""
        return Solid.cylinder(self.floor_mm, self.way, self.length_mm + 10.0, self.bore_mm)


def place_rod(
    block: Block,
    axis: Floats,
    beside: tuple[Sequence[Sleeve], Sequence[Window]],
    bone_points: Floats,
    free: Sequence[HalfSpace],
    settings: KneeGuideSettings,
) -> Rod:
    """Find the place nearest to the block where rod, pins, sleeves and bone leave each other room.

    Args:
        block: Slot and label.
        axis: (3,) the mechanical axis, guide frame, either way.
        beside: Sleeves of the pins, and windows.
        bone_points: (N, 3) of the whole bone, guide frame.
        free: Half spaces that the boss has to stay in.
        settings: Sizes.

    Raises:
        GeometryError: There is no place.
    """
    way = axis if axis @ block.axes.stay > 0 else -axis
    bore = settings.rod_mm + settings.rod_clearance_mm
    radius = bore / 2 + _WALL_MM
    height = block.high_mm + _FLOOR_MM
    shell = settings.fit_gap_mm + settings.relief_mm + settings.body_thickness_mm
    over = shell + radius + _OVER_MM
    near = np.abs(block.axes.local(bone_points)[:, 2] - height) < settings.rod_length_mm
    tree, around = cKDTree(bone_points), cKDTree(bone_points[near])
    line = np.arange(0.0, _RUN_MM, 4.0)[:, None] * way
    best, chosen = np.inf, None
    for aside in np.arange(-_SIDE_MM, _SIDE_MM + 1.0, 1.0):
        for out in np.arange(0.0, _FARTHER_MM, 2.0):
            at = block.axes.place([aside, block.front_mm + radius - out, height])
            cost = abs(aside) + 0.6 * out
            if cost >= best or not _fits(at, way, radius, beside, free, settings):
                continue
            if tree.query(at + line)[0].min() < settings.rod_mm / 2 + settings.rod_bone_mm:
                continue
            if tree.query(at + line[line @ way < _SHELL_MM])[0].min() < over:
                continue
            best, chosen = cost, at
    if chosen is None:
        raise GeometryError(
            "a place for the alignment rod beside the pins and clear of the bone was wanted, "
            "found none; lower rod_bone_mm or move the pins"
        )
    foot = float(around.query(chosen)[0]) + settings.relief_mm
    return Rod(chosen, way, settings.rod_length_mm, bore, foot)


def _fits(
    at: Floats,
    way: Floats,
    radius: float,
    beside: tuple[Sequence[Sleeve], Sequence[Window]],
    free: Sequence[HalfSpace],
    settings: KneeGuideSettings,
) -> bool:
    """Tell whether boss and rod keep clear of sleeves, pins, windows and half spaces."""
    boss = at + np.linspace(-_FLOOR_MM, settings.rod_length_mm, 9)[:, None] * way
    if any((half.room_mm(boss) < radius).any() for half in free):
        return False
    if any((w.away_mm(boss) < radius + w.diameter_mm / 2).any() for w in beside[1]):
        return False
    run = at + np.arange(0.0, _OUT_MM, 2.0)[:, None] * way
    for sleeve in beside[0]:
        width = radius + sleeve.outer_mm / 2 + _BESIDE_MM
        if _from_axis(boss, sleeve, -5.0, _OUT_MM).min() < width:
            return False
        room = settings.rod_mm / 2 + sleeve.bore_mm / 2 + _PIN_ROOM_MM
        if _from_axis(run, sleeve, 0.0, _OUT_MM).min() < room:
            return False
        tube = settings.rod_mm / 2 + sleeve.outer_mm / 2 + _PIN_ROOM_MM
        if _from_axis(run, sleeve, -5.0, sleeve.top_mm).min() < tube:
            return False
    return True


def _from_axis(points: Floats, sleeve: Sleeve, low_mm: float, high_mm: float) -> Floats:
    """(N,): distance of points from a piece of a sleeve's axis."""
    offset = points - sleeve.entry_mm
    along = np.clip(offset @ sleeve.out, low_mm, high_mm)
    return np.asarray(np.linalg.norm(offset - along[:, None] * sleeve.out, axis=1))
