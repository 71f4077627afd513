"""The bones round a leg's femur and tibia, and all of them with cortex, marrow and metal.

Fibula, patella, foot and pelvis are simple shapes that keep clear of femur and tibia; only the
fibula's lower end is a landmark. The sizes are engineering choices near those of an adult.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.phantoms.leg import PosedLeg, moved
from guidegen.phantoms.shapes import Distances, Points, box, capsule, ellipsoid, plane
from guidegen.phantoms.shapes import smooth_cut as both
from guidegen.phantoms.shapes import smooth_union as joined

Distance = Callable[[Points], Distances]
MARROW_HU, METAL_HU = -30.0, 3000.0
THIN_MM = 1.0
_CARE_MM, _EDGE_MM = 3.0, 0.6
MALLEOLUS_MM = 8.0


@dataclass(frozen=True, eq=False)
class LegSolid:
    """One thing that the scan shows.

    Args:
        name: ``femur_left``, ``femur_left marrow``, ...
        distance: Patient points (3, N) to distances, negative inside.
        depth: Patient points (3, N) to the cortex's thickness there, mm.
        corners_mm: (8, 3) corners of a box that holds it, LPS.
        uniform_hu: Of all of it; None is cortex round cancellous bone.
    """

    name: str
    distance: Distance
    depth: Distance
    corners_mm: Floats
    uniform_hu: float | None = None

    def measure(self, points_mm: Points) -> tuple[Distances, Distances]:
        """Measure patient points (3, N): distance, negative inside, and cortex thickness, mm."""
        return self.distance(points_mm), self.depth(points_mm)


@dataclass(frozen=True, eq=False)
class _Part:
    """A shape in the frame of femur or tibia (of a right leg) with the box that holds it."""

    frame: str
    distance: Distance
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    depth: Distance | None = None


def leg_solids(leg: PosedLeg) -> Iterator[LegSolid]:
    """Give all that the scan shows of a leg, in the order in which it is laid into the scan."""
    femur, tibia = femur_part(leg), tibia_part(leg)
    fibula = _clear(leg, _fibula(leg), (tibia,), 1.5)
    talus = _clear(leg, _talus(leg), (tibia, fibula), 2.5)
    parts = {
        "femur": femur,
        "tibia": tibia,
        "fibula": fibula,
        "patella": _clear(leg, _patella(), (femur,), 3.0),
        "talus": talus,
        "calcaneus": _clear(leg, _calcaneus(leg), (talus, tibia, fibula), 2.5),
        "pelvis": _clear(leg, _pelvis(leg), (femur,), 4.0),
    }
    for name, part in parts.items():
        yield _solid(leg, name, part)
    for name, part in _marrow(leg, femur, tibia).items():
        yield _solid(leg, f"{name} marrow", part, MARROW_HU)
    for name, part in _metal(leg, femur, tibia).items():
        yield _solid(leg, name, part, METAL_HU)


def _solid(leg: PosedLeg, name: str, part: _Part, hu: float | None = None) -> LegSolid:
    to_patient = leg.place(part.frame)
    pick = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    ends = np.array([part.low, part.high])
    corners = moved(to_patient, np.stack([ends[pick[:, n], n] for n in range(3)], axis=1))
    inverse = np.asarray(np.linalg.inv(to_patient), dtype=np.float64)

    def distance(points: Points) -> Distances:
        return part.distance(_carried(inverse, points))

    def depth(points: Points) -> Distances:
        if part.depth is None:
            return np.full(points.shape[1], THIN_MM, dtype=points.dtype)
        return part.depth(_carried(inverse, points))

    word, *rest = name.split(" ")
    return LegSolid(" ".join([f"{word}_{leg.side}", *rest]), distance, depth, corners, hu)


def _carried(matrix: Floats, points: Points) -> Points:
    m = matrix.astype(points.dtype)
    return np.asarray(m[:3, :3] @ points + m[:3, 3:])


def _clear(leg: PosedLeg, part: _Part, others: tuple[_Part, ...], gap_mm: float) -> _Part:
    """The part where it keeps clear of others: it alone gives way."""
    place = leg.place(part.frame)
    ways: list[Floats] = [np.linalg.inv(leg.place(other.frame)) @ place for other in others]

    def distance(points: Points) -> Distances:
        whole = part.distance(points)
        near = np.flatnonzero(whole < _CARE_MM)
        close = np.ascontiguousarray(points[:, near])
        for other, way in zip(others, ways, strict=True):
            limit = gap_mm - other.distance(_carried(way, close))
            whole[near] = both(whole[near], limit, _EDGE_MM)
        return whole

    return _Part(part.frame, distance, part.low, part.high, part.depth)


def femur_part(leg: PosedLeg) -> _Part:
    """The femur with its cortex: thick along the shaft, thin at the ends."""
    femur, top = leg.femur, leg.femur.length_mm
    heights = (40.0, 60.0, 130.0, top - 130.0, top - 60.0, top - 40.0)
    thick = (THIN_MM, 1.5, 5.0, 5.0, 2.0, THIN_MM)

    def depth(points: Points) -> Distances:
        return np.asarray(np.interp(points[2], heights, thick), dtype=points.dtype)

    head = leg.femur.head_mm
    aside = -30.0 - top * np.tan(np.radians(max(femur.valgus_deg, 0.0)))
    low, high = (min(aside, -52.0), -44.0, -22.0), (52.0, 48.0, top + head + 2.0)
    return _Part("femur", femur.distance, low, high, depth)


def tibia_part(leg: PosedLeg) -> _Part:
    """The tibia with its cortex."""
    tibia, foot = leg.tibia, -leg.tibia.length_mm
    heights = (foot + 35.0, foot + 60.0, foot + 120.0, -120.0, -70.0, -45.0)
    thick = (THIN_MM, 1.5, 4.0, 4.0, 2.0, THIN_MM)

    def depth(points: Points) -> Distances:
        return np.asarray(np.interp(points[2], heights, thick), dtype=points.dtype)

    half = tibia.half_width_mm + 2.0
    low, high = (-half, -42.0, foot - 16.0), (half, 34.0, 6.0)
    return _Part("tibia", tibia.distance, low, high, depth)


def malleolus_lateral(leg: PosedLeg) -> Floats:
    """(3,): the fibula's lowest point, in the tibia's frame."""
    return np.array([-26.0, 5.0, -leg.tibia.length_mm - 13.0 - MALLEOLUS_MM])


def _fibula(leg: PosedLeg) -> _Part:
    foot = -leg.tibia.length_mm
    tip = malleolus_lateral(leg) + np.array([0.0, 0.0, MALLEOLUS_MM])

    def distance(p: Points) -> Distances:
        head = capsule(p, (-34.0, 18.0, -28.0), (-33.0, 17.0, -40.0), 9.5, 7.0)
        shaft = capsule(p, (-33.0, 17.0, -40.0), (-26.0, 6.0, foot + 20.0), 6.5, 6.5)
        lower = capsule(p, (-26.0, 6.0, foot + 20.0), tip, 7.0, MALLEOLUS_MM)
        return joined(joined(head, shaft, 4.0), lower, 4.0)

    def depth(p: Points) -> Distances:
        heights = (foot + 10.0, foot + 60.0, -80.0, -45.0)
        return np.asarray(np.interp(p[2], heights, (THIN_MM, 2.8, 2.8, THIN_MM)), dtype=p.dtype)

    return _Part("tibia", distance, (-46.0, -6.0, foot - 24.0), (-14.0, 30.0, -16.0), depth)


def _patella() -> _Part:
    def distance(p: Points) -> Distances:
        return ellipsoid(p, (-2.0, -48.0, 28.0), (22.0, 12.0, 22.0))

    return _Part("femur", distance, (-26.0, -62.0, 4.0), (22.0, -34.0, 52.0))


def _talus(leg: PosedLeg) -> _Part:
    foot = -leg.tibia.length_mm

    def distance(p: Points) -> Distances:
        body = box(p, (-2.0, -1.0, foot - 13.0), np.eye(3), (15.0, 21.0, 14.0), 7.0)
        head = capsule(p, (-1.0, -16.0, foot - 18.0), (5.0, -38.0, foot - 21.0), 10.0, 11.0)
        return joined(body, head, 6.0)

    return _Part("tibia", distance, (-20.0, -52.0, foot - 36.0), (20.0, 24.0, foot + 4.0))


def _calcaneus(leg: PosedLeg) -> _Part:
    foot = -leg.tibia.length_mm

    def distance(p: Points) -> Distances:
        return capsule(p, (-8.0, -28.0, foot - 46.0), (-4.0, 42.0, foot - 50.0), 13.0, 17.0)

    return _Part("tibia", distance, (-26.0, -46.0, foot - 72.0), (18.0, 62.0, foot - 26.0))


def _pelvis(leg: PosedLeg) -> _Part:
    """Half a pelvis: a cup over the head, the wing above it, and two rami."""
    top, head = leg.femur.length_mm, leg.femur.head_mm
    centre = np.array([0.0, 0.0, top])

    def at(x: float, y: float, z: float) -> Floats:
        return np.asarray(centre + np.array([x, y, z]))

    def distance(p: Points) -> Distances:
        ball = capsule(p, centre, centre + 1e-3, head + 15.0)
        cup = both(ball, plane(p, centre, (-0.68, -0.1, -0.72)), 2.0)
        wing = ellipsoid(p, at(16.0, 14.0, 62.0), (13.0, 40.0, 48.0))
        seat = capsule(p, at(20.0, 24.0, -10.0), at(14.0, 34.0, -64.0), 13.0)
        front = capsule(p, at(24.0, -14.0, 0.0), at(74.0, -36.0, -26.0), 9.0)
        return joined(joined(cup, wing, 8.0), np.minimum(seat, front), 6.0)

    low, high = (-42.0, -52.0, top - 82.0), (86.0, 60.0, top + 114.0)
    return _Part("femur", distance, low, high)


def _marrow(leg: PosedLeg, femur: _Part, tibia: _Part) -> dict[str, _Part]:
    """Fat in the shafts' canals."""
    top, foot = leg.femur.length_mm, -leg.tibia.length_mm
    ranges = {"femur": (femur, 95.0, top - 85.0), "tibia": (tibia, foot + 75.0, -75.0)}
    found = {}
    for name, (part, low, high) in ranges.items():

        def distance(
            p: Points, part: _Part = part, low: float = low, high: float = high
        ) -> Distances:
            inner = part.distance(p) + (part.depth(p) if part.depth else THIN_MM)
            return np.asarray(np.maximum(inner, np.maximum(low - p[2], p[2] - high)))

        ends = ((*part.low[:2], low - 2.0), (*part.high[:2], high + 2.0))
        found[name] = _Part(part.frame, distance, *ends)
    return found


