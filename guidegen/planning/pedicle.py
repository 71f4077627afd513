"""One pedicle: its task, its corridors, and what the grey values say of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from guidegen.mesh.field import DistanceField, sample_field
from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.plan import Skipped
from guidegen.model.volume import CTVolume
from guidegen.planning.approach import Obstacles
from guidegen.planning.coarse import Task
from guidegen.planning.corridor import Corridor
from guidegen.planning.half_maximum import Axis, Profile, measure_profile
from guidegen.planning.limits import PathLimits
from guidegen.planning.line import Line, angles_deg
from guidegen.planning.wall import Wall
from guidegen.planning.width import Width

BLOCKED_MM = 0.05
_UNLIKE_MM = 1.0
"""A surface this much wider about an axis than the grey values holds more than the pedicle: the
half-maximum lies 0.3 to 0.9 mm outside a surface that is right."""
_GRID_MM = 2.0
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

    def skipped(self, code: str, message: str) -> Skipped:
        """Say why nothing is planned through this pedicle."""
        measured = {
            "corridor_spread_mm": round(self.width.spread_mm, 2),
            "surface_corridor_mm": round(self.corridor.diameter_mm, 2),
        }
        width = round(self.half_maximum_mm, 2)
        return Skipped(self.name, self.bone.name, self.side, code, width, message, measured)

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


def pedicle_field(vertices: Floats, bone: Bone, landmarks: Landmarks) -> DistanceField:
    """Sample the distance round pedicles and body, in the vertebra's frame."""
    to_bone = landmarks.patient_from_bone.inverse
    sides = [f"pedicle_{s}" for s, _ in SIDES if f"pedicle_{s}" in landmarks]
    centres = np.array([to_bone.points(landmarks[s].position_mm) for s in sides])
    depth = float(np.ravel(landmarks["body_centre"].values["depth_mm"])[0])
    low = np.array([-34.0, -depth / 2 - 7.0, centres[:, 2].min() - 17.0])
    high = np.array([34.0, centres[:, 1].max() + 25.0, centres[:, 2].max() + 17.0])
    return sample_field(vertices, bone.faces, np.array([low, high]), _GRID_MM)


def pedicle_task(
    vertices: Floats,
    bone: Bone,
    neighbours: Floats,
    landmarks: Landmarks,
    side: tuple[str, float],
    limits: PathLimits,
) -> Task:
    """Set one pedicle's task up.

    Lines are looked for round the pedicle's own axis, or, where the tip has a place to reach, round
    the line from the isthmus to that place.

    Args:
        vertices: (V, 3) of the vertebra, in its own frame.
        bone: The vertebra.
        neighbours: (N, 3) what a drill must pass, in the vertebra's frame.
        landmarks: Of the vertebra, with this pedicle.
        side: One of ``SIDES``.
        limits: What the path may do.
    """
    mark, to_bone = landmarks[f"pedicle_{side[0]}"], landmarks.patient_from_bone.inverse
    centre = to_bone.points(mark.position_mm)
    along = to_bone.vectors(np.array(mark.values["along"]))
    if np.isfinite(limits.tip_lateral_mm).all():
        aim = np.array([side[1] * np.mean(limits.tip_lateral_mm), limits.tip_y_mm, 0.0])
        along = aim - centre
    axial, sagittal = angles_deg(along, side[1])
    start = Line(
        centre,
        float(np.clip(axial, *limits.axial_deg)),
        float(np.clip(sagittal, *limits.sagittal_deg)),
        side[1],
    )
    depth = float(np.ravel(landmarks["body_centre"].values["depth_mm"])[0])
    canal = float(to_bone.points(landmarks["canal_centre"].position_mm)[1])
    wall = Wall.around(vertices, bone.faces, start, depth / 2, canal)
    return Task(wall, Obstacles.near(vertices, neighbours, start), limits, start)


def axis_of(landmarks: Landmarks, corridor: Corridor) -> Axis:
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
    axis = axis_of(landmarks, corridor)
    profile = measure_profile(volume, target, axis, task.limits.cap_mm)
    side = "left" if task.start.side > 0 else "right"
    return Pedicle(bone, landmarks, side, task, corridor, axis, profile, width)


def choose(pedicles: Iterable[Pedicle], thinnest_mm: float) -> Pedicle:
    """Take the first that a drill reaches, whose thinnest instrument is grade A, deep and in bone.

    Args:
        pedicles: The same pedicle with its corridors, widest first; at least one.
        thinnest_mm: Diameter of the thinnest instrument.

    Returns:
        Where none is, the one that is blocked least, then breached least, then one whose surface
        is that of the grey values, then the deepest.
    """
    tried: list[tuple[float, float, bool, float, Pedicle]] = []
    for pedicle in pedicles:
        blocked = max(-pedicle.corridor.approach_mm - BLOCKED_MM, 0.0)
        breach, _ = pedicle.breach(thinnest_mm)
        unlike, deep = pedicle.unlike_ct, pedicle.corridor.deep_enough
        if blocked == 0.0 and breach == 0.0 and deep and not unlike:
            return pedicle
        tried.append((blocked, breach, unlike, -pedicle.corridor.depth_share, pedicle))
    return min(tried, key=lambda found: found[:4])[4]
