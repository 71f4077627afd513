"""One needle through a pedicle: from its corridor to a path, or to the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.plan import Path, Skipped
from guidegen.model.volume import CTVolume
from guidegen.planning.half_maximum import mean_hu
from guidegen.planning.limits import PathLimits
from guidegen.planning.pedicle import BLOCKED_MM, Pedicle
from guidegen.procedures.kyphoplasty.settings import NeedleSettings

BEYOND_MM = 0.3
"""A tip may lie this much outside its place: what a step of the length moves it across."""
_REACH_MM = 120.0
_LEAST_AIM_MM = 5.0
_AIM_MM = 0.5
"""The tip is aimed this far in front of the front third's limit: the body's middle and depth are
measured to about that (on phantoms 0.2 and 1.6 mm, of which a sixth counts)."""


@dataclass(frozen=True)
class BodySize:
    """Width and depth of a vertebral body, mm."""

    width_mm: float
    depth_mm: float

    @classmethod
    def of(cls, landmarks: Landmarks) -> BodySize:
        """Take it from the landmarks."""
        values = landmarks["body_centre"].values
        return cls(*(float(np.ravel(values[n])[0]) for n in ("width_mm", "depth_mm")))


def tip_place(
    size: BodySize, approach: str, needle: NeedleSettings
) -> tuple[float, tuple[float, float]]:
    """Where the tip may lie in the vertebra's frame.

    Returns:
        y that it must lie in front of, and the range across, towards the path's own side, mm.
    """
    front = size.depth_mm * (needle.front_share - 0.5) - _AIM_MM
    if approach == "one-sided":
        third = size.width_mm * needle.one_sided_midline_share
        return front, (-third, third)
    return front, (needle.side_margin_mm, _widest_tip(size, -front + needle.front_margin_mm))


def _widest_tip(size: BodySize, front_mm: float) -> float:
    """How far from the midline the front wall still lies ``front_mm`` in front of the centre.

    Beside the middle the front wall curves back (the body's section is taken as an ellipse): a tip
    straight ahead of a wide pedicle would come too near to it. At least 3 mm are left to aim at.
    """
    share = min((front_mm + _AIM_MM) / (size.depth_mm / 2), 1.0)
    return max(size.width_mm / 2 * float(np.sqrt(1.0 - share**2)), _LEAST_AIM_MM)


def axial_limits(level: str, approach: str, needle: NeedleSettings) -> tuple[float, float]:
    """Convergence that a level allows."""
    if approach == "one-sided":
        return needle.one_sided_axial_deg
    lumbar = level[:1] in ("L", "S")
    return needle.lumbar_axial_deg if lumbar else needle.thoracic_axial_deg


def needle_limits(
    level: str, size: BodySize, pedicle: Landmark, approach: str, needle: NeedleSettings
) -> PathLimits:
    """Limits of a needle through one pedicle."""
    tip_y, lateral = tip_place(size, approach, needle)
    height = float(np.ravel(pedicle.values["height_mm"])[0])
    free = needle.min_diameter_mm / 2 + needle.free_mm
    return PathLimits(
        axial_deg=axial_limits(level, approach, needle),
        sagittal_deg=needle.sagittal_deg,
        entry_height_mm=max(needle.entry_height_mm, height / 2),
        depth_share=(1.0 - needle.front_share, needle.deepest_share),
        front_margin_mm=needle.front_margin_mm,
        corridor_share=needle.corridor_share,
        max_diameter_mm=needle.max_diameter_mm,
        cap_mm=needle.cap_mm,
        length_step_mm=needle.length_step_mm,
        canal_bias_mm=needle.canal_bias_mm,
        drill_radius_mm=free,
        sleeve_radius_mm=free,
        standoff_mm=0.0,
        sleeve_reach_mm=_REACH_MM,
        tip_y_mm=tip_y,
        tip_lateral_mm=lateral,
    )


def diameter_of(pedicle: Pedicle, needle: NeedleSettings) -> float:
    """Thickest needle of the set that both corridors allow; the thinnest where none is."""
    corridor, limits = pedicle.corridor, pedicle.task.limits
    most = min(
        needle.corridor_share * min(pedicle.on_axis_mm, corridor.diameter_mm),
        corridor.cylinder_mm,
        pedicle.profile.cylinder_mm(limits.cap_mm),
        needle.max_diameter_mm,
    )
    steps = np.floor((most - needle.min_diameter_mm) / needle.diameter_step_mm + 1e-6)
    return needle.min_diameter_mm + max(float(steps), 0.0) * needle.diameter_step_mm


def decide(
    volume: CTVolume, pedicle: Pedicle, approach: str, needle: NeedleSettings
) -> Path | Skipped:
    """Decide on a needle: grade A, free to come in, the tip in its place; else the reason."""
    corridor, limits = pedicle.corridor, pedicle.task.limits
    if corridor.approach_mm < -BLOCKED_MM:
        return pedicle.skipped(
            "needle_blocked",
            f"bone stands {-corridor.approach_mm:.1f} mm in the needle's way on every path "
            "through this pedicle",
        )
    diameter = diameter_of(pedicle, needle)
    narrow = _too_narrow(pedicle, diameter, needle)
    if narrow:
        beside = "; --approach extrapedicular passes beside it"
        thoracic = pedicle.bone.name.startswith("T")
        return pedicle.skipped("narrow_pedicle", f"{narrow}{beside if thoracic else ''}")
    if not corridor.deep_enough:
        return pedicle.skipped(
            "front_third_unreachable",
            "no straight path through this pedicle ends in the body's front third and stays "
            f"{limits.front_margin_mm:.0f} mm behind the front cortex: it reaches "
            f"{corridor.depth_share:.0%} of the body's depth",
        )
    low, high = limits.tip_lateral_mm
    lateral = corridor.line.lateral(corridor.tip)
    if not low - BEYOND_MM <= lateral <= high + BEYOND_MM:
        return pedicle.skipped(
            "one_sided_infeasible" if approach == "one-sided" else "tip_out_of_place",
            f"a straight path that keeps the pedicle's walls ends {abs(lateral):.1f} mm from the "
            f"midline, outside {low:.1f} to {high:.1f} mm",
        )
    return path_of(volume, pedicle, diameter, needle)


def _too_narrow(pedicle: Pedicle, diameter_mm: float, needle: NeedleSettings) -> str:
    """Why no needle fits through a pedicle; "" where one does."""
    if pedicle.half_maximum_mm < needle.min_corridor_mm:
        return (
            f"the pedicle's half-maximum corridor is {pedicle.half_maximum_mm:.2f} mm wide, a "
            f"needle needs {needle.min_corridor_mm:.2f} mm"
        )
    breach, wall = pedicle.breach(diameter_mm)
    if breach > 0.0:
        return (
            f"the thinnest needle ({diameter_mm:.1f} mm) would leave the pedicle by "
            f"{breach:.1f} mm ({wall} wall)"
        )
    return ""


def _extra(pedicle: Pedicle, hu: float) -> dict[str, float]:
    """Further numbers of a path."""
    corridor = pedicle.corridor
    numbers = {
        "mean_hu": hu,
        "entry_to_midline_mm": abs(float(corridor.at(corridor.entry)[0])),
        "tip_to_midline_mm": corridor.line.lateral(corridor.tip),
        "half_maximum_corridor_mm": pedicle.half_maximum_mm,
        "half_maximum_on_axis_mm": pedicle.on_axis_mm,
        "corridor_spread_mm": pedicle.width.spread_mm,
        "depth_share": corridor.depth_share,
        "front_mm": corridor.front - corridor.tip,
        "wall_seen_share": pedicle.profile.seen,
    }
    return {name: round(float(value), 3) for name, value in numbers.items()}


def path_of(volume: CTVolume, pedicle: Pedicle, diameter: float, needle: NeedleSettings) -> Path:
    """The needle of a diameter along a pedicle's corridor, with all that is told of it."""
    corridor, axis = pedicle.corridor, pedicle.axis
    warnings = {
        "surface_unlike_ct": pedicle.unlike_ct,
        "tight_corridor": diameter > needle.corridor_share * corridor.diameter_mm + 1e-6,
        "wall_unclear": pedicle.profile.seen < 0.8,
    }
    return Path(
        name=pedicle.name,
        bone=pedicle.bone.name,
        kind="needle",
        side=pedicle.side,
        entry_mm=axis.entry_mm,
        tip_mm=axis.entry_mm + axis.length_mm * axis.direction,
        diameter_mm=diameter,
        pilot_diameter_mm=diameter,
        corridor_diameter_mm=corridor.diameter_mm,
        clearance_mm=(corridor.diameter_mm - diameter) / 2,
        grade="A",
        breach_mm=0.0,
        axial_angle_deg=corridor.line.axial_deg,
        sagittal_angle_deg=corridor.line.sagittal_deg,
        warnings=tuple(code for code, holds in warnings.items() if holds),
        extra=_extra(pedicle, mean_hu(volume, axis, diameter)),
    )


def nearer_the_midline(limits: PathLimits, beyond_mm: float) -> PathLimits:
    """The same limits with a tip that may stay farther from the midline on its own side."""
    low, high = limits.tip_lateral_mm
    return replace(limits, tip_lateral_mm=(low, high + beyond_mm))
