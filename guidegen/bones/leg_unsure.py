"""Where a leg bone's border is seen as nothing in the CT: no cortex, no sheet, no bright bone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from guidegen.bones.leg_pieces import walls
from guidegen.bones.leg_scan import NOTHING_HU, LegScan
from guidegen.bones.leg_sheets import sheets
from guidegen.model.leg import LegBone
from guidegen.model.notice import Notice
from guidegen.model.volume import LabelMap

LARGEST_MM2 = 300.0
"""A larger piece of border without a wall can be several mm off (engineering choice: 405 and 517
mm2 where fatty ends in 3.3 mm slices are known to be incomplete; up to 262 mm2 in the roof of a
notch, where neither landmarks nor guides lie)."""
KINDS = ("femur", "tibia")
_MARGIN = 4


def unsure_notices(scan: LegScan, labels: LabelMap, bones: Sequence[LegBone]) -> tuple[Notice, ...]:
    """Red warnings of femora and tibiae whose border is partly unseen."""
    values = {name: value for value, name in labels.names.items()}
    found = []
    for bone in bones:
        if bone.kind not in KINDS or bone.name not in values:
            continue
        area = bare_mm2(scan, labels, values[bone.name])
        if area > LARGEST_MM2:
            text = (
                f"over {area:.0f} mm2 of its border no cortex is seen (thin walls, thick slices or "
                f"metal): the surface of {bone.name} can be several mm off there; compare the "
                "outlines with the slices, or give a corrected label map"
            )
            found.append(Notice("unsure_surface", text, bone.name, red=True))
    return tuple(found)


def bare_mm2(scan: LegScan, labels: LabelMap, value: int) -> float:
    """Area of the largest piece of a label's border beside which no wall is seen.

    Beside other bones no wall is asked for, and none at the scan's ends.

    Args:
        scan: Grey values.
        labels: On any grid of the same frame.
        value: Which label.
    """
    here = _around(scan, labels, value)
    if here is None:
        return 0.0
    box, near = here
    shown = np.broadcast_to((scan.seen[box[0]] > 0)[:, None, None], near.shape)
    hu = np.where(shown, scan.hu[box], NOTHING_HU)
    bone, other = near == value, ((near > 0) & (near != value)) | ~shown
    seen = ndimage.binary_dilation(walls(hu) | sheets(hu))
    rim = bone & ~ndimage.binary_erosion(bone, border_value=1)
    bare = rim & ~seen & ~ndimage.binary_dilation(other, iterations=2)
    pieces, n = ndimage.label(bare, structure=np.ones((3, 3, 3)))
    if n == 0:
        return 0.0
    face = float(np.prod(scan.step_mm)) ** (2 / 3)
    return float(np.bincount(pieces.ravel())[1:].max() * face)


def _around(
    scan: LegScan, labels: LabelMap, value: int
) -> tuple[tuple[slice, ...], np.ndarray] | None:
    """A label's box on the scan's voxels, and the labels there (nearest voxel)."""
    place = ndimage.find_objects((labels.labels == value).view(np.uint8))
    if not place:
        return None
    ends = np.array([[s.start, s.stop - 1] for s in place[0]], dtype=np.float64)
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    kji = scan.grid.kji(labels.grid.patient(corners))
    low = np.maximum(np.floor(kji.min(axis=0)).astype(int) - _MARGIN, 0)
    high = np.minimum(np.ceil(kji.max(axis=0)).astype(int) + _MARGIN + 1, scan.hu.shape)
    if (high <= low).any():
        return None
    to_label = np.linalg.inv(labels.grid.patient_from_kji) @ scan.grid.patient_from_kji
    offset = to_label[:3, :3] @ low + to_label[:3, 3]
    near = ndimage.affine_transform(
        labels.labels,
        to_label[:3, :3],
        offset,
        output_shape=tuple((high - low).tolist()),
        order=0,
        mode="constant",
    )
    return tuple(slice(a, b) for a, b in zip(low, high, strict=True)), near
