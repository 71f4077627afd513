"""The cylinder that a bore really is, measured on the mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.mesh.sampling import face_areas_normals
from guidegen.mesh.surface import Surface
from guidegen.model.arrays import Floats, Ints

_REACH_MM = 1.0
_MIN_FACES = 12
_MIN_ARC = 0.6
_REPEATS = 12
_SETTLED = 0.95


@dataclass(frozen=True, eq=False)
class Cylinder:
    """A measured bore.

    Args:
        point_mm: (3,) on the axis.
        direction: (3,) unit vector, the way that the planned axis goes.
        diameter_mm: Of the circle that fits best.
        residual_mm: Root mean square distance of the wall from it.
    """

    point_mm: Floats
    direction: Floats
    diameter_mm: float
    residual_mm: float

    def distance_mm(self, point: Floats) -> float:
        """Distance of a point from the axis."""
        offset = point - self.point_mm
        return float(np.linalg.norm(offset - (offset @ self.direction) * self.direction))

    def angle_deg(self, direction: Floats) -> float:
        """Angle between the axis and a direction, 0 to 180."""
        sine = np.linalg.norm(np.cross(self.direction, direction))
        return float(np.degrees(np.arctan2(sine, self.direction @ direction)))


def fit_bore(
    surface: Surface, top_mm: Floats, direction: Floats, length_mm: float, diameter_mm: float
) -> Cylinder | None:
    """Fit a cylinder to the wall of a bore.

    The wall is what faces the planned axis, within 1 mm beyond the planned radius. The fit is
    repeated on what faces the axis found and lies near the cylinder found, until no more falls
    away: the rounded rims and gutters where a bore comes out obliquely are not its wall.

    Args:
        surface: The part.
        top_mm: (3,) planned axis point at the sleeve's top.
        direction: (3,) unit vector going in.
        length_mm: From the top; the wall is taken from 2 mm before to 4 mm behind.
        diameter_mm: Planned.

    Returns:
        The cylinder, or None if there is no bore: too few faces, or less than 60 % of the
        directions round the axis.
    """
    centres = surface.vertices[surface.faces].mean(axis=1)
    along = (centres - top_mm) @ direction
    aside = centres - top_mm - along[:, None] * direction
    reach = diameter_mm / 2 + _REACH_MM
    near = (along > -2) & (along < length_mm + 4) & (np.linalg.norm(aside, axis=1) < reach)
    faces = surface.faces[near]
    found = Cylinder(top_mm, direction, diameter_mm, np.inf)
    for facing in (0.5, 0.9, *[0.95] * _REPEATS):
        wall = _facing(surface.vertices, faces, found, facing)
        if len(wall) < _MIN_FACES or _arc(surface.vertices, wall, found) < _MIN_ARC:
            return None
        fitted = _fit(surface.vertices, wall, found)
        if fitted is None:
            return None
        settled = facing > 0.9 and fitted.residual_mm > _SETTLED * found.residual_mm
        found = fitted
        if settled:
            break
    return found


def _facing(vertices: Floats, faces: Ints, bore: Cylinder, least: float) -> Ints:
    """Faces whose normals point at the axis and that have any area."""
    areas, normals = face_areas_normals(vertices, faces)
    offset = vertices[faces].mean(axis=1) - bore.point_mm
    radial = offset - (offset @ bore.direction)[:, None] * bore.direction
    radius = np.linalg.norm(radial, axis=1)
    inward = -np.einsum("nd,nd->n", normals, radial) / np.where(radius > 0, radius, 1)
    use = (inward > least) & (areas > 1e-9)
    if np.isfinite(bore.residual_mm):
        off = np.abs(radius - bore.diameter_mm / 2)
        use &= off <= max(0.02, 3 * bore.residual_mm)
    return np.asarray(faces[use])


def _arc(vertices: Floats, faces: Ints, bore: Cylinder) -> float:
    """Share of the directions round the axis in which there is wall: 0 to 1, in 36 steps."""
    one, two = across(bore.direction)
    offset = vertices[faces].reshape(-1, 3) - bore.point_mm
    angle = np.arctan2(offset @ two, offset @ one)
    return len(np.unique(np.floor((angle + np.pi) / (2 * np.pi) * 36).astype(int))) / 36


def _fit(vertices: Floats, faces: Ints, start: Cylinder) -> Cylinder | None:
    """Least squares over wall points, weighted by area (Gauss-Newton from a start nearby)."""
    areas, _ = face_areas_normals(vertices, faces)
    corners = vertices[faces].reshape(-1, 3)
    weight = np.sqrt(np.repeat(areas, 3) / areas.sum())
    one, two = across(start.direction)
    local = (corners - start.point_mm) @ np.column_stack([one, two, start.direction])
    middle = float(np.average(local[:, 2], weights=weight**2))
    x = np.array([0.0, 0.0, 0.0, 0.0, start.diameter_mm / 2])
    for _ in range(30):
        height = local[:, 2] - middle
        flat = local[:, :2] - x[:2] - height[:, None] * x[2:4]
        radius = np.linalg.norm(flat, axis=1)
        if not (radius > 1e-6).all():
            return None
        way = flat / radius[:, None]
        jacobian = np.column_stack([-way, -way * height[:, None], -np.ones(len(way))])
        step = np.linalg.lstsq(jacobian * weight[:, None], -(radius - x[4]) * weight, rcond=None)[0]
        x = x + step
        if np.abs(step).max() < 1e-10:
            break
    if not (np.isfinite(x).all() and 0 < x[4] < 20):
        return None
    direction = start.direction + x[2] * one + x[3] * two
    point = start.point_mm + x[0] * one + x[1] * two + middle * start.direction
    residual = float(np.sqrt(np.sum(weight**2 * (radius - x[4]) ** 2) / 3))
    return Cylinder(point, direction / np.linalg.norm(direction), 2 * float(x[4]), residual)


def across(direction: Floats) -> tuple[Floats, Floats]:
    """Two unit vectors (3,) square to a direction and to each other."""
    one = np.cross(direction, np.eye(3)[int(np.argmin(np.abs(direction)))])
    one = one / np.linalg.norm(one)
    return one, np.cross(direction, one)


@dataclass(frozen=True, eq=False)
class Wall:
    """The wall round a bore, in rays from its axis.

    Args:
        height_mm: (H,) along the axis from the sleeve's top, going in.
        closed: (H, A) there is wall where it should be.
        thickness_mm: (H, A) from the bore to the outside; NaN where there is no wall.
    """

    height_mm: Floats
    closed: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
    thickness_mm: Floats


def scan_wall(surface: Surface, bore: Cylinder, top_mm: Floats, length_mm: float) -> Wall:
    """Look at the wall round a bore every 0.2 mm along it and every 7.5 degrees round it."""
    height = np.arange(-3.0, length_mm + 8.0, 0.2)
    angle = np.radians(np.arange(0, 360, 7.5) + 1.3)
    one, two = across(bore.direction)
    way = np.cos(angle)[:, None] * one + np.sin(angle)[:, None] * two
    start = bore.point_mm + ((top_mm - bore.point_mm) @ bore.direction) * bore.direction
    origins = start + height[:, None] * bore.direction
    rays = np.broadcast_to(way, (len(height), *way.shape)).reshape(-1, 3)
    points = np.repeat(origins, len(angle), axis=0)
    inner, _ = surface.rays.first_hit(points, rays)
    closed = np.abs(inner - bore.diameter_mm / 2) < 0.15
    thickness = np.full(len(points), np.nan)
    wall = points[closed] + rays[closed] * (inner[closed] + 1e-3)[:, None]
    thickness[closed] = surface.rays.first_hit(wall, rays[closed])[0] + 1e-3
    shape = (len(height), len(angle))
    return Wall(height, closed.reshape(shape), thickness.reshape(shape))
