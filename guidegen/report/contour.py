"""Where a surface meets a plane, as closed lines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guidegen.model.arrays import Floats, Ints
from guidegen.report.plane import Plane

TOLERANCE_MM = 0.03
ROUNDS = 4


def contours(vertices_mm: Floats, faces: Ints, plane: Plane, reach_mm: float) -> list[Floats]:
    """Cut a closed surface with a plane.

    Args:
        vertices_mm: (V, 3) of a closed, outward surface.
        faces: (F, 3).
        plane: The plane.
        reach_mm: Lines that stay farther than this from the plane's origin are left out.

    Returns:
        Closed lines (N, 2), mm right and up in the plane, thinned by at most 0.1 mm.
    """
    height = (vertices_mm - plane.origin_mm) @ plane.normal
    height = np.where(np.abs(height) < 1e-9, 1e-9, height)
    above = height > 0
    count = above[faces].sum(axis=1)
    crossing = faces[(count == 1) | (count == 2)]
    if len(crossing) == 0:
        return []
    start, end, points = _segments(crossing, above, height, plane.flat(vertices_mm))
    loops = []
    for chain in _chains(start, end):
        line = points[chain]
        if np.abs(line).max(axis=1).min() <= reach_mm:
            thin = _thinned(line)
            loops.append(np.concatenate([thin, thin[:1]]))
    return loops


def _segments(
    faces: Ints, above: npt.NDArray[np.bool_], height: Floats, flat: Floats
) -> tuple[Ints, Ints, Floats]:
    """One oriented piece of line a triangle: keys of the edges it runs between, and its start."""
    pairs = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1)
    first, second = above[pairs[..., 0]], above[pairs[..., 1]]
    leaving = pairs[first & ~second]
    entering = pairs[~first & second]
    share = height[leaving[:, 0]] / (height[leaving[:, 0]] - height[leaving[:, 1]])
    points = flat[leaving[:, 0]] + share[:, None] * (flat[leaving[:, 1]] - flat[leaving[:, 0]])
    return _keys(leaving, len(height)), _keys(entering, len(height)), points


def _keys(edges: Ints, count: int) -> Ints:
    """One number an edge, the same in both directions."""
    return np.asarray(edges.min(axis=1) * count + edges.max(axis=1))


def _chains(start: Ints, end: Ints) -> list[list[int]]:
    """Follow the pieces from end to start until each loop closes."""
    order = np.argsort(start, kind="stable")
    follower = order[np.searchsorted(start[order], end)].tolist()
    open_ = [True] * len(follower)
    chains = []
    for seed in range(len(follower)):
        chain, here = [], seed
        while open_[here]:
            open_[here] = False
            chain.append(here)
            here = follower[here]
        if len(chain) > 2:
            chains.append(chain)
    return chains


def _thinned(line: Floats) -> Floats:
    """Drop points of a closed line (N, 2) that lie within 0.03 mm of their neighbours' chord.

    Every second point may go in each of four rounds; one pass over arrays is 10 times as fast
    as splitting the line recursively (Douglas and Peucker), for a few points more.
    """
    for _ in range(ROUNDS):
        if len(line) < 8:
            break
        before, after = np.roll(line, 1, axis=0), np.roll(line, -1, axis=0)
        chord, away = after - before, line - before
        lengths = np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-9)
        off = np.abs(chord[:, 0] * away[:, 1] - chord[:, 1] * away[:, 0]) / lengths
        keep = off > TOLERANCE_MM
        keep[::2] = True
        line = line[keep]
    return line
