"""What has to be said of a leg's bones: metal beside them, and where the scan cuts them off."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from guidegen.bones.spine import METAL_HU
from guidegen.model.leg import LegBone
from guidegen.model.notice import Notice
from guidegen.model.volume import CTVolume, LabelMap

LEAST_METAL_MM3 = 50.0
"""Less is noise, or a clip that throws no streaks (engineering choice)."""
PLANNED = ("femur", "tibia")
NEAR_METAL_MM = 12.0
"""Streaks shift surfaces mostly this near to metal (engineering choice)."""


def leg_notices(part: CTVolume, labels: LabelMap, bones: tuple[LegBone, ...]) -> tuple[Notice, ...]:
    """Notices of metal and of bones that are cut off.

    Args:
        part: The CT on the labels' voxels.
        labels: The bones.
        bones: Those found.
    """
    return _metal(part, labels) + tuple(_cut_off(bone) for bone in bones if not bone.complete)


def _cut_off(bone: LegBone) -> Notice:
    ends = {"above": "its upper end", "below": "its lower end", "side": "its side"}
    where = " and ".join(ends[end] for end in bone.cut_at)
    return Notice(
        "cut_off_bone",
        f"{bone.name} goes on beyond the scan at {where}: what needs the missing part can't be "
        "measured or planned",
        bone.name,
        red="side" in bone.cut_at and bone.kind in PLANNED,
    )


def _labels_near(box: tuple[slice, ...], part: CTVolume, labels: LabelMap) -> list[int]:
    """Labels in a box of the CT's voxels, whatever grid they have."""
    corners = np.array(np.meshgrid(*[(s.start, s.stop - 1) for s in box])).reshape(3, -1).T
    kji = labels.grid.kji(part.grid.patient(corners))
    low = np.maximum(np.floor(kji.min(axis=0)).astype(int), 0)
    high = np.maximum(np.ceil(kji.max(axis=0)).astype(int) + 1, 0)
    near = labels.labels[
        tuple(slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True))
    ]
    return [v for v in np.unique(near).tolist() if v in labels.names]


def _metal(part: CTVolume, labels: LabelMap) -> tuple[Notice, ...]:
    metal = part.hu > METAL_HU
    if not metal.any():
        return ()
    spacing = part.grid.spacing_kji_mm
    pieces, n = ndimage.label(metal)
    large = np.bincount(pieces.ravel(), minlength=n + 1) * float(np.prod(spacing))
    beside: set[str] = set()
    found = False
    for number, place in enumerate(ndimage.find_objects(pieces), 1):
        if large[number] < LEAST_METAL_MM3:
            continue
        found = True
        margin = np.ceil(NEAR_METAL_MM / spacing).astype(int)
        box = tuple(
            slice(max(s.start - m, 0), s.stop + m) for s, m in zip(place, margin, strict=True)
        )
        beside |= {labels.names[v] for v in _labels_near(box, part, labels)}
    named = sorted(name for name in beside if name.split("_")[0] != "other")
    if not found:
        return ()
    return tuple(
        Notice(
            "metal",
            f"there is metal in or beside {name if name != 'series' else 'the bones'} (an implant, "
            "a screw, a stem); its streaks can shift surfaces and landmarks near it: compare the "
            "outlines with the slices",
            name,
            red=True,
        )
        for name in named or ["series"]
    )
