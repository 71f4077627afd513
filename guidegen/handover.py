"""Markups that were edited in 3D Slicer, back into their case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from guidegen import steps
from guidegen.ct.reader import read_case_volume
from guidegen.errors import InputError, NotApproved
from guidegen.export import history
from guidegen.export.approval import require_unchanged
from guidegen.export.case import planned_case
from guidegen.export.edited import write_edited
from guidegen.export.folder import open_case
from guidegen.export.markups import Markup, on_items, read_markups
from guidegen.export.plan_json import read_plan
from guidegen.export.record import read_record
from guidegen.model.notice import Progress, stage
from guidegen.model.plan import Plan
from guidegen.procedures.bench import Bench

WHAT = "taken from 3D Slicer"


def taken_up(bench: Bench, plan: Plan, markups: Sequence[Markup]) -> tuple[Plan, tuple[str, ...]]:
    """Put drawn lines and planes in place of a plan's paths and cuts, and measure them.

    Args:
        bench: Of the case.
        plan: As it is.
        markups: As ``export.markups`` reads them.

    Returns:
        The plan with all of them, settled, and the names of the items.

    Raises:
        InputError: One is of no item of the plan.
        PlanError: One can't be measured.
    """
    names = tuple(item.name for item in bench.items(plan))
    found = tuple(on_items(tuple(markups), names))
    for name, markup in found:
        plan = bench.changed(plan, name, markup.change)
    return bench.settle(plan), tuple(name for name, _ in found)


def import_markups(
    root: Path, files: Sequence[Path], by: str, progress: Progress
) -> tuple[Plan, tuple[str, ...]]:
    """Take edited markups up into a case: plan, history and report; what was built goes.

    Nothing is written before all of them are measured.

    Args:
        root: The case folder.
        files: ``.mrk.json`` files.
        by: Who drew them.
        progress: Told the share done.

    Returns:
        The plan as the file holds it, and the names of the items that were replaced.

    Raises:
        InputError: A file is no markup, or is of no item of the plan.
        PlanError: A markup can't be measured.
    """
    if not by.strip():
        raise InputError('say who drew the markups: --by "NAME"')
    folder = open_case(root)
    plan, record = read_plan(folder.plan), read_record(folder.record)
    try:
        require_unchanged(folder, plan)
    except NotApproved as error:
        raise InputError(str(error)) from error
    markups = [markup for file in files for markup in read_markups(file)]
    progress("plan: reading the case", 0.0)
    case = planned_case(folder, plan, read_case_volume(folder.ct), record)
    procedure, settings = steps.procedure_of(record)
    progress("plan: measuring", 0.2)
    plan, names = taken_up(procedure.bench(case, settings), plan, markups)
    plan = write_edited(folder, plan)
    entry = {
        "at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "by": by.strip(),
        "what": WHAT,
        "plan_sha256": plan.extra["plan_sha256"],
    }
    for name in names:
        history.append(folder, {**entry, "item": name})
    whole = replace(case, plan=plan)
    steps.draw_planned(folder, whole, record, stage(progress, "report", 0.8, 1.0))
    return plan, names
