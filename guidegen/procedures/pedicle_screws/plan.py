"""Plan the screws of all chosen levels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from guidegen.errors import PlanError
from guidegen.mesh.field import DistanceField, sample_field
from guidegen.model.arrays import Floats
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Notice, Progress, silent
from guidegen.model.plan import Measurement, Path, Skipped
from guidegen.model.volume import CTVolume
from guidegen.planning.approach import Obstacles
from guidegen.planning.coarse import Task, coarse_lines
from guidegen.planning.corridor import widest_corridors
from guidegen.planning.line import Line, angles_deg
from guidegen.planning.wall import Wall
from guidegen.procedures.contract import Anatomy, Draft
from guidegen.procedures.pedicle_screws.bones import attempt
from guidegen.procedures.pedicle_screws.pedicle import (
    SIDES,
    choose,
    decide,
    measured,
    path_limits,
)
from guidegen.procedures.pedicle_screws.rod import rod_lines
from guidegen.procedures.pedicle_screws.settings import PedicleSettings, ScrewSettings
from guidegen.procedures.pedicle_screws.width import measure_width

_GRID_MM = 2.0
UNPLANNED = ("no_landmarks", "planning_failed")
"""Reasons that leave a whole vertebra without a plan."""
_RED = ("surface_unlike_ct",)
_MESSAGES = {
    "surface_unlike_ct": "the bone's surface leaves {corridor:.1f} mm about the screw, the grey "
    "values {half_maximum_on_axis_mm:.1f} mm: a rib or a neighbour may be joined to the surface; "
    "look at the slices, correct the label map or leave this screw out",
    "close_call": "the half-maximum corridor of {half_maximum_corridor_mm:.2f} mm (spread "
    "{corridor_spread_mm:.2f} mm) is only just wide enough for a screw",
    "low_bone_density": "mean {mean_hu:.0f} HU along the path: a screw may loosen",
    "tight_corridor": "the screw takes more than the usual share of the corridor of "
    "{corridor:.1f} mm on the bone's surface (half-maximum {half_maximum_corridor_mm:.1f} mm)",
    "tight_approach": "bone stands less than 0.5 mm beside drill or sleeve",
    "high_foot": "bone stands {sleeve_standoff_mm:.1f} mm high beside the entry, and the sleeve's "
    "foot above it: the drill runs free on a slope there and may slip; make a flat start first",
    "depth_out_of_range": "no screw length of the set ends within the depth limits: the tip is at "
    "{depth_share:.0%} of the body's depth",
    "wall_unclear": "only {wall_seen_share:.0%} of the wall show a clear edge on the CT",
}


def _neighbours(name: str, order: Sequence[str], bones: dict[str, Bone]) -> tuple[Bone, ...]:
    """The bones of the levels above and below (two each: spinous processes overlap)."""
    at = order.index(name)
    near = [order[n] for n in range(max(at - 2, 0), min(at + 3, len(order))) if n != at]
    return tuple(bones[n] for n in near if n in bones)


def _field(vertices: Floats, bone: Bone, landmarks: Landmarks) -> DistanceField:
    """Sample the distance round pedicles and body, in the vertebra's frame."""
    to_bone = landmarks.patient_from_bone.inverse
    sides = [f"pedicle_{s}" for s, _ in SIDES if f"pedicle_{s}" in landmarks]
    centres = np.array([to_bone.points(landmarks[s].position_mm) for s in sides])
    depth = float(np.ravel(landmarks["body_centre"].values["depth_mm"])[0])
    low = np.array([-34.0, -depth / 2 - 7.0, centres[:, 2].min() - 17.0])
    high = np.array([34.0, centres[:, 1].max() + 25.0, centres[:, 2].max() + 17.0])
    return sample_field(vertices, bone.faces, np.array([low, high]), _GRID_MM)


def _task(
    vertices: Floats,
    bone: Bone,
    neighbours: Floats,
    landmarks: Landmarks,
    side: tuple[str, float],
    settings: PedicleSettings,
) -> Task:
    """Set one pedicle's task up, in the vertebra's frame."""
    mark, to_bone = landmarks[f"pedicle_{side[0]}"], landmarks.patient_from_bone.inverse
    limits = path_limits(bone.name, mark, settings)
    along = to_bone.vectors(np.array(mark.values["along"]))
    axial, sagittal = angles_deg(along, side[1])
    start = Line(
        to_bone.points(mark.position_mm),
        float(np.clip(axial, *limits.axial_deg)),
        float(np.clip(sagittal, *limits.sagittal_deg)),
        side[1],
    )
    depth = float(np.ravel(landmarks["body_centre"].values["depth_mm"])[0])
    canal = float(to_bone.points(landmarks["canal_centre"].position_mm)[1])
    wall = Wall.around(vertices, bone.faces, start, depth / 2, canal)
    return Task(wall, Obstacles.near(vertices, neighbours, start), limits, start)


