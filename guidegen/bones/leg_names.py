"""Which piece of bone is which: knees and shafts first, then what lies beside and below them."""

from __future__ import annotations

from dataclasses import dataclass, field

import edt
import numpy as np
from scipy import ndimage

from guidegen.bones.leg_pieces import contact_areas
from guidegen.bones.leg_scan import LegScan
from guidegen.bones.leg_shafts import Shaft, companions
from guidegen.bones.leg_waists import Waist
from guidegen.model.arrays import Floats

NEAR_SHAFT_MM = 260.0
LONG_SHAFT_MM = 80.0
PATELLA_ML = (4.0, 50.0)
TALUS_ML = (12.0, 75.0)
FIBULA_MM2 = 450.0
"""A fibula's section is smaller, its head and malleolus too (engineering choice)."""
BESIDE_MM = 9.0
"""A fibula comes nearer to its tibia than this, a patella to its femur (engineering choice)."""
FOOT_MM, FOOT_BESIDE_MM, FOOT_MM2 = 100.0, 75.0, 60.0
"""Less bone than this, beside a waist's middle and so near below it, is where a heel ends."""
JOINT_MM = 15.0
"""Nearer to a waist there may be no bone because it is a joint (engineering choice)."""
SURE_SHAFT_MM = 120.0
"""No part of a pelvis runs on as a shaft for so long; a femur that is scanned alone, with no knee,
does (engineering choice: 250 mm in a whole one)."""
HEAD_MM = 16.0
"""A ball as large fits into a femoral head, and into no part of a pelvis (engineering choice)."""
SAME_LEG_MM = 170.0
"""Blocks of one leg lie nearer to each other than this, seen along the leg (engineering choice)."""
CRUMB_ML = 9.0
CRUMB_CONTACT = 0.12
"""A crumb belongs to a bone that so much of its surface lies on (engineering choice)."""


@dataclass
class Leg:
    """Labels of one leg's bones by name without the leg: ``femur``, ``femur_proximal``, ...

    Args:
        knee: Its waist, if in view.
        labels: Name to label.
        beside_mm: (2,) where it lies across the slices.
    """

    knee: Waist | None
    beside_mm: Floats
    labels: dict[str, int] = field(default_factory=dict)


def true_knees(
    scan: LegScan, solid: np.ndarray, waists: list[Waist], shafts: list[Shaft]
) -> list[Waist]:
    """Waists that are neither ankles (tibia and fibula above) nor hips (a femur below) nor feet."""
    step = scan.step_mm
    return [
        w
        for w in waists
        if not _is_ankle(w, shafts, step)
        and not _is_hip(w, shafts, step)
        and not _is_foot(w, solid, scan)
    ]


def paired(shafts: list[Shaft]) -> list[tuple[Shaft, Shaft]]:
    """Shafts of tibiae with those of their fibulae."""
    return [(a, b) for a in shafts for b in shafts if a is not b and companions(a, b)]


def singles(shafts: list[Shaft]) -> list[Shaft]:
    """Shafts that run alone, as femora do."""
    taken = [shaft for pair in paired(shafts) for shaft in pair]
    return [shaft for shaft in shafts if all(shaft is not other for other in taken)]


def _is_ankle(waist: Waist, shafts: list[Shaft], step_mm: Floats) -> bool:
    return any(0 < _above(waist, tibia, step_mm) < NEAR_SHAFT_MM for tibia, _ in paired(shafts))


def _is_hip(waist: Waist, shafts: list[Shaft], step_mm: Floats) -> bool:
    alone = singles(shafts)
    above = [s for s in alone if 0 < _above(waist, s, step_mm) < NEAR_SHAFT_MM]
    below = [s for s in alone if 0 < _below(waist, s, step_mm) < NEAR_SHAFT_MM]
    long = any(np.ptp(s.slices) * step_mm[0] > LONG_SHAFT_MM for s in below)
    pair = any(0 < _below(waist, t, step_mm) < NEAR_SHAFT_MM for t, _ in paired(shafts))
    return long and not above and not pair


