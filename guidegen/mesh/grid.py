"""Regular grids of distances, their exact filling near a surface, and their isosurfaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import igl
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, label, map_coordinates
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from guidegen.errors import GeometryError
from guidegen.mesh.sampling import sample_surface
from guidegen.mesh.sdf import signed_distance
from guidegen.model.arrays import Floats, Ints

Field = npt.NDArray[np.float32]
"""Values on a lattice, indexed (x, y, z); distances in mm, negative inside."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Nodes of a cubic grid, indexed (x, y, z), in a local frame.

    Args:
        origin_mm: (3,) place of node (0, 0, 0).
        spacing_mm: Distance of neighbouring nodes.
        shape: Number of nodes along x, y, z.
    """

    origin_mm: Floats
    spacing_mm: float
    shape: tuple[int, int, int]

    @classmethod
    def around(cls, low_mm: Any, high_mm: Any, spacing_mm: float) -> Lattice:
        """Cover the box from ``low_mm`` to ``high_mm`` (3,), nodes at multiples of the spacing."""
        low = np.floor(np.asarray(low_mm, dtype=np.float64) / spacing_mm)
        high = np.ceil(np.asarray(high_mm, dtype=np.float64) / spacing_mm)
        nx, ny, nz = (int(n) for n in high - low + 1)
        return cls(low * spacing_mm, spacing_mm, (nx, ny, nz))

    def axis(self, n: int) -> Floats:
        """(shape[n],): coordinates of the nodes along axis ``n``, mm."""
        return np.asarray(self.origin_mm[n] + self.spacing_mm * np.arange(self.shape[n]))

    def box(self, low_mm: Any, high_mm: Any) -> tuple[slice, slice, slice]:
        """Index slices of the nodes inside a box; may be empty."""
        low = np.ceil((np.asarray(low_mm) - self.origin_mm) / self.spacing_mm - 1e-9)
        high = np.floor((np.asarray(high_mm) - self.origin_mm) / self.spacing_mm + 1e-9) + 1
        a = np.clip(low, 0, self.shape).astype(int)
        b = np.maximum(np.clip(high, 0, self.shape).astype(int), a)
        return slice(a[0], b[0]), slice(a[1], b[1]), slice(a[2], b[2])

    def mesh(self, box: tuple[slice, slice, slice]) -> tuple[Field, Field, Field]:
        """Broadcastable coordinates x (n, 1, 1), y (1, n, 1), z (1, 1, n) of a box of nodes."""
        x, y, z = (self.axis(n)[box[n]].astype(np.float32) for n in range(3))
        return x[:, None, None], y[None, :, None], z[None, None, :]

    def points(self, mask: npt.NDArray[np.bool_]) -> Floats:
        """(N, 3): coordinates of the nodes where ``mask`` (shape) is true."""
        return np.asarray(self.origin_mm + self.spacing_mm * np.argwhere(mask))

    def sample(self, values: Field, points_mm: Any, order: int = 1) -> Floats:
        """Interpolate ``values`` at points (..., 3); the border's value outside."""
        points = np.asarray(points_mm, dtype=np.float64)
        index = (points.reshape(-1, 3) - self.origin_mm) / self.spacing_mm
        found = map_coordinates(values, index.T, order=order, mode="nearest", output=np.float64)
        return np.asarray(found.reshape(points.shape[:-1]))

    def resample(self, values: Field, target: Lattice) -> Field:
        """Interpolate trilinearly onto another lattice, axis by axis (fast)."""
        out: npt.NDArray[Any] = values
        for n in range(3):
            place = (target.axis(n) - self.origin_mm[n]) / self.spacing_mm
            place = np.clip(place, 0, self.shape[n] - 1)
            low = np.minimum(place.astype(int), max(self.shape[n] - 2, 0))
            high = np.minimum(low + 1, self.shape[n] - 1)
            share = (
                (place - low).astype(np.float32).reshape([-1 if m == n else 1 for m in (0, 1, 2)])
            )
            out = np.take(out, low, axis=n) * (1 - share) + np.take(out, high, axis=n) * share
        return out.astype(np.float32, copy=False)


