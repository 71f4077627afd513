"""The case as a whole, into its folder and out again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from guidegen.errors import GuidegenError, PlanError
from guidegen.export.approval import require_unchanged
from guidegen.export.atomic import sha256_file
from guidegen.export.folder import CaseFolder
from guidegen.export.landmarks_json import read_landmarks, write_landmarks
from guidegen.export.nifti import on_grid, write_ct, write_labels
from guidegen.export.parts import publish_bones, read_bone
from guidegen.export.plan_json import read_plan, with_extra, write_plan
from guidegen.export.record import Record, versions, write_record
from guidegen.export.slicer import write_paths, write_scene
from guidegen.model.bone import Bone
from guidegen.model.case import Approval, Case
from guidegen.model.earlier import Earlier
from guidegen.model.edits import Edits
from guidegen.model.landmarks import Landmarks
from guidegen.model.level import Level, Spine
from guidegen.model.notice import Notice
from guidegen.model.plan import Plan
from guidegen.model.segmentation import Segmentation
from guidegen.model.volume import CTVolume, LabelMap

HASHED = ("ct.nii.gz", "landmarks.json", "bones/segmentation.nii.gz", "bones/segmentation.json")
CROP_MARGIN_MM = 25.0


def crop_to(volume: CTVolume, bones: tuple[Bone, ...]) -> CTVolume:
    """Cut the CT to the bones and what surrounds them.

    25 mm keeps the canal's surroundings and a drill's approach (engineering choice).
    """
    return volume.around(np.concatenate([bone.bounds_mm for bone in bones]), CROP_MARGIN_MM)


def write_planned(
    folder: CaseFolder, aside: Path, record: Record, found: Segmentation, case: Case
) -> Plan:
    """Write everything up to and including plan.json; what was planned or built before goes.

    Args:
        folder: The case.
        aside: Where the bones were written.
        record: The order.
        found: For the label map.
        case: The new plan with the cropped CT, bones, levels and landmarks.

    Returns:
        The plan as the file holds it, with its hash in ``extra``.
    """
    folder.remove_planned()
    write_record(folder.record, record)
    assert case.volume is not None
    write_ct(folder.ct, case.volume)
    labels = on_grid(found.labels, case.volume.grid)
    write_labels(folder.segmentation, folder.segmentation_names, labels, found.notices)
    write_landmarks(folder.landmarks, case.landmarks, case.levels, case.plan.measurements)
    publish_bones(aside, folder, case.plan.bones)
    files = {name: sha256_file(folder.root / name) for name in HASHED}
    plan = with_extra(case.plan, files=files)
    digest = write_plan(folder.plan, plan)
    write_paths(folder, plan)
    write_scene(folder, plan, labels)
    return with_extra(plan, plan_sha256=digest)


def merged(*groups: tuple[Notice, ...]) -> tuple[Notice, ...]:
    """Put warnings together, each once, in the order in which they came."""
    kept: dict[tuple[str, str], Notice] = {}
    for notice in (notice for group in groups for notice in group):
        kept.setdefault((notice.code, notice.subject), notice)
    return tuple(kept.values())


def read_anatomy(
    folder: CaseFolder, plan: Plan
) -> tuple[tuple[Bone, ...], tuple[Landmarks, ...], tuple[Level, ...]]:
    """Read bones, landmarks and levels that a plan was made on."""
    bones = tuple(read_bone(folder, record) for record in plan.bones)
    return (bones, *read_landmarks(folder.landmarks))


def read_earlier(folder: CaseFolder, record: Record, labels: LabelMap) -> Earlier | None:
    """Read what a case was planned on, if this version found it and nobody changed it since.

    Args:
        folder: The case.
        record: Its order, with the versions that planned it.
        labels: Its label map.

    Returns:
        None where anything was corrected or can't be read: then it has to be found again.
    """
    if record.versions != versions():
        return None
    try:
        plan = read_plan(folder.plan)
        require_unchanged(folder, plan)
        bones, _, levels = read_anatomy(folder, plan)
        names = json.loads(folder.segmentation_names.read_text(encoding="utf-8"))
        notices = tuple(Notice(**item) for item in names["warnings"])
    except (GuidegenError, OSError, ValueError, KeyError, TypeError):
        return None
    if not levels:
        return None
    line = np.array([level.patient_from_level.origin_mm for level in levels[::-1]])
    anchored = not any(level.name.startswith("V") for level in levels)
    return Earlier(Spine(labels, levels, line, notices, anchored), bones)


def read_edits(folder: CaseFolder) -> Edits | None:
    """Read what was changed by hand in a case's plan, before it is planned again.

    Returns:
        None where nothing was; a plan that can't be read is said to be so.
    """
    if not folder.plan.is_file():
        return None
    try:
        edits = Edits(read_plan(folder.plan))
    except PlanError as error:
        return Edits(None, why=str(error))
    assert edits.plan is not None
    if not edits.items:
        return None
    wanted = {item.bone for item in edits.items}
    centres = {}
    for record in edits.plan.bones:
        try:
            if record.name in wanted:
                centres[record.name] = read_bone(folder, record).vertices_mm.mean(axis=0)
        except (GuidegenError, OSError):
            continue
    return replace(edits, centres_mm=centres)


def planned_case(folder: CaseFolder, plan: Plan, volume: CTVolume, record: Record) -> Case:
    """Gather a case that is planned, approved or not."""
    bones, landmarks, levels = read_anatomy(folder, plan)
    return Case(
        plan=plan,
        volume=record.volume(volume),
        bones=bones,
        levels=levels,
        landmarks=landmarks,
        versions=record.versions,
    )


def whole_case(
    folder: CaseFolder,
    plan: Plan,
    approval: Approval,
    volume: CTVolume,
    record: Record,
) -> Case:
    """Gather an approved case for building; how it was approved reaches the label through it."""
    told = with_extra(plan, unattended=approval.unattended)
    return replace(planned_case(folder, told, volume, record), approval=approval)
