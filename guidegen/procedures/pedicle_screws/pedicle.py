"""One pedicle: from its landmark to a screw's path, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.plan import Path, Skipped
from guidegen.model.volume import CTVolume
from guidegen.planning.coarse import Task
from guidegen.planning.corridor import Corridor
from guidegen.planning.grade import gertzbein_robbins
from guidegen.planning.half_maximum import Axis, Profile, mean_hu, measure_profile
from guidegen.planning.limits import PathLimits
from guidegen.procedures.pedicle_screws.settings import PedicleSettings, ScrewSettings
from guidegen.procedures.pedicle_screws.width import Width

_LEVEL_SLACK_MM = 0.5
_BLOCKED_MM = 0.05
_UNLIKE_MM = 1.0
"""A surface this much wider about an axis than the grey values holds more than the pedicle: the
half-maximum lies 0.3 to 0.9 mm outside a surface that is right."""
SIDES = (("left", 1.0), ("right", -1.0))


@dataclass(frozen=True, eq=False)
class Pedicle:
    """A pedicle with its corridor and what the grey values say of it.

    Args:
        bone: The vertebra.
        landmarks: Its landmarks.
        side: ``left`` or ``right``.
        task: What was planned on.
        corridor: In the vertebra's frame.
        axis: The same path in the patient's frame.
        profile: Half-maximum wall around it.
        width: The pedicle's widest half-maximum corridor.
    """

    bone: Bone
    landmarks: Landmarks
    side: str
    task: Task
    corridor: Corridor
    axis: Axis
    profile: Profile
    width: Width

    @property
    def name(self) -> str:
        """As in the plan: ``L3_left``."""
        return f"{self.bone.name}_{self.side}"

    @property
    def on_axis_mm(self) -> float:
        """Half-maximum corridor about this axis, entry to tip."""
        c, wall = self.corridor, self.width.task.wall
        return 2.0 * wall.corridor_radius(c.line, c.entry, c.tip, self.task.limits.cap_mm)

    @property
    def standoff_mm(self) -> float:
        """Height over the entry up to which bone stands beside the drill, under the sleeve."""
        c, task = self.corridor, self.task
        return task.obstacles.sleeve_standoff(c.line, c.entry, task.limits)

    @property
    def half_maximum_mm(self) -> float:
        """Widest half-maximum corridor of the pedicle; at least that of the axis."""
        return max(self.width.corridor_mm, self.on_axis_mm)

    @property
    def unlike_ct(self) -> bool:
        """True where the bone's surface is much wider about the axis than the grey values.

        A rib head or a neighbour that is joined to the surface looks like that.
        """
        return self.corridor.diameter_mm > self.on_axis_mm + _UNLIKE_MM

    def breach(self, diameter_mm: float) -> tuple[float, str | None]:
        """How far a cylinder leaves the bone, and through which wall.

        Measured twice on the grey values, on rays from the axis and on the half-maximum
        surface; the worse counts.
        """
        cap = self.task.limits.cap_mm
        on_rays = self.profile.breach(diameter_mm, cap)
        radius, _, outwards = self.width.task.wall.radii(
            self.corridor.line, self.corridor.entry + cap, self.corridor.tip
        )
        out = diameter_mm / 2.0 - float(radius.min(initial=np.inf))
        if out < 0.05 or out <= on_rays[0]:
            return on_rays
        x, _, z = outwards[int(radius.argmin())]
        if abs(z) > abs(x):
            return out, "superior" if z > 0 else "inferior"
        return out, "medial" if x * self.corridor.line.side < 0 else "lateral"


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


def _axis(landmarks: Landmarks, corridor: Corridor) -> Axis:
    """Carry a corridor to the patient's frame."""
    pose = landmarks.patient_from_bone
    return Axis(
        entry_mm=pose.points(corridor.at(corridor.entry)),
        direction=pose.vectors(corridor.line.direction),
        length_mm=corridor.tip - corridor.entry,
        medial=pose.vectors(np.array([-corridor.line.side, 0.0, 0.0])),
    )


def measured(
    volume: CTVolume, bone: Bone, landmarks: Landmarks, task: Task, corridor: Corridor, width: Width
) -> Pedicle:
    """Measure the half-maximum wall around a corridor."""
    target = RayTarget(bone.vertices_mm, bone.faces)
    axis = _axis(landmarks, corridor)
    profile = measure_profile(volume, target, axis, task.limits.cap_mm)
    side = "left" if task.start.side > 0 else "right"
    return Pedicle(bone, landmarks, side, task, corridor, axis, profile, width)


def choose(pedicles: Iterable[Pedicle], settings: PedicleSettings) -> Pedicle:
    """Take the first that a drill reaches, whose thinnest screw is grade A, deep and in bone.

    Args:
        pedicles: The same pedicle with its corridors, widest first; at least one.
        settings: Of the procedure.

    Returns:
        Where none is, the one that is blocked least, then breached least, then one whose surface
        is that of the grey values, then the deepest.
    """
    thinnest = settings.screw.min_diameter_mm
    tried: list[tuple[float, float, bool, float, Pedicle]] = []
    for pedicle in pedicles:
        blocked = max(-pedicle.corridor.approach_mm - _BLOCKED_MM, 0.0)
        breach, _ = pedicle.breach(thinnest)
        unlike, deep = pedicle.unlike_ct, pedicle.corridor.deep_enough
        if blocked == 0.0 and breach == 0.0 and deep and not unlike:
            return pedicle
        tried.append((blocked, breach, unlike, -pedicle.corridor.depth_share, pedicle))
    return min(tried, key=lambda found: found[:4])[4]


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


def _skip(pedicle: Pedicle, code: str, message: str) -> Skipped:
    return Skipped(
        pedicle.name,
        pedicle.bone.name,
        pedicle.side,
        code,
        round(pedicle.half_maximum_mm, 2),
        message,
        {
            "corridor_spread_mm": round(pedicle.width.spread_mm, 2),
            "surface_corridor_mm": round(pedicle.corridor.diameter_mm, 2),
        },
    )


def decide(volume: CTVolume, pedicle: Pedicle, settings: PedicleSettings) -> Path | Skipped:
    """Decide on a screw.

    A screw is planned exactly where the pedicle's widest half-maximum corridor is at least
    ``min_corridor_mm``, a drill can come in and the thinnest screw stays within grade B on the
    half-maximum wall.
    """
    screw, half_maximum = settings.screw, pedicle.half_maximum_mm
    if half_maximum < screw.min_corridor_mm:
        return _skip(
            pedicle,
            "narrow_pedicle",
            f"the pedicle's half-maximum corridor is {half_maximum:.2f} mm wide, a screw needs "
            f"{screw.min_corridor_mm:.2f} mm",
        )
    if pedicle.corridor.approach_mm < -_BLOCKED_MM:
        return _skip(
            pedicle,
            "drill_blocked",
            f"bone stands {-pedicle.corridor.approach_mm:.1f} mm in the way of drill or sleeve on "
            "every path through this pedicle",
        )
    diameter = max(_diameter(pedicle, settings), screw.min_diameter_mm)
    breach, wall = pedicle.breach(diameter)
    if gertzbein_robbins(breach) not in ("A", "B"):
        return _skip(
            pedicle,
            "no_corridor",
            f"the thinnest screw ({diameter:.1f} mm) would leave the bone by {breach:.1f} mm "
            f"({wall} wall)",
        )
    return _path(volume, pedicle, diameter, settings)


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


def _path(
    volume: CTVolume, pedicle: Pedicle, diameter_mm: float, settings: PedicleSettings
) -> Path:
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
