"""The arrows: CT -> bones -> landmarks -> plan -> (approve) -> guide -> checks -> export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from guidegen import steps
from guidegen.ct.reader import read_case_volume
from guidegen.export.approval import require_approved
from guidegen.export.case import crop_to, whole_case, write_planned
from guidegen.export.folder import CaseFolder, new_case, open_case
from guidegen.export.manifest import write_checks, write_manifest
from guidegen.export.order import Order
from guidegen.export.parts import publish, staging, write_bones
from guidegen.export.record import Record, read_record, versions
from guidegen.export.slicer import write_scene
from guidegen.model.findings import CheckReport
from guidegen.model.notice import Progress, silent, stage
from guidegen.model.plan import Plan
from guidegen.model.volume import CTVolume
from guidegen.procedures.contract import Options


def plan_case(order: Order, progress: Progress = silent) -> Plan:
    """Make a case from a scan: CT -> bones -> landmarks -> plan -> report; stops there."""
    steps.require_sound(order)
    with new_case(order.out, order.force, order.source) as folder:
        volume = steps.read_scan(order, stage(progress, "read", 0.0, 0.2))
        options, record = steps.options_of(order, volume), steps.record_of(order, volume)
        return _plan(folder, record, volume, options, progress)


def replan_case(root: Path, progress: Progress = silent) -> Plan:
    """Plan a case again from its own CT and its, perhaps corrected, label map."""
    folder = open_case(root)
    record = read_record(folder.record)
    volume = record.volume(read_case_volume(folder.ct))
    options = steps.recorded_options(folder, record)
    return _plan(folder, replace(record, versions=versions()), volume, options, progress)


def _plan(
    folder: CaseFolder, record: Record, volume: CTVolume, options: Options, progress: Progress
) -> Plan:
    procedure, settings = steps.procedure_of(record)
    anatomy = procedure.find_anatomy(volume, options, settings, stage(progress, "bones", 0.2, 0.6))
    record, near = steps.remembered(record, anatomy), crop_to(volume, anatomy.bones)
    with staging(folder) as aside:
        bones, files = write_bones(aside, anatomy.bones)
        anatomy = replace(anatomy, bones=bones)
        draft = procedure.plan(near, anatomy, settings, stage(progress, "plan", 0.6, 0.9))
        plan = steps.plan_of(draft, anatomy, files, record, folder.case_id)
        case = steps.case_of(plan, near, anatomy, record)
        case = steps.with_edits(case, options.edits, record)
        plan = write_planned(folder, aside, record, anatomy.found, case)
    steps.draw_report(folder, replace(case, plan=plan), stage(progress, "report", 0.9, 1.0))
    return plan


def build_case(root: Path, progress: Progress = silent) -> CheckReport:
    """Make an approved case's guides -> checks -> export -> report; only what passed stays."""
    folder = open_case(root)
    plan, approval = require_approved(folder)
    record = read_record(folder.record)
    procedure, settings = steps.procedure_of(record)
    case = whole_case(folder, plan, approval, read_case_volume(folder.ct), record)
    make = stage(progress, "guides", 0.0, 0.5)
    guides = procedure.build(case, settings, make)
    with staging(folder) as aside:
        check = stage(progress, "checks", 0.5, 0.9)
        parts, report = steps.measured(aside, guides, case, record, check)
        publish(aside, folder, parts, report)
    write_checks(folder, report)
    write_scene(folder, plan)
    rows, methods = procedure.setting_rows(settings), procedure.methods
    whole = replace(case, guides=parts, checks=report, settings=rows, methods=methods)
    steps.draw_report(folder, whole, stage(progress, "report", 0.9, 1.0))
    write_manifest(folder, plan, parts)
    return report
