"""Body and endplates of a vertebra, in the level's frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.errors import AnatomyError
from guidegen.geometry.planes import FittedPlane, fit_plane
from guidegen.mesh.field import DistanceField
from guidegen.model.arrays import Floats

_STEP_MM = 0.5
_REACH_MM = 36.0
_THROUGH = 1.3
"""A chord this much longer than most of its bundle leaves the body through a pedicle or a rib."""
_BESIDE = {
    0: np.array([[y, z] for y in (-4.0, 0.0, 4.0) for z in (-2.0, 0.0, 2.0)]),
    1: np.array([[x, z] for x in (-9.0, -6.0, 6.0, 9.0) for z in (-2.0, 0.0, 2.0)]),
    2: np.array([[x, y] for x in (-6.0, 0.0, 6.0) for y in (-4.0, 0.0, 4.0)]),
}
"""Where the chords along x, y and z run, beside the centre; those along y pass the basivertebral
vein's opening, which is in the middle of the back wall."""


@dataclass(frozen=True, eq=False)
class Body:
    """The vertebral body.

    Args:
        centre: (3,) middle between the walls and between the endplates.
        superior: Upper endplate, normal to the head.
        inferior: Lower endplate, normal to the feet.
        width_mm: Left to right at mid-height.
        depth_mm: Front to back at mid-height.
        spread_mm: Scatter of the centre over the rays that found it.
    """

    centre: Floats
    superior: FittedPlane
    inferior: FittedPlane
    width_mm: float
    depth_mm: float
    spread_mm: float


def ray_exits(field: DistanceField, origins: Floats, direction: Floats) -> Floats:
    """Measure how far rays run inside the bone before they leave it.

    Args:
        field: Distance field, negative inside.
        origins: (N, 3) starting points.
        direction: (3,) unit vector.

    Returns:
        (N,) mm; NaN where the start is outside the bone or the ray does not leave it.
    """
    t = np.arange(0.0, _REACH_MM, _STEP_MM)
    values = field.at(origins[:, None, :] + t[None, :, None] * direction)
    outside = values > 0
    first = outside.argmax(axis=1)
    rows = np.arange(len(origins))
    before, after = values[rows, np.maximum(first - 1, 0)], values[rows, first]
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = t[first] - _STEP_MM * after / (after - before)
    exact[(first == 0) | ~outside.any(axis=1)] = np.nan
    return np.asarray(exact)


def _recentre(field: DistanceField, centre: Floats, axis: int) -> tuple[Floats, float, float]:
    """Move a point to the middle of the chords along one axis: centre, length, scatter."""
    others = [n for n in range(3) if n != axis]
    origins = np.repeat(centre[None, :], len(_BESIDE[axis]), axis=0)
    origins[:, others] += _BESIDE[axis]
    direction = np.eye(3)[axis]
    ahead, back = ray_exits(field, origins, direction), ray_exits(field, origins, -direction)
    middle, length = (ahead - back) / 2, ahead + back
    found = np.isfinite(middle)
    if found.any():
        found &= ~(length > _THROUGH * np.nanquantile(length, 0.25))
    if found.sum() < 3:
        raise AnatomyError(
            "the vertebral body was not found in front of the canal: it is cut off by the field "
            "of view or the level's place is wrong; leave this level out"
        )
    moved = centre.copy()
    moved[axis] += float(np.median(middle[found]))
    return moved, float(np.median(length[found])), float(middle[found].std())


def _first_guess(field: DistanceField, canal_front: Floats) -> Floats:
    """Find the middle of the first run of bone in front of the canal, a little below it."""
    t = np.arange(0.0, 50.0, _STEP_MM)
    for drop in (-5.0, 0.0, -9.0, 4.0):
        start = canal_front + np.array([0.0, 2.0, drop])
        inside = field.at(start - t[:, None] * np.array([0.0, 1.0, 0.0])) < -0.5
        edges = np.flatnonzero(np.diff(inside.astype(int)))
        if inside.any() and len(edges):
            first = int(inside.argmax())
            rest = np.flatnonzero(~inside[first:])
            end = first + int(rest[0]) if len(rest) else len(t) - 1
            if t[end] - t[first] > 8.0:
                return np.asarray(start - np.array([0.0, (t[first] + t[end]) / 2, 0.0]))
    raise AnatomyError(
        "no vertebral body was found in front of the canal: expected bone at least 8 mm deep; "
        "leave this level out or correct the label map"
    )


def _endplate(field: DistanceField, centre: Floats, half: Floats, up: float) -> FittedPlane:
    """Fit a plane to the endplate, within 65 % of the body's half width and depth."""
    u, v = np.meshgrid(np.linspace(-0.65, 0.65, 11), np.linspace(-0.65, 0.65, 11))
    keep = u**2 + v**2 < 0.65**2
    spots = np.stack([u[keep] * half[0], v[keep] * half[1], np.zeros(keep.sum())], axis=1)
    origins, direction = centre + spots, np.array([0.0, 0.0, up])
    way = ray_exits(field, origins, direction)
    found = np.isfinite(way) & (np.abs(way - np.nanmedian(way)) < 8.0)
    if found.sum() < 12:
        raise AnatomyError(
            f"the {'upper' if up > 0 else 'lower'} endplate is not in view: leave this level out"
        )
    points = origins[found] + way[found, None] * direction
    return fit_plane(points, direction)


def _on_axis(plane: FittedPlane, centre: Floats, up: Floats) -> Floats:
    """Cross the plane with the line through the body's centre along ``up``."""
    return np.asarray(centre + up * ((plane.point - centre) @ plane.normal) / (up @ plane.normal))


def find_body(field: DistanceField, canal_front: Floats) -> Body:
    """Find the body's centre and endplates.

    Chords through a bundle of rays are halved along each axis in turn until the centre
    rests; the median chord ignores osteophytes, ribs and the basivertebral vein. The endplates
    are planes fitted to rays up and down, so a wedge-shaped body has two different normals.

    Args:
        field: Distance field in the level's frame (z within about 15 deg of the body's axis).
        canal_front: (3,) a point on the canal's front wall, at pedicle height.

    Raises:
        AnatomyError: There is no body in front of the canal, or it is cut off.
    """
    centre, sizes, scatter = _first_guess(field, canal_front), np.zeros(3), np.zeros(3)
    for _ in range(3):
        for axis in (1, 2, 0):
            centre, sizes[axis], scatter[axis] = _recentre(field, centre, axis)
    top = _endplate(field, centre, sizes / 2, 1.0)
    foot = _endplate(field, centre, sizes / 2, -1.0)
    up = top.normal - foot.normal
    up = up / np.linalg.norm(up)
    high, low = _on_axis(top, centre, up), _on_axis(foot, centre, up)
    return Body(
        centre=(high + low) / 2,
        superior=FittedPlane(high, top.normal, top.spread_mm, top.n_kept),
        inferior=FittedPlane(low, foot.normal, foot.spread_mm, foot.n_kept),
        width_mm=float(sizes[0]),
        depth_mm=float(sizes[1]),
        spread_mm=float(np.sqrt(np.mean(scatter**2))),
    )
