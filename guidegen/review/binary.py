"""Surfaces and slices as the page reads them: little-endian, no text in between."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from guidegen.model.arrays import Floats, Ints


def mesh_bytes(vertices_mm: Floats, faces: Ints) -> bytes:
    """Pack a surface: uint32 counts of vertices and faces, float32 corners, uint32 indices."""
    head = struct.pack("<II", len(vertices_mm), len(faces))
    return b"".join((head, vertices_mm.astype("<f4").tobytes(), faces.astype("<u4").tobytes()))


def slice_bytes(header: Mapping[str, Any], hu: Any) -> bytes:
    """Pack a slice: uint32 length of the JSON, the JSON, then int16 HU row by row."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode("utf-8")
    text += b" " * (-len(text) % 4)
    pixels = np.clip(np.rint(hu), -32768, 32767).astype("<i2")
    return b"".join((struct.pack("<I", len(text)), text, pixels.tobytes()))


def coarser(vertices_mm: Floats, faces: Ints, cell_mm: float) -> tuple[Floats, Ints]:
    """Merge the vertices of each cell of a lattice: quick, for looking at, for nothing else.

    Args:
        vertices_mm: (V, 3).
        faces: (F, 3).
        cell_mm: Edge of a cell; details smaller than it go.

    Returns:
        Fewer vertices, each the mean of its cell's, and the faces that still have three corners.
    """
    low = vertices_mm.min(axis=0)
    cells = np.floor((vertices_mm - low) / cell_mm).astype(np.int64)
    size = cells.max(axis=0) + 1
    keys = (cells[:, 0] * size[1] + cells[:, 1]) * size[2] + cells[:, 2]
    _, own = np.unique(keys, return_inverse=True)
    own = own.ravel()
    count = np.bincount(own).astype(np.float64)
    merged = np.stack([np.bincount(own, vertices_mm[:, n]) / count for n in range(3)], axis=1)
    kept = own[faces]
    a, b, c = kept.T
    return merged, kept[(a != b) & (b != c) & (c != a)]