def _is_foot(waist: Waist, solid: np.ndarray, scan: LegScan) -> bool:
    """Whether all bone ends a short way below, where the scan goes on."""
    step = scan.step_mm
    at = np.rint(waist.point / step).astype(int)
    first, stop = (max(at[0] - round(low / step[0]), 0) for low in (FOOT_MM, JOINT_MM))
    reach = np.rint(FOOT_BESIDE_MM / step[1:]).astype(int)
    sides = tuple(slice(max(a - r, 0), a + r) for a, r in zip(at[1:], reach, strict=True))
    area = solid[(slice(first, stop), *sides)].sum(axis=(1, 2)) * step[1] * step[2]
    same = scan.seen[first:stop] == scan.seen[min(at[0], len(scan.seen) - 1)]
    return bool((same & (area < FOOT_MM2)).any())


def _above(waist: Waist, shaft: Shaft, step_mm: Floats) -> float:
    """How far a shaft begins above a waist; negative if it does not, or lies elsewhere."""
    near = np.linalg.norm(shaft.middles_ji_mm[0] - waist.point[1:]) < 100
    return float(shaft.slices[0] * step_mm[0] - waist.point[0]) if near else -1.0


def _below(waist: Waist, shaft: Shaft, step_mm: Floats) -> float:
    near = np.linalg.norm(shaft.middles_ji_mm[-1] - waist.point[1:]) < 100
    return float(waist.point[0] - shaft.slices[-1] * step_mm[0]) if near else -1.0


def name_legs(
    scan: LegScan,
    labels: np.ndarray,
    sections: np.ndarray,
    shafts: list[Shaft],
    knees: list[Waist],
) -> list[Leg]:
    """Name the pieces leg by leg, from the patient's right to the left."""
    legs = [_knee_leg(scan, labels, knee) for knee in knees]
    _add_shafts(legs, scan, labels, sections, shafts)
    joined = _joined_crumbs(legs, labels, scan.step_mm)
    for leg in legs:
        _add_small(leg, scan, joined, sections)
    x = scan.grid.axes_kji[0]
    order = sorted(legs, key=lambda leg: float(leg.beside_mm @ x[1:]))
    labels[:] = joined
    return order


def _knee_leg(scan: LegScan, labels: np.ndarray, knee: Waist) -> Leg:
    """Femur and tibia: the most bone on either side of the knee."""
    leg = Leg(knee, knee.point[1:])
    reach = np.array([34.0, 48.0, 48.0])
    low = np.maximum(np.floor((knee.point - reach) / scan.step_mm).astype(int), 0)
    high = np.ceil((knee.point + reach) / scan.step_mm).astype(int)
    box = tuple(slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True))
    here = labels[box]
    places = np.moveaxis(np.indices(here.shape), 0, -1) + low
    height = knee.heights(places * scan.step_mm)
    for name, there in (("femur", height > 4), ("tibia", height < -4)):
        found = np.bincount(here[there & (here > 0)])
        if len(found):
            leg.labels[name] = int(found.argmax())
    if leg.labels.get("femur") == leg.labels.get("tibia"):
        leg.labels.pop("tibia", None)
    return leg


def _add_shafts(
    legs: list[Leg],
    scan: LegScan,
    labels: np.ndarray,
    sections: np.ndarray,
    shafts: list[Shaft],
) -> None:
    """Femora, tibiae and fibulae of shafts, also where there is no knee in view."""
    for pair in paired(shafts):
        leg = _leg_near(legs, pair[0].middles_ji_mm.mean(axis=0))
        for bone, shaft in zip(("tibia", "fibula"), pair, strict=True):
            _add(leg, bone, "_distal", label_of(shaft, labels, sections), labels, scan)
    for shaft in singles(shafts):
        label = label_of(shaft, labels, sections)
        known = any(label in leg.labels.values() for leg in legs)
        long = np.ptp(shaft.slices) * scan.step_mm[0] > LONG_SHAFT_MM / 2
        sure = np.ptp(shaft.slices) * scan.step_mm[0] > SURE_SHAFT_MM
        if not known and long and (sure or _goes_on_below(label, legs, labels, scan)):
            leg = _leg_near(legs, shaft.middles_ji_mm.mean(axis=0))
            _add(leg, "femur", "_proximal", label, labels, scan)
    for leg in legs:
        if "femur" in leg.labels and "femur_proximal" not in leg.labels:
            _add_head(leg, legs, scan, labels)