def plan_vertebra(
    volume: CTVolume,
    bone: Bone,
    neighbours: Sequence[Bone],
    landmarks: Landmarks,
    settings: PedicleSettings,
) -> list[Path | Skipped]:
    """Plan both pedicles of one vertebra: a path or a reason for each.

    Args:
        volume: The CT.
        bone: The vertebra.
        neighbours: Bones that a drill must pass.
        landmarks: Of the vertebra.
        settings: Of the procedure.
    """
    to_bone = landmarks.patient_from_bone.inverse
    vertices = to_bone.points(bone.vertices_mm)
    near = [to_bone.points(other.vertices_mm) for other in neighbours]
    others = np.concatenate(near) if near else np.zeros((0, 3))
    answers: list[Path | Skipped] = []
    field: DistanceField | None = None
    for side in SIDES:
        name = f"{bone.name}_{side[0]}"
        if f"pedicle_{side[0]}" not in landmarks:
            text = "no bridge of bone was found between arch and body: cut off or destroyed"
            answers.append(Skipped(name, bone.name, side[0], "no_pedicle", None, text))
            continue
        field = field or _field(vertices, bone, landmarks)
        task = _task(vertices, bone, others, landmarks, side, settings)
        starts = coarse_lines(field, task)
        width = measure_width(volume, bone, landmarks, task, starts)
        corridors = widest_corridors(task, [*starts, width.line] if width else starts)
        if width is None or not corridors:
            text = "no straight line runs inside the bone from the arch into the body"
            answers.append(Skipped(name, bone.name, side[0], "no_corridor", None, text))
            continue
        lines = (measured(volume, bone, landmarks, task, c, width) for c in corridors)
        answers.append(decide(volume, choose(lines, settings), settings))
    return answers


def _unplanned(bone: str, code: str, why: str) -> list[Path | Skipped]:
    """Answer both pedicles of a vertebra that could not be planned."""
    return [Skipped(f"{bone}_{s}", bone, s, code, None, why) for s, _ in SIDES]


def _red(answers: Sequence[Path | Skipped]) -> tuple[Notice, ...]:
    """One red warning for each vertebra that was asked for and could not be planned."""
    whole = {a.bone: a for a in answers if isinstance(a, Skipped) and a.code in UNPLANNED}
    return tuple(
        Notice("level_not_planned", f"{bone}: no screw was planned: {a.message}", bone, red=True)
        for bone, a in whole.items()
    )


def _missing_neighbours(anatomy: Anatomy) -> tuple[Notice, ...]:
    """Warn of neighbours without a surface: nothing kept drill and sleeve clear of them."""
    return tuple(
        Notice(
            "neighbour_without_surface",
            f"{name}: no surface could be made, so drills and guides of the levels beside it were "
            f"not kept clear of it ({why})",
            name,
            red=True,
        )
        for name, why in anatomy.failed.items()
        if name not in anatomy.chosen
    )


def _close_calls(answers: Sequence[Path | Skipped], screw: ScrewSettings) -> tuple[Notice, ...]:
    """Warn of pedicles that are only just too narrow."""
    found = []
    for item in answers:
        if not isinstance(item, Skipped) or item.code != "narrow_pedicle":
            continue
        width = item.corridor_diameter_mm or 0.0
        if width > screw.min_corridor_mm - screw.close_call_mm:
            text = (
                f"{item.name.replace('_', ' ')}: the half-maximum corridor of {width:.2f} mm "
                f"(spread {item.extra['corridor_spread_mm']:.2f} mm) is only just too narrow for a "
                "screw"
            )
            found.append(Notice("close_call", text, item.name))
    return tuple(found)


def _notices(paths: Sequence[Path]) -> tuple[Notice, ...]:
    """Put a path's warning codes into sentences."""
    found = []
    for path in paths:
        numbers = {**path.extra, "corridor": path.corridor_diameter_mm}
        for code in path.warnings:
            text = f"{path.name.replace('_', ' ')}: {_MESSAGES[code].format(**numbers)}"
            found.append(Notice(code, text, path.name, red=code in _RED))
    return tuple(found)


def plan_screws(
    volume: CTVolume, anatomy: Anatomy, settings: PedicleSettings, progress: Progress = silent
) -> Draft:
    """Plan a screw, or the reason for none, for every pedicle of the chosen levels.

    Args:
        volume: The CT, or a crop of it that holds the bones.
        anatomy: Levels, bones and landmarks.
        settings: Of the procedure.
        progress: Told the share done.

    Returns:
        Paths and skipped pedicles from head to foot, rod-line measurements and warnings.

    Raises:
        PlanError: No level is chosen.
    """
    if not anatomy.chosen:
        raise PlanError("no level is chosen: nothing to plan")
    bones = {bone.name: bone for bone in anatomy.bones}
    marks = {landmarks.bone: landmarks for landmarks in anatomy.landmarks}
    order = [level.name for level in anatomy.spine.levels]
    answers: list[Path | Skipped] = []
    for n, name in enumerate(anatomy.chosen):
        progress(f"screws of {name}", n / len(anatomy.chosen))
        if name not in marks or name not in bones:
            text = "body, canal and endplates were not all found on this bone"
            answers += _unplanned(name, "no_landmarks", anatomy.failed.get(name, text))
            continue
        work = partial(
            plan_vertebra,
            volume,
            bones[name],
            _neighbours(name, order, bones),
            marks[name],
            settings,
        )
        found = attempt(name, work)
        answers += found if isinstance(found, list) else _unplanned(name, UNPLANNED[1], found)
    paths = tuple(a for a in answers if isinstance(a, Path))
    lines: tuple[Measurement, ...]
    lines, bends = rod_lines(paths, settings.screw.rod_line_mm)
    return Draft(
        paths=paths,
        skipped=tuple(a for a in answers if isinstance(a, Skipped)),
        measurements=lines,
        warnings=_red(answers)
        + _missing_neighbours(anatomy)
        + _notices(paths)
        + _close_calls(answers, settings.screw)
        + bends,
    )
