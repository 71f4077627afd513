"""What the arrows of the flow need on both of their sides: procedure, options, plan, case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from guidegen.checks.coverage import check_coverage
from guidegen.ct.labels import read_label_map, read_segmentation
from guidegen.ct.reader import read_case_volume, read_ct
from guidegen.errors import GuidegenError, InputError, NotApproved
from guidegen.export import history
from guidegen.export.approval import require_approved
from guidegen.export.atomic import sha256_file, write_text
from guidegen.export.case import merged, planned_case, read_earlier, read_edits
from guidegen.export.folder import CaseFolder
from guidegen.export.order import Order
from guidegen.export.parts import write_part
from guidegen.export.plan_json import read_plan
from guidegen.export.record import Record, new_record, order_sha256, read_record
from guidegen.export.settings import load_settings, make_settings
from guidegen.model.case import Approval, Case
from guidegen.model.edits import Edits
from guidegen.model.findings import CheckReport, Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import Notice, Progress
from guidegen.model.plan import BoneRecord, Plan
from guidegen.model.volume import CTVolume
from guidegen.procedures.contract import APPROACHES, AXES, Anatomy, Draft, Options, Procedure
from guidegen.procedures.kept import kept_edits
from guidegen.procedures.registry import PROCEDURES
from guidegen.report.html import render_report
from guidegen.workers import side_by_side

UNANCHORED = Notice(
    "unanchored_levels",
    "nothing anchors the count of the levels, so they are named V1, V2, ... from the head: "
    "find out which is which, and plan with --lowest-level",
    "spine",
    red=True,
)


def find_procedure(name: str) -> Procedure[Any]:
    """Look a procedure up.

    Raises:
        InputError: There is none of that name.
    """
    if name not in PROCEDURES:
        raise InputError(f"there is no procedure {name}; there are: {', '.join(PROCEDURES)}")
    return PROCEDURES[name]


def read_scan(order: Order, progress: Progress) -> CTVolume:
    """Read the order's scan, several series or blocks put together where the procedure can."""
    in_blocks = find_procedure(order.procedure).in_blocks
    return read_ct(order.source, order.series or (), progress, in_blocks)


def require_sound(order: Order) -> None:
    """Find the order's mistakes before long work starts.

    Raises:
        InputError: An unknown procedure, a settings file that is wrong, a file that is absent,
            an option that is unknown or that the procedure has no use for.
    """
    procedure = find_procedure(order.procedure)
    load_settings(procedure.settings_type, order.config)
    for path in (order.source, order.labels, order.label_names):
        if path is not None and not path.exists():
            raise InputError(f"there is no file or folder {path}: check the path")
    _require_known(procedure, Options(**order.recorded()))


def _require_known(procedure: Procedure[Any], options: Options) -> None:
    """Refuse what no procedure knows and what this one has no use for."""
    if options.side not in ("left", "right", "both"):
        raise InputError(f"--side wants left, right or both, found {options.side}")
    for option, chosen, known in (
        ("approach", options.approach, APPROACHES),
        ("axis", options.axis, AXES),
    ):
        if chosen not in (None, *known):
            wanted = " or ".join((", ".join(known[:-1]), known[-1]))
            raise InputError(f"--{option} wants {wanted}, found {chosen}")
    given = {
        "side": options.side != "both",
        "approach": options.approach is not None,
        "accept_posture": options.accept_posture,
        "axis": options.axis is not None,
    }
    for name in (name for name, is_given in given.items() if is_given):
        if name not in procedure.takes:
            option = "--" + name.replace("_", "-")
            raise InputError(f"{procedure.name} has no use for {option}: leave it out")


def options_of(order: Order, volume: CTVolume) -> Options:
    """Read the label map, if there is one, on to the scan."""
    labels = None
    if order.labels is not None:
        labels = read_label_map(order.labels, volume, order.label_scheme, order.label_names)
    return Options(**order.recorded(), labels=labels)


def recorded_options(folder: CaseFolder, record: Record) -> Options:
    """The options that a case was planned with, for planning it again."""
    labels = read_segmentation(folder.segmentation, folder.segmentation_names)
    earlier = read_earlier(folder, record, labels)
    edits = read_edits(folder)
    options = Options(**record.options, labels=labels, earlier=earlier, edits=edits)
    _require_known(find_procedure(record.procedure), options)
    return options


def record_of(order: Order, volume: CTVolume) -> Record:
    """Write down what is asked of which scan."""
    settings = load_settings(find_procedure(order.procedure).settings_type, order.config)
    return new_record(order.procedure, order.recorded(), settings, volume)


def remembered(record: Record, anatomy: Anatomy) -> Record:
    """Add to a record what only the whole scan shows: a crop of it may not show the table."""
    if anatomy.table is None:
        return record
    return replace(record, scan=replace(record.scan, table=anatomy.table))