def _goes_on_below(label: int, legs: list[Leg], labels: np.ndarray, scan: LegScan) -> bool:
    """True unless it ends by itself in a block without a knee, as a pelvis does."""
    block = _block(label, labels, scan)
    if any(_block(leg.labels["femur"], labels, scan) == block for leg in legs if leg.knee):
        return True
    lowest = int(np.flatnonzero((labels == label).any(axis=(1, 2)))[0])
    return bool(lowest <= np.flatnonzero(scan.seen == block)[0] + 1)


def _add_head(leg: Leg, legs: list[Leg], scan: LegScan, labels: np.ndarray) -> None:
    """Name the femur's part at the hip where a block shows little but the head.

    Nothing else at a hip is as thick all round.
    """
    knee = _block(leg.labels["femur"], labels, scan)
    named = {label for other in legs for label in other.labels.values()}
    best = HEAD_MM
    for block in range(knee + 1, int(scan.seen.max(initial=0)) + 1):
        rows = np.flatnonzero(scan.seen == block)
        here = labels[rows[0] : rows[-1] + 1]
        depth = edt.edt(here.astype(np.uint32), anisotropy=tuple(scan.step_mm), parallel=2)
        for n in range(1, int(here.max(initial=0)) + 1):
            own = np.where(here == n, depth, 0)
            place = np.unravel_index(int(own.argmax()), own.shape)
            beside = np.array(place[1:]) * scan.step_mm[1:]
            if n in named or own[place] <= best or _leg_near(legs, beside) is not leg:
                continue
            best, leg.labels["femur_proximal"] = float(own[place]), n


def _add(leg: Leg, bone: str, part: str, label: int, labels: np.ndarray, scan: LegScan) -> None:
    """Name a piece; one in another block of slices is a part, one in the same belongs to it."""
    if label in leg.labels.values():
        return
    block = _block(label, labels, scan)
    for name in (bone, bone + part):
        if name not in leg.labels:
            leg.labels[name] = label
            return
        if _block(leg.labels[name], labels, scan) == block:
            labels[labels == label] = leg.labels[name]
            return


def _block(label: int, labels: np.ndarray, scan: LegScan) -> int:
    """Number of the block of slices that a piece lies in."""
    return int(scan.seen[(labels == label).any(axis=(1, 2))].max(initial=0))


def _leg_near(legs: list[Leg], beside_mm: Floats) -> Leg:
    """The leg that lies nearest across the slices; a new one if none does."""
    near = sorted(legs, key=lambda leg: float(np.linalg.norm(leg.beside_mm - beside_mm)))
    if near and np.linalg.norm(near[0].beside_mm - beside_mm) < SAME_LEG_MM:
        return near[0]
    legs.append(Leg(None, beside_mm))
    return legs[-1]


def label_of(shaft: Shaft, labels: np.ndarray, sections: np.ndarray) -> int:
    """The piece that most of a shaft belongs to."""
    rows = slice(int(shaft.slices[0]), int(shaft.slices[-1]) + 1)
    found = labels[rows][np.isin(sections[rows], shaft.sections)]
    return int(np.bincount(found[found > 0]).argmax())


def _joined_crumbs(legs: list[Leg], labels: np.ndarray, step_mm: Floats) -> np.ndarray:
    """Small pieces given to the named bone that they lie on with much of their surface."""
    named = {label for leg in legs for label in leg.labels.values()}
    volume = np.bincount(labels.ravel()) * float(np.prod(step_mm)) / 1000
    a, b, faces = contact_areas(labels)
    new = np.arange(len(volume))
    best = np.zeros(len(volume))
    face_mm2 = float(np.prod(step_mm)) ** (2 / 3)
    for one, other, n in zip(a.tolist(), b.tolist(), faces, strict=True):
        for small, large in ((one, other), (other, one)):
            if small in named or large not in named or volume[small] > CRUMB_ML:
                continue
            share = n * face_mm2 / (4.84 * (1000 * volume[small]) ** (2 / 3))
            if share > max(best[small], CRUMB_CONTACT):
                best[small], new[small] = share, large
    return np.asarray(new[labels], dtype=labels.dtype)


