"""Stage 2 for legs: the CT to separated femora, tibiae, fibulae, patellae and tali."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from guidegen.bones.leg_hip import split_hip
from guidegen.bones.leg_imported import legs_from_labels
from guidegen.bones.leg_names import Leg, label_of, name_legs, paired, singles, true_knees
from guidegen.bones.leg_notices import leg_notices
from guidegen.bones.leg_pieces import find_pieces
from guidegen.bones.leg_scan import (
    LegScan,
    as_scanned,
    block_numbers,
    leg_scan,
    native,
    upright,
)
from guidegen.bones.leg_shafts import Shaft, find_shafts, section_labels
from guidegen.bones.leg_solid import fill_bones
from guidegen.bones.leg_split import split_joint, split_shafts
from guidegen.bones.leg_unsure import unsure_notices
from guidegen.bones.leg_waists import ANKLE, find_waists
from guidegen.errors import AnatomyError
from guidegen.model.leg import OTHER_BONE, LegBone, Legs
from guidegen.model.notice import Progress, silent
from guidegen.model.volume import CTVolume, LabelMap

OTHER_LABEL = 999
LETTERS = "abcdefgh"
BONES = ("femur", "tibia", "fibula", "patella", "talus")
PARTS = ("", "_proximal", "_distal")
AIR_HU = -900
CUT_MM2 = 25.0
"""A bone whose section at the scan's border is larger goes on beyond it (engineering choice)."""


def find_legs(
    volume: CTVolume, labels: LabelMap | None = None, progress: Progress = silent
) -> Legs:
    """Find and separate the bones of the legs in view.

    Args:
        volume: The scan: one leg or both, whole or in parts; slices of nothing between blocks.
        labels: A label map with names of leg bones; then nothing is searched, only verified.
        progress: Told the share done.

    Returns:
        Labels on a crop of the scan's own grid; leg ``a`` lies to the patient's right of ``b``,
        which is not to say that it is the right one.

    Raises:
        AnatomyError: There is no leg in view.
        InputError: The label map does not lie on this scan's bone.
    """
    if labels is not None:
        legs_given = legs_from_labels(volume, labels)
        return _noticed(volume, legs_given, leg_scan(upright(volume)))
    progress("looking for bones", 0.0)
    stood = upright(volume)
    scan = leg_scan(stood)
    pieces = find_pieces(scan)
    progress("looking for knees and shafts", 0.4)
    sections = section_labels(pieces > 0)
    shafts = find_shafts(sections, scan.step_mm)
    waists = find_waists(pieces > 0, sections, scan.step_mm)
    knees = true_knees(scan, pieces > 0, waists, shafts)
    progress("separating the bones", 0.6)
    for knee in knees:
        split_joint(scan, pieces, knee)
    split_shafts(scan, pieces, sections, paired(shafts))
    _split_ankles(scan, pieces, sections, [tibia for tibia, _ in paired(shafts)])
    for shaft in singles(shafts):
        split_hip(scan, pieces, shaft, label_of(shaft, pieces, sections))
    legs = [leg for leg in name_legs(scan, pieces, sections, shafts, knees) if leg.labels]
    if not legs:
        raise AnatomyError(
            "a leg was looked for, but neither a knee nor the shaft of a thigh or shin bone is in "
            "view: give a CT of the leg"
        )
    return _noticed(volume, _legs(volume, stood, scan, pieces, legs[: len(LETTERS)]), scan)


def _noticed(volume: CTVolume, legs: Legs, scan: LegScan) -> Legs:
    start = np.rint(volume.grid.kji(legs.labels.grid.patient((0, 0, 0)))).astype(int)
    part = volume.crop(start, start + np.array(legs.labels.grid.shape_kji))
    if not part.grid.same_as(legs.labels.grid):
        part = volume
    told = leg_notices(part, legs.labels, legs.bones)
    return replace(legs, notices=(*told, *unsure_notices(scan, legs.labels, legs.bones)))


def _split_ankles(
    scan: LegScan, pieces: np.ndarray, sections: np.ndarray, tibiae: list[Shaft]
) -> None:
    """Cut tibiae's pieces where they have a waist below the lowest part of the shaft, in place."""
    lowest: dict[int, int] = {}
    for tibia in tibiae:
        label = label_of(tibia, pieces, sections)
        lowest[label] = min(int(tibia.slices[0]), lowest.get(label, len(pieces)))
    for label, end in lowest.items():
        below = pieces[:end] == label
        for waist in find_waists(below, section_labels(below), scan.step_mm, ANKLE)[:1]:
            split_joint(scan, pieces, waist, ANKLE, label)


