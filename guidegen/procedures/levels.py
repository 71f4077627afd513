"""Planning level by level: each vertebra on its own core, and one never stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from guidegen.errors import PlanError
from guidegen.mesh.field import DistanceField
from guidegen.model.bone import SKIN, Bone
from guidegen.model.case import Case
from guidegen.model.landmarks import Landmark, Landmarks
from guidegen.model.notice import Notice, Progress
from guidegen.model.plan import Path, Skipped
from guidegen.model.volume import CTVolume
from guidegen.planning.coarse import coarse_lines
from guidegen.planning.corridor import widest_corridors
from guidegen.planning.limits import PathLimits
from guidegen.planning.pedicle import (
    SIDES,
    Pedicle,
    choose,
    measured,
    pedicle_field,
    pedicle_task,
)
from guidegen.planning.width import measure_width
from guidegen.procedures.contract import Anatomy
from guidegen.procedures.vertebrae import attempt
from guidegen.workers import in_processes

UNPLANNED = ("no_landmarks", "planning_failed")
"""Reasons that leave a whole vertebra without a plan."""
VIEW_MM = 15.0
"""CT kept round a vertebra: more than a wall is looked for beyond its surface."""


@dataclass(frozen=True, eq=False)
class Site:
    """A vertebra to plan on, small enough to travel between processes.

    Args:
        volume: The CT round it.
        bone: Its surface.
        neighbours: Bones that an instrument must pass.
        landmarks: Of the vertebra.
    """

    volume: CTVolume
    bone: Bone
    neighbours: tuple[Bone, ...]
    landmarks: Landmarks


Work = Callable[[Site], list[Path | Skipped]]
"""Answers the pedicles of one vertebra; picklable."""


def _neighbours(name: str, order: Sequence[str], bones: dict[str, Bone]) -> tuple[Bone, ...]:
    """The bones of the levels above and below (two each: spinous processes overlap)."""
    at = order.index(name)
    near = [order[n] for n in range(max(at - 2, 0), min(at + 3, len(order))) if n != at]
    return tuple(bones[n] for n in near if n in bones)


def _site(name: str, volume: CTVolume, anatomy: Anatomy, view_mm: float) -> Site | tuple[str, str]:
    """Gather what a level needs; its name and the reason where something is missing."""
    bones = {bone.name: bone for bone in anatomy.bones if bone.name != SKIN}
    marks = {landmarks.bone: landmarks for landmarks in anatomy.landmarks}
    if name not in bones or name not in marks:
        text = "body, canal and endplates were not all found on this bone"
        return name, anatomy.failed.get(name, text)
    order = [level.name for level in anatomy.found.levels]
    near = volume.around(bones[name].vertices_mm, view_mm)
    return Site(near, bones[name], _neighbours(name, order, bones), marks[name])


def case_site(case: Case, name: str, view_mm: float = VIEW_MM) -> Site:
    """Gather what a level of a planned case needs, as it was gathered to plan it.

    Raises:
        PlanError: The case lacks the level's surface or landmarks, or its CT.
    """
    bones = {bone.name: bone for bone in case.bones if bone.name != SKIN}
    marks = {landmarks.bone: landmarks for landmarks in case.landmarks}
    order = [level.name for level in case.levels]
    if case.volume is None or name not in order or name not in bones or name not in marks:
        raise PlanError(f"{name} has no surface, landmarks or CT in this case: plan the case again")
    near = case.volume.around(bones[name].vertices_mm, view_mm)
    return Site(near, bones[name], _neighbours(name, order, bones), marks[name])


def _answers(site: Site | tuple[str, str], work: Work) -> list[Path | Skipped]:
    """Answer both pedicles of one vertebra, whatever happens."""
    if isinstance(site, tuple):
        return _unplanned(site[0], UNPLANNED[0], site[1])
    found = attempt(site.bone.name, partial(work, site))
    return found if isinstance(found, list) else _unplanned(site.bone.name, UNPLANNED[1], found)


def _unplanned(bone: str, code: str, why: str) -> list[Path | Skipped]:
    """Answer both pedicles of a vertebra that could not be planned."""
    return [Skipped(f"{bone}_{s}", bone, s, code, None, why) for s, _ in SIDES]


def plan_levels(
    volume: CTVolume,
    anatomy: Anatomy,
    work: Work,
    what: str,
    progress: Progress,
    view_mm: float = VIEW_MM,
) -> list[Path | Skipped]:
    """Plan every chosen level.

    Args:
        volume: The CT, or a crop of it that holds the bones.
        anatomy: Levels, bones and landmarks.
        work: Answers the pedicles of one vertebra.
        what: Is planned, for the progress: ``screws``.
        progress: Told the share done.
        view_mm: CT kept round a vertebra.

    Returns:
        A path or a reason for each pedicle, head to foot.

    Raises:
        PlanError: No level is chosen.
    """
    if not anatomy.chosen:
        raise PlanError("no level is chosen: nothing to plan")
    names = anatomy.chosen
    found = in_processes(
        partial(_answers, work=work),
        [_site(name, volume, anatomy, view_mm) for name in names],
        lambda n: progress(f"{what} of {names[n]}", n / len(names)),
    )
    return [answer for level in found for answer in level]


def best_pedicles(
    site: Site,
    sides: Sequence[tuple[str, float]],
    limits_of: Callable[[Landmark], PathLimits],
    thinnest_mm: float,
) -> Iterator[Pedicle | Skipped]:
    """Find the best corridor of each pedicle of one vertebra.

    Args:
        site: The vertebra.
        sides: Which of ``SIDES``.
        limits_of: What a path through a pedicle may do, by the pedicle's landmark.
        thinnest_mm: Diameter of the thinnest instrument: the corridor is chosen so that it is
            grade A, if that is possible.

    Yields:
        The pedicle measured about its corridor, or the reason why it has none.
    """
    bone, landmarks = site.bone, site.landmarks
    to_bone = landmarks.patient_from_bone.inverse
    vertices = to_bone.points(bone.vertices_mm)
    near = [to_bone.points(other.vertices_mm) for other in site.neighbours]
    others = np.concatenate(near) if near else np.zeros((0, 3))
    field: DistanceField | None = None
    for side in sides:
        name, mark = f"{bone.name}_{side[0]}", f"pedicle_{side[0]}"
        if mark not in landmarks:
            text = "no bridge of bone was found between arch and body: cut off or destroyed"
            yield Skipped(name, bone.name, side[0], "no_pedicle", None, text)
            continue
        field = field or pedicle_field(vertices, bone, landmarks)
        task = pedicle_task(vertices, bone, others, landmarks, side, limits_of(landmarks[mark]))
        starts = coarse_lines(field, task)
        width = measure_width(site.volume, bone, landmarks, task, starts)
        corridors = widest_corridors(task, [*starts, width.line] if width else starts)
        if width is None or not corridors:
            text = "no straight line runs inside the bone from the arch into the body"
            yield Skipped(name, bone.name, side[0], "no_corridor", None, text)
            continue
        lines = (measured(site.volume, bone, landmarks, task, c, width) for c in corridors)
        yield choose(lines, thinnest_mm)


def unplanned_notice(bone: str, what: str, why: str) -> Notice:
    """Red: a level was asked for and nothing is planned on it."""
    return Notice("level_not_planned", f"{bone}: no {what} was planned: {why}", bone, red=True)


def level_notices(
    answers: Sequence[Path | Skipped], anatomy: Anatomy, what: str
) -> tuple[Notice, ...]:
    """Red warnings: levels that were asked for and not planned, neighbours without a surface."""
    whole = {a.bone: a for a in answers if isinstance(a, Skipped) and a.code in UNPLANNED}
    unplanned = [unplanned_notice(bone, what, a.message) for bone, a in whole.items()]
    missing = [
        Notice(
            "neighbour_without_surface",
            f"{name}: no surface could be made, so instruments and guides of the levels beside it "
            f"were not kept clear of it ({why})",
            name,
            red=True,
        )
        for name, why in anatomy.failed.items()
        if name not in anatomy.chosen and name != SKIN
    ]
    return (*unplanned, *missing)
