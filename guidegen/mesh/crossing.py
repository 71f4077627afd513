"""Whether a surface crosses itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from guidegen.mesh.rays import RayTarget
from guidegen.mesh.sampling import face_areas_normals
from guidegen.model.arrays import Floats, Ints

_DEEP_MM = 1e-4
_INSET_MM = 1e-3
_CROWD = 48
_LEVELS = 2
_PRIMES = np.array([73856093, 19349663, 83492791])


def count_crossings(vertices: Floats, faces: Ints, deep_mm: float = _DEEP_MM) -> int:
    """Count edges that pierce a face that they share no vertex with.

    Two triangles that cross always have an edge of one that pierces the other, also where they
    share a vertex. Neighbours that only touch, or lie in one plane, don't count, as both ends of
    the edge must lie further than ``deep_mm`` on either side of the face, and the edge must pass
    further than that inside its border; this also leaves out the slivers of a boolean, which
    rounding to an STL's coordinates can turn over.

    Suspects are edges whose copy, moved 1e-3 mm inwards, meets any face (rays); they alone are
    tested against the faces near them, found by sorting both, cut into short pieces, into a grid.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3).
        deep_mm: How far an edge must reach through; 1e-4 is a few steps of an STL's coordinates
            at 500 mm (engineering choice).

    Returns:
        Number of (edge, face) pairs; 0 for a sound surface.
    """
    points = vertices - vertices.mean(axis=0)
    ends = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    key = np.sort(ends[:, 0] * len(points) + ends[:, 1])
    key = key[np.append(True, key[1:] != key[:-1])]
    edges = np.stack([key // len(points), key % len(points)], axis=1)
    lengths = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    cell = max(1.2 * float(lengths.mean()), float(np.ptp(points, axis=0).max()) / 2000, 1e-3)
    edges = edges[_suspect(points, faces, edges)]
    if not len(edges):
        return 0
    found = [
        _pierced(points, edges[edge], faces[face], deep_mm, edge * len(faces) + face)
        for edge, face in _candidates(points[edges], points[faces], cell)
    ]
    return len(np.unique(np.concatenate(found))) if found else 0


def _suspect(
    points: Floats, faces: Ints, edges: Ints
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Edges (E,) whose copy a little under the surface meets any face."""
    areas, normals = face_areas_normals(points, faces)
    summed = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(areas * normals[:, n], 3), len(points))
            for n in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    inner = points - _INSET_MM * np.divide(
        summed, length, out=np.zeros_like(summed), where=length > 0
    )
    start, way = inner[edges[:, 0]], inner[edges[:, 1]] - inner[edges[:, 0]]
    far = np.linalg.norm(way, axis=1)
    distance, _ = RayTarget(points, faces).first_hit(
        start, way / np.where(far > 0, far, 1)[:, None]
    )
    return np.asarray(distance <= far)


def _candidates(edges: Floats, faces: Floats, cell: float) -> Iterator[tuple[Ints, Ints]]:
    """Yield blocks of edges and faces that come near each other, by index.

    Cells that hold many faces are sorted again into smaller ones.

    Args:
        edges: (E, 2, 3).
        faces: (F, 3, 3).
        cell: Edge of a grid cell, mm.
    """
    edge_of, face_of = np.arange(len(edges)), np.arange(len(faces))
    for level in range(_LEVELS):
        edges, edge_of = _cut(edges, edge_of, 2 * cell)
        faces, face_of = _cut(faces, face_of, 2 * cell)
        edge_cells, edge_piece = _cells(edges, cell)
        face_cells, face_piece = _cells(faces, cell)
        first = np.searchsorted(face_cells, edge_cells)
        count = np.searchsorted(face_cells, edge_cells, side="right") - first
        crowded = (count > _CROWD) if level < _LEVELS - 1 else np.zeros(len(count), dtype=bool)
        yield from _joined(
            edge_of[edge_piece[~crowded]], face_of[face_piece], first[~crowded], count[~crowded]
        )
        if not crowded.any():
            return
        kept = np.unique(edge_piece[crowded])
        edges, edge_of = edges[kept], edge_of[kept]
        kept = np.unique(face_piece[np.isin(face_cells, np.unique(edge_cells[crowded]))])
        faces, face_of = faces[kept], face_of[kept]
        cell /= 2.5


