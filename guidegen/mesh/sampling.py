"""Even, repeatable samples of a surface, with smoothed normals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.model.arrays import Floats, Ints

_GOLDEN = np.array([0.7548776662466927, 0.5698402909980532])
"""1/g and 1/g2 of the plastic number g: the R2 sequence, evenly spread without chance."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Points on a surface.

    Args:
        points_mm: (N, 3).
        normals: (N, 3) outward unit normals, smoothed over faces that meet almost flat.
        faces: (N,) the face each lies on.
        area_mm2: Surface each point stands for.
    """

    points_mm: Floats
    normals: Floats
    faces: Ints
    area_mm2: float

    def only(self, chosen: npt.NDArray[np.bool_]) -> Samples:
        """Those that are chosen (N,)."""
        return Samples(
            self.points_mm[chosen], self.normals[chosen], self.faces[chosen], self.area_mm2
        )


def face_areas_normals(vertices: Floats, faces: Ints) -> tuple[Floats, Floats]:
    """Areas (F,) and outward unit normals (F, 3); zero for a face without area."""
    a, b, c = (vertices[faces[:, n]] for n in range(3))
    cross = np.cross(b - a, c - a)
    double = np.linalg.norm(cross, axis=1)
    normals = np.divide(cross, double[:, None], out=np.zeros_like(cross), where=double[:, None] > 0)
    return double / 2, normals


def sample_surface(
    vertices: Floats, faces: Ints, spacing_mm: float, smooth_deg: float = 20.0
) -> Samples:
    """Spread points over a surface, one for each ``spacing_mm`` squared of it.

    Walks over the faces in their order and sets a point each time another spacing squared of
    area has been passed, so that small and large triangles are covered alike, and the same mesh
    always gives the same points.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3).
        spacing_mm: Mean distance of the points.
        smooth_deg: Faces that meet at a vertex within this angle share their normals there.

    Returns:
        The samples; at least one.
    """
    areas, normals = face_areas_normals(vertices, faces)
    passed = np.cumsum(areas)
    number = max(1, round(float(passed[-1]) / spacing_mm**2))
    places = (np.arange(number) + 0.5) * passed[-1] / number
    chosen = np.minimum(np.searchsorted(passed, places), len(faces) - 1)
    u, v = ((np.arange(1, number + 1)[:, None] * _GOLDEN + 0.5) % 1.0).T
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    weights = np.stack([1 - u - v, u, v], axis=1)
    points = np.einsum("nk,nkd->nd", weights, vertices[faces[chosen]])
    smooth = _smoothed(faces, areas, normals, chosen, weights, smooth_deg)
    return Samples(points, smooth, chosen.astype(np.int64), float(passed[-1]) / number)


def _smoothed(
    faces: Ints, areas: Floats, normals: Floats, chosen: Ints, weights: Floats, smooth_deg: float
) -> Floats:
    """Normals at samples, blended from the corners of their faces."""
    used, place = np.unique(chosen, return_inverse=True)
    corners = faces[used].ravel()
    owner = np.argsort(faces.ravel(), kind="stable") // 3
    meet = np.bincount(faces.ravel())
    count = meet[corners]
    first = (np.cumsum(meet) - meet)[corners]
    row = np.repeat(np.arange(len(corners)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    other = owner[np.repeat(first, count) + within]
    mine = used[row // 3]
    alike = np.einsum("nd,nd->n", normals[mine], normals[other]) > np.cos(np.radians(smooth_deg))
    weighted = normals[other] * (areas[other] * alike)[:, None]
    summed = np.stack(
        [np.bincount(row, weighted[:, n], minlength=len(corners)) for n in range(3)], axis=1
    )
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    summed = np.divide(summed, length, out=np.zeros_like(summed), where=length > 0)
    blended = np.einsum("nk,nkd->nd", weights, summed.reshape(-1, 3, 3)[place.ravel()])
    length = np.linalg.norm(blended, axis=1, keepdims=True)
    return np.where(length > 0, blended / np.where(length > 0, length, 1), normals[chosen])
