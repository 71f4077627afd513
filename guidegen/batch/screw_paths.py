"""Planned paths through pedicles, measured on the analytic bones of a phantom.

Nothing here uses the planner's search, the found surfaces or landmarks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.model.landmarks import Landmark
from guidegen.phantoms.approach import DrillSpace
from guidegen.phantoms.corridor import AxisLimits, best_corridor, corridor_of
from guidegen.phantoms.landmarks import isthmus
from guidegen.phantoms.spine import Scene
from guidegen.procedures.pedicle_screws.pedicle import path_limits
from guidegen.procedures.pedicle_screws.settings import PedicleSettings


def angle_deg(a: Floats, b: Floats) -> float:
    """Angle between two directions (3,)."""
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


def settings_limits(
    scene: Scene, level: str, side: str, settings: PedicleSettings | None = None
) -> AxisLimits:
    """The settings' limits for one pedicle, in the phantom's own vertebra frame.

    Args:
        scene: The phantom's bones.
        level: ``L3``.
        side: ``left`` or ``right``.
        settings: None is the defaults.
    """
    vertebra = scene.vertebrae[level]
    middle, width, height = isthmus(scene.solid(level), vertebra, side)
    mark = Landmark(f"pedicle_{side}", middle, 0.0, "", {"width_mm": width, "height_mm": height})
    limits = path_limits(level, mark, settings or PedicleSettings())
    higher = float(middle[2] - vertebra.isthmus(side)[2])
    return AxisLimits(
        limits.axial_deg,
        limits.sagittal_deg,
        limits.entry_height_mm + higher,
        limits.depth_share[0],
        DrillSpace(
            limits.drill_radius_mm,
            limits.sleeve_radius_mm,
            limits.standoff_mm,
            limits.sleeve_reach_mm,
        ),
    )


@dataclass(frozen=True)
class PathRow:
    """One planned path on the analytic bone; mm and degrees.

    Args:
        name: ``L3_left``.
        planned_mm: The corridor that the plan says.
        true_mm: The same line's corridor on the analytic surface.
        best_mm: The widest that the settings allow there.
        entry_off_mm: How deep the planned entry lies under the true surface.
        turn_deg: Between the path and the pedicle's axis in the definition.
    """

    name: str
    planned_mm: float
    true_mm: float
    best_mm: float
    entry_off_mm: float
    turn_deg: float

    @property
    def loss_mm(self) -> float:
        """How much wider the best corridor is."""
        return self.best_mm - self.true_mm


def path_row(
    scene: Scene, path: Mapping[str, Any], settings: PedicleSettings | None = None
) -> PathRow:
    """Measure one planned path on the analytic surface.

    Args:
        scene: The phantom's bones.
        path: As in plan.json.
        settings: With which it was planned; None is the defaults.
    """
    level, side = path["bone"], path["side"]
    entry, tip = np.array(path["entry_mm"]), np.array(path["tip_mm"])
    way = (tip - entry) / np.linalg.norm(tip - entry)
    true, off = corridor_of(scene, level, side, entry, tip)
    limits = settings_limits(scene, level, side, settings)
    best = best_corridor(scene, level, side, limits, (entry, way)).diameter_mm
    axis = scene.poses[level].vectors(scene.vertebrae[level].pedicle_axes(side)[:, 2])
    planned = float(path["corridor_diameter_mm"])
    return PathRow(path["name"], planned, true, best, off, angle_deg(way, axis))