def bounded_distance(
    points_mm: Floats, vertices_mm: Floats, faces: Ints, bound_mm: float
) -> Floats:
    """Measure the signed distance to a closed surface, exact up to a bound; negative inside.

    The sign comes from the surface's own normals (exact on a closed, clean surface and several
    times faster than a winding number). Farther than the bound the value is +-``bound_mm``.

    Args:
        points_mm: (N, 3).
        vertices_mm: (V, 3), the same frame.
        faces: (F, 3), closed, outward.
        bound_mm: Exact within this distance.

    Returns:
        (N,) mm.

    References:
        Baerentzen JA, Aanaes H. Signed distance computation using the angle weighted
        pseudonormal. IEEE Trans Vis Comput Graph 2005;11(3):243-253.
    """
    if len(points_mm) == 0:
        return np.zeros(0)
    box = points_mm.min(axis=0) - 1.01 * bound_mm, points_mm.max(axis=0) + 1.01 * bound_mm
    faces = faces_in_box(vertices_mm, faces, *box)
    if len(faces) == 0:
        return np.full(len(points_mm), bound_mm)
    distance = igl.signed_distance(
        np.ascontiguousarray(points_mm, dtype=np.float64),
        np.ascontiguousarray(vertices_mm, dtype=np.float64),
        np.ascontiguousarray(faces, dtype=np.int64),
        igl.SIGNED_DISTANCE_TYPE_PSEUDONORMAL,
        -bound_mm,
        bound_mm,
    )[0]
    distance = np.nan_to_num(distance, nan=bound_mm)
    return np.asarray(np.clip(distance, -bound_mm, bound_mm), dtype=np.float64)


def faces_in_box(vertices_mm: Floats, faces: Ints, low_mm: Floats, high_mm: Floats) -> Ints:
    """(N, 3): those of the faces (F, 3) whose own boxes meet the box."""
    keep = np.ones(len(faces), dtype=bool)
    for n in range(3):
        under, over = vertices_mm[:, n] < low_mm[n], vertices_mm[:, n] > high_mm[n]
        for beside in (under, over):
            keep &= ~beside[faces].all(axis=1)
    return np.asarray(faces[keep])


def mend_signs(
    lattice: Lattice,
    values: Field,
    vertices_mm: Floats,
    faces: Ints,
    where: npt.NDArray[np.bool_] | None = None,
) -> Field:
    """Correct nodes of a signed distance whose sign slipped; changes a copy.

    Next to degenerate triangles a surface's normals can point the wrong way. A distance changes
    by at most the spacing from node to node; where it jumps, the sign is taken again from the
    winding number, which does not depend on normals.

    Args:
        lattice: Of ``values``.
        values: Signed distance, negative inside.
        vertices_mm: (V, 3).
        faces: (F, 3), closed, outward.
        where: Nodes that matter; None for all.
    """
    jumps = np.zeros(lattice.shape, dtype=bool)
    for n in range(3):
        first, second = [slice(None)] * 3, [slice(None)] * 3
        first[n], second[n] = slice(None, -1), slice(1, None)
        a, b = values[tuple(first)], values[tuple(second)]
        jump = (np.abs(a - b) > 1.1 * lattice.spacing_mm) & ((a < 0) != (b < 0))
        jumps[tuple(first)] |= jump
        jumps[tuple(second)] |= jump
    jumps &= np.abs(values) < 0.7 * np.abs(values).max()
    if where is not None:
        jumps &= where
    out = values.copy()
    if jumps.any():
        out[jumps] = signed_distance(lattice.points(jumps), vertices_mm, faces)
    return out


def zero_crossings(lattice: Lattice, values: Field) -> Floats:
    """(N, 3): points where grid edges cross the zero level, linear along each edge."""
    found = []
    for n in range(3):
        first = [slice(None)] * 3
        second = [slice(None)] * 3
        first[n], second[n] = slice(None, -1), slice(1, None)
        a, b = values[tuple(first)], values[tuple(second)]
        at = np.argwhere((a < 0) != (b < 0))
        if len(at) == 0:
            continue
        i, j, k = at.T
        va, vb = a[i, j, k].astype(np.float64), b[i, j, k].astype(np.float64)
        place = at.astype(np.float64)
        place[:, n] += va / (va - vb)
        found.append(lattice.origin_mm + lattice.spacing_mm * place)
    return np.concatenate(found) if found else np.zeros((0, 3))


