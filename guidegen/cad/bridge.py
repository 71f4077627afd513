"""What joins both sides: arms from the contacts to the sleeves, the bridge and the grip plate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.cad.contact import Contact
from guidegen.cad.parts import Part, ribbon, slab, strand
from guidegen.cad.settings import GuideSettings
from guidegen.cad.sleeve import Sleeve
from guidegen.mesh.grid import Lattice
from guidegen.model.arrays import Floats

_N_POINTS = 41
_BELOW_TOP_MM = 3.0
_DRILL_MM = 2.0
"""Room between the space over a sleeve, where the drill turns, and an arch that rises beside it."""
_MAX_GRIP_MM = 27.0
_GRIP_THICK_MM = 4.5


def _heights(lattice: Lattice, top: Floats, x: Floats, y: Floats, reach_mm: float) -> Floats:
    """Highest ``top`` within +-reach of each (x, y)."""
    n = int(np.ceil(reach_mm / lattice.spacing_mm))
    i = np.round((x - lattice.origin_mm[0]) / lattice.spacing_mm).astype(int)
    j = np.round((y - lattice.origin_mm[1]) / lattice.spacing_mm).astype(int)
    shift = np.arange(-n, n + 1)
    rows = np.clip(i[:, None, None] + shift[None, :, None], 0, lattice.shape[0] - 1)
    columns = np.clip(j[:, None, None] + shift[None, None, :], 0, lattice.shape[1] - 1)
    return np.asarray(top[rows, columns].max(axis=(1, 2)))


def arm(contact: Contact, sleeve: Sleeve, lattice: Lattice, top: Floats, thick_mm: float) -> Part:
    """A round bar from a contact to the sleeve's foot, lying over the bone's shadow.

    Args:
        contact: Where it starts.
        sleeve: Where it ends, 2.5 mm over the foot.
        lattice: Of ``top``.
        top: (nx, ny) height of the relieved shadow's surface.
        thick_mm: Left over the shadow at least.
    """
    start = contact.point_mm + 2.4 * contact.normal
    end = sleeve.at(sleeve.foot_mm + 2.5)
    t = np.linspace(0, 1, 9)[:, None]
    line = start + t * (end - start)
    need = _heights(lattice, top, line[:, 0], line[:, 1], 0.0) + thick_mm / 2
    raised = np.maximum(line[:, 2], need)
    raised[[0, -1]] = line[[0, -1], 2]
    for _ in range(2):
        soft = raised.copy()
        soft[1:-1] = (raised[:-2] + 2 * raised[1:-1] + raised[2:]) / 4
        raised[1:-1] = np.maximum(soft, need)[1:-1]
    line[:, 2] = raised
    return strand(line, thick_mm / 2 + 1.0)


def _hull(x: Floats, need: Floats) -> Floats:
    """Smallest concave curve over ``need`` at ascending ``x``."""
    kept: list[int] = []
    for n in range(len(x)):
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            straight = need[a] + (need[n] - need[a]) * (x[b] - x[a]) / (x[n] - x[a])
            if need[b] > straight:
                break
            kept.pop()
        kept.append(n)
    return np.asarray(np.interp(x, x[kept], need[kept]))


def _smoothed(curve: Floats, need: Floats) -> Floats:
    """Round the corners of a curve, ends fixed, nowhere under ``need``."""
    out = curve.copy()
    for _ in range(12):
        out[1:-1] = (out[:-2] + 2 * out[1:-1] + out[2:]) / 4
    return np.maximum(out, need)


def arch(
    sleeves: tuple[Sleeve, Sleeve], lattice: Lattice, top: Floats, settings: GuideSettings
) -> Floats:
    """The bridge's middle line (41, 3) from sleeve to sleeve, over or beside what stands between.

    Lines that bow to the head or to the feet by up to 14 mm are tried; the lowest one, counting
    each mm sideways as 0.3 mm of height, is taken. It leaves the sleeves level, so that it never
    stands over one, and then rises to a concave arch over ``top``.

    Args:
        sleeves: In any order.
        lattice: Of ``top``.
        top: (nx, ny) height under which the bridge must not be.
        settings: Width and thickness.
    """
    ends = sorted((s.at(s.top_mm - _BELOW_TOP_MM) for s in sleeves), key=lambda p: float(p[0]))
    t = np.linspace(0, 1, _N_POINTS)
    line = ends[0] + t[:, None] * (ends[1] - ends[0])
    ramp = np.clip(np.minimum(t, 1 - t) / 0.35, 0, 1)
    bow = ramp * ramp * (3 - 2 * ramp)
    reach = settings.bridge_width_mm / 2
    span = float(ends[1][0] - ends[0][0])
    knee = min((settings.sleeve_outer_mm + settings.body_thickness_mm) / 2 + _DRILL_MM, 0.3 * span)
    level = np.minimum(t, 1 - t) * span < knee
    rising = ~level | np.roll(~level, 1) | np.roll(~level, -1)
    best, chosen = np.inf, line
    for shift in np.arange(-14.0, 14.1, 2.0):
        curve = line.copy()
        curve[:, 1] += shift * bow
        need = _heights(lattice, top, curve[:, 0], curve[:, 1], reach)
        need = np.maximum(need + settings.body_thickness_mm / 2, line[:, 2])
        need[level] = line[level, 2]
        curve[rising, 2] = _hull(curve[rising, 0], need[rising])
        curve[:, 2] = _smoothed(curve[:, 2], need)
        cost = float((curve[:, 2] - line[:, 2]).max()) + 0.3 * abs(shift)
        if cost < best - 1e-9:
            best, chosen = cost, curve
    return chosen


def bridge(line: Floats, settings: GuideSettings) -> Part:
    """The flat bar along the arch."""
    return ribbon(line, settings.bridge_width_mm, settings.body_thickness_mm)


@dataclass(frozen=True, eq=False)
class Grip:
    """The plate in the middle of the bridge: thumb rest and label.

    Args:
        centre_mm: (3,) middle of its face, which looks along +z.
        half_mm: Half sizes in x and y.
        under_mm: Height of the bridge under it.
    """

    centre_mm: Floats
    half_mm: tuple[float, float]
    under_mm: float

    @property
    def thick_mm(self) -> float:
        """Of the plate."""
        return _GRIP_THICK_MM


def room_for_grip(line: Floats, sleeves: tuple[Sleeve, Sleeve]) -> float:
    """Width in x that the grip may take so that drill and chuck pass beside it."""
    middle = line[len(line) // 2]
    room = _MAX_GRIP_MM
    for sleeve in sleeves:
        axis = sleeve.at(sleeve.top_mm)
        apart = abs(float(axis[0] - middle[0])) - sleeve.outer_mm / 2 - 2.0
        room = min(room, 2 * apart)
    return room


def place_grip(line: Floats, half_mm: tuple[float, float], lattice: Lattice, top: Floats) -> Grip:
    """Put the grip on the bridge's middle, high enough to be free of bone.

    Args:
        line: The bridge's middle line.
        half_mm: Half sizes of the plate in x and y.
        lattice: Of ``top``.
        top: (nx, ny) height under which the grip must not be.
    """
    middle = line[len(line) // 2]
    x = middle[0] + np.linspace(-half_mm[0], half_mm[0], 9)
    y = middle[1] + np.linspace(-half_mm[1], half_mm[1], 9)
    grid_x, grid_y = (g.ravel() for g in np.meshgrid(x, y))
    need = float(_heights(lattice, top, grid_x, grid_y, 1.0).max())
    bottom = max(need, float(line[:, 2].max()) - 1.0)
    centre = np.array([middle[0], middle[1], bottom + _GRIP_THICK_MM])
    return Grip(centre, half_mm, float(middle[2]))


def grip_plate(grip: Grip) -> Part:
    """The plate."""
    half = np.array([*grip.half_mm, grip.thick_mm / 2])
    return slab(grip.centre_mm - [0, 0, grip.thick_mm / 2], np.eye(3), half, 1.4)


def grip_stem(grip: Grip) -> Part:
    """The stem between bridge and plate."""
    low, high = grip.under_mm, float(grip.centre_mm[2]) - grip.thick_mm / 2
    centre = np.array([grip.centre_mm[0], grip.centre_mm[1], (low + high) / 2])
    half = np.array([min(5.0, grip.half_mm[0]), 4.0, abs(high - low) / 2 + 1.5])
    return slab(centre, np.eye(3), half, 1.2)


def over_grip(grip: Grip) -> Part:
    """Space over the plate, so that blending leaves it flat."""
    half = np.array([grip.half_mm[0] + 1.5, grip.half_mm[1] + 1.5, 6.0])
    return slab(grip.centre_mm + np.array([0, 0, 6.0]), np.eye(3), half, 0.0)
