"""Exact solids: booleans on closed surfaces (manifold3d, 64 bit), refused unless they are sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import manifold3d
import numpy as np

from guidegen.errors import GeometryError
from guidegen.model.arrays import Floats, Ints

MIN_SEGMENTS = 96


class Solid:
    """A closed body. Every solid that exists has volume and a sound surface.

    Coordinates are mm in a frame near the origin (a guide's own), where 64 bits are plenty.

    Raises:
        GeometryError: On construction, if the body is empty, open or inside out.
    """

    def __init__(self, body: Any, what: str) -> None:
        status = body.status()
        if status != manifold3d.Error.NoError:
            raise GeometryError(f"{what}: the solid is not sound ({status.name}); check its input")
        if body.is_empty() or not body.volume() > 0:
            raise GeometryError(f"{what}: the solid is empty or inside out; check its input")
        self._body = body

    @classmethod
    def from_mesh(cls, vertices_mm: Floats, faces: Ints, what: str = "mesh") -> Solid:
        """Take a closed, outward surface: vertices (V, 3) mm and faces (F, 3)."""
        mesh = manifold3d.Mesh64(
            np.array(vertices_mm, dtype=np.float64, order="C"),
            np.array(faces, dtype=np.uint64, order="C"),
        )
        return cls(manifold3d.Manifold(mesh), what)

    @classmethod
    def cylinder(
        cls, start_mm: Floats, direction: Floats, length_mm: float, diameter_mm: float
    ) -> Solid:
        """Make a cylinder whose many-sided section has the area of the true circle.

        Args:
            start_mm: (3,) centre of one end.
            direction: (3,) unit vector to the other end.
            length_mm: Between the ends.
            diameter_mm: Of the circle; flats and corners lie within 0.03 % of it.
        """
        n = MIN_SEGMENTS
        radius = diameter_mm / 2 * float(np.sqrt(2 * np.pi / n / np.sin(2 * np.pi / n)))
        body = manifold3d.Manifold.cylinder(length_mm, radius, radius, n)
        x, y = perpendicular(direction)
        return cls(body.transform(np.column_stack([x, y, direction, start_mm])), "cylinder")

    @classmethod
    def extrude(
        cls, outlines: Sequence[Floats], height_mm: float, pose: Floats, what: str = "text"
    ) -> Solid:
        """Extrude flat outlines (each (N, 2), filled by winding number) along z, then place them.

        Args:
            outlines: Closed outlines in mm; holes run the other way round than their outer.
            height_mm: Along z, from 0.
            pose: (4, 4) rigid: where the outlines' frame lies.
            what: Named in errors.
        """
        section = manifold3d.CrossSection(
            [np.ascontiguousarray(o, dtype=np.float64) for o in outlines],
            manifold3d.FillRule.NonZero,
        )
        body = manifold3d.Manifold.extrude(section, height_mm)
        return cls(body.transform(np.ascontiguousarray(pose[:3, :4])), what)

    @classmethod
    def ball(cls, centre_mm: Floats, radius_mm: float) -> Solid:
        """Make a ball of 32 segments about a centre (3,)."""
        return cls(manifold3d.Manifold.sphere(radius_mm, 32).translate(centre_mm), "ball")

    @classmethod
    def hull(cls, points_mm: Floats, what: str = "hull") -> Solid:
        """Wrap the convex hull round points (N, 3)."""
        points = np.ascontiguousarray(points_mm, dtype=np.float64)
        return cls(manifold3d.Manifold.hull_points(points), what)

    def refined(self, edge_mm: float) -> Solid:
        """Split long edges, so that no triangle spans the part: searches on it stay quick."""
        return Solid(self._body.refine_to_length(edge_mm), "refined")

    @classmethod
    def union(cls, parts: Iterable[Solid]) -> Solid:
        """Join solids."""
        bodies = [p._body for p in parts]
        return cls(manifold3d.Manifold.batch_boolean(bodies, manifold3d.OpType.Add), "union")

    def minus(self, tools: Iterable[Solid], what: str = "difference") -> Solid:
        """Cut tools away."""
        bodies = [self._body, *(t._body for t in tools)]
        cut = manifold3d.Manifold.batch_boolean(bodies, manifold3d.OpType.Subtract)
        return Solid(cut, what)

    def kept_beyond(self, point_mm: Floats, normal: Floats, what: str = "part") -> Solid:
        """What lies on the side of a plane that its normal (3,) points to."""
        return Solid(self._body.trim_by_plane(normal, float(point_mm @ normal)), what)

    def groove(self, pose: Floats, width_mm: float, depth_mm: float) -> Solid:
        """The solid that, cut away, engraves a plane's outline into the surface.

        Args:
            pose: (4, 4) rigid: the plane is its x-y plane.
            width_mm: Across the plane, half of it at either side.
            depth_mm: Into the body, measured in the plane; it also stands 1 mm out of it.

        Raises:
            GeometryError: The plane misses the body.
        """
        flat = self._section(pose)
        round_off = manifold3d.JoinType.Round
        ring = flat.offset(1.0, round_off) - flat.offset(-depth_mm, round_off)
        body = manifold3d.Manifold.extrude(ring, width_mm).translate((0, 0, -width_mm / 2))
        return Solid(body.transform(np.ascontiguousarray(pose[:3, :4])), "groove")

    def inner_circle(self, pose: Floats) -> tuple[Floats, float]:
        """Centre (2,) and radius of the largest circle inside a plane's section, to 0.1 mm."""
        flat, low, high = self._section(pose), 0.0, 200.0
        while high - low > 0.1:
            middle = (low + high) / 2
            empty = flat.offset(-middle, manifold3d.JoinType.Round).is_empty()
            low, high = (low, middle) if empty else (middle, high)
        inner = flat.offset(-low, manifold3d.JoinType.Round).to_polygons()
        corners = np.concatenate([np.asarray(p) for p in inner]) if inner else np.zeros((1, 2))
        return np.asarray(corners.mean(axis=0), dtype=np.float64), low

    def _section(self, pose: Floats) -> Any:
        """Flat section in the x-y plane of a pose (4, 4)."""
        back = np.linalg.inv(pose)[:3, :4]
        return self._body.transform(np.ascontiguousarray(back)).slice(0.0)

    def beyond_mm3(self, tools: Iterable[Solid]) -> float:
        """Volume that lies in none of the tools; 0.0 if they take all."""
        bodies = [self._body, *(t._body for t in tools)]
        cut = manifold3d.Manifold.batch_boolean(bodies, manifold3d.OpType.Subtract)
        return float(cut.volume())

    def overlap_mm3(self, other: Solid) -> float:
        """Volume that both share; 0.0 if they are apart."""
        return float((self._body ^ other._body).volume())

    def bodies(self) -> list[Solid]:
        """Split into connected bodies, largest first."""
        parts = [Solid(b, "body") for b in self._body.decompose() if b.volume() > 1e-9]
        return sorted(parts, key=lambda part: -part.volume_mm3)

    @property
    def volume_mm3(self) -> float:
        """Volume."""
        return float(self._body.volume())

    @property
    def centre_mm(self) -> Floats:
        """(3,): centre of mass."""
        vertices, faces = self.arrays()
        a, b, c = (vertices[faces[:, n]] for n in range(3))
        volume = np.einsum("nd,nd->n", a, np.cross(b, c))
        return np.asarray((volume[:, None] * (a + b + c)).sum(axis=0) / (4 * volume.sum()))

    def arrays(self) -> tuple[Floats, Ints]:
        """Vertices (V, 3) float64 and faces (F, 3) int64, welded, closed, outward."""
        mesh = self._body.to_mesh64()
        points = np.array(mesh.vert_properties[:, :3], dtype=np.float64)
        faces = np.array(mesh.tri_verts, dtype=np.int64)
        if len(mesh.merge_from_vert):
            weld = np.arange(len(points))
            weld[mesh.merge_from_vert] = mesh.merge_to_vert
            faces = weld[faces]
        used, index = np.unique(faces, return_inverse=True)
        return points[used], index.reshape(faces.shape).astype(np.int64)


def perpendicular(direction: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors x, y such that x, y, ``direction`` are right-handed and orthogonal."""
    z = np.asarray(direction, dtype=np.float64)
    axis = np.eye(3)[int(np.argmin(np.abs(z)))]
    x = np.cross(axis, z)
    x /= np.linalg.norm(x)
    return x, np.cross(z, x)
