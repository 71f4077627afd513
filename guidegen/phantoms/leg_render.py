"""Legs become grey values: soft tissue round each leg, bones, and blocks of slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.errors import InputError
from guidegen.model.arrays import Floats
from guidegen.model.notice import Progress, silent
from guidegen.model.volume import CTVolume, ScanInfo
from guidegen.phantoms.leg import PosedLeg, moved
from guidegen.phantoms.leg_bones import LegSolid, leg_solids
from guidegen.phantoms.leg_definition import LegsDefinition
from guidegen.phantoms.render import CORTEX_HU, add_bone, blur_and_noise
from guidegen.phantoms.scan import ScanGrid, ScanOptions, scan_grid

Array = npt.NDArray[np.float32]
AIR, FAT, MUSCLE = -1000.0, -100.0, 55.0
FAT_MM = 9.0
NOTHING_HU = -1024
MOST_VOXELS = 250_000_000
BODY_MM = (190.0, 125.0)
"""Half width and half depth of the trunk, from below the hips upwards."""
_WIDTHS = {"hip": (88.0, 96.0), "knee": (66.0, 80.0), "ankle": (48.0, 68.0), "sole": (46.0, 84.0)}
"""Half width and half depth of the limb."""


@dataclass(frozen=True, eq=False)
class Block:
    """A stretch of slices.

    Args:
        hu: (K, J, I) int16.
        scan: Where its voxels lie.
    """

    hu: npt.NDArray[np.int16]
    scan: ScanGrid


def _limb(leg: PosedLeg) -> tuple[Floats, Floats]:
    """(4, 3) middles of the limb from head to foot and (4, 2) half widths and depths."""
    to_femur, to_tibia = leg.patient_from_femur, leg.patient_from_tibia
    foot = -leg.tibia.length_mm
    points = [
        moved(to_femur, (0.0, 0.0, leg.femur.length_mm)),
        moved(to_femur, (0.0, 2.0, 0.0)),
        moved(to_tibia, (-2.0, 4.0, foot)),
        moved(to_tibia, (-2.0, 4.0, foot - 80.0)),
    ]
    return np.array(points), np.array(list(_WIDTHS.values()))


def _tissue(legs: list[PosedLeg], scan: ScanGrid) -> Array:
    """Paint limbs and trunk without bones: float32 HU (K, J, I).

    Each slice is painted as if it were level with its middle.
    """
    m = scan.patient_from_kji
    _, n_j, n_i = scan.shape_kji
    j, i = np.meshgrid(np.arange(n_j), np.arange(n_i), indexing="ij")
    flat = (j[..., None] * m[:3, 1] + i[..., None] * m[:3, 2] + m[:3, 3]).astype(np.float32)
    limbs = [_limb(leg) for leg in legs]
    hips = min(float(middles[0, 2]) for middles, _ in limbs)
    hu = np.empty(scan.shape_kji, dtype=np.float32)
    for k in range(scan.shape_kji[0]):
        step = (k * m[:3, 0]).astype(np.float32)
        x, y = flat[..., 0] + step[0], flat[..., 1] + step[1]
        z = float(flat[n_j // 2, n_i // 2, 2] + step[2])
        ovals = [np.array([0.0, 0.0, *BODY_MM])] if z > hips - 20.0 else []
        for middles, halves in limbs:
            rise = np.argsort(middles[:, 2])
            row = np.column_stack([middles[:, :2], halves])[rise]
            ovals.append(np.array([np.interp(z, middles[rise, 2], c) for c in row.T]))
        deep = np.full(x.shape, -np.inf, dtype=np.float32)
        for cx, cy, wide, high in ovals:
            far = np.sqrt(((x - cx) / wide) ** 2 + ((y - cy) / high) ** 2)
            deep = np.maximum(deep, (1.0 - far) * min(wide, high))
        hu[k] = np.where(deep > FAT_MM, MUSCLE, np.where(deep > 0, FAT, AIR))
    return hu


def view_box(
    solids: list[LegSolid], definition: LegsDefinition, options: ScanOptions
) -> tuple[Floats, Floats]:
    """Lowest and highest corner of what the scan shows, LPS mm."""
    corners = np.concatenate([s.corners_mm for s in solids if not s.name.startswith("pelvis")])
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = np.array([definition.view.margin_mm, definition.view.margin_mm, 12.0])
    low, high = low - margin, high + np.append(margin[:2], 40.0)
    if options.size_mm is not None:
        middle, half = (low + high)[:2] / 2, np.array(options.size_mm) / 2
        low[:2], high[:2] = middle - half, middle + half
    return low, high


def _stretches(definition: LegsDefinition, scan: ScanGrid) -> list[slice]:
    """The slices of each span, from foot to head or as the scan runs."""
    n = scan.shape_kji[0]
    if not definition.view.spans_mm:
        return [slice(0, n)]
    m, middle = scan.patient_from_kji, np.array(scan.shape_kji) / 2
    height = (m[:3, :3] @ np.array([0.0, *middle[1:]]) + m[:3, 3])[2] + np.arange(n) * m[2, 0]
    found = []
    for low, high in definition.view.spans_mm:
        rows = np.flatnonzero((height >= low) & (height <= high))
        if len(rows):
            found.append(slice(int(rows[0]), int(rows[-1]) + 1))
    return sorted(found, key=lambda rows: rows.start)


def _part_of(scan: ScanGrid, rows: slice) -> ScanGrid:
    matrix = scan.patient_from_kji.copy()
    matrix[:3, 3] += rows.start * matrix[:3, 0]
    shape = (rows.stop - rows.start, *scan.shape_kji[1:])
    return ScanGrid(matrix, scan.normal, shape, scan.thickness_mm)


def render_legs(
    definition: LegsDefinition, options: ScanOptions, progress: Progress = silent
) -> list[Block]:
    """Scan a phantom of legs.

    Returns:
        The stretches of slices that the definition shows, all on one grid.

    Raises:
        InputError: The scan would be too large.
    """
    legs = [PosedLeg(side, shape) for side, shape in definition.legs.items()]
    solids = [solid for leg in legs for solid in leg_solids(leg)]
    scan = scan_grid(*view_box(solids, definition, options), options)
    if np.prod(scan.shape_kji, dtype=np.int64) > MOST_VOXELS:
        raise InputError(
            f"the scan would have {scan.shape_kji} voxels, at most {MOST_VOXELS // 10**6} million "
            "can be made: give a larger spacing"
        )
    blocks = []
    for n, rows in enumerate(_stretches(definition, scan)):
        part = _part_of(scan, rows)
        hu = _tissue(legs, part)
        for k, solid in enumerate(solids):
            progress(f"phantom: {solid.name}", k / len(solids))
            same = solid.uniform_hu
            hues = (definition.cancellous_hu, CORTEX_HU) if same is None else (same, same)
            add_bone(hu, part, solid.measure, solid.corners_mm, *hues)
        blocks.append(Block(blur_and_noise(hu, part, options, definition.seed + n), part))
    return blocks


def legs_volume(
    definition: LegsDefinition, options: ScanOptions | None = None, progress: Progress = silent
) -> CTVolume:
    """Scan legs into memory; slices between blocks hold nothing.

    Raises:
        InputError: The gantry is tilted, or the scan would be too large.
    """
    options = options or ScanOptions()
    if options.tilt_deg:
        raise InputError("a scan with gantry tilt has no regular grid; write it as DICOM instead")
    blocks = render_legs(definition, options, progress)
    first, last = blocks[0].scan, blocks[-1].scan
    step = first.patient_from_kji[:3, 0]
    starts = [
        round(
            float((b.scan.patient_from_kji - first.patient_from_kji)[:3, 3] @ step / (step @ step))
        )
        for b in blocks
    ]
    hu = np.full((starts[-1] + last.shape_kji[0], *first.shape_kji[1:]), NOTHING_HU, np.int16)
    for start, block in zip(starts, blocks, strict=True):
        hu[start : start + len(block.hu)] = block.hu
    shape = (hu.shape[0], hu.shape[1], hu.shape[2])
    whole = ScanGrid(first.patient_from_kji, first.normal, shape, first.thickness_mm)
    info = ScanInfo(
        "phantom",
        patient_position=options.patient_position,
        slice_thickness_mm=options.profile_mm,
    )
    return CTVolume(hu, whole.grid(), info)
