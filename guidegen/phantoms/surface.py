"""Exact surfaces of implicit bones: sampled only near the surface, then moved on to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from guidegen.mesh.grid import Field, Lattice, isosurface
from guidegen.model.arrays import Floats, Ints
from guidegen.phantoms.shapes import Distances, Points

Shape = Callable[[Points], tuple[Distances, Distances]]
_CELL = 8
_CHUNK = 50_000
"""Points measured at once: their many intermediate arrays stay in the processor's cache."""


def distances(shape: Shape, points_mm: Floats) -> Floats:
    """Measure points (N, 3) of the bone's frame; (N,) float64, negative inside."""
    parts = [
        shape(np.ascontiguousarray(points_mm[start : start + _CHUNK].T))[0]
        for start in range(0, len(points_mm), _CHUNK)
    ]
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts] or [np.zeros(0)])


def sample(shape: Shape, lattice: Lattice) -> Field:
    """Fill a lattice: exact near the surface, elsewhere the value of the cell's middle.

    Cells of 8 nodes a side whose middle is farther from the surface than 1.4 times their reach
    get one value: only the sign is right there (the shapes' distances are exact on the surface
    and to first order beside it).
    """
    counts = -(-np.array(lattice.shape) // _CELL)
    step = lattice.spacing_mm
    cells = np.stack(np.meshgrid(*(np.arange(n) for n in counts), indexing="ij"), axis=-1)
    cells = cells.reshape(-1, 3)
    first = lattice.origin_mm + cells * (_CELL * step)
    half = (_CELL - 1) * step / 2
    middle = distances(shape, first + half)
    values = np.repeat(middle[:, None].astype(np.float32), _CELL**3, axis=1)
    near = np.flatnonzero(np.abs(middle) < 1.4 * np.sqrt(3) * half + 1.0)
    k = np.arange(_CELL)
    offsets = np.stack(np.meshgrid(k, k, k, indexing="ij"), axis=-1).reshape(-1, 3) * step
    per_chunk = _CHUNK // _CELL**3
    for start in range(0, len(near), per_chunk):
        chosen = near[start : start + per_chunk]
        points = (first[chosen][:, None] + offsets).reshape(-1, 3)
        found = shape(np.ascontiguousarray(points.T, dtype=np.float32))[0]
        values[chosen] = found.reshape(len(chosen), -1)
    whole = values.reshape(*counts, _CELL, _CELL, _CELL).transpose(0, 3, 1, 4, 2, 5)
    whole = whole.reshape(*(counts * _CELL))
    nx, ny, nz = lattice.shape
    return np.ascontiguousarray(whole[:nx, :ny, :nz])


def gradient(shape: Shape, points_mm: Floats, step_mm: float = 0.01) -> Floats:
    """(N, 3): gradient of the distance, by central differences."""
    parts = []
    for n in range(3):
        way = np.zeros(3)
        way[n] = step_mm
        there = distances(shape, points_mm + way) - distances(shape, points_mm - way)
        parts.append(there / (2 * step_mm))
    return np.stack(parts, axis=1)


def on_surface(shape: Shape, points_mm: Floats, most_mm: float) -> Floats:
    """Move points (N, 3) near the surface on to it: two Newton steps, ``most_mm`` at most."""
    moved = np.array(points_mm, dtype=np.float64)
    for _ in range(2):
        slope = gradient(shape, moved)
        size = np.maximum((slope**2).sum(axis=1), 0.04)
        step = slope * (distances(shape, moved) / size)[:, None]
        length = np.linalg.norm(step, axis=1, keepdims=True)
        moved -= step * np.minimum(1.0, most_mm / np.maximum(length, 1e-12))
    return moved


def extract(shape: Shape, bounds_mm: Floats, step_mm: float) -> tuple[Floats, Ints]:
    """Extract the closed surface in the bone's frame.

    Args:
        shape: The implicit bone.
        bounds_mm: (2, 3) a box that holds it.
        step_mm: Distance of the grid's nodes.

    Returns:
        Vertices (V, 3), which lie on the surface to about 0.001 mm, and faces (F, 3).
    """
    lattice = Lattice.around(bounds_mm[0] - step_mm, bounds_mm[1] + step_mm, step_mm)
    vertices, faces = isosurface(lattice, sample(shape, lattice))
    return on_surface(shape, vertices, 0.1 * step_mm), faces
