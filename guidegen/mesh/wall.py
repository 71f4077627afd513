"""Wall thickness of a solid by inscribed spheres."""

from __future__ import annotations

from dataclasses import dataclass

import igl
import numpy as np
from scipy.spatial import cKDTree

from guidegen.mesh.sampling import Samples, face_areas_normals, sample_surface
from guidegen.model.arrays import Floats, Ints

SPACING_MM = 0.4
EDGE_MM = 1.0
_SLACK = 0.005
_TINY_MM = 1e-3
_ON_EDGE_MM = 0.15
_EDGE_DEG = 100.0
_WALL_DEG = 150.0
_TURN_DEG = (40.0, 140.0)
_TURN_MM = 0.7


@dataclass(frozen=True, eq=False)
class Patch:
    """A round or rectangular piece of surface that the wall check leaves out, mm.

    Args:
        centre_mm: (3,).
        normal: (3,) outward unit vector.
        along: (3,) unit vector in the surface: the width's direction; None for a round patch.
        width_mm: Size along ``along``, or the diameter.
        height_mm: Size across; not used for a round patch.
        depth_mm: How far under and over its face the patch reaches.
    """

    centre_mm: Floats
    normal: Floats
    along: Floats | None
    width_mm: float
    height_mm: float
    depth_mm: float

    def holds(self, points: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Tell for points (N, 3) whether each lies in the patch."""
        offset = points - self.centre_mm
        up = offset @ self.normal
        flat = offset - up[:, None] * self.normal
        near = np.abs(up) <= self.depth_mm
        if self.along is None:
            return np.asarray(near & (np.linalg.norm(flat, axis=1) <= self.width_mm / 2))
        across = np.cross(self.normal, self.along)
        near &= np.abs(flat @ self.along) <= self.width_mm / 2
        return np.asarray(near & (np.abs(flat @ across) <= self.height_mm / 2))


@dataclass(frozen=True, eq=False)
class Wall:
    """The thinnest place of a part.

    Args:
        thickness_mm: Diameter of the smallest of the spheres; ``ceiling_mm`` if all are larger;
            NaN if no point could be judged.
        point_mm: (3,) the surface point that it touches.
        share: Part of the surface that was judged.
    """

    thickness_mm: float
    point_mm: Floats
    share: float


def thinnest_wall(
    vertices: Floats,
    faces: Ints,
    patches: tuple[Patch, ...] = (),
    ceiling_mm: float = 6.0,
    spacing_mm: float = SPACING_MM,
) -> Wall:
    """Find the smallest of the largest spheres that fit inside at each surface point.

    At each sample a sphere that touches the surface there from inside shrinks until nothing of
    the surface lies in it; the place is searched again with denser samples. Left out are:

    - points in a label patch, and points opposite to one;
    - points whose sphere touches surfaces that open up by 80 degrees or more: these are edges,
      roundings and the facets of a tessellation, not walls;
    - points within 1 mm of a convex edge or rounding (a turn of 40 to 140 degrees within 0.7 mm),
      unless the surfaces touched face each other within 30 degrees: those are a wall.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3), closed, outward.
        patches: Label patches to leave out.
        ceiling_mm: Walls thicker than this are not told apart.
        spacing_mm: Distance of the samples.

    Returns:
        The thinnest wall; within about 0.03 mm on parallel faces.

    References:
        Ma, Bae, Choi (2012), 3D medial axis point approximation using nearest neighbors and the
        normal field, The Visual Computer 28:7-19: the shrinking ball. The angles and the 1 mm
        round edges are the case contract's definition made exact (engineering choice).
    """
    tree = igl.AABB()
    tree.init(vertices, faces)
    samples = sample_surface(vertices, faces, spacing_mm)
    edges = cKDTree(convex_edges(vertices, faces, samples))
    width, judged = _judge(tree, (vertices, faces), samples, edges, patches, ceiling_mm)
    if not judged.any():
        return Wall(float("nan"), samples.points_mm[0], 0.0)
    share = float(judged.mean())
    best = int(np.argmin(np.where(judged, width, np.inf)))
    value, point = float(width[best]), samples.points_mm[best]
    if value < ceiling_mm:
        low = samples.points_mm[judged & (width < value + 0.3)][:2000]
        near = _around(vertices, faces, low, spacing_mm)
        finer = sample_surface(vertices, faces[near], spacing_mm / 4)
        width, judged = _judge(tree, (vertices, faces), finer, edges, patches, ceiling_mm)
        if judged.any() and width[judged].min() < value:
            best = int(np.argmin(np.where(judged, width, np.inf)))
            value, point = float(width[best]), finer.points_mm[best]
    return Wall(value, point, share)


def _around(vertices: Floats, faces: Ints, points: Floats, reach_mm: float) -> Ints:
    """Faces whose centre or a corner lies near one of the points; at least one."""
    corners = vertices[faces]
    spots = np.concatenate([corners, corners.mean(axis=1, keepdims=True)], axis=1)
    distance, _ = cKDTree(points).query(spots.reshape(-1, 3), distance_upper_bound=reach_mm)
    near = np.isfinite(distance.reshape(-1, 4)).any(axis=1)
    return np.flatnonzero(near) if near.any() else np.array([0])


def _judge(
    tree: igl.AABB,
    mesh: tuple[Floats, Ints],
    samples: Samples,
    edges: cKDTree,
    patches: tuple[Patch, ...],
    ceiling_mm: float,
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Sphere diameters (N,) and whether each counts (N,)."""
    width, touched = _shrink(tree, mesh, samples, ceiling_mm / 2)
    points = samples.points_mm
    centres = points - samples.normals * width[:, None] / 2
    one, two = points - centres, touched - centres
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    cosine = np.einsum("nd,nd->n", one, two) / np.where(lengths > 0, lengths, 1)
    apart = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    free = width >= ceiling_mm
    counts = free | (apart > _EDGE_DEG)
    for reach, which in ((EDGE_MM, apart < _WALL_DEG), (_ON_EDGE_MM, width < _ON_EDGE_MM)):
        doubtful = np.flatnonzero(counts & ~free & which)
        if edges.n and len(doubtful):
            distance, _ = edges.query(points[doubtful], distance_upper_bound=reach)
            counts[doubtful[np.isfinite(distance)]] = False
    for patch in patches:
        counts &= ~(patch.holds(points) | (patch.holds(touched) & ~free))
    return np.where(free, ceiling_mm, width), counts


