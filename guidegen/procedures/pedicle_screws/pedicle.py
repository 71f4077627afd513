"""One pedicle: from its landmark to a screw's path, or to the reason why there is none."""

from __future__ import annotations

import numpy as np

from guidegen.model.arrays import Floats
from guidegen.model.landmarks import Landmark
from guidegen.model.plan import Path, Skipped
from guidegen.model.volume import CTVolume
from guidegen.planning.grade import gertzbein_robbins
from guidegen.planning.half_maximum import mean_hu
from guidegen.planning.limits import PathLimits
from guidegen.planning.pedicle import BLOCKED_MM, Pedicle
from guidegen.procedures.pedicle_screws.settings import PedicleSettings, ScrewSettings

_LEVEL_SLACK_MM = 0.5


def is_lumbar(level: str) -> bool:
    """True for L1 to L6 and S1."""
    return level[:1] in ("L", "S")


def entry_height(level: str, pedicle: Landmark, settings: PedicleSettings) -> float:
    """Highest place of the entry over the isthmus' centre, mm.

    The setting, but never lower than a pedicle of this height lets a straight corridor start: a
    round pedicle has no room below its axis.
    """
    screw = settings.screw
    wanted = screw.thoracic_entry_height_mm
    if is_lumbar(level):
        wanted = screw.lumbar_entry_height_mm
    width, height = (float(np.ravel(pedicle.values[n])[0]) for n in ("width_mm", "height_mm"))
    return max(wanted, _LEVEL_SLACK_MM - max(height - width, 0.0) / 2)


def path_limits(level: str, pedicle: Landmark, settings: PedicleSettings) -> PathLimits:
    """Choose the limits of a level by its name and its pedicle's landmark."""
    screw, guide = settings.screw, settings.guide
    by_region = {
        "T": screw.thoracic_axial_deg,
        "L": screw.lumbar_axial_deg,
        "S": screw.sacral_axial_deg,
    }
    thick = screw.max_lumbar_diameter_mm if is_lumbar(level) else screw.max_thoracic_diameter_mm
    return PathLimits(
        axial_deg=by_region.get(level[:1], screw.unnamed_axial_deg),
        sagittal_deg=screw.sagittal_deg,
        entry_height_mm=entry_height(level, pedicle, settings),
        depth_share=screw.depth_share,
        front_margin_mm=screw.front_margin_mm,
        corridor_share=screw.corridor_share,
        max_diameter_mm=thick,
        cap_mm=screw.cap_mm,
        length_step_mm=screw.length_step_mm,
        canal_bias_mm=screw.canal_bias_mm,
        drill_radius_mm=screw.pilot_diameter_mm / 2 + screw.drill_clearance_mm,
        sleeve_radius_mm=guide.sleeve_outer_mm / 2,
        standoff_mm=screw.sleeve_standoff_mm,
        sleeve_reach_mm=screw.sleeve_reach_mm,
    )


def _diameter(pedicle: Pedicle, settings: PedicleSettings) -> float:
    """Thickest screw of the set that both corridors allow and that stays inside; 0 if none."""
    screw, limits = settings.screw, pedicle.task.limits
    profile, corridor = pedicle.profile, pedicle.corridor
    most = min(
        screw.corridor_share * min(pedicle.on_axis_mm, corridor.diameter_mm),
        corridor.cylinder_mm,
        profile.cylinder_mm(limits.cap_mm),
        limits.max_diameter_mm,
    )
    steps = np.floor(most / screw.diameter_step_mm + 1e-6)
    return float(steps * screw.diameter_step_mm)


