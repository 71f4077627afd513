"""Wall thickness of a solid by inscribed spheres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import igl
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from guidegen.mesh.sampling import Samples, face_areas_normals, sample_surface
from guidegen.model.arrays import Floats, Ints

SPACING_MM = 0.4
ENGRAVED_MM = 1.2
"""How far over and under a label's face its engraving may reach."""
EDGE_MM = 1.0
_SLACK = 0.005
_TINY_MM = 1e-3
_LOWEST = 100
_MARGIN_MM = 0.5
_CEILING_MM = 6.0
_THICK_MM = 3.0
"""Most parts have a thinner wall somewhere: larger balls need not be shrunk then."""
_CLOSE_MM = 0.1
_NEAR_MM = 2.0
_CREST_DEG = 98.0
_CREST_MM = 0.8
_SPECK_MM = 0.02
Mask = npt.NDArray[np.bool_]
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

    def holds(self, points: Floats) -> Mask:
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
    ceiling_mm: float = _CEILING_MM,
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
    rough, *finer = _passes(vertices, faces, patches, ceiling_mm, spacing_mm)
    if rough.thinnest is None:
        return Wall(float("nan"), rough.samples.points_mm[0], 0.0)
    value, point = rough.thinnest
    for fine in finer:
        if fine.thinnest is not None and fine.thinnest[0] < value:
            value, point = fine.thinnest
    return Wall(value, point, float(rough.judged.mean()))


def thin_walls(
    vertices: Floats, faces: Ints, patches: tuple[Patch, ...], least_mm: float
) -> Floats:
    """Find every place that ``thinnest_wall`` sees on its way and that is thinner than allowed.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3), closed, outward.
        patches: Label patches to leave out.
        least_mm: Smallest wall allowed.

    Returns:
        (N, 3): centres of the spheres that are smaller; none exactly if the thinnest wall is
        thick enough.
    """
    found = []
    for seen in _passes(vertices, faces, patches, _CEILING_MM, SPACING_MM):
        thin = seen.judged & (seen.width_mm < least_mm)
        inward = seen.samples.normals * seen.width_mm[:, None] / 2
        found.append((seen.samples.points_mm - inward)[thin])
    return np.concatenate(found)


@dataclass(frozen=True, eq=False)
class _Seen:
    """Samples with the diameters of their spheres (N,) and whether each counts (N,)."""

    samples: Samples
    width_mm: Floats
    judged: Mask

    @property
    def thinnest(self) -> tuple[float, Floats] | None:
        """Diameter and place (3,) of the smallest sphere that counts."""
        if not self.judged.any():
            return None
        best = int(np.argmin(np.where(self.judged, self.width_mm, np.inf)))
        return float(self.width_mm[best]), self.samples.points_mm[best]


def _passes(
    vertices: Floats,
    faces: Ints,
    patches: tuple[Patch, ...],
    ceiling_mm: float,
    spacing_mm: float,
) -> list[_Seen]:
    """Look at the whole surface and, if it is thinner than the ceiling, closer where it is thin."""
    solid = _Solid(vertices, faces, spacing_mm)
    for ceiling in (min(ceiling_mm, _THICK_MM), ceiling_mm):
        seen = _Seen(solid.samples, *_judge(solid, solid.samples, patches, ceiling))
        if seen.thinnest is None or seen.thinnest[0] < ceiling:
            break
    if seen.thinnest is None or seen.thinnest[0] >= ceiling_mm:
        return [seen]
    order = np.argsort(np.where(seen.judged, seen.width_mm, np.inf), kind="stable")
    near = _around(vertices, faces, seen.samples.points_mm[order[:_LOWEST]], spacing_mm)
    finer = sample_surface(vertices, faces[near], spacing_mm / 4)
    return [seen, _Seen(finer, *_judge(solid, finer, patches, ceiling))]


def thin_places(
    vertices: Floats,
    faces: Ints,
    least_mm: float,
    near_mm: Floats | None = None,
    facing_deg: float = _CREST_DEG,
) -> Floats:
    """Find the places that ``thinnest_wall`` would call thinner than allowed, and thin crests.

    Near edges, too, where it looks away: which points are 1 mm from an edge depends on where the
    samples fall.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3), closed, outward.
        least_mm: Smallest wall allowed.
        near_mm: (N, 3) only places within 2 mm of these are judged; None for all.
        facing_deg: Surfaces that open up more (180 is parallel) are no wall.

    Returns:
        (N, 3): centres of the spheres that are smaller, halfway through the wall.
    """
    if near_mm is not None:
        faces = faces[_around(vertices, faces, near_mm, _NEAR_MM + 2 * least_mm)]
    solid = _Solid(vertices, faces, SPACING_MM)
    samples, start = solid.samples, (least_mm + _CLOSE_MM) / 2
    if near_mm is not None:
        reach = cKDTree(near_mm).query(samples.points_mm, distance_upper_bound=_NEAR_MM)[0]
        samples = samples.only(np.isfinite(reach))
    places = samples.points_mm, samples.normals
    radius, touched = np.full(len(places[0]), start), np.array(places[0])
    _shrink(places, radius, touched, np.arange(len(radius)), solid.near_sample)
    _shrink(places, radius, touched, np.flatnonzero(radius < start), solid.nearest)
    apart = _apart_deg(samples, radius, touched)
    thin = (2 * radius > _CREST_MM) | ((apart > _WALL_DEG) & (2 * radius > _SPECK_MM))
    thin &= (apart > facing_deg) & (2 * radius < least_mm)
    return np.asarray((places[0] - places[1] * radius[:, None])[thin])