def _legs(
    volume: CTVolume, stood: CTVolume, scan: LegScan, pieces: np.ndarray, legs: list[Leg]
) -> Legs:
    table = np.where(np.arange(pieces.max() + 1) > 0, OTHER_LABEL, 0).astype(np.uint16)
    names: dict[int, str] = {}
    for letter, leg in zip(LETTERS, legs, strict=False):
        for bone in BONES:
            for part in PARTS:
                if bone + part in leg.labels:
                    names[len(names) + 1] = f"{bone}_{letter}{part}"
                    table[leg.labels[bone + part]] = len(names)
    named = _largest_bodies(table[pieces], len(names))
    there = np.bincount(named.ravel(), minlength=OTHER_LABEL + 1) > 0
    names = {n: name for n, name in names.items() if there[n]}  # two legs may claim one piece
    fill_bones(scan, named, list(names))
    values = native(scan, named)
    bones = tuple(LegBone(name, _cut_at(values, n, scan, stood)) for n, name in names.items())
    back, grid = as_scanned(values, scan.part.grid, volume.grid)
    knees = {
        letter: scan.grid.patient(leg.knee.point / scan.step_mm)
        for letter, leg in zip(LETTERS, legs, strict=False)
        if leg.knee is not None
    }
    return Legs(LabelMap(back, grid, {**names, OTHER_LABEL: OTHER_BONE}), bones, knees)


def _largest_bodies(values: np.ndarray, n: int) -> np.ndarray:
    """Each named bone in one body; its crumbs become other bone."""
    for number, box in enumerate(ndimage.find_objects(values, max_label=n), 1):
        if box is None:
            continue
        own = values[box] == number
        bodies, count = ndimage.label(own)
        if count > 1:
            sizes = np.bincount(bodies.ravel())
            sizes[0] = 0
            values[box][own & (bodies != sizes.argmax())] = OTHER_LABEL
    return values


def _cut_at(values: np.ndarray, n: int, scan: LegScan, stood: CTVolume) -> tuple[str, ...]:
    """Where the scan cuts a bone off."""
    grid, spacing = scan.part.grid, scan.part.grid.spacing_kji_mm
    start = np.rint(stood.grid.kji(grid.patient((0, 0, 0)))).astype(int)
    stop = start + values.shape
    own = values == n
    blocks = block_numbers(scan.part.hu)
    rows = np.flatnonzero(own.any(axis=(1, 2)))
    first, last = int(rows[0]), int(rows[-1])
    found = []
    after = np.append(blocks, 0)[last + 1] == 0
    ends = (("below", first, first == 0 or blocks[first - 1] == 0), ("above", last, after))
    for name, row, at_end in ends:
        if at_end and own[row].sum() * spacing[1] * spacing[2] > CUT_MM2:
            found.append(name)
    for axis in (1, 2):
        area = spacing[0] * spacing[3 - axis]
        for end, at_end in ((0, start[axis] == 0), (-1, stop[axis] == stood.hu.shape[axis])):
            if at_end and np.take(own, end, axis=axis).sum() * area > CUT_MM2:
                found.append("side")
    if _beside_nothing(own, scan.part) > CUT_MM2:
        found.append("side")
    return tuple(dict.fromkeys(found))


def _beside_nothing(own: np.ndarray, part: CTVolume) -> float:
    """How much of a bone's side (mm2) borders on air, or on what a round field of view leaves out.

    Skin always lies between bone and air.
    """
    box = ndimage.find_objects(own.view(np.uint8))[0]
    bone, air = own[box], part.hu[box] < AIR_HU
    spacing = part.grid.spacing_kji_mm
    area = 0.0
    for axis in (1, 2):
        one = (slice(None),) * axis + (slice(1, None),)
        other = (slice(None),) * axis + (slice(None, -1),)
        meet = (bone[one] & air[other]).sum() + (bone[other] & air[one]).sum()
        area += float(meet) * float(spacing[0] * spacing[3 - axis])
    return area
