"""One case while it is looked at: its state, its changes, and what may be taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from guidegen import steps
from guidegen.ct.reader import read_case_volume
from guidegen.errors import GuidegenError, InputError
from guidegen.export import history
from guidegen.export.approval import approve
from guidegen.export.atomic import sha256_file
from guidegen.export.case import planned_case
from guidegen.export.edited import write_edited
from guidegen.export.folder import CaseFolder, open_case
from guidegen.export.plan_json import read_plan
from guidegen.export.record import Record, read_record
from guidegen.model.case import Case
from guidegen.model.plan import Plan
from guidegen.procedures.bench import Bench

MOST_STEPS = 200


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
        self._plan = read_plan(self.folder.plan)
        self._written = str(self._plan.extra["plan_sha256"])
        self._undo: list[Plan] = []
        self._redo: list[Plan] = []
        self._loaded: Loaded | None = None
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

    @property
    def n_undo(self) -> int:
        """How many changes can be taken back."""
        return len(self._undo)

    @property
    def n_redo(self) -> int:
        """How many changes that were taken back can be made again."""
        return len(self._redo)

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
            bench = self.loaded().bench
            after = bench.changed(self._plan, item, change)
            self._undo = [*self._undo, self._plan][-MOST_STEPS:]
            self._redo = []
            self._keep(after, by, _words(change), item)

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
            after = make(self._plan)
            self._undo = [*self._undo, self._plan][-MOST_STEPS:]
            self._redo = []
            self._keep(after, by, what, "")

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
            give.append(self._plan)
            self._keep(take.pop(), by, what, "")

    def _keep(self, plan: Plan, by: str, what: str, item: str) -> None:
        """Take a plan over: at once, or, where something of it takes longer, when that is made.

        Until then the folder holds the plan before, which no approval of the new one can name.
        """
        self.revision += 1
        self._before_settling = self.revision
        if any(one.waiting for one in self.loaded().bench.items(plan)):
            self._plan, self.settling = plan, True
            note = (by, what, item)
            threading.Thread(target=self._settle, args=(plan, note), daemon=True).start()
        else:
            self._write(plan, by, what, item)

    def _write(self, plan: Plan, by: str, what: str, item: str) -> None:
        self._plan, self.settling = write_edited(self.folder, plan), False
        self._written = str(self._plan.extra["plan_sha256"])
        self._note(by, what, item)

    def _settle(self, plan: Plan, note: tuple[str, str, str]) -> None:
        """Make what waits, beside the page; a later change makes it for itself."""
        try:
            settled = self.loaded().bench.settle(plan)
        except GuidegenError as error:
            settled, note = self._undo[-1] if self._undo else plan, (note[0], str(error), note[2])
        with self._lock:
            if self._plan is plan:
                self._before_settling = self.revision
                self.revision += 1
                self._write(settled, *note)

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
        self._plan = read_plan(self.folder.plan)
        self._written = str(self._plan.extra["plan_sha256"])
        self._undo, self._redo, self._loaded, self.settling = [], [], None, False
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