def procedure_of(record: Record) -> tuple[Procedure[Any], BaseModel]:
    """The procedure of a case and its settings."""
    procedure = find_procedure(record.procedure)
    return procedure, make_settings(procedure.settings_type, record.settings, "case.toml")


def plan_of(
    draft: Draft, anatomy: Anatomy, bones: tuple[BoneRecord, ...], record: Record, case_id: str
) -> Plan:
    """Give a draft its case, hashes and the warnings of the stages before it."""
    return Plan(
        case_id=case_id,
        procedure=record.procedure,
        frame_of_reference=record.frame_of_reference,
        input_sha256=record.input_sha256,
        settings_sha256=order_sha256(record),
        bones=bones,
        paths=draft.paths,
        skipped=draft.skipped,
        cuts=draft.cuts,
        measurements=draft.measurements,
        warnings=merged(
            record.scan.notices,
            anatomy.found.notices,
            () if anatomy.found.anchored else (UNANCHORED,),
            anatomy.notices,
            draft.warnings,
        ),
        extra={**anatomy.extra, **draft.extra},
    )


def case_of(plan: Plan, volume: CTVolume, anatomy: Anatomy, record: Record) -> Case:
    """Gather a case that is planned and not yet approved."""
    procedure, settings = procedure_of(record)
    return Case(
        plan=plan,
        volume=volume,
        bones=anatomy.bones,
        levels=anatomy.found.levels,
        landmarks=anatomy.landmarks,
        settings=procedure.setting_rows(settings),
        methods=procedure.methods,
        versions=record.versions,
    )


def with_edits(case: Case, edits: Edits | None, record: Record) -> Case:
    """Make again what was changed by hand in the plan before, as far as it can be."""
    if edits is None:
        return case
    procedure, settings = procedure_of(record)
    plan = kept_edits(case.plan, case.bones, edits, lambda: procedure.bench(case, settings))
    return replace(case, plan=plan)


def measured(
    aside: Path, guides: tuple[Guide | Finding, ...], case: Case, record: Record, progress: Progress
) -> tuple[tuple[Guide, ...], CheckReport]:
    """Write every part aside, read it back and run all checks on what was read.

    A part that could not be made or written is a failed finding.

    Raises:
        NotApproved: The plan was changed meanwhile.
    """
    procedure, settings = procedure_of(record)

    def measure(guide: Guide | Finding) -> tuple[Guide | Finding, tuple[Finding, ...]]:
        part = write_part(aside, guide, case.plan) if isinstance(guide, Guide) else guide
        if isinstance(part, Finding):
            return part, (part,)
        return part, procedure.check(part, case, settings)

    def starting(n: int) -> None:
        guide = guides[n]
        progress(guide.name if isinstance(guide, Guide) else guide.subject, n / len(guides))

    found = side_by_side(measure, guides, starting)
    parts = [part for part, _ in found if isinstance(part, Guide)]
    findings = [finding for _, group in found for finding in group]
    findings += check_coverage(case.plan, tuple(parts))
    _require_same(CaseFolder(aside.parent), case.plan)
    return tuple(parts), CheckReport(tuple(findings))


def _require_same(folder: CaseFolder, plan: Plan) -> None:
    """Refuse to go on with parts of a plan that was changed while they were made."""
    if sha256_file(folder.plan) != plan.extra["plan_sha256"]:
        raise NotApproved(
            "the plan was changed while its parts were made: look at it, approve it and build again"
        )


def draw_report(folder: CaseFolder, case: Case, progress: Progress) -> None:
    """Write report.html, with the case's history as it is by now."""
    progress("drawing", 0.0)
    case = replace(case, history=history.changes(folder))
    write_text(folder.report, render_report(case))
    progress("written", 1.0)


def redraw(folder: CaseFolder, progress: Progress) -> None:
    """Draw the report again of a plan that was changed since it was drawn; else leave it."""
    if folder.report.is_file():
        return
    record, plan = read_record(folder.record), read_plan(folder.plan)
    case = planned_case(folder, plan, read_case_volume(folder.ct), record)
    draw_planned(folder, case, record, progress)


def draw_planned(folder: CaseFolder, case: Case, record: Record, progress: Progress) -> None:
    """Draw the report of a case that is planned and not built, approved or not.

    An approval that is no longer of this plan is not shown.
    """
    procedure, settings = procedure_of(record)
    rows, approval = procedure.setting_rows(settings), _approval_of(folder, case.plan)
    whole = replace(case, settings=rows, approval=approval, methods=procedure.methods)
    draw_report(folder, whole, progress)


def _approval_of(folder: CaseFolder, plan: Plan) -> Approval | None:
    """The approval that stands for a plan; None where it is of another or of other files."""
    try:
        _, approval = require_approved(folder)
    except GuidegenError:
        return None
    return approval if approval.plan_sha256 == plan.extra.get("plan_sha256") else None
