"""What a surface is: closed, how many bodies, how large, sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from guidegen.mesh.crossing import count_crossings
from guidegen.model.arrays import Floats, Ints


@dataclass(frozen=True, eq=False)
class Topology:
    """How the faces of a surface hang together.

    Args:
        n_open_edges: Edges with one face only.
        n_crowded_edges: Edges with more than two faces.
        n_flipped_edges: Edges whose two faces run along them the same way.
        n_doubled_corners: Faces that name a vertex twice.
        n_bodies: Pieces that share no edge.
        volume_mm3: Signed; positive if the faces are counter-clockwise from outside.
        extent_mm: (3,) size of the box round it.
    """

    n_open_edges: int
    n_crowded_edges: int
    n_flipped_edges: int
    n_doubled_corners: int
    n_bodies: int
    volume_mm3: float
    extent_mm: Floats

    @property
    def closed(self) -> bool:
        """True if every edge joins exactly two faces that run along it in opposite ways."""
        return self.n_faults == 0

    @property
    def n_faults(self) -> int:
        """Everything that keeps the surface from being closed."""
        edges = self.n_open_edges + self.n_crowded_edges + self.n_flipped_edges
        return edges + self.n_doubled_corners


def topology(vertices: Floats, faces: Ints) -> Topology:
    """Count what is wrong with a welded surface: (V, 3) mm and (F, 3)."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    key = np.minimum(start, end) * len(vertices) + np.maximum(start, end)
    order = np.argsort(key, kind="stable")
    _, first, count = np.unique(key[order], return_index=True, return_counts=True)
    pairs = first[count == 2]
    one, two = order[pairs], order[pairs + 1]
    faces_joined = np.concatenate([[one // 3, two // 3], _crowded(order, first, count)], axis=1)
    graph = coo_matrix(
        (np.ones(faces_joined.shape[1], dtype=bool), faces_joined), shape=(len(faces),) * 2
    )
    a, b, c = (vertices[faces[:, n]] - vertices.mean(axis=0) for n in range(3))
    doubled = (faces == np.roll(faces, 1, axis=1)).any(axis=1)
    return Topology(
        n_open_edges=int((count == 1).sum()),
        n_crowded_edges=int((count > 2).sum()),
        n_flipped_edges=int((start[one] == start[two]).sum()),
        n_doubled_corners=int(doubled.sum()),
        n_bodies=int(connected_components(graph, directed=False)[0]),
        volume_mm3=float(np.einsum("nd,nd->", a, np.cross(b, c)) / 6),
        extent_mm=np.ptp(vertices[faces].reshape(-1, 3), axis=0),
    )


def _crowded(order: Ints, first: Ints, count: Ints) -> Ints:
    """(2, N): faces that meet at an edge of more than two, each with the edge's first."""
    many = np.flatnonzero(count > 2)
    row = np.repeat(first[many], count[many])
    within = np.arange(len(row)) - np.repeat(np.cumsum(count[many]) - count[many], count[many])
    return np.asarray(np.stack([order[row] // 3, order[row + within] // 3]))


def is_sound(vertices: Floats, faces: Ints) -> bool:
    """Tell whether a surface is one closed, outward body that does not cross itself."""
    found = topology(vertices, faces)
    one = found.closed and found.n_bodies == 1 and found.volume_mm3 > 0
    return one and count_crossings(vertices, faces) == 0
