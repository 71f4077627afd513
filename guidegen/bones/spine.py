"""Stage 2 for spines: the CT to named, separated vertebrae."""

from __future__ import annotations

import re

import numpy as np
from scipy import ndimage

from guidegen.bones.canal import centreline, overview
from guidegen.bones.hollow import hollow_levels
from guidegen.bones.imported import spine_from_labels
from guidegen.bones.levels import Walls, read_walls
from guidegen.bones.naming import name_levels
from guidegen.bones.separation import separate
from guidegen.bones.solid import RIB_LABEL, native_labels, solid_straight
from guidegen.bones.straightened import Straight
from guidegen.model.level import Level, Spine
from guidegen.model.notice import Notice, Progress, silent
from guidegen.model.volume import CTVolume, LabelMap

METAL_HU = 2600
"""Brighter than any bone: dense cortex and enamel stay below (engineering choice)."""
AROUND_MM = (30.0, 90.0, 75.0)
"""Crop round the canal along head-foot, front-back and left-right: holds a large vertebra."""


def find_spine(
    volume: CTVolume,
    lowest_level: str | None = None,
    labels: LabelMap | None = None,
    progress: Progress = silent,
) -> Spine:
    """Find, separate and name the vertebrae in a CT.

    Args:
        volume: The scan.
        lowest_level: Name of the lowest complete vertebra in view, where it can't be told.
        labels: A label map with vertebra names; then nothing is searched, only verified.
        progress: Told the share done.

    Returns:
        Labels on a crop of the scan's own grid, levels from head to foot.

    Raises:
        AnatomyError: There is no spine in view.
        InputError: The label map does not lie on this scan's bone.
    """
    if labels is not None:
        return spine_from_labels(volume, labels, metal_notices(volume))
    progress("looking for the spinal canal", 0.0)
    line = centreline(overview(volume))
    walls = read_walls(volume, line)
    part = around(volume, walls)
    progress("separating the vertebrae", 0.2)
    straight = separate(part, walls)
    solid = solid_straight(straight)
    progress("carrying the vertebrae to the scan", 0.6)
    values = native_labels(part, straight, solid)
    complete = _complete(values, straight, part, volume)[: len(walls.pedicles_s)]
    hollow = hollow_levels(solid, walls)
    naming = name_levels(straight, walls, complete, lowest_level)
    keep = [n for n, name in enumerate(naming.names) if not re.match("X", name)]
    names = {n + 1: naming.names[n] for n in keep if (values == n + 1).any()}
    values[~np.isin(np.arange(RIB_LABEL + 1), [0, *names])[values]] = RIB_LABEL
    levels = tuple(
        _level(walls, n, naming.names[n], bool(complete[n] and not hollow[n]))
        for n in keep[::-1]
        if n + 1 in names
    )
    shells = tuple(naming.names[n] for n in keep[::-1] if complete[n] and hollow[n])
    notices = naming.notices + _not_whole(levels, shells) + metal_notices(part)
    line_mm = walls.frames.centres_mm
    named = LabelMap(values, part.grid, {**names, RIB_LABEL: "other_bone"})
    return Spine(named, levels, line_mm, notices, naming.anchored)


def around(volume: CTVolume, walls: Walls) -> CTVolume:
    """Crop the scan to the spine along its own axes."""
    centres = walls.frames.centres_mm
    margin = np.array([AROUND_MM[2], AROUND_MM[1], AROUND_MM[0]])
    low, high = centres.min(axis=0) - margin, centres.max(axis=0) + margin
    front = centres[:, 1].min() - 60
    low[1] = max(low[1], front)
    corners = np.array(np.meshgrid(*np.column_stack([low, high]))).reshape(3, -1).T
    kji = volume.grid.kji(corners)
    return volume.crop(np.floor(kji.min(axis=0)), np.ceil(kji.max(axis=0)) + 1)


def _level(walls: Walls, n: int, name: str, complete: bool) -> Level:
    s = float(walls.pedicles_s[n])
    limits = (float(walls.foramina_s[n]) - s - 1e-3, float(walls.foramina_s[n + 1]) - s + 1e-3)
    return Level(name, walls.frames.pose(s, name), limits, complete)


def _complete(
    values: np.ndarray, straight: Straight, part: CTVolume, volume: CTVolume
) -> np.ndarray:
    """Whether each label (from 1) keeps clear of the scan's border and of the searched ends."""
    start = np.rint(volume.grid.kji(part.grid.patient((0, 0, 0)))).astype(int)
    stop = start + part.hu.shape
    borders = [straight.labels[0], straight.labels[-1]]
    for axis in range(3):
        if start[axis] == 0:
            borders.append(np.take(values, 0, axis=axis))
        if stop[axis] == volume.hu.shape[axis]:
            borders.append(np.take(values, -1, axis=axis))
    touching = np.unique(np.concatenate([np.unique(b).astype(int) for b in borders]))
    return ~np.isin(np.arange(1, RIB_LABEL), touching)


def _not_whole(levels: tuple[Level, ...], shells: tuple[str, ...]) -> tuple[Notice, ...]:
    """What is not planned on: cut off by the scan, or a shell whose marrow leaked."""
    cut_off = tuple(
        Notice(
            "cut_off_vertebra",
            f"{level.name} is cut off by the edge of the scan; it is not planned on",
            level.name,
        )
        for level in levels
        if not level.complete and level.name not in shells
    )
    return cut_off + tuple(
        Notice(
            "open_shell",
            f"{name}'s body should be solid, but its cortex is so faint or porous that only part "
            "of it was found; it is not planned on: give its outline as a label map with --labels",
            name,
            red=True,
        )
        for name in shells
    )


def metal_notices(volume: CTVolume) -> tuple[Notice, ...]:
    """Warn of metal: at least 0.05 ml brighter than bone."""
    metal = volume.hu > METAL_HU
    if not metal.any():
        return ()
    pieces, n = ndimage.label(metal)
    largest = int(np.bincount(pieces.ravel())[1:].max()) if n else 0
    if largest * float(np.prod(volume.grid.spacing_kji_mm)) < 50:
        return ()
    return (
        Notice(
            "metal",
            "there is metal in view; its streaks can shift bone surfaces near it: compare the "
            "outlines with the slices",
            "series",
            red=True,
        ),
    )
