"""A label map from outside: verify that it belongs to this scan, and read the levels off it."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from scipy import ndimage

from guidegen.bones.canal import Overview, centreline
from guidegen.bones.straight import CanalFrames, frames_along
from guidegen.errors import AnatomyError, InputError
from guidegen.model.arrays import Floats
from guidegen.model.level import Level, Spine
from guidegen.model.notice import Notice
from guidegen.model.volume import CTVolume, Grid, LabelMap

VERTEBRA = re.compile(r"^(C[1-7]|T([1-9]|1[0-3])|L[1-6]|S1|V\d+)$")
LEAST_CONTRAST_HU = 40.0
"""Bone inside its label is at least this much brighter than what lies 3-7 mm outside it."""


def spine_from_labels(
    volume: CTVolume, labels: LabelMap, notices: tuple[Notice, ...] = ()
) -> Spine:
    """Verify a label map and find each named vertebra's frame.

    Args:
        volume: The scan.
        labels: Values named ``T11``, ``L3``, ...; other names are kept apart from vertebrae.
        notices: Warnings to pass on.

    Raises:
        InputError: The labels do not lie on bone, or run against their names.
        AnatomyError: No vertebra is named.
    """
    labels.require_same_frame(volume)
    names = {v: n for v, n in labels.names.items() if VERTEBRA.match(n)}
    boxes = ndimage.find_objects(labels.labels)
    names = {v: n for v, n in names.items() if v <= len(boxes) and boxes[v - 1] is not None}
    if not names:
        raise AnatomyError(
            "the label map names no vertebra in view; wanted names such as T11 or L3, found "
            + (", ".join(sorted(set(labels.names.values()))[:8]) or "none")
        )
    places = {v: _centre(labels, v, boxes[v - 1]) for v in names}
    _require_order(names, places)
    for value, name in names.items():
        require_bone(volume, labels, value, boxes[value - 1], name)
    order = sorted(names, key=lambda v: -places[v][2])
    levels = _levels(labels, names, order, places, volume)
    line = np.array([level.patient_from_level.origin_mm for level in levels[::-1]])
    if len(line) == 1:
        line = line + np.array([[0, 0, -1.0], [0, 0, 1.0]])
    cut = tuple(
        Notice(
            "cut_off_vertebra",
            f"{level.name} is cut off by the edge of the scan; it is not planned on",
            level.name,
        )
        for level in levels
        if not level.complete
    )
    anchored = not any(name.startswith("V") for name in names.values())
    return Spine(labels, levels, line, notices + cut, anchored)


def _centre(labels: LabelMap, value: int, box: tuple[slice, ...]) -> Floats:
    where = np.argwhere(labels.labels[box] == value).mean(axis=0)
    return labels.grid.patient(where + [b.start for b in box])


def _rank(name: str) -> int:
    return "CTLSV".index(name[0]) * 100 + int(name[1:])


def _require_order(names: dict[int, str], places: dict[int, Floats]) -> None:
    """Names must run head to foot as the labels lie."""
    for a, b in pairwise(sorted(names, key=lambda v: _rank(names[v]))):
        if places[a][2] <= places[b][2]:
            raise InputError(
                f"the label map's {names[a]} does not lie above its {names[b]}: the names or the "
                "label scheme are wrong; give the scheme that made the map"
            )


def require_bone(
    volume: CTVolume, labels: LabelMap, value: int, box: tuple[slice, ...], name: str
) -> None:
    """Require that a label's rim is bone against its surroundings in this scan.

    Args:
        volume: The scan.
        labels: The label map.
        value: Which label.
        box: Its box of voxels.
        name: For the message.

    Raises:
        InputError: It is not.
    """
    margin = np.ceil(8 / labels.grid.spacing_kji_mm).astype(int)
    low = np.maximum([b.start for b in box] - margin, 0)
    high = np.minimum([b.stop for b in box] + margin, labels.labels.shape)
    near = labels.labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    grid = labels.grid.crop(low, high)
    spacing = grid.spacing_kji_mm
    own = near == value
    out = ndimage.distance_transform_edt(~own, sampling=spacing)
    rim = own & (ndimage.distance_transform_edt(own, sampling=spacing) < 3.1)
    around = (out > 3) & (out < 7) & (near == 0)
    hu = _sampled(volume, grid)
    if not rim.any() or not around.any() or hu[own].max() <= -1000:
        raise InputError(f"the label map's {name} lies outside this scan; give the scan's own map")
    inside = float(np.median(hu[rim]))
    contrast = inside - float(np.median(hu[around]))
    bone_share = float((hu[rim] > 100).mean())
    if contrast < LEAST_CONTRAST_HU or bone_share < 0.5:
        raise InputError(
            f"the label map's {name} does not lie on bone in this scan (bone wanted at its rim, "
            f"{100 * bone_share:.0f} % found): it belongs to another scan; give this scan's own map"
        )


def _sampled(volume: CTVolume, grid: Grid) -> np.ndarray:
    matrix = np.linalg.inv(volume.grid.patient_from_kji) @ grid.patient_from_kji
    return np.asarray(
        ndimage.affine_transform(
            volume.hu,
            matrix[:3, :3],
            matrix[:3, 3],
            output_shape=grid.shape_kji,
            output=np.float32,
            order=1,
            cval=-1024.0,
        )
    )


def _levels(
    labels: LabelMap,
    names: dict[int, str],
    order: list[int],
    places: dict[int, Floats],
    volume: CTVolume,
) -> tuple[Level, ...]:
    """Frames on the canal, from the hole that each vertebra leaves open."""
    frames = _frames(labels, names)
    heights = {value: _pedicle_height(labels, value, frames) for value in order}
    order = [value for value in order if np.isfinite(heights[value])]
    if not order:
        raise AnatomyError(
            "a label map of whole vertebrae was wanted, but none has a pedicle beside the canal; "
            "give a map that holds the vertebral arches, not the bodies alone"
        )
    s = [heights[v] for v in order]
    steps = -np.diff(s) if len(s) > 1 else np.array([26.0])
    out = []
    for n, value in enumerate(order):
        above = steps[n - 1] if n > 0 else steps[0]
        below = steps[n] if n < len(order) - 1 else steps[-1]
        limits = (-max(float(below) / 2, 8.0), max(float(above) / 2, 8.0))
        pose = frames.pose(s[n], names[value])
        out.append(Level(names[value], pose, limits, _whole(labels, value, volume)))
    return tuple(out)


def _frames(labels: LabelMap, names: dict[int, str]) -> CanalFrames:
    """Canal frames of the label map: its vertebrae as bone, all else as soft tissue."""
    mask = np.isin(labels.labels, list(names))
    corners = labels.grid.patient(
        np.array(np.meshgrid(*[(0, n - 1) for n in mask.shape])).reshape(3, -1).T
    )
    low, high = corners.min(axis=0), corners.max(axis=0)
    step = 2.0
    n_ijk = np.floor((high - low) / step).astype(int) + 1
    to_lps = np.zeros((3, 3))
    to_lps[[2, 1, 0], [0, 1, 2]] = step
    inverse = np.linalg.inv(labels.grid.patient_from_kji[:3, :3])
    share = ndimage.affine_transform(
        mask.astype(np.float32),
        inverse @ to_lps,
        inverse @ (low - labels.grid.patient_from_kji[:3, 3]),
        output_shape=tuple(n_ijk[::-1]),
        order=1,
    )
    rows = np.flatnonzero((share > 0.5).any(axis=(1, 2)))
    share = share[rows[0] : rows[-1] + 1]
    view = Overview(40 + 500 * share, low + np.array([0, 0, rows[0] * step]), step)
    return frames_along(centreline(view, shortest_mm=10.0, through_gaps=True))


def _pedicle_height(labels: LabelMap, value: int, frames: CanalFrames) -> float:
    """Arc length of the vertebra's own bone beside the canal's front half; NaN if none."""
    angles = np.deg2rad(np.array([-90, -80, -70, -60, 60, 70, 80, 90.0]))
    radii = np.arange(6.0, 19.0)
    rays = np.sin(angles)[:, None, None] * np.array([1.0, 0, 0]) - np.cos(angles)[
        :, None, None
    ] * np.array([0, 1.0, 0])
    local = rays * radii[None, :, None]
    points = frames.centres_mm[:, None, None, :] + np.einsum(
        "sab,...b->s...a", frames.axes, local
    ).reshape(len(frames.centres_mm), len(angles), len(radii), 3)
    kji = np.moveaxis(labels.grid.kji(points), -1, 0)
    own = (labels.labels == value).astype(np.float32)
    share = ndimage.map_coordinates(own, kji, order=1).mean(axis=(1, 2))
    if share.max() < 0.02:
        return float("nan")
    weight = np.maximum(share - 0.5 * share.max(), 0)
    return float((weight * np.arange(len(share))).sum() / weight.sum())


def _whole(labels: LabelMap, value: int, volume: CTVolume) -> bool:
    """The label stays clear of the scan's border."""
    edge = np.argwhere(labels.labels == value)
    kji = volume.grid.kji(labels.grid.patient(np.array([edge.min(axis=0), edge.max(axis=0)])))
    low, high = kji.min(axis=0), kji.max(axis=0)
    return bool((low > 0.6).all() and (high < np.array(volume.hu.shape) - 1.6).all())
