"""One case while it is looked at: its state, its changes, and what may be taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from guidegen import steps
from guidegen.console import sentence_of
from guidegen.ct.reader import read_case_volume
from guidegen.errors import GuidegenError, InputError
from guidegen.export import history
from guidegen.export.approval import approve
from guidegen.export.atomic import sha256_file
from guidegen.export.case import planned_case
from guidegen.export.edited import write_edited
from guidegen.export.folder import CaseFolder, open_case
from guidegen.export.plan_json import read_plan, with_extra
from guidegen.export.record import Record, read_record
from guidegen.model.case import Case
from guidegen.model.plan import Plan
from guidegen.procedures.bench import Bench

MOST_STEPS = 200
LONGEST_SETTLING_S = 60.0


class Stale(Exception):
    """The page that asks does not show the plan as it is now."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """What does not change while a case is looked at.

    Args:
        record: The order.
        case: Volume, bones, landmarks and levels.
        bench: Measures what is changed.
    """

    record: Record
    case: Case
    bench: Bench


@dataclass(frozen=True, eq=False)
class Moment:
    """What belongs together of a session, taken at one moment.

    Args:
        plan: As it is shown; without a hash while it is settling, for no file holds it.
        revision: Of this plan; a change that names it was made looking at it.
        settling: Something of it is still being worked out.
        refused: Why the last change could not be kept after all; "" if it was.
        n_undo: How many changes can be taken back.
        n_redo: How many changes that were taken back can be made again.
    """

    plan: Plan
    revision: int
    settling: bool
    refused: str
    n_undo: int
    n_redo: int


class Session:
    """A case in review; every method may be called from any thread."""

    def __init__(self, root: Path) -> None:
        """Open a case.

        Raises:
            InputError: The folder is no case.
            PlanError: Its plan can't be read.
        """
        self.folder: CaseFolder = open_case(root)
        self._lock = threading.RLock()
        self._plan = self._kept = read_plan(self.folder.plan)
        self._written = str(self._plan.extra["plan_sha256"])
        self._undo: list[Plan] = []
        self._redo: list[Plan] = []
        self._notes: list[tuple[str, str, str]] = []
        self._stacks: tuple[list[Plan], list[Plan]] = ([], [])
        self._loaded: Loaded | None = None
        self._settler: threading.Thread | None = None
        self._refused = ""
        self.revision = 1
        self.changed_outside = False
        self.settling = False
        self._before_settling = self.revision

    @property
    def plan(self) -> Plan:
        """The plan as the case folder holds it."""
        with self._lock:
            self._sync()
            return self._plan

    def now(self) -> Moment:
        """The plan with the revision that it has: a page is never told one of another."""
        with self._lock:
            plan, counts = self.plan, (len(self._undo), len(self._redo))
            return Moment(plan, self.revision, self.settling, self._refused, *counts)

    def finish(self) -> None:
        """Wait until a change that is still being worked out is written."""
        settler = self._settler
        if settler is not None:
            settler.join(LONGEST_SETTLING_S)

    def loaded(self) -> Loaded:
        """Scan, bones and bench; read the first time they are asked for."""
        with self._lock:
            if self._loaded is None:
                record = read_record(self.folder.record)
                volume = read_case_volume(self.folder.ct)
                case = planned_case(self.folder, self._plan, volume, record)
                procedure, settings = steps.procedure_of(record)
                self._loaded = Loaded(record, case, procedure.bench(case, settings))
            return self._loaded

    def case(self) -> Case:
        """The case with the plan as it is now."""
        return replace(self.loaded().case, plan=self.plan)

    def drop_report_unless(self, plan: Plan) -> None:
        """Take the report away if it was drawn of another plan than there is now."""
        with self._lock:
            self._sync()
            if self._kept.extra["plan_sha256"] != plan.extra["plan_sha256"]:
                self.folder.report.unlink(missing_ok=True)

    def tried(self, item: str, change: Mapping[str, Any]) -> Plan:
        """Measure a change without keeping it.

        Raises:
            PlanError: It can't be made; the sentence says why.
        """
        return self.loaded().bench.changed(self.plan, item, change)

    def change(self, revision: int, by: str, item: str, change: Mapping[str, Any]) -> None:
        """Change an item, measure it anew and write the plan.

        Raises:
            Stale: The page shows an older plan.
            PlanError: The change can't be made.
        """
        with self._lock:
            self._require(revision, by)
            bench, before = self.loaded().bench, self._plan
            self._keep(bench.changed(before, item, change), by, _words(change), item)
            self._done(before)

    def undo(self, revision: int, by: str) -> None:
        """Take the last change back."""
        self._step(revision, by, "undo", self._undo, self._redo)

    def redo(self, revision: int, by: str) -> None:
        """Make the last change that was taken back again."""
        self._step(revision, by, "redo", self._redo, self._undo)

    def approve(self, revision: int, by: str, accepted: tuple[str, ...], confirm: str) -> None:
        """Approve the plan by name.

        Raises:
            Stale: The page shows an older plan.
            InputError: The typed word is not the case's name, or there is no name.
            NotApproved: A red warning is not accepted.
        """
        with self._lock:
            self._require(revision, by)
            if self.settling:
                raise InputError("the last change is still being worked out: wait a moment")
            if revision != self.revision:
                raise Stale
            if confirm.strip() != self._plan.case_id:
                raise InputError(f"type the case's name, {self._plan.case_id}, to approve it")
            approve(self.folder, by, accepted)
            self.revision += 1
            self._before_settling = self.revision
            self._note(by, "approved the plan", "")

    def replaced(self, revision: int, by: str, what: str, make: Callable[[Plan], Plan]) -> None:
        """Put another plan in place of this one, as one change that can be taken back."""
        with self._lock:
            self._require(revision, by)
            before = self._plan
            self._keep(make(before), by, what, "")
            self._done(before)

    def _done(self, before: Plan) -> None:
        """A change was made that can be taken back."""
        self._undo, self._redo = [*self._undo, before][-MOST_STEPS:], []

    def _require(self, revision: int, by: str) -> None:
        """Refuse an older page; what the page's own last change settled does not make it older."""
        self._sync()
        if revision not in (self.revision, self._before_settling):
            raise Stale
        if not by.strip():
            raise InputError("say who you are: changes are written down with a name")

    def _step(self, revision: int, by: str, what: str, take: list[Plan], give: list[Plan]) -> None:
        with self._lock:
            self._require(revision, by)
            if not take:
                raise InputError(f"there is nothing to {what}")
            before = self._plan
            self._keep(take[-1], by, what, "")
            take.pop()
            give.append(before)

    def _keep(self, plan: Plan, by: str, what: str, item: str) -> None:
        """Take a plan over: at once, or, where something of it takes longer, when that is made.

        Until then the folder holds the plan before, which no approval of the new one can name.
        """
        note, waits = (by, what, item), any(i.waiting for i in self.loaded().bench.items(plan))
        if not self.settling:
            self._stacks = [*self._undo], [*self._redo]
        if waits:
            plan = with_extra(plan, plan_sha256=None)
            self._plan, self.settling = plan, True
            self._notes.append(note)
            self._settler = threading.Thread(target=self._settle, args=(plan,), daemon=True)
        else:
            self._write(plan, [*self._notes, note])
        self._refused = ""
        self.revision += 1
        self._before_settling = self.revision
        if waits and self._settler is not None:
            self._settler.start()

    def _write(self, plan: Plan, notes: list[tuple[str, str, str]]) -> None:
        self._plan = self._kept = write_edited(self.folder, plan)
        self._written = str(self._plan.extra["plan_sha256"])
        self._notes, self.settling = [], False
        for note in notes:
            self._note(*note)

    def _settle(self, plan: Plan) -> None:
        """Make what waits, beside the page; a later change makes it for itself."""
        settled, why = plan, ""
        try:
            settled = self.loaded().bench.settle(plan)
        except Exception as error:
            why = sentence_of(error)
        with self._lock:
            try:
                self._sync()
                if self._plan is not plan:
                    return  # changed again, here or in the folder: that counts
                if not why:
                    self._write(settled, self._notes)
            except GuidegenError as error:
                why = sentence_of(error)
            self._before_settling = self.revision
            self.revision += 1
            if why:
                self._give_up(why)

    def _give_up(self, why: str) -> None:
        """Go back to the plan of the folder: what came after it can't be worked out."""
        self._undo, self._redo = self._stacks
        self._plan, self._notes, self.settling = self._kept, [], False
        self._refused = f"the last change was not kept: {why}"

    def _note(self, by: str, what: str, item: str) -> None:
        entry = {
            "at": datetime.now().astimezone().isoformat(timespec="seconds"),
            "by": by.strip(),
            "what": what,
            "item": item,
            "plan_sha256": self._plan.extra.get("plan_sha256"),
        }
        history.append(self.folder, entry)

    def _sync(self) -> None:
        """Take up a plan that was changed in the folder meanwhile."""
        if sha256_file(self.folder.plan) == self._written:
            return
        self._plan = self._kept = read_plan(self.folder.plan)
        self._written = str(self._plan.extra["plan_sha256"])
        self._undo, self._redo, self._notes = [], [], []
        self._loaded, self.settling, self._refused = None, False, ""
        self.revision += 1
        self._before_settling = self.revision
        self.changed_outside = True


def _words(change: Mapping[str, Any]) -> str:
    """A change as the history tells it: ``diameter_mm 5.5``."""
    return ", ".join(f"{name} {_short(value)}" for name, value in change.items())


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(f"{part:.1f}" for part in value if isinstance(part, (int, float)))
    return f"{value:g}" if isinstance(value, float) else str(value)