def _shrink(
    tree: igl.AABB, mesh: tuple[Floats, Ints], samples: Samples, start_mm: float
) -> tuple[Floats, Floats]:
    """Shrink a ball at each sample until it fits: diameters (N,), the points touched (N, 3)."""
    points, normals = samples.points_mm, samples.normals
    radius = np.full(len(points), start_mm)
    touched = np.array(points)
    active = np.arange(len(points))
    for _ in range(30):
        centres = points[active] - normals[active] * radius[active, None]
        square, _, nearest = tree.squared_distance(*mesh, np.ascontiguousarray(centres))
        inside = np.sqrt(square) < radius[active] * (1 - _SLACK)
        active, nearest = active[inside], nearest[inside]
        if not len(active):
            break
        chord = points[active] - nearest
        sink = np.einsum("nd,nd->n", chord, normals[active])
        square = np.einsum("nd,nd->n", chord, chord)
        smaller = np.divide(square, 2 * sink, out=np.zeros_like(sink), where=sink > 0)
        radius[active], touched[active] = np.minimum(smaller, radius[active]), nearest
        active = active[radius[active] > _TINY_MM]
    return 2 * radius, touched


def convex_edges(vertices: Floats, faces: Ints, samples: Samples) -> Floats:
    """Points (N, 3) along convex edges and small convex roundings of a closed surface."""
    _, normals = face_areas_normals(vertices, faces)
    pairs = cKDTree(samples.points_mm).query_pairs(_TURN_MM, output_type="ndarray")
    one, two = normals[samples.faces[pairs[:, 0]]], normals[samples.faces[pairs[:, 1]]]
    way = samples.points_mm[pairs[:, 1]] - samples.points_mm[pairs[:, 0]]
    turn = np.einsum("nd,nd->n", one, two)
    low, high = np.cos(np.radians(_TURN_DEG[1])), np.cos(np.radians(_TURN_DEG[0]))
    bent = (turn > low) & (turn < high)
    bent &= np.einsum("nd,nd->n", way, one) < 0
    bent &= np.einsum("nd,nd->n", way, two) > 0
    middles = samples.points_mm[pairs[bent]].mean(axis=1)
    sharp = _sharp_edges(vertices, faces, normals)
    if len(sharp) and len(middles):
        distance, _ = cKDTree(sharp).query(middles, distance_upper_bound=_TURN_MM)
        middles = middles[np.isinf(distance)]
    return np.concatenate([middles, sharp])


def _sharp_edges(vertices: Floats, faces: Ints, normals: Floats) -> Floats:
    """Points every 0.25 mm on mesh edges where two faces meet convexly by more than 40 degrees."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    key = np.minimum(start, end) * len(vertices) + np.maximum(start, end)
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order][1:] == key[order][:-1])
    first, second = order[same], order[same + 1]
    turn = np.einsum("nd,nd->n", normals[first // 3], normals[second // 3])
    across = vertices[faces.ravel()[(first // 3) * 3 + (first + 2) % 3]] - vertices[start[first]]
    convex = np.einsum("nd,nd->n", across, normals[second // 3]) < 0
    sharp = first[(turn < np.cos(np.radians(_TURN_DEG[0]))) & convex]
    a, b = vertices[start[sharp]], vertices[end[sharp]]
    steps = np.ceil(np.linalg.norm(b - a, axis=1) / 0.25).astype(np.int64) + 1
    row = np.repeat(np.arange(len(sharp)), steps)
    within = np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps)
    share = within / np.maximum(np.repeat(steps, steps) - 1, 1)
    return np.asarray(a[row] + (b - a)[row] * share[:, None])
