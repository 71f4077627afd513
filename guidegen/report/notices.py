"""Warnings, the red ones first, and every site that got no path."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from guidegen.model.case import Case
from guidegen.model.notice import Notice
from guidegen.model.plan import Skipped
from guidegen.report.section import Section
from guidegen.report.wording import number, plain


@dataclass(frozen=True)
class Warned:
    """A warning as a row; ``accepted`` names who accepted a red one."""

    subject: str
    code: str
    message: str
    red: bool
    accepted: str = ""


def notices_section(case: Case) -> Section:
    """List the warnings; says so where there are none.

    Notes on one path stand under its row of the plan table: here they are counted, so that what
    concerns the whole case is seen.
    """
    in_rows = {(code, path.name) for path in case.plan.paths for code in path.warnings}
    notices = all_notices(case)
    small = [n for n in notices if (n.code, n.subject) in in_rows and not n.red]
    content = {
        "red": [_row(case, n) for n in notices if n.red],
        "other": [_row(case, n) for n in notices if not n.red and n not in small],
        "small": [(plain(code), count) for code, count in Counter(n.code for n in small).items()],
        "skipped": [(plain(s.name), skipped_reason(s)) for s in case.plan.skipped],
    }
    return Section("warnings", "Warnings", "notices.html.j2", content)


def all_notices(case: Case) -> tuple[Notice, ...]:
    """The plan's warnings and those of the scan that the plan does not repeat."""
    known = {(notice.code, notice.subject) for notice in case.plan.warnings}
    scan = case.volume.info.notices if case.volume is not None else ()
    return case.plan.warnings + tuple(n for n in scan if (n.code, n.subject) not in known)


def skipped_reason(skipped: Skipped) -> str:
    """Why a site got no path, with its corridor."""
    reason = skipped.message or plain(skipped.code)
    if skipped.corridor_diameter_mm is None:
        return reason
    width = number(skipped.corridor_diameter_mm, 2)
    return reason if " mm" in reason else f"{reason} – corridor {width} mm"


def _row(case: Case, notice: Notice) -> Warned:
    accepted = ""
    if case.approval is not None and f"{notice.code}:{notice.subject}" in case.approval.accepted:
        accepted = case.approval.by
    return Warned(plain(notice.subject), notice.code, bare_message(notice), notice.red, accepted)


def bare_message(notice: Notice) -> str:
    """The message without its subject in front, which stands beside it."""
    for subject in (notice.subject, plain(notice.subject)):
        notice = replace(notice, message=notice.message.removeprefix(f"{subject}: "))
    return notice.message
