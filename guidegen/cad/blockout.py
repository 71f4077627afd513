"""Block-out: the space a guide leaves free so that it slides on and off in one straight line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from guidegen.mesh.grid import Field, Lattice, bounded_distance, mend_signs
from guidegen.model.arrays import Floats, Ints

BOUND_MM = 4.0
_BAND_MM = 1.0
_MAX_BEND_MM = 0.4


def bone_distance(
    lattice: Lattice, vertices_mm: Floats, faces: Ints, bound_mm: float = BOUND_MM
) -> Field:
    """Exact signed distance of every node to a bone within ``bound_mm``, else the bound."""
    out = np.full(lattice.shape, bound_mm, dtype=np.float32)
    box = lattice.box(vertices_mm.min(axis=0) - bound_mm, vertices_mm.max(axis=0) + bound_mm)
    inner = out[box]
    if inner.size == 0:
        return out
    nx, ny, nz = inner.shape
    low = np.array([lattice.axis(n)[box[n]][0] for n in range(3)])
    part = Lattice(low, lattice.spacing_mm, (nx, ny, nz))
    nodes = part.points(np.ones(part.shape, dtype=bool))
    near = bounded_distance(nodes, vertices_mm, faces, bound_mm).reshape(part.shape)
    out[box] = mend_signs(part, near.astype(np.float32), vertices_mm, faces)
    return out


def shadow(distance: Field) -> Field:
    """Running minimum along z from the surgeon's side (highest z) downwards.

    Outside, this is the exact distance to everything the bone would sweep if it were moved
    away from the surgeon; a guide that stays where it exceeds the fit gap slides off freely.

    Args:
        distance: Signed distance to the bone, negative inside, z towards the surgeon.
    """
    return np.ascontiguousarray(np.minimum.accumulate(distance[:, :, ::-1], axis=2)[:, :, ::-1])


def refined_distance(
    coarse: tuple[Lattice, Field],
    lattice: Lattice,
    bone: tuple[Floats, Ints],
    levels_mm: tuple[float, float],
    where: npt.NDArray[np.bool_] | None = None,
) -> Field:
    """Interpolate a coarse distance and make it exact where the shadow's levels will pass.

    Args:
        coarse: Lattice and exact distance of the bone on it.
        lattice: The fine one.
        bone: Vertices and faces in the lattice's frame.
        levels_mm: Lowest and highest shadow level that will be used.
        where: Nodes where the shadow matters (see ``columns_over``); None for all.

    Returns:
        Field on ``lattice``; exact within the levels and not far under the shadow's surface.
    """
    fine = coarse[0].resample(coarse[1], lattice)
    over = shadow(fine)
    near = (fine > levels_mm[0] - _BAND_MM) & (fine < levels_mm[1] + _BAND_MM)
    near &= over > levels_mm[0] - _BAND_MM
    if where is not None:
        near &= where
    fine[near] = bounded_distance(lattice.points(near), *bone, BOUND_MM)
    return mend_signs(lattice, fine, *bone, where)


def columns_over(part: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Nodes whose distance decides the shadow on a part: it, its border and all above them.

    Two nodes of border: one for the isosurface between the part's nodes and their neighbours,
    one for the bend that ``lowered`` takes off.

    Args:
        part: True at the part's nodes.
    """
    border = ndimage.binary_dilation(part, ndimage.generate_binary_structure(3, 1), 2)
    return np.asarray(np.logical_or.accumulate(border, axis=2))


def lowered(distance: Field) -> Field:
    """Lower a distance by what linear interpolation between its nodes may add to it.

    Beside a sharp ridge of bone the distance is convex, and the isosurface of its samples runs
    up to (second difference) / 8 an axis too close to the bone. On a smooth surface this
    changes nothing.
    """
    out = distance.copy()
    for n in range(3):
        view = np.moveaxis(distance, n, 0)
        bend = np.maximum(view[:-2] - 2 * view[1:-1] + view[2:], 0)
        np.moveaxis(out, n, 0)[1:-1] -= np.minimum(bend, _MAX_BEND_MM) / np.float32(8)
    return out


def top_height(lattice: Lattice, clear: Field) -> Floats:
    """Highest z with ``clear`` < 0 in every column (nx, ny), sub-voxel; -inf where there is none.

    Args:
        lattice: Of ``clear``.
        clear: A shadow minus a level, so that it is monotonous along z.
    """
    inside = clear < 0
    n_under = lattice.shape[2] - np.argmax(inside[:, :, ::-1], axis=2)
    top = np.where(inside.any(axis=2), n_under - 1, -1)
    under = np.clip(top, 0, lattice.shape[2] - 2)
    a = np.take_along_axis(clear, under[..., None], axis=2)[..., 0]
    b = np.take_along_axis(clear, under[..., None] + 1, axis=2)[..., 0]
    share = np.clip(a / np.where(np.abs(a - b) < 1e-9, -1.0, a - b), 0, 1)
    height = lattice.origin_mm[2] + lattice.spacing_mm * (top + share)
    return np.asarray(np.where(top < 0, -np.inf, height), dtype=np.float64)


def nearest_shadow(shadows: Sequence[Field]) -> Field:
    """The smaller of several shadows at every node."""
    return np.asarray(np.minimum.reduce(list(shadows)), dtype=np.float32)
