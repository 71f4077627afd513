"""Where columns that run to the back leave the patient."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from guidegen.anatomy.back_cover import layer_behind, without_cloth, without_table
from guidegen.anatomy.back_profile import SKIN_MM, SOLID_HU, first_fall
from guidegen.anatomy.back_view import Columns, Mask, Values
from guidegen.model.arrays import Floats

_OPENING_MM = 3.0
"""Layers thinner than twice this are no part of a body: sheets, covers, wires, table shells."""
_COARSE_MM = 1.0
_FINE_MM = 0.5
_INSIDE_MM, _OUTSIDE_MM = 14.0, 7.0
"""How far the fine profile runs to both sides of the rough skin."""
_AVERAGE_MM = 2.0
"""Standard deviation of the average over neighbouring columns: noise must not roughen the skin."""
_METAL_HU = 600.0
_STEEPEST = 2.5
_NEXT_TO_AIR_MM = 2.0
"""So much air must be seen behind the skin."""


def rough_exits(columns: Columns) -> Floats:
    """Find where each column first leaves the patient, to about 1 mm.

    What is thinner than a sheet is taken away first, so that gaps under sheets join the air
    outside; gas that is not joined to it (lung, bowel) belongs to the patient. Beyond the edge of
    the view nothing is known: a column that reaches it inside the patient has no exit.

    Args:
        columns: Where to look.

    Returns:
        (X, Z) y in mm of the first place outside; NaN where there is none in view.
    """
    y = np.arange(0.0, columns.farthest_mm() + _COARSE_MM, _COARSE_MM)
    hu, seen = columns.sample(y)
    spacing = (columns.step_mm, columns.step_mm, _COARSE_MM)
    body = _opened((hu > SOLID_HU) | ~seen, spacing)
    outside = _outside(~body & seen, seen)
    first = outside.argmax(axis=2)
    found = outside.any(axis=2) & (first > 0)
    reach = np.minimum(first + round(_NEXT_TO_AIR_MM / _COARSE_MM), len(y) - 1)
    for n in range(round(_NEXT_TO_AIR_MM / _COARSE_MM) + 1):
        place = np.minimum(first + n, len(y) - 1)
        found &= np.take_along_axis(seen, place[..., None], axis=2)[..., 0]
    found &= reach > first
    return np.where(found, y[first], np.nan)


def _opened(mask: Mask, spacing: tuple[float, float, float]) -> Mask:
    """Open with a ball; beyond the box the mask is taken to go on."""
    core = ndimage.distance_transform_edt(mask, sampling=spacing) > _OPENING_MM
    if not core.any():
        return np.asarray(core)
    return np.asarray(ndimage.distance_transform_edt(~core, sampling=spacing) <= _OPENING_MM)


def _outside(air: Mask, seen: Mask) -> Mask:
    """The piece of air that most columns end in."""
    pieces, n = ndimage.label(air)
    if n == 0:
        return air
    last = seen.shape[2] - 1 - seen[:, :, ::-1].argmax(axis=2)
    ends = np.take_along_axis(pieces, last[..., None], axis=2)[seen.any(axis=2)].ravel()
    counts = np.bincount(ends, minlength=n + 1)
    counts[0] = 0
    return np.asarray(pieces == counts.argmax()) if counts.any() else np.zeros_like(air)


def one_sheet(exits: Floats, columns: Columns, middle: Mask) -> Floats:
    """Keep the columns that hang together without a jump with most of those in the middle.

    Args:
        exits: (X, Z) mm, NaN where unknown.
        columns: Their places.
        middle: (X, Z) the columns that matter most.
    """
    number = np.arange(exits.size).reshape(exits.shape)
    pairs = []
    for axis in (0, 1):
        first, second = [slice(None)] * 2, [slice(None)] * 2
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        jump = np.abs(exits[tuple(second)] - exits[tuple(first)])
        smooth = jump <= _STEEPEST * columns.step_mm
        pairs.append(np.stack([number[tuple(first)][smooth], number[tuple(second)][smooth]]))
    joined = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(joined.shape[1], dtype=bool), joined), shape=(exits.size,) * 2)
    piece = connected_components(graph, directed=False)[1].reshape(exits.shape)
    inner = piece[middle & np.isfinite(exits)]
    if len(inner) == 0:
        return np.full_like(exits, np.nan)
    return np.where(piece == np.bincount(inner).argmax(), exits, np.nan)


def averaged(values: npt.NDArray[np.floating], known: Mask, sigma: float) -> Values:
    """Average over known neighbours with Gaussian weights along the first two axes.

    Args:
        values: (X, Z, ...).
        known: (X, Z).
        sigma: In columns.
    """
    deep = known.reshape(*known.shape, *(1,) * (values.ndim - 2))
    sigmas = (sigma, sigma, *(0,) * (values.ndim - 2))
    total = ndimage.gaussian_filter(np.where(deep, values, 0).astype(np.float32), sigmas)
    weight = ndimage.gaussian_filter(known.astype(np.float32), sigma)
    return np.asarray(total / np.maximum(weight, 1e-6).reshape(deep.shape))


def exact_exits(columns: Columns, rough: Floats) -> Floats:
    """Find the skin in each column to a part of a voxel.

    Profiles along the columns are laid side by side along the rough skin and averaged over
    neighbours; ``first_fall`` finds the skin in each, and ``guidegen.anatomy.back_cover`` takes
    off what lies on it without a gap. Columns with metal near the skin stay unknown.

    Args:
        columns: Where to look.
        rough: (X, Z) mm, NaN where unknown.

    Returns:
        (X, Z) mm, NaN where unknown.
    """
    known = np.isfinite(rough)
    base = _smooth_base(rough, known, columns.step_mm)
    t = np.arange(-_INSIDE_MM, _OUTSIDE_MM + _FINE_MM / 2, _FINE_MM)
    raw, _ = columns.sample(base[..., None] + t)
    ends = np.where(known, rough - base, 0.0)
    near = np.abs(t - (ends[..., None] - 0.5)) < SKIN_MM
    metal = ((raw > _METAL_HU) & near).any(axis=2)
    metal = ndimage.binary_dilation(metal, iterations=max(1, round(3.0 / columns.step_mm)))
    known = known & ~metal
    profiles = averaged(np.clip(raw, -1000.0, 150.0), known, _AVERAGE_MM / columns.step_mm)
    x, z = np.meshgrid(columns.x_mm, columns.z_mm, indexing="ij")
    lean = np.gradient(base, columns.step_mm)
    slope = np.hypot(*lean)[known]
    own = profiles[known]
    bare = without_cloth(own, t, first_fall(own, t, ends[known]), slope, columns.voxel_mm)
    layer = tuple(base[known] + side for side in layer_behind(own, t, bare))
    out = np.full(rough.shape, np.nan)
    places = np.stack([x[known], z[known]], axis=1)
    out[known] = without_table(base[known] + bare, (layer[0], layer[1]), places)
    return out


def _smooth_base(rough: Floats, known: Mask, step_mm: float) -> Floats:
    """A smooth surface within a few mm of the rough skin, everywhere."""
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    filled = ndimage.median_filter(rough[tuple(nearest)], size=5)
    return np.asarray(ndimage.gaussian_filter(filled, 4.0 / step_mm), dtype=np.float64)
