"""Plan the screws of all chosen levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from guidegen.errors import PlanError
from guidegen.mesh.field import DistanceField
from guidegen.model.bone import Bone
from guidegen.model.landmarks import Landmarks
from guidegen.model.notice import Progress, silent
from guidegen.model.plan import Measurement, Path, Skipped
from guidegen.model.volume import CTVolume
from guidegen.planning.coarse import coarse_lines
from guidegen.planning.corridor import widest_corridors
from guidegen.planning.pedicle import SIDES, choose, measured, pedicle_field, pedicle_task
from guidegen.planning.width import measure_width
from guidegen.procedures.contract import Anatomy, Draft
from guidegen.procedures.pedicle_screws.notices import UNPLANNED, all_notices
from guidegen.procedures.pedicle_screws.pedicle import decide, path_limits
from guidegen.procedures.pedicle_screws.rod import rod_lines
from guidegen.procedures.pedicle_screws.settings import PedicleSettings
from guidegen.procedures.vertebrae import attempt
from guidegen.workers import in_processes

_VIEW_MM = 15.0
"""CT kept round a vertebra: more than a wall is looked for beyond its surface."""


def _neighbours(name: str, order: Sequence[str], bones: dict[str, Bone]) -> tuple[Bone, ...]:
    """The bones of the levels above and below (two each: spinous processes overlap)."""
    at = order.index(name)
    near = [order[n] for n in range(max(at - 2, 0), min(at + 3, len(order))) if n != at]
    return tuple(bones[n] for n in near if n in bones)


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
        field = field or pedicle_field(vertices, bone, landmarks)
        limits = path_limits(bone.name, landmarks[f"pedicle_{side[0]}"], settings)
        task = pedicle_task(vertices, bone, others, landmarks, side, limits)
        starts = coarse_lines(field, task)
        width = measure_width(volume, bone, landmarks, task, starts)
        corridors = widest_corridors(task, [*starts, width.line] if width else starts)
        if width is None or not corridors:
            text = "no straight line runs inside the bone from the arch into the body"
            answers.append(Skipped(name, bone.name, side[0], "no_corridor", None, text))
            continue
        lines = (measured(volume, bone, landmarks, task, c, width) for c in corridors)
        answers.append(decide(volume, choose(lines, settings.screw.min_diameter_mm), settings))
    return answers


@dataclass(frozen=True, eq=False)
class _Level:
    """What planning one vertebra needs, small enough to travel between processes."""

    name: str
    volume: CTVolume
    bone: Bone | None
    neighbours: tuple[Bone, ...]
    landmarks: Landmarks | None
    failed: str

    @classmethod
    def of(cls, name: str, volume: CTVolume, anatomy: Anatomy) -> _Level:
        """Take from the scan and its anatomy what this level needs."""
        bones = {bone.name: bone for bone in anatomy.bones}
        marks = {landmarks.bone: landmarks for landmarks in anatomy.landmarks}
        order = [level.name for level in anatomy.spine.levels]
        text = "body, canal and endplates were not all found on this bone"
        bone = bones.get(name)
        return cls(
            name,
            volume if bone is None else volume.around(bone.vertices_mm, _VIEW_MM),
            bone,
            _neighbours(name, order, bones),
            marks.get(name),
            anatomy.failed.get(name, text),
        )


def _answers(level: _Level, settings: PedicleSettings) -> list[Path | Skipped]:
    """Answer both pedicles of one vertebra, whatever happens."""
    if level.bone is None or level.landmarks is None:
        return _unplanned(level.name, "no_landmarks", level.failed)
    work = partial(
        plan_vertebra, level.volume, level.bone, level.neighbours, level.landmarks, settings
    )
    found = attempt(level.name, work)
    return found if isinstance(found, list) else _unplanned(level.name, UNPLANNED[1], found)


def _unplanned(bone: str, code: str, why: str) -> list[Path | Skipped]:
    """Answer both pedicles of a vertebra that could not be planned."""
    return [Skipped(f"{bone}_{s}", bone, s, code, None, why) for s, _ in SIDES]


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
    tasks = [_Level.of(name, volume, anatomy) for name in anatomy.chosen]
    found = in_processes(
        partial(_answers, settings=settings),
        tasks,
        lambda n: progress(f"screws of {tasks[n].name}", n / len(tasks)),
    )
    answers = [answer for level in found for answer in level]
    paths = tuple(a for a in answers if isinstance(a, Path))
    lines: tuple[Measurement, ...]
    lines, bends = rod_lines(paths, settings.screw.rod_line_mm)
    return Draft(
        paths=paths,
        skipped=tuple(a for a in answers if isinstance(a, Skipped)),
        measurements=lines,
        warnings=all_notices(answers, anatomy, settings.screw) + bends,
    )