def decide(volume: CTVolume, pedicle: Pedicle, settings: PedicleSettings) -> Path | Skipped:
    """Decide on a screw.

    A screw is planned exactly where the pedicle's widest half-maximum corridor is at least
    ``min_corridor_mm``, a drill can come in and the thinnest screw stays within grade B on the
    half-maximum wall.
    """
    screw, half_maximum = settings.screw, pedicle.half_maximum_mm
    if half_maximum < screw.min_corridor_mm:
        return pedicle.skipped(
            "narrow_pedicle",
            f"the pedicle's half-maximum corridor is {half_maximum:.2f} mm wide, a screw needs "
            f"{screw.min_corridor_mm:.2f} mm",
        )
    if pedicle.corridor.approach_mm < -BLOCKED_MM:
        return pedicle.skipped(
            "drill_blocked",
            f"bone stands {-pedicle.corridor.approach_mm:.1f} mm in the way of drill or sleeve on "
            "every path through this pedicle",
        )
    diameter = max(_diameter(pedicle, settings), screw.min_diameter_mm)
    breach, wall = pedicle.breach(diameter)
    if gertzbein_robbins(breach) not in ("A", "B"):
        return pedicle.skipped(
            "no_corridor",
            f"the thinnest screw ({diameter:.1f} mm) would leave the bone by {breach:.1f} mm "
            f"({wall} wall)",
        )
    return path_of(volume, pedicle, diameter, settings)


def _warnings(
    pedicle: Pedicle, diameter_mm: float, hu: float, screw: ScrewSettings
) -> tuple[str, ...]:
    """Codes of what a reader should know of a path."""
    corridor, limits = pedicle.corridor, pedicle.task.limits
    found = {
        "surface_unlike_ct": pedicle.unlike_ct,
        "close_call": pedicle.half_maximum_mm < screw.min_corridor_mm + screw.close_call_mm,
        "low_bone_density": hu < screw.low_density_hu,
        "tight_corridor": diameter_mm > limits.corridor_share * corridor.diameter_mm + 1e-6,
        "tight_approach": corridor.approach_mm < 0.5,
        "high_foot": pedicle.standoff_mm > screw.high_foot_mm,
        "depth_out_of_range": not corridor.deep_enough,
        "wall_unclear": pedicle.profile.seen < 0.8,
    }
    return tuple(code for code, holds in found.items() if holds)


def _extra(pedicle: Pedicle, hu: float) -> dict[str, float]:
    """Further numbers of a path."""
    corridor = pedicle.corridor
    numbers = {
        "mean_hu": hu,
        "entry_to_midline_mm": abs(float(corridor.at(corridor.entry)[0])),
        "half_maximum_corridor_mm": pedicle.half_maximum_mm,
        "half_maximum_on_axis_mm": pedicle.on_axis_mm,
        "corridor_spread_mm": pedicle.width.spread_mm,
        "length_mm": corridor.tip - corridor.entry,
        "depth_share": corridor.depth_share,
        "front_mm": corridor.front - corridor.tip,
        "sleeve_standoff_mm": pedicle.standoff_mm,
        "wall_seen_share": pedicle.profile.seen,
    }
    return {name: round(float(value), 3) for name, value in numbers.items()}


def path_of(
    volume: CTVolume, pedicle: Pedicle, diameter_mm: float, settings: PedicleSettings
) -> Path:
    """The screw of a diameter along a pedicle's corridor, with all that is told of it."""
    corridor, axis = pedicle.corridor, pedicle.axis
    breach, wall = pedicle.breach(diameter_mm)
    hu = mean_hu(volume, axis, diameter_mm)
    tip: Floats = axis.entry_mm + axis.length_mm * axis.direction
    return Path(
        name=pedicle.name,
        bone=pedicle.bone.name,
        kind="screw",
        side=pedicle.side,
        entry_mm=axis.entry_mm,
        tip_mm=tip,
        diameter_mm=diameter_mm,
        pilot_diameter_mm=settings.screw.pilot_diameter_mm,
        corridor_diameter_mm=corridor.diameter_mm,
        clearance_mm=(corridor.diameter_mm - diameter_mm) / 2,
        grade=gertzbein_robbins(breach),
        breach_mm=breach,
        breach_wall=wall,
        axial_angle_deg=corridor.line.axial_deg,
        sagittal_angle_deg=corridor.line.sagittal_deg,
        warnings=_warnings(pedicle, diameter_mm, hu, settings.screw),
        extra=_extra(pedicle, hu),
    )
