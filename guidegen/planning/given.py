"""A path that somebody drew through a pedicle, measured as the planner measures its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.errors import PlanError
from guidegen.geometry.entering import entry_place, surface_crossings
from guidegen.mesh.probe import Probe
from guidegen.mesh.rays import RayTarget
from guidegen.model.arrays import Floats, unit
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.volume import CTVolume
from guidegen.planning.canal import Canal
from guidegen.planning.coarse import Task
from guidegen.planning.corridor import Corridor
from guidegen.planning.gaps import too_high_mm
from guidegen.planning.half_maximum import N_ANGLES, Axis, Profile, measure_profile
from guidegen.planning.limits import PathLimits
from guidegen.planning.line import Line, angles_deg
from guidegen.planning.pedicle import SIDES, Pedicle, axis_of, pedicle_task
from guidegen.planning.wall import Span, choose_tip
from guidegen.planning.width import Width, half_surfaces, on_surface

_STEP_MM = 0.5
_SAME_MM = 1e-4
"""Files hold six decimals: an entry this near to the surface lies on it."""
_ROUNDED_MM = 1e-3
_STEEPEST_DEG = 80.0
_LEAST_MM = 5.0
_SEEN_MM = 0.05
"""A breach below counts as none, as everywhere."""


@dataclass(frozen=True, eq=False)
class Ready:
    """A pedicle made ready to measure many paths through it.

    Args:
        volume: The CT round the vertebra.
        bone: The vertebra.
        landmarks: Of it.
        task: The pedicle on the bone's surface.
        half: The same on the CT's half-maximum.
        triangles: (F, 3, 3) of the bone, in its own frame.
        surface: The bone for rays, patient frame.
        probe: The half-maximum surface, in the bone's frame.
        canal: Beside the pedicle.
    """

    volume: CTVolume
    bone: Bone
    landmarks: Landmarks
    task: Task
    half: Task
    triangles: Floats
    surface: RayTarget
    probe: Probe
    canal: Canal


@dataclass(frozen=True, eq=False)
class Given:
    """A path as it was drawn, and what it meets.

    Args:
        entry_mm: (3,) patient frame, on the bone's surface.
        tip_mm: (3,).
        pedicle: Corridor, axis and walls of the path.
        through: Its axis stays in the bone and runs through the pedicle; if not, its corridor is 0.
        breach_mm: How far the cylinder leaves the bone.
        wall: Through which; None where it does not.
        canal_mm: How far the cylinder reaches into the canal; 0 if not.
        front_mm: From the tip to the front cortex, ahead or slanting; negative beyond it.
        high_mm: The entry lies so much above the highest place allowed; negative is allowed.
    """

    entry_mm: Floats
    tip_mm: Floats
    pedicle: Pedicle
    through: bool
    breach_mm: float
    wall: str | None
    canal_mm: float
    front_mm: float
    high_mm: float


def make_ready(
    volume: CTVolume,
    bone: Bone,
    neighbours: Floats,
    landmarks: Landmarks,
    side: tuple[str, float],
    limits: PathLimits,
) -> Ready:
    """Prepare a pedicle; about half a second.

    Args:
        volume: The CT round the vertebra.
        bone: The vertebra.
        neighbours: (N, 3) what an instrument must pass, in the vertebra's frame.
        landmarks: Of the vertebra, with this pedicle.
        side: One of ``SIDES``.
        limits: What a path may do.
    """
    vertices = landmarks.patient_from_bone.inverse.points(bone.vertices_mm)
    task = pedicle_task(vertices, bone, neighbours, landmarks, side, limits)
    (half,) = half_surfaces(volume, bone, landmarks, task)
    return Ready(
        volume,
        bone,
        landmarks,
        task,
        on_surface(half, bone.faces, task),
        vertices[bone.faces],
        RayTarget(bone.vertices_mm, bone.faces),
        Probe(half, bone.faces),
        Canal.beside(landmarks, side),
    )


def own_axis(ready: Ready) -> tuple[Floats, Floats]:
    """Entry and tip (3,), patient frame, of a path along the pedicle's own axis.

    Raises:
        PlanError: That axis does not run inside the bone.
    """
    line, wall = ready.task.start, ready.task.wall
    span = wall.span(line)
    if span is None:
        raise PlanError(
            f"{_name(ready)}: the pedicle's own axis does not run inside the bone: give an entry "
            "and a tip"
        )
    tip, _ = choose_tip(wall, line, span, ready.task.limits)
    ends = (line.point + place * line.direction for place in (span.entry, tip))
    entry_mm, tip_mm = (ready.landmarks.patient_from_bone.points(end) for end in ends)
    return entry_mm, tip_mm


def entered(ready: Ready, entry_mm: Floats, tip_mm: Floats) -> Floats:
    """Where a drawn path goes into the bone, (3,), patient frame; as ``measure_given`` has it.

    Raises:
        PlanError: The line does not meet the bone, or does not run from the back to the front.
    """
    to_bone = ready.landmarks.patient_from_bone.inverse
    line, drawn, tip = _line(ready, to_bone.points(entry_mm), to_bone.points(tip_mm))
    crossings = surface_crossings(ready.triangles, line.point, line.direction)
    entry = line.point + _entry(ready, crossings, drawn, tip) * line.direction
    return ready.landmarks.patient_from_bone.points(entry)


def measure_given(
    ready: Ready, entry_mm: Floats, tip_mm: Floats, diameter_mm: float, width: tuple[float, float]
) -> Given:
    """Measure a drawn path.

    The entry is put where the line meets the surface nearest to the one that was drawn. A path
    whose axis stays in the bone, through the pedicle, is measured as the planner measures its own;
    any other by the signed distances of its axis and cylinder to the half-maximum surface.

    Args:
        ready: The pedicle.
        entry_mm: (3,) as drawn, patient frame.
        tip_mm: (3,) as drawn.
        diameter_mm: Of the instrument.
        width: The pedicle's widest half-maximum corridor and its spread, mm; it does not depend on
            the path.

    Raises:
        PlanError: The line does not meet the bone, or does not run from the back to the front.
    """
    to_bone = ready.landmarks.patient_from_bone.inverse
    line, drawn, tip = _line(ready, to_bone.points(entry_mm), to_bone.points(tip_mm))
    crossings = surface_crossings(ready.triangles, line.point, line.direction)
    entry = _entry(ready, crossings, drawn, tip)
    leaves = bool(((crossings > entry + _SAME_MM) & (crossings < tip)).any())
    span = None if leaves else ready.task.wall.span(line)
    through = span is not None and abs(span.entry - entry) < _SAME_MM
    corridor = _corridor(ready, line, (entry, tip), span if through else None)
    axis = axis_of(ready.landmarks, corridor)
    kept = abs(entry - drawn) < _SAME_MM
    pedicle = _pedicle(ready, corridor, axis, width, through)
    points, outside, nearest = _cylinder(ready, corridor, diameter_mm)
    if through:
        breach, wall = pedicle.breach(diameter_mm)
    else:
        breach, wall = _breach(ready, points, outside, nearest)
    high = Span(entry, corridor.body, corridor.front)
    return Given(
        entry_mm=np.asarray(entry_mm) if kept else axis.entry_mm,
        tip_mm=np.asarray(tip_mm),
        pedicle=pedicle,
        through=through,
        breach_mm=breach,
        wall=wall,
        canal_mm=ready.canal.reached_mm(points, np.where(outside < _SEEN_MM, 0.0, outside)),
        front_mm=min(corridor.front - tip, ready.task.wall.front_clearance(line, tip)),
        high_mm=too_high_mm(ready.task, line, high),
    )


def _name(ready: Ready) -> str:
    return f"{ready.bone.name} {_side(ready)[0]}"


def _side(ready: Ready) -> tuple[str, float]:
    return next(side for side in SIDES if side[1] == ready.task.start.side)


def _line(ready: Ready, entry: Floats, tip: Floats) -> tuple[Line, float, float]:
    """The drawn line by its point on the isthmus' plane, and both ends' places along it."""
    way, side = unit(tip - entry, "path"), ready.task.start.side
    axial, sagittal = angles_deg(way, side)
    if max(abs(axial), abs(sagittal)) > _STEEPEST_DEG:
        raise PlanError(
            f"{_name(ready)}: a path runs from the back to the front, found {axial:.0f} deg in the "
            f"axial and {sagittal:.0f} deg in the sagittal plane: put its tip in front of its entry"
        )
    ahead = float((ready.task.start.point[1] - entry[1]) / way[1])
    line = Line(entry + ahead * way, axial, sagittal, side)
    return line, -ahead, float(np.linalg.norm(tip - entry)) - ahead


def _entry(ready: Ready, crossings: Floats, drawn: float, tip: float) -> float:
    """Where the line goes into the bone, nearest to where it was drawn."""
    entry = entry_place(crossings, drawn, tip, _LEAST_MM)
    if entry is None:
        raise PlanError(
            f"{_name(ready)}: the line does not meet the bone {_LEAST_MM:.0f} mm or more before "
            "its tip: draw entry and tip so that it goes in from the back"
        )
    return entry


def _corridor(ready: Ready, line: Line, ends: tuple[float, float], span: Span | None) -> Corridor:
    """The corridor of a drawn path; its diameters are 0 where it leaves bone or pedicle."""
    entry, tip = ends
    wall, limits = ready.task.wall, ready.task.limits
    free = ready.task.obstacles.free(line, entry, limits)
    if span is None:
        body = (wall.body_back_mm - float(line.point[1])) / float(line.direction[1])
        crossings = surface_crossings(ready.triangles, line.point, line.direction)
        ahead = crossings[crossings > max(body, entry)]
        front = float(ahead[-1]) if len(ahead) else np.inf
        return Corridor(line, entry, body, tip, front, 0.0, 0.0, False, free)
    low, high = span.shallowest(limits) - _ROUNDED_MM, span.deepest(limits) + _ROUNDED_MM
    clear = wall.front_clearance(line, tip) >= limits.front_margin_mm - _ROUNDED_MM
    return Corridor(
        line=line,
        entry=entry,
        body=span.body,
        tip=tip,
        front=span.front,
        diameter_mm=2.0 * wall.corridor_radius(line, entry, tip, limits.cap_mm),
        cylinder_mm=2.0 * wall.cylinder_radius(line, entry + limits.cap_mm, tip),
        deep_enough=bool(clear and low <= tip <= high),
        approach_mm=free,
    )


def _pedicle(
    ready: Ready, corridor: Corridor, axis: Axis, width: tuple[float, float], through: bool
) -> Pedicle:
    """Everything that the planner would know of the path."""
    cap = ready.task.limits.cap_mm
    if through:
        profile = measure_profile(ready.volume, ready.surface, axis, cap)
    else:
        walls = np.zeros(N_ANGLES, dtype=np.int64)
        profile = Profile(np.array([cap]), np.zeros((1, N_ANGLES)), walls, 1.0, np.inf)
    own = Width(width[0], width[1], corridor.line, ready.half)
    side = _side(ready)[0]
    return Pedicle(ready.bone, ready.landmarks, side, ready.task, corridor, axis, profile, own)


def _cylinder(
    ready: Ready, corridor: Corridor, diameter_mm: float
) -> tuple[Floats, Floats, Floats]:
    """Points of axis and cylinder in the bone's frame, how far outside they are, and from where."""
    start = corridor.entry + min(ready.task.limits.cap_mm, corridor.tip - corridor.entry)
    places = np.append(np.arange(start, corridor.tip, _STEP_MM), corridor.tip)
    way = corridor.line.direction
    across = np.cross(way, [0.0, 0.0, 1.0])
    across = across / np.linalg.norm(across)
    turn = 2.0 * np.pi * np.arange(N_ANGLES) / N_ANGLES
    ring = np.cos(turn)[:, None] * across + np.sin(turn)[:, None] * np.cross(way, across)
    spots = np.concatenate([np.zeros((1, 3)), diameter_mm / 2.0 * ring])
    points = corridor.line.point + places[:, None, None] * way + spots[None]
    points = points.reshape(-1, 3)
    return points, *ready.probe.measure(points)


def _breach(
    ready: Ready, points: Floats, outside: Floats, nearest: Floats
) -> tuple[float, str | None]:
    """How far a cylinder leaves the half-maximum surface, and through which wall."""
    worst = int(outside.argmax())
    breach = float(outside[worst])
    if breach < _SEEN_MM:
        return 0.0, None
    x, y, z = points[worst] - nearest[worst]
    if points[worst, 1] < ready.task.wall.body_back_mm and -y > max(abs(x), abs(z)):
        return breach, "anterior"
    if abs(z) > abs(x):
        return breach, "superior" if z > 0 else "inferior"
    return breach, "medial" if x * ready.task.start.side < 0 else "lateral"
