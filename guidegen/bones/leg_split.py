"""Cut one piece of bone in two between what surely belongs to either side."""

from __future__ import annotations

import edt
import numpy as np
from scipy import ndimage

from guidegen.bones.leg_scan import LegScan
from guidegen.bones.leg_shafts import Shaft
from guidegen.bones.leg_waists import KNEE, Joint, Waist
from guidegen.bones.network import Network, conductance
from guidegen.model.arrays import Floats

LEAK = 1e-3
"""Conduction through a joint however dark, so that the potential is defined everywhere."""
ROUNDS = 3
"""Solved and steepened so often, the potential falls in one place (engineering choice)."""
ZONE_MM = 26.0


def split(
    hu: np.ndarray,
    bone: np.ndarray,
    one: np.ndarray,
    other: np.ndarray,
    weight: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Tell which of a piece's voxels belong to ``one``.

    A harmonic potential is held at 1 in ``one`` and at 0 in ``other``; it falls where bone
    conducts worst, at the narrowest and darkest place of the contact.

    Args:
        hu: (K, J, I).
        bone: Same shape, bool: the piece.
        one: Same shape, bool: surely this side.
        other: Same shape, bool: surely the other.
        weight: Same shape, 0 to 1: conduction is lowered by it.

    Returns:
        Same shape, bool; what is connected to neither goes to the nearer one.
    """
    conduct = conductance(hu.astype(np.float32)) * weight + np.float32(LEAK)
    fixed = np.full(hu.shape, np.nan, dtype=np.float32)
    fixed[bone & one] = 1.0
    fixed[bone & other] = 0.0
    nearer = edt.edt(~one) < edt.edt(~other)
    network = Network(bone, conduct)
    potential = network.solve(fixed, nearer.astype(np.float32))
    for _ in range(ROUNDS):
        network = network.steepened(potential)
        potential = network.solve(fixed, np.nan_to_num(potential))
    known = np.isfinite(potential)
    return np.asarray(bone & np.where(known, np.nan_to_num(potential) > 0.5, nearer))


def split_shafts(
    scan: LegScan, labels: np.ndarray, sections: np.ndarray, pairs: list[tuple[Shaft, Shaft]]
) -> None:
    """Cut pieces in which shafts run side by side, in place; the thinner's get new labels."""
    seeds = [_seed(sections, labels, [pair[n] for pair in pairs]) for n in range(2)]
    shared = set(np.unique(labels[seeds[0]]).tolist()) & set(np.unique(labels[seeds[1]]).tolist())
    for label in sorted(shared):
        box = _box(labels == label)
        piece = labels[box] == label
        one, other = (seed[box] & piece for seed in seeds)
        part = labels[box]
        part[piece & ~split(scan.hu[box], piece, one, other)] = int(labels.max()) + 1


def _seed(sections: np.ndarray, labels: np.ndarray, shafts: list[Shaft]) -> np.ndarray:
    """(K, J, I) bool: voxels of some shafts."""
    chosen = np.zeros(int(sections.max(initial=0)) + 1, dtype=bool)
    for shaft in shafts:
        chosen[shaft.sections] = True
    return np.asarray(chosen[sections] & (labels > 0))


def split_joint(
    scan: LegScan, labels: np.ndarray, waist: Waist, joint: Joint = KNEE, only: int | None = None
) -> None:
    """Cut what passes through a joint's waist, in place; the upper part gets a new label.

    Args:
        scan: The scan.
        labels: (K, J, I), changed.
        waist: Where the joint is.
        joint: What it is like.
        only: Cut this label alone; None cuts all.
    """
    zone = _zone(waist, joint.radius_mm, scan.step_mm, labels.shape)
    places = _places(zone, scan.step_mm)
    height = waist.heights(places)
    beside = np.linalg.norm(places - waist.point - height[..., None] * waist.normal, axis=-1)
    near = (beside < joint.radius_mm + 12) & (np.abs(height) < ZONE_MM)
    sure = near & (beside < joint.sure_mm)
    above, below = sure & (height > joint.above_mm), sure & (height < -joint.below_mm)
    here = labels[zone]
    for label in sorted(set(np.unique(here[above])) & set(np.unique(here[below])) - {0}):
        piece = (here == label) & near
        if only not in (None, label) or min((piece & s).sum() for s in (above, below)) < 30:
            continue
        upper = split(scan.hu[zone], piece, piece & above, piece & below)
        cut = np.zeros(labels.shape, dtype=np.uint8)
        cut[zone] = np.where(piece, np.where(upper, 2, 1), 0)
        labels[_carried_on(labels == label, cut)] = int(labels.max()) + 1


def _carried_on(whole: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """What hangs on the upper part (2) of a piece more than on the lower (1)."""
    rest, n = ndimage.label(whole & (cut == 0))
    votes = np.zeros((n + 1, 3))
    for axis in range(3):
        for a, b in ((slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1))):
            mine = rest[(slice(None),) * axis + (a,)]
            theirs = cut[(slice(None),) * axis + (b,)]
            meet = (mine > 0) & (theirs > 0)
            np.add.at(votes, (mine[meet], theirs[meet]), 1)
    return np.asarray((cut == 2) | ((votes[:, 2] > votes[:, 1])[rest] & (rest > 0)))


def _zone(
    waist: Waist, radius_mm: float, step_mm: Floats, shape: tuple[int, ...]
) -> tuple[slice, ...]:
    reach = np.array([ZONE_MM + 0.6 * radius_mm, radius_mm + 14, radius_mm + 14])
    low = np.maximum(np.floor((waist.point - reach) / step_mm).astype(int), 0)
    high = np.minimum(np.ceil((waist.point + reach) / step_mm).astype(int) + 1, shape)
    return tuple(slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True))


def _places(box: tuple[slice, ...], step_mm: Floats) -> Floats:
    """(..., 3) float32 mm from the grid's corner of the voxels of a box."""
    axes = [np.arange(s.start, s.stop) * d for s, d in zip(box, step_mm, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def _box(mask: np.ndarray) -> tuple[slice, ...]:
    out = []
    for axis in range(3):
        rows = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        out.append(slice(max(int(rows[0]) - 1, 0), int(rows[-1]) + 2))
    return tuple(out)
