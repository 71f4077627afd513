"""A label map of leg bones from outside: verify that it belongs to this scan."""

from __future__ import annotations

import re

import numpy as np
from scipy import ndimage

from guidegen.bones.imported import require_bone
from guidegen.bones.leg_scan import block_numbers
from guidegen.errors import AnatomyError
from guidegen.model.arrays import Floats, Ints
from guidegen.model.leg import OTHER_BONE, LegBone, Legs
from guidegen.model.volume import CTVolume, LabelMap

NAME = re.compile(r"^(femur|tibia|fibula|patella|talus)(?:_(left|right|a|b))?(_proximal|_distal)?$")
NEIGHBOUR = re.compile(r"^(hip|pelvis|sacrum|calcaneus|navicular|tarsal|foot|other_bone)")
NEAR_BORDER = 0.6
"""A label this near to the scan's last voxels, in voxels, goes on beyond them."""
CUT_MM2 = 25.0


def legs_from_labels(volume: CTVolume, labels: LabelMap) -> Legs:
    """Take the bones from a label map.

    Args:
        volume: The scan.
        labels: Values named ``femur_left``, ``tibia_right``, ``patella`` (one leg), ...; hip and
            foot bones are kept as neighbours, all else is left out.

    Raises:
        InputError: The labels do not lie on bone in this scan.
        AnatomyError: No bone of a leg is named.
    """
    labels.require_same_frame(volume)
    boxes = ndimage.find_objects(labels.labels)
    seen = {v: n for v, n in labels.names.items() if v <= len(boxes) and boxes[v - 1] is not None}
    named = {v: _full(m) for v, n in seen.items() if (m := NAME.match(n))}
    if not named:
        raise AnatomyError(
            "the label map names no bone of a leg in view; wanted names such as femur_left or "
            "tibia_right, found " + (", ".join(sorted(set(labels.names.values()))[:8]) or "none")
        )
    for value, name in named.items():
        require_bone(volume, labels, value, boxes[value - 1], name)
    others = [v for v, n in seen.items() if NEIGHBOUR.match(n)]
    kept = labels.labels.copy()
    kept[~np.isin(kept, [*named, *others])] = 0
    names = {**named, **dict.fromkeys(others, OTHER_BONE)}
    upright = int(np.abs(volume.grid.axes_kji[2]).argmax())
    blocks = block_numbers(np.moveaxis(volume.hu, upright, 0))
    bones = tuple(
        LegBone(name, _cut_at(labels, value, boxes[value - 1], volume, blocks))
        for value, name in named.items()
    )
    own = LabelMap(kept, labels.grid, names)
    return Legs(own, bones, _knees(own, named))


def _full(match: re.Match[str]) -> str:
    kind, leg, part = match.groups()
    return f"{kind}_{leg or 'a'}{part or ''}"


def _cut_at(
    labels: LabelMap, value: int, box: tuple[slice, ...], volume: CTVolume, blocks: Ints
) -> tuple[str, ...]:
    """Where the scan's border, or the end of a block of its slices, cuts a label."""
    places = np.argwhere(labels.labels[box] == value) + [s.start for s in box]
    kji = volume.grid.kji(labels.grid.patient(places))
    last = np.array(volume.grid.shape_kji) - 1
    voxel = float(np.prod(labels.grid.spacing_kji_mm))
    rise = volume.grid.axes_kji[2]
    upright = int(np.abs(rise).argmax())
    found = []
    for axis in range(3):
        for beyond, way in (
            (kji[:, axis] < NEAR_BORDER, -1),
            (kji[:, axis] > last[axis] - NEAR_BORDER, 1),
        ):
            area = beyond.sum() * voxel / labels.grid.spacing_kji_mm.min()
            if area > CUT_MM2:
                up = way * rise[axis] > 0
                found.append(("above" if up else "below") if axis == upright else "side")
    rows = kji[:, upright]
    for row, way in ((rows.min(), -1), (rows.max(), 1)):
        area = (np.abs(rows - row) < NEAR_BORDER).sum() * voxel / labels.grid.spacing_kji_mm.min()
        beyond = blocks[round(row) + 1 :] if way > 0 else blocks[: max(round(row), 0)][::-1]
        if area > CUT_MM2 and len(beyond) and beyond[0] == 0 and beyond.any():
            found.append("above" if way * rise[upright] > 0 else "below")
    return tuple(dict.fromkeys(found))


def _knees(labels: LabelMap, named: dict[int, str]) -> dict[str, Floats]:
    """Between femur and tibia of each leg: the middle of where they are nearest."""
    values = {name: value for value, name in named.items()}
    knees = {}
    for leg in sorted({name.split("_")[1] for name in values}):
        femur, tibia = values.get(f"femur_{leg}"), values.get(f"tibia_{leg}")
        if femur is None or tibia is None:
            continue
        step = np.maximum(np.rint(2.0 / labels.grid.spacing_kji_mm), 1).astype(int)
        coarse = labels.labels[:: step[0], :: step[1], :: step[2]]
        away = ndimage.distance_transform_edt(
            coarse != femur, sampling=labels.grid.spacing_kji_mm * step
        )
        reach = np.where(coarse == tibia, away, np.inf)
        near = np.argwhere(reach < reach.min() + 6.0)
        knees[leg] = labels.grid.patient(near.mean(axis=0) * step)
    return knees
