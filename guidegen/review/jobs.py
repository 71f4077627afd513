"""Long work beside the page: a guide to look at, the approved guides, the report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from guidegen import flow, steps
from guidegen.console import sentence_of
from guidegen.errors import InputError
from guidegen.model.findings import Finding
from guidegen.model.guide import Guide
from guidegen.model.notice import Progress
from guidegen.review.session import Session


@dataclass(frozen=True)
class Work:
    """How far a piece of work is."""

    kind: str = ""
    running: bool = False
    text: str = ""
    share: float = 0.0
    error: str = ""
    done: bool = False


class Jobs:
    """At most one piece of work at a time, in a thread of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._work = Work()
        self._report_due = False
        self.previews: dict[str, tuple[str, Guide]] = {}

    def told(self) -> dict[str, Any]:
        """As ``/api/work`` answers; previews of an older plan are gone."""
        return {**vars(self._work), "previews": list(self.current_previews())}

    def current_previews(self) -> dict[str, Guide]:
        """The guides that were made to look at, of the plan as it is now."""
        digest = self._session.plan.extra.get("plan_sha256")
        return {name: guide for name, (plan, guide) in self.previews.items() if plan == digest}

    def preview(self, bone: str) -> None:
        """Make a bone's guide from the plan as it is, approved or not; nothing is exported.

        Raises:
            InputError: Something else is being built, nothing is planned on the bone, or the last
                change is still being worked out.
        """
        self._require_settled()
        self._start("preview", lambda progress: self._make(bone, progress))

    def require_still(self) -> None:
        """Refuse a change while the plan is being built: its parts would outlive it.

        Raises:
            InputError: A build is running.
        """
        if self._work.running and self._work.kind == "build":
            raise InputError("the approved plan is being built: wait until it is done")

    def build(self) -> None:
        """Build the approved case: guides, checks, report.

        Raises:
            InputError: Something else is being built, or the last change still being worked out.
        """
        self._require_settled()
        self._start("build", self._build)

    def report(self) -> None:
        """Draw the report of the plan as it is; after what runs, where something does."""
        with self._lock:
            self._report_due = self._work.running
        if not self._report_due:
            self._start("report", self._report)

    def _require_settled(self) -> None:
        if self._session.settling:
            raise InputError("the last change is still being worked out: wait a moment")

    def _start(self, kind: str, work: Callable[[Progress], None]) -> None:
        with self._lock:
            if self._work.running:
                raise InputError(f"the {self._work.kind} is still running: wait for it")
            self._work = Work(kind, True)
        threading.Thread(target=self._run, args=(kind, work), daemon=True).start()

    def _run(self, kind: str, work: Callable[[Progress], None]) -> None:
        error = self._error_of(work)
        while True:
            with self._lock:
                due, self._report_due = self._report_due, False
                if not due:
                    self._work = Work(kind, False, "", 1.0, error, not error)
                    return
            of_report = self._error_of(self._report)
            error = error or of_report

    def _error_of(self, work: Callable[[Progress], None]) -> str:
        try:
            work(self._heard)
        except Exception as problem:
            return sentence_of(problem)
        return ""

    def _heard(self, text: str, share: float) -> None:
        self._work = replace(self._work, text=text, share=share)

    def _make(self, bone: str, progress: Progress) -> None:
        case, record = self._session.case(), self._session.loaded().record
        plan, digest = case.plan, str(case.plan.extra["plan_sha256"])
        procedure, settings = steps.procedure_of(record)
        only = replace(
            plan,
            paths=tuple(path for path in plan.paths if path.bone == bone),
            cuts=tuple(cut for cut in plan.cuts if cut.bone == bone),
        )
        if not only.paths and not only.cuts:
            raise InputError(f"nothing is planned on {bone}: there is no guide to make")
        made = procedure.build(replace(case, plan=only), settings, progress)
        for part in made:
            if isinstance(part, Finding):
                raise InputError(part.reason or f"{part.code} of {part.subject} failed")
        self.previews = {
            name: (digest, part)
            for name, (_, part) in self.previews.items()
            if self.previews[name][0] == digest
        }
        for part in made:
            if isinstance(part, Guide) and part.role == "guide":
                self.previews[part.name] = (digest, part)

    def _build(self, progress: Progress) -> None:
        self.previews = {}
        flow.build_case(self._session.folder.root, progress)

    def _report(self, progress: Progress) -> None:
        case, record = self._session.case(), self._session.loaded().record
        steps.draw_planned(self._session.folder, case, record, progress)
        self._session.drop_report_unless(case.plan)
