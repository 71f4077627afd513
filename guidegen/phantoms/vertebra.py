"""A vertebra as an implicit shape in its own frame.

Origin in the body's centre, x to the patient's left, y to the back, z to the head. Every part is a
closed shape; arch and body are joined with fillets, the canal is cut out last, so that it is open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.phantoms import shapes
from guidegen.phantoms.fracture import dented, fragment_part
from guidegen.phantoms.shapes import Distances, Points
from guidegen.phantoms.sizes import Sizes

Part = Callable[[Points], Distances]
SIDES = (("left", 1.0), ("right", -1.0))
CANAL_INTO_BODY_MM = 1.5
"""How far the canal's ellipse hollows the back of the body."""
CANAL_EDGE_MM, RIM_MM, FILLET_MM = 1.2, 2.0, 1.5
"""How wide the canal's edge and the endplates' rims are rounded, and a fragment's foot."""
ROOT_MM, DENTED_ROOT_MM = 16.0, 10.0
"""How far a pedicle's rod goes on into the body: shorter where it would rise through a dent."""
TUBE_LONGER_MM, TUBE_LOWER_MM = 3.0, 6.0
"""A tube pedicle is bare over this much more of its length, and lies lower in the body, so that
neither the arch nor an endplate limits the corridor along its axis."""


@dataclass(frozen=True)
class Pedicle:
    """One pedicle: sizes of its rod, mm and degrees; a tube is of even thickness."""

    width: float
    height: float
    convergence: float
    sagittal: float
    tube: bool = False


@dataclass(frozen=True, eq=False)
class Joint:
    """A facet joint as one vertebra sees it, in that vertebra's frame.

    Args:
        centre: (3,) middle of the joint space.
        normal: (3,) from the lower vertebra's process to the upper one's.
        up: (3,) along the joint, to the head.
        gap: Width of the joint space, mm.
    """

    centre: Floats
    normal: Floats
    up: Floats
    gap: float


@dataclass(frozen=True, eq=False)
class Vertebra:
    """Everything that shapes one vertebra.

    Args:
        level: ``L3``.
        sizes: Of this level.
        lumbar: 0 thoracic to 1 lumbar.
        pedicles: By side.
        above: Facet joints to the vertebra above, by side.
        below: Facet joints to the vertebra below, by side.
    """

    level: str
    sizes: Sizes
    lumbar: float
    pedicles: dict[str, Pedicle]
    above: dict[str, Joint]
    below: dict[str, Joint]

    @property
    def half_height(self) -> float:
        """Half the body's height at its centre."""
        return self.sizes.height / 2

    @property
    def canal_centre(self) -> Floats:
        """(3,): the canal's middle at the height of the pedicles."""
        s = self.sizes
        y = s.depth / 2 + s.canal_depth / 2 - CANAL_INTO_BODY_MM
        return np.array([0.0, y, self.pedicle_height_z("left")])

    @property
    def canal_back(self) -> float:
        """Where the canal's back edge lies: y."""
        return self.sizes.depth / 2 + self.sizes.canal_depth - CANAL_INTO_BODY_MM

    def pedicle_height_z(self, side: str) -> float:
        """Height of the pedicle's axis at its narrowest place: z, in the body's upper half."""
        pedicle = self.pedicles[side]
        lower = 0.7 + (TUBE_LOWER_MM if pedicle.tube else 0.0)
        return self.half_height - pedicle.height / 2 - lower

    def isthmus(self, side: str) -> Floats:
        """(3,): the pedicle rod's narrowest place."""
        sign = 1.0 if side == "left" else -1.0
        pedicle = self.pedicles[side]
        x = self.sizes.canal_width / 2 + pedicle.width / 2 + (1.4 if pedicle.tube else 0.4)
        y = self.sizes.depth / 2 + 3.2 + (TUBE_LONGER_MM / 2 if pedicle.tube else 0.0)
        return np.array([sign * x, y, self.pedicle_height_z(side)])

    def pedicle_axes(self, side: str) -> Floats:
        """(3, 3): columns width, height, along (going in, to the front)."""
        sign = 1.0 if side == "left" else -1.0
        a, s = np.radians(self.pedicles[side].convergence), np.radians(self.pedicles[side].sagittal)
        along = np.array([-sign * np.sin(a) * np.cos(s), -np.cos(a) * np.cos(s), np.sin(s)])
        width = np.cross([0.0, 0.0, 1.0], along)
        width /= np.linalg.norm(width)
        return np.stack([width, np.cross(along, width), along], axis=1)

    def endplate(self, upper: bool) -> tuple[Floats, Floats]:
        """Centre (3,) and outward normal (3,) of an endplate."""
        half = np.radians(self.sizes.wedge) / 2
        up = 1.0 if upper else -1.0
        normal = np.array([0.0, -np.sin(half), up * np.cos(half)])
        return np.array([0.0, 0.0, up * self.half_height]), normal

    @property
    def waist(self) -> float:
        """How much narrower the body is at mid-height than at its endplates, mm a side."""
        return 1.8 + 0.7 * self.lumbar

    @property
    def spinous_start(self) -> Floats:
        """(3,): where the spinous process leaves the laminae."""
        z = -6.0 if self.lumbar < 0.5 else -7.0
        return np.array([0.0, self.canal_back + 3.5, z])

    @property
    def spinous_axis(self) -> Floats:
        """(3,): from the laminae to the tip."""
        slope = np.radians(self.sizes.slope)
        return np.array([0.0, np.cos(slope), -np.sin(slope)])

    def bounds(self) -> Floats:
        """(2, 3): a box that holds the whole vertebra."""
        s = self.sizes
        x = max(s.width / 2, s.transverse) + 8
        tip = self.spinous_start + self.spinous_axis * s.spinous
        low = min(-self.half_height - s.disc - 22, tip[2] - 14)
        return np.array(
            [[-x, -s.depth / 2 - 4, low], [x, tip[1] + 12, self.half_height + s.disc + 14]]
        )