class _Solid:
    """A surface with its samples and search trees."""

    def __init__(self, vertices: Floats, faces: Ints, spacing_mm: float) -> None:
        self._mesh = (vertices, faces)
        self._tree = igl.AABB()
        self._tree.init(vertices, faces)
        self.samples = sample_surface(vertices, faces, spacing_mm)
        self._cloud = cKDTree(self.samples.points_mm)

    @cached_property
    def edges(self) -> cKDTree:
        """Points along convex edges."""
        return cKDTree(convex_edges(*self._mesh, self.samples))

    def near_sample(self, points: Floats) -> tuple[Floats, Floats]:
        """Distance (N,) and place (N, 3) of the nearest sample: quick, a little too far."""
        distance, index = self._cloud.query(points, workers=-1)
        return distance, self.samples.points_mm[index]

    def nearest(self, points: Floats) -> tuple[Floats, Floats]:
        """Distance (N,) and place (N, 3) of the nearest point of the surface."""
        square, _, nearest = self._tree.squared_distance(*self._mesh, np.ascontiguousarray(points))
        return np.sqrt(square), nearest


def _around(vertices: Floats, faces: Ints, points: Floats, reach_mm: float) -> Ints:
    """Faces whose centre or a corner lies near one of the points; at least one."""
    corners = vertices[faces]
    spots = np.concatenate([corners, corners.mean(axis=1, keepdims=True)], axis=1)
    distance, _ = cKDTree(points).query(spots.reshape(-1, 3), distance_upper_bound=reach_mm)
    near = np.isfinite(distance.reshape(-1, 4)).any(axis=1)
    return np.flatnonzero(near) if near.any() else np.array([0])


def _judge(
    solid: _Solid, samples: Samples, patches: tuple[Patch, ...], ceiling_mm: float
) -> tuple[Floats, Mask]:
    """Sphere diameters (N,) and whether each counts (N,).

    Balls are first shrunk among the samples; only those that then may be the smallest are shrunk
    on the surface itself.
    """
    points, normals = samples.points_mm, samples.normals
    radius, touched = np.full(len(points), ceiling_mm / 2), np.array(points)
    _shrink((points, normals), radius, touched, np.arange(len(points)), solid.near_sample)
    exact, label = np.zeros(len(points), dtype=bool), _held(patches, points)
    while True:
        counts = _counts(solid, samples, (radius, touched), ceiling_mm) & ~label
        free = 2 * radius >= ceiling_mm
        opposite = np.flatnonzero(counts & ~free)
        counts[opposite] = ~_held(patches, touched[opposite])
        smallest = 2 * radius[counts].min() if counts.any() else np.inf
        rough = ~exact & (2 * radius <= smallest + _MARGIN_MM)
        if not (rough & counts & (2 * radius <= smallest)).any():
            return 2 * radius, counts
        _shrink((points, normals), radius, touched, np.flatnonzero(rough), solid.nearest)
        exact |= rough


def _held(patches: tuple[Patch, ...], points: Floats) -> Mask:
    """Whether each point (N, 3) lies in one of the patches."""
    found = np.zeros(len(points), dtype=bool)
    for patch in patches:
        found |= patch.holds(points)
    return found


def _counts(
    solid: _Solid,
    samples: Samples,
    balls: tuple[Floats, Floats],
    ceiling_mm: float,
) -> Mask:
    """Whether each ball (radii, points touched) is free or touches a wall, no edge (N,)."""
    points, (radius, touched) = samples.points_mm, balls
    apart = _apart_deg(samples, radius, touched)
    free = 2 * radius >= ceiling_mm
    counts = free | (apart > _EDGE_DEG)
    for reach, which in ((EDGE_MM, apart < _WALL_DEG), (_ON_EDGE_MM, 2 * radius < _ON_EDGE_MM)):
        doubtful = np.flatnonzero(counts & ~free & which)
        if solid.edges.n and len(doubtful):
            distance, _ = solid.edges.query(points[doubtful], distance_upper_bound=reach)
            counts[doubtful[np.isfinite(distance)]] = False
    return np.asarray(counts)


def _apart_deg(samples: Samples, radius: Floats, touched: Floats) -> Floats:
    """How far apart the two points lie that each ball touches, seen from its centre (N,)."""
    one = samples.normals * radius[:, None]
    two = touched - samples.points_mm + one
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    cosine = np.einsum("nd,nd->n", one, two) / np.where(lengths > 0, lengths, 1)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _shrink(
    places: tuple[Floats, Floats],
    radius: Floats,
    touched: Floats,
    active: Ints,
    nearest_of: Callable[[Floats], tuple[Floats, Floats]],
) -> None:
    """Shrink balls until nothing lies in them; changes ``radius`` and ``touched`` in place.

    Args:
        places: Points (N, 3) that the balls touch from inside, and outward normals (N, 3) there.
        radius: (N,) to start from.
        touched: (N, 3) the other point that each ball touches.
        active: Which balls.
        nearest_of: Gives distance and place of what is nearest to points.
    """
    points, normals = places
    for _ in range(30):
        centres = points[active] - normals[active] * radius[active, None]
        distance, nearest = nearest_of(centres)
        chord = points[active] - nearest
        sink = np.einsum("nd,nd->n", chord, normals[active])
        square = np.einsum("nd,nd->n", chord, chord)
        smaller = np.divide(square, 2 * sink, out=np.full_like(sink, np.inf), where=sink > 0)
        inside = distance < radius[active] * (1 - _SLACK)
        use = (smaller < radius[active]) & (inside | (square > 2 * radius[active] ** 2))
        radius[active[use]], touched[active[use]] = smaller[use], nearest[use]
        active = active[inside & use]
        if not len(active):
            return
        active = active[radius[active] > _TINY_MM]


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
