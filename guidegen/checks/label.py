"""Is the part labelled, and do its side marks read the right way and stand on the right side?"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform

from guidegen.checks.bore import patient_left
from guidegen.checks.part import NAN, Part, label_axes, label_size
from guidegen.mesh.sampling import face_areas_normals
from guidegen.model.arrays import Floats
from guidegen.model.findings import Finding
from guidegen.model.guide import Feature

_PIXEL_MM = 0.12
_LEAST_DEEP_MM = 0.3
_DEEPEST_MM = 1.5
_SHARE = 0.03
_ABOVE_MM = 1.2
_TEMPLATE = 48
_ALIKE = 0.03
_AWAY_MM = 1.0
_LAYERS = "two to three layers of common printers (engineering choice)"
_COVERED = "engraved part of the plate; thin text covers 5 to 30 % (engineering choice)"
_READ = "overlap with the letter less that with the next best reading (engineering choice)"
_SYMMETRIC = "M"
_SIDED = "left and right are the patient's"
_READING = Lock()
Mask = npt.NDArray[np.bool_]


def check_label(part: Part) -> tuple[Finding, ...]:
    """Measure depth and area of the text engraved at each designed label; a blank plate fails."""
    found = []
    for label in part.features("label"):
        depth, plate = engraved_depth(part, label)
        cut = depth > _LEAST_DEEP_MM
        deep = float(np.median(depth[cut])) if cut.any() else 0.0
        share = float(cut.sum() / plate.sum()) if plate.any() else NAN
        subject = f"{part.subject}#label {label.item}"
        found += [
            Finding("label_depth", subject, deep, _LEAST_DEEP_MM, "at_least", "mm", _LAYERS),
            Finding("label_share", subject, share, _SHARE, "at_least", "1", _COVERED),
        ]
    if not any(f.item == part.guide.label for f in part.features("label")):
        found.append(part.finding("label_depth", NAN, _LEAST_DEEP_MM, "at_least", "mm", "no label"))
    return tuple(found)


def engraved_depth(part: Part, label: Feature) -> tuple[Floats, Mask]:
    """Look straight down on a label.

    Returns:
        Depth (N, N) in mm below the plate's face where a floor parallel to it lies, 0 elsewhere,
        in an arbitrary upright direction, seen from outside; and where there is plate or floor.
    """
    radius = label.values.get("radius_mm", 3.0)
    steps = np.arange(-radius, radius + _PIXEL_MM / 2, _PIXEL_MM)
    half = label_size(label)
    right, up = label_axes(label, None if half is None else part.up)
    x, y = np.meshgrid(steps, steps, indexing="xy")
    start = label.point_mm + _ABOVE_MM * label.direction
    origins = start + x[..., None] * right + y[..., None] * up
    hit, face = part.surface.rays.first_hit(origins.reshape(-1, 3), -label.direction)
    _, normals = face_areas_normals(part.surface.vertices, part.surface.faces)
    flat = (face >= 0) & (normals[face] @ label.direction > 0.97)
    flat &= np.linalg.norm(np.stack([x.ravel(), y.ravel()]), axis=0) <= radius
    if half is not None and part.up is not None:
        flat &= (np.abs(x.ravel()) <= half[0]) & (np.abs(y.ravel()) <= half[1])
    below = np.where(flat, hit - _ABOVE_MM, np.nan)
    near = below[np.abs(below) < 0.25]
    level = float(np.median(near)) if len(near) else 0.0
    plate = flat & (np.abs(below - level) < _DEEPEST_MM)
    depth = np.where(plate, below - level, 0.0)
    return depth.reshape(x.shape), plate.reshape(x.shape)


def check_side_marks(part: Part) -> tuple[Finding, ...]:
    """Read the engraved L and R marks from the mesh, and see on which side they stand.

    ``side_mark_read``: how much better the engraving matches its own letter than the other one or
    either one mirrored, in any turn. ``side_mark_side``: distance of the mark to the side that it
    names: from the middle of the bones that the paths go into; on a model, whose marks lie in
    front of a vertebra that may be turned, from the middle between both marks.
    """
    found = []
    marks = [f for f in part.features("label") if f.item in ("L", "R")]
    middle = part.middle_mm
    if part.guide.role == "model" and len(marks) == 2:
        middle = np.asarray((marks[0].point_mm + marks[1].point_mm) / 2)
    for mark in marks:
        depth, _ = engraved_depth(part, mark)
        away = NAN
        if middle is not None:
            forward = part.guide.insertion_direction
            left = patient_left(-mark.direction, forward)
            sign = 1.0 if mark.item == "L" else -1.0
            away = sign * float((mark.point_mm - middle) @ left)
        subject, like = f"{part.subject}#label {mark.item}", read_letter(depth, mark.item)
        found += [
            Finding("side_mark_read", subject, like, _ALIKE, "at_least", "1", _READ),
            Finding("side_mark_side", subject, away, _AWAY_MM, "at_least", "mm", _SIDED),
        ]
    return tuple(found)


def read_letter(depth: Floats, letter: str, letters: tuple[str, ...] = ("L", "R")) -> float:
    """Overlap of an engraving with a letter less that with other readings: -1 to 1.

    Args:
        depth: (N, N) as of ``engraved_depth``.
        letter: One of ``letters``.
        letters: What it may be taken for, mirrored or not; M reads the same in a mirror.
    """
    cut = depth > _LEAST_DEEP_MM
    if not cut.any():
        return NAN
    scores = {
        (name, mirrored): _best_overlap(_normed(cut), name, mirrored)
        for name in letters
        for mirrored in (False, True)
        if not (mirrored and name == letter and name in _SYMMETRIC)
    }
    own = scores.pop((letter, False))
    return own - max(scores.values())


def _best_overlap(cut: Floats, letter: str, mirrored: bool) -> float:
    """Largest overlap (intersection over union) of a normed mask with a letter in any turn."""
    best = 0.0
    for turned in _turned(letter, mirrored):
        union = float(np.maximum(cut, turned).sum())
        best = max(best, float(np.minimum(cut, turned).sum()) / union)
    return best


@cache
def _turned(letter: str, mirrored: bool) -> tuple[Floats, ...]:
    """A letter's normed mask in all turns of 6 degrees."""
    with _READING:  # parts are checked side by side, the font file has one reader
        from matplotlib.font_manager import FontProperties
        from matplotlib.textpath import TextPath

        font = FontProperties(family="DejaVu Sans", weight="bold")
        outline: Any = TextPath((0, 0), letter, size=40, prop=font)
    x, y = np.meshgrid(np.arange(-5.0, 45.0, 0.5), np.arange(-5.0, 45.0, 0.5), indexing="xy")
    mask = outline.contains_points(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    if mirrored:
        mask = mask[:, ::-1]
    return tuple(_normed(mask, turn) for turn in np.arange(0.0, 360.0, 6.0))


def _normed(mask: Mask, turn_deg: float = 0.0) -> Floats:
    """Move a mask's middle to that of a square, scale its spread to a standard, and turn it."""
    rows, columns = np.nonzero(mask)
    middle = np.array([rows.mean(), columns.mean()])
    spread = np.sqrt(rows.var() + columns.var())
    scale = spread / (_TEMPLATE / 4)
    sine, cosine = np.sin(np.radians(turn_deg)), np.cos(np.radians(turn_deg))
    matrix = scale * np.array([[cosine, -sine], [sine, cosine]])
    centre = np.array([_TEMPLATE, _TEMPLATE]) / 2
    shape = (_TEMPLATE, _TEMPLATE)
    return np.asarray(
        affine_transform(mask.astype(float), matrix, middle - matrix @ centre, shape, order=1)
    )