def body(v: Vertebra, p: Points) -> tuple[Distances, Distances]:
    """Measure to the body, and to its endplate planes alone (the larger of the two)."""
    s, half = v.sizes, v.half_height
    grow = v.waist * (1.0 - np.minimum((p[2] / half) ** 2, 1.0))
    side = shapes.ellipse(p[0], p[1], s.width / 2 - grow, s.depth / 2 - grow)
    plates = np.maximum(*(shapes.plane(p, *v.endplate(upper)) for upper in (True, False)))
    if s.dent > 0:
        plates = dented(s, p, plates)
    return shapes.smooth_cut(side, plates, RIM_MM), plates


def canal(v: Vertebra, p: Points) -> Distances:
    """Measure to the canal: an elliptic tube along z, without end."""
    s = v.sizes
    y = s.depth / 2 + s.canal_depth / 2 - CANAL_INTO_BODY_MM
    return shapes.ellipse(p[0], p[1] - p.dtype.type(y), s.canal_width / 2, s.canal_depth / 2)


def _frame(along: Floats, up: Floats) -> Floats:
    """Axes as columns: along, across, up (made square to along)."""
    first = along / np.linalg.norm(along)
    third = up - first * (up @ first)
    third = third / np.linalg.norm(third)
    return np.stack([first, np.cross(third, first), third], axis=1)


def _between(start: Floats, end: Floats, up: Floats, half: tuple[float, float], r: float) -> Part:
    """Make a plate from start to end: half thickness and half height, edges rounded by r."""
    axes = _frame(end - start, up)
    sizes = (float(np.linalg.norm(end - start)) / 2 + r, half[0], half[1])
    centre = (start + end) / 2
    return lambda p: shapes.box(p, centre, axes, sizes, r)


def rod(start: Floats, end: Floats, radius: float, end_radius: float | None = None) -> Part:
    """Make a rounded rod."""
    return lambda p: shapes.capsule(p, start, end, radius, end_radius)


def _clipped(part: Part, joint: Joint, sense: float) -> Part:
    """Cut a process at its facet: ``sense`` 1 keeps the lower vertebra's side."""
    at = joint.centre - sense * joint.normal * joint.gap / 2
    return lambda p: shapes.smooth_cut(part(p), shapes.plane(p, at, sense * joint.normal), 0.8)


def pedicle_part(v: Vertebra, side: str) -> Part:
    """Make the pedicle's rod."""
    ped, centre, axes = v.pedicles[side], v.isthmus(side), v.pedicle_axes(side)
    half = (ped.width / 2, ped.height / 2)
    forth = ROOT_MM if v.sizes.dent == 0 else DENTED_ROOT_MM
    reach = (9.0 + TUBE_LONGER_MM, forth, 0.0) if ped.tube else (9.0, forth, 0.22)
    return lambda p: shapes.elliptic_rod(p, centre, axes, half, reach)


def pillar(v: Vertebra, side: str) -> Floats:
    """(3,): where pedicle, processes and lamina meet."""
    far = 8.0 + v.lumbar + (TUBE_LONGER_MM if v.pedicles[side].tube else 0.0)
    back = v.isthmus(side) - v.pedicle_axes(side)[:, 2] * far
    return np.asarray(back + np.array([0.0, 0.0, -1.5 * v.lumbar]))


def superior_process(v: Vertebra, side: str) -> Part | None:
    """Make the upper articular process, cut at its facet."""
    joint = v.above.get(side)
    if joint is None:
        return None
    off, r, reach = (3.4, 5.3, 4.0) if v.lumbar > 0.5 else (2.4, 4.2, 2.5)
    core = joint.centre - joint.normal * off
    tip = _clipped(rod(core - joint.up * reach, core + joint.up * reach, r), joint, 1.0)
    stem = _clipped(rod(pillar(v, side), core - joint.up * reach, r, r - 0.5), joint, 1.0)
    return lambda p: shapes.smooth_union(tip(p), stem(p), 2.0)


