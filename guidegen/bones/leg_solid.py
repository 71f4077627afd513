"""Fill separated bones whose shell has holes: marrow is what a bone's own walls surround.

Thick slices blur thin cortex away where it lies oblique. From inside a bone its own walls are seen
in nearly all directions all the same; from a notch or a joint, which no longer count once bones
are separated, only in about half of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import edt
import numpy as np
from scipy import ndimage

from guidegen.bones.leg_pieces import walls
from guidegen.bones.leg_scan import LegScan
from guidegen.bones.leg_sheets import REACH_MM, sheets, with_fatty_edges

DIRECTIONS = tuple(way for way in product((-1, 0, 1), repeat=3) if any(way))
LEAST_SEEN = 22
"""Marrow meets walls in so many of the 26 directions; so does the corner of a turned leg's notch,
but not its middle, which meets up to 21 (engineering choice)."""
LEAST_KEPT = 21
"""What was filled before bones were apart stays if it meets so many of its own bone's."""
LEAST_HELD = 21
"""With its thin cortex known, what meets fewer walls goes: tongues into the notch (engineering
choice)."""
THICK_MM, THICK_SEEN, THICK_KEPT, THICK_HELD = 2.5, 21, 15, 18
"""In thicker slices shells have so many holes that less must do: a real femur in slices of 3.3 mm
lost its trochlea otherwise (engineering choice)."""
WALL_REACH_MM = 3.0
"""Faint walls so near to a bone are its own (engineering choice)."""
END_GAP_MM = 5.0
"""Rings that the scan cuts count as shut with gaps up to twice as wide (engineering choice)."""
PORE_STEPS = 1


@dataclass(frozen=True, eq=False)
class _Walls:
    """What may be a bone's wall, (K, J, I) bool.

    Args:
        faint: Bright bone and walls too thin to be as bright.
        sheet: Cortex as dark as muscle with fat on both sides.
    """

    faint: np.ndarray
    sheet: np.ndarray


def fill_bones(scan: LegScan, labels: np.ndarray, wanted: list[int]) -> None:
    """Fill the marrow of some bones, in place; what has another label is never taken."""
    faint, sheet = (np.zeros(labels.shape, dtype=bool) for _ in range(2))
    for number in range(1, int(scan.seen.max(initial=0)) + 1):
        rows = np.flatnonzero(scan.seen == number)
        where = slice(rows[0], rows[-1] + 1)
        faint[where] = walls(scan.hu[where])
        sheet[where] = sheets(scan.hu[where])
    margin = np.ceil(REACH_MM / scan.step_mm).astype(int) + 1
    places = ndimage.find_objects(labels)
    for label in wanted:
        box = tuple(
            slice(max(s.start - m, 0), s.stop + m)
            for s, m in zip(places[label - 1], margin, strict=True)
        )
        box = (_of_block(box[0], places[label - 1][0], scan.seen), *box[1:])
        here, seen = labels[box], _Walls(faint[box], sheet[box])
        solid = _solid(seen, here, label, scan)
        here[(here == label) & ~solid] = 0
        here[solid] = label


def _of_block(rows: slice, own: slice, seen: np.ndarray) -> slice:
    """Rows of a box without the gaps beside the block that a label lies in: cuts are ends there."""
    block = int(seen[own.start])
    if block == 0 or (seen[own] != block).any():
        return rows
    there = np.flatnonzero(seen == block)
    return slice(max(rows.start, int(there[0])), min(rows.stop, int(there[-1]) + 1))


def _solid(seen: _Walls, here: np.ndarray, label: int, scan: LegScan) -> np.ndarray:
    """One bone's walls, the faint ones too, and all that they surround."""
    step = tuple(scan.step_mm)
    own, other = here == label, (here > 0) & (here != label)
    near = edt.edt(~own, anisotropy=step, parallel=2)
    beside = edt.edt(~other, anisotropy=step, parallel=2) if other.any() else np.inf
    free = (here == 0) & (near < np.minimum(beside, REACH_MM))
    wall = seen.faint & (own | (free & (near < WALL_REACH_MM)))
    met = directions_met(wall, scan.step_mm)
    least, kept_at, held = _limits(scan)
    solid = (wall | (met >= least) | (own & (met >= kept_at))) & ~other

    def enclosed(walls: np.ndarray) -> np.ndarray:
        return np.asarray(directions_met(walls, scan.step_mm) >= least)

    solid = with_fatty_edges(solid, seen.sheet & free, free, enclosed)
    firm = wall | (seen.sheet & solid)
    solid &= firm | (directions_met(firm, scan.step_mm) >= held)
    solid = ndimage.binary_fill_holes(solid) & ~other
    joined = ndimage.binary_closing(np.pad(solid, 2), iterations=PORE_STEPS)[2:-2, 2:-2, 2:-2]
    kept = ndimage.binary_opening(joined & ~other) | (solid & own)
    bodies, n = ndimage.label(kept)
    return np.asarray(bodies == np.bincount(bodies[kept], minlength=n + 1).argmax())


def _limits(scan: LegScan) -> tuple[int, int, int]:
    """In how many directions marrow is shut in, kept and held, by the slices' distance."""
    thick = float(scan.part.grid.spacing_kji_mm.max()) > THICK_MM
    return (THICK_SEEN, THICK_KEPT, THICK_HELD) if thick else (LEAST_SEEN, LEAST_KEPT, LEAST_HELD)


def directions_met(wall: np.ndarray, step_mm: np.ndarray) -> np.ndarray:
    """(K, J, I) uint8: in how many of 26 directions a voxel meets walls or a cut through bone."""
    shut = np.pad(wall, 1)
    for axis in range(3):
        for end in (0, -1):
            face = wall[(slice(None),) * axis + (end,)]
            if face.any():
                at = (slice(None),) * axis + (end,)
                inner = [slice(1, -1)] * 2
                shut[at][tuple(inner)] = _closed_face(face, np.delete(step_mm, axis))
    seen = np.zeros(shut.shape, dtype=np.uint8)
    for way in DIRECTIONS:
        seen += _met(shut, way)
    return np.asarray(seen[1:-1, 1:-1, 1:-1])


def _closed_face(face: np.ndarray, step_mm: np.ndarray) -> np.ndarray:
    """A cut through a bone without its gaps and hollows."""
    gap = int(np.ceil(END_GAP_MM / step_mm.min()))
    wide = np.pad(face, gap + 1)
    away = edt.edt(~wide, anisotropy=tuple(step_mm))
    filled = ndimage.binary_fill_holes(away <= END_GAP_MM)
    inner = edt.edt(filled, anisotropy=tuple(step_mm)) > END_GAP_MM
    return np.asarray((inner | wide)[gap + 1 : -gap - 1, gap + 1 : -gap - 1])


def _met(wall: np.ndarray, way: tuple[int, ...]) -> np.ndarray:
    """Whether a ray from each voxel in one direction meets a wall."""
    axis = next(n for n in range(3) if way[n])
    order = [axis, *(n for n in range(3) if n != axis)]
    turned = wall.transpose(order)
    if way[axis] < 0:
        turned = turned[::-1]
    met = np.zeros_like(turned)
    shift = [way[n] for n in order[1:]]
    to = tuple(slice(max(-s, 0), min(-s, 0) or None) for s in shift)
    come = tuple(slice(max(s, 0), min(s, 0) or None) for s in shift)
    for k in range(len(turned) - 2, -1, -1):
        met[k][to] = turned[k + 1][come] | met[k + 1][come]
    if way[axis] < 0:
        met = met[::-1]
    return np.asarray(met.transpose(np.argsort(order)))
