"""The true landmarks of an implicit vertebra, named as in the case contract."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from guidegen.model.arrays import Floats
from guidegen.model.frames import Pose
from guidegen.phantoms.spine import Scene, Solid
from guidegen.phantoms.surface import distances
from guidegen.phantoms.vertebra import Vertebra

_CELL_MM = 0.25
_REACH_MM = 16.0


def _mark(position_mm: Floats, **values: Any) -> dict[str, Any]:
    """One landmark as JSON."""
    made: dict[str, Any] = {"position_mm": numbers(position_mm), "spread_mm": 0.0}
    return made | {"method": "definition"} | values


def numbers(values: Any, digits: int = 4) -> list[float]:
    """Round to plain numbers; no negative zero."""
    return [round(float(v), digits) + 0.0 for v in np.asarray(values).ravel()]


def _section(solid: Solid, centre: Floats, axes: Floats) -> tuple[float, float, float, Floats]:
    """Area, short and long diameter (ellipse of the same second moments), middle of a section."""
    t = np.arange(-_REACH_MM, _REACH_MM + _CELL_MM / 2, _CELL_MM)
    u, v = np.meshgrid(t, t, indexing="ij")
    points = centre + u[..., None] * axes[:, 0] + v[..., None] * axes[:, 1]
    inside = distances(solid.shape, points.reshape(-1, 3)).reshape(u.shape) < 0
    labels, _ = ndimage.label(inside)
    middle = labels[len(t) // 2, len(t) // 2]
    if middle == 0:
        return np.inf, 0.0, 0.0, centre
    mine = labels == middle
    across, up = u[mine], v[mine]
    spread = np.sqrt(np.linalg.eigvalsh(np.cov(np.stack([across, up]))))
    where = centre + across.mean() * axes[:, 0] + up.mean() * axes[:, 1]
    return float(mine.sum()) * _CELL_MM**2, 4 * float(spread[0]), 4 * float(spread[1]), where


def isthmus(solid: Solid, vertebra: Vertebra, side: str) -> tuple[Floats, float, float]:
    """Find the narrowest section of a pedicle square to its axis.

    Returns:
        Middle (3,) in the vertebra's frame, short and long diameter, mm.
    """
    axes, centre = vertebra.pedicle_axes(side), vertebra.isthmus(side)
    places = np.arange(-3.0, 3.1, 1.0)
    found = [_section(solid, centre + place * axes[:, 2], axes) for place in places]
    _, width, height, where = min(found, key=lambda section: section[0])
    return where, width, height


def _spinous_tip(solid: Solid, vertebra: Vertebra) -> Floats:
    """(3,): the hindmost point of the spinous process in the midline plane."""
    start, way = vertebra.spinous_start, vertebra.spinous_axis
    across = np.array([0.0, -way[2], way[1]])
    t = np.arange(vertebra.sizes.spinous - 8.0, vertebra.sizes.spinous + 8.0, 0.1)
    v = np.arange(-12.0, 12.1, 0.2)
    grid = start + t[:, None, None] * way + v[None, :, None] * across
    inside = distances(solid.shape, grid.reshape(-1, 3)).reshape(len(t), len(v)) < 0
    points = grid[inside]
    return np.asarray(points[points[:, 1].argmax()])


def vertebra_landmarks(scene: Scene, level: str) -> dict[str, Any]:
    """List the landmarks of one vertebra, LPS mm.

    Args:
        scene: The phantom's bones.
        level: ``L3``.

    Returns:
        Name to position, values and method, as in landmarks.json.
    """
    vertebra, pose, solid = scene.vertebrae[level], scene.poses[level], scene.solid(level)
    marks = {
        "body_centre": _mark(pose.origin_mm),
        "canal_centre": _mark(pose.points(vertebra.canal_centre)),
        "spinous_tip": _mark(pose.points(_spinous_tip(solid, vertebra))),
    }
    for name, upper in (("superior", True), ("inferior", False)):
        centre, normal = vertebra.endplate(upper)
        centre = centre * (1.0 - vertebra.sizes.dent / vertebra.half_height)
        marks[f"{name}_endplate_centre"] = _mark(
            pose.points(centre), normal=numbers(pose.vectors(normal), 6)
        )
    for side in ("left", "right"):
        marks[f"pedicle_{side}"] = _pedicle(solid, vertebra, pose, side)
    return marks


def _pedicle(solid: Solid, vertebra: Vertebra, pose: Pose, side: str) -> dict[str, Any]:
    where, width, height = isthmus(solid, vertebra, side)
    return _mark(
        pose.points(where),
        width_mm=round(width, 3),
        height_mm=round(height, 3),
        direction=numbers(pose.vectors(vertebra.pedicle_axes(side)[:, 2]), 6),
    )