def distance_to_zero(
    lattice: Lattice, values: Field, where: npt.NDArray[np.bool_], bound_mm: float
) -> Field:
    """Measure how far the nodes chosen by ``where`` are from the zero level of ``values``.

    Sub-voxel: the distance to the nearest of ``zero_crossings``, too long by at most
    spacing^2 / (4 distance).

    Returns:
        Field of ``bound_mm`` with unsigned distances, at most ``bound_mm``, at ``where``.
    """
    out = np.full(lattice.shape, bound_mm, dtype=np.float32)
    crossings = zero_crossings(lattice, values)
    if len(crossings) and where.any():
        tree = cKDTree(crossings, balanced_tree=False, compact_nodes=False)
        distance = tree.query(lattice.points(where), distance_upper_bound=bound_mm)[0]
        out[where] = np.minimum(distance, bound_mm)
    return out


def near_nodes(lattice: Lattice, points_mm: Floats, reach_mm: float) -> npt.NDArray[np.bool_]:
    """Tell for each node (shape) whether one of the points (N, 3) lies near; a little generous."""
    index = np.rint((points_mm - lattice.origin_mm) / lattice.spacing_mm).astype(np.int64)
    index = index[((index >= 0) & (index < lattice.shape)).all(axis=1)]
    empty = np.ones(lattice.shape, dtype=bool)
    empty[tuple(index.T)] = False
    far = distance_transform_edt(empty, sampling=lattice.spacing_mm)
    return np.asarray(far <= reach_mm + lattice.spacing_mm)


def banded_distance(lattice: Lattice, vertices_mm: Floats, faces: Ints, bound_mm: float) -> Field:
    """Signed distance to a closed surface at all nodes; farther than ``bound_mm`` +- that.

    Measured exactly in a band round the surface; the sign of each region beyond it is that of
    one of its nodes.

    Args:
        lattice: Whose nodes.
        vertices_mm: (V, 3).
        faces: (F, 3), closed, outward.
        bound_mm: At least four times the lattice's spacing.
    """
    samples = sample_surface(vertices_mm, faces, lattice.spacing_mm).points_mm
    band = near_nodes(lattice, np.concatenate([samples, vertices_mm]), bound_mm)
    out = np.full(lattice.shape, bound_mm, dtype=np.float32)
    out[band] = bounded_distance(lattice.points(band), vertices_mm, faces, bound_mm)
    regions, _ = label(out >= bound_mm)
    numbers, firsts = np.unique(regions.ravel(), return_index=True)
    firsts = firsts[numbers > 0]
    spots = np.stack(np.unravel_index(firsts, lattice.shape), axis=1)
    places = lattice.origin_mm + lattice.spacing_mm * spots
    inside = signed_distance(places, vertices_mm, faces) < 0
    out[np.isin(regions, numbers[numbers > 0][inside])] = -bound_mm
    return out


def isosurface(lattice: Lattice, values: Field) -> tuple[Floats, Ints]:
    """Extract the zero level as a closed surface, outward (from negative to positive).

    Args:
        lattice: Where the nodes are.
        values: (shape) negative inside; the outside is assumed round the grid.

    Returns:
        Vertices (V, 3) mm and faces (F, 3).

    Raises:
        GeometryError: Nothing is inside.
    """
    if not (values < 0).any():
        raise GeometryError("nothing of the part is left inside the grid; enlarge it or the part")
    padded = np.pad(values, 1, constant_values=float(max(np.abs(values).max(), 1.0)))
    near = 0.01 * lattice.spacing_mm
    padded = np.where(np.abs(padded) < near, np.where(padded < 0, -near, near), padded)
    vertices, faces, _, _ = marching_cubes(padded.astype(np.float32), 0.0)
    points = lattice.origin_mm + lattice.spacing_mm * (vertices.astype(np.float64) - 1)
    triangles = faces.astype(np.int64)
    a, b, c = (points[triangles[:, n]] for n in range(3))
    if float(np.einsum("ij,ij->", a, np.cross(b, c))) < 0:
        triangles = triangles[:, ::-1]
    return points, np.ascontiguousarray(triangles)