def _metal(leg: PosedLeg, femur: _Part, tibia: _Part) -> dict[str, _Part]:
    """A hip stem with its ball, or a knee's three metal parts, without streaks."""
    found: dict[str, _Part] = {}
    if "hip_stem" in leg.shape.metal:
        found["stem"] = _stem(leg, femur)
    if "knee" in leg.shape.metal:

        def shell(p: Points) -> Distances:
            return np.asarray(np.maximum(np.abs(femur.distance(p) + 3.0) - 3.0, p[2] - 14.0))

        def tray(p: Points) -> Distances:
            flat = np.maximum(np.abs(p[2] + 12.0) - 2.5, tibia.distance(p))
            keel = capsule(p, (0.0, 0.0, -12.0), (0.0, 0.0, -52.0), 7.0)
            return np.asarray(np.minimum(flat, keel))

        found["shell"] = _Part("femur", shell, femur.low, (*femur.high[:2], 16.0))
        found["tray"] = _Part("tibia", tray, (*tibia.low[:2], -62.0), tibia.high)
    return found


def _stem(leg: PosedLeg, femur: _Part) -> _Part:
    top = leg.femur.length_mm
    way = leg.femur.shaft_up()
    _, high = leg.femur.shaft_ends()
    tip = high - 120.0 * way

    def distance(p: Points) -> Distances:
        ball = capsule(p, (0.0, 0.0, top), (0.0, 0.0, top + 1e-3), 14.0)
        neck = capsule(p, (0.0, 0.0, top), high + 5.0 * way, 7.0)
        rod = capsule(p, high + 5.0 * way, tip, 8.0, 6.0)
        return np.asarray(np.minimum.reduce([ball, neck, rod]))

    low: Any = (*femur.low[:2], float(tip[2]) - 10.0)
    return _Part("femur", distance, low, femur.high)