def _cut(corners: Floats, owner: Ints, longest: float) -> tuple[Floats, Ints]:
    """Cut simplices (N, K, 3) until none is longer; ``owner`` (N,) is passed on."""
    done, owners = [], []
    while len(corners):
        lengths = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
        large = lengths.max(axis=1) > longest
        done.append(corners[~large])
        owners.append(owner[~large])
        corners, owner = _halved(corners[large], lengths[large]), np.repeat(owner[large], 2)
    return np.concatenate(done), np.concatenate(owners)


def _cells(corners: Floats, cell: float) -> tuple[Ints, Ints]:
    """Grid cells under the boxes of simplices (N, K, 3): sorted keys (M,), and which each holds.

    Keys of different cells may agree by chance; that only makes more pairs to test.
    """
    low = np.floor(corners.min(axis=1) / cell).astype(np.int64)
    span = np.floor(corners.max(axis=1) / cell).astype(np.int64) - low + 1
    count = span.prod(axis=1)
    row = np.repeat(np.arange(len(corners)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    z = within % span[row, 2]
    y = within // span[row, 2] % span[row, 1]
    x = within // (span[row, 2] * span[row, 1])
    at = low[row] + np.stack([x, y, z], axis=1)
    key = (at * _PRIMES).sum(axis=1) & 0x3FFFFFFFF
    packed = np.sort(key << 28 | row)
    return packed >> 28, packed & 0xFFFFFFF


def _halved(corners: Floats, lengths: Floats) -> Floats:
    """Cut simplices (N, K, 3) in the middle of their longest edge: (2 N, K, 3)."""
    n = np.arange(len(corners))
    first = lengths.argmax(axis=1)
    second = (first + 1) % corners.shape[1]
    middle = (corners[n, first] + corners[n, second]) / 2
    pair = np.stack([corners, corners], axis=1)
    pair[n, 0, first] = middle
    pair[n, 1, second] = middle
    return pair.reshape(-1, *corners.shape[1:])


def _joined(
    edge: Ints, face: Ints, first: Ints, count: Ints, block: int = 1_000_000
) -> Iterator[tuple[Ints, Ints]]:
    """Yield each edge with ``count`` faces from place ``first`` on, in blocks."""
    if not len(edge):
        return
    for low, high in zip(*_runs(np.cumsum(count) // block), strict=True):
        n = count[low:high]
        row = np.repeat(np.arange(low, high), n)
        within = np.arange(len(row)) - np.repeat(np.cumsum(n) - n, n)
        yield edge[row], face[first[row] + within]


def _runs(values: Ints) -> tuple[Ints, Ints]:
    """Starts and ends of the runs of equal values."""
    change = np.flatnonzero(np.diff(values)) + 1
    return np.concatenate([[0], change]), np.concatenate([change, [len(values)]])


def _pierced(points: Floats, edges: Ints, faces: Ints, deep_mm: float, key: Ints) -> Ints:
    """The ``key`` of each pair in which the edge pierces the face."""
    apart = (edges[:, :1] != faces).all(axis=1) & (edges[:, 1:] != faces).all(axis=1)
    edges, faces, key = edges[apart], faces[apart], key[apart]
    p, q, r = (points[faces[:, n]] for n in range(3))
    a, b = points[edges[:, 0]], points[edges[:, 1]]
    normal = np.cross(q - p, r - p)
    length = np.linalg.norm(normal, axis=1)
    above = np.einsum("nd,nd->n", normal, a - p)
    below = np.einsum("nd,nd->n", normal, b - p)
    limit = deep_mm * length
    through = (length > 0) & (above * below < 0)
    through &= (np.abs(above) > limit) & (np.abs(below) > limit)
    p, q, r, a, b, normal = (x[through] for x in (p, q, r, a, b, normal))
    above, below, length, key = (x[through] for x in (above, below, length, key))
    point = a + (b - a) * (above / (above - below))[:, None]
    inside = np.ones(len(point), dtype=bool)
    for start, end in ((p, q), (q, r), (r, p)):
        side = np.einsum("nd,nd->n", np.cross(end - start, point - start), normal)
        inside &= side > deep_mm * length * np.linalg.norm(end - start, axis=1)
    return key[inside]