def inferior_process(v: Vertebra, side: str) -> Part | None:
    """Make the lower articular process with the pars that carries it."""
    joint = v.below.get(side)
    if joint is None:
        return None
    off, r, reach = (3.4, 5.3, 4.5) if v.lumbar > 0.5 else (2.6, 4.2, 2.5)
    core = joint.centre + joint.normal * off
    top = core + joint.up * reach
    tip = _clipped(rod(core - joint.up * reach, top, r), joint, -1.0)
    start = pillar(v, side)
    mid = 0.5 * (start + top) + np.array([0.0, 1.0, 0.0])
    pars, foot = rod(start, mid, 4.6 + 0.6 * v.lumbar), rod(mid, top, 4.6 + 0.6 * v.lumbar, r)
    return lambda p: shapes.smooth_union(
        shapes.smooth_union(tip(p), _clipped(foot, joint, -1.0)(p), 2.0), pars(p), 2.0
    )


def lamina(v: Vertebra, side: str) -> Part:
    """Make one lamina: a plate from the pillar to the midline, lower edge farther back."""
    start = pillar(v, side)
    lumbar = v.lumbar > 0.5
    low = -4.0 if lumbar else -5.0
    wide = start[0] * (0.72 if lumbar else 0.85)
    outer = np.array([wide, v.canal_back + (0.5 if lumbar else 1.2), low])
    inner = np.array([0.0, v.canal_back + 3.6, low - 1.5])
    tilt = np.radians(14.0 if lumbar else 18.0)
    up = np.array([0.0, -np.sin(tilt), np.cos(tilt)])
    half = (3.3, 8.5) if lumbar else (3.0, 8.0)
    return _between(outer, inner, up, half, 2.2)


def transverse(v: Vertebra, side: str) -> Part:
    """Make one transverse process: flat and level (lumbar), or a club pointing back (thoracic)."""
    sign = 1.0 if side == "left" else -1.0
    root, s = pillar(v, side), v.sizes
    if v.level in ("L1", "L2", "L3", "L4", "L5"):
        start = v.isthmus(side) + np.array([sign * (v.pedicles[side].width / 2 - 2), 6.0, -2.5])
        end = np.array([sign * s.transverse, start[1] + 4.0, start[2] + 1.5])
        deep, high = (5.0, 7.0) if v.level == "L5" else (3.2, 5.5)
        return _between(start, end, np.array([0.0, 0.0, 1.0]), (deep, high), deep - 0.4)
    tip = np.array([sign * s.transverse, root[1] + 8.5, root[2] + 2.5])
    thick = 4.2 if v.level not in ("T11", "T12") else 3.8
    return rod(root, tip, thick + 0.6, thick + (0.7 if s.transverse > 25 else 0.0))


def spinous(v: Vertebra) -> Part:
    """Make the spinous process: a hatchet (lumbar) or a long sloping blade (thoracic)."""
    along, start, s = v.spinous_axis, v.spinous_start, v.sizes
    end = start + along * s.spinous
    axes = _frame(along, np.array([0.0, 0.0, 1.0]))
    high = 5.0 + 4.5 * v.lumbar
    blade = _between(start, end, axes[:, 2], (3.1 + 0.3 * v.lumbar, high), 2.6)
    rise = axes[:, 2] * max(high - 4.5, 0.3)
    tip = rod(end - rise - along * 2.5, end + rise * 0.5 - along * 2.5, 4.6, 4.0)
    return lambda p: shapes.smooth_union(blade(p), tip(p), 3.0)


def arch_parts(v: Vertebra) -> list[tuple[Part, float]]:
    """List everything behind the body, each part with the blend to those before it."""
    parts: list[tuple[Part, float]] = [(spinous(v), 4.0)]
    for side, _ in SIDES:
        parts += [(lamina(v, side), 4.0), (pedicle_part(v, side), 3.0)]
        for process in (inferior_process(v, side), superior_process(v, side)):
            if process is not None:
                parts.append((process, 2.5))
        parts.append((transverse(v, side), 4.0))
    return parts


class VertebraField:
    """The whole vertebra as one function of points in its own frame."""

    def __init__(self, vertebra: Vertebra) -> None:
        self.vertebra = vertebra
        self._parts = arch_parts(vertebra)

    def __call__(self, points: Points) -> tuple[Distances, Distances]:
        """Measure points (3, N): distance, negative inside, and cortex thickness there, mm."""
        trunk, plates = body(self.vertebra, points)
        arch = self._parts[0][0](points)
        for part, blend in self._parts[1:]:
            arch = shapes.smooth_union(arch, part(points), blend)
        joined = shapes.smooth_union(trunk, arch, 2.5)
        whole = shapes.smooth_cut(joined, -canal(self.vertebra, points), CANAL_EDGE_MM)
        fragment = self.vertebra.sizes.fragment
        if fragment > 0:
            bulge = fragment_part(self.vertebra.sizes, CANAL_INTO_BODY_MM, points)
            whole = shapes.smooth_union(whole, bulge, min(FILLET_MM, fragment))
        off_plate = np.clip(np.abs(whole - plates) / 0.7, 0.0, 1.0)
        return whole, 0.5 + 0.5 * off_plate
