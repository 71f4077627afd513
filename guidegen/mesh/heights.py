"""A closed body under a map of heights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from guidegen.errors import GeometryError
from guidegen.model.arrays import Floats, Ints

Mask = npt.NDArray[np.bool_]


def closed_under(x: Floats, z: Floats, heights: Floats, floor: float) -> tuple[Floats, Ints]:
    """Close the body between a map of heights y(x, z) and the plane y = ``floor``.

    The map's largest piece is taken; its border is closed by walls along y.

    Args:
        x: (X,) increasing.
        z: (Z,) increasing.
        heights: (X, Z) y over each node, above the floor; NaN where there is none.
        floor: y of the plane.

    Returns:
        Vertices (V, 3) x, y, z and faces (F, 3), closed, outward, one body.

    Raises:
        GeometryError: No four neighbouring nodes have heights.
    """
    cells = _one_piece(_cells(np.isfinite(heights)))
    if not cells.any():
        raise GeometryError("a map of heights without a single whole cell can't be closed")
    number = np.arange(heights.size).reshape(heights.shape)
    a, b = number[:-1, :-1][cells], number[1:, :-1][cells]
    c, d = number[1:, 1:][cells], number[:-1, 1:][cells]
    top = np.concatenate([np.stack([a, d, c], axis=1), np.stack([a, c, b], axis=1)])
    start, end = top.ravel(), np.roll(top, -1, axis=1).ravel()
    key, back = start * heights.size + end, end * heights.size + start
    border = ~np.isin(key, back)
    p, q, under = start[border], end[border], heights.size
    walls = [np.stack([p, p + under, q], axis=1), np.stack([q, p + under, q + under], axis=1)]
    faces = np.concatenate([top, top[:, ::-1] + under, *walls])
    gx, gz = np.meshgrid(x, z, indexing="ij")
    upper = np.stack([gx, np.nan_to_num(heights), gz], axis=-1).reshape(-1, 3)
    lower = np.stack([gx, np.full_like(gx, floor), gz], axis=-1).reshape(-1, 3)
    used, index = np.unique(faces, return_inverse=True)
    points = np.concatenate([upper, lower])[used]
    return points, index.reshape(faces.shape).astype(np.int64)


def _cells(known: Mask) -> Mask:
    """(X - 1, Z - 1): cells whose four corners are all known."""
    return np.asarray(known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:] & known[1:, 1:])


def _one_piece(cells: Mask) -> Mask:
    """Keep the largest piece, without cells that meet another only at a corner."""
    while True:
        pieces, n = ndimage.label(cells)
        if n == 0:
            return cells
        cells = pieces == np.argmax(np.bincount(pieces.ravel())[1:]) + 1
        a, b, c, d = cells[:-1, :-1], cells[1:, :-1], cells[1:, 1:], cells[:-1, 1:]
        one, two = a & c & ~b & ~d, b & d & ~a & ~c
        if not (one | two).any():
            return cells
        cells[:-1, :-1] &= ~one
        cells[1:, :-1] &= ~two
