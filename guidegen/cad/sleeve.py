"""The drill sleeve: where it stands on the bone, its tube, its mark's tab and its window."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.cad.parts import Part, cylinder, slab
from guidegen.errors import GeometryError
from guidegen.mesh.grid import Field, Lattice
from guidegen.mesh.solid import perpendicular
from guidegen.model.arrays import Floats
from guidegen.model.frames import Pose

_MAX_CLIMB_MM = 16.0
_DEEP_MM = 8.0
_TONGUE_MM = 5.0
ROUNDING_MM = 1.2
"""How much rounding by the opening takes off an end of the sleeve at most."""


@dataclass(frozen=True, eq=False)
class Sleeve:
    """A tube round a drill axis; heights are measured from the entry outwards, mm.

    Args:
        name: The path's name; "" for a post that stands where a side has no path.
        side: ``left`` or ``right`` (the patient's).
        entry_mm: (3,) on the bone.
        out: (3,) unit vector from the entry to the surgeon.
        bore_mm: Diameter; 0 for a post.
        outer_mm: Diameter.
        foot_mm: Height above which the bore is closed all round.
        top_mm: Height of the upper end.
        depth_mm: Entry to the deepest point of the drill.
    """

    name: str
    side: str
    entry_mm: Floats
    out: Floats
    bore_mm: float
    outer_mm: float
    foot_mm: float = 0.0
    top_mm: float = 20.0
    depth_mm: float = 0.0

    def at(self, height_mm: float) -> Floats:
        """(3,): the axis point at a height."""
        return np.asarray(self.entry_mm + height_mm * self.out)

    def moved(self, target_from_source: Pose) -> Sleeve:
        """The same sleeve in another frame."""
        return replace(
            self,
            entry_mm=target_from_source.points(self.entry_mm),
            out=target_from_source.vectors(self.out),
        )


def ring_points(sleeve: Sleeve, heights: Floats, radius_mm: float, n: int) -> Floats:
    """(H, n, 3): points on circles round the axis at each height."""
    x, y = perpendicular(sleeve.out)
    turn = 2 * np.pi * np.arange(n) / n
    ring = radius_mm * (np.cos(turn)[:, None] * x + np.sin(turn)[:, None] * y)
    return np.asarray(sleeve.entry_mm + heights[:, None, None] * sleeve.out + ring)


def stand(
    sleeve: Sleeve,
    lattice: Lattice,
    cut: Field,
    length_mm: float,
    max_climb_mm: float = _MAX_CLIMB_MM,
) -> Sleeve:
    """Find where the foot is clear of every shadow all round, and set the top above it.

    Args:
        sleeve: In the lattice's frame.
        lattice: Of ``cut``.
        cut: Negative where the guide must not be.
        length_mm: From foot to top.
        max_climb_mm: The foot may be at most this far above the entry.

    Raises:
        GeometryError: Bone or skin beside the axis leaves no room for the sleeve.
    """
    heights = np.arange(-2.0, max_climb_mm + length_mm, 0.25)
    radii = [sleeve.bore_mm / 2 + 0.5, sleeve.outer_mm / 2]
    rings = np.concatenate([ring_points(sleeve, heights, r, 24) for r in radii], axis=1)
    blocked = (lattice.sample(cut, rings) < 0).any(axis=1)
    foot = float(heights[blocked].max()) if blocked.any() else 0.0
    if foot > max_climb_mm:
        raise GeometryError(
            f"{sleeve.name or sleeve.side}: a sleeve needs free space within "
            f"{sleeve.outer_mm / 2:.1f} mm of the drill axis, but bone or skin stands beside it up "
            f"to {foot:.0f} mm above the entry; move the entry or leave this path out"
        )
    foot += ROUNDING_MM
    return replace(sleeve, foot_mm=foot, top_mm=foot + length_mm)


def tube(sleeve: Sleeve) -> Part:
    """The solid sleeve.

    Its lower end reaches into the bone, where the shadow cuts it, but where bone stands high on
    one side it ends under the foot: a half-open tongue would guide nothing.
    """
    low = max(-_DEEP_MM, sleeve.foot_mm - _TONGUE_MM)
    return cylinder(sleeve.at(low), sleeve.at(sleeve.top_mm), sleeve.outer_mm / 2)


def pilot(sleeve: Sleeve, diameter_mm: float, high_mm: float) -> Part:
    """A narrower bore from below the foot up to a height.

    In the distance field it lets the opening round the bore's mouth on the slanting bone; the
    exact bore is cut afterwards.
    """
    return cylinder(sleeve.at(-_DEEP_MM - 4), sleeve.at(high_mm), diameter_mm / 2)


def headroom(sleeve: Sleeve) -> Part:
    """Space over the sleeve that the drill needs: as wide as the sleeve plus 0.6 mm."""
    return cylinder(
        sleeve.at(sleeve.top_mm), sleeve.at(sleeve.top_mm + 60), sleeve.outer_mm / 2 + 0.6
    )


@dataclass(frozen=True, eq=False)
class Tab:
    """A flat ear at the sleeve's top that carries the side mark.

    Args:
        centre_mm: (3,) middle of its face.
        right: (3,) reading direction.
        up: (3,) from foot to head of the letter.
        normal: (3,) outward.
        half_mm: Half width (reading direction) and half height.
    """

    centre_mm: Floats
    right: Floats
    up: Floats
    normal: Floats
    half_mm: tuple[float, float]
    thick_mm: float


def side_tab(sleeve: Sleeve, lattice: Lattice, clear: Field, thick_mm: float) -> Tab:
    """Place the tab head- or footward of the sleeve, where there is more room.

    Args:
        sleeve: In the guide frame (y to the head, z outwards).
        lattice: Of ``clear``.
        clear: Distance to everything that the guide must stay away from.
        thick_mm: Of the tab.
    """
    half = (3.3, 3.6)
    up = np.array([0.0, 1.0, 0.0]) - sleeve.out[1] * sleeve.out
    up = up / np.linalg.norm(up)
    right = np.cross(up, sleeve.out)
    tabs = []
    for sign in (1.0, -1.0):
        reach = sleeve.outer_mm / 2 + half[1] - 1.2
        centre = sleeve.at(sleeve.top_mm) + sign * reach * up
        corners = [
            centre + a * right * half[0] + sign * b * up * half[1] - thick_mm * sleeve.out
            for a in (-1, 0, 1)
            for b in (0, 1)
        ]
        room = float(lattice.sample(clear, np.array(corners)).min())
        tabs.append((min(room, 3.0), sign, Tab(centre, right, up, sleeve.out, half, thick_mm)))
    return max(tabs, key=lambda t: (round(t[0], 3), t[1]))[2]


def tab_axes(tab: Tab) -> Floats:
    """(3, 3): reading direction, up and outward normal of a tab's face."""
    return np.column_stack([tab.right, tab.up, tab.normal])


def tab_plate(tab: Tab) -> Part:
    """The solid tab, its face flush with the sleeve's top."""
    axes = tab_axes(tab)
    half = np.array([*tab.half_mm, tab.thick_mm / 2])
    return slab(tab.centre_mm - tab.normal * tab.thick_mm / 2, axes, half, 1.2)


def over_tab(tab: Tab) -> Part:
    """Space over a flat face, so that blending leaves it flat."""
    axes = tab_axes(tab)
    half = np.array([tab.half_mm[0] + 1.0, tab.half_mm[1] + 1.0, 4.0])
    return slab(tab.centre_mm + tab.normal * 4.0, axes, half, 0.0)