def _add_small(leg: Leg, scan: LegScan, labels: np.ndarray, sections: np.ndarray) -> None:
    """Fibula, patella and talus among the pieces without a name."""
    voxel = float(np.prod(scan.step_mm)) / 1000
    volume = np.bincount(labels.ravel()) * voxel
    if "tibia" in leg.labels and leg.knee is not None and "fibula" not in leg.labels:
        near = _near(labels, leg.labels["tibia"], scan.step_mm, BESIDE_MM)
        _name(
            leg,
            "fibula",
            [
                n
                for n in np.flatnonzero(near).tolist()
                if _is_fibula(n, labels, leg.knee, scan.step_mm)
            ],
            volume,
        )
    if leg.knee is not None and "femur" in leg.labels:
        near = _near(labels, leg.labels["femur"], scan.step_mm, 2 * BESIDE_MM)
        fits = [
            n
            for n in np.flatnonzero(near).tolist()
            if _is_patella(n, labels, volume, leg.knee, scan.step_mm)
        ]
        _name(leg, "patella", fits, volume)
    tibia = leg.labels.get("tibia_distal", leg.labels.get("tibia"))
    if tibia is not None:
        near = _near(labels, tibia, scan.step_mm, BESIDE_MM)
        fits = [n for n in np.flatnonzero(near).tolist() if TALUS_ML[0] < volume[n] < TALUS_ML[1]]
        _name(leg, "talus", [n for n in fits if _is_below(n, tibia, labels)], near)


def _name(leg: Leg, name: str, fits: list[int], merit: np.ndarray) -> None:
    """Name the one of most merit that has no name yet."""
    fits = [n for n in fits if n not in leg.labels.values()]
    if fits:
        leg.labels[name] = max(fits, key=lambda n: float(merit[n]))


def _near(labels: np.ndarray, label: int, step_mm: Floats, reach_mm: float) -> np.ndarray:
    """How many voxels of each label lie within reach of one, that one left out."""
    place = ndimage.find_objects((labels == label).view(np.uint8))[0]
    margin = np.ceil(reach_mm / step_mm).astype(int)
    box = tuple(slice(max(s.start - m, 0), s.stop + m) for s, m in zip(place, margin, strict=True))
    away = edt.edt(labels[box] != label, anisotropy=tuple(step_mm), parallel=2)
    count = np.bincount(labels[box][away < reach_mm], minlength=int(labels.max()) + 1)
    count[[0, label]] = 0
    return np.asarray(count)


def _heights(label: int, labels: np.ndarray, knee: Waist, step_mm: Floats) -> Floats:
    return knee.heights(np.argwhere(labels == label) * step_mm)


def _is_fibula(label: int, labels: np.ndarray, knee: Waist, step_mm: Floats) -> bool:
    """Slim, below the knee, and longer than thick."""
    height = _heights(label, labels, knee, step_mm)
    section = len(height) * float(np.prod(step_mm)) / max(float(np.ptp(height)), 1.0)
    return bool(np.percentile(height, 98) < 4 and np.ptp(height) > 12 and section < FIBULA_MM2)


def _is_patella(
    label: int, labels: np.ndarray, volume: np.ndarray, knee: Waist, step_mm: Floats
) -> bool:
    """Compact, and before the femur's lower end: nothing else of this size lies round it."""
    if not PATELLA_ML[0] < volume[label] < PATELLA_ML[1]:
        return False
    points = np.argwhere(labels == label) * step_mm
    middle = points.mean(axis=0)
    height = float(knee.heights(middle))
    beside = float(np.linalg.norm(middle - knee.point - height * knee.normal))
    return -25 < height < 90 and 20 < beside < 90


def _is_below(label: int, tibia: int, labels: np.ndarray) -> bool:
    """The upper end of one lies about where the other's lower end is."""
    one, other = (np.flatnonzero((labels == n).any(axis=(1, 2))) for n in (label, tibia))
    return bool(one[0] < other[0] and (one[0] + one[-1]) / 2 < other[0] + 12)
