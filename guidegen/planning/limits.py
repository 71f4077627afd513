"""What a path may do: numbers that a procedure's settings hand to the planner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PathLimits:
    """Limits of a path through a pedicle; mm and degrees.

    Args:
        axial_deg: Smallest and largest angle towards the midline.
        sagittal_deg: Smallest and largest angle towards the head.
        entry_height_mm: The entry is at most this far headwards of the isthmus' centre, along the
            vertebra's z (negative: footwards).
        depth_share: Smallest and largest depth in the body, as a share of its depth on the axis.
        front_margin_mm: Smallest distance of the tip from the front cortex.
        corridor_share: Largest diameter as a share of the corridor.
        max_diameter_mm: Largest diameter.
        cap_mm: The corridor is measured from this far under the entry.
        length_step_mm: Lengths are multiples of it.
        canal_bias_mm: The canal's wall counts this much nearer than it is, where there is room.
        drill_radius_mm: Free round the axis from the bone outwards.
        sleeve_radius_mm: Free round the axis between ``standoff_mm`` and ``sleeve_reach_mm``.
        standoff_mm: Bone may stand beside the drill, under the sleeve, up to here.
        sleeve_reach_mm: How far out the sleeve's cylinder must be free.
        run_weight: What 1 mm of bone between entry and isthmus weighs in mm of corridor radius: of
            two like corridors the one that starts in the hollow beside the articular process is
            taken, not the one through the process.
        tip_weight: What 1 mm too little bone ahead of the shallowest tip weighs likewise.
        tip_y_mm: The tip must lie in front of this y of the vertebra's frame; infinite for
            anywhere.
        tip_lateral_mm: Where the tip may lie across, towards the path's own side (negative:
            beyond the midline).
    """

    axial_deg: tuple[float, float]
    sagittal_deg: tuple[float, float]
    entry_height_mm: float
    depth_share: tuple[float, float]
    front_margin_mm: float
    corridor_share: float
    max_diameter_mm: float
    cap_mm: float
    length_step_mm: float
    canal_bias_mm: float
    drill_radius_mm: float
    sleeve_radius_mm: float
    standoff_mm: float
    sleeve_reach_mm: float
    run_weight: float = 0.02
    tip_weight: float = 0.5
    tip_y_mm: float = np.inf
    tip_lateral_mm: tuple[float, float] = (-np.inf, np.inf)
